//! What could not be read or judged, with the reasons and how to get what was missing; and the last
//! line, which a person sees first when the page has scrolled by.

use super::{
    findings::tally,
    page::Page,
    units::{count, grouped},
};
use crate::report::Report;

/// What a reason may hold (in lower case), and what then helps.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &[
            "no plan",
            "no catalog",
            "no database",
            "not connected",
            "no connection",
            "without a server",
            "no server",
        ],
        "connect with --database-url, so that the server's plans, tables and statistics are known",
    ),
    (
        &["log_min_duration_statement", "log_statement_sample_rate", "log_min_duration_sample", "sampled"],
        "log every statement for a while: log_min_duration_statement = 0, without sampling",
    ),
    (
        &["bind value", "parameters", "log_parameter_max_length"],
        "log the bind values whole: log_parameter_max_length = -1",
    ),
    (&["prefix"], "pass --log-line-prefix as SHOW log_line_prefix prints it"),
    (&["never analy", "no statistics", "not analy"], "run ANALYZE on those tables"),
    (&["hypopg"], "CREATE EXTENSION hypopg lets the planner cost an index that does not exist"),
    (&["time budget", "explain-budget"], "give more time with --explain-budget"),
];

pub(super) fn write(page: &mut Page, report: &Report) {
    let skipped: Vec<_> = report.inputs.iter().filter(|input| input.skipped > 0).collect();
    if !skipped.is_empty() || !report.not_judged.is_empty() {
        page.heading("Not judged");
    }
    for input in skipped {
        let (one, many) = if input.format == "sql" { ("statement", "statements") } else { ("line", "lines") };
        let number = count(input.skipped, one, many);
        let places = match input.skipped_at.as_slice() {
            [] => String::new(),
            places => format!(", such as {}", places.join(", ")),
        };
        page.hanging(2, "- ", 2, &format!("{}: {number} not understood{places}", input.name));
    }
    for line in &report.not_judged {
        let times = if line.count > 1 { format!(" ({} times)", grouped(line.count)) } else { String::new() };
        page.hanging(2, "- ", 2, &format!("{}: {}{times}", line.what, line.why));
    }
    let helps: Vec<&str> = REMEDIES
        .iter()
        .filter(|(needles, _)| {
            report.not_judged.iter().any(|line| {
                let why = line.why.to_lowercase();
                needles.iter().any(|needle| why.contains(needle))
            })
        })
        .map(|(_, remedy)| *remedy)
        .collect();
    if !helps.is_empty() {
        page.blank();
        page.prose(0, "To have more judged:");
        for help in helps {
            page.hanging(2, "- ", 2, help);
        }
    }
    page.blank();
    let not_judged: u64 = report.not_judged.iter().map(|line| line.count).sum();
    let skipped: u64 = report.inputs.iter().map(|input| input.skipped).sum();
    page.prose(
        0,
        &format!(
            "{}, {}; {} not judged, {} not understood",
            tally(report),
            count(report.advice.len() as u64, "piece of advice", "pieces of advice"),
            grouped(not_judged),
            count(skipped, "line", "lines")
        ),
    );
}
