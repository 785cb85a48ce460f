//! Lints SQL files: the same spine without a log.

use super::{
    Outcome,
    analyze::{Job, perform},
    args::{CheckArgs, InputArgs},
    filter::FilterArgs,
    output, tell,
};
use crate::{error::Error, report::text::Subject};

pub(super) fn run(args: &CheckArgs) -> Result<Outcome, Error> {
    let input = InputArgs {
        paths: args.paths.clone(),
        log_line_prefix: None,
        input_format: None,
        all_occurrences: false,
        threads: None,
        filter: FilterArgs::default(),
    };
    let done = perform(&Job { input: &input, server: Some(&args.server), pool: None, save: None })?;
    let outcome = output::write(&done.report, Subject::Workload, &args.output, args.fail_on)?;
    let unparsed = done.report.coverage.map_or(0, |coverage| coverage.read - coverage.parsed);
    if args.strict && unparsed > 0 {
        let statements = if unparsed == 1 { "statement was" } else { "statements were" };
        tell(&format!("error: {unparsed} {statements} not parsed (--strict)"));
        return Ok(done.ended(Outcome::Findings));
    }
    Ok(done.ended(outcome))
}
