//! stderr logs: lines → entries.
//!
//! An entry is a line with the prefix and a severity, the lines after it that begin with a TAB, and the
//! lines of the same process with the prefix and `DETAIL:`, `STATEMENT:` and their kin. PostgreSQL puts
//! a TAB before every line of a message but the first; it is taken off, so that texts equal csvlog's.
//! Any other line (a shell command's output, another prefix) is counted as skipped.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::{
    Entry, Tally,
    prefix::{Fields, Prefix, Recall},
    severity::{Severity, Word},
    time::Clock,
};

/// Where a part's text stands in the chunk.
#[derive(Clone, Debug, Default)]
struct Part {
    at: Range<usize>,
    /// It has more lines than one.
    stitched: bool,
}

struct Open<'a> {
    line: u64,
    severity: Severity,
    fields: Fields<'a>,
    message: Part,
    detail: Option<Part>,
    context: Option<Part>,
    statement: Option<Part>,
    /// The part that a continuation line belongs to.
    last: Last,
}

#[derive(Clone, Copy)]
enum Last {
    Message,
    Detail,
    Context,
    Statement,
    /// A part that we do not use.
    Ignored,
    /// A foreign line came in between.
    Broken,
}

impl Open<'_> {
    fn part(&mut self) -> Option<&mut Part> {
        match self.last {
            Last::Message => Some(&mut self.message),
            Last::Detail => self.detail.as_mut(),
            Last::Context => self.context.as_mut(),
            Last::Statement => self.statement.as_mut(),
            Last::Ignored | Last::Broken => None,
        }
    }
}

pub(in crate::sources) fn scan(
    prefix: &Prefix,
    chunk: &[u8],
    first_line: u64,
    tally: &mut Tally,
    mut sink: impl FnMut(&Entry<'_>),
) {
    let mut recall = Recall::new(prefix);
    let mut buffers = Buffers::default();
    let mut open: Option<Open<'_>> = None;
    let mut line = first_line;
    let mut at = 0;
    while at < chunk.len() {
        let newline = memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |len| at + len);
        let end = if newline > at && chunk[newline - 1] == b'\r' { newline - 1 } else { newline };
        let text = &chunk[at..end];
        if matches!(text.first(), Some(b'\t' | b' ')) {
            match &mut open {
                Some(Open { last: Last::Ignored, .. }) => {}
                Some(entry) => match entry.part() {
                    Some(part) => {
                        part.at.end = end;
                        part.stitched = true;
                    }
                    None => tally.skip(line, text),
                },
                None => tally.skip(line, text),
            }
        } else if let Some(head) = recall.head(text) {
            let part = Part { at: at + head.text_at..end, stitched: false };
            match (head.word, &mut open) {
                (Word::Entry(severity), _) => {
                    if let Some(entry) = open.take() {
                        close(&entry, chunk, &mut buffers, tally, &mut sink);
                    }
                    let fields = head.fields;
                    open = Some(Open {
                        line,
                        severity,
                        fields,
                        message: part,
                        detail: None,
                        context: None,
                        statement: None,
                        last: Last::Message,
                    });
                }
                (word, Some(entry)) if entry.fields.pid == head.fields.pid => match word {
                    Word::Detail => {
                        entry.detail = Some(part);
                        entry.last = Last::Detail;
                    }
                    Word::Context => {
                        entry.context = Some(part);
                        entry.last = Last::Context;
                    }
                    Word::Statement => {
                        entry.statement = Some(part);
                        entry.last = Last::Statement;
                    }
                    _ => entry.last = Last::Ignored,
                },
                _ => tally.skip(line, text),
            }
        } else if !text.is_empty() {
            tally.skip(line, text);
            if let Some(entry) = &mut open {
                entry.last = Last::Broken;
            }
        }
        line += 1;
        at = newline + 1;
    }
    if let Some(entry) = open {
        close(&entry, chunk, &mut buffers, tally, &mut sink);
    }
    tally.zones.append(&mut recall.unknown_zones());
}

#[derive(Default)]
struct Buffers {
    message: Vec<u8>,
    detail: Vec<u8>,
    context: Vec<u8>,
    statement: Vec<u8>,
}

fn close(
    open: &Open<'_>,
    chunk: &[u8],
    buffers: &mut Buffers,
    tally: &mut Tally,
    sink: &mut impl FnMut(&Entry<'_>),
) {
    tally.entries += 1;
    let fields = &open.fields;
    sink(&Entry {
        line: open.line,
        time: fields.time,
        coarse: fields.coarse,
        pid: fields.pid,
        severity: open.severity,
        user: fields.user,
        database: fields.database,
        application: fields.application,
        host: fields.host,
        vxid: fields.vxid,
        sqlstate: fields.sqlstate,
        message: stitch(&open.message, chunk, &mut buffers.message),
        detail: open.detail.as_ref().map(|part| stitch(part, chunk, &mut buffers.detail)),
        context: open.context.as_ref().map(|part| stitch(part, chunk, &mut buffers.context)),
        statement: open.statement.as_ref().map(|part| stitch(part, chunk, &mut buffers.statement)),
        who: fields.who,
    });
}

/// The text of a part: as it stands in the chunk, or without the TABs that begin its lines.
fn stitch<'a>(part: &Part, chunk: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    let text = &chunk[part.at.clone()];
    if !part.stitched {
        return text;
    }
    buffer.clear();
    let mut from = 0;
    for newline in memchr_iter(b'\n', text) {
        buffer.extend_from_slice(&text[from..newline]);
        if buffer.last() == Some(&b'\r') {
            buffer.pop();
        }
        buffer.push(b'\n');
        from = newline + 1;
        if text.get(from) == Some(&b'\t') {
            from += 1;
        }
    }
    buffer.extend_from_slice(&text[from..]);
    buffer
}

/// Where the last entry begins, for cutting: no entry that begins after `from` is missed.
pub(in crate::sources) fn last_boundary(prefix: &Prefix, text: &[u8], from: usize) -> Option<usize> {
    let mut clock = Clock::default();
    let mut end = text.len();
    while let Some(newline) = memchr::memrchr(b'\n', &text[from..end]).map(|at| from + at) {
        let line = &text[newline + 1..];
        // A prefix is never longer than this, so a long last line costs nothing.
        let line = &line[..line.len().min(8 * 1024)];
        let line = memchr(b'\n', line).map_or(line, |len| &line[..len]);
        if !line.is_empty()
            && line[0] != b'\t'
            && prefix.head(line, &mut clock).is_some_and(|head| matches!(head.word, Word::Entry(_)))
        {
            return Some(newline + 1);
        }
        end = newline;
    }
    None
}

/// The last line that belongs to no entry: a place to cut where nothing better is found.
pub(in crate::sources) fn last_foreign_line(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    while let Some(newline) = memchr::memrchr(b'\n', &text[..end]) {
        if text.get(newline + 1).is_some_and(|b| !matches!(b, b'\t' | b' ')) {
            return Some(newline + 1);
        }
        end = newline;
    }
    None
}
