//! Events grouped by fingerprint: the [`Workload`].
//!
//! **Invariant:** a workload is a monoid. [`Workload::merge`] is associative, the empty workload is
//! its identity, so one thread, two threads, two files or many machines give the same result. The
//! order of merging is the order of the log: only that keeps sessions in sequence.

pub mod binds;
pub mod cache;
pub mod chatter;
mod counted;
pub mod digest;
pub mod event;
pub mod filter;
pub mod grounds;
pub mod histogram;
mod identity;
pub mod incidents;
pub mod outline;
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

mod bound;
mod close;
mod figures;
mod plan_text;
mod timeline;
mod totals;
mod units;
mod values;

pub use cache::CacheCandidate;
pub use chatter::Chatter;
pub use counted::CountedStatement;
pub use digest::Digest;
pub use event::{Binds, Event, EventKind, PlanFormat, Position, ProtocolStep, UnitId};
pub use figures::Concurrency;
pub use filter::{Condition, Filter, LeftOut};
pub use grounds::Grounds;
pub use outline::{Outline, OutlineStep};
pub use pooler::{PoolWaits, Pooler};
use query::Queries;
pub use query::{LoggedPlan, Names, Query, Steps};
pub use rates::Peak;
pub use repetition::{Evidence, Occurrence, Repetition, RepetitionKind};
pub use samples::{Sample, Samples};
pub use script::{Script, Stated};
pub use senders::{Breakdown, Dimension};
pub use series::{Load, Series};
pub use sketch::Sketch;
pub use statistics::Moment;
pub use tally::Tally;
pub use totals::{ByKind, Other, Totals};
pub use trend::Trend;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use self::{
    identity::{Identities, Identity},
    incidents::Incidents,
    statistics::Statistics,
    timeline::Timeline,
    units::{Step, Units},
    values::{hash, short, size_of, values_of},
};
use crate::{
    error::NotJudged,
    finding::Location,
    sql::{Fingerprint, Normalizer, tags::Tags},
};

/// A statement of an SQL file: seen, not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    pub at: Location,
    pub from: Origin,
    /// The program that sends it takes one row of what it finds.
    pub one_row: bool,
}

/// What a statement stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An SQL file, which is run from its beginning to its end.
    #[default]
    Script,
    Program,
    /// The body of a function.
    Body,
}

/// One input of the run, as `inputs` of the report shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSummary {
    /// As the user named it; `-` is stdin.
    pub name: String,
    /// `pg-stderr`, `pg-csv`, `pg-json`, `sql`, the language of a program …
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

impl InputSummary {
    /// Whether it is no log, as [`is_written`] has it.
    pub fn is_written(&self) -> bool {
        is_written(&self.format)
    }
}

