//! Detectors: pure functions from [`Facts`] to findings, one file each.
//!
//! Adding a rule means one file in `rules/`, one file here, and one line in [`ALL`]. [`run()`] applies
//! them all. What several detectors share stands in `access` (what a statement asks of a table),
//! `index_use` (which index serves that), `keys` (which columns pin a row), `estimate` (rows by statistics),
//! `look_alike`, `link`, `loops` and
//! `repeated` (what one unit of work did again and again), `log_limits` (what the log lacks for that),
//! `rewrite` (SQL text from a Shape) and `words`.
//!
//! **Invariant:** no finding shows what a statement compares with; values stay in the log. Only the numbers
//! of LIMIT and OFFSET, and constants inside an expression that an index would be made of, are named.

mod access;
mod cache;
mod chatter;
mod count_then_page;
mod duplicate_query;
mod estimate;
mod incidents;
mod index_order;
mod index_use;
mod join;
mod keys;
mod link;
mod lock_statements;
mod log_limits;
mod look_alike;
mod loops;
mod matching;
mod migration;
mod missing_index;
mod n_plus_one;
mod plans;
mod pool_size;
mod predicate;
mod repeated;
mod result_size;
mod rewrite;
mod row_locks;
mod run;
mod schema;
mod select_star;
mod select_then_insert;
mod seq_scan;
mod session_state;
mod sorting;
mod subquery;
mod table;
mod unbounded_select;
mod waterfall;
mod words;
mod write_loop;
mod writes;

pub use migration::MigrationFacts;
pub use run::run;
pub use table::ALL;

use crate::{
    catalog::Catalog,
    error::NotJudged,
    finding::{Confidence, Finding},
    names::RelName,
    plan::Plan,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, TableSource},
    },
    workload::{Concurrency, Query, Repetition, Workload},
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
    /// A person gave it.
    Pasted,
}

/// The whole workload with what is known of it, for rules about more than one query.
#[derive(Clone, Copy, Debug)]
pub struct WorkloadFacts<'a> {
    pub workload: &'a Workload,
    pub repetitions: &'a [Repetition],
    /// As [`Workload::concurrency`] gives it.
    pub concurrency: Option<Concurrency>,
    /// A log told of executions.
    pub logged: bool,
    /// By fingerprint, for every query that parsed.
    pub shapes: &'a rustc_hash::FxHashMap<crate::sql::Fingerprint, Shape>,
    pub catalog: Option<&'a Catalog>,
}

/// What a detector does: push what it finds; what it could not judge goes to `not_judged`.
#[derive(Clone, Copy, Debug)]
pub enum Detector {
    Query(fn(&Rule, &Facts<'_>, &mut Report)),
    /// Of any statement, also of those that neither read nor write rows.
    Statement(fn(&Rule, &Query, Option<&Shape>, &mut Report)),
    /// Of tables and indexes, whatever queries there are.
    Schema(fn(&Rule, &Catalog, &mut Report)),
    /// Of one file's DDL, where it changes tables that others made.
    Migration(fn(&Rule, &MigrationFacts<'_>, &mut Report)),
    Workload(fn(&Rule, &WorkloadFacts<'_>, &mut Report)),
    /// Of the comments that allow a rule: `lint` judges these, when it knows what was found.
    Comments,
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub findings: Vec<Finding>,
    pub not_judged: NotJudged,
}

impl Facts<'_> {
    /// A finding about this query; `because` and `instead` are this case's own words.
    fn finding(&self, rule: &Rule, confidence: Confidence, because: String, instead: String) -> Finding {
        Finding {
            query: Some(self.query.id.to_string()),
            at: self.query.statements.iter().min().cloned(),
            because,
            instead,
            cost_ms: self.query.total_ms(),
            ..blank(rule, confidence)
        }
    }
}

/// A finding of the rule that does not yet say why: about the whole workload, at no cost and no place, with the
/// rule's own remedy.
fn blank(rule: &Rule, confidence: Confidence) -> Finding {
    Finding {
        rule: rule.name.clone(),
        code: rule.code,
        severity: rule.severity,
        confidence,
        query: None,
        at: None,
        span: None,
        region: None,
        node: None,
        because: String::new(),
        instead: rule.instead.trim().to_owned(),
        fix: None,
        query_name: None,
        cost_ms: 0.0,
        detail: serde_json::Map::new(),
    }
}

/// A place in the statement, unless nobody knows it.
fn known(at: &std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
    (!at.is_empty()).then(|| at.clone())
}

impl PlanFacts<'_> {
    /// How sure the plan's numbers make a finding.
    fn confidence(&self) -> Confidence {
        if self.plan.root.actual.is_some() { Confidence::Measured } else { Confidence::Planned }
    }

    /// Whether the plan reads the table from end to end: under its name, or as a partition of it.
    fn scans(&self, table: &RelName, alias: &str) -> bool {
        self.plan.nodes().iter().any(|node| {
            node.node_type == "Seq Scan"
                && (node.relation.as_ref().is_some_and(|relation| relation.name == table.name)
                    || node.alias.as_deref().is_some_and(|own| is_partition_alias(own, alias)))
        })
    }

    fn sorts(&self) -> bool {
        self.plan.nodes().iter().any(|node| node.node_type.ends_with("Sort"))
    }
}

/// The planner calls the partitions of `o` `o_1`, `o_2` …
fn is_partition_alias(own: &str, alias: &str) -> bool {
    own.strip_prefix(alias)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A table of the server's own: what it holds is not the application's workload.
fn is_system(name: &RelName) -> bool {
    matches!(name.schema.as_deref(), Some("pg_catalog" | "information_schema"))
        || name.schema.is_none() && name.name.starts_with("pg_")
}

fn reads_system(block: &Block) -> bool {
    block.tables.iter().any(|table| matches!(&table.source, TableSource::Table(name) if is_system(name)))
}
