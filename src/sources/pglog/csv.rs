//! csvlog: records → entries.
//!
//! Columns as PostgreSQL documents them: 23 up to version 12, 24 (`backend_type`) in 13, 26
//! (`leader_pid`, `query_id`) since 14. The first 23 never moved. A record that is not one (a file cut in
//! the middle of an entry, a torn write) costs only the lines up to the next record's beginning.
//! <https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG>

use std::hash::Hasher as _;

use memchr::{memchr, memchr_iter, memrchr};
use rustc_hash::FxHasher;

use super::{
    Entry, Tally, prefix,
    session_form::{Forms, Layout, Style, place},
    severity,
    time::{Clock, looks_like_time},
};

const TIME: usize = 0;
const USER: usize = 1;
const DATABASE: usize = 2;
const PID: usize = 3;
const CONNECTION_FROM: usize = 4;
const NUMBER: usize = 6;
const TAG: usize = 7;
const VXID: usize = 9;
const TXID: usize = 10;
const SEVERITY: usize = 11;
const SQLSTATE: usize = 12;
const MESSAGE: usize = 13;
const DETAIL: usize = 14;
const CONTEXT: usize = 18;
const STATEMENT: usize = 19;
const APPLICATION: usize = 22;
const BACKEND_TYPE: usize = 23;
const MIN_COLUMNS: usize = 23;
const MAX_COLUMNS: usize = 26;

/// A field as it stands in the chunk, its outer quotes taken off.
#[derive(Clone, Copy, Default)]
struct Field<'a> {
    text: &'a [u8],
    /// It holds doubled quotes.
    doubled: bool,
}

impl<'a> Field<'a> {
    fn read(self, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        if !self.doubled {
            return self.text;
        }
        buffer.clear();
        let mut from = 0;
        let mut quotes = memchr_iter(b'"', self.text);
        while let Some(quote) = quotes.next() {
            buffer.extend_from_slice(&self.text[from..=quote]);
            from = quote + 2;
            quotes.next();
        }
        buffer.extend_from_slice(self.text.get(from..).unwrap_or_default());
        buffer
    }

    fn read_some(self, buffer: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        Some(self.read(buffer)).filter(|text| !text.is_empty())
    }
}

#[derive(Default)]
struct Buffers {
    message: Vec<u8>,
    detail: Vec<u8>,
    context: Vec<u8>,
    statement: Vec<u8>,
    user: Vec<u8>,
    database: Vec<u8>,
    application: Vec<u8>,
}

