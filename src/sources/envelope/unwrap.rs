//! A reader of an envelope → a reader of what is in it.

use std::io::{self, BufRead, BufReader, Read};

use super::{
    Form, Layer, Newest, header,
    journal::Journal,
    json::{self, Carried, Found},
    lines::Lines,
    objects::Objects,
    parts::{Assembler, Out, Record},
    stamp, table,
};

/// A line is cut after this many bytes.
const LONGEST: u64 = 64 << 20;
/// What is read newest first waits until so much is there.
const TURNED: usize = 64 << 20;

/// A record with a text of its own.
#[derive(Debug, Default)]
struct Owned {
    text: Vec<u8>,
    /// All but the text.
    rest: Record<'static>,
}

impl Owned {
    fn new(record: &Record<'_>) -> Owned {
        Owned { text: record.text.to_vec(), rest: Record { text: &[], ..record.clone() } }
    }

    fn record(&self) -> Record<'_> {
        Record { text: &self.text, ..self.rest.clone() }
    }
}

pub(in crate::sources) struct Unwrap {
    from: BufReader<Box<dyn Read + Send>>,
    layer: Layer,
    /// The lines of the envelope around this one.
    around: Option<Lines>,
    assembler: Assembler,
    out: Out,
    /// Of `out`, what was handed on.
    at: usize,
    line: Vec<u8>,
    newlines: u64,
    objects: Objects,
    journal: Journal,
    columns: Option<table::Columns>,
    /// The last syslog line, until it is known that no line of it follows, and where its message began.
    last: Option<(Owned, usize)>,
    /// What waits to be turned round.
    held: Vec<Owned>,
    held_bytes: usize,
    failed: Option<io::Error>,
    done: bool,
}

impl Unwrap {
    /// `around`: which line of the user's file each line of `from` came from, where it is unwrapped itself.
    pub(in crate::sources) fn new(
        from: Box<dyn Read + Send>,
        layer: &Layer,
        around: Option<Lines>,
    ) -> Unwrap {
        let wrapped = matches!(layer.form, Form::Json { wrapped: true, .. });
        Unwrap {
            from: BufReader::with_capacity(1 << 16, from),
            layer: layer.clone(),
            around,
            assembler: Assembler::new(layer.manner),
            out: Out::new(layer.lines.clone()),
            at: 0,
            line: Vec::new(),
            newlines: 0,
            objects: Objects::new(wrapped),
            journal: Journal::default(),
            columns: None,
            last: None,
            held: Vec::new(),
            held_bytes: 0,
            failed: None,
            done: false,
        }
    }

    fn user_line(&self, line: u64) -> u64 {
        self.around.as_ref().map_or(line, |lines| lines.outer(line))
    }

    /// Reads one record: whether there was one.
    fn step(&mut self) -> io::Result<bool> {
        match self.layer.form {
            Form::Journal => {
                let Some(entry) = self.journal.next(&mut self.from)? else { return Ok(false) };
                let program = hash(&[&entry.host, &entry.program]);
                let record = Record {
                    line: self.user_line(entry.line),
                    text: &entry.message,
                    time: entry.time,
                    pid: entry.pid,
                    writer: program ^ u64::from(entry.pid.unwrap_or(0)),
                    program: Some(program),
                    more: false,
                };
                self.give(&record);
            }
            Form::Json { document: true, newlines, .. } => {
                let mut text = std::mem::take(&mut self.line);
                let next = self.objects.next(&mut self.from, &mut text);
                let Ok(Some(line)) = next else {
                    self.line = text;
                    return next.map(|_| false);
                };
                self.objects_of(self.user_line(line), &text, newlines);
                self.line = text;
            }
            Form::Csv => {
                let mut row = std::mem::take(&mut self.line);
                let line = self.newlines + 1;
                let longest = usize::try_from(LONGEST).unwrap_or(usize::MAX);
                self.newlines += table::row(&mut self.from, &mut row, longest)?;
                let more = !row.is_empty();
                let text = trimmed(&row);
                match self.columns {
                    None => self.columns = table::Columns::of(text),
                    Some(_) if text.is_empty() => {}
                    Some(columns) => {
                        let fields = table::fields(text);
                        let time = columns.time.and_then(|time| fields.get(time));
                        let time =
                            time.and_then(|time| json::time(&String::from_utf8_lossy(time).as_ref().into()));
                        let line = self.user_line(line);
                        match fields.get(columns.message) {
                            Some(text) => self.give(&Record { line, text, time, ..Record::default() }),
                            None => self.layer.counts.unknown(line, text),
                        }
                    }
                }
                self.line = row;
                return Ok(more);
            }
            _ => {
                let mut line = std::mem::take(&mut self.line);
                line.clear();
                let read = (&mut self.from).take(LONGEST).read_until(b'\n', &mut line)?;
                let number = self.user_line(self.newlines + 1);
                self.newlines += 1;
                if read > 0 {
                    self.line_of(number, trimmed(&line));
                }
                self.line = line;
                return Ok(read > 0);
            }
        }
        Ok(true)
    }

