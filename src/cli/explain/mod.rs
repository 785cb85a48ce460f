//! One statement: its plan, what is wrong with it, and what would help. The plan is asked of the server, or
//! pasted: then no server is asked, unless the command line names one for its catalog.

mod input;

use self::input::{Input, What};
use super::{
    Outcome, advice, analyze,
    args::{ExplainArgs, ServerArgs},
    complain, gather, lint, output,
    planner::Planner,
    tell,
};
use crate::{
    catalog::{Catalog, IndexSpec},
    detect::{self, Detector, Facts, PlanFacts, PlanOrigin},
    error::Error,
    finding::Location,
    plan::{Plan, Probe},
    report::{
        Report,
        plan_diff::{self, PlanDiff},
        plan_tree::PlanTree,
        text::Subject,
    },
    rules::{self, Category, Needs, Rule, Set},
    sql::{Normalizer, StatementKind},
    workload::{InputSummary, Origin, Query, Statement, Workload},
};

pub(super) fn run(args: &ExplainArgs) -> Result<Outcome, Error> {
    let Input { name, bytes, what } = Input::of(args)?;
    let (sql, pasted) = match what {
        What::Statement(sql) => (Some(sql), None),
        What::Plan(plan, sql) => (sql, Some(*plan)),
    };
    let mut workload = Workload::at_start();
    if let Some(sql) = &sql {
        let at = Location { file: name.clone(), line: 1, column: 1 };
        let statement = Statement { text: sql.clone(), at, from: Origin::Script, one_row: false };
        let binds = args.binds.iter().map(|value| Some(value.clone())).collect::<Vec<_>>();
        let binds = (!binds.is_empty()).then_some(binds);
        workload.add_statement_with(statement, binds, &mut Normalizer::default());
    }
    workload.close();
    if !workload.ranked().iter().all(|query| gather::plannable(query.kind)) {
        return Err(Error::Usage {
            what: "the statement has no plan".to_owned(),
            hint: Some("explain takes SELECT, VALUES, TABLE, WITH, INSERT, UPDATE or DELETE".to_owned()),
        });
    }
    let format = if pasted.is_some() { "plan" } else { "sql" };
    let input =
        InputSummary { name, format: format.to_owned(), bytes, entries: 1, ..InputSummary::default() };
    let mut complete = true;
    // A plan was pasted to be read, not to be asked for again: the environment's server is left alone.
    let wanted = pasted.is_none() || args.server.named;
    let server = if wanted { Planner::connect(&args.server) } else { Ok(None) };
    let server = server.unwrap_or_else(|err| {
        complain(&err);
        complete = false;
        None
    });
    let (named, asked) = (server.is_some(), pasted.is_none());
    let (report, judged) = judge(&workload, &input, pasted, &args.server, server);
    if report.plan.is_none() && complete && asked {
        tell(if named {
            "no plan: what could not be judged says why"
        } else {
            "no plan: no server was named (--database-url)"
        });
    }
    let outcome = output::write(&report, Subject::Statement, &args.output, args.fail_on)?;
    Ok(if complete && judged { outcome } else { Outcome::Incomplete })
}

