//! Figures of the whole workload, counted as executions come.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::sql::StatementKind;

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
    /// Executions that a server counted, and no log tells of: whether others failed is not known.
    #[serde(default)]
    pub counted: u64,
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

impl Totals {
    pub(super) fn count(&mut self, event: &Event<'_>, kind: StatementKind) {
        self.executions += 1;
        self.total_us += event.duration.unwrap_or(0);
        *self.by_kind.of(kind) += 1;
        if let Some(end) = event.end {
            self.first = Some(self.first.map_or(end, |first| first.min(end)));
            self.last = Some(self.last.map_or(end, |last| last.max(end)));
        }
    }

    pub(super) fn merge(&mut self, other: &Totals) {
        self.executions += other.executions;
        self.total_us += other.total_us;
        self.errors += other.errors;
        self.parse_bind_us += other.parse_bind_us;
        self.parse_bind_steps += other.parse_bind_steps;
        self.counted += other.counted;
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
    pub(super) fn of(&mut self, kind: StatementKind) -> &mut u64 {
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
