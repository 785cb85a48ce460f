//! Runs every rule over everything, counts what lacked its facts, and sorts what was found.

use rustc_hash::FxHashMap;

use super::{ALL, Detector, Facts, MigrationFacts, Report, WorkloadFacts};
use crate::{
    catalog::Catalog,
    rules::{Needs, Rule},
    sql::StatementKind,
    threads,
};

/// Applies `rules` to each query, to the schema where it is known, to migrations, and, where a log was read,
/// to the workload as a whole.
///
/// A rule that lacks a fact it needs is counted in `not_judged`, once for each query concerned. Findings
/// come out the most expensive first, then the most severe, then by rule, query and words.
pub fn run(
    rules: &[Rule],
    queries: &[Facts<'_>],
    workload: Option<&WorkloadFacts<'_>>,
    schema: Option<&Catalog>,
    migrations: &[MigrationFacts<'_>],
) -> Report {
    let detectors: FxHashMap<&str, Detector> = ALL.iter().copied().collect();
    let connected = schema.is_some();
    let version = schema.map_or(0, |catalog| catalog.version);
    let mut report = Report::default();
    let mut judged: Vec<(&Rule, OfQuery)> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.postgres.include(version)) {
        let name = rule.detector.as_deref().unwrap_or_default();
        let known = match rule.matching {
            Some(_) => Some(Detector::Query(super::matching::detect)),
            None => detectors.get(name).copied(),
        };
        let Some(detector) = known else {
            report.not_judged.add(&rule.name, format!("there is no detector `{name}`"));
            continue;
        };
        match detector {
            Detector::Query(detect) => judged.push((rule, detect)),
            Detector::Comments => {}
            Detector::Schema(detect) => match schema {
                None => report.not_judged.add("rules about a schema", NO_CATALOG),
                Some(catalog) if rule.needs.contains(&Needs::Statistics) && is_bare(catalog) => {
                    report.not_judged.add("rules about a server's statistics", NO_STATISTICS);
                }
                Some(catalog) => detect(rule, catalog, &mut report),
            },
            Detector::Migration(detect) => {
                for facts in migrations {
                    detect(rule, facts, &mut report);
                }
            }
            Detector::Workload(detect) => match workload {
                None => report.not_judged.add(&rule.name, "no log of executions"),
                Some(facts) if rule.needs.contains(&Needs::Schema) && facts.catalog.is_none() => {
                    report.not_judged.add(&rule.name, NO_SERVER);
                }
                Some(facts) => detect(rule, facts, &mut report),
            },
        }
    }
    for found in threads::in_parts(queries, AT_ONCE, |part| of_part(&judged, part, connected)) {
        report.findings.extend(found.findings);
        report.not_judged.merge(found.not_judged);
    }
    report.findings.sort_by(|a, b| {
        b.cost_ms
            .total_cmp(&a.cost_ms)
            .then_with(|| b.severity.cmp(&a.severity))
            .then_with(|| (&a.rule, &a.query, &a.at, &a.because).cmp(&(&b.rule, &b.query, &b.at, &b.because)))
    });
    report
}

type OfQuery = fn(&Rule, &Facts<'_>, &mut Report);

/// Queries that every rule has looked at before the next ones are taken: few, so that they are still at hand
/// when the next rule looks at them.
const AT_ONCE: usize = 64;

fn of_part(rules: &[(&Rule, OfQuery)], queries: &[Facts<'_>], connected: bool) -> Report {
    let mut report = Report::default();
    let queries: Vec<&Facts<'_>> = queries.iter().filter(|facts| concerns_rows(facts)).collect();
    for (rule, detect) in rules {
        let mut lacked: FxHashMap<&str, u64> = FxHashMap::default();
        for facts in &queries {
            match lacking(rule, facts, connected) {
                Some(why) => *lacked.entry(why).or_default() += 1,
                None => detect(rule, facts, &mut report),
            }
        }
        #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
        for (why, count) in lacked {
            report.not_judged.add_many(&rule.name, why, count);
        }
    }
    report
}

/// DDL text has no statistics.
fn is_bare(catalog: &Catalog) -> bool {
    catalog.version == 0
        && catalog.counted.is_none()
        && catalog.tables.iter().all(|table| table.rows.is_none() && table.activity.is_none())
}

const NO_STATISTICS: &str = "no statistics (connect with --database-url)";

/// What is about a whole workload wants the server's settings and sizes.
const NO_SERVER: &str = "no catalog (connect with --database-url)";

const NO_CATALOG: &str = "no schema (DDL files would do; or connect with --database-url)";

/// What the rule would have to know of the query. Where there is a catalog, but not for this query, the
/// query belongs to another database.
fn lacking(rule: &Rule, facts: &Facts<'_>, connected: bool) -> Option<&'static str> {
    rule.needs.iter().find_map(|need| match need {
        Needs::Syntax if facts.shape.is_none() => Some("the statement could not be parsed"),
        Needs::Schema | Needs::Statistics if facts.catalog.is_none() && connected => Some(ELSEWHERE),
        Needs::Schema | Needs::Statistics if facts.catalog.is_none() => Some(NO_CATALOG),
        Needs::Plan if facts.plan.is_none() && facts.catalog.is_none() && connected => Some(ELSEWHERE),
        Needs::Plan if facts.plan.is_none() && facts.catalog.is_none_or(|catalog| catalog.version == 0) => {
            Some("no plan (connect with --database-url)")
        }
        Needs::Plan if facts.plan.is_none() => Some("no plan of this query"),
        _ => None,
    })
}

const ELSEWHERE: &str = "the query ran in another database than the connected one";

/// Transaction control, SET, DDL and SELECT without FROM have nothing that a rule could judge.
fn concerns_rows(facts: &Facts<'_>) -> bool {
    match facts.query.kind {
        StatementKind::Begin | StatementKind::Commit | StatementKind::Rollback | StatementKind::Utility => {
            false
        }
        _ => facts.shape.is_none_or(|shape| shape.blocks.iter().any(|block| !block.tables.is_empty())),
    }
}
