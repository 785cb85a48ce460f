//! The server's own count of its statements as a workload: `--pg-stat-statements`.

use super::{complain, planner::Planner};
use crate::{error::Error, sources::Ingested, sql::Normalizer, workload::InputSummary};

/// As the report's inputs name it.
const NAME: &str = "pg_stat_statements";

/// Adds what the server counted to what was read; whether the server gave it. Where a log tells of executions, these are
/// the same ones, and are left out.
pub(super) fn add(read: &mut Ingested, server: Option<&mut Planner>) -> Result<bool, Error> {
    let Some(planner) = server.filter(|planner| planner.is_the_analysed_one()) else {
        return Err(Error::Usage {
            what: "--pg-stat-statements asks the server that counted, and none is connected".to_owned(),
            hint: Some("name it by --database-url; a snapshot has no counts of statements".to_owned()),
        });
    };
    if read.workload.totals().executions > 0 {
        read.not_judged
            .add(NAME, "the log tells of the executions themselves: what was counted is not added");
        return Ok(true);
    }
    let (counted, not_judged) = match planner.server.statements() {
        Ok(counted) => counted,
        Err(err) => {
            complain(&err);
            return Ok(false);
        }
    };
    read.not_judged.merge(not_judged);
    read.not_judged
        .add(NAME, "no percentiles, times of day or loops: it counts statements, and not each execution");
    let mut normalizer = Normalizer::default();
    for one in &counted {
        read.workload.add_counted(one, &mut normalizer);
    }
    read.inputs.push(InputSummary {
        name: NAME.to_owned(),
        format: "pg-stat-statements".to_owned(),
        entries: counted.len() as u64,
        ..InputSummary::default()
    });
    Ok(true)
}
