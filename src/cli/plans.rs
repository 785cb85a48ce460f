//! The plan gate: writes the plans of a repository's queries into a file, and fails when they became worse.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{
    Outcome, analyze,
    args::{ColorWhen, ExplainMode, InputArgs, ServerArgs},
    configure,
    filter::FilterArgs,
    gather::{self, Everything},
    output,
    planner::Planner,
    tell,
};
use crate::{
    catalog::{Catalog, TableKind},
    config::Config,
    error::{Error, NotJudged},
    gate::{self, Limits, Lock, Locked, State},
    names::RelName,
    report::text,
    workload::Workload,
};

#[derive(Args, Debug)]
pub(super) struct PlansArgs {
    #[command(subcommand)]
    pub(super) what: PlansCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlansCommand {
    /// Write every query's plan into the file
    Lock(LockArgs),
    /// Plan again, and fail when a plan became worse than the file has it
    Check(PlanCheckArgs),
}

/// What both need.
#[derive(Args, Debug)]
pub(super) struct GateArgs {
    /// SQL files and folders, logs and digests
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// The plans
    #[arg(long, value_name = "FILE", default_value = "sargable.plans")]
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct LockArgs {
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Args, Debug)]
pub(super) struct PlanCheckArgs {
    #[command(flatten)]
    gate: GateArgs,
    /// Take the plans as they are now into the file, and exit with 0
    #[arg(long, requires = "reason")]
    accept: bool,
    /// Why, for whoever reads the file
    #[arg(long, value_name = "TEXT", requires = "accept")]
    reason: Option<String>,
    /// Fail when a table of at least so many rows is newly read as a whole
    #[arg(long, value_name = "ROWS", default_value_t = Limits::default().seq_scan_rows, value_parser = at_least_one)]
    seq_scan_rows: f64,
    /// Fail when a plan's cost grows by more than this factor
    #[arg(long, value_name = "FACTOR", default_value_t = Limits::default().cost_factor, value_parser = at_least_one)]
    cost_factor: f64,
    /// Fail when the rows that a query is expected to give grow by more than this factor
    #[arg(long, value_name = "FACTOR", default_value_t = Limits::default().rows_factor, value_parser = at_least_one)]
    rows_factor: f64,
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    color: ColorWhen,
}

fn at_least_one(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number >= 1.0 && number.is_finite());
    number.ok_or_else(|| format!("`{text}` is not a number from 1 on"))
}

pub(super) fn run(args: &PlansArgs, config: &Config) -> Result<Outcome, Error> {
    match &args.what {
        PlansCommand::Lock(args) => lock(args, config),
        PlansCommand::Check(args) => check(args, config),
    }
}

fn lock(args: &LockArgs, config: &Config) -> Result<Outcome, Error> {
    let mut now = plan(&args.gate, config)?;
    // A reason stays as long as the plan that it is for.
    if args.gate.file.exists() {
        let old = read(&args.gate.file)?;
        for locked in &mut now.lock.queries {
            let was = old.query(&locked.query).filter(|was| was.plan == locked.plan);
            locked.accepted = was.and_then(|was| was.accepted.clone());
        }
    }
    write(&args.gate.file, &now.lock)?;
    tell(&format!("{}: {} locked", args.gate.file.display(), queries(now.lock.queries.len())));
    now.tell_not_judged();
    let planned = now.there.len() == now.lock.queries.len();
    Ok(if planned { Outcome::Clean } else { Outcome::Incomplete })
}

fn check(args: &PlanCheckArgs, config: &Config) -> Result<Outcome, Error> {
    let old = read(&args.gate.file)?;
    let mut now = plan(&args.gate, config)?;
    let limits = Limits {
        seq_scan_rows: args.seq_scan_rows,
        cost_factor: args.cost_factor,
        rows_factor: args.rows_factor,
    };
    let checked = gate::judge(&old, &now.lock, &now.there, &now.catalog, &limits);
    let name = args.gate.file.display().to_string();
    output::print(&text::gate::render(&checked, &name, &output::style(true, args.color)))?;
    now.tell_not_judged();
    if args.accept {
        let reason = args.reason.as_deref().unwrap_or_default();
        let worse: BTreeSet<&str> = checked
            .verdicts
            .iter()
            .filter(|verdict| verdict.fails())
            .map(|verdict| verdict.query.as_str())
            .collect();
        for locked in &mut now.lock.queries {
            let was = old.query(&locked.query).filter(|was| was.plan == locked.plan);
            locked.accepted = if worse.contains(locked.query.as_str()) {
                Some(reason.to_owned())
            } else {
                was.and_then(|was| was.accepted.clone())
            };
        }
        // What cannot be planned now keeps the plan that it had.
        let unplanned = checked.verdicts.iter().filter(|verdict| verdict.state == State::NotPlanned);
        now.lock.queries.extend(unplanned.filter_map(|verdict| old.query(&verdict.query).cloned()));
        now.lock.queries.sort_by(|a, b| a.query.cmp(&b.query));
        write(&args.gate.file, &now.lock)?;
        tell(&format!("{name}: {} accepted", queries(worse.len())));
        return Ok(Outcome::Clean);
    }
    if now.there.len() > now.lock.queries.len() {
        return Ok(Outcome::Incomplete);
    }
    Ok(if checked.fails() { Outcome::Findings } else { Outcome::Clean })
}

