//! What a run found, as one data structure that every output format renders.
//!
//! In come the workload, the findings, the advice and what could not be judged; out goes a [`Report`],
//! whose serialised form is the JSON report (`docs/json-report.md`, `docs/report.schema.json`). All
//! units, roundings and orders are decided here, so that two formats never disagree.
//!
//! **Invariant:** a report holds no literal of the user's data beyond what a finding quotes: query
//! texts are normalised, and of a line that was not understood it keeps the place, not the text.
//!
//! Deliberately not here: where the report goes (a file, a terminal), which is the command line's part.

pub mod figures;
pub mod formats;
pub mod incidents;
pub mod index;
pub mod inputs;
pub mod json;
pub mod migration;
pub mod patch;
pub mod plan_diff;
pub mod plan_tree;
pub mod pooler;
pub mod queries;
pub mod rules;
pub mod slo;
pub mod text;
pub mod totals;
pub mod verify;
pub mod what_if;

use std::collections::BTreeMap;

use incidents::Incidents;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::figures::{Parts, Timeline};
pub use self::{
    figures::Latency,
    inputs::Input,
    queries::{Order, Query, Ranking},
    totals::{Other, Totals},
};
use crate::{
    advise::{Advice, AdviceKind},
    error::{NotJudged, NotJudgedLine},
    finding::{Code, Finding, Severity},
    lint::Checked,
    rules::Rule,
    workload::{Condition, InputSummary, LeftOut, Workload},
};

/// The contract's name and version: keys may be added, none is renamed, removed or given another unit.
pub const SCHEMA: &str = "sargable.report/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// In the order given.
    pub inputs: Vec<Input>,
    pub totals: Totals,
    /// The most expensive first.
    pub queries: Vec<Query>,
    /// The most expensive first; at equal cost the most severe.
    pub findings: Vec<Finding>,
    /// What saves the most time first.
    pub advice: Vec<Advice>,
    pub not_judged: Vec<NotJudgedLine>,
    /// What the server's log tells besides statements.
    #[serde(default)]
    pub incidents: Incidents,
    /// The search that index advice came of; `None` unless that was asked for.
    #[serde(default)]
    pub index: Option<index::IndexSearch>,
    /// What `--verify` measured; `None` unless that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<verify::Verification>,
    /// What a connection pooler's log told; `None` without one.
    #[serde(default)]
    pub pooler: Option<pooler::Pooler>,
    /// Waits for a connection of the application's own pool, the longest in all first.
    #[serde(default)]
    pub pool_waits: Vec<pooler::PoolWaits>,
    /// What to do about connection pools, the most urgent first.
    #[serde(default)]
    pub pool_advice: Vec<pooler::Advice>,
    /// The words of the rules that `findings` names, by the rule's name.
    #[serde(default)]
    pub rules: BTreeMap<String, RuleWords>,
    /// By who sent it.
    #[serde(default)]
    pub parts: Parts,
    #[serde(default)]
    pub timeline: Timeline,
    /// What was asked for and whether it is met, in the order given.
    #[serde(default)]
    pub slo: Vec<slo::Verdict>,
    /// `None` when everything counts.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// What the lint step did besides finding; only in its own reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Checked>,
    /// How the queries are ranked where they are shown.
    #[serde(skip)]
    pub ranking: Ranking,
    /// How much of what was read was judged; `None` where statements are not judged at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// EXPLAIN (FORMAT JSON) as the server gave it, when the run was about one statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Value>,
    /// The same plan node by node, with what was found of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_tree: Option<plan_tree::PlanTree>,
    /// The plan as it is, and as the planner says that it would be with the advised indexes, or those of `what_if`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_diff: Option<plan_diff::PlanDiff>,
    /// The indexes that `plan_diff` adds and takes away, where a person named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_if: Option<what_if::Answer>,
}

/// What counts, and what therefore does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// As they were given: `--user app`.
    pub conditions: Vec<String>,
    /// Executions that were left out.
    pub executions: u64,
    /// By the first condition that each failed: `time`, `database`, `user`, `application`, `host`,
    /// `duration`, `query`; only those that left something out.
    pub by_condition: BTreeMap<String, u64>,
    /// Errors that were left out.
    pub errors: u64,
    /// Statements of SQL files that were left out.
    pub statements: u64,
}

/// How far the distinct statements came; the next is never more than the one before, but for plans of
/// statements that a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub read: u64,
    /// Understood: queries and writes as a whole, tables' and indexes' DDL, and of other commands that
    /// they are one.
    pub parsed: u64,
    /// Judged with the tables' columns and indexes known.
    pub with_schema: u64,
    /// Judged with the planner's plan.
    pub planned: u64,
}

/// A rule in words, for readers that do not have the rules at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleWords {
    pub code: Code,
    pub title: String,
    pub why: String,
}

impl Report {
    /// What holds for everything that a snapshot tells, such as that its statistics are assumed.
    pub fn of_snapshot(&self) -> impl Iterator<Item = String> {
        let lines = self.not_judged.iter().filter(|line| line.what == "snapshot");
        lines.map(|line| format!("snapshot: {}", line.why))
    }

    pub fn new(
        inputs: &[InputSummary],
        workload: &Workload,
        findings: Vec<Finding>,
        advice: Vec<Advice>,
        not_judged: &NotJudged,
    ) -> Report {
        let queries =
            workload.ranked().into_iter().map(|one| queries::query(one, inputs, workload)).collect();
        Report { queries, ..Report::without_queries(inputs, workload, findings, advice, not_judged) }
    }

