//! Detectors: pure functions from [`Facts`] to findings, one file each.
//!
//! Adding a rule means one file in `rules/`, one file here, and one line in [`ALL`].

use crate::{
    catalog::Catalog,
    error::NotJudged,
    finding::Finding,
    plan::Plan,
    rules::Rule,
    sql::Shape,
    workload::{Query, Repetition, Workload},
};

/// One query with what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub query: &'a Query,
    /// Its columns are resolved with the catalog where there is one. `None` when it did not parse.
    pub shape: Option<&'a Shape>,
    pub plan: Option<PlanFacts<'a>>,
    pub catalog: Option<&'a Catalog>,
}

#[derive(Clone, Copy, Debug)]
pub struct PlanFacts<'a> {
    pub plan: &'a Plan,
    /// Where the plan comes from.
    pub origin: PlanOrigin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanOrigin {
    /// EXPLAIN ANALYZE by us: actual rows and times are real.
    Analyzed,
    /// EXPLAIN by us, with real values.
    Planned,
    /// EXPLAIN by us without values (generic plan).
    Generic,
    /// `auto_explain` in the log.
    Logged,
}

/// The whole workload with what is known of it, for rules about more than one query.
#[derive(Clone, Copy, Debug)]
pub struct WorkloadFacts<'a> {
    pub workload: &'a Workload,
    pub repetitions: &'a [Repetition],
    /// By fingerprint, for every query that parsed.
    pub shapes: &'a rustc_hash::FxHashMap<crate::sql::Fingerprint, Shape>,
    pub catalog: Option<&'a Catalog>,
}

/// What a detector does: push what it finds; what it could not judge goes to `not_judged`.
#[derive(Clone, Copy, Debug)]
pub enum Detector {
    OfQuery(fn(&Rule, &Facts<'_>, &mut Report)),
    OfWorkload(fn(&Rule, &WorkloadFacts<'_>, &mut Report)),
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub findings: Vec<Finding>,
    pub not_judged: NotJudged,
}

/// Every detector, by the name that its rule's YAML file uses.
pub const ALL: &[(&str, Detector)] = &[];
