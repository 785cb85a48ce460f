//! The indexes that a workload lacks: `analyze` with nothing but the index advice shown.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::AnalyzeArgs,
    output,
};
use crate::{advise::AdviceKind, error::Error};

pub(super) fn run(args: &AnalyzeArgs) -> Result<Outcome, Error> {
    let mut done = perform(&Job { input: &args.input, server: Some(&args.server), pool: None })?;
    done.report.findings.clear();
    done.report
        .advice
        .retain(|advice| matches!(advice.kind, AdviceKind::CreateIndex | AdviceKind::DropIndex));
    let outcome = output::write(&done.report, &args.output, args.fail_on)?;
    Ok(if done.complete { outcome } else { Outcome::Incomplete })
}
