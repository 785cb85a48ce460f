//! Events grouped by fingerprint: the [`Workload`].
//!
//! **Invariant:** a workload is a monoid. [`Workload::merge`] is associative, the empty workload is
//! its identity, so one thread, two threads, two files or many machines give the same result. The
//! order of merging is the order of the log: only that keeps sessions in sequence.

pub mod binds;
pub mod cache;
pub mod chatter;
pub mod digest;
pub mod event;
pub mod filter;
pub mod histogram;
pub mod incidents;
pub mod pooler;
pub mod query;
pub mod rates;
pub mod repetition;
pub mod samples;
pub mod script;
pub mod senders;
pub mod series;
pub mod sketch;
pub mod statistics;
pub mod tally;
pub mod trend;

mod plan_text;
mod timeline;
mod units;

pub use cache::CacheCandidate;
pub use chatter::Chatter;
pub use digest::Digest;
pub use event::{Binds, Event, EventKind, PlanFormat, Position, ProtocolStep, UnitId};
pub use filter::{Condition, Filter, LeftOut};
pub use pooler::{PoolWaits, Pooler};
pub use query::{LoggedPlan, Names, Query, Steps};
pub use rates::Peak;
pub use repetition::{Evidence, Occurrence, Repetition, RepetitionKind};
pub use samples::{Sample, Samples};
pub use script::Script;
pub use senders::{Breakdown, Dimension};
pub use series::{Load, Series};
pub use sketch::Sketch;
pub use statistics::Moment;
pub use tally::Tally;
pub use trend::Trend;

use std::{
    collections::BTreeMap,
    hash::{Hash as _, Hasher},
};

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use self::{
    chatter::Idle,
    incidents::Incidents,
    series::Sum as _,
    statistics::Statistics,
    timeline::Timeline,
    units::{Step, Units},
};
use crate::{
    error::NotJudged,
    finding::Location,
    sql::{Fingerprint, Normalizer, Scanned, StatementKind, tags::Tags},
};

/// Executions by how their statement begins; transaction control counts as utility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByKind {
    pub select: u64,
    pub insert: u64,
    pub update: u64,
    pub delete: u64,
    pub with: u64,
    pub utility: u64,
}

/// Figures of the whole workload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub executions: u64,
    /// Microseconds.
    pub total_us: u64,
    pub by_kind: ByKind,
    pub errors: u64,
    /// When the first and last execution ended, in microseconds since 1970 (UTC).
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Durations of parse and bind steps, which are no executions.
    pub parse_bind_us: u64,
    pub parse_bind_steps: u64,
    /// Queries that were folded together, since there were too many to keep.
    #[serde(default)]
    pub other: Other,
}

/// The long tail of a workload whose statements differ in more than their constants. What it holds is in
/// the other totals, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// A query that came back after it was folded counts again.
    pub queries: u64,
    pub calls: u64,
    /// Microseconds.
    pub total_us: u64,
}

/// A statement of an SQL file: seen, not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    pub at: Location,
}

/// One input of the run, as `inputs` of the report shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSummary {
    /// As the user named it; `-` is stdin.
    pub name: String,
    /// `pg-stderr`, `pg-csv`, `pg-json`, `sql`.
    pub format: String,
    /// After decompression.
    pub bytes: u64,
    /// Log entries (or statements) that were understood.
    pub entries: u64,
    /// Lines (or statements) that were not.
    pub skipped: u64,
    /// A few of the skipped ones: `line 12: …`, cut to 200 characters.
    pub skipped_samples: Vec<String>,
    /// What a person should know: the prefix that was inferred, a clock of whole seconds, a file cut short.
    pub notes: Vec<String>,
}

