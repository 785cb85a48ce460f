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
    workload::{Event, Filter, InputSummary, LeftOut, Statement, Workload, filter::Verdicts},
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
    /// What counts; `None` is everything.
    pub filter: Option<Arc<Filter>>,
}

impl Default for Options {
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Options { log_line_prefix: None, server_prefix: None, threads, chunk_bytes: 4 << 20, filter: None }
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
    /// What the filter left out.
    pub left_out: LeftOut,
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
    let tools = || Tools { filter: options.filter.clone(), ..Tools::default() };
    let gathered = gather::<Counted>(paths, options, &tools, progress)?;
    let Counted { mut workload, mut left_out } = gathered.collected;
    let Tools { mut normalizer, filter, mut verdicts } = tools();
    for statement in gathered.statements {
        let sql = statement.text.as_bytes();
        if filter.as_ref().is_none_or(|filter| filter.admits_text(sql, &mut normalizer, &mut verdicts)) {
            workload.add_statement(statement, &mut normalizer);
        } else {
            left_out.statements += 1;
        }
    }
    workload.close();
    let Gathered { inputs, not_judged, damages, .. } = gathered;
    Ok(Ingested { workload, inputs, not_judged, damages, left_out })
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

/// A workload in the making, of those events that count.
#[derive(Default)]
struct Counted {
    workload: Workload,
    left_out: LeftOut,
}

#[derive(Default)]
struct Tools {
    normalizer: Normalizer,
    filter: Option<Arc<Filter>>,
    verdicts: Verdicts,
}

impl Collector for Counted {
    type Tools = Tools;

    fn at_start() -> Counted {
        Counted { workload: Workload::at_start(), ..Counted::default() }
    }

    fn event(&mut self, event: &Event<'_>, tools: &mut Tools) {
        if let Some(filter) = &tools.filter
            && !filter.admits(event, &mut tools.normalizer, &mut tools.verdicts, &mut self.left_out)
        {
            return;
        }
        self.workload.add(event, &mut tools.normalizer);
    }

    fn append(&mut self, later: Counted) {
        self.workload.merge(later.workload);
        self.left_out.merge(&later.left_out);
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
