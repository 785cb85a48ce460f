//! Records of an envelope → the lines that were put into it.
//!
//! PostgreSQL sends a long message to syslog in parts, `[5-1] …`, `[5-2] …`, and parts of several processes
//! stand between each other; container runtimes cut lines at 16 kB. Both are put together again, each
//! message where its first part stood. Lines of other programs are left out and counted.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    super::pglog::{infer, prefix},
    Counts, Lacks,
    lines::Lines,
    stamp::Stamp,
};

/// One record, as its envelope has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Record<'a> {
    /// Line of the user's file.
    pub line: u64,
    pub text: &'a [u8],
    pub time: Option<Stamp>,
    pub pid: Option<u32>,
    /// Hash of host, program and process, or of a container's stream: whose parts belong together.
    pub writer: u64,
    /// Hash of host and program, where a log holds several.
    pub program: Option<u64>,
    /// The line goes on in the writer's next record.
    pub more: bool,
}

/// How records become lines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// The lines are a server's stderr log.
    pub postgres: bool,
    /// Messages come in parts, as syslog takes them.
    pub parts: bool,
    /// The daemon wrote control characters as `#011`.
    pub escapes: bool,
    /// What the server's own prefix lacks and the envelope knows.
    pub lacks: Lacks,
}

/// The text that was unwrapped, with the lines that it came from.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub text: Vec<u8>,
    line: u64,
    lines: Lines,
}

impl Out {
    pub(super) fn new(lines: Lines) -> Out {
        Out { text: Vec::new(), line: 1, lines }
    }

    pub(super) fn line(&mut self, outer: u64, before: &[u8], text: &[u8]) {
        self.lines.push(self.line, outer);
        self.line += 1;
        self.text.extend_from_slice(before);
        self.text.extend_from_slice(text);
        self.text.push(b'\n');
    }
}

/// A message that may have more parts.
#[derive(Debug)]
struct Message {
    writer: u64,
    number: Option<u64>,
    /// What the server's prefix lacks.
    before: Vec<u8>,
    /// Its lines: where each stood, and the text.
    lines: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    time: Option<Stamp>,
    /// Number of the record that was last added.
    touched: u64,
    closed: bool,
}

/// Parts of one message are written at once: so many records of others may stand between two of them.
const PATIENCE: u64 = 1000;
/// The same in microseconds.
const PATIENCE_MICROS: i64 = 5_000_000;
/// A message or a line in pieces is not put together beyond this, and no more waits for its end.
const LONGEST: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Assembler {
    manner: Manner,
    /// Lines that a runtime cut, by writer.
    pieces: FxHashMap<u64, Piece>,
    /// In the order of their first parts; the first one's number is `first`.
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    first: u64,
    /// The message of each writer that is not over.
    open: FxHashMap<u64, u64>,
    records: u64,
    /// Those that wrote as a server does.
    servers: FxHashSet<u64>,
}

#[derive(Debug, Default)]
struct Piece {
    line: u64,
    time: Option<Stamp>,
    text: Vec<u8>,
}

impl Assembler {
    pub(super) fn new(manner: Manner) -> Assembler {
        Assembler { manner, ..Assembler::default() }
    }

    pub(super) fn record(&mut self, record: &Record<'_>, counts: &Counts, out: &mut Out) {
        let begun = self.pieces.contains_key(&record.writer);
        if !record.more && !begun {
            return self.whole(record, counts, out);
        }
        let piece = self.pieces.entry(record.writer).or_insert_with(|| Piece {
            line: record.line,
            time: record.time,
            text: Vec::new(),
        });
        piece.text.extend_from_slice(record.text);
        if (record.more && piece.text.len() < LONGEST) || self.pieces.len() > 10_000 && begun && record.more {
            return;
        }
        if let Some(Piece { line, time, text }) = self.pieces.remove(&record.writer) {
            self.whole(&Record { line, time, text: &text, ..record.clone() }, counts, out);
        }
    }