/// Queries that are kept apart. More than that is a workload whose statements differ in more than their
/// constants; the cheapest are then folded together and counted.
const MOST_QUERIES: usize = 20_000;
/// Bytes of samples that are kept of all queries together; beyond, the cheapest queries lose theirs.
const MOST_SAMPLE_BYTES: usize = 24 << 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Workload {
    queries: FxHashMap<Fingerprint, Query>,
    /// Executions that are known from `auto_explain` alone: they count only in a log that has no
    /// other executions, since otherwise they are the same ones once more, or nested ones.
    explained: FxHashMap<Fingerprint, Query>,
    /// Failed statements by fingerprint.
    failed: FxHashMap<Fingerprint, u64>,
    /// Parse and bind steps by fingerprint.
    steps: FxHashMap<Fingerprint, Steps>,
    incidents: Incidents,
    #[serde(default)]
    pooler: Pooler,
    #[serde(default)]
    pool_waits: PoolWaits,
    totals: Totals,
    units: Units,
    timeline: Timeline,
    statistics: Statistics,
    /// Of `explained`.
    explained_statistics: Statistics,
    not_judged: NotJudged,
    /// Nothing came before: see [`Workload::at_start`].
    begins: bool,
}

impl Workload {
    /// A workload that begins where the log does, so that it may fold what it has seen and forget it.
    /// The default workload is a piece from the middle, which keeps its edges until it is merged.
    pub fn at_start() -> Workload {
        Workload { begins: true, ..Workload::default() }
    }

    /// Counts one event. Hot: no allocation once its query is known.
    pub fn add(&mut self, event: &Event<'_>, normalizer: &mut Normalizer) {
        self.pool_waits.add(event);
        match &event.kind {
            EventKind::Execution { sql, binds } => self.execution(event, sql, *binds, normalizer),
            EventKind::ParseOrBind { step, sql } => {
                let us = event.duration.unwrap_or(0);
                self.totals.parse_bind_steps += 1;
                self.totals.parse_bind_us += us;
                self.steps.entry(normalizer.scan(sql).fingerprint).or_default().add(*step, us);
            }
            EventKind::Plan { format, text } => self.plan(event, *format, text, normalizer),
            EventKind::Error { sqlstate, message, sql } => {
                self.totals.errors += 1;
                self.statistics.error(event);
                let query = self.incidents.error(event, *sqlstate, message, *sql, normalizer);
                if let Some(query) = query {
                    *self.failed.entry(query).or_default() += 1;
                }
            }
            EventKind::SessionStart => {
                self.incidents.session_starts(event);
                self.session_starts_or_ends(event);
            }
            EventKind::SessionEnd => {
                self.incidents.session_ends(event);
                self.session_starts_or_ends(event);
            }
            EventKind::Incident(incident) => self.incidents.add(event, incident, normalizer),
            EventKind::Pooler(told) => self.pooler.add(event, told),
        }
    }

    fn session_starts_or_ends(&mut self, event: &Event<'_>) {
        if let Some(session) = event.session {
            self.units.step(Step::of(event, Fingerprint(0), None));
            self.statistics.transactions.reset(session);
        }
    }

    fn execution(&mut self, event: &Event<'_>, sql: &[u8], binds: Binds<'_>, normalizer: &mut Normalizer) {
        let scanned = normalizer.scan(sql);
        self.totals.count(event, scanned.kind);
        self.incidents.executed(event, scanned.fingerprint);
        let values = values_of(&scanned, binds);
        let sender = self.statistics.execution(event, &scanned, values);
        let query = self.queries.entry(scanned.fingerprint).or_insert_with(|| {
            Query::new(scanned.fingerprint, normalizer.text_of(scanned.fingerprint, sql), scanned.kind)
        });
        query.count(event, sql, binds, values.unwrap_or(0), sender);
        let comment = scanned
            .tags
            .clone()
            .and_then(|range| sql.get(range))
            .map(|comment| String::from_utf8_lossy(comment));
        let tags = comment.as_deref().map(Tags::parse);
        if let Some(route) = tags.as_ref().and_then(Tags::route) {
            query.routes.add(route.as_bytes());
        }
        if event.session.is_none() && event.unit.is_none() {
            return;
        }
        let mut step = Step::of(event, scanned.fingerprint, Some(scanned.kind));
        step.values = values.map(short);
        step.size = size_of(&scanned, binds);
        if let (Some(end), Some(duration), Some(session), false) =
            (event.end, event.duration, event.session, event.mixed)
        {
            self.timeline.add(session, end, duration, event.coarse);
        }
        step.unit = event.unit.map(|unit| (unit.evidence, unit.id));
        if let Some(tags) = tags {
            let id = |name: &str| hash(name.as_bytes());
            let named = || {
                let trace = tags.trace_id().map(|trace| (Evidence::Trace, id(trace)));
                trace.or_else(|| tags.request_id().map(|request| (Evidence::Tag, id(request))))
            };
            step.unit = step.unit.or_else(named);
            step.route = tags.route().map_or(0, |route| short(id(&route)));
        }
        self.units.step(step);
    }

