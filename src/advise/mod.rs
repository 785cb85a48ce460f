//! Proposed changes, each with its proof.
//!
//! [`fn@indexes`] reads what the queries ask of the tables (`access`), makes candidates of it
//! (`candidates`), drops what exists (`existing`), has the rest costed (`costs`), picks a set
//! (`search`) and says why (`tell`). [`pool`] sizes connection pools, and
//! [`pooler`] says what to do about one whose log was read. Plain functions: the planner
//! comes in as a [`WhatIf`](crate::plan::WhatIf).

mod access;
mod append_only;
mod candidates;
mod costs;
mod drops;
mod effort;
mod existing;
mod expressions;
mod foreign_keys;
mod indexes;
mod inverted;
mod name;
mod parts;
mod patterns;
pub mod pool;
pub mod pooler;
mod rent;
mod search;
mod selectivity;
mod tell;
mod words;

pub use drops::{drops, statements as drop_statements};
pub use indexes::{Advised, Asked, Rejected, indexes};
pub use search::{Budget, Point};

use serde::{Deserialize, Serialize};

use crate::catalog::IndexSpec;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
    /// CREATE EXTENSION, which an operator class of the next change comes with.
    CreateExtension,
    CreateIndex,
    DropIndex,
    Rewrite,
    Setting,
    Pool,
}

/// How far the advice is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Nothing could cost it; `because` says why.
    Unverified,
    /// The planner, told of the index, takes it and says that it costs less.
    Planned,
    /// Applied and measured.
    Verified,
}

/// What one query gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Its fingerprint, in hex.
    pub query: String,
    /// Planner cost of one call, before and with all the advised indexes.
    pub cost_before: f64,
    pub cost_after: f64,
    /// Milliseconds of one call, measured on a scratch server without and with the indexes; `None` where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_before: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_after: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    pub kind: AdviceKind,
    /// What to run, without a `;`.
    pub sql: String,
    /// `schema.table`; `None` for settings and pools.
    pub table: Option<String>,
    /// Fingerprints of the queries it serves, in hex, the most expensive first.
    pub serves: Vec<String>,
    pub proof: Proof,
    /// Planner cost of the served queries together, each weighted by its calls.
    pub cost_before: Option<f64>,
    pub cost_after: Option<f64>,
    /// Milliseconds of the workload: measured before, estimated or measured after.
    pub ms_before: Option<f64>,
    pub ms_after: Option<f64>,
    pub size_bytes: Option<u64>,
    /// Its size where it was really built, on a scratch server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_bytes: Option<u64>,
    pub because: String,
    /// What undoes it, without a `;`.
    #[serde(default)]
    pub rollback: Option<String>,
    /// The lock that it takes, and what goes on beside it.
    #[serde(default)]
    pub lock: Option<String>,
    /// What each query gains, as in `serves`.
    #[serde(default)]
    pub gains: Vec<Gain>,
    /// The index that `sql` makes, for what comes after (the demo applies it).
    #[serde(skip)]
    pub index: Option<IndexSpec>,
}

impl Advice {
    /// A change of which nothing but this is known.
    pub fn of(kind: AdviceKind, sql: String, because: String) -> Advice {
        Advice {
            kind,
            sql,
            table: None,
            serves: Vec::new(),
            proof: Proof::Unverified,
            cost_before: None,
            cost_after: None,
            ms_before: None,
            ms_after: None,
            size_bytes: None,
            built_bytes: None,
            because,
            rollback: None,
            lock: None,
            gains: Vec::new(),
            index: None,
        }
    }
}
