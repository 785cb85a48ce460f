//! `sargable demo` on the command line: the demo, with `analyze` as its analysis.

use super::{
    Outcome, analyze,
    args::{DemoArgs, PoolSizeArgs},
    demo, output, tell,
};
use crate::error::Error;

pub(super) fn run(args: &DemoArgs) -> Result<Outcome, Error> {
    let options =
        demo::DemoOptions { keep: args.keep, rows_scale: args.rows_scale, pg_bin: args.pg_bin.clone() };
    let analysis = |logs: &[std::path::PathBuf], url: &str| {
        let job = analyze::defaults(logs.to_vec(), url);
        let done = analyze::perform(&analyze::Job {
            input: &job.input,
            server: Some(&job.server),
            pool: Some(&PoolSizeArgs { cores: None, spindles: None, instances: None }),
        })?;
        output::write(&done.report, &job.output, job.fail_on)?;
        Ok(done.report.advice)
    };
    demo::run(&options, analysis, &mut std::io::stdout().lock(), &mut |line| tell(line))?;
    Ok(Outcome::Clean)
}
