//! Parses the command line, runs it, and says how it ended: 0 nothing to complain about, 1 findings,
//! 2 the job could not be done.

use std::process::ExitCode;

/// Statements are parsed by all cores, into many small pieces that another thread gives back: with the system's
/// allocator a lint run takes a fifth longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sargable::cli::main()
}
