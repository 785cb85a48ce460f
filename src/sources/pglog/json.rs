//! jsonlog (PostgreSQL 15 and later): one object a line → entries.
//!
//! A scanner of the one shape that PostgreSQL writes: a flat object of strings and numbers. Escapes are
//! decoded only in the values that we use.
//! <https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-JSONLOG>

use std::hash::Hasher as _;

use memchr::{memchr, memchr2, memmem};
use rustc_hash::FxHasher;

use super::{
    Entry, Tally,
    message::whole,
    prefix,
    session_form::{Forms, Layout, Style, place},
    severity,
    time::Clock,
};

/// A string's inside as it stands in the chunk, or a number.
#[derive(Clone, Copy, Default)]
struct Value<'a> {
    text: &'a [u8],
    escaped: bool,
}

#[derive(Default)]
struct Object<'a> {
    time: Value<'a>,
    pid: Value<'a>,
    severity: Value<'a>,
    user: Value<'a>,
    database: Value<'a>,
    application: Value<'a>,
    host: Value<'a>,
    vxid: Value<'a>,
    sqlstate: Value<'a>,
    message: Value<'a>,
    detail: Value<'a>,
    context: Value<'a>,
    statement: Value<'a>,
    number: Value<'a>,
    tag: Value<'a>,
    txid: Value<'a>,
    query_id: Value<'a>,
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

impl<'a> Value<'a> {
    fn some(self) -> Option<&'a [u8]> {
        Some(self.text).filter(|text| !text.is_empty())
    }

    fn read(self, buffer: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if self.escaped {
            decode(self.text, buffer);
            return Some(buffer);
        }
        self.some()
    }
}

pub(in crate::sources) fn scan(
    chunk: &[u8],
    first_line: u64,
    tally: &mut Tally,
    mut sink: impl FnMut(&Entry<'_>),
) {
    let mut clock = Clock::default();
    let mut buffers = Buffers::default();
    let mut forms = Forms::default();
    let pid = memmem::Finder::new(b"\"pid\":");
    let mut line = first_line;
    let mut at = 0;
    while at < chunk.len() {
        let guess = |rest: &[u8]| {
            let rest = &rest[..rest.len().min(400)];
            let (pid, _) = whole(&rest[pid.find(rest)? + b"\"pid\":".len()..])?;
            u32::try_from(pid).ok()
        };
        if let Some(len) = recall(&chunk[at..], line, guess, &forms, &mut clock, &mut buffers, &mut sink) {
            tally.entries += 1;
            line += 1;
            at += len;
            continue;
        }
        let len = memchr(b'\n', &chunk[at..]).unwrap_or(chunk.len() - at);
        let text = chunk[at..at + len].trim_ascii_end();
        let object = object(text);
        let entry = object.as_ref().and_then(|object| entry(object, line, &mut clock, &mut buffers));
        match entry {
            Some(entry) => {
                tally.entries += 1;
                if let Some(layout) = object.as_ref().and_then(|object| layout(text, object)) {
                    forms.learn(text, &layout, &entry);
                }
                sink(&entry);
            }
            None if text.is_empty() => {}
            None => tally.skip(line, text),
        }
        line += 1;
        at += len + 1;
    }
    tally.zones.append(&mut clock.unknown);
}

/// Reads the object at the front as one of its session: its bytes with the newline.
fn recall(
    text: &[u8],
    line: u64,
    pid: impl Fn(&[u8]) -> Option<u32>,
    forms: &Forms,
    clock: &mut Clock,
    buffers: &mut Buffers,
    sink: &mut impl FnMut(&Entry<'_>),
) -> Option<usize> {
    const BEGINS: &[u8] = b"{\"timestamp\":\"";
    const STYLE: Style = Style { tag_ends: b'"', vxid_ends: b'"', string: inside };
    let (time, len) = clock.read(text.strip_prefix(BEGINS)?)?;
    let time_end = BEGINS.len() + len;
    let recalled = forms.recall(text, time_end, pid(&text[time_end..])?, &STYLE)?;
    let end = match text.get(recalled.len..)? {
        [b'}'] => 1,
        [b'}', b'\n', ..] => 2,
        [b'}', b'\r', b'\n', ..] => 3,
        _ => return None,
    };
    let value = |(text, escaped): (_, bool)| Value { text, escaped };
    let message = value(recalled.message).read(&mut buffers.message).unwrap_or_default();
    let detail = recalled.detail.map(value).and_then(|detail| detail.read(&mut buffers.detail));
    sink(&recalled.entry(line, time, message, detail));
    Some(recalled.len + end)
}

/// The length of the string whose inside begins here, and whether it holds escapes. It ends on its line.
fn inside(text: &[u8]) -> Option<(usize, bool)> {
    let (value, _) = string(text)?;
    Some((value.text.len(), value.escaped))
}

/// Where the values of an object stand, if it is like nearly all others.
fn layout(text: &[u8], object: &Object<'_>) -> Option<Layout> {
    let at = |value: Value<'_>| place(value.text, text).filter(|place| !place.is_empty());
    let usual = object.context.text.is_empty() && object.statement.text.is_empty() && !object.tag.escaped;
    let end = text.len().checked_sub(1)?;
    usual.then_some(Layout {
        time_end: at(object.time)?.end,
        number: at(object.number)?,
        tag: at(object.tag)?,
        vxid: at(object.vxid)?,
        txid: at(object.txid)?,
        message: at(object.message)?,
        detail: at(object.detail),
        query_id: at(object.query_id).filter(|place| place.end == end).unwrap_or(end..end),
    })
}

fn entry<'a>(
    object: &Object<'a>,
    line: u64,
    clock: &mut Clock,
    buffers: &'a mut Buffers,
) -> Option<Entry<'a>> {
    let (time, _) = clock.read(object.time.text)?;
    object.severity.some()?;
    Some(Entry {
        line,
        time: Some(time),
        coarse: false,
        pid: prefix::number(object.pid.text),
        severity: severity::of_field(object.severity.text, object.sqlstate.text),
        user: object.user.read(&mut buffers.user),
        database: object.database.read(&mut buffers.database),
        application: object.application.read(&mut buffers.application),
        host: object.host.some(),
        vxid: object.vxid.some(),
        sqlstate: object.sqlstate.some(),
        message: object.message.read(&mut buffers.message).unwrap_or_default(),
        detail: object.detail.read(&mut buffers.detail),
        context: object.context.read(&mut buffers.context),
        statement: object.statement.read(&mut buffers.statement),
        who: who(object),
    })
}

