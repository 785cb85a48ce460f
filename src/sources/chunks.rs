//! A reader → chunks that begin and end at entry boundaries.
//!
//! Buffers are reused, and there are only so many: who reads waits until one is free, which bounds the
//! memory of the whole run. An entry longer than a buffer makes that one buffer grow.

use std::io::{self, Read};

use memchr::{memchr_iter, memrchr};

use super::{
    pglog::{Format, csv, stderr},
    tail,
};

/// An entry is cut after this many bytes.
const LONGEST_ENTRY: usize = 64 << 20;
/// Without any boundary in so much text, a line that belongs to no entry will do.
const PATIENCE: usize = 1 << 20;

/// Reads one input piece by piece.
pub(super) struct Cutter<'f> {
    reader: Box<dyn Read + Send>,
    format: &'f Format,
    size: usize,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    line: u64,
    finished: bool,
    /// Bytes handed out.
    pub bytes: u64,
    /// Why the input ended early: what was read until then is handed out all the same.
    pub damage: Option<io::Error>,
}

#[derive(PartialEq, Eq)]
enum Filled {
    Full,
    /// A log that still grows has not grown.
    Quiet,
}

impl<'f> Cutter<'f> {
    pub(super) fn new(reader: Box<dyn Read + Send>, format: &'f Format, size: usize) -> Cutter<'f> {
        Cutter {
            reader,
            format,
            size: size.max(16),
            rest: Vec::new(),
            line: 1,
            finished: false,
            bytes: 0,
            damage: None,
        }
    }

    /// Fills `buffer` with the next chunk: the number of its first line, `None` at the end.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> Option<u64> {
        buffer.clear();
        buffer.extend_from_slice(&self.rest);
        self.rest.clear();
        self.rest.shrink_to(2 * self.size);
        let mut wanted = self.size;
        let mut searched = 0;
        let mut quiet = 0;
        while !self.finished {
            if self.fill(buffer, wanted) == Filled::Quiet {
                quiet += 1;
                // Nobody adds to an entry after so long.
                if quiet > 1 && buffer.ends_with(b"\n") {
                    break;
                }
            }
            if self.finished {
                break;
            }
            if let Some(cut) = self.boundary(buffer, searched) {
                self.rest.extend_from_slice(&buffer[cut..]);
                buffer.truncate(cut);
                break;
            }
            if buffer.len() >= LONGEST_ENTRY {
                break;
            }
            // The last line may have been incomplete.
            searched = memrchr(b'\n', buffer).unwrap_or(0);
            wanted = wanted.max(buffer.len() * 2);
        }
        if buffer.is_empty() {
            return None;
        }
        let line = self.line;
        self.line += memchr_iter(b'\n', buffer).count() as u64;
        self.bytes += buffer.len() as u64;
        Some(line)
    }

    /// Reads until `buffer` holds `wanted` bytes or the input ends, or nothing comes for a while.
    fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Filled {
        let missing = wanted.saturating_sub(buffer.len());
        buffer.reserve_exact(missing);
        match self.reader.by_ref().take(missing as u64).read_to_end(buffer) {
            Ok(read) => self.finished = read < missing,
            Err(error) if tail::is_quiet(&error) => return Filled::Quiet,
            Err(error) => {
                self.damage = Some(error);
                self.finished = true;
            }
        }
        Filled::Full
    }

    fn boundary(&self, text: &[u8], searched: usize) -> Option<usize> {
        match self.format {
            Format::Stderr(prefix) => stderr::last_boundary(prefix, text, searched)
                .or_else(|| (text.len() >= PATIENCE).then(|| stderr::last_foreign_line(text)).flatten()),
            Format::Csv => csv::last_boundary(text),
            Format::Json => memrchr(b'\n', text).map(|newline| newline + 1),
        }
    }
}