    /// For pages that name no query but by its place in a file, of which there may be hundreds of thousands.
    pub fn without_queries(
        inputs: &[InputSummary],
        workload: &Workload,
        mut findings: Vec<Finding>,
        mut advice: Vec<Advice>,
        not_judged: &NotJudged,
    ) -> Report {
        for finding in &mut findings {
            finding.cost_ms = rounded(finding.cost_ms);
        }
        findings.sort_by(|a, b| {
            (b.cost_ms.total_cmp(&a.cost_ms))
                .then_with(|| b.severity.cmp(&a.severity))
                .then_with(|| (a.code, &a.query, &a.at).cmp(&(b.code, &b.query, &b.at)))
                .then_with(|| a.because.cmp(&b.because))
        });
        for one in &mut advice {
            for figure in [&mut one.cost_before, &mut one.cost_after, &mut one.ms_before, &mut one.ms_after] {
                *figure = figure.map(rounded);
            }
            for gain in &mut one.gains {
                gain.cost_before = rounded(gain.cost_before);
                gain.cost_after = rounded(gain.cost_after);
            }
        }
        advice.sort_by(|a, b| {
            // An extension comes before the index that needs it.
            let first = |one: &Advice| one.kind != AdviceKind::CreateExtension;
            (first(a).cmp(&first(b)))
                .then_with(|| saved_ms(b).total_cmp(&saved_ms(a)))
                .then_with(|| (a.kind, &a.table, &a.sql).cmp(&(b.kind, &b.table, &b.sql)))
        });
        Report {
            schema: SCHEMA.to_owned(),
            inputs: inputs.iter().map(inputs::input).collect(),
            totals: totals::totals(workload),
            queries: Vec::new(),
            findings,
            advice,
            not_judged: not_judged.lines(),
            incidents: incidents::incidents(workload, inputs),
            pooler: pooler::pooler(workload),
            pool_waits: pooler::pool_waits(workload),
            pool_advice: pooler::pool_advice(workload),
            rules: BTreeMap::new(),
            parts: figures::parts(workload),
            timeline: figures::timeline(workload),
            slo: Vec::new(),
            filter: None,
            check: None,
            ranking: Ranking::default(),
            coverage: None,
            plan: None,
            index: None,
            verification: None,
            plan_tree: None,
            plan_diff: None,
            what_if: None,
        }
    }

    /// Adds the words of those rules that the findings name.
    pub fn describe(&mut self, rules: &[Rule]) {
        for rule in rules {
            if self.findings.iter().any(|finding| finding.rule == rule.name) {
                let words = RuleWords { code: rule.code, title: rule.title.clone(), why: rule.why.clone() };
                self.rules.insert(rule.name.clone(), words);
            }
        }
    }

    /// Ranks the queries; equal ones stay in the order of their total time.
    pub fn rank(&mut self, ranking: Ranking) {
        self.ranking = ranking;
        let key = |query: &Query| -> Option<f64> {
            match ranking.by {
                Order::Total => Some(query.total_ms),
                Order::Calls => Some(query.calls as f64),
                Order::Mean => query.mean_ms,
                Order::P95 => query.p95_ms,
                Order::P99 => query.p99_ms,
                Order::Max => query.max_ms,
                Order::Rows => query.rows.map(|rows| rows as f64),
                Order::Errors => Some(query.errors as f64),
            }
        };
        self.queries.sort_by(|a, b| key(b).unwrap_or(-1.0).total_cmp(&key(a).unwrap_or(-1.0)));
    }

    /// Says what did not count.
    pub fn filtered(&mut self, conditions: Vec<String>, left_out: &LeftOut) {
        let by_condition = Condition::ALL
            .into_iter()
            .map(|condition| (condition, left_out.executions[condition as usize]))
            .filter(|(_, executions)| *executions > 0)
            .map(|(condition, executions)| (condition.name().to_owned(), executions));
        self.filter = Some(Filter {
            conditions,
            executions: left_out.total(),
            by_condition: by_condition.collect(),
            errors: left_out.errors,
            statements: left_out.statements,
        });
    }

    /// Whether an objective was missed: the run then ends with exit code 1.
    pub fn misses_an_objective(&self) -> bool {
        self.slo.iter().any(|verdict| verdict.met == Some(false))
    }

    /// The highest severity among the findings; `None` when there are none.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether a finding is as severe as `threshold` or more: the run then ends with exit code 1.
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.worst() >= Some(threshold)
    }
}

/// Milliseconds of the workload that a piece of advice saves; 0 when that is not known.
pub(crate) fn saved_ms(advice: &Advice) -> f64 {
    match (advice.ms_before, advice.ms_after) {
        (Some(before), Some(after)) => (before - after).max(0.0),
        _ => 0.0,
    }
}

/// Microseconds to milliseconds: exact, since three decimals hold them.
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// To three decimals, so that the last bit of a sum does not show; 0 for what is no number.
fn rounded(value: f64) -> f64 {
    if value.is_finite() { (value * 1000.0).round() / 1000.0 } else { 0.0 }
}

/// RFC 3339 in UTC; fractions are cut, not rounded, as `%t` does.
fn whole_seconds(us: i64) -> Option<String> {
    Some(Timestamp::from_second(us.div_euclid(1_000_000)).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lose_their_fraction_and_nothing_else() {
        for (us, expect) in [
            (1_795_406_971_530_999, "2026-11-23T04:09:31Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(whole_seconds(us).as_deref(), Some(expect));
        }
        assert_eq!(whole_seconds(i64::MAX), None, "a year that no calendar has");
    }

    #[test]
    fn microseconds_are_exact_in_milliseconds() {
        assert_eq!(serde_json::json!(ms(123_456_789_012_345)).to_string(), "123456789012.345");
        assert_eq!(serde_json::json!(rounded(0.1 + 0.2)).to_string(), "0.3");
        assert_eq!(rounded(f64::NAN).to_string(), "0");
    }
}