    fn plan(&mut self, event: &Event<'_>, format: PlanFormat, text: &[u8], normalizer: &mut Normalizer) {
        let Some(sql) = plan_text::statement(format, text) else {
            self.not_judged.add("auto_explain plan", "it does not hold its statement");
            return;
        };
        let scanned = normalizer.scan(&sql);
        let query = self.explained.entry(scanned.fingerprint).or_insert_with(|| {
            Query::new(scanned.fingerprint, normalizer.text_of(scanned.fingerprint, &sql), scanned.kind)
        });
        let values = values_of(&scanned, Binds::Unknown);
        let sender = self.explained_statistics.execution(event, &scanned, values);
        query.count(event, &sql, Binds::Unknown, values.unwrap_or(0), sender);
        let duration = event.duration.unwrap_or(0);
        if query.plan.as_ref().is_none_or(|kept| duration >= kept.duration) {
            let text = String::from_utf8_lossy(text).into_owned();
            query.keep_plan(LoggedPlan { format, text, duration });
        }
    }

    /// Takes in a statement of an SQL file.
    pub fn add_statement(&mut self, statement: Statement, normalizer: &mut Normalizer) {
        self.add_statement_with(statement, None, normalizer);
    }

    /// The same, with values for its parameters.
    pub fn add_statement_with(
        &mut self,
        statement: Statement,
        binds: Option<Vec<Option<String>>>,
        normalizer: &mut Normalizer,
    ) {
        let scanned = normalizer.scan(statement.text.as_bytes());
        let query = self.queries.entry(scanned.fingerprint).or_insert_with(|| {
            Query::new(scanned.fingerprint, normalizer.text(statement.text.as_bytes()), scanned.kind)
        });
        let position = Position { input: Position::NO_LOG, line: statement.at.line };
        let complete = statement.text.len() <= Sample::LONGEST;
        query.samples.add(Sample {
            sql: if complete { statement.text } else { String::new() },
            complete,
            binds,
            duration: None,
            position,
            database: None,
            values: scanned.values,
        });
        query.statements.push(statement.at);
        query.statements.sort();
    }

