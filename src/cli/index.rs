//! The indexes that a workload lacks: `analyze` with nothing but index advice and what it answers.

use std::{fs, path::Path};

use jiff::Timestamp;

use super::{
    Outcome,
    analyze::{Job, perform},
    args::IndexArgs,
    output, tell,
};
use crate::{
    advise::AdviceKind,
    config::Config,
    error::Error,
    report::{
        Report, index, migration,
        text::{ABOUT_INDEXES, Subject},
    },
};

/// Names the index whose order is wrong, which the advice does not.
const MISORDERED: &str = "index-order";

pub(super) fn run(args: &IndexArgs, config: &Config) -> Result<Outcome, Error> {
    let mut done = perform(&Job {
        config,
        input: &args.input,
        server: Some(&args.server),
        advice: Some(&args.advice),
        verify: args.verify.as_deref(),
        pool: None,
        counted: args.pg_stat_statements,
        save: None,
        lint: None,
    })?;
    output::judge(&mut done.report, &args.figures);
    let report = &mut done.report;
    // What a change of the advice answers is told there.
    let mut findings = std::mem::take(&mut report.findings);
    findings.retain(|finding| {
        let rule = finding.rule.as_str();
        ABOUT_INDEXES.contains(&rule) && (rule == MISORDERED || index::answering(report, finding).is_none())
    });
    report.findings = findings;
    // What other rules lack, such as plans that ran, is not missed here.
    let names: Vec<&str> = crate::rules::BUILTIN.iter().map(|rule| rule.name.as_str()).collect();
    report
        .not_judged
        .retain(|line| ABOUT_INDEXES.contains(&line.what.as_str()) || !names.contains(&line.what.as_str()));
    report.advice.retain(|advice| advice.kind != AdviceKind::Pool);
    if !args.why_not
        && let Some(search) = &mut report.index
    {
        search.rejected.clear();
    }
    let missing = report.advice.iter().any(|advice| advice.kind == AdviceKind::CreateIndex);
    let outcome = match args.migration {
        Some(tool) => {
            write_migration(report, tool, args.output.output.as_deref())?;
            Outcome::Clean
        }
        None => output::write(report, Subject::Indexes, &args.output, args.fail_on)?,
    };
    let outcome = if missing && args.fail_on_missing { Outcome::Findings } else { outcome };
    Ok(done.ended(outcome))
}

/// Writes the files into a folder, or all of them to standard output, each under its name.
fn write_migration(report: &Report, tool: migration::Tool, folder: Option<&Path>) -> Result<(), Error> {
    let files = migration::files(report, tool, Timestamp::now());
    if files.is_empty() {
        tell("no index is missing: no migration is written");
    }
    for file in files {
        match folder {
            Some(folder) => {
                let path = folder.join(&file.path);
                let failed = |source| Error::Write { path: path.clone(), source };
                fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
                fs::write(&path, file.text).map_err(failed)?;
                tell(&format!("wrote {}", path.display()));
            }
            None => output::print(&format!("-- {}\n{}\n", file.path, file.text))?,
        }
    }
    Ok(())
}