    /// A record that needs no other, but for PostgreSQL's own parts.
    fn whole(&mut self, record: &Record<'_>, counts: &Counts, out: &mut Out) {
        let text = record.text.strip_suffix(b"\n").unwrap_or(record.text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !self.manner.postgres {
            let mut before = Vec::new();
            self.lacking(record, &mut before);
            for line in text.split(|b| *b == b'\n') {
                out.line(record.line, &before, line);
            }
            return;
        }
        let unescaped;
        let mut text = text;
        if self.manner.escapes && text.contains(&b'#') {
            unescaped = unescape(text);
            text = &unescaped;
        }
        let mut number = None;
        let mut begins = None;
        if self.manner.parts
            && let Some((of, part, rest)) = numbered(text, record.pid)
        {
            (number, begins, text) = (Some(of), Some(part == 1), rest);
        }
        let head = is_head(text);
        if let Some(program) = record.program {
            if head || number.is_some() {
                self.servers.insert(program);
            } else if !self.servers.contains(&program) {
                counts.other();
                return;
            }
        }
        let mut before = Vec::new();
        self.lacking(record, &mut before);
        let record = &Record { text, ..record.clone() };
        if !self.manner.parts {
            if !head && !matches!(text.first(), Some(b'\t' | b' ') | None) {
                // Something else that writes to the same stream, perhaps in the middle of an entry.
                counts.unknown(record.line, text);
                return;
            }
            for (index, line) in text.split(|b| *b == b'\n').enumerate() {
                let (before, line) = if is_head(line) {
                    (before.as_slice(), line)
                } else {
                    (tab(head && index > 0, line), line)
                };
                out.line(record.line, before, line);
            }
            return;
        }
        self.part(record, number, begins.unwrap_or(head), before, out);
    }

    /// What the server's prefix does not say and the envelope does.
    fn lacking(&self, record: &Record<'_>, to: &mut Vec<u8>) {
        if self.manner.lacks.time
            && let Some(time) = record.time
        {
            time.write(to);
        }
        if self.manner.lacks.pid {
            to.extend_from_slice(format!("[{}] ", record.pid.unwrap_or(0)).as_bytes());
        }
    }

    fn part(
        &mut self,
        record: &Record<'_>,
        number: Option<u64>,
        begins: bool,
        before: Vec<u8>,
        out: &mut Out,
    ) {
        self.records += 1;
        let open = self.open.get(&record.writer).and_then(|id| id.checked_sub(self.first));
        let open = open.and_then(|at| self.waiting.get_mut(usize::try_from(at).ok()?));
        match open {
            Some(message) if !begins && message.number == number && message.bytes < LONGEST => {
                self.waiting_bytes += record.text.len();
                message.add(record);
                message.touched = self.records;
            }
            open => {
                if let Some(message) = open {
                    message.closed = true;
                }
                let mut message = Message {
                    writer: record.writer,
                    number,
                    before,
                    lines: Vec::new(),
                    bytes: 0,
                    time: record.time,
                    touched: self.records,
                    closed: false,
                };
                message.add(record);
                self.waiting_bytes += message.bytes;
                self.open.insert(record.writer, self.first + self.waiting.len() as u64);
                self.waiting.push_back(message);
            }
        }
        while let Some(front) = self.waiting.front() {
            let late = |now: Stamp, then: Stamp| now.micros.saturating_sub(then.micros) > PATIENCE_MICROS;
            let over = front.closed
                || self.records - front.touched > PATIENCE
                || record
                    .time
                    .zip(front.time)
                    .is_some_and(|(now, then)| self.records - front.touched > 0 && late(now, then))
                || self.waiting_bytes > LONGEST + (16 << 20);
            if !over {
                break;
            }
            self.give(out);
        }
    }

    /// Gives the first of those that wait.
    fn give(&mut self, out: &mut Out) {
        let Some(message) = self.waiting.pop_front() else { return };
        if self.open.get(&message.writer) == Some(&self.first) {
            self.open.remove(&message.writer);
        }
        self.first += 1;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(message.bytes);
        for (index, (outer, line)) in message.lines.iter().enumerate() {
            let before = if is_head(line) { message.before.as_slice() } else { tab(index > 0, line) };
            out.line(*outer, before, line);
        }
    }

    /// The log ends: what waits is over.
    pub(super) fn finish(&mut self, counts: &Counts, out: &mut Out) {
        let mut pieces: Vec<_> = std::mem::take(&mut self.pieces).into_iter().collect();
        pieces.sort_unstable_by_key(|(writer, piece)| (piece.line, *writer));
        for (writer, Piece { line, time, text }) in pieces {
            self.whole(&Record { line, time, text: &text, writer, ..Record::default() }, counts, out);
        }
        while !self.waiting.is_empty() {
            self.give(out);
        }
    }
}

impl Message {
    /// Adds a part: a line of its own, or the rest of a line that was too long for one part.
    fn add(&mut self, record: &Record<'_>) {
        self.bytes += record.text.len();
        for (index, line) in record.text.split(|b| *b == b'\n').enumerate() {
            let joins = index == 0 && line.first() != Some(&b'\t') && !is_head(line);
            match self.lines.last_mut() {
                Some((_, last)) if joins => last.extend_from_slice(line),
                _ => self.lines.push((record.line, line.to_vec())),
            }
        }
    }
}

/// What a line of a message must begin with when it is not the first.
fn tab(follows: bool, line: &[u8]) -> &'static [u8] {
    if follows && line.first() != Some(&b'\t') { b"\t" } else { b"" }
}