/// The report, and whether the server took part to the end.
fn judge(
    workload: &Workload,
    input: &InputSummary,
    pasted: Option<Plan>,
    args: &ServerArgs,
    mut server: Option<Planner>,
) -> (Report, bool) {
    let mut not_judged = workload.not_judged().clone();
    let (catalog, mut complete) = Planner::seen(server.as_mut(), &mut not_judged);
    let asks = pasted.is_none();
    let planner = if asks { server.as_mut() } else { None };
    let mut gathered =
        gather::gather(workload, catalog.as_ref(), planner.map(|planner| (args, &mut planner.server)));
    not_judged.merge(std::mem::take(&mut gathered.not_judged));
    let id = workload.ranked().first().map(|query| query.id);
    let alone = match (pasted, id.and_then(|id| gathered.gathered.get_mut(&id))) {
        (Some(plan), Some(gathered)) => {
            gathered.plan = Some(Box::new((plan, PlanOrigin::Pasted)));
            None
        }
        (pasted, _) => pasted,
    };
    gathered.coverage.planned += u64::from(!asks && alone.is_none());
    let found = if let Some(plan) = &alone {
        detected(plan, catalog.as_ref())
    } else {
        let all = lint::Everything {
            workload,
            catalog: catalog.as_ref(),
            gathered: &gathered,
            migrations: &[],
            logs: false,
        };
        analyze::detected(&rules(|_| true), &all, None, &[])
    };
    not_judged.merge(found.not_judged);
    let plan = id.and_then(|id| gathered.gathered.get(&id)?.plan.as_deref().cloned());
    let plan = alone.clone().map(|plan| (plan, PlanOrigin::Pasted)).or(plan);
    let mut changes = Vec::new();
    let mut compared = None;
    if let Some(catalog) = &catalog {
        let oracle = server.as_mut().map(|server| (args, server));
        let advised = advice::indexes(workload, catalog, &gathered, None, oracle);
        not_judged.merge(advised.not_judged);
        changes = advised.advice;
        let indexes: Vec<IndexSpec> = changes.iter().filter_map(|change| change.index.clone()).collect();
        let probe = id.and_then(|id| gathered.gathered.get(&id)?.probe.clone());
        if let (Some(server), Some(probe), false) = (&mut server, probe, indexes.is_empty()) {
            match with_indexes(server, args, catalog, &probe, &indexes) {
                Ok(diff) => compared = diff,
                Err(why) => not_judged.add("plan with the advised indexes", why),
            }
        }
    }
    if let Some(why) = server.as_ref().and_then(Planner::lost) {
        tell(&format!("error: {why}"));
        complete = false;
    }
    let mut report = Report::new(std::slice::from_ref(input), workload, found.findings, changes, &not_judged);
    report.describe(&rules::BUILTIN);
    report.coverage = alone.is_none().then_some(gathered.coverage);
    report.plan_tree =
        plan.as_ref().map(|(plan, origin)| PlanTree::new(plan, word(*origin), &report.findings));
    report.plan = plan.map(|(plan, _)| plan.json);
    report.plan_diff = compared;
    (report, complete)
}

/// Those about one query that are on, and whatever is about plans: here one plan is looked at for its own sake.
fn rules(also: impl Fn(&Rule) -> bool) -> Vec<Rule> {
    let of_query = |rule: &Rule| {
        let mut named = detect::ALL.iter().filter(|(name, _)| Some(*name) == rule.detector.as_deref());
        rule.matching.is_some() || named.any(|(_, detector)| matches!(detector, Detector::Query(_)))
    };
    let wanted = |rule: &&Rule| {
        of_query(rule)
            && (rule.set == Set::Default || rule.category == Category::Plan)
            && !rule.needs.contains(&Needs::Workload)
            && also(rule)
    };
    rules::BUILTIN.iter().filter(wanted).cloned().collect()
}

/// What a plan says without its statement.
fn detected(plan: &Plan, catalog: Option<&Catalog>) -> detect::Report {
    let none = Normalizer::default().scan(b"").fingerprint;
    let query = Query::new(none, String::new(), StatementKind::Select);
    let facts = Facts {
        query: &query,
        shape: None,
        plan: Some(PlanFacts { plan, origin: PlanOrigin::Pasted }),
        catalog,
    };
    let rules = rules(|rule| rule.needs == [Needs::Plan]);
    let mut found = detect::run(&rules, &[facts], None, catalog, &[]);
    for finding in &mut found.findings {
        finding.query = None;
    }
    found
}

fn word(origin: PlanOrigin) -> &'static str {
    match origin {
        PlanOrigin::Analyzed => "analyzed",
        PlanOrigin::Planned => "planned",
        PlanOrigin::Generic => "generic",
        PlanOrigin::Logged => "logged",
        PlanOrigin::Pasted => "pasted",
    }
}

/// The plan as it is beside the one with all advised indexes that can be made up; `None` when that is the same.
fn with_indexes(
    planner: &mut Planner,
    args: &ServerArgs,
    catalog: &Catalog,
    probe: &Probe,
    indexes: &[IndexSpec],
) -> Result<Option<PlanDiff>, String> {
    let mut oracle = planner.what_if(args, catalog)?;
    let indexes: Vec<IndexSpec> =
        indexes.iter().filter(|index| oracle.supports(index).is_ok()).cloned().collect();
    if indexes.is_empty() {
        return Ok(None);
    }
    let before = oracle.estimate(probe, &[])?.plan;
    let after = oracle.estimate(probe, &indexes)?.plan;
    Ok(Some(plan_diff::diff(&before, &after)).filter(|diff| !diff.is_same()))
}
