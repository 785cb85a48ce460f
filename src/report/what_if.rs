//! What `sargable explain --index … --hide …` was asked: the indexes, and what the planner makes of them.

use serde::{Deserialize, Serialize};

/// The plans themselves are the report's `plan_diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// In the order given.
    pub indexes: Vec<MadeUp>,
    /// Names of the indexes that the plan does without.
    pub hidden: Vec<String>,
}

/// An index that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeUp {
    pub sql: String,
    /// As the size model expects it.
    pub size_bytes: u64,
    /// Whether the plan has it.
    pub used: bool,
}
