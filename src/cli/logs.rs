//! Statistics of logs, without a server.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::LogsArgs,
    output,
};
use crate::{error::Error, report::text::Subject};

pub(super) fn run(args: &LogsArgs) -> Result<Outcome, Error> {
    let done = perform(&Job { input: &args.input, server: None, pool: None, save: Some(&args.save) })?;
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}
