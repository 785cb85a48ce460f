//! Where a report goes, and what its findings mean for the exit code.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use super::{
    Outcome,
    args::{ColorWhen, FailOn, Format, OutputArgs},
};
use crate::{
    error::Error,
    finding::Severity,
    report::{
        Report, json,
        text::{self, Subject},
    },
};

/// Columns of a page that is not on a terminal.
const PLAIN_WIDTH: usize = 120;

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
    let threshold = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
        FailOn::Never => return Ok(Outcome::Clean),
    };
    Ok(if report.reaches(threshold) { Outcome::Findings } else { Outcome::Clean })
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
    text::Style { width: columns.or(measured).unwrap_or(PLAIN_WIDTH), color }
}

/// Whether an environment variable asks for something: set, and neither empty nor `0`.
fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}
