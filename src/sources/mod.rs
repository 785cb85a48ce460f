//! Files → events → [`Workload`], in bounded memory, on all cores.
//!
//! PostgreSQL logs (stderr with any `log_line_prefix`, csvlog, jsonlog), query logs of applications and
//! SQL files, plain or compressed with gzip or zstd, are recognised by what they hold. One run logged in the three formats
//! gives the same events, and cutting a log anywhere changes nothing.
//!
//! ```text
//! open ─▶ recognise ─▶ chunks ─▶ pglog (entries, events) ─▶ pipeline ─▶ Workload
//!                  ├─▶ applog (events) ─────────────────────────────────┤
//!                  └─▶ sqlfile (statements) ───────────────────────────┘
//! ```
//!
//! Left alone: envelopes that other programs put around log lines (syslog, container runtimes), and
//! statements that a log does not show.

mod applog;
mod chunks;
pub mod ddl;
mod inputs;
mod open;
mod pglog;
mod pipeline;
mod recognise;
mod sqlfile;

use std::{path::PathBuf, sync::Arc};

use inputs::Sorted;
use pglog::prefix::Prefix;
pub use pipeline::Collector;
use recognise::Prefixes;

use crate::{
    error::{Error, NotJudged},
    sql::Normalizer,
    workload::{Event, InputSummary, Statement, Workload},
};

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// As the server's setting spells it; used for every stderr log.
    pub log_line_prefix: Option<String>,
    /// The connected server's setting: used where no flag is given and it fits the file.
    pub server_prefix: Option<String>,
    /// Threads that scan; one more reads.
    pub threads: usize,
    /// How much a thread takes at once. An entry that is longer is still read whole.
    pub chunk_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Options { log_line_prefix: None, server_prefix: None, threads, chunk_bytes: 4 << 20 }
    }
}

/// What a run's inputs gave.
#[derive(Debug, Default)]
pub struct Ingested {
    /// Closed.
    pub workload: Workload,
    /// Logs by the time of their first entry, then SQL files: [`crate::workload::Position::input`] is an
    /// index into this.
    pub inputs: Vec<InputSummary>,
    pub not_judged: NotJudged,
    /// Inputs that were not read in full (missing, truncated, binary), each with why: what was read is
    /// here, but the job was not done in full.
    pub damages: Vec<String>,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Index of the input that is read, in the order of [`Ingested::inputs`].
    pub input: usize,
    /// Of all inputs so far, after decompression.
    pub bytes: u64,
}

/// Reads files, folders (recursively: SQL files and logs) and stdin (`-`).
///
/// Errors: [`Error::PrefixWithoutTime`]; and when nothing in the inputs could be used,
/// [`Error::NothingUnderstood`], or [`Error::Read`] where that is the reason.
pub fn ingest(
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ingested, Error> {
    let gathered = gather::<Counted>(paths, options, &Normalizer::default, progress)?;
    let Counted(mut workload) = gathered.collected;
    let mut normalizer = Normalizer::default();
    for statement in gathered.statements {
        workload.add_statement(statement, &mut normalizer);
    }
    workload.close();
    let Gathered { inputs, mut not_judged, damages, .. } = gathered;
    if inputs.iter().any(|input| input.format != "sql")
        && workload.totals().executions == 0
        && workload.totals().errors == 0
    {
        not_judged.add("log", "it tells of no statement (set log_min_duration_statement = 0)");
    }
    Ok(Ingested { workload, inputs, not_judged, damages })
}

/// Events and statements as they were read, for a collector of one's own.
#[derive(Debug)]
pub struct Gathered<C> {
    pub collected: C,
    pub statements: Vec<Statement>,
    /// As [`Ingested`] has them; so are the next two.
    pub inputs: Vec<InputSummary>,
    pub not_judged: NotJudged,
    pub damages: Vec<String>,
}

/// A workload in the making.
#[derive(Default)]
struct Counted(Workload);

impl Collector for Counted {
    type Tools = Normalizer;

    fn at_start() -> Counted {
        Counted(Workload::at_start())
    }

    fn event(&mut self, event: &Event<'_>, normalizer: &mut Normalizer) {
        self.0.add(event, normalizer);
    }

    fn append(&mut self, later: Counted) {
        self.0.merge(later.0);
    }
}

/// As [`ingest`], with a collector of the caller's in place of the workload; each thread makes its tools.
pub fn gather<C: Collector>(
    paths: &[PathBuf],
    options: &Options,
    tools: &(dyn Fn() -> C::Tools + Sync),
    progress: &mut dyn FnMut(Progress),
) -> Result<Gathered<C>, Error> {
    let compile = |text: &Option<String>| text.as_deref().map(Prefix::compile).transpose();
    let prefixes = Prefixes {
        given: compile(&options.log_line_prefix)?.map(Arc::new),
        // The server may write csvlog and leave the prefix without a time: then it fits no file.
        server: compile(&options.server_prefix).ok().flatten().map(Arc::new),
    };
    let mut sorted = Sorted::default();
    for source in open::sources(paths) {
        sorted.add(source, &prefixes);
    }
    sorted.read(options, tools, progress)
}
