//! Proposed changes, each with its proof.
//!
//! [`fn@indexes`] reads what the queries ask of the tables (`access`), makes candidates of it
//! (`candidates`), drops what exists (`existing`), has the rest costed (`costs`), picks a set
//! (`select`) and says why (`tell`). [`pool`] sizes connection pools, and
//! [`pooler`] says what to do about one whose log was read. Plain functions: the planner
//! comes in as a [`WhatIf`](crate::plan::WhatIf).

mod access;
mod candidates;
mod costs;
mod existing;
mod expressions;
mod foreign_keys;
mod indexes;
mod parts;
pub mod pool;
pub mod pooler;
mod select;
mod selectivity;
mod size;
mod tell;
mod words;

pub use indexes::{Advised, Asked, Rejected, indexes};

use serde::{Deserialize, Serialize};

use crate::catalog::IndexSpec;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
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
    pub because: String,
    /// The index that `sql` makes, for what comes after (the demo applies it).
    #[serde(skip)]
    pub index: Option<IndexSpec>,
}
