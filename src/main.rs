//! Parses the command line, runs it, and says how it ended: 0 nothing to complain about, 1 findings,
//! 2 the job could not be done.

use std::process::ExitCode;

fn main() -> ExitCode {
    sargable::cli::main()
}
