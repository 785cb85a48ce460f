//! The whole job: logs and SQL files, the server's catalog and plans, detectors, advice, one report.

use std::{path::PathBuf, sync::Arc};

use super::{
    Outcome,
    advice::{self, AdviceArgs},
    args::{AnalyzeArgs, InputArgs, PoolSizeArgs, SaveArgs, ServerArgs},
    complain, configure, counted, filter, gather,
    lint::{self, Lint},
    output,
    planner::Planner,
    progress::ProgressLine,
    tell, user_rules,
    verify::Verifier,
};
use crate::{
    advise::{self, pool},
    catalog::Catalog,
    config::Config,
    detect::{self, Facts, MigrationFacts, PlanFacts, WorkloadFacts},
    error::Error,
    report::{Report, index::IndexSearch, text::Subject},
    rules::{Needs, Rule, Set},
    sources::{self, Ingested, Literals, Readers},
    threads,
    workload::{InputSummary, Query, Repetition, Workload},
};

pub(super) fn run(args: &AnalyzeArgs, config: &Config) -> Result<Outcome, Error> {
    let mut done = perform(&Job {
        config,
        input: &args.input,
        server: Some(&args.server),
        advice: None,
        verify: None,
        pool: Some(&args.pool),
        counted: args.pg_stat_statements,
        save: None,
        lint: None,
    })?;
    output::judge(&mut done.report, &args.figures);
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}

/// What a run is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) config: &'a Config,
    pub(super) input: &'a InputArgs,
    /// `None`: logs only, also where the environment names a server.
    pub(super) server: Option<&'a ServerArgs>,
    /// The limits of index advice; `None`: none.
    pub(super) advice: Option<&'a AdviceArgs>,
    /// The scratch server on which advised indexes are measured, if any.
    pub(super) verify: Option<&'a str>,
    /// `None`: no pool size.
    pub(super) pool: Option<&'a PoolSizeArgs>,
    /// What the server counted is the workload, where no log tells of executions.
    pub(super) counted: bool,
    /// Where the logs' digest goes, if anywhere.
    pub(super) save: Option<&'a SaveArgs>,
    /// Findings by their place in files, as the lint step wants them.
    pub(super) lint: Option<&'a Lint>,
}

/// What is to be judged of what was read, and by what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Every rule that there is.
    pub(super) rules: &'a [Rule],
    /// As [`Job`] has them; so are the next three.
    pub(super) args: Option<&'a ServerArgs>,
    pub(super) pool: Option<&'a PoolSizeArgs>,
    pub(super) limits: Option<&'a AdviceArgs>,
    pub(super) lint: Option<&'a Lint>,
}

