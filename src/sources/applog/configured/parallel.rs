//! A log of a configured format on all cores. Entries know nothing of each other, so a log may be cut
//! between any two of them.
//!
//! One thread reads lines into batches, the others understand them, the caller's joins what they made in
//! the order of the log. Buffers go round, and there are only so many: that bounds the memory.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _},
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use memchr::memchr;

use super::{
    super::{LONGEST_LINE, Reader as _, placed, without_end},
    Configured, LONGEST,
    facts::Misread,
};
use crate::sources::{
    envelope::{Lines, Piece},
    pglog::Tally,
    pipeline::{Collector, Found},
};

/// How a log is read.
pub(in crate::sources) struct Manner {
    /// Index in the run.
    pub(in crate::sources) input: u32,
    pub(in crate::sources) threads: usize,
    /// A batch holds at least so much, but for the last.
    pub(in crate::sources) batch_bytes: usize,
}

struct Batch {
    number: u64,
    first_line: u64,
    bytes: Vec<u8>,
    /// Where its lines stand in the user's file, when they were unwrapped.
    lines: Option<Piece>,
}

struct Done<C> {
    number: u64,
    bytes: Vec<u8>,
    collected: C,
    tally: Tally,
    misread: Misread,
    events: u64,
}

/// Reads a log to its end. `sink` takes what each batch gave, in order, and the bytes read so far.
pub(in crate::sources) fn read<C: Collector>(
    configured: &Configured,
    from: Box<dyn io::Read + Send>,
    lines: Option<&Lines>,
    manner: &Manner,
    make_tools: &(dyn Fn() -> C::Tools + Sync),
    sink: &mut dyn FnMut(C, u64),
) -> Found {
    let mut found = Found::default();
    let mut misread = Misread::default();
    let (free_sender, free) = mpsc::channel();
    let (batch_sender, batches) = mpsc::channel();
    let (done_sender, done) = mpsc::channel();
    for _ in 0..=manner.threads * 2 {
        let _ = free_sender.send(Vec::new());
    }
    let batches = Mutex::new(batches);
    found.damage = thread::scope(|scope| {
        let reader = scope.spawn(move || cut(configured, from, lines, manner, &free, &batch_sender));
        for _ in 0..manner.threads {
            let (batches, done) = (&batches, done_sender.clone());
            scope.spawn(move || work::<C>(configured, manner.input, batches, &done, make_tools()));
        }
        drop(done_sender);
        let (mut early, mut next) = (BTreeMap::new(), 0);
        for batch in done {
            early.insert(batch.number, batch);
            while let Some(batch) = early.remove(&next) {
                next += 1;
                found.bytes += batch.bytes.len() as u64;
                found.events += batch.events;
                found.tally.merge(batch.tally);
                misread.merge(batch.misread);
                sink(batch.collected, found.bytes);
                // A buffer that grew for one long entry is not kept that large.
                let large = batch.bytes.capacity() > 4 * manner.batch_bytes.max(1 << 20);
                let _ = free_sender.send(if large { Vec::new() } else { batch.bytes });
            }
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    found.notes = configured.notes(&misread);
    found
}

/// The reading thread: why the log ended early.
fn cut(
    configured: &Configured,
    from: Box<dyn io::Read + Send>,
    lines: Option<&Lines>,
    manner: &Manner,
    free: &Receiver<Vec<u8>>,
    batches: &Sender<Batch>,
) -> Option<String> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut damage = None;
    let (mut number, mut first_line, mut ended) = (0, 1, false);
    // The first line of the next batch.
    let mut line = Vec::new();
    while !ended {
        let Ok(mut bytes) = free.recv() else { break };
        bytes.clear();
        let mut count = u64::from(!line.is_empty());
        bytes.append(&mut line);
        loop {
            match from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(0) => ended = true,
                Ok(_) => {}
                Err(error) => {
                    damage = Some(error.to_string());
                    line.clear();
                    ended = true;
                }
            }
            // Nothing is added to an entry that is so long.
            let endless = bytes.len() > manner.batch_bytes + 2 * LONGEST;
            if ended || endless || bytes.len() >= manner.batch_bytes && configured.begins_at(&line) {
                break;
            }
            bytes.append(&mut line);
            count += 1;
        }
        if bytes.is_empty() {
            continue;
        }
        let lines = lines.map(|lines| lines.from(first_line));
        if batches.send(Batch { number, first_line, bytes, lines }).is_err() {
            break;
        }
        number += 1;
        first_line += count;
    }
    damage
}

/// A working thread.
fn work<C: Collector>(
    configured: &Configured,
    input: u32,
    batches: &Mutex<Receiver<Batch>>,
    done: &Sender<Done<C>>,
    mut tools: C::Tools,
) {
    loop {
        let next = batches.lock().map(|batches| batches.recv());
        let Ok(Ok(Batch { number, first_line, bytes, lines })) = next else { return };
        let (mut collected, mut tally, mut events) = (C::default(), Tally::default(), 0);
        let mut entries = configured.entries();
        let mut give = |event: &crate::workload::Event<'_>| {
            events += 1;
            collected.event(&placed(event, input), &mut tools);
        };
        let mut rest = bytes.as_slice();
        for line in first_line.. {
            if rest.is_empty() {
                break;
            }
            let longest = rest.len().min(usize::try_from(LONGEST_LINE).unwrap_or(usize::MAX));
            let len = memchr(b'\n', &rest[..longest]).map_or(longest, |newline| newline + 1);
            let (text, after) = rest.split_at(len);
            let line = lines.as_ref().map_or(line, |lines| lines.outer(line));
            entries.line(line, without_end(text), &mut tally, &mut give);
            rest = after;
        }
        entries.end(&mut tally, &mut give);
        let misread = entries.misread;
        if done.send(Done { number, bytes, collected, tally, misread, events }).is_err() {
            return;
        }
    }
}
