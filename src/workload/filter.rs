//! Which events of a log count: those that meet every condition that was asked for.
//!
//! What a log does not say meets no condition: an execution without an application is not of the one
//! that was asked for. What is left out is counted, by the first condition that it failed.

use regex::Regex;
use rustc_hash::FxHashMap;

use super::event::{Event, EventKind};
use crate::sql::{Fingerprint, Normalizer};

/// Conditions; of a list one must hold, an empty one always does.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// When an execution ended, in microseconds since 1970: at or after `since`, before `until`.
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub databases: Vec<String>,
    pub users: Vec<String>,
    pub applications: Vec<String>,
    pub hosts: Vec<String>,
    /// Microseconds. Errors have no duration, and stay.
    pub min_duration: Option<u64>,
    /// On the normalised text.
    pub queries: Vec<Regex>,
    /// None of these may match.
    pub excluded: Vec<Regex>,
}

/// Why an event does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    Time,
    Database,
    User,
    Application,
    Host,
    Duration,
    Query,
}

/// What was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Executions, by [`Condition`].
    pub executions: [u64; 7],
    pub errors: u64,
    /// Executions for which the log does not say what was asked, by [`Condition`]; also in the above.
    pub unknown: [u64; 7],
    /// Statements of SQL files.
    pub statements: u64,
}

/// What a query's text was found to be, so that each is looked at once.
pub(crate) type Verdicts = FxHashMap<Fingerprint, bool>;

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.since.is_none()
            && self.until.is_none()
            && self.min_duration.is_none()
            && self.queries.is_empty()
            && self.excluded.is_empty()
            && [&self.databases, &self.users, &self.applications, &self.hosts]
                .iter()
                .all(|one| one.is_empty())
    }

    /// Whether an event counts; one that does not is added to `left_out`.
    pub(crate) fn admits(
        &self,
        event: &Event<'_>,
        normalizer: &mut Normalizer,
        verdicts: &mut Verdicts,
        left_out: &mut LeftOut,
    ) -> bool {
        let sql = match &event.kind {
            // Only bounds units of work.
            EventKind::SessionStart | EventKind::SessionEnd => return true,
            EventKind::Execution { sql, .. } | EventKind::ParseOrBind { sql, .. } => Some(*sql),
            EventKind::Error { sql, .. } => *sql,
            EventKind::Plan { .. } | EventKind::Incident(_) | EventKind::Pooler(_) => None,
        };
        let Some((condition, known)) = self.failed(event, sql, normalizer, verdicts) else { return true };
        match event.kind {
            EventKind::Execution { .. } => {
                left_out.executions[condition as usize] += 1;
                left_out.unknown[condition as usize] += u64::from(!known);
            }
            EventKind::Error { .. } => left_out.errors += 1,
            _ => {}
        }
        false
    }

    /// The first condition that an event does not meet, and whether the log says what was asked.
    fn failed(
        &self,
        event: &Event<'_>,
        sql: Option<&[u8]>,
        normalizer: &mut Normalizer,
        verdicts: &mut Verdicts,
    ) -> Option<(Condition, bool)> {
        if self.since.is_some() || self.until.is_some() {
            let after = self.since.is_none_or(|since| event.end.is_some_and(|end| end >= since));
            let before = self.until.is_none_or(|until| event.end.is_some_and(|end| end < until));
            if !(after && before) {
                return Some((Condition::Time, event.end.is_some()));
            }
        }
        for (wanted, name, condition) in [
            (&self.databases, event.database, Condition::Database),
            (&self.users, event.user, Condition::User),
            (&self.applications, event.application, Condition::Application),
            (&self.hosts, event.host, Condition::Host),
        ] {
            let name = name.unwrap_or_default();
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted.as_bytes() == name) {
                return Some((condition, !name.is_empty()));
            }
        }
        if let Some(least) = self.min_duration
            && !matches!(event.kind, EventKind::Error { .. })
            && event.duration.is_none_or(|duration| duration < least)
        {
            return Some((Condition::Duration, event.duration.is_some()));
        }
        if self.queries.is_empty() && self.excluded.is_empty() {
            return None;
        }
        // A plan is only known by its statement inside of it, and goes to the query that has it.
        if matches!(event.kind, EventKind::Plan { .. }) {
            return None;
        }
        match sql {
            Some(sql) => (!self.admits_text(sql, normalizer, verdicts)).then_some((Condition::Query, true)),
            None => (!self.queries.is_empty()).then_some((Condition::Query, false)),
        }
    }

    /// Whether a statement's text, normalised, is wanted.
    pub(crate) fn admits_text(
        &self,
        sql: &[u8],
        normalizer: &mut Normalizer,
        verdicts: &mut Verdicts,
    ) -> bool {
        if self.queries.is_empty() && self.excluded.is_empty() {
            return true;
        }
        let id = normalizer.scan(sql).fingerprint;
        *verdicts.entry(id).or_insert_with(|| {
            let text = normalizer.text(sql);
            let matches = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(&text));
            (self.queries.is_empty() || matches(&self.queries)) && !matches(&self.excluded)
        })
    }
}

impl Condition {
    pub const ALL: [Condition; 7] = [
        Condition::Time,
        Condition::Database,
        Condition::User,
        Condition::Application,
        Condition::Host,
        Condition::Duration,
        Condition::Query,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Condition::Time => "time",
            Condition::Database => "database",
            Condition::User => "user",
            Condition::Application => "application",
            Condition::Host => "host",
            Condition::Duration => "duration",
            Condition::Query => "query",
        }
    }
}

impl LeftOut {
    pub fn merge(&mut self, other: &LeftOut) {
        for (ours, theirs) in self.executions.iter_mut().zip(other.executions) {
            *ours += theirs;
        }
        for (ours, theirs) in self.unknown.iter_mut().zip(other.unknown) {
            *ours += theirs;
        }
        self.errors += other.errors;
        self.statements += other.statements;
    }

    /// Executions that were left out in all.
    pub fn total(&self) -> u64 {
        self.executions.iter().sum()
    }
}
