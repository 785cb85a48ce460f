//! What is known of one query: all events of one fingerprint.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    event::{Binds, Event, PlanFormat, Position, ProtocolStep},
    samples::{Sample, Samples},
    senders::Shares,
    series::{Load, Series, Sum as _},
    sketch::Sketch,
};
use crate::{
    finding::Location,
    sql::{Fingerprint, StatementKind},
};

/// Boxed: the table grows often, and a query is large.
pub(super) type Queries = FxHashMap<Fingerprint, Box<Query>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub id: Fingerprint,
    /// Normalised.
    pub text: String,
    pub kind: StatementKind,
    /// Executions.
    pub calls: u64,
    /// Executions whose duration the log gives.
    pub timed: u64,
    /// Microseconds over the timed executions, as the next two.
    pub total_us: u64,
    pub min_us: u64,
    pub max_us: u64,
    pub sketch: Sketch,
    /// `None` where the log does not say.
    pub rows: Option<u64>,
    /// Executions over time.
    pub series: Series<Load>,
    pub(super) senders: Shares,
    /// Known when the log is over, as the next three.
    pub databases: Names,
    pub users: Names,
    pub applications: Names,
    pub hosts: Names,
    /// Route, controller or job names found in comments.
    pub routes: Names,
    /// Where the application sends it from, as its log says.
    pub callers: Names,
    /// Microseconds since 1970.
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub samples: Samples,
    /// The plan that `auto_explain` logged for the slowest execution.
    pub plan: Option<LoggedPlan>,
    /// Where it stands in SQL files.
    pub statements: Vec<Location>,
    /// Wherever it stands the program takes one row of what it finds.
    #[serde(default)]
    pub one_row: bool,
    /// Its first event in each input, by input.
    pub seen_at: Vec<Position>,
    /// Statements that failed.
    pub errors: u64,
    /// Parse and bind steps of the extended protocol.
    pub steps: Steps,
}

/// The steps before an execution, in microseconds; they are no executions, and in no other figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    pub parses: u64,
    pub parse_us: u64,
    pub binds: u64,
    pub bind_us: u64,
}

impl Steps {
    pub(super) fn add(&mut self, step: ProtocolStep, us: u64) {
        let (count, total) = match step {
            ProtocolStep::Parse => (&mut self.parses, &mut self.parse_us),
            ProtocolStep::Bind => (&mut self.binds, &mut self.bind_us),
        };
        *count += 1;
        *total += us;
    }

