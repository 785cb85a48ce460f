//! What one unit of work did again and again: N+1 and its look-alikes.

use crate::sql::Fingerprint;

/// How a unit of work was told apart, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// One trace id.
    Trace,
    /// One request or job tag.
    Tag,
    /// One explicit transaction of one session.
    Transaction,
    /// Statements of one session with no pause between them.
    Burst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepetitionKind {
    /// The same SELECT for many values.
    NPlusOne,
    /// The same SELECT for the same values.
    Duplicate,
    /// The same INSERT, UPDATE or DELETE for many values.
    WriteLoop,
}

/// One query repeated in units of work, over the whole log.
#[derive(Clone, Debug, PartialEq)]
pub struct Repetition {
    pub kind: RepetitionKind,
    pub child: Fingerprint,
    /// The query that ran before the first repeat in most units, where one did.
    pub parent: Option<Fingerprint>,
    pub evidence: Evidence,
    /// Units that show it.
    pub units: u64,
    /// Repeats in all of them together, and in a unit.
    pub repeats: u64,
    pub min_repeats: u64,
    pub median_repeats: u64,
    pub max_repeats: u64,
    /// Sum over the units of the distinct values in each.
    pub distinct_values: u64,
    /// Microseconds of all repeats.
    pub total_us: u64,
    /// The most expensive first.
    pub occurrences: Vec<Occurrence>,
}

/// One unit of work that shows a repetition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// When its first and last repeat ended: microseconds since 1970.
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// Process ids.
    pub sessions: Vec<u32>,
    pub repeats: u64,
    pub distinct_values: u64,
    /// Microseconds.
    pub total_us: u64,
}
