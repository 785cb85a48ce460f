//! Lints SQL files: the same spine, then the lint step, in the formats that CI reads.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Outcome,
    analyze::{Done, Job, perform},
    args::{CheckArgs, CheckFormat, FailOn, InputArgs},
    filter::FilterArgs,
    fix, git,
    lint::Lint,
    output, tell, user_rules,
};
use crate::{
    config::{self, Config},
    error::{Error, NotJudged},
    finding::Severity,
    lint::{Baseline, Changed, Checked, Flags, Links, Policy},
    report::{
        Report, formats, json,
        text::{self, Subject},
    },
    rules::Rule,
    sources::Leaves,
    workload::Workload,
};

pub(super) fn run(args: &CheckArgs, config: &Config) -> Result<Outcome, Error> {
    let flags =
        Flags { sets: args.rules.set.clone(), on: args.rules.rule.clone(), off: args.rules.no_rule.clone() };
    let known = user_rules::all()?;
    let policy = Policy::new(config, flags, &known)?;
    let baseline = args.scope.baseline.as_deref().map(baseline).transpose()?;
    let links = links();
    let changed = changed(args)?;
    let leaves = leaves(&policy, changed.as_ref(), &links, &args.scope.workload);
    let lint = Lint {
        policy,
        leaves: Some(leaves),
        stdin: args.stdin_filepath.clone(),
        changed,
        baseline,
        min_share: args.scope.min_share,
        links: links.clone(),
        texts: Arc::default(),
        lists_queries: args.format == CheckFormat::Json,
        again: false,
    };
    let input = InputArgs {
        paths: paths(args)?.into_iter().chain(args.scope.workload.iter().cloned()).collect(),
        log_line_prefix: None,
        input_format: None,
        all_occurrences: false,
        threads: None,
        filter: FilterArgs::default(),
    };
    let job = Job {
        config,
        input: &input,
        server: Some(&args.server),
        advice: None,
        verify: None,
        pool: None,
        counted: false,
        save: None,
        lint: Some(&lint),
    };
    let fixed = if args.fix || args.diff { Some(fix::run(args, &job, &lint)?) } else { None };
    if args.diff {
        let outcome = fixed.as_ref().map_or(Ok(Outcome::Clean), fix::Fixed::show)?;
        return Ok(outcome);
    }
    let performed = match fixed {
        Some(fixed) => fixed.write(),
        None => perform(&job),
    };
    let done = match performed {
        // Of what changed nothing is SQL, or the editor's file is still empty: that is a good answer.
        Err(Error::NothingUnderstood { .. }) if lint.changed.is_some() || lint.stdin.is_some() => {
            nothing(links)
        }
        done => done?,
    };
    if let Some(path) = &args.scope.write_baseline {
        let baseline = Baseline::of(done.report.findings.iter());
        fs::write(path, baseline.render()).map_err(|source| Error::Write { path: path.clone(), source })?;
        tell(&format!("{}: {} findings written", path.display(), done.report.findings.len()));
    }
    write(&done.report, &known, args)?;
    if args.scope.write_baseline.is_some() {
        return Ok(done.ended(Outcome::Clean));
    }
    let unparsed = done.report.coverage.map_or(0, |coverage| coverage.read - coverage.parsed);
    if args.strict && unparsed > 0 {
        let statements = if unparsed == 1 { "statement was" } else { "statements were" };
        tell(&format!("error: {unparsed} {statements} not parsed (--strict)"));
        return Ok(done.ended(Outcome::Findings));
    }
    let found = fails_at(args, config).is_some_and(|threshold| done.report.reaches(threshold));
    Ok(done.ended(if found { Outcome::Findings } else { Outcome::Clean }))
}

/// What is read: with `--stdin-filepath` standard input, which need not be named.
fn paths(args: &CheckArgs) -> Result<Vec<PathBuf>, Error> {
    let named = args.paths.iter().any(|path| path.as_os_str() == "-");
    if args.stdin_filepath.is_none() || named {
        return Ok(args.paths.clone());
    }
    if args.paths == [PathBuf::from(".")] {
        return Ok(vec![PathBuf::from("-")]);
    }
    Err(Error::Usage {
        what: "--stdin-filepath names standard input, which is not read".to_owned(),
        hint: Some("name `-` in place of the other paths".to_owned()),
    })
}

