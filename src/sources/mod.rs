//! Files → events → [`Workload`], in bounded memory, on all cores.
//!
//! PostgreSQL logs (stderr with any `log_line_prefix`, csvlog, jsonlog), query logs of applications and
//! SQL files, plain or compressed (gzip, zstd, bzip2, xz, lz4) and in envelopes (syslog, container
//! runtimes, log services), are recognised by what they hold. One run logged in the three formats gives
//! the same events, and cutting a log anywhere changes nothing.
//!
//! ```text
//! open ─▶ envelope ─▶ recognise ─▶ chunks ─▶ pglog (entries, events) ─▶ pipeline ─▶ Workload
//!                               ├─▶ applog (events) ──────────────────────────────────┤
//!                               └─▶ scripts (SQL files; code: strings of programs) ───┘
//! ```
//!
//! Left alone: statements that a log does not show.

mod applog;
mod chunks;
mod code;
mod compressed;
pub mod digest;
mod envelope;
mod folders;
mod inputs;
mod mixed;
mod open;
mod pgbouncer;
mod pglog;
mod pipeline;
mod recognise;
pub mod schema;
mod scripts;
mod tail;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

pub use applog::Readers;
use folders::Named;
use pglog::prefix::Prefix;
pub use pipeline::Collector;
use recognise::Prefixes;
pub use schema::Schema;
pub use tail::Stop;

use crate::{
    error::{Error, NotJudged},
    sql::Normalizer,
    threads,
    workload::{Digest, Event, Filter, InputSummary, LeftOut, Script, Statement, Workload, filter::Verdicts},
};

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// As the server's setting spells it; used for every stderr log.
    pub log_line_prefix: Option<String>,
    /// The connected server's setting: used where no flag is given and it fits the file.
    pub server_prefix: Option<String>,
    /// One of [`input_formats`] or of `readers`: what every input is, or what its lines lie in, whatever
    /// they look like.
    pub input_format: Option<String>,
    /// Formats that the user defined.
    pub readers: Readers,
    /// Threads that scan; one more reads.
    pub threads: usize,
    /// How much a thread takes at once. An entry that is longer is still read whole.
    pub chunk_bytes: usize,
    /// Give a [`Digest`] of the logs as well.
    pub digest: Option<Literals>,
    /// Wait for more of the newest log (or of standard input), until this says stop.
    pub follow: Option<Stop>,
    /// What counts; `None` is everything.
    pub filter: Option<Arc<Filter>>,
    /// SQL files and folders whose DDL is the schema: nothing else in them counts.
    pub schema: Vec<PathBuf>,
    /// Files that are not looked at, whether they were named or found in a folder.
    pub left_out: Option<Leaves>,
    /// What standard input is called; what it holds is told by that name.
    pub stdin: Option<PathBuf>,
    /// Leave out of folders what .gitignore and .ignore name.
    pub ignores: bool,
    /// Give the texts of SQL files as well.
    pub scripts: bool,
    /// What these files are to hold, by their names in reports, in place of what they do.
    pub texts: Arc<BTreeMap<String, String>>,
}

/// Says of a path that it is not to be read.
#[derive(Clone)]
pub struct Leaves(pub Arc<dyn Fn(&std::path::Path) -> bool + Send + Sync>);

impl std::fmt::Debug for Leaves {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Leaves")
    }
}

/// Whether a digest holds statements and bind values as they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    Keep,
    Forget,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            log_line_prefix: None,
            server_prefix: None,
            input_format: None,
            readers: Readers::default(),
            threads: threads::cores(),
            chunk_bytes: 4 << 20,
            digest: None,
            follow: None,
            filter: None,
            schema: Vec::new(),
            left_out: None,
            stdin: None,
            ignores: false,
            scripts: false,
            texts: Arc::default(),
        }
    }
}

/// The names that [`Options::input_format`] takes: formats, then envelopes.
pub fn input_formats() -> Vec<&'static str> {
    let ours = ["pg-stderr", "pg-csv", "pg-json", "sql"];
    ours.into_iter().chain(applog::names()).chain(envelope::NAMES.iter().copied()).collect()
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
    /// Where [`Options::digest`] asked for it.
    pub digest: Option<Digest>,
    /// What the filter left out.
    pub left_out: LeftOut,
    /// Where [`Options::scripts`] asked for them, as far as `SCRIPT_BYTES` go.
    pub scripts: Vec<Script>,
    /// What the DDL in SQL files makes.
    pub schema: Schema,
}

/// How much text of SQL files is kept to be shown.
const SCRIPT_BYTES: usize = 128 << 20;

/// How far the reading is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Index of the input that is read, in the order of [`Ingested::inputs`].
    pub input: usize,
    /// Of all inputs so far, after decompression.
    pub bytes: u64,
    /// Of all inputs, 0 to 1; `None` where nobody knows how much there is (standard input).
    pub share: Option<f64>,
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
    watch(paths, options, &mut |far, _| progress(far))
}

