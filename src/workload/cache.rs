//! Answers that were asked for again and again: the same query with the same values many times in one
//! minute of the clock, slow each time, while nothing wrote to its tables.
//!
//! Only slow reads are looked at, which are few; they are counted by query, values and minute until the
//! log has moved on, and then only what repeated itself is kept, so that memory is bounded. A statement
//! that may write to any table (CALL, DO, ALTER) speaks against every query of its minute.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use serde::{Deserialize, Serialize};

use super::{
    query::{Queries, Query},
    series::{Load, Sum as _},
};
use crate::sql::{Fingerprint, Shape, StatementKind, parse, shape::TableSource};

/// More executions than this in a minute are worth a cache.
const TIMES: u64 = 10;
/// Microseconds that they take in the mean, at least. Single ones may be as short as half of it.
const MEAN: u64 = 100_000;
/// Minutes that the log moves on before one is folded: entries come late by milliseconds.
const LATE: i64 = 2;
/// Questions kept for one minute; beyond, those asked once are forgotten, and counted.
const MOST: usize = 50_000;

/// A query whose answer could have been kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheCandidate {
    pub query: Fingerprint,
    /// What it reads.
    pub tables: Vec<String>,
    /// Minutes in which it was asked the same often enough.
    pub minutes: u64,
    /// Executions in these, over all values that were repeated.
    pub calls: u64,
    /// Those of them that asked what was not asked before in that minute.
    pub first_calls: u64,
    /// The most executions with the same values in one minute.
    pub most: u64,
    /// Microseconds of `calls`.
    pub total_us: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Caches {
    /// By the minute's number since 1970.
    minutes: BTreeMap<i64, Minute>,
    found: BTreeMap<Fingerprint, CacheCandidate>,
    /// What statements read and write, as far as it was asked.
    effects: FxHashMap<Fingerprint, Effect>,
    /// Slow reads whose values the log does not show.
    pub(super) without_values: u64,
    /// Slow reads that were forgotten, see [`MOST`].
    pub(super) forgotten: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Minute {
    reads: FxHashMap<(Fingerprint, u64), Load>,
    writes: FxHashSet<Fingerprint>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Effect {
    /// Reads these tables and nothing else; the answer depends on them and the values alone.
    Reads(BTreeSet<String>),
    Writes(BTreeSet<String>),
    /// Neither reads nor writes a table.
    Nothing,
    Unknown,
}

impl Caches {
    /// Looks at one execution that ended in `second`; `values` stand for constants, binds and database.
    pub(super) fn count(
        &mut self,
        id: Fingerprint,
        kind: StatementKind,
        values: Option<u64>,
        second: i64,
        duration: u64,
    ) {
        let slow = duration >= MEAN / 2;
        match kind {
            StatementKind::Select if !slow => return,
            StatementKind::Begin | StatementKind::Commit | StatementKind::Rollback => return,
            _ => {}
        }
        let minute = self.minutes.entry(second.div_euclid(60)).or_default();
        if kind != StatementKind::Select {
            minute.writes.insert(id);
        }
        if slow && matches!(kind, StatementKind::Select | StatementKind::With) {
            let Some(values) = values else {
                self.without_values += 1;
                return;
            };
            minute.reads.entry((id, values)).or_default().add(&Load { calls: 1, total_us: duration });
        }
    }

    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub(super) fn merge(&mut self, later: Caches) {
        for (number, theirs) in later.minutes {
            let ours = self.minutes.entry(number).or_default();
            for (question, load) in theirs.reads {
                ours.reads.entry(question).or_default().add(&load);
            }
            ours.writes.extend(theirs.writes);
        }
        for (id, theirs) in later.found {
            self.keep(id, theirs);
        }
        self.without_values += later.without_values;
        self.forgotten += later.forgotten;
    }

    fn keep(&mut self, id: Fingerprint, more: CacheCandidate) {
        match self.found.get_mut(&id) {
            Some(known) => {
                known.minutes += more.minutes;
                known.calls += more.calls;
                known.first_calls += more.first_calls;
                known.most = known.most.max(more.most);
                known.total_us += more.total_us;
            }
            None => {
                self.found.insert(id, more);
            }
        }
    }

    /// Folds the minutes that the log has left behind; all of them at its end.
    pub(super) fn settle(&mut self, queries: &Queries, end: bool) {
        let Some((&newest, _)) = self.minutes.last_key_value() else { return };
        while let Some(entry) = self.minutes.first_entry()
            && (end || *entry.key() < newest - LATE)
        {
            let minute = entry.remove();
            self.fold(minute, queries);
        }
        for minute in self.minutes.values_mut().filter(|minute| minute.reads.len() > MOST) {
            let before = minute.reads.len();
            minute.reads.retain(|_, load| load.calls > 1);
            self.forgotten += (before - minute.reads.len()) as u64;
        }
    }

    fn fold(&mut self, minute: Minute, queries: &Queries) {
        let again = |load: &Load| load.calls > TIMES && load.total_us >= MEAN * load.calls;
        let mut asked: BTreeMap<Fingerprint, Vec<Load>> = BTreeMap::new();
        for ((id, _), load) in minute.reads.into_iter().filter(|(_, load)| again(load)) {
            asked.entry(id).or_default().push(load);
        }
        if asked.is_empty() {
            return;
        }
        let mut written = BTreeSet::new();
        #[expect(clippy::iter_over_hash_type, reason = "a set grows in any order")]
        for id in minute.writes {
            match self.effect(id, queries) {
                Effect::Writes(tables) => written.extend(tables.iter().cloned()),
                Effect::Unknown => return,
                Effect::Reads(_) | Effect::Nothing => {}
            }
        }
        for (id, loads) in asked {
            let Effect::Reads(tables) = self.effect(id, queries) else { continue };
            if tables.is_empty() || !tables.is_disjoint(&written) {
                continue;
            }
            let candidate = CacheCandidate {
                query: id,
                tables: tables.iter().cloned().collect(),
                minutes: 1,
                calls: loads.iter().map(|load| load.calls).sum(),
                first_calls: loads.len() as u64,
                most: loads.iter().map(|load| load.calls).max().unwrap_or(0),
                total_us: loads.iter().map(|load| load.total_us).sum(),
            };
            self.keep(id, candidate);
        }
    }

    fn effect(&mut self, id: Fingerprint, queries: &Queries) -> &Effect {
        self.effects
            .entry(id)
            .or_insert_with(|| queries.get(&id).map_or(Effect::Unknown, |query| effect(query)))
    }

    /// By the time that the repeats took, the most first.
    pub(super) fn all(&self) -> Vec<CacheCandidate> {
        let mut all: Vec<CacheCandidate> = self.found.values().cloned().collect();
        all.sort_by_key(|one| (std::cmp::Reverse(one.total_us), one.query));
        all
    }
}

/// Whether a statement changes a table, as far as its sample tells.
pub(super) fn writes(query: &Query) -> bool {
    let sample = query.samples.iter().find(|sample| sample.complete);
    let shape = sample.and_then(|sample| parse::parse(&sample.sql).ok());
    shape.is_some_and(|shape| shape.target.is_some() || shape.writes_in_cte)
}

fn effect(query: &Query) -> Effect {
    if query.kind == StatementKind::Utility {
        return of_utility(&query.text);
    }
    let sample = query.samples.iter().find(|sample| sample.complete);
    match sample.map(|sample| parse::parse(&sample.sql)) {
        Some(Ok(shape)) => of_shape(&shape),
        _ => Effect::Unknown,
    }
}

/// Tables by their bare names: the same name in another schema is taken for the same table.
fn of_shape(shape: &Shape) -> Effect {
    if let Some(target) = &shape.target {
        return Effect::Writes(BTreeSet::from([target.table.name.clone()]));
    }
    if shape.writes_in_cte || shape.creates_table {
        return Effect::Unknown;
    }
    let volatile = shape.functions.iter().any(|function| VOLATILE.contains(&function.name.as_str()));
    if volatile || shape.blocks.iter().any(|block| block.locking.is_some()) {
        return Effect::Nothing;
    }
    let tables = shape.blocks.iter().flat_map(|block| &block.tables);
    let named = tables.filter_map(|table| match &table.source {
        TableSource::Table(name) => Some(name.name.clone()),
        _ => None,
    });
    let named: BTreeSet<String> = named.collect();
    // What the server knows of itself changes without a statement of the log.
    if named.iter().any(|name| name.starts_with("pg_")) { Effect::Nothing } else { Effect::Reads(named) }
}

/// Functions of PostgreSQL whose answer changes, or which do something.
const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "lastval",
    "nextval",
    "pg_advisory_lock",
    "pg_advisory_xact_lock",
    "pg_notify",
    "pg_sleep",
    "pg_try_advisory_lock",
    "pg_try_advisory_xact_lock",
    "random",
    "set_config",
    "setval",
    "statement_timestamp",
    "timeofday",
    "uuid_generate_v4",
];

/// By its first word; COPY and TRUNCATE are taken to write anywhere, as are CALL and DO.
fn of_utility(text: &str) -> Effect {
    const HARMLESS: &[&str] = &[
        "analyze",
        "checkpoint",
        "close",
        "comment",
        "deallocate",
        "declare",
        "discard",
        "end",
        "explain",
        "fetch",
        "listen",
        "lock",
        "move",
        "notify",
        "prepare",
        "release",
        "reset",
        "savepoint",
        "set",
        "show",
        "start",
        "unlisten",
        "vacuum",
        "values",
    ];
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let harmless = word.is_empty() || HARMLESS.iter().any(|known| word.eq_ignore_ascii_case(known));
    if harmless { Effect::Nothing } else { Effect::Unknown }
}