/// Whether a line begins an entry, or a part of one such as its DETAIL.
pub(super) fn is_head(line: &[u8]) -> bool {
    infer::severity_at(line).is_some()
}

/// `[5-2] text` and `[5] text`: the message's number, the part's, and the text. Heroku puts the name of a
/// database in front, and a space behind. `[123] ` may be the prefix's own `[%p] `.
pub(super) fn numbered(text: &[u8], pid: Option<u32>) -> Option<(u64, u64, &[u8])> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let inside = text.strip_prefix(b"[")?;
    let name = inside.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    if name > 0 {
        let rest = inside[name..].strip_prefix(b"] ")?;
        let (number, part, text) = numbered(rest, None)?;
        return Some((number, part, text.strip_prefix(b" ").unwrap_or(text)));
    }
    let (number, rest) = digits(inside)?;
    let (part, rest) = match rest.strip_prefix(b"-") {
        Some(rest) => digits(rest)?,
        None if pid.is_some_and(|pid| u64::from(pid) == number) => return None,
        None => (1, rest),
    };
    Some((number, part, rest.strip_prefix(b"] ").or_else(|| rest.strip_prefix(b"]"))?))
}

fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let len = text.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    Some((u64::from(prefix::number(&text[..len])?), &text[len..]))
}

/// Undoes rsyslog's octal escapes of what PostgreSQL writes: TAB, newline, carriage return. Text of the same
/// form (a colour, `'#011abc'`) stays when it cannot be one.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'#', rest) {
        plain.extend_from_slice(&rest[..at]);
        let after = rest.get(at + 4..).unwrap_or_default();
        let escaped = match rest.get(at..at + 4) {
            Some(b"#011") if !is_colour(after) => Some(b'\t'),
            // What follows a newline is the TAB of the message's next line, or DETAIL and its like.
            Some(b"#012") if after.is_empty() || after.starts_with(b"#0") || is_head(after) => Some(b'\n'),
            Some(b"#015") if after.is_empty() || after.starts_with(b"#012") => Some(b'\r'),
            _ => None,
        };
        if let Some(byte) = escaped {
            plain.push(byte);
            rest = after;
        } else {
            plain.push(b'#');
            rest = &rest[at + 1..];
        }
    }
    plain.extend_from_slice(rest);
    // The message's own newline at its end.
    if plain.last() == Some(&b'\n') {
        plain.pop();
    }
    plain
}

/// Three more hexadecimal digits and a quote.
fn is_colour(after: &[u8]) -> bool {
    after.len() > 3 && after[..3].iter().all(u8::is_ascii_hexdigit) && matches!(after[3], b'\'' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_messages_and_parts() {
        for (text, pid, expect) in [
            ("[5-2] x", None, Some((5, 2, "x"))),
            ("[5-2]  x", None, Some((5, 2, " x"))),
            ("[5] x", Some(7), Some((5, 1, "x"))),
            ("[7] x", Some(7), None),
            ("[DATABASE] [10-1]  sql_error_code", None, Some((10, 1, "sql_error_code"))),
            ("[local] x", None, None),
            ("[5-2", None, None),
            ("x", None, None),
        ] {
            let found = numbered(text.as_bytes(), pid);
            let expect = expect.map(|(number, part, rest): (u64, u64, &str)| (number, part, rest.as_bytes()));
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn octal_escapes() {
        for (text, plain) in [
            ("a#011b", "a\tb"),
            ("a#012#011b#012", "a\n\tb"),
            ("a#012DETAIL:  b", "a\nDETAIL:  b"),
            ("'#011abc' '#012345' #013 #", "'#011abc' '#012345' #013 #"),
        ] {
            assert_eq!(String::from_utf8_lossy(&unescape(text.as_bytes())), plain, "{text}");
        }
    }
}
