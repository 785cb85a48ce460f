//! The indexes that a workload lacks: `analyze` with nothing but index advice and what it answers.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::AnalyzeArgs,
    output,
};
use crate::{
    advise::AdviceKind,
    config::Config,
    error::Error,
    report::text::{ANSWERED_BY_INDEX, Subject},
};

pub(super) fn run(args: &AnalyzeArgs, config: &Config) -> Result<Outcome, Error> {
    let mut done = perform(&Job {
        config,
        input: &args.input,
        server: Some(&args.server),
        pool: None,
        save: None,
        lint: None,
    })?;
    output::judge(&mut done.report, &args.figures);
    done.report.findings.retain(|finding| ANSWERED_BY_INDEX.contains(&finding.rule.as_str()));
    done.report
        .advice
        .retain(|advice| matches!(advice.kind, AdviceKind::CreateIndex | AdviceKind::DropIndex));
    let outcome = output::write(&done.report, Subject::Indexes, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}
