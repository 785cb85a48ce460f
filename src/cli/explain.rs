//! One statement: its plan, what is wrong with it, and what would help.

use std::{fs, io::Read as _, path::Path};

use super::{Outcome, analyze, args::ExplainArgs, complain, gather, output, planner::Planner, tell};
use crate::{
    error::Error,
    finding::Location,
    report::text::Subject,
    sources::Ingested,
    sql::{Normalizer, parse, split},
    workload::{InputSummary, Statement, Workload},
};

pub(super) fn run(args: &ExplainArgs) -> Result<Outcome, Error> {
    let (name, text) = match (&args.sql, &args.file) {
        (Some(sql), _) => ("SQL".to_owned(), sql.clone()),
        (None, Some(path)) => (path.display().to_string(), read(path)?),
        (None, None) => unreachable!("clap asks for one of them"),
    };
    let ranges = split::statements(&text);
    let [range] = ranges.as_slice() else {
        return Err(Error::Usage {
            what: format!("{name} holds {} statements", ranges.len()),
            hint: Some("explain takes exactly one; use analyze for more".to_owned()),
        });
    };
    let sql = &text[range.clone()];
    if let Err(not_parsed) = parse::parse(sql) {
        return Err(Error::Usage {
            what: format!("the statement is not understood: {}", not_parsed.why),
            hint: None,
        });
    }
    let mut workload = Workload::at_start();
    let at = Location { file: name.clone(), line: 1, column: 1 };
    let statement = Statement { text: sql.to_owned(), at };
    let binds = args.binds.iter().map(|value| Some(value.clone())).collect::<Vec<_>>();
    let binds = (!binds.is_empty()).then_some(binds);
    workload.add_statement_with(statement, binds, &mut Normalizer::default());
    workload.close();
    let input = InputSummary {
        name,
        format: "sql".to_owned(),
        bytes: text.len() as u64,
        entries: 1,
        ..InputSummary::default()
    };
    if !workload.ranked().iter().all(|query| gather::plannable(query.kind)) {
        return Err(Error::Usage {
            what: "the statement has no plan".to_owned(),
            hint: Some("explain takes SELECT, VALUES, TABLE, WITH, INSERT, UPDATE or DELETE".to_owned()),
        });
    }
    let (server, complete) = match Planner::connect(&args.server) {
        Ok(server) => (server, true),
        Err(err) => {
            complain(&err);
            (None, false)
        }
    };
    let named = server.is_some();
    let read = Ingested { workload, inputs: vec![input], ..Ingested::default() };
    let mut done = analyze::judge(read, Some(&args.server), None, None, server, None);
    done.report.plan = done.first_plan;
    if done.report.plan.is_none() && complete {
        tell(if named {
            "no plan: what could not be judged says why"
        } else {
            "no plan: no server was named (--database-url)"
        });
    }
    let outcome = output::write(&done.report, Subject::Statement, &args.output, args.fail_on)?;
    Ok(if complete && done.complete { outcome } else { Outcome::Incomplete })
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(failed)
}
