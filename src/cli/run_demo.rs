//! `sargable demo` on the command line: the demo with `analyze` as its analysis, held against what the
//! shop has wrong on purpose.

use std::path::PathBuf;

use super::{
    Outcome, analyze,
    args::DemoArgs,
    demo::{self, planted},
    output, tell,
};
use crate::{config::Config, error::Error, report::text::Subject};

/// From this scale on the tables are large enough for every planted problem to matter.
const JUDGED_FROM: f64 = 0.1;

pub(super) fn run(args: &DemoArgs) -> Result<Outcome, Error> {
    let options =
        demo::DemoOptions { keep: args.keep, rows_scale: args.rows_scale, pg_bin: args.pg_bin.clone() };
    let mut outcome = Outcome::Clean;
    let analysis = |logs: &[PathBuf], url: &str| {
        let job = analyze::defaults(logs.to_vec(), url);
        let done = analyze::perform(&analyze::Job {
            config: &Config::default(),
            input: &job.input,
            server: Some(&job.server),
            advice: None,
            verify: None,
            pool: Some(&job.pool),
            counted: false,
            save: None,
            lint: None,
        })?;
        output::write(&done.report, Subject::Workload, &job.output, job.fail_on)?;
        if args.rows_scale >= JUDGED_FROM {
            let differences = planted::differences(&done.report.findings);
            if !differences.is_empty() {
                outcome = Outcome::Incomplete;
            }
            output::print(&self_check(&differences))?;
        }
        Ok(done.report.advice)
    };
    demo::run(&options, analysis, &mut std::io::stdout(), &mut |line| tell(line))?;
    Ok(outcome)
}

fn self_check(differences: &[String]) -> String {
    let all = planted::ALL.len();
    if differences.is_empty() {
        return format!(
            "\nThe shop has {all} problems on purpose: all were found,\nand nothing else at severity warning or above.\n"
        );
    }
    let mut text = format!("\nThe shop has {all} problems on purpose, and the analysis differs:\n");
    for line in differences {
        text.push_str(&format!("  {line}\n"));
    }
    text
}