    pub(super) fn merge(&mut self, other: &Steps) {
        self.parses += other.parses;
        self.parse_us += other.parse_us;
        self.binds += other.binds;
        self.bind_us += other.bind_us;
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedPlan {
    pub format: PlanFormat,
    pub text: String,
    /// Microseconds.
    pub duration: u64,
}

impl Query {
    /// Bytes of text that are kept: enough to tell any query, and a generated statement of megabytes does
    /// not fill the memory.
    const LONGEST_TEXT: usize = 64 * 1024;

    pub fn new(id: Fingerprint, mut text: String, kind: StatementKind) -> Query {
        if text.len() > Query::LONGEST_TEXT {
            text.truncate(text.floor_char_boundary(Query::LONGEST_TEXT));
            text.push('…');
            text.shrink_to_fit();
        }
        Query {
            id,
            text,
            kind,
            calls: 0,
            timed: 0,
            total_us: 0,
            min_us: u64::MAX,
            max_us: 0,
            sketch: Sketch::default(),
            rows: None,
            series: Series::default(),
            senders: Shares::default(),
            databases: Names::default(),
            users: Names::default(),
            applications: Names::default(),
            hosts: Names::default(),
            routes: Names::default(),
            callers: Names::default(),
            first: None,
            last: None,
            samples: Samples::default(),
            plan: None,
            statements: Vec::new(),
            one_row: false,
            seen_at: Vec::new(),
            errors: 0,
            steps: Steps::default(),
        }
    }

    pub fn total_ms(&self) -> f64 {
        self.total_us as f64 / 1000.0
    }

    /// `None` when no execution had a duration.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.timed > 0).then(|| self.total_ms() / self.timed as f64)
    }

    /// Counts one execution: the sketch's bucket of its duration, and the index of its sender. Hot.
    pub(super) fn count(
        &mut self,
        event: &Event<'_>,
        sql: &[u8],
        binds: Binds<'_>,
        values: u64,
        bucket: usize,
        sender: u32,
    ) {
        self.calls += 1;
        self.senders.add(sender, Load { calls: 1, total_us: event.duration.unwrap_or(0) });
        if let Some(us) = event.duration {
            self.time(us, bucket);
        }
        if let Some(end) = event.end {
            self.ended(end, event.duration.unwrap_or(0));
        }
        if let Some(caller) = event.caller {
            self.callers.add(caller);
        }
        if let Some(rows) = event.rows {
            self.rows = Some(self.rows.unwrap_or(0) + rows);
        }
        self.shown(event, sql, binds, values);
    }

    /// Takes in where it stands and how it was written, and nothing of its cost.
    pub(super) fn shown(&mut self, event: &Event<'_>, sql: &[u8], binds: Binds<'_>, values: u64) {
        self.seen(event.position);
        self.keep_sample(sql, binds, event.duration, event.position, event.database, values);
    }

    /// Copies the execution where it is worth keeping.
    fn keep_sample(
        &mut self,
        sql: &[u8],
        binds: Binds<'_>,
        duration: Option<u64>,
        position: Position,
        database: Option<&[u8]>,
        values: u64,
    ) {
        if !self.samples.wants(values, duration, position) {
            return;
        }
        self.samples.add(Sample {
            sql: String::from_utf8_lossy(&sql[..sql.len().min(Sample::LONGEST)]).into_owned(),
            complete: sql.len() <= Sample::LONGEST,
            binds: match binds {
                Binds::Postgres(detail) if detail.len() <= Sample::LONGEST => super::binds::parse(detail),
                Binds::Values(values) if size(values) <= Sample::LONGEST => Some(values.to_vec()),
                // A document of megabytes is no example that anyone would look at.
                Binds::Postgres(_) | Binds::Values(_) | Binds::Unknown => None,
            },
            duration,
            position,
            database: database.map(|name| String::from_utf8_lossy(name).into_owned()),
            values,
        });
    }

    pub(super) fn renumber_inputs(&mut self, by: u32) {
        self.seen_at.iter_mut().for_each(|seen| seen.input += by);
        self.samples.each(|sample| {
            if sample.position.input != Position::NO_LOG {
                sample.position.input += by;
            }
        });
    }

    pub(super) fn forget_literals(&mut self) {
        self.plan = None;
        let text = &self.text;
        self.samples.each(|sample| {
            sample.sql.clone_from(text);
            sample.complete = text.len() <= Sample::LONGEST;
            sample.binds = None;
        });
    }

    fn time(&mut self, us: u64, bucket: usize) {
        self.timed += 1;
        self.total_us += us;
        self.min_us = self.min_us.min(us);
        self.max_us = self.max_us.max(us);
        self.sketch.add_bucket(bucket);
    }

    fn seen(&mut self, position: Position) {
        // A log is read from its beginning.
        if self.seen_at.last().is_some_and(|last| last.input == position.input && last.line <= position.line)
        {
            return;
        }
        match self.seen_at.binary_search_by_key(&position.input, |seen| seen.input) {
            Ok(at) => self.seen_at[at].line = self.seen_at[at].line.min(position.line),
            Err(at) => self.seen_at.insert(at, position),
        }
    }

    fn ended(&mut self, end: i64, us: u64) {
        self.first = Some(self.first.map_or(end, |first| first.min(end)));
        self.last = Some(self.last.map_or(end, |last| last.max(end)));
        self.series.at(end.div_euclid(1_000_000)).add(&Load { calls: 1, total_us: us });
    }

    pub(super) fn keep_plan(&mut self, plan: LoggedPlan) {
        let better = |kept: &LoggedPlan| (plan.duration, &kept.text) > (kept.duration, &plan.text);
        if self.plan.as_ref().is_none_or(better) {
            self.plan = Some(plan);
        }
    }

    pub(super) fn merge(&mut self, other: Query) {
        self.calls += other.calls;
        self.timed += other.timed;
        self.total_us += other.total_us;
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
        self.sketch.merge(&other.sketch);
        self.rows = match (self.rows, other.rows) {
            (Some(ours), Some(theirs)) => Some(ours + theirs),
            (ours, theirs) => ours.or(theirs),
        };
        self.series.merge(&other.series);
        self.senders.merge(&other.senders);
        self.databases.merge(&other.databases);
        self.users.merge(&other.users);
        self.applications.merge(&other.applications);
        self.hosts.merge(&other.hosts);
        self.routes.merge(&other.routes);
        self.callers.merge(&other.callers);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.samples.merge(other.samples);
        if let Some(plan) = other.plan {
            self.keep_plan(plan);
        }
        self.one_row = match (self.statements.is_empty(), other.statements.is_empty()) {
            (true, _) => other.one_row,
            (_, true) => self.one_row,
            (false, false) => self.one_row && other.one_row,
        };
        self.statements.extend(other.statements);
        self.statements.sort();
        self.statements.dedup();
        for position in other.seen_at {
            self.seen(position);
        }
        self.errors += other.errors;
        self.steps.merge(&other.steps);
    }

    /// Leaves what is known of the query besides its executions.
    pub(super) fn forget_executions(&mut self) {
        let bare = Query::new(self.id, std::mem::take(&mut self.text), self.kind);
        let known = std::mem::replace(self, bare);
        *self = Query {
            text: std::mem::take(&mut self.text),
            databases: known.databases,
            users: known.users,
            applications: known.applications,
            hosts: known.hosts,
            samples: known.samples,
            plan: known.plan,
            seen_at: known.seen_at,
            ..Query::new(self.id, String::new(), self.kind)
        };
    }
}

fn size(values: &[Option<String>]) -> usize {
    values.iter().flatten().map(String::len).sum()
}

/// A small set of names, sorted; it stops growing at 64, which `full` then tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    names: Vec<String>,
    full: bool,
}

impl Names {
    const MOST: usize = 64;

    pub fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// There were more than fit.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Hot: no allocation for a name that is already there.
    pub(super) fn add(&mut self, name: &[u8]) {
        if name.is_empty() || self.names.iter().any(|known| known.as_bytes() == name) {
            return;
        }
        self.insert(String::from_utf8_lossy(name).into_owned());
    }

    fn insert(&mut self, name: String) {
        let Err(at) = self.names.binary_search(&name) else { return };
        self.names.insert(at, name);
        if self.names.len() > Names::MOST {
            self.names.pop();
            self.full = true;
        }
    }

    pub(super) fn merge(&mut self, other: &Names) {
        for name in &other.names {
            self.insert(name.clone());
        }
        self.full |= other.full;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_bounded_set() {
        let mut names = Names::default();
        for n in (0..100).rev() {
            names.add(format!("{n:03}").as_bytes());
            names.add(b"");
        }
        assert_eq!(names.as_slice().len(), 64);
        assert!(names.is_full());
        assert_eq!(names.as_slice()[0], "000");
    }
}