    /// Adds what came after `self` in the log.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn merge(&mut self, later: Workload) {
        let senders = self.statistics.merge(later.statistics);
        merge_queries(&mut self.queries, later.queries, &senders);
        let senders = self.explained_statistics.merge(later.explained_statistics);
        merge_queries(&mut self.explained, later.explained, &senders);
        for (id, count) in later.failed {
            *self.failed.entry(id).or_default() += count;
        }
        for (id, steps) in later.steps {
            self.steps.entry(id).or_default().merge(&steps);
        }
        self.incidents.merge(later.incidents);
        self.pooler.merge(later.pooler);
        self.pool_waits.merge(later.pool_waits);
        self.totals.merge(&later.totals);
        self.units.merge(later.units);
        self.timeline.merge(later.timeline);
        self.not_judged.merge(later.not_judged);
        if self.begins {
            self.units.settle();
            self.timeline.settle();
            self.incidents.settle();
            self.statistics.settle(&mut self.queries, &mut self.not_judged);
            self.explained_statistics.settle(&mut self.explained, &mut self.not_judged);
            self.bound();
        }
    }

    /// Folds the cheapest queries together when there are too many to keep, and forgets their samples when
    /// those are too large.
    fn bound(&mut self) {
        let other = &mut self.totals.other;
        for (queries, counts) in [(&mut self.queries, true), (&mut self.explained, false)] {
            if queries.len() <= MOST_QUERIES {
                continue;
            }
            let mut cheapest: Vec<_> =
                queries.values().map(|query| (query.total_us, query.calls, query.id)).collect();
            cheapest.sort_unstable();
            for (total_us, calls, id) in cheapest.into_iter().take(MOST_QUERIES / 2) {
                queries.remove(&id);
                if counts {
                    other.queries += 1;
                    other.calls += calls;
                    other.total_us += total_us;
                }
            }
        }
        for queries in [&mut self.queries, &mut self.explained] {
            let bytes: usize = queries.values().map(|query| query.samples.bytes()).sum();
            if bytes <= MOST_SAMPLE_BYTES {
                continue;
            }
            let mut cheapest: Vec<_> = queries.values_mut().collect();
            cheapest.sort_by_key(|query| (query.total_us, query.calls, query.id));
            let mut excess = bytes - MOST_SAMPLE_BYTES / 2;
            for query in cheapest {
                excess = excess.saturating_sub(query.samples.bytes());
                query.samples = Samples::default();
                if excess == 0 {
                    break;
                }
            }
        }
        if self.failed.len() > MOST_QUERIES {
            let why =
                format!("more than {MOST_QUERIES} distinct failed statements: only in the total of errors");
            self.not_judged.add_many("failed statements", why, self.failed.len() as u64);
            self.failed.clear();
        }
        if self.steps.len() > MOST_QUERIES {
            let why = format!("more than {MOST_QUERIES} distinct statements: only in the totals");
            self.not_judged.add_many("parse and bind steps", why, self.steps.len() as u64);
            self.steps.clear();
        }
    }

    /// The log begins and ends here: units of work that are still open are over, plans go to their
    /// queries, and a log that has executions only as plans counts those.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn close(&mut self) {
        self.units.close();
        if self.totals.other.queries > 0 {
            let why =
                format!("more than {MOST_QUERIES} distinct queries: the cheapest are only in the totals");
            self.not_judged.add_many("queries", why, self.totals.other.queries);
        }
        self.incidents.close();
        self.not_judged.add_many(
            "n-plus-one",
            "the log does not show the values of repeated statements (see log_parameter_max_length)",
            std::mem::take(&mut self.units.folded.without_values),
        );
        let explained = std::mem::take(&mut self.explained);
        if self.totals.executions == 0 {
            for query in explained.values() {
                self.totals.executions += query.calls;
                self.totals.total_us += query.total_us;
                *self.totals.by_kind.of(query.kind) += query.calls;
                self.totals.first = self.totals.first.into_iter().chain(query.first).min();
                self.totals.last = self.totals.last.max(query.last);
            }
            let errors = std::mem::take(&mut self.statistics);
            self.statistics = std::mem::take(&mut self.explained_statistics);
            let _ = self.statistics.merge(errors);
            for (id, query) in explained {
                match self.queries.get_mut(&id) {
                    Some(known) => known.merge(query),
                    None => _ = self.queries.insert(id, query),
                }
            }
        } else {
            for (id, mut query) in explained {
                if let Some(ours) = self.queries.get_mut(&id) {
                    query.plan.into_iter().for_each(|plan| ours.keep_plan(plan));
                } else {
                    // A statement inside of a function (`auto_explain.log_nested_statements`).
                    query.forget_executions();
                    self.queries.insert(id, query);
                }
            }
        }
        for (id, steps) in std::mem::take(&mut self.steps) {
            if let Some(query) = self.queries.get_mut(&id) {
                query.steps.merge(&steps);
            }
        }
        for (id, count) in std::mem::take(&mut self.failed) {
            if let Some(query) = self.queries.get_mut(&id) {
                query.errors += count;
            }
        }
        self.statistics.close(&self.queries, &mut self.not_judged);
        for query in self.queries.values_mut() {
            let senders = &self.statistics.senders;
            for (names, dimension) in [
                (&mut query.databases, Dimension::Database),
                (&mut query.users, Dimension::User),
                (&mut query.applications, Dimension::Application),
                (&mut query.hosts, Dimension::Host),
            ] {
                for name in senders.shares_by(dimension, &query.senders).keys() {
                    names.add(name.as_bytes());
                }
            }
        }
    }

    /// Moves every position by so many inputs: the workload becomes a part of a run that has those before.
    pub fn renumber_inputs(&mut self, by: u32) {
        for query in self.queries.values_mut().chain(self.explained.values_mut()) {
            query.renumber_inputs(by);
        }
    }

    /// Leaves nothing of the statements but their normalised texts.
    fn forget_literals(&mut self) {
        for query in self.queries.values_mut().chain(self.explained.values_mut()) {
            query.forget_literals();
        }
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What the log tells besides statements.
    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// What the log of a connection pooler told.
    pub fn pooler(&self) -> &Pooler {
        &self.pooler
    }

    /// Waits for a connection of the application's own pool.
    pub fn pool_waits(&self) -> &PoolWaits {
        &self.pool_waits
    }

    pub fn query(&self, id: Fingerprint) -> Option<&Query> {
        self.queries.get(&id)
    }

    /// Every query, the most expensive first (total time, then calls, then id).
    pub fn ranked(&self) -> Vec<&Query> {
        let mut ranked: Vec<&Query> = self.queries.values().collect();
        ranked.sort_by_key(|query| (std::cmp::Reverse((query.total_us, query.calls)), query.id));
        ranked
    }

    /// Queries that one unit of work ran again and again, the most expensive first.
    pub fn repetitions(&self) -> Vec<Repetition> {
        self.units.folded.all()
    }

    /// Sessions busy at once; `None` when the log cannot tell.
    pub fn concurrency(&self) -> Option<Concurrency> {
        self.timeline.concurrency()
    }

    /// All executions together.
    pub fn overall(&self) -> Tally {
        self.statistics.senders.overall()
    }

    /// Executions by each database, user, application or host that the log names.
    pub fn by(&self, dimension: Dimension) -> BTreeMap<String, Breakdown> {
        self.statistics.senders.by(dimension, self.queries.values().map(|query| &query.senders))
    }

    /// One query's executions by each name.
    pub fn query_by(&self, query: &Query, dimension: Dimension) -> BTreeMap<String, Load> {
        self.statistics.senders.shares_by(dimension, &query.senders)
    }

    /// Executions that read and that write. WITH counts as what it does, where a sample of it parses.
    pub fn reads_and_writes(&self) -> (u64, u64) {
        let by = &self.totals.by_kind;
        let writes_in_with =
            self.queries.values().filter(|query| query.kind == StatementKind::With && cache::writes(query));
        let with: u64 = writes_in_with.map(|query| query.calls).sum();
        (by.select + by.with - with.min(by.with), by.insert + by.update + by.delete + with)
    }

    /// All executions over time.
    pub fn moments(&self) -> &Series<Moment> {
        &self.statistics.moments
    }

    /// The busiest second and the busiest minute.
    pub fn peaks(&self) -> Option<(Peak, Peak)> {
        self.statistics.rates.peaks()
    }

    /// Answers that were asked for again and again, the most time first.
    pub fn cache_candidates(&self) -> Vec<CacheCandidate> {
        self.statistics.caches.all()
    }

    /// Round trips that carried no work, by application.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn chatter(&self) -> Vec<Chatter> {
        let senders = &self.statistics.senders;
        let mut found: BTreeMap<Option<String>, Chatter> = BTreeMap::new();
        for query in self.queries.values() {
            let idle = chatter::idle(query);
            for (sender, load) in query.senders.iter() {
                let name = senders.name(sender, Dimension::Application);
                let one = found.entry(name).or_default();
                one.executions += load.calls;
                match idle {
                    Some(Idle::Ping) => one.pings.add(&load),
                    Some(Idle::Setting) => one.settings.add(&load),
                    None => {}
                }
            }
        }
        for (&sender, load) in self.statistics.transactions.single_reads() {
            let name = senders.name(sender, Dimension::Application);
            found.entry(name).or_default().single_reads.add(load);
        }
        found.into_iter().map(|(application, one)| Chatter { application, ..one }).collect()
    }

    pub fn not_judged(&self) -> &NotJudged {
        &self.not_judged
    }
}

