//! From queries to what is known of them: shape, plan, probe.
//!
//! The server's time is spent on the most expensive queries first, until the budget is gone.

use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use super::args::{ExplainMode, ServerArgs};
use crate::{
    catalog::Catalog,
    detect::PlanOrigin,
    error::NotJudged,
    plan::{Plan, Probe},
    report::Coverage,
    server::{Explained, How, Limits, Server, Wanted},
    sql::{Fingerprint, Shape, StatementKind, body, ddl, parse},
    threads,
    workload::{Query, Sample, Workload},
};

/// What is known of one query besides its figures.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Boxed: most queries of a repository have none, and there may be hundreds of thousands.
    pub(super) plan: Option<Box<(Plan, PlanOrigin)>>,
    /// The statement as it was sent, for questions to the planner.
    pub(super) probe: Option<Probe>,
    /// The catalog describes the database in which the query ran.
    pub(super) in_catalog: bool,
}

#[derive(Debug, Default)]
pub(super) struct Everything {
    pub(super) shapes: FxHashMap<Fingerprint, Shape>,
    pub(super) gathered: FxHashMap<Fingerprint, Gathered>,
    /// Queries that were not understood.
    pub(super) not_parsed: FxHashSet<Fingerprint>,
    pub(super) not_judged: NotJudged,
    pub(super) coverage: Coverage,
}

/// Parses a sample of each query, and asks the server for the plans that the budget allows.
pub(super) fn gather(
    workload: &Workload,
    catalog: Option<&Catalog>,
    mut server: Option<(&ServerArgs, &mut Server)>,
) -> Everything {
    let mut all = Everything::default();
    let began = Instant::now();
    let ranked = workload.ranked();
    let parsed = parsed(&ranked);
    all.shapes.reserve(ranked.len());
    all.gathered.reserve(ranked.len());
    for (query, parsed) in ranked.iter().zip(parsed) {
        all.coverage.read += 1;
        // Where an unparsed statement stands in a file, so that it can be found.
        let place = query.statements.first();
        let what = || {
            place.map_or_else(|| "query".to_owned(), |at| format!("{}:{}:{}", at.file, at.line, at.column))
        };
        if !plannable(query.kind) {
            let unknown = |sample: &Sample| {
                // What a DO block runs is read by itself.
                !body::may_have_one(&sample.sql)
                    && parse::parse(&sample.sql)
                        .is_err_and(|not_parsed| not_parsed.why.contains(NO_STATEMENT))
            };
            let unread = query.samples.iter().find_map(|sample| ddl::read(&sample.sql).err());
            if place.is_some() && query.samples.iter().any(unknown) {
                all.not_parsed.insert(query.id);
                all.not_judged.add(what(), "not parsed: it begins as no statement does");
            } else if let Some(unread) = unread.filter(|_| query.samples.iter().all(|sample| sample.complete))
            {
                all.not_parsed.insert(query.id);
                all.not_judged.add(what(), format!("not parsed: {unread}"));
            } else {
                all.coverage.parsed += 1;
            }
            continue;
        }
        let Some(sample) = query.samples.iter().find(|sample| sample.complete) else {
            all.not_parsed.insert(query.id);
            all.not_judged.add("query", format!("no sample under {} kB was kept", Sample::LONGEST / 1024));
            continue;
        };
        let mut shape = match parsed {
            Some(Ok(shape)) => shape,
            None => continue,
            Some(Err(not_parsed)) => {
                all.not_parsed.insert(query.id);
                all.not_judged.add(what(), format!("not parsed: {}", cause(&not_parsed.why)));
                continue;
            }
        };
        all.coverage.parsed += 1;
        if is_system(&shape) {
            continue;
        }
        let here = catalog.filter(|catalog| {
            let databases = query.databases.as_slice();
            databases.is_empty() || catalog.version == 0 || databases.contains(&catalog.database)
        });
        all.coverage.with_schema += u64::from(here.is_some());
        if let Some(catalog) = here {
            shape.resolve(|table, column| catalog.has_column(table, column));
        }
        let mut gathered = Gathered { plan: None, probe: None, in_catalog: here.is_some() };
        match (here, &mut server) {
            // Inside of a function its variables are parameters, whose types only that knows.
            (Some(_), Some(_)) if is_nested(query) => {}
            (Some(catalog), Some(_)) if lacking(catalog, &shape).is_some() => {
                let why = lacking(catalog, &shape).unwrap_or_default();
                all.not_judged.add(what(), format!("not planned: {why}"));
            }
            (Some(_), Some((args, server))) => {
                let probe =
                    Probe { sql: sample.sql.clone(), binds: sample.binds.clone().unwrap_or_default() };
                let left = args.explain_budget.saturating_sub(began.elapsed());
                gathered.plan =
                    plan_of(&probe, &shape, server, args, left, &mut all.not_judged).map(Box::new);
                gathered.probe = Some(probe);
            }
            (None, Some(_)) => all.not_judged.add(
                "query",
                format!("it ran in another database than {}", catalog.map_or("", |c| c.database.as_str())),
            ),
            (_, None) => {}
        }
        if gathered.plan.is_none() {
            let logged = logged_plan(query, &mut all.not_judged);
            gathered.plan = logged.map(|plan| Box::new((plan, PlanOrigin::Logged)));
        }
        all.coverage.planned += u64::from(gathered.plan.is_some());
        all.shapes.insert(query.id, shape);
        all.gathered.insert(query.id, gathered);
    }
    all
}

