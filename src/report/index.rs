//! What stands behind index advice: the frontier of size against gain, and what was thought of and left out.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::advise::{Advised, Point};

/// The search for indexes, beside the advice that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexSearch {
    /// Sets of growing size; the last one is the advice. Empty where no planner was asked.
    pub frontier: Vec<Point>,
    /// By table and keys.
    pub rejected: Vec<RejectedIndex>,
    /// Questions that the planner was asked.
    pub asked: usize,
}

/// An index that was thought of and is not advised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedIndex {
    /// `schema.table`.
    pub table: String,
    /// `CREATE INDEX …`, without a `;`.
    pub sql: String,
    pub why: String,
}

impl IndexSearch {
    pub fn new(advised: &Advised) -> IndexSearch {
        IndexSearch {
            frontier: advised
                .frontier
                .iter()
                .map(|point| Point { left: rounded(point.left * 100.0) / 100.0, ..*point })
                .collect(),
            rejected: advised
                .rejected
                .iter()
                .map(|rejected| RejectedIndex {
                    table: rejected.index.table.to_string(),
                    sql: rejected.index.create(),
                    why: rejected.why.clone(),
                })
                .collect(),
            asked: advised.asked,
        }
    }
}