/// See [`crate::workload::Event::who`]: of the values as they stand.
fn who(object: &Object<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    for value in [object.user, object.database, object.pid, object.host, object.application] {
        hasher.write(value.text);
        hasher.write_usize(value.text.len());
    }
    hasher.finish() | 1 << 63
}

/// Whether a line begins as PostgreSQL's own do.
pub(in crate::sources) fn begins_record(line: &[u8]) -> bool {
    object(line).is_some_and(|object| {
        object.severity.some().is_some() && Clock::default().read(object.time.text).is_some()
    })
}

/// What is read of an object; the other keys are passed over.
#[derive(Clone, Copy)]
enum Key {
    Time,
    User,
    Database,
    Pid,
    Host,
    Vxid,
    Severity,
    SqlState,
    Message,
    Detail,
    Context,
    Statement,
    Application,
    Number,
    Tag,
    Txid,
    QueryId,
    Other,
}

/// The keys in the order in which PostgreSQL writes them, those that are empty left out.
const KEYS: &[(&[u8], Key)] = &[
    (b"timestamp", Key::Time),
    (b"user", Key::User),
    (b"dbname", Key::Database),
    (b"pid", Key::Pid),
    (b"remote_host", Key::Host),
    (b"remote_port", Key::Other),
    (b"session_id", Key::Other),
    (b"line_num", Key::Number),
    (b"ps", Key::Tag),
    (b"session_start", Key::Other),
    (b"vxid", Key::Vxid),
    (b"txid", Key::Txid),
    (b"error_severity", Key::Severity),
    (b"state_code", Key::SqlState),
    (b"message", Key::Message),
    (b"detail", Key::Detail),
    (b"hint", Key::Other),
    (b"internal_query", Key::Other),
    (b"internal_position", Key::Other),
    (b"context", Key::Context),
    (b"statement", Key::Statement),
    (b"cursor_position", Key::Other),
    (b"func_name", Key::Other),
    (b"file_name", Key::Other),
    (b"file_line_num", Key::Other),
    (b"application_name", Key::Application),
    (b"backend_type", Key::Other),
    (b"leader_pid", Key::Other),
    (b"query_id", Key::QueryId),
];