/// The severity that fails the run, if any does.
fn fails_at(args: &CheckArgs, config: &Config) -> Option<Severity> {
    match (args.fail_on, config.check.fail_on) {
        (Some(FailOn::Error), _) => Some(Severity::Error),
        (Some(FailOn::Warning), _) | (None, None) => Some(Severity::Warning),
        (Some(FailOn::Note), _) => Some(Severity::Note),
        (Some(FailOn::Never), _) | (None, Some(config::FailOn::Never)) => None,
        (None, Some(config::FailOn::At(severity))) => Some(severity),
    }
}

fn nothing(links: Links) -> Done {
    let mut report = Report::new(&[], &Workload::default(), Vec::new(), Vec::new(), &NotJudged::default());
    report.check = Some(Checked { links, ..Checked::default() });
    Done { report, complete: true }
}

fn baseline(path: &Path) -> Result<Baseline, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Baseline::parse(&path.display().to_string(), &text)
}

/// The lines that count, where only some do.
fn changed(args: &CheckArgs) -> Result<Option<Changed>, Error> {
    if let Some(rev) = &args.scope.changed_since {
        return git::changed_since(rev).map(Some);
    }
    if args.scope.staged {
        return git::staged().map(Some);
    }
    if !args.scope.diff_lines {
        return Ok(None);
    }
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Error::Usage {
            what: "standard input cannot be both the diff and an SQL file".to_owned(),
            hint: Some("name the file that changed".to_owned()),
        });
    }
    let mut diff = Vec::new();
    std::io::stdin()
        .read_to_end(&mut diff)
        .map_err(|source| Error::Read { path: PathBuf::from("standard input"), source })?;
    git::parse(&String::from_utf8_lossy(&diff)).map(Some)
}

/// Files that the configuration excludes, and those without a change. The workload is read in any case.
fn leaves(policy: &Policy, changed: Option<&Changed>, links: &Links, workload: &[PathBuf]) -> Leaves {
    let changed: Option<BTreeSet<String>> =
        changed.map(|changed| changed.files().map(str::to_owned).collect());
    let (policy, links, workload) = (policy.clone(), links.clone(), workload.to_vec());
    Leaves(Arc::new(move |path: &Path| {
        if workload.iter().any(|input| path.starts_with(input)) {
            return false;
        }
        let unchanged = |files: &BTreeSet<String>| !files.contains(&links.path(&path.display().to_string()));
        policy.leaves_out(path) || changed.as_ref().is_some_and(unchanged)
    }))
}

/// How this folder's files are called in the repository and on its server.
fn links() -> Links {
    let Ok(here) = std::env::current_dir() else { return Links::default() };
    let Some(root) = git::root(&here) else { return Links { base: base(), ..Links::default() } };
    let folder = here.strip_prefix(&root).map(|path| path.display().to_string()).unwrap_or_default();
    let folder = if folder.is_empty() { folder } else { format!("{folder}/") };
    Links { folder, root: root.display().to_string(), base: base() }
}

/// Where the files of this commit can be seen, as GitHub and GitLab tell their jobs.
fn base() -> Option<String> {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let github = || {
        let (server, repository) = (said("GITHUB_SERVER_URL")?, said("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/blob/{}/", said("GITHUB_SHA")?))
    };
    let gitlab = || Some(format!("{}/-/blob/{}/", said("CI_PROJECT_URL")?, said("CI_COMMIT_SHA")?));
    github().or_else(gitlab)
}

fn write(report: &Report, known: &[Rule], args: &CheckArgs) -> Result<(), Error> {
    let page = match args.format {
        CheckFormat::Text => {
            text::render(report, Subject::Check, &output::style(args.output.is_none(), args.color))
        }
        CheckFormat::Json => json::render(report),
        CheckFormat::Jsonl => formats::jsonl::render(report),
        CheckFormat::Sarif => formats::sarif::render(report, known),
        CheckFormat::Github => formats::github::render(report),
        CheckFormat::Gitlab => formats::gitlab::render(report),
        CheckFormat::Junit => formats::junit::render(report),
        CheckFormat::Rdjson => formats::rdjson::render(report),
        CheckFormat::Markdown => formats::markdown::render(report),
    };
    match &args.output {
        Some(path) => fs::write(path, page).map_err(|source| Error::Write { path: path.clone(), source })?,
        None => output::print(&page)?,
    }
    if args.format == CheckFormat::Github
        && let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
    {
        let path = PathBuf::from(path);
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(formats::markdown::render(report).as_bytes()))
            .map_err(|source| Error::Write { path, source })?;
    }
    Ok(())
}
