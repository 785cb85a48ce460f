//! The inputs of a run by what they are: in which order they are read, what is said of each, and why
//! nothing was understood.

use std::{collections::BTreeMap, sync::Mutex};

use super::{
    Collector, Gathered, Options, Progress, SCRIPT_BYTES, applog, digest,
    envelope::Layer,
    folders::Named,
    mixed,
    open::Source,
    pglog::{self, Format, Tally},
    pipeline::{self, Found, Log},
    recognise::{self, First, Kind, Prefixes},
    scripts::{self, Written},
    tail::Stop,
};
use crate::{
    error::{Error, NotJudged},
    workload::{Digest, InputSummary},
};

/// A log that was recognised, before it is read.
struct Recognised {
    source: Source,
    format: Format,
    first: First,
    notes: Vec<String>,
}

impl Recognised {
    /// The same first entry, written in another format (perhaps with a clock of whole seconds).
    fn is_copy_of(&self, other: &Recognised) -> bool {
        const SECOND: i64 = 1_000_000;
        let seconds = |log: &Recognised| log.first.time.map(|time| time.div_euclid(SECOND));
        let same_time = if self.format.coarse() || other.format.coarse() {
            seconds(self) == seconds(other)
        } else {
            self.first.time == other.first.time
        };
        self.format.rank() != other.format.rank()
            && self.first.time.is_some()
            && same_time
            && self.first.pid == other.first.pid
    }
}

/// An input that was looked at; statements that a person wrote are read at once.
pub(super) struct Seen {
    source: Source,
    kind: Kind,
    written: Option<Written>,
}

impl Seen {
    fn of(named: Named, prefixes: &Prefixes) -> Seen {
        let mut source = named.look();
        let kind = recognise::recognise(&mut source, prefixes);
        let language = match kind {
            Kind::Program(language) => Some(language),
            Kind::Sql => None,
            kind => return Seen { source, kind, written: None },
        };
        let written = Some(scripts::read(&mut source, language));
        source.head = Vec::new();
        Seen { source, kind, written }
    }
}

/// Inputs that are looked at before the next ones are.
const BATCH: usize = 512;

