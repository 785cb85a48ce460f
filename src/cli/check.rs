//! Lints SQL files: the same spine without a log.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::{CheckArgs, InputArgs},
    filter::FilterArgs,
    output,
};
use crate::{config::Config, error::Error, report::text::Subject};

pub(super) fn run(args: &CheckArgs, config: &Config) -> Result<Outcome, Error> {
    let input = InputArgs {
        paths: args.paths.clone(),
        log_line_prefix: None,
        input_format: None,
        all_occurrences: false,
        threads: None,
        filter: FilterArgs::default(),
    };
    let done = perform(&Job { config, input: &input, server: Some(&args.server), pool: None, save: None })?;
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    Ok(done.ended(outcome))
}