impl Totals {
    fn count(&mut self, event: &Event<'_>, kind: StatementKind) {
        self.executions += 1;
        self.total_us += event.duration.unwrap_or(0);
        *self.by_kind.of(kind) += 1;
        if let Some(end) = event.end {
            self.first = Some(self.first.map_or(end, |first| first.min(end)));
            self.last = Some(self.last.map_or(end, |last| last.max(end)));
        }
    }

    fn merge(&mut self, other: &Totals) {
        self.executions += other.executions;
        self.total_us += other.total_us;
        self.errors += other.errors;
        self.parse_bind_us += other.parse_bind_us;
        self.parse_bind_steps += other.parse_bind_steps;
        self.other.queries += other.other.queries;
        self.other.calls += other.other.calls;
        self.other.total_us += other.other.total_us;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        let ByKind { select, insert, update, delete, with, utility } = other.by_kind;
        self.by_kind.select += select;
        self.by_kind.insert += insert;
        self.by_kind.update += update;
        self.by_kind.delete += delete;
        self.by_kind.with += with;
        self.by_kind.utility += utility;
    }
}

impl ByKind {
    fn of(&mut self, kind: StatementKind) -> &mut u64 {
        match kind {
            StatementKind::Select => &mut self.select,
            StatementKind::Insert => &mut self.insert,
            StatementKind::Update => &mut self.update,
            StatementKind::Delete => &mut self.delete,
            StatementKind::With => &mut self.with,
            _ => &mut self.utility,
        }
    }
}