/// Looks at every input, many at once; they come back in their order.
pub(super) fn sort(mut named: Vec<Named>, prefixes: &Prefixes, threads: usize) -> Sorted {
    let mut sorted = Sorted::default();
    while !named.is_empty() {
        let batch: Vec<Named> = named.drain(..named.len().min(BATCH)).collect();
        if threads < 2 || batch.len() < 4 {
            for one in batch {
                sorted.add(Seen::of(one, prefixes));
            }
            continue;
        }
        let mut seen: Vec<(usize, Seen)> = Vec::with_capacity(batch.len());
        let left = Mutex::new(batch.into_iter().enumerate());
        std::thread::scope(|scope| {
            let work = || {
                let mut mine = Vec::new();
                loop {
                    let next = left.lock().map(|mut left| left.next());
                    let Ok(Some((number, one))) = next else { return mine };
                    mine.push((number, Seen::of(one, prefixes)));
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(mine) => seen.extend(mine),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        seen.sort_by_key(|(number, _)| *number);
        for (_, seen) in seen {
            sorted.add(seen);
        }
    }
    sorted
}

/// The inputs by what they are.
#[derive(Default)]
pub(super) struct Sorted {
    logs: Vec<Recognised>,
    applications: Vec<(Source, applog::Format)>,
    digests: Vec<(String, Digest)>,
    written: Vec<Written>,
    /// Programs that hold no SQL.
    silent_programs: u64,
    /// Not read, each with why.
    others: Vec<InputSummary>,
    /// Lines that a person should see when nothing was understood, and what was tried.
    unknown: Vec<(String, String)>,
    not_judged: NotJudged,
    damages: Vec<String>,
    /// The first input that could not even be opened.
    unread: Option<Error>,
}

impl Sorted {
    pub(super) fn add(&mut self, seen: Seen) {
        let Seen { mut source, kind, written } = seen;
        if let Some(written) = written {
            if written.program && !source.found && written.damage.is_none() || written.holds_something() {
                self.written.push(written);
            } else {
                self.silent_programs += 1;
            }
            return;
        }
        let why = match kind {
            Kind::Log { format, first, notes } => {
                self.logs.push(Recognised { source, format, first, notes });
                return;
            }
            Kind::Application(format) => {
                self.applications.push((source, format));
                return;
            }
            Kind::Digest => match source.reader().and_then(digest::read) {
                Ok(digest) => {
                    self.digests.push((source.name(), digest));
                    return;
                }
                Err(error) => {
                    let why = format!("cannot be read: {error}");
                    self.damages.push(format!("{} {why}", source.name()));
                    self.unread.get_or_insert(Error::Read { path: source.path.clone(), source: error });
                    why
                }
            },
            // These were read when they were seen.
            Kind::Sql | Kind::Program(_) => return,
            Kind::Empty => match source.damage.take() {
                Some(damage) => {
                    let why = format!("cannot be read: {damage}");
                    self.damages.push(format!("{} {why}", source.name()));
                    self.unread.get_or_insert(Error::Read { path: source.path.clone(), source: damage });
                    why
                }
                None => "is empty".to_owned(),
            },
            kind if source.found => {
                // A folder may hold thousands of them.
                let what = if matches!(kind, Kind::Binary) { "binary" } else { "text" };
                self.not_judged.add("other files in folders", format!("{what}, but neither a log nor SQL"));
                return;
            }
            Kind::Binary => self.no_input(&source, "is binary: neither a log nor SQL"),
            Kind::Unknown { tried } => {
                self.unknown.push((first_lines(&source.head), tried));
                self.no_input(&source, "is neither a PostgreSQL log nor SQL")
            }
        };
        self.not_judged.add(source.name(), why.clone());
        if !source.found {
            self.others.push(InputSummary {
                name: source.name(),
                format: "unknown".to_owned(),
                bytes: source.head.len() as u64,
                notes: vec![why],
                ..InputSummary::default()
            });
        }
    }

    /// The newest log is to be read as it grows: the others are over.
    pub(super) fn follow(&mut self, stop: &Stop) -> Result<(), Error> {
        let newest = self.logs.iter_mut().max_by_key(|log| log.first.time).map(|log| &mut log.source);
        let followed = newest.or_else(|| self.applications.last_mut().map(|(source, _)| source));
        let Some(source) = followed else { return Ok(()) };
        if source.follow(stop) {
            return Ok(());
        }
        Err(Error::Usage {
            what: format!("{} is compressed or in an envelope: it cannot be followed", source.name()),
            hint: Some("pipe it in: … | sargable logs --follow -".to_owned()),
        })
    }

    /// A file that was named, but is of no use.
    fn no_input(&mut self, source: &Source, why: &str) -> String {
        self.damages.push(format!("{} {why}", source.name()));
        why.to_owned()
    }

    /// One run may have been logged in several formats (`log_destination = 'stderr,csvlog'`), and a folder
    /// holds them all: each execution counts once, so only the format that says the most is read.
    fn drop_copies(&mut self) {
        let mut kept: Vec<Recognised> = Vec::new();
        for log in std::mem::take(&mut self.logs) {
            let Some(copy) = kept.iter_mut().find(|other| other.is_copy_of(&log)) else {
                kept.push(log);
                continue;
            };
            let dropped =
                if log.format.rank() < copy.format.rank() { std::mem::replace(copy, log) } else { log };
            let note = format!("is the log of {} in another format: not read again", copy.source.name());
            self.others.push(InputSummary {
                name: dropped.source.name(),
                format: dropped.format.name().to_owned(),
                notes: vec![note],
                ..InputSummary::default()
            });
        }
        self.logs = kept;
    }

    pub(super) fn read<C: Collector>(
        mut self,
        options: &Options,
        make_tools: &(dyn Fn() -> C::Tools + Sync),
        progress: &mut dyn FnMut(Progress, &C),
    ) -> Result<Gathered<C>, Error> {
        // Rotated files in the order of the log, whatever order the shell gave them in.
        self.logs.sort_by_key(|log| log.first.time);
        self.drop_copies();
        let logs = self.logs.iter().map(|log| &log.source);
        let length: Option<u64> =
            logs.chain(self.applications.iter().map(|(source, _)| source)).map(Source::length).sum();
        let progress: &mut dyn FnMut(Progress, &C) = &mut |far, collected| {
            let share = length.map(|length| (far.bytes as f64 / length.max(1) as f64).min(1.0));
            progress(Progress { share, ..far }, collected);
        };
        let mut inputs = Vec::new();
        let mut logs = Vec::new();
        let mut layers = BTreeMap::new();
        let mut heads = Vec::new();
        for (input, log) in (0..).zip(self.logs) {
            heads.push(Head::of(&log));
            inputs.push(InputSummary {
                name: log.source.name(),
                format: log.format.name().to_owned(),
                notes: log.notes,
                ..InputSummary::default()
            });
            if log.format.coarse()
                && let Some(summary) = inputs.last_mut()
            {
                summary.notes.push(
                    "its clock shows whole seconds (%t): gaps and overlaps cannot be measured".to_owned(),
                );
            }
            layers.insert(input, log.source.layers.clone());
            logs.push(Log { source: log.source, format: log.format, input });
        }
        let any_log = !logs.is_empty();
        let mut run = |logs: &mut [Log]| {
            pipeline::run(logs, options.threads, options.chunk_bytes, make_tools, &mut *progress)
        };
        let again = logs.iter().all(|log| log.source.can_be_read_again());
        let instead = match (&options.log_line_prefix, again) {
            (Some(_), _) => "leave out --log-line-prefix",
            (None, true) => "cut the log where its prefix changes",
            (None, false) => "read the log from a plain file, and not as it grows",
        };
        let (mut collected, mut found) = run(&mut logs);
        // A prefix that was given is the only one.
        if again && options.log_line_prefix.is_none() {
            for _ in 0..mixed::MOST_CHANGES {
                let changes = mixed::learn(&mut logs, &found);
                if changes.is_empty() {
                    break;
                }
                for change in changes {
                    if let Some(summary) = inputs.get_mut(change.input as usize) {
                        summary.notes.push(change.note());
                    }
                }
                (collected, found) = run(&mut logs);
            }
        }
        for log in &logs {
            if let Some(found) = found.get_mut(&log.input) {
                found.notes.extend(mixed::notes(&log.format, &found.tally, instead));
            }
        }
        let mut silent = Vec::new();
        for (source, format) in self.applications {
            let input = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
            inputs.push(InputSummary {
                name: source.name(),
                format: format.name().to_owned(),
                ..InputSummary::default()
            });
            layers.insert(input, source.layers.clone());
            let head = first_lines(&source.head);
            let read = application(source, &format, input, options, make_tools, &mut collected, progress);
            if read.events == 0 {
                silent.push((format!("the format `{}`", format.name()), head, read.notes.join("; ")));
            }
            found.insert(input, read);
        }
        let mut events = 0;
        let (mut entries, mut translated) = (0, 0);
        for (input, mut found) in found {
            unwrapped(layers.get(&input).map_or(&[][..], Vec::as_slice), &mut found);
            events += found.events;
            entries += found.tally.entries;
            translated += found.translated;
            if let Some(summary) = inputs.get_mut(input as usize) {
                if let Some(damage) = &found.damage {
                    self.damages.push(format!("{} ends early: {damage}", summary.name));
                }
                summarise(summary, found, &mut self.not_judged);
            }
        }
        let no_event =
            (any_log && events == 0).then(|| nothing_in(&heads, entries, translated, &self.damages));
        let mut statements = Vec::new();
        let (mut scripts, mut script_bytes) = (Vec::new(), SCRIPT_BYTES);
        let quiet = self.silent_programs > 0 || self.written.iter().any(|written| written.quiet);
        for written in self.written {
            statements.extend(written.statements());
            let Written { summary, script, not_judged, damage, .. } = written;
            self.not_judged.merge(not_judged);
            if let Some(damage) = damage {
                self.damages.push(format!("{} cannot be read: {damage}", summary.name));
            } else if options.scripts && script.text.len() <= script_bytes {
                script_bytes -= script.text.len();
                scripts.push(script);
            } else if options.scripts {
                let why = "too much text to keep: no line of it is shown, no suppression in it is seen";
                self.not_judged.add(summary.name.clone(), why);
            }
            inputs.push(summary);
        }
        // A program without SQL is as good as any.
        let nothing_else = self.unread.is_none() && no_event.is_none() && silent.is_empty();
        if events == 0 && statements.is_empty() && self.digests.is_empty() && !(quiet && nothing_else) {
            let unread = self.unread.take();
            let silent = || nothing_as(&inputs, &silent);
            return Err(no_event
                .or(unread)
                .or_else(silent)
                .unwrap_or_else(|| nothing(&self.others, &self.unknown)));
        }
        self.damages.extend(no_event.map(|error| error.to_string()));
        inputs.extend(self.others);
        let digests = self.digests;
        Ok(Gathered {
            collected,
            statements,
            digests,
            inputs,
            not_judged: self.not_judged,
            damages: self.damages,
            scripts,
        })
    }
}

/// Events of a piece of an application's log; then it is joined to what came before.
const PIECE: usize = 20_000;

fn application<C: Collector>(
    mut source: Source,
    format: &applog::Format,
    input: u32,
    options: &Options,
    make_tools: &(dyn Fn() -> C::Tools + Sync),
    collected: &mut C,
    progress: &mut dyn FnMut(Progress, &C),
) -> Found {
    let lines = source.lines();
    let reader = match source.reader() {
        Ok(reader) => reader,
        Err(error) => return Found { damage: Some(error.to_string()), ..Found::default() },
    };
    if let applog::Format::Configured(configured) = format
        && options.threads > 1
        && options.follow.is_none()
    {
        let manner =
            applog::parallel::Manner { input, threads: options.threads, batch_bytes: options.chunk_bytes };
        return applog::parallel::read(
            configured,
            reader,
            lines.as_ref(),
            &manner,
            make_tools,
            &mut |piece, bytes| {
                collected.append(piece);
                progress(Progress { input: input as usize, bytes, share: None }, collected);
            },
        );
    }
    let mut tools = make_tools();
    let (mut piece, mut events) = (C::default(), 0);
    let found = applog::read(format, reader, lines.as_ref(), input, &mut |read| match read {
        applog::Read::Event(event) => {
            piece.event(event, &mut tools);
            events += 1;
            if events % PIECE == 0 {
                collected.append(std::mem::take(&mut piece));
            }
        }
        applog::Read::Quiet { bytes } => {
            collected.append(std::mem::take(&mut piece));
            progress(Progress { input: input as usize, bytes, share: None }, collected);
        }
    });
    collected.append(piece);
    found
}

/// Adds what the envelopes' readers have to say.
fn unwrapped(layers: &[Layer], found: &mut Found) {
    for layer in layers {
        let mut tally = layer.unknown();
        tally.merge(std::mem::take(&mut found.tally));
        found.tally = tally;
        found.notes.extend(layer.notes());
    }
}

fn summarise(summary: &mut InputSummary, found: Found, not_judged: &mut NotJudged) {
    summary.bytes = found.bytes;
    summary.entries = found.tally.entries;
    summary.skipped = found.tally.skipped;
    summary.skipped_samples = found.tally.shown().collect();
    summary.notes.extend(found.notes);
    match found.tally.foreign {
        0 => {}
        1 => summary.notes.push("1 line holds no statement".to_owned()),
        lines => summary.notes.push(format!("{lines} lines hold no statement")),
    }
    not_judged.add_many("log", "lines that belong to no log entry", found.tally.skipped);
    for zone in found.tally.zones {
        summary.notes.push(format!("time zone `{zone}` is not known and was read as UTC"));
    }
    not_judged.add_many(
        "log",
        "durations without a statement (parse and bind steps, or statements that log_statement leaves out)",
        found.lone_durations,
    );
    not_judged.add_many(
        "log",
        "statements and durations in another language than English (set lc_messages = 'C')",
        found.translated,
    );
    if let Some(damage) = found.damage {
        let why = format!("ends early: {damage}");
        not_judged.add(&summary.name, why.clone());
        summary.notes.push(why);
    }
}

/// The first lines of an input, cut, for a person to compare.
fn first_lines(head: &[u8]) -> String {
    let mut tally = pglog::Tally::default();
    for (number, line) in (1..).zip(head.split(|b| *b == b'\n').take(Tally::SAMPLES)) {
        tally.skip(number, line.trim_ascii_end());
    }
    tally.shown().collect::<Vec<_>>().join("\n  ")
}

/// What a person needs to see of a log that gave nothing.
struct Head {
    name: String,
    /// How it was read.
    tried: String,
    lines: String,
}

impl Head {
    fn of(log: &Recognised) -> Head {
        let tried = match &log.format {
            Format::Stderr(prefix) => {
                let this = format!("log_line_prefix `{}`", prefix.text);
                // A note says where the prefix comes from, or which other one would fit.
                match log.notes.first() {
                    Some(note) if note.starts_with(&this) => format!("stderr with {note}"),
                    Some(note) => format!("stderr with {this}; {note}"),
                    None => format!("stderr with {this}"),
                }
            }
            Format::Csv => "csvlog".to_owned(),
            Format::Json => "jsonlog".to_owned(),
        };
        Head { name: log.source.name(), tried, lines: first_lines(&log.source.head) }
    }
}

/// Logs were read, and none held an event.
fn nothing_in(heads: &[Head], entries: u64, translated: u64, damages: &[String]) -> Error {
    let (who, its) = match heads {
        [head] => (head.name.clone(), "tried: ".to_owned()),
        _ => (format!("{} logs", heads.len()), String::new()),
    };
    let (what, hint) = if translated > 0 {
        (
            "the log is not in English".to_owned(),
            "set lc_messages = 'C' on the server, and let the workload run again",
        )
    } else if entries > 0 {
        let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        (
            format!("{entries}, but no statement, duration or error among them"),
            "set log_min_duration_statement = 0 (or log_statement = 'all' with log_duration = on), and let the workload run",
        )
    } else {
        (
            "no line was understood".to_owned(),
            "pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')",
        )
    };
    let mut what = format!("{who}: {what}");
    for damage in damages {
        what.push_str(&format!("\n{damage}"));
    }
    for head in heads.iter().take(3) {
        let its = if its.is_empty() { format!("{}: ", head.name) } else { its.clone() };
        what.push_str(&format!("\n{its}{}\n  {}", head.tried, head.lines));
    }
    Error::NothingUnderstood { what, hint: hint.to_owned() }
}

/// Logs were read as those of applications, and none held an event.
fn nothing_as(inputs: &[InputSummary], silent: &[(String, String, String)]) -> Option<Error> {
    let (tried, lines, notes) = silent.first()?;
    let name = &inputs.first()?.name;
    let notes = if notes.is_empty() { String::new() } else { format!(" ({notes})") };
    Some(Error::NothingUnderstood {
        what: format!("{name}: no statement was found\ntried: {tried}{notes}\n  {lines}"),
        hint: "pass another --input-format, or correct the reader in sargable.yaml".to_owned(),
    })
}

fn nothing(others: &[InputSummary], unknown: &[(String, String)]) -> Error {
    let mut what = "neither a log nor SQL was found".to_owned();
    if let Some(summary) = others.first() {
        what = format!("{} {}", summary.name, summary.notes.join(", "));
    }
    let mut hint =
        "name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file".to_owned();
    if let Some((lines, tried)) = unknown.first() {
        what = format!("{what}\ntried: {tried}\n  {lines}");
        hint.push_str("; for a stderr log pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')");
    }
    Error::NothingUnderstood { what, hint }
}