/// The first complete sample of each query, parsed on all cores.
fn parsed(queries: &[&Query]) -> impl Iterator<Item = Option<Result<Shape, parse::NotParsed>>> {
    const AT_ONCE: usize = 64;
    let parse = |query: &&Query| {
        let sample = query.samples.iter().find(|sample| sample.complete)?;
        plannable(query.kind).then(|| parse::parse(&sample.sql))
    };
    let parts = threads::in_parts(queries, AT_ONCE, |part| part.iter().map(parse).collect::<Vec<_>>());
    parts.into_iter().flatten()
}

/// What the private server lacks of the tables that a query touches.
fn lacking(catalog: &Catalog, shape: &Shape) -> Option<String> {
    let absent = shape.tables().into_iter().find_map(|table| catalog.absent(table))?;
    Some(format!("the snapshot's {} could not be imported: {}", absent.what, absent.why))
}

fn plan_of(
    probe: &Probe,
    shape: &Shape,
    server: &mut Server,
    args: &ServerArgs,
    left: Duration,
    not_judged: &mut NotJudged,
) -> Option<(Plan, PlanOrigin)> {
    let wanted = match args.explain {
        ExplainMode::Off => return None,
        ExplainMode::Plan => Wanted::Plan,
        // There are no rows to run over.
        ExplainMode::Analyze if args.snapshot.is_some() => Wanted::Plan,
        ExplainMode::Analyze => Wanted::Analyze,
    };
    let limits = Limits { budget: Some(left), ..limits(args) };
    match server.explain(probe, Some(shape), &limits, wanted) {
        Explained::Plan { plan, how, note } => {
            if let Some(note) = note {
                not_judged.add("plan", note);
            }
            let origin = match how {
                How::Analyzed => PlanOrigin::Analyzed,
                How::Planned => PlanOrigin::Planned,
                How::Generic => PlanOrigin::Generic,
            };
            Some((plan, origin))
        }
        Explained::Refused { why } => {
            not_judged.add("plan", format!("not sent to the server: {why}"));
            None
        }
        Explained::Failed { why } => {
            not_judged.add("plan", why);
            None
        }
    }
}

/// What the flags allow one statement.
pub(super) fn limits(args: &ServerArgs) -> Limits {
    Limits {
        statement_timeout: args.statement_timeout,
        lock_timeout: args.lock_timeout,
        // A private server has nothing to lose, and the role there has no rights.
        trust_functions: args.trust_functions || args.snapshot.is_some(),
        budget: None,
    }
}

/// Statements that read or write rows; the rest has no plan.
pub(super) fn plannable(kind: StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update, With};
    matches!(kind, Select | With | Insert | Update | Delete)
}

/// A query of a driver or a tool about the catalog itself: nobody can do anything about it.
fn is_system(shape: &Shape) -> bool {
    let tables = shape.tables();
    !tables.is_empty()
        && tables.iter().all(|table| match table.schema.as_deref() {
            Some(schema) => schema == "pg_catalog" || schema == "information_schema",
            None => table.name.starts_with("pg_"),
        })
}

/// The plan that `auto_explain` wrote, in whatever format.
fn logged_plan(query: &Query, not_judged: &mut NotJudged) -> Option<Plan> {
    let logged = query.plan.as_ref()?;
    Plan::from_text(&logged.text).map_err(|not| not_judged.add("auto_explain plan", not.why)).ok()
}

/// Inside of a function, or never run: what nobody sent by itself is not planned by itself. A plan that
/// `auto_explain` wrote for it still tells how it runs.
fn is_nested(query: &Query) -> bool {
    query.calls == 0 && query.errors == 0 && query.statements.is_empty()
}

/// The parser's words for a text whose first word begins no statement.
const NO_STATEMENT: &str = "Expected: an SQL statement";

/// A parser's message without the place, so that equal causes are counted together.
fn cause(message: &str) -> &str {
    message.split(" at Line:").next().unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources;

    /// `log_nested_statements`: the statement of a function stands in the log with its plan, and never ran
    /// by itself; one of an SQL file never ran either, and is planned.
    #[test]
    fn what_ran_inside_of_a_function_is_not_planned_by_itself() {
        let paths = ["fixtures/plans/logs/text.log".into(), "fixtures/plans/formats/schema.sql".into()];
        let read = sources::ingest(&paths, &sources::Options::default(), &mut |_| ()).expect("a log");
        let ranked = read.workload.ranked();
        let nested: Vec<_> =
            ranked.iter().filter(|query| is_nested(query)).map(|query| &query.text).collect();
        assert_eq!(nested, ["SELECT name FROM shop.customers WHERE id = ?"]);
        assert!(ranked.iter().any(|query| query.calls == 0 && !query.statements.is_empty()));
        let all = gather(&read.workload, None, None);
        let of_nested = ranked.iter().find(|query| is_nested(query)).map(|query| query.id);
        let plan = of_nested.and_then(|id| all.gathered.get(&id)?.plan.as_ref());
        assert!(plan.is_some_and(|known| known.1 == PlanOrigin::Logged && known.0.root.actual.is_some()));
    }
}
