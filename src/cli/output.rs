//! Where a report goes, and what its findings mean for the exit code.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use super::{
    Outcome,
    args::{ColorWhen, FailOn, FigureArgs, Format, OutputArgs, SortBy},
    tell,
};
use crate::{
    error::Error,
    finding::Severity,
    report::{
        Order, Ranking, Report, json,
        slo::{self, Objective},
        text::{self, Subject},
    },
};

/// Columns of a page that is not on a terminal.
const PLAIN_WIDTH: usize = 120;

/// Holds the report to the objectives, and ranks its queries.
pub(super) fn judge(report: &mut Report, args: &FigureArgs) {
    let by = match args.sort {
        SortBy::Total => Order::Total,
        SortBy::Calls => Order::Calls,
        SortBy::Mean => Order::Mean,
        SortBy::P95 => Order::P95,
        SortBy::P99 => Order::P99,
        SortBy::Max => Order::Max,
        SortBy::Rows => Order::Rows,
        SortBy::Errors => Order::Errors,
    };
    report.rank(Ranking { by, top: args.top });
    let mut objectives = args.slo.clone();
    objectives.extend(args.slo_per_query.iter().map(|one| Objective { per_query: true, ..*one }));
    report.slo = slo::judge(&objectives, report);
}

/// Writes the report and says how the run ended, so far as its findings go.
pub(super) fn write(
    report: &Report,
    subject: Subject,
    args: &OutputArgs,
    fail_on: FailOn,
) -> Result<Outcome, Error> {
    let page = match args.format {
        Format::Json => json::render(report),
        Format::Text => text::render(report, subject, &style(args.output.is_none(), args.color)),
    };
    match &args.output {
        Some(path) => fs::write(path, page).map_err(|source| Error::Write { path: path.clone(), source })?,
        None => print(&page)?,
    }
    for verdict in report.slo.iter().filter(|verdict| verdict.met.is_none()) {
        tell(&format!("error: the log does not tell whether {} is met", verdict.metric));
    }
    if report.slo.iter().any(|verdict| verdict.met.is_none()) {
        return Ok(Outcome::Incomplete);
    }
    let threshold = match fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Note => Some(Severity::Note),
        FailOn::Never => None,
    };
    let found = threshold.is_some_and(|threshold| report.reaches(threshold));
    Ok(if found || report.misses_an_objective() { Outcome::Findings } else { Outcome::Clean })
}

/// Writes to standard output.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { path: PathBuf::from("standard output"), source })
}

/// How a page looks on standard output, or in a file.
pub(super) fn style(to_stdout: bool, color: ColorWhen) -> text::Style {
    let terminal = to_stdout && io::stdout().is_terminal();
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = terminal
        .then(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)))
        .flatten();
    let color = match color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => set("CLICOLOR_FORCE") || terminal && !set("NO_COLOR"),
    };
    text::Style { width: columns.or(measured).unwrap_or(PLAIN_WIDTH), color, unicode: unicode() }
}

/// Whether the locale says UTF-8. Where it says nothing, most terminals can; the kernel's own cannot.
fn unicode() -> bool {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => !matches!(said("TERM").as_deref(), Some("linux" | "dumb")),
    }
}

/// Whether an environment variable asks for something: set, and neither empty nor `0`.
fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}