fn queries(number: usize) -> String {
    if number == 1 { "1 query".to_owned() } else { format!("{number} queries") }
}

fn read(path: &Path) -> Result<Lock, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Lock::parse(&path.display().to_string(), &text)
}

fn write(path: &Path, lock: &Lock) -> Result<(), Error> {
    fs::write(path, lock.render()).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// The plans as they are now.
struct Now {
    lock: Lock,
    /// The queries that have a plan, made or not.
    there: BTreeSet<String>,
    catalog: Catalog,
    not_judged: NotJudged,
}

impl Now {
    fn tell_not_judged(&self) {
        for line in self.not_judged.lines() {
            let times = if line.count > 1 { format!(" ({})", line.count) } else { String::new() };
            tell(&format!("not judged: {}{times}: {}", line.what, line.why));
        }
    }
}

fn plan(args: &GateArgs, config: &Config) -> Result<Now, Error> {
    let input = InputArgs {
        paths: args.paths.clone(),
        log_line_prefix: None,
        input_format: None,
        all_occurrences: false,
        threads: None,
        filter: FilterArgs::default(),
    };
    // Plans are compared, so nothing is run.
    let server = ServerArgs { explain: ExplainMode::Plan, ..args.server.clone() };
    let Some(mut planner) = Planner::connect(&server)? else {
        return Err(Error::Usage {
            what: "no server to plan on".to_owned(),
            hint: Some("name a snapshot (--snapshot FILE) or a server (--database-url URL)".to_owned()),
        });
    };
    let readers = configure::readers(&input, config)?;
    let read = analyze::read(&input, readers, Vec::new(), None, Some(&mut planner), None)?;
    let (catalog, mut not_judged) = planner.catalog()?;
    let gathered = gather::gather(&read.workload, Some(&catalog), Some((&server, &mut planner.server)));
    not_judged.merge(gathered.not_judged.clone());
    let planned_by = planner.major(&catalog);
    let (lock, there) = locked(&read.workload, &gathered, &catalog, planned_by);
    Ok(Now { lock, there, catalog, not_judged })
}

fn locked(
    workload: &Workload,
    all: &Everything,
    catalog: &Catalog,
    planned_by: u32,
) -> (Lock, BTreeSet<String>) {
    let mut there = BTreeSet::new();
    let mut queries = BTreeMap::new();
    let mut all_tables = BTreeSet::new();
    for query in workload.ranked().into_iter().filter(|query| gather::plannable(query.kind)) {
        let id = query.id.to_string();
        let Some(gathered) = all.gathered.get(&query.id) else { continue };
        there.insert(id.clone());
        let Some((plan, _)) = gathered.plan.as_deref() else { continue };
        let shape = all.shapes.get(&query.id);
        let known = |name: &&RelName| catalog.table(name).is_some();
        let mut names: Vec<RelName> =
            shape.into_iter().flat_map(|shape| shape.tables()).filter(known).cloned().collect();
        // Behind a view stand others, which its plan names.
        let view = |name: &RelName| catalog.table(name).is_some_and(|table| table.kind == TableKind::View);
        if names.iter().any(view) {
            let read = plan.nodes().into_iter().filter_map(|node| node.relation.as_ref());
            names.extend(read.filter(known).cloned());
        }
        let mut tables: Vec<String> =
            names.iter().filter_map(|name| catalog.table(name)).map(gate::full_name).collect();
        tables.sort();
        tables.dedup();
        let files: BTreeSet<String> = query.statements.iter().map(|at| at.file.clone()).collect();
        all_tables.extend(names);
        let locked = Locked {
            query: id.clone(),
            files: files.into_iter().collect(),
            sql: query.text.clone(),
            tables,
            accepted: None,
            plan: gate::outline(plan),
        };
        queries.insert(id, locked);
    }
    let (server, tables) = gate::basis(catalog, planned_by, all_tables.iter());
    let queries = queries.into_values().collect();
    (Lock { plans: gate::FORMAT, server, tables, queries }, there)
}
