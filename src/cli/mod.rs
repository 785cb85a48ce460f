//! The command line: one file a subcommand, each wires the spine once.

mod advice;
mod analyze;
mod args;
mod check;
mod configure;
mod counted;
pub mod demo;
mod explain;
mod filter;
mod fix;
mod follow;
mod gather;
mod git;
mod index;
mod init;
mod lint;
mod logs;
mod output;
mod planner;
mod plans;
mod pool;
mod progress;
mod rules;
mod rules_test;
mod run_demo;
mod schema;
mod snapshot;
mod user_rules;
mod verify;

use std::{error::Error as _, io::Write as _, process::ExitCode};

use self::args::{Cli, Command};
use crate::error::Error;

/// How a run ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing at or above `--fail-on`.
    Clean,
    /// Findings at or above it.
    Findings,
    /// A report was written, but a part of the job could not be done; the reason stands on stderr.
    Incomplete,
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::typed() {
        Ok(cli) => cli,
        Err(err) => {
            // Help and version are asked for; anything else is a wrong command line.
            let asked = !err.use_stderr();
            let _ = err.print();
            return ExitCode::from(if asked { 0 } else { 2 });
        }
    };
    let config = || configure::config(&cli.config);
    let ended = match cli.command {
        Command::Analyze(args) => config().and_then(|config| analyze::run(&args, &args.schema.over(&config))),
        Command::Check(args) => config().and_then(|config| check::run(&args, &args.schema.over(&config))),
        Command::Explain(args) => explain::run(&args),
        Command::Index(args) => config().and_then(|config| index::run(&args, &config)),
        Command::Init(args) => init::run(&args),
        Command::Logs(args) => config().and_then(|config| logs::run(&args, &config)),
        Command::Plans(args) => config().and_then(|config| plans::run(&args, &config)),
        Command::Pool(args) => config().and_then(|config| pool::run(&args, &config)),
        Command::Rules(args) => rules::run(&args),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Demo(args) => run_demo::run(&args),
    };
    match ended {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(2),
        // The reader of our output went away, as `head` does: nobody is left to complain to.
        Err(Error::Write { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(err) => {
            complain(&err);
            ExitCode::from(2)
        }
    }
}

/// Prints an error with its causes and its remedy on stderr.
fn complain(err: &Error) {
    let mut text = format!("error: {err}\n");
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(&format!("  because: {cause}\n"));
        source = cause.source();
    }
    if let Some(hint) = err.hint() {
        text.push_str(&format!("  help: {hint}\n"));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// One line of progress on stderr, for a person who waits.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