pub(in crate::sources) fn scan(
    chunk: &[u8],
    first_line: u64,
    tally: &mut Tally,
    mut sink: impl FnMut(&Entry<'_>),
) {
    let mut clock = Clock::default();
    let mut buffers = Buffers::default();
    let mut fields = [Field::default(); MAX_COLUMNS];
    let mut forms = Forms::default();
    let mut line = first_line;
    let mut at = 0;
    while at < chunk.len() {
        if let Some((len, lines)) = recall(&chunk[at..], line, &forms, &mut clock, &mut buffers, &mut sink) {
            tally.entries += 1;
            line += lines;
            at += len;
            continue;
        }
        let text = &chunk[at..];
        let record = record(text, &mut fields);
        let entry = record.and_then(|len| Some((len, entry(&fields, line, &mut clock, &mut buffers)?)));
        if let Some((len, entry)) = entry {
            tally.entries += 1;
            if let Some(layout) = layout(text, &fields) {
                forms.learn(text, &layout, &entry);
            }
            sink(&entry);
            line += memchr_iter(b'\n', &text[..len]).count() as u64;
            at += len;
        } else {
            let len = next_line(&chunk[at..]);
            let text = chunk[at..at + len].trim_ascii_end();
            if !text.is_empty() {
                tally.skip(line, text);
            }
            line += 1;
            at += len;
            // What follows belongs to the broken record until a line begins one.
            while at < chunk.len() && !begins_record(&chunk[at..]) {
                let len = next_line(&chunk[at..]);
                tally.skip(line, chunk[at..at + len].trim_ascii_end());
                line += 1;
                at += len;
            }
        }
    }
    tally.zones.append(&mut clock.unknown);
}

/// Reads the record at the front as one of its session: its bytes and lines.
fn recall(
    text: &[u8],
    line: u64,
    forms: &Forms,
    clock: &mut Clock,
    buffers: &mut Buffers,
    sink: &mut impl FnMut(&Entry<'_>),
) -> Option<(usize, u64)> {
    const STYLE: Style = Style { tag_ends: b'"', vxid_ends: b',', string };
    let (time, time_end) = clock.read(text)?;
    let recalled = forms.recall(text, time_end, pid(&text[time_end..])?, &STYLE)?;
    let newline = text.get(recalled.len..)?;
    let len = recalled.len
        + match newline {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return None,
        };
    let field = |(text, doubled): (_, bool)| Field { text, doubled };
    let (message, detail) = (field(recalled.message), recalled.detail.map(field));
    let newlines = |field: Field<'_>| memchr_iter(b'\n', field.text).count() as u64;
    let lines = 1 + newlines(message) + detail.map_or(0, newlines);
    let detail = detail.and_then(|detail| detail.read_some(&mut buffers.detail));
    sink(&recalled.entry(line, time, message.read(&mut buffers.message), detail));
    Some((len, lines))
}

/// What seems to be the process id: the third of the values after the time.
fn pid(rest: &[u8]) -> Option<u32> {
    let mut commas = rest.iter().take(160).enumerate().filter(|(_, byte)| **byte == b',');
    let (start, (end, _)) = (commas.nth(2)?.0 + 1, commas.next()?);
    prefix::number(&rest[start..end])
}

/// The length of the string whose inside begins here, and whether it holds doubled quotes.
fn string(text: &[u8]) -> Option<(usize, bool)> {
    let mut doubled = false;
    let mut at = 0;
    loop {
        at += quote(text.get(at..)?)?;
        if text.get(at + 1) != Some(&b'"') {
            return Some((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

/// Where the values of a record stand, if it is like nearly all others.
fn layout(text: &[u8], fields: &[Field<'_>; MAX_COLUMNS]) -> Option<Layout> {
    let at = |column: usize| place(fields[column].text, text).filter(|place| !place.is_empty());
    let usual = fields[CONTEXT].text.is_empty()
        && fields[STATEMENT].text.is_empty()
        && !fields[TAG].doubled
        && !fields[BACKEND_TYPE].text.is_empty();
    let time_end = at(TIME)?.end;
    // The last of the columns, and of fewer none: what was read before may still stand there.
    let last = at(BACKEND_TYPE)?.end + 1;
    let end = last
        + text
            .get(last..)?
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(text.len() - last);
    let number = |byte: &&u8| byte.is_ascii_digit() || **byte == b'-';
    let digits = text[last..end].iter().rev().take_while(number).count();
    usual.then_some(Layout {
        time_end,
        number: at(NUMBER)?,
        tag: at(TAG)?,
        vxid: at(VXID)?,
        txid: at(TXID)?,
        message: at(MESSAGE)?,
        detail: at(DETAIL),
        query_id: end - digits..end,
    })
}

/// The length of the first line, with its newline.
fn next_line(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |len| len + 1)
}

/// Splits the record at the front into its fields; its length with the newline. `None` when it has not
/// the right number of fields, or does not end.
fn record<'a>(text: &'a [u8], fields: &mut [Field<'a>; MAX_COLUMNS]) -> Option<usize> {
    fields[BACKEND_TYPE] = Field::default();
    let mut at = 0;
    for (count, field) in fields.iter_mut().enumerate() {
        if text.get(at) == Some(&b',') {
            *field = Field::default();
        } else if text.get(at) == Some(&b'"') {
            let from = at + 1;
            let (len, doubled) = string(&text[from..])?;
            *field = Field { text: &text[from..from + len], doubled };
            at = from + len + 1;
        } else {
            // Short, all of them: to set up a search takes longer than to look at each byte.
            let ends = |byte: &u8| matches!(byte, b',' | b'\n' | b'"');
            let len = text[at..].iter().position(ends).unwrap_or(text.len() - at);
            *field = Field { text: text[at..at + len].trim_ascii_end(), doubled: false };
            at += len;
        }
        match text.get(at) {
            Some(b',') => at += 1,
            None => return (count + 1 >= MIN_COLUMNS).then_some(at),
            Some(b'\n') => return (count + 1 >= MIN_COLUMNS).then_some(at + 1),
            Some(b'\r') if text.get(at + 1) == Some(&b'\n') => {
                return (count + 1 >= MIN_COLUMNS).then_some(at + 2);
            }
            Some(_) => return None,
        }
    }
    None
}

/// The next quote: names are short, statements are not.
fn quote(text: &[u8]) -> Option<usize> {
    const SHORT: usize = 16;
    let near = text[..text.len().min(SHORT)].iter().position(|byte| *byte == b'"');
    near.or_else(|| memchr(b'"', text.get(SHORT..)?).map(|at| at + SHORT))
}

/// See [`crate::workload::Event::who`]: of the fields as they stand.
fn who(fields: &[Field<'_>; MAX_COLUMNS]) -> u64 {
    let mut hasher = FxHasher::default();
    for column in [USER, DATABASE, PID, CONNECTION_FROM, APPLICATION] {
        let text = fields[column].text;
        hasher.write(text);
        hasher.write_usize(text.len());
    }
    hasher.finish() | 1 << 63
}

fn entry<'a>(
    fields: &[Field<'a>; MAX_COLUMNS],
    line: u64,
    clock: &mut Clock,
    buffers: &'a mut Buffers,
) -> Option<Entry<'a>> {
    let (time, _) = clock.read(fields[TIME].text)?;
    let sqlstate = fields[SQLSTATE].text;
    let some = |field: Field<'a>| Some(field.text).filter(|text| !text.is_empty());
    Some(Entry {
        line,
        time: Some(time),
        coarse: false,
        pid: prefix::number(fields[PID].text),
        severity: severity::of_field(fields[SEVERITY].text, sqlstate),
        user: fields[USER].read_some(&mut buffers.user),
        database: fields[DATABASE].read_some(&mut buffers.database),
        application: fields[APPLICATION].read_some(&mut buffers.application),
        host: some(fields[CONNECTION_FROM]).map(without_port),
        vxid: some(fields[VXID]),
        sqlstate: Some(sqlstate).filter(|state| !state.is_empty()),
        message: fields[MESSAGE].read(&mut buffers.message),
        detail: fields[DETAIL].read_some(&mut buffers.detail),
        context: fields[CONTEXT].read_some(&mut buffers.context),
        statement: fields[STATEMENT].read_some(&mut buffers.statement),
        who: who(fields),
    })
}

/// `10.0.0.1:57370` and `::1:57370` without the port; `[local]` has none.
fn without_port(from: &[u8]) -> &[u8] {
    match memrchr(b':', from) {
        Some(colon) if from[colon + 1..].iter().all(u8::is_ascii_digit) => &from[..colon],
        _ => from,
    }
}

/// Whether a line begins a record: a time with its zone, a user or none, and a database or none.
pub(in crate::sources) fn begins_record(line: &[u8]) -> bool {
    if !looks_like_time(line) {
        return false;
    }
    let Some(comma) = memchr(b',', &line[..line.len().min(64)]) else { return false };
    matches!(line.get(comma + 1), Some(b',' | b'"')) && Clock::default().read(&line[..comma]).is_some()
}

/// Where the last record begins. Quotes tell (an even number stands before it); where they mislead,
/// because the text begins in the middle of a record, the last line that looks like one is taken.
pub(in crate::sources) fn last_boundary(text: &[u8]) -> Option<usize> {
    let mut odd = memchr_iter(b'"', text).count() % 2 == 1;
    let mut second_best = None;
    let mut end = text.len();
    while let Some(newline) = memrchr(b'\n', &text[..end]) {
        odd ^= memchr_iter(b'"', &text[newline + 1..end]).count() % 2 == 1;
        if begins_record(&text[newline + 1..]) {
            if !odd {
                return Some(newline + 1);
            }
            second_best = second_best.or(Some(newline + 1));
        }
        end = newline;
    }
    second_best
}
