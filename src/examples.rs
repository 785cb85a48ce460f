//! A rule's examples, run: the same for the tests of the built-in rules and for `sargable rules test`.
//!
//! In: rules and one [`Example`]. Out: what the rules say of it, or [`Complaint`]s where that is not what the
//! example promises. Reads no files: who calls gives the plans.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::{
    catalog::{Catalog, ColumnStatistics},
    detect::{self, Facts, PlanFacts, PlanOrigin, Report, WorkloadFacts},
    finding::{Finding, Location},
    plan::Plan,
    rules::{Example, ExampleRepeats, ExampleRepetition, Rule},
    sources::ddl,
    sql::{Fingerprint, Normalizer, Shape, parse},
    workload::{
        Binds, Event, EventKind, Evidence, Occurrence, Position, Repetition, RepetitionKind, Statement,
        Workload,
    },
};

/// Gives the plan that an example names, or says why there is none.
pub type Plans<'a> = &'a dyn Fn(&str) -> Result<Plan, String>;

/// Applies rules to one example; the error says what is wrong with the example itself.
pub fn run(rules: &[Rule], example: &Example, plans: Plans<'_>) -> Result<Report, String> {
    let catalog = catalog(example)?;
    let mut normalizer = Normalizer::default();
    let mut workload = Workload::at_start();
    let sql = example.sql.trim();
    if let Some(binds) = &example.binds {
        let values: Vec<String> =
            binds.iter().enumerate().map(|(at, value)| format!("${} = '{value}'", at + 1)).collect();
        let values = values.join(", ");
        let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Postgres(values.as_bytes()) };
        workload.add(&event(kind, 1, 1_000, 500), &mut normalizer);
    } else {
        let at = Location { file: "example.sql".to_owned(), line: 1, column: 1 };
        workload.add_statement(Statement { text: sql.to_owned(), at }, &mut normalizer);
    }
    for session in 1..=example.busy.unwrap_or(0) {
        let kind = EventKind::Execution { sql: b"SELECT 1", binds: Binds::Unknown };
        workload.add(&event(kind, session, 1_767_225_600_500_000, 200_000), &mut normalizer);
    }
    workload.close();

    let id = normalizer.scan(sql.as_bytes()).fingerprint;
    let mut shapes: FxHashMap<Fingerprint, Shape> = FxHashMap::default();
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
        repetitions.push(repetition(repeats, id, parent));
    }
    let plan = example.plan.as_ref().map(|name| plans(name)).transpose()?;
    let facts: Vec<Facts<'_>> = workload
        .query(id)
        .filter(|_| example.repeats.is_none() && !sql.is_empty())
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
    let logged = workload.totals().executions > 0 || !repetitions.is_empty();
    Ok(detect::run(rules, &facts, logged.then_some(&whole), catalog.as_ref()))
}

fn event(kind: EventKind<'_>, session: u32, end: i64, duration: u64) -> Event<'_> {
    Event {
        end: Some(end),
        duration: Some(duration),
        session: Some(session),
        ..Event::new(kind, Position::default())
    }
}

fn shape(sql: &str, catalog: Option<&Catalog>) -> Result<Shape, String> {
    let mut shape = parse::parse(sql).map_err(|err| format!("it does not parse: {}", err.why))?;
    if let Some(catalog) = catalog {
        shape.resolve(|table, column| {
            catalog.table(table).is_some_and(|table| table.column(column).is_some())
        });
    }
    Ok(shape)
}

fn catalog(example: &Example) -> Result<Option<Catalog>, String> {
    if example.schema.is_none() && example.settings.is_empty() {
        return Ok(None);
    }
    let read = ddl::read(example.schema.as_deref().unwrap_or_default());
    if let Some(skipped) = read.skipped.first() {
        return Err(format!("its schema cannot be read: {skipped}"));
    }
    let mut catalog = read.catalog;
    catalog.settings.0.clone_from(&example.settings);
    let mut unused: BTreeSet<&String> = example.rows.keys().chain(example.statistics.keys()).collect();
    for table in &mut catalog.tables {
        if let Some((name, rows)) = example.rows.get_key_value(&table.name.name) {
            table.rows = Some(*rows);
            unused.remove(name);
        }
        for column in &mut table.columns {
            let name = format!("{}.{}", table.name.name, column.name);
            let Some(known) = example.statistics.get(&name) else { continue };
            unused.remove(&name);
            column.statistics = Some(ColumnStatistics {
                null_fraction: known.nulls,
                average_width: known.width,
                distinct: known.distinct,
                common: known.common.clone(),
                correlation: None,
                histogram: Vec::new(),
            });
        }
    }
    match unused.first() {
        Some(name) => Err(format!("nothing in its schema is called `{name}`")),
        None => Ok(Some(catalog)),
    }
}

fn repetition(repeats: &ExampleRepeats, child: Fingerprint, parent: Option<Fingerprint>) -> Repetition {
    let total_us = repeats.milliseconds * 1000;
    Repetition {
        kind: match repeats.kind {
            ExampleRepetition::NPlusOne => RepetitionKind::NPlusOne,
            ExampleRepetition::Duplicate => RepetitionKind::Duplicate,
            ExampleRepetition::WriteLoop => RepetitionKind::WriteLoop,
        },
        child,
        parent,
        evidence: Evidence::Transaction,
        units: repeats.units,
        units_by_evidence: BTreeMap::from([(Evidence::Transaction, repeats.units)]),
        repeats: repeats.times * repeats.units,
        min_repeats: repeats.times,
        median_repeats: repeats.times,
        max_repeats: repeats.times,
        distinct_values: repeats.values * repeats.units,
        sizes: 0,
        total_us,
        occurrences: vec![Occurrence {
            start: Some(1_767_225_600_250_000),
            end: Some(1_767_225_601_750_000),
            sessions: vec![812],
            repeats: repeats.times,
            distinct_values: repeats.values,
            total_us: total_us / repeats.units,
        }],
    }
}

/// An example that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    pub what: Wrong,
    /// Of the bad examples, or of the good ones.
    pub bad: bool,
    /// Position among them.
    pub at: usize,
    pub sql: String,
    /// What a bad example promises.
    pub promised: Option<String>,
    /// What was said in its place, or what is wrong with the example.
    pub said: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was found in a bad example.
    Missed,
    /// Something was found in a good example.
    Noisy,
    /// A bad example gave other words than its `because`, or several findings.
    SaidOtherwise,
    /// The example cannot be run.
    Unusable,
}