impl<'a> Wanted<'a> {
    /// What the rules find, and nothing besides.
    pub(super) fn of(rules: &'a [Rule]) -> Wanted<'a> {
        Wanted { rules, args: None, pool: None, limits: None, lint: None }
    }
}

#[derive(Debug)]
pub(super) struct Done {
    pub(super) report: Report,
    /// False when a part of the job could not be done; the reason was told on stderr.
    pub(super) complete: bool,
}

impl Done {
    /// How the run ended, given what its findings say: a part that could not be done outweighs them.
    pub(super) fn ended(&self, findings: Outcome) -> Outcome {
        if self.complete { findings } else { Outcome::Incomplete }
    }
}

pub(super) fn perform(job: &Job<'_>) -> Result<Done, Error> {
    if !job.counted || !job.input.paths.is_empty() {
        demand_inputs(job.input)?;
    }
    let known = user_rules::all()?;
    let readers = configure::readers(job.input, job.config)?;
    // A server that cannot be reached costs its part of the report, not the log's.
    let mut complete = true;
    let mut server = None;
    if let Some(args) = job.server {
        server = Planner::connect(args).unwrap_or_else(|err| {
            // The lint step runs where nobody thinks of a server: only one that was named is missed.
            if job.lint.is_some() && !args.named {
                tell(&format!("warning: {err}: the check goes on without the server"));
            } else {
                complain(&err);
                complete = false;
            }
            None
        });
    }
    if let (Some(url), Some(args)) = (job.verify, job.server) {
        let Some(planner) = &mut server else {
            return Err(Error::Usage {
                what: "--verify measures advice, which nothing gives without a server".to_owned(),
                hint: Some("name one by --database-url, or --snapshot FILE".to_owned()),
            });
        };
        let verifier = Verifier::open(url, args, Some(&mut *planner))?;
        planner.verifier = Some(verifier);
    }
    let schema = job.config.schema();
    let mut read = if job.input.paths.is_empty() {
        Ingested::default()
    } else {
        read(job.input, readers, schema, job.save, server.as_mut(), job.lint)?
    };
    if job.counted {
        complete &= counted::add(&mut read, server.as_mut())?;
    }
    if let Some(save) = job.save {
        saved(&read, save)?;
    }
    complete &= read.damages.is_empty();
    let wanted =
        Wanted { args: job.server, pool: job.pool, limits: job.advice, lint: job.lint, ..Wanted::of(&known) };
    let mut done = judge_inputs(job.input, read, &wanted, server);
    done.complete &= complete;
    Ok(done)
}

/// As [`judge`], and as the flags about inputs ask for it: what the filter left out, how many occurrences.
pub(super) fn judge_inputs(
    input: &InputArgs,
    read: Ingested,
    wanted: &Wanted<'_>,
    server: Option<Planner>,
) -> Done {
    let left_out = read.left_out.clone();
    let mut done = judge(read, wanted, server);
    if input.filter.filter().is_some() {
        done.report.filtered(input.filter.conditions(), &left_out);
    }
    if !input.all_occurrences {
        let occurrences =
            done.report.findings.iter_mut().filter_map(|finding| finding.detail.get_mut("occurrences"));
        for occurrences in occurrences.filter_map(serde_json::Value::as_array_mut) {
            occurrences.truncate(Repetition::SHOWN);
        }
    }
    done
}

/// Writes the digest that the flags ask for.
pub(super) fn saved(read: &Ingested, save: &SaveArgs) -> Result<(), Error> {
    match (&save.save, &read.digest) {
        (Some(path), Some(digest)) => sources::digest::save(digest, path),
        _ => Ok(()),
    }
}

/// Errors: nothing was named, or a URL where an input is expected.
pub(super) fn demand_inputs(input: &InputArgs) -> Result<(), Error> {
    if input.paths.is_empty() {
        return Err(Error::Usage {
            what: "nothing to read".to_owned(),
            hint: Some("name logs, SQL files or folders; `-` is standard input".to_owned()),
        });
    }
    if input.paths.iter().any(|path| {
        let path = path.as_os_str().as_encoded_bytes();
        path.starts_with(b"postgres://") || path.starts_with(b"postgresql://")
    }) {
        // The URL is not repeated: it may hold a password.
        return Err(Error::Usage {
            what: "a database URL stands where an input is expected".to_owned(),
            hint: Some("pass it as --database-url URL".to_owned()),
        });
    }
    Ok(())
}

/// Everything after reading: catalog, plans, findings, advice.
pub(super) fn judge(read: Ingested, wanted: &Wanted<'_>, mut server: Option<Planner>) -> Done {
    let Wanted { args, pool, limits, lint, .. } = *wanted;
    let Ingested { workload, inputs, mut not_judged, scripts, schema, .. } = read;
    not_judged.merge(workload.not_judged().clone());
    let (catalog, mut complete) = Planner::seen(server.as_mut(), &mut not_judged);
    // Without a server, the files' own DDL says what tables there are.
    let known = catalog.as_ref().or(schema.known());
    not_judged.merge(schema.not_judged());
    let asked = args.zip(server.as_mut().map(|planner| &mut planner.server));
    let gathered = gather::gather(&workload, known, asked);
    // Where no log was given, nobody expects to hear of executions.
    let logs = !inputs.iter().all(InputSummary::is_written);
    let migrations: Vec<MigrationFacts<'_>> = schema
        .migrations
        .iter()
        .map(|migration| MigrationFacts { migration, server: catalog.as_ref() })
        .collect();
    let all = lint::Everything {
        workload: &workload,
        catalog: known,
        gathered: &gathered,
        migrations: &migrations,
        logs,
    };
    let mut checked = None;
    let found = if let Some(lint) = lint {
        let (found, what) = lint.apply(&all, &scripts);
        checked = Some(what);
        found
    } else {
        let rules: Vec<Rule> = wanted
            .rules
            .iter()
            .filter(|rule| rule.set == Set::Default && (logs || !rule.needs.contains(&Needs::Workload)))
            .cloned()
            .collect();
        detected(&rules, &all, None, &migrations)
    };
    let mut search = None;
    let mut verification = None;
    let mut changes = Vec::new();
    if let Some(catalog) = &catalog {
        let advised = advice::indexes(&workload, catalog, &gathered, limits, args.zip(server.as_mut()));
        search = limits.map(|_| IndexSearch::new(&advised));
        changes.extend(advised.advice);
        let drops = advise::drops(&found.findings, catalog, &changes);
        changes.extend(drops);
        not_judged.merge(advised.not_judged);
        let verifier = server.as_mut().and_then(|planner| planner.verifier.take());
        if let Some((verifier, args)) = verifier.zip(args) {
            match verifier.verify(&workload, catalog, &gathered, args, &mut changes, &mut not_judged) {
                Ok(done) => {
                    for left in &done.left {
                        tell(&format!("error: {} still stand on {}: {}", left.name, done.server, left.why));
                    }
                    complete &= !done.stopped && done.left.is_empty();
                    verification = Some(done);
                }
                Err(err) => {
                    complain(&err);
                    complete = false;
                }
            }
        }
    }
    if let Some(pool) = pool {
        changes.extend(pool_advice(&workload, catalog.as_ref(), server.as_ref(), pool));
    }
    not_judged.merge(gathered.not_judged.clone());
    not_judged.merge(found.not_judged);
    if let Some(why) = server.as_ref().and_then(Planner::lost) {
        tell(&format!("error: {why}"));
        complete = false;
    }
    let coverage = gathered.coverage;
    // The largest of what is not needed any more, before the report takes its own room.
    drop((gathered, scripts));
    let made =
        if lint.is_some_and(|lint| !lint.lists_queries) { Report::without_queries } else { Report::new };
    let mut report = made(&inputs, &workload, found.findings, changes, &not_judged);
    report.describe(wanted.rules);
    report.index = search;
    report.verification = verification;
    report.check = checked;
    report.coverage = Some(coverage);
    Done { report, complete }
}

/// Reads every input into one workload, with a line of progress where a person watches.
pub(super) fn read(
    args: &InputArgs,
    readers: Readers,
    schema: Vec<PathBuf>,
    save: Option<&SaveArgs>,
    server: Option<&mut Planner>,
    lint: Option<&Lint>,
) -> Result<Ingested, Error> {
    let mut progress = ProgressLine::new();
    let mut options = sources::Options { schema, ..options(args, readers, save, server) };
    if let Some(lint) = lint {
        options.left_out.clone_from(&lint.leaves);
        options.scripts = true;
        options.ignores = true;
        options.stdin.clone_from(&lint.stdin);
        options.texts = Arc::clone(&lint.texts);
        if lint.again {
            return sources::ingest(&args.paths, &options, &mut |_| ());
        }
    }
    let read = sources::ingest(&args.paths, &options, &mut |far| progress.show(far));
    progress.clear();
    told(read?)
}

/// How the flags say that inputs are read.
pub(super) fn options(
    args: &InputArgs,
    readers: Readers,
    save: Option<&SaveArgs>,
    server: Option<&mut Planner>,
) -> sources::Options {
    let literals = |save: &SaveArgs| if save.save_literals { Literals::Keep } else { Literals::Forget };
    let defaults = sources::Options::default();
    sources::Options {
        log_line_prefix: args.log_line_prefix.clone(),
        input_format: args.input_format.clone(),
        readers,
        server_prefix: server.and_then(Planner::log_line_prefix),
        digest: save.filter(|save| save.save.is_some()).map(literals),
        threads: args.threads.map_or(defaults.threads, |threads| threads.max(1)),
        filter: args.filter.filter(),
        ..defaults
    }
}

/// Tells what could not be read, and what could not be filtered.
pub(super) fn told(mut read: Ingested) -> Result<Ingested, Error> {
    filter::complain_of_unknown(&read.left_out, read.workload.totals().executions, &mut read.not_judged)?;
    for damage in &read.damages {
        tell(&format!("error: {damage}"));
    }
    Ok(read)
}

/// What the rules find in `migrations` and everything else. `only`: these queries alone.
pub(super) fn detected(
    rules: &[Rule],
    all: &lint::Everything<'_>,
    only: Option<&dyn Fn(&Query) -> bool>,
    migrations: &[MigrationFacts<'_>],
) -> detect::Report {
    let repetitions = all.workload.repetitions();
    let facts: Vec<Facts<'_>> = all
        .workload
        .ranked()
        .into_iter()
        .filter(|query| only.is_none_or(|only| only(query)))
        .filter_map(|query| {
            let gathered = all.gathered.gathered.get(&query.id)?;
            Some(Facts {
                query,
                shape: all.gathered.shapes.get(&query.id),
                plan: gathered.plan.as_deref().map(|(plan, origin)| PlanFacts { plan, origin: *origin }),
                catalog: all.catalog.filter(|_| gathered.in_catalog),
            })
        })
        .collect();
    let whole = WorkloadFacts {
        workload: all.workload,
        repetitions: &repetitions,
        concurrency: all.workload.concurrency(),
        logged: all.workload.totals().executions > 0,
        shapes: &all.gathered.shapes,
        catalog: all.catalog,
    };
    detect::run(rules, &facts, Some(&whole), all.catalog, migrations)
}

pub(super) fn pool_advice(
    workload: &Workload,
    catalog: Option<&Catalog>,
    server: Option<&Planner>,
    args: &PoolSizeArgs,
) -> Option<advise::Advice> {
    let setting = |name: &str| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of connections")]
        catalog.and_then(|catalog| catalog.settings.number(name)).map(|number| number as u32)
    };
    // The server's cores are this machine's only when it runs here.
    let here = || {
        server.filter(|server| server.is_local())?;
        u32::try_from(threads::cores()).ok()
    };
    pool::suggest(&pool::PoolInput {
        cores: args.cores.or_else(here),
        spindles: args.spindles,
        concurrency: workload.concurrency(),
        pooler: advise::pooler::used(workload.pooler()),
        max_connections: setting("max_connections"),
        superuser_reserved_connections: setting("superuser_reserved_connections"),
        reserved_connections: setting("reserved_connections"),
        instances: args.instances.unwrap_or(1),
    })
    .advice()
}

/// A job on given logs and a given server with everything else at its default, as the demo runs it.
pub(super) fn defaults(paths: Vec<PathBuf>, database_url: &str) -> AnalyzeArgs {
    use clap::Parser as _;
    let words = ["sargable", "analyze", "--database-url", database_url, "--"];
    let words = words.into_iter().map(std::ffi::OsString::from).chain(paths.into_iter().map(Into::into));
    match super::Cli::parse_from(words).command {
        super::args::Command::Analyze(args) => args,
        _ => unreachable!("the words name analyze"),
    }
}
