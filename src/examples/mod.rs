//! A rule's examples, run: the same for the tests of the built-in rules and for `sargable rules test`.
//!
//! In: rules and one [`Example`]. Out: what the rules say of it, or [`Complaint`]s where that is not what the
//! example promises. Reads no files: who calls gives the plans.

mod facts;
mod judge;
mod log;

use rustc_hash::FxHashMap;

pub use judge::{Complaint, Wrong, complaints, edges, without_edge};

use crate::{
    catalog::Catalog,
    detect::{self, Detector, Facts, MigrationFacts, PlanFacts, PlanOrigin, Report, WorkloadFacts},
    finding::Location,
    lint,
    plan::Plan,
    rules::{Example, Needs, Rule},
    sql::{Fingerprint, Normalizer, Shape, parse, split},
    workload::{Origin, Repetition, Script, Statement, Workload},
};

/// What examples are run with.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// Every rule that there is: a comment may allow any of them.
    pub known: &'a [Rule],
    /// Gives the plan that an example names, or says why there is none.
    pub plan: &'a dyn Fn(&str) -> Result<Plan, String>,
}

/// The file that an example's statement is in.
const FILE: &str = "example.sql";

/// Applies rules to one example.
///
/// Errors: what is wrong with the example itself.
pub fn run(rules: &[Rule], example: &Example, bench: &Bench<'_>) -> Result<Report, String> {
    let catalog = facts::catalog(example)?;
    let mut normalizer = Normalizer::default();
    let sql = &log::of_unit(example.sql.trim(), 1);
    let workload = workload(example, sql, &mut normalizer)?;

    let id = normalizer.scan(sql.as_bytes()).fingerprint;
    let mut shapes: FxHashMap<Fingerprint, Shape> = FxHashMap::default();
    for sql in example.log.iter().flat_map(|part| &part.sql) {
        let sql = log::of_unit(sql, 1);
        // Among a log's statements are some that have no shape.
        if let Ok(shape) = shape(&sql, catalog.as_ref()) {
            shapes.insert(normalizer.scan(sql.as_bytes()).fingerprint, shape);
        }
    }
    if !sql.is_empty() {
        shapes.insert(id, shape(sql, catalog.as_ref())?);
    }
    let mut repetitions: Vec<Repetition> = Vec::new();
    if let Some(repeats) = &example.repeats {
        let mut parent = None;
        if let Some(sql) = &repeats.parent {
            let id = normalizer.scan(sql.as_bytes()).fingerprint;
            shapes.insert(id, shape(sql, catalog.as_ref())?);
            parent = Some(id);
        }
        repetitions.push(facts::repetition(repeats, id, parent));
    }
    let plan = example.plan.as_ref().map(|name| (bench.plan)(name)).transpose()?;
    let units = example.log.iter().any(|part| part.transaction);
    let queries: Vec<Facts<'_>> = workload
        .query(id)
        .filter(|_| example.repeats.is_none() && !units && !sql.is_empty())
        .map(|query| Facts {
            query,
            shape: shapes.get(&id),
            plan: plan.as_ref().map(|plan| PlanFacts {
                plan,
                origin: if plan.root.actual.is_some() { PlanOrigin::Analyzed } else { PlanOrigin::Planned },
            }),
            catalog: catalog.as_ref(),
        })
        .into_iter()
        .collect();
    let whole = WorkloadFacts {
        workload: &workload,
        repetitions: &repetitions,
        concurrency: workload.concurrency(),
        shapes: &shapes,
        catalog: catalog.as_ref(),
    };
    let logged =
        workload.totals().executions > 0 || !repetitions.is_empty() || !example.server_log.is_empty();
    let read = example.migration.as_ref().map(|text| facts::migrations(example, text)).unwrap_or_default();
    let migrations: Vec<MigrationFacts<'_>> =
        read.iter().map(|migration| MigrationFacts { migration, server: None }).collect();
    // A migration changes the catalog: it is not judged as one that stays.
    let schema = catalog.as_ref().filter(|_| example.migration.is_none());
    let apply = |rules: &[Rule]| detect::run(rules, &queries, logged.then_some(&whole), schema, &migrations);
    if rules.iter().any(about_comments) {
        // What a comment allows is known when every rule was applied.
        return Ok(linted(rules, sql, &workload, bench, apply(bench.known)));
    }
    Ok(apply(rules))
}

/// Everything that the example executes, and its statement.
fn workload(example: &Example, sql: &str, normalizer: &mut Normalizer) -> Result<Workload, String> {
    if !example.server_log.is_empty() {
        return log::server(&example.server_log);
    }
    let mut workload = Workload::at_start();
    if let Some(binds) = &example.binds {
        log::bound(sql, binds, &mut workload, normalizer);
    } else {
        let first = split::statements(sql).first().cloned().unwrap_or(0..sql.len());
        let (line, column) = split::position(sql, first.start);
        let at = Location { file: FILE.to_owned(), line, column };
        workload.add_statement(
            Statement { text: sql[first].to_owned(), at, from: Origin::Script, one_row: false },
            normalizer,
        );
    }
    log::busy(example.busy.unwrap_or(0), &mut workload, normalizer);
    log::executions(&example.log, &mut workload, normalizer);
    workload.close();
    Ok(workload)
}

fn shape(sql: &str, catalog: Option<&Catalog>) -> Result<Shape, String> {
    let mut shape = parse::parse(sql).map_err(|err| format!("it does not parse: {}", err.why))?;
    if let Some(catalog) = catalog {
        shape.resolve(|table, column| catalog.has_column(table, column));
    }
    Ok(shape)
}

fn about_comments(rule: &Rule) -> bool {
    let comments = |(name, kind): &(&str, Detector)| {
        Some(*name) == rule.detector.as_deref() && matches!(kind, Detector::Comments)
    };
    detect::ALL.iter().any(comments)
}

/// What the lint step leaves of the findings, and adds.
fn linted(rules: &[Rule], sql: &str, workload: &Workload, bench: &Bench<'_>, mut report: Report) -> Report {
    let scripts = [Script::new(FILE.to_owned(), sql.to_owned(), split::statements(sql))];
    let judged = |_: &str, name: &str| {
        let rule = bench.known.iter().find(|rule| rule.name == name)?;
        (rule.needs == [Needs::Syntax]).then(|| rule.clone())
    };
    let job = lint::Job {
        workload,
        scripts: &scripts,
        known: bench.known,
        judged: &judged,
        parsed: &|_| true,
        changed: None,
        baseline: None,
        links: &lint::Links::default(),
        min_share: None,
    };
    let placed = lint::place(&report.findings, workload, &scripts);
    report.findings = lint::check(&job, placed).0;
    report.findings.retain(|finding| rules.iter().any(|rule| rule.name == finding.rule));
    report
}