impl Wrong {
    pub fn word(self) -> &'static str {
        match self {
            Wrong::Missed => "missed",
            Wrong::Noisy => "noisy",
            Wrong::SaidOtherwise => "said otherwise",
            Wrong::Unusable => "cannot be run",
        }
    }
}

/// What is wrong with a rule's examples; empty when all hold. `run` says what the rule finds in one.
pub fn complaints(
    rule: &Rule,
    mut run: impl FnMut(&Example) -> Result<Vec<Finding>, String>,
) -> Vec<Complaint> {
    let bad = rule.examples.bad.iter().enumerate().map(|(at, example)| (true, at, example));
    let good = rule.examples.good.iter().enumerate().map(|(at, example)| (false, at, example));
    let mut wrong = Vec::new();
    for (bad, at, example) in bad.chain(good) {
        let (what, said) = match run(example) {
            Err(why) => (Wrong::Unusable, vec![why]),
            Ok(found) => {
                let said: Vec<String> = found.into_iter().map(|finding| finding.because).collect();
                let as_promised = matches!(said.as_slice(), [one] if Some(one) == example.because.as_ref());
                match (bad, said.is_empty()) {
                    (true, true) => (Wrong::Missed, said),
                    (true, false) if !as_promised => (Wrong::SaidOtherwise, said),
                    (false, false) => (Wrong::Noisy, said),
                    _ => continue,
                }
            }
        };
        let promised = example.because.clone();
        wrong.push(Complaint { what, bad, at, sql: example.sql.trim().to_owned(), promised, said });
    }
    wrong
}

/// The thresholds without an edge: no example's outcome changes when they are a little higher, or none when
/// they are a little lower. A little is one unit, or a hundredth of what is above a hundred.
pub fn without_edge(rule: &Rule, plans: Plans<'_>) -> Vec<String> {
    let outcome = |rule: &Rule, example: &Example| {
        let found = run(std::slice::from_ref(rule), example, plans).map(|report| report.findings);
        found.map(|found| found.into_iter().map(|finding| finding.severity).collect::<Vec<_>>())
    };
    let examples: Vec<&Example> = rule.examples.bad.iter().chain(&rule.examples.good).collect();
    let usual: Vec<_> = examples.iter().map(|example| outcome(rule, example)).collect();
    let mut lacking = Vec::new();
    for (name, param) in &rule.params {
        let step = if param.default < 1.0 { param.default / 10.0 } else { (param.default / 100.0).max(1.0) };
        let both = [step, -step].iter().all(|step| {
            let mut moved = rule.clone();
            if let Some(param) = moved.params.get_mut(name) {
                param.default += step;
            }
            examples.iter().zip(&usual).any(|(example, usual)| outcome(&moved, example) != *usual)
        });
        if !both {
            lacking.push(name.clone());
        }
    }
    lacking
}