/// `None` when the line is no flat object that ends on it.
fn object(line: &[u8]) -> Option<Object<'_>> {
    let mut object = Object::default();
    let mut rest = line.strip_prefix(b"{")?;
    let mut expected = 0;
    loop {
        let (key, after) = key(rest.strip_prefix(b"\"")?, &mut expected)?;
        rest = after;
        let value = if let Some(inside) = rest.strip_prefix(b"\"") {
            let (value, after) = string(inside)?;
            rest = after;
            value
        } else {
            let end = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
            let value = Value { text: &rest[..end], escaped: false };
            rest = &rest[end..];
            value
        };
        match key {
            Key::Time => object.time = value,
            Key::Pid => object.pid = value,
            Key::Severity => object.severity = value,
            Key::User => object.user = value,
            Key::Database => object.database = value,
            Key::Application => object.application = value,
            Key::Host => object.host = value,
            Key::Vxid => object.vxid = value,
            Key::SqlState => object.sqlstate = value,
            Key::Message => object.message = value,
            Key::Detail => object.detail = value,
            Key::Context => object.context = value,
            Key::Statement => object.statement = value,
            Key::Number => object.number = value,
            Key::Tag => object.tag = value,
            Key::Txid => object.txid = value,
            Key::QueryId => object.query_id = value,
            Key::Other => {}
        }
        match rest.split_first()? {
            (b',', after) => rest = after,
            (b'}', []) => return Some(object),
            _ => return None,
        }
    }
}

/// A key after its opening quote, and what follows its colon. Nearly always it is one of the next that are
/// expected, which is faster to see than where it ends.
fn key<'a>(text: &'a [u8], expected: &mut usize) -> Option<(Key, &'a [u8])> {
    let is = |(name, _): &&(&[u8], Key)| text.get(name.len()) == Some(&b'"') && text.starts_with(name);
    let (len, key) = if let Some(ahead) = KEYS[*expected..].iter().position(|known| is(&known)) {
        let (name, key) = KEYS[*expected + ahead];
        *expected += ahead + 1;
        (name.len(), key)
    } else {
        let (name, _) = string(text)?;
        (name.text.len(), KEYS.iter().find(is).map_or(Key::Other, |(_, key)| *key))
    };
    Some((key, text[len + 1..].strip_prefix(b":")?))
}

const SHORT: usize = 24;

/// A string after its opening quote, and what follows the closing one.
fn string(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut escaped = false;
    // Most values are short: to set up a search takes longer than to look at each byte.
    let near = text.iter().take(SHORT).position(|byte| matches!(byte, b'"' | b'\\'));
    let mut at = near.unwrap_or(SHORT.min(text.len()));
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some((Value { text: &text[..at], escaped }, &text[at + 1..]));
        }
        escaped = true;
        at += 2;
    }
}

/// Undoes JSON's escapes; bytes that are no UTF-8 pass as they are.
fn decode(text: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    let mut rest = text;
    while let Some(backslash) = memchr(b'\\', rest) {
        buffer.extend_from_slice(&rest[..backslash]);
        let (&escape, after) = rest[backslash + 1..].split_first().unwrap_or((&b'\\', &[]));
        rest = after;
        match escape {
            b'n' => buffer.push(b'\n'),
            b't' => buffer.push(b'\t'),
            b'r' => buffer.push(b'\r'),
            b'b' => buffer.push(8),
            b'f' => buffer.push(12),
            b'u' => {
                let (character, after) = unicode(rest);
                buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            other => buffer.push(other),
        }
    }
    buffer.extend_from_slice(rest);
}

/// The character of `\u` and its four digits; two such for one outside the basic plane.
fn unicode(text: &[u8]) -> (char, &[u8]) {
    let hex = |text: &[u8]| {
        let digits = std::str::from_utf8(text.get(..4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = hex(text) else { return (char::REPLACEMENT_CHARACTER, text) };
    let after = &text[4..];
    if (0xd800..0xdc00).contains(&first)
        && let Some(low) = after.strip_prefix(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = hex(low)
    {
        let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return (character.unwrap_or(char::REPLACEMENT_CHARACTER), &low[4..]);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), after)
}
