//! Inputs → chunks → events, on all cores, collected in the order of the log.
//!
//! One thread reads and cuts, the others scan, the caller's joins what they made. A chunk's buffer goes
//! round: reader, worker, caller, reader; there are as many as chunks may be in flight.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use memchr::{memchr, memmem, memrchr};

use super::{
    Progress,
    chunks::Cutter,
    envelope::Piece,
    open::Source,
    pglog::{
        self, Entry, Format, Tally,
        sequence::{Carry, Loose, Sequence},
        sessions::{self, Sessions},
        severity::{Severity, Word},
        time::Clock,
    },
};
use crate::workload::Event;

/// What events are gathered in: a monoid.
pub trait Collector: Default + Send {
    /// What a thread takes from one piece to the next, for speed alone.
    type Tools;

    /// What the run's first events are gathered in; pieces from the middle begin as the default.
    fn at_start() -> Self {
        Self::default()
    }
    fn event(&mut self, event: &Event<'_>, tools: &mut Self::Tools);
    /// Takes in what came after `self` in the log.
    fn append(&mut self, later: Self);
}

/// One log to read.
pub(super) struct Log {
    pub source: Source,
    pub format: Format,
    /// Index in the run.
    pub input: u32,
}

/// What was found in one log.
#[derive(Default)]
pub(super) struct Found {
    pub tally: Tally,
    pub bytes: u64,
    pub events: u64,
    /// Durations that name no statement.
    pub lone_durations: u64,
    /// Entries about statements that are not in English.
    pub translated: u64,
    /// Why it ended early.
    pub damage: Option<String>,
    /// What a person should know of how it was read.
    pub notes: Vec<String>,
}

struct Chunk {
    number: u64,
    input: u32,
    format: Format,
    first_line: u64,
    bytes: Vec<u8>,
    /// What the sessions' connection lines said so far, where the prefix leaves something out.
    sessions: Option<Arc<Sessions>>,
    /// Where its lines stand in the user's file, when they were unwrapped.
    lines: Option<Piece>,
}

struct Done<C> {
    number: u64,
    input: u32,
    bytes: Vec<u8>,
    collected: C,
    loose: Loose,
    tally: Tally,
    events: u64,
}

/// Reads every log, in order. What was found comes by input.
pub(super) fn run<C: Collector>(
    logs: &mut [Log],
    threads: usize,
    chunk_bytes: usize,
    make_tools: &(dyn Fn() -> C::Tools + Sync),
    progress: &mut dyn FnMut(Progress, &C),
) -> (C, BTreeMap<u32, Found>) {
    let threads = threads.max(1);
    let mut found: BTreeMap<u32, Found> = logs.iter().map(|log| (log.input, Found::default())).collect();
    let mut total = C::at_start();
    let mut tools = make_tools();
    let mut carry = Carry::default();
    let (free_sender, free) = mpsc::channel();
    let (chunk_sender, chunks) = mpsc::channel();
    let (done_sender, done) = mpsc::channel();
    for _ in 0..=threads * 2 {
        let _ = free_sender.send(Vec::new());
    }
    let chunks = Mutex::new(chunks);
    let read = thread::scope(|scope| {
        let reader = scope.spawn(move || read(logs, chunk_bytes, &free, &chunk_sender));
        for _ in 0..threads {
            let (chunks, done) = (&chunks, done_sender.clone());
            scope.spawn(move || work::<C>(chunks, &done, make_tools()));
        }
        drop(done_sender);
        let mut early = BTreeMap::new();
        let mut next = 0;
        let mut bytes = 0;
        for chunk in done {
            early.insert(chunk.number, chunk);
            while let Some(chunk) = early.remove(&next) {
                next += 1;
                bytes += chunk.bytes.len() as u64;
                let here = found.entry(chunk.input).or_default();
                here.bytes += chunk.bytes.len() as u64;
                here.events += chunk.events;
                here.tally.merge(chunk.tally);
                here.translated += chunk.loose.translated;
                let lone = carry.lone_durations;
                carry.join(chunk.loose, &mut |event| {
                    here.events += 1;
                    total.event(event, &mut tools);
                });
                here.lone_durations += carry.lone_durations - lone;
                total.append(chunk.collected);
                progress(Progress { input: chunk.input as usize, bytes, share: None }, &total);
                // A buffer that grew for one long entry is not kept that large.
                let bytes = if chunk.bytes.capacity() > 2 * chunk_bytes { Vec::new() } else { chunk.bytes };
                let _ = free_sender.send(bytes);
            }
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    for (input, damage) in read {
        found.entry(input).or_default().damage = Some(damage);
    }
    carry.finish(&mut |event| {
        found.entry(event.position.input).or_default().events += 1;
        total.event(event, &mut tools);
    });
    (total, found)
}

/// The reading thread: what was wrong with which input.
fn read(
    logs: &mut [Log],
    chunk_bytes: usize,
    free: &Receiver<Vec<u8>>,
    chunks: &Sender<Chunk>,
) -> Vec<(u32, String)> {
    let mut damages = Vec::new();
    let mut number = 0;
    let mut sessions = Arc::new(Sessions::default());
    // The buffer that met the end of a log is the next one's first: none may get lost, they are counted.
    let mut spare = None;
    for log in logs {
        let reader = match log.source.reader() {
            Ok(reader) => reader,
            Err(error) => {
                damages.push((log.input, error.to_string()));
                continue;
            }
        };
        let lines = log.source.lines();
        let mut cutter = Cutter::new(reader, &log.format, chunk_bytes);
        let watched = match &log.format {
            Format::Stderr(prefix) if prefix.lacks_session_facts() && prefix.names_sessions() => Some(prefix),
            _ => None,
        };
        while let Some(mut buffer) = spare.take().or_else(|| free.recv().ok()) {
            let Some(first_line) = cutter.next(&mut buffer) else {
                spare = Some(buffer);
                break;
            };
            let known = watched.map(|_| Arc::clone(&sessions));
            if let Some(prefix) = watched {
                connections(prefix, &buffer, &mut sessions);
            }
            let format = log.format.clone();
            let lines = lines.as_ref().map(|lines| lines.from(first_line));
            let chunk =
                Chunk { number, input: log.input, format, first_line, bytes: buffer, sessions: known, lines };
            number += 1;
            if chunks.send(chunk).is_err() {
                return damages;
            }
        }
        if let Some(damage) = cutter.damage.take() {
            damages.push((log.input, damage.to_string()));
        }
    }
    damages
}

/// Takes in the connection lines of a chunk, found without reading the rest of it.
fn connections(prefix: &pglog::prefix::Prefix, chunk: &[u8], sessions: &mut Arc<Sessions>) {
    let mut clock = Clock::default();
    for hit in memmem::find_iter(chunk, b"connection") {
        let start = memrchr(b'\n', &chunk[..hit]).map_or(0, |newline| newline + 1);
        let end = memchr(b'\n', &chunk[hit..]).map_or(chunk.len(), |len| hit + len);
        let line = chunk[start..end].trim_ascii_end();
        let Some(head) = prefix.head(line, &mut clock) else { continue };
        if let (Word::Entry(Severity::Log), Some(pid)) = (head.word, head.fields.pid) {
            sessions::learn(Arc::make_mut(sessions), pid, &line[head.text_at..]);
        }
    }
}

/// A working thread.
fn work<C: Collector>(chunks: &Mutex<Receiver<Chunk>>, done: &Sender<Done<C>>, mut tools: C::Tools) {
    loop {
        let next = chunks.lock().map(|chunks| chunks.recv());
        let Ok(Ok(chunk)) = next else { return };
        let mut collected = C::default();
        let mut tally = Tally::default();
        let mut events = 0;
        let mut sequence = Sequence::new(chunk.input, chunk.sessions.as_deref().cloned());
        pglog::scan(&chunk.format, &chunk.bytes, chunk.first_line, &mut tally, |entry: &Entry<'_>| {
            let mut event = |event: &Event<'_>| {
                events += 1;
                collected.event(event, &mut tools);
            };
            match &chunk.lines {
                Some(lines) => {
                    sequence.entry(&Entry { line: lines.outer(entry.line), ..*entry }, &mut event);
                }
                None => sequence.entry(entry, &mut event),
            }
        });
        if let Some(lines) = &chunk.lines {
            tally.place(lines);
        }
        let (number, input, bytes) = (chunk.number, chunk.input, chunk.bytes);
        let loose = sequence.finish();
        if done.send(Done { number, input, bytes, collected, loose, tally, events }).is_err() {
            return;
        }
    }
}