    fn line_of(&mut self, number: u64, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        match self.layer.form {
            Form::Json { newlines, .. } => return self.objects_of(number, line, newlines),
            Form::Syslog => return self.syslog(number, line),
            _ => {}
        }
        match plain(self.layer.form, line) {
            Some(record) => self.give(&Record { line: number, ..record }),
            None => self.layer.counts.unknown(number, line),
        }
    }

    fn syslog(&mut self, number: u64, line: &[u8]) {
        let Some(header) = header::read(line, self.layer.newest) else {
            let indent = line.iter().take_while(|b| **b == b' ').count();
            return match &mut self.last {
                // journalctl indents the other lines of a message by the width of what stands before it.
                Some((last, at))
                    if indent >= *at && last.text.len() < usize::try_from(LONGEST).unwrap_or(0) =>
                {
                    last.text.push(b'\n');
                    last.text.extend_from_slice(&line[*at..]);
                }
                _ => self.layer.counts.unknown(number, line),
            };
        };
        if header.yearless {
            self.layer.counts.yearless();
        }
        let program = hash(&[header.host, header.program]);
        let record = Record {
            line: number,
            text: &line[header.at..],
            time: header.time,
            pid: header.pid,
            writer: program ^ u64::from(header.pid.unwrap_or(0)),
            program: Some(program),
            more: false,
        };
        let last = self.last.replace((Owned::new(&record), header.at));
        if let Some((last, _)) = last {
            self.give(&last.record());
        }
    }

    fn objects_of(&mut self, line: u64, text: &[u8], newlines: bool) {
        json::each(text, newlines, &mut |found| match found {
            Found::Line(Carried { text, time, pid, writer, program, more, .. }) => {
                let program = program.map(|program| hash(&[program.as_bytes()]));
                let writer = hash(&[writer.as_bytes()]);
                self.give(&Record { line, text: &text, time, pid, writer, program, more });
            }
            Found::Other => self.layer.counts.other(),
            Found::Unknown => self.layer.counts.unknown(line, text),
        });
    }