/// The same, showing the workload as it grows: it is not closed, and what is open in it is not yet counted.
pub fn watch(
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(Progress, &Workload),
) -> Result<Ingested, Error> {
    let named = named(paths, options);
    ingest_named(named, options, progress)
}

/// Reads a text as the file of this name, of which there may be none.
///
/// Errors: as [`ingest`].
pub fn ingest_text(name: &str, text: String, options: &Options) -> Result<Ingested, Error> {
    ingest_named(vec![Named::of_text(name, text)], options, &mut |_, _| ())
}

/// The files that paths name.
fn named(paths: &[PathBuf], options: &Options) -> Vec<Named> {
    let leaves = options.left_out.as_ref().map(|leaves| &*leaves.0);
    let left_out = |path: &std::path::Path| leaves.is_some_and(|leaves| leaves(path));
    let manner =
        folders::Manner { left_out: &left_out, ignores: options.ignores, stdin: options.stdin.as_deref() };
    folders::named(paths, manner).into_iter().map(|named| named.or_text(&options.texts)).collect()
}

fn ingest_named(
    named: Vec<Named>,
    options: &Options,
    progress: &mut dyn FnMut(Progress, &Workload),
) -> Result<Ingested, Error> {
    let given = schema::given(&options.schema)?;
    let mut progress = |far, counted: &Counted| progress(far, &counted.workload);
    let tools = || Tools { filter: options.filter.clone(), ..Tools::default() };
    let gathered = gather_named::<Counted>(named, options, &tools, &mut progress)?;
    let Gathered { collected, statements, digests, mut inputs, mut not_judged, damages, scripts } = gathered;
    let Counted { mut workload, mut left_out } = collected;
    for (name, digest) in digests {
        digest::append(&name, digest, &mut workload, &mut inputs, &mut not_judged);
    }
    let digest = options
        .digest
        .map(|literals| Digest::of(&workload, &inputs, &not_judged, literals == Literals::Keep));
    let schema = schema::of_statements(&given, &statements);
    for counted in threads::in_parts(&statements, AT_ONCE, |part| count(part, tools())) {
        workload.merge_statements(counted.workload);
        left_out.merge(&counted.left_out);
    }
    drop(statements);
    workload.close();
    let silent = workload.totals().executions == 0 && workload.totals().errors == 0;
    if silent && inputs.iter().any(|input| !input.is_written() && input.format != pgbouncer::KIND.name) {
        not_judged.add("log", "it tells of no statement (set log_min_duration_statement = 0)");
    }
    Ok(Ingested { workload, inputs, not_judged, damages, digest, left_out, scripts, schema })
}

/// Statements that one core counts before it takes others.
const AT_ONCE: usize = 4096;

fn count(statements: &[Statement], tools: Tools) -> Counted {
    let Tools { mut normalizer, filter, mut verdicts } = tools;
    let mut counted = Counted::default();
    for statement in statements {
        let sql = statement.text.as_bytes();
        if filter.as_ref().is_none_or(|filter| filter.admits_text(sql, &mut normalizer, &mut verdicts)) {
            counted.workload.add_statement(statement.clone(), &mut normalizer);
        } else {
            counted.left_out.statements += 1;
        }
    }
    counted
}

/// Events and statements as they were read, for a collector of one's own.
#[derive(Debug)]
pub struct Gathered<C> {
    pub collected: C,
    pub statements: Vec<Statement>,
    /// Digests of other runs, by the name of their file.
    pub digests: Vec<(String, Digest)>,
    /// As [`Ingested`] has them; so are the next two.
    pub inputs: Vec<InputSummary>,
    pub not_judged: NotJudged,
    pub damages: Vec<String>,
    pub scripts: Vec<Script>,
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
    progress: &mut dyn FnMut(Progress, &C),
) -> Result<Gathered<C>, Error> {
    gather_named(named(paths, options), options, tools, progress)
}

fn gather_named<C: Collector>(
    named: Vec<Named>,
    options: &Options,
    tools: &(dyn Fn() -> C::Tools + Sync),
    progress: &mut dyn FnMut(Progress, &C),
) -> Result<Gathered<C>, Error> {
    let compile = |text: &Option<String>| text.as_deref().map(Prefix::compile).transpose();
    let prefixes = Prefixes {
        given: compile(&options.log_line_prefix)?.map(Arc::new),
        // The server may write csvlog and leave the prefix without a time: then it fits no file.
        server: compile(&options.server_prefix).ok().flatten().map(Arc::new),
        format: options.input_format.clone(),
        readers: options.readers.clone(),
    };
    let mut sorted = inputs::sort(named, &prefixes, options.threads);
    if let Some(stop) = &options.follow {
        sorted.follow(stop)?;
    }
    sorted.read(options, tools, progress)
}