/// `senders`: which index those of `theirs` have in `ours`.
#[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
fn merge_queries(
    ours: &mut FxHashMap<Fingerprint, Query>,
    theirs: FxHashMap<Fingerprint, Query>,
    senders: &[u32],
) {
    for (id, mut query) in theirs {
        query.senders.renumber(senders);
        match ours.get_mut(&id) {
            Some(known) => known.merge(query),
            None => {
                ours.insert(id, query);
            }
        }
    }
}

/// Hash of the constants and the bind values; `None` when there are bind values that the log does not
/// show.
fn values_of(scanned: &Scanned, binds: Binds<'_>) -> Option<u64> {
    match binds {
        Binds::Postgres(detail) => Some(scanned.values ^ hash(detail)),
        Binds::Values(values) => Some(scanned.values ^ hash_of(values)),
        Binds::Unknown if scanned.parameters => None,
        Binds::Unknown => Some(scanned.values),
    }
}

/// How many constants and bind values an execution has; a list or an array counts each.
fn size_of(scanned: &Scanned, binds: Binds<'_>) -> u16 {
    let binds = match binds {
        Binds::Unknown => 0,
        // A value may hold these characters, too: this only has to tell lists from single keys.
        Binds::Postgres(detail) if memchr::memchr(b'{', detail).is_some() => {
            memchr::memchr_iter(b',', detail).count() + 1
        }
        Binds::Postgres(detail) => memchr::memchr_iter(b'$', detail).count(),
        Binds::Values(values) => {
            let each = |value: &Option<String>| match value.as_deref() {
                Some(array) if array.starts_with(['{', '[']) => array.matches(',').count() + 1,
                _ => 1,
            };
            values.iter().map(each).sum()
        }
    };
    u16::try_from(scanned.constants as usize + binds).unwrap_or(u16::MAX)
}

/// Folds a hash into half of its bits.
fn short(hash: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant to be mixed")]
    let half = (hash ^ (hash >> 32)) as u32;
    half
}

fn hash_of(values: &[Option<String>]) -> u64 {
    let mut hasher = FxHasher::default();
    values.hash(&mut hasher);
    hasher.finish()
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// How many sessions ran a statement at the same time, over the seconds in which any did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// Busy time divided by the wall time from the first start to the last end.
    pub average: f64,
    /// Of the per-second peaks.
    pub p95: u64,
    pub peak: u64,
}