    fn give(&mut self, record: &Record<'_>) {
        if !self.layer.reversed {
            return self.assembler.record(record, &self.layer.counts, &mut self.out);
        }
        self.held_bytes += record.text.len() + 64;
        self.held.push(Owned::new(record));
        if self.held_bytes > TURNED {
            self.layer.counts.torn();
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.held_bytes = 0;
        for held in std::mem::take(&mut self.held).into_iter().rev() {
            self.assembler.record(&held.record(), &self.layer.counts, &mut self.out);
        }
    }

    fn finish(&mut self) {
        self.done = true;
        if let Some((last, _)) = self.last.take() {
            self.give(&last.record());
        }
        self.turn();
        self.assembler.finish(&self.layer.counts, &mut self.out);
    }
}

impl Read for Unwrap {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.text.len() {
            self.out.text.clear();
            self.at = 0;
            if self.done {
                return self.failed.take().map_or(Ok(0), Err);
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => self.finish(),
                // What came before the damage is given first.
                Err(error) => {
                    self.failed = Some(error);
                    self.finish();
                }
            }
        }
        let some = to.len().min(self.out.text.len() - self.at);
        to[..some].copy_from_slice(&self.out.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The forms in which something stands in front of each line.
pub(super) fn plain(form: Form, line: &[u8]) -> Option<Record<'_>> {
    match form {
        Form::Cri => {
            let (time, len) = stamp::rfc3339(line)?;
            let rest = line[len..].strip_prefix(b" ")?;
            let (stream, rest) = rest.strip_prefix(b"std")?.split_at_checked(4)?;
            let more = match rest.first()? {
                b'F' => false,
                b'P' => true,
                _ => return None,
            };
            // Tags may follow, `F:x`; the line may be empty.
            let tag = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
            let text = rest.get(tag + 1..).unwrap_or_default();
            if !matches!(stream, b"out " | b"err ") || tag > 20 {
                return None;
            }
            Some(Record { text, time: Some(time), writer: u64::from(stream[0]), more, ..Record::default() })
        }
        Form::Named => {
            let (name, text) = named(line)?;
            let writer = hash(&[name]);
            Some(Record { text, writer, program: Some(writer), ..Record::default() })
        }
        Form::Timed { stream } => {
            let (time, len) = stamp::rfc3339(line)?;
            let text = if len == line.len() { &[][..] } else { line[len..].strip_prefix(b" ")? };
            if line[10] == b' ' {
                return None;
            }
            let (name, text) = if stream {
                let at = memchr::memchr(b' ', text)?;
                // A date of the line's own, or a bracket, is no stream's name.
                if !text[0].is_ascii_alphabetic() || !text[..at].iter().all(u8::is_ascii_graphic) {
                    return None;
                }
                (&text[..at], &text[at + 1..])
            } else {
                (&[][..], text)
            };
            Some(Record { text, time: Some(time), writer: hash(&[name]), ..Record::default() })
        }
        Form::Syslog | Form::Journal | Form::Json { .. } | Form::Csv => None,
    }
}

/// `db-1  | line` and `[pod/db-0/postgres] line`.
fn named(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(inside) = line.strip_prefix(b"[pod/") {
        let end = inside.iter().take(200).position(|b| *b == b']')?;
        let text = inside[end + 1..].strip_prefix(b" ").unwrap_or(&inside[end + 1..]);
        return Some((&inside[..end], text));
    }
    // A terminal's colours may be around the name.
    let bar = line.iter().take(120).position(|b| *b == b'|')?;
    let name = line[..bar].trim_ascii_end();
    let known =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | 0x1b | b'[' | b';');
    if name.is_empty() || name.len() == bar || !name.iter().all(known) {
        return None;
    }
    let mut text = &line[bar + 1..];
    if let Some(rest) = text.strip_prefix(b"\x1b[0m") {
        text = rest;
    }
    Some((name, text.strip_prefix(b" ").unwrap_or(text)))
}

fn hash(parts: &[&[u8]]) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = rustc_hash::FxHasher::default();
    for part in parts {
        hasher.write(part);
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

/// For recognition: what the records of a beginning are.
pub(super) fn sample(head: &[u8], form: Form, newest: Newest) -> Vec<Sampled> {
    let mut found = Vec::new();
    let mut from = BufReader::new(head);
    match form {
        Form::Journal => {
            let mut journal = Journal::default();
            while let Ok(Some(entry)) = journal.next(&mut from) {
                found.push(Sampled::new("journald", entry.message, entry.time, entry.pid));
            }
        }
        Form::Json { document: true, wrapped, newlines } => {
            let mut objects = Objects::new(wrapped);
            let mut text = Vec::new();
            while let Ok(Some(_)) = objects.next(&mut from, &mut text) {
                json::each(&text, newlines, &mut |one| found.extend(Sampled::of(one)));
            }
        }
        Form::Json { newlines, .. } => {
            for line in head.split(|b| *b == b'\n').filter(|line| line.first() == Some(&b'{')) {
                json::each(line, newlines, &mut |one| found.extend(Sampled::of(one)));
            }
        }
        Form::Csv => {
            let (mut row, mut columns) = (Vec::new(), None);
            while let Ok(_) = table::row(&mut from, &mut row, head.len())
                && !row.is_empty()
            {
                match columns {
                    None => columns = table::Columns::of(&row),
                    Some(table::Columns { message, .. }) => {
                        let text = table::fields(trimmed(&row)).into_iter().nth(message);
                        found.extend(text.map(|text| Sampled::new("csv-table", text, None, None)));
                    }
                }
                if columns.is_none() {
                    break;
                }
            }
        }
        Form::Syslog => {
            for line in head.split(|b| *b == b'\n') {
                if let Some(header) = header::read(trimmed(line), newest) {
                    let text = trimmed(line)[header.at..].to_vec();
                    found.push(Sampled::new("syslog", text, header.time, header.pid));
                }
            }
        }
        _ => {
            let who = match form {
                Form::Cri => "cri",
                Form::Named => "compose",
                _ => "timestamps",
            };
            for record in head.split(|b| *b == b'\n').filter_map(|line| plain(form, trimmed(line))) {
                found.push(Sampled::new(who, record.text.to_vec(), record.time, record.pid));
            }
        }
    }
    found
}

/// One record of a beginning.
#[derive(Debug)]
pub(super) struct Sampled {
    pub carried: Carried,
}

impl Sampled {
    fn new(who: &'static str, text: Vec<u8>, time: Option<stamp::Stamp>, pid: Option<u32>) -> Sampled {
        Sampled { carried: Carried { who, text, time, pid, ..Carried::default() } }
    }

    fn of(found: Found) -> Option<Sampled> {
        match found {
            Found::Line(carried) => Some(Sampled { carried }),
            Found::Other | Found::Unknown => None,
        }
    }
}
