//! Statistics of logs, without a server.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::LogsArgs,
    follow, output,
};
use crate::{config::Config, error::Error, report::text::Subject};

pub(super) fn run(args: &LogsArgs, config: &Config) -> Result<Outcome, Error> {
    if args.follow {
        return follow::run(args, config);
    }
    let mut done = perform(&Job {
        config,
        input: &args.input,
        server: None,
        advice: None,
        verify: None,
        pool: None,
        counted: false,
        save: Some(&args.save),
        lint: None,
    })?;
    output::judge(&mut done.report, &args.figures);
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}
