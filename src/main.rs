//! Parses the command line, runs it, and says how it ended: 0 nothing to complain about, 1 findings,
//! 2 the job could not be done.

use std::process::ExitCode;

/// Chunks of a log are read by one thread and merged by another: the system's allocator spends a third of the
/// time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sargable::cli::main()
}