/// Whether an input of this format is no log, but an SQL file or a program with SQL in it.
pub fn is_written(format: &str) -> bool {
    const WRITTEN: &[&str] = &["sql", "go", "java", "javascript", "python", "ruby", "rust", "typescript"];
    WRITTEN.contains(&format)
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Workload {
    queries: Queries,
    /// Executions that are known from `auto_explain` alone: they count only in a log that has no
    /// other executions, since otherwise they are the same ones once more, or nested ones.
    explained: Queries,
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
    #[serde(default)]
    grounds: Grounds,
    /// Nothing came before: see [`Workload::at_start`].
    begins: bool,
    #[serde(skip)]
    identities: Identities,
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
            EventKind::Execution { sql, binds } => {
                self.execution(event, sql, *binds, normalizer);
                if self.queries.len() > self.most_queries() {
                    self.bound();
                }
            }
            EventKind::ParseOrBind { step, sql } => {
                let us = event.duration.unwrap_or(0);
                self.totals.parse_bind_steps += 1;
                self.totals.parse_bind_us += us;
                self.steps.entry(normalizer.scan(sql).fingerprint).or_default().add(*step, us);
            }
            EventKind::Plan { format, nested, text } => {
                self.plan(event, *format, *nested, text, normalizer);
            }
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
        if event.session.is_some() {
            let identity = self.identities.of(event, &mut self.statistics.senders);
            self.statistics.session_starts_or_ends(identity);
            self.units.step(&Step::of(event, Fingerprint(0), None, identity), identity);
        }
    }

    fn execution(&mut self, event: &Event<'_>, sql: &[u8], binds: Binds<'_>, normalizer: &mut Normalizer) {
        let scanned = normalizer.scan(sql);
        self.totals.count(event, scanned.kind);
        self.incidents.executed(event, scanned.fingerprint);
        let values = values_of(&scanned, binds);
        let bucket = Sketch::bucket(event.duration.unwrap_or(0));
        let identity = self.identities.of(event, &mut self.statistics.senders);
        self.statistics.execution(event, &scanned, values, bucket, identity);
        let query = self.queries.entry(scanned.fingerprint).or_insert_with(|| {
            Box::new(Query::new(
                scanned.fingerprint,
                normalizer.text_of(scanned.fingerprint, sql),
                scanned.kind,
            ))
        });
        query.count(event, sql, binds, values.unwrap_or(0), bucket, identity.sender);
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
            self.grounds.without_session += 1;
            return;
        }
        let mut step = Step::of(event, scanned.fingerprint, Some(scanned.kind), identity);
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
        self.grounds.count(&step);
        self.units.step(&step, identity);
    }

    fn plan(
        &mut self,
        event: &Event<'_>,
        format: PlanFormat,
        nested: bool,
        text: &[u8],
        normalizer: &mut Normalizer,
    ) {
        let Some(sql) = plan_text::statement(format, text) else {
            self.not_judged.add("auto_explain plan", "it does not hold its statement");
            return;
        };
        let scanned = normalizer.scan(&sql);
        let query = self.explained.entry(scanned.fingerprint).or_insert_with(|| {
            Box::new(Query::new(
                scanned.fingerprint,
                normalizer.text_of(scanned.fingerprint, &sql),
                scanned.kind,
            ))
        });
        let values = values_of(&scanned, Binds::Unknown);
        if nested {
            query.shown(event, &sql, Binds::Unknown, values.unwrap_or(0));
        } else {
            let statistics = &mut self.explained_statistics;
            let identity = Identity::of(event, &mut statistics.senders);
            let bucket = Sketch::bucket(event.duration.unwrap_or(0));
            statistics.execution(event, &scanned, values, bucket, &identity);
            query.count(event, &sql, Binds::Unknown, values.unwrap_or(0), bucket, identity.sender);
        }
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
            Box::new(Query::new(
                scanned.fingerprint,
                normalizer.text(statement.text.as_bytes()),
                scanned.kind,
            ))
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
        query.one_row = statement.one_row && (query.statements.is_empty() || query.one_row);
        // In order, and mostly at the end already: a file may hold the same INSERT a hundred thousand times.
        let behind = query.statements.partition_point(|known| *known <= statement.at);
        query.statements.insert(behind, statement.at);
    }

    /// Adds what was counted of statements alone. However many they are, none is folded away: somebody wrote
    /// each of them.
    pub fn merge_statements(&mut self, written: Workload) {
        merge_queries(&mut self.queries, written.queries, &[]);
    }

    /// Adds what came after `self` in the log.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn merge(&mut self, later: Workload) {
        self.identities.forget();
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
        self.grounds.merge(&later.grounds);
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
}

/// `senders`: which index those of `theirs` have in `ours`.
#[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
fn merge_queries(ours: &mut Queries, theirs: Queries, senders: &[u32]) {
    for (id, mut query) in theirs {
        query.senders.renumber(senders);
        match ours.get_mut(&id) {
            Some(known) => known.merge(*query),
            None => {
                ours.insert(id, query);
            }
        }
    }
}
