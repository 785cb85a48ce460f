//! A connection-pool size, from the cores, the log and the server's settings, whichever are known.

use super::{
    Outcome, analyze,
    args::{FailOn, PoolArgs},
    complain, configure, output,
    planner::Planner,
};
use crate::{
    config::Config,
    error::Error,
    report::{Report, text::Subject},
    sources::Ingested,
};

pub(super) fn run(args: &PoolArgs, config: &Config) -> Result<Outcome, Error> {
    let readers = configure::readers(&args.input, config)?;
    let (mut server, mut complete) = match Planner::connect(&args.server) {
        Ok(server) => (server, true),
        Err(err) => {
            complain(&err);
            (None, false)
        }
    };
    let mut read = if args.input.paths.is_empty() {
        Ingested::default()
    } else {
        analyze::read(&args.input, readers, Vec::new(), None, server.as_mut(), None)?
    };
    complete &= read.damages.is_empty();
    let (catalog, seen) = Planner::seen(server.as_mut(), &mut read.not_judged);
    complete &= seen;
    let advice = analyze::pool_advice(&read.workload, catalog.as_ref(), server.as_ref(), &args.pool);
    if advice.is_none() && complete {
        return Err(Error::Usage {
            what: "nothing to size a pool by".to_owned(),
            hint: Some("pass --cores, a log, or --database-url".to_owned()),
        });
    }
    let advice = advice.into_iter().collect();
    let mut report = Report::new(&read.inputs, &read.workload, Vec::new(), advice, &read.not_judged);
    if args.input.filter.filter().is_some() {
        report.filtered(args.input.filter.conditions(), &read.left_out);
    }
    let outcome = output::write(&report, Subject::Pool, &args.output, FailOn::Never)?;
    Ok(if complete { outcome } else { Outcome::Incomplete })
}
