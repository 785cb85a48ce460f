//! The inputs of a run by what they are. `read` reads them; `nothing` says why nothing was understood.

mod nothing;
mod read;

use std::sync::Mutex;

use nothing::first_lines;

use super::{
    applog, digest,
    folders::Named,
    open::Source,
    pglog::Format,
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
    fn add(&mut self, seen: Seen) {
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
}
