//! jsonlog (PostgreSQL 15 and later): one object a line → entries.
//!
//! A scanner of the one shape that PostgreSQL writes: a flat object of strings and numbers. Escapes are
//! decoded only in the values that we use.
//! <https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-JSONLOG>

use memchr::{memchr, memchr2};

use super::{Entry, Tally, prefix, severity, time::Clock};

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
    let mut line = first_line;
    let mut at = 0;
    while at < chunk.len() {
        let len = memchr(b'\n', &chunk[at..]).unwrap_or(chunk.len() - at);
        let text = chunk[at..at + len].trim_ascii_end();
        match object(text).and_then(|object| entry(&object, line, &mut clock, &mut buffers)) {
            Some(entry) => {
                tally.entries += 1;
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
    })
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
    (b"line_num", Key::Other),
    (b"ps", Key::Other),
    (b"session_start", Key::Other),
    (b"vxid", Key::Vxid),
    (b"txid", Key::Other),
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
    (b"query_id", Key::Other),
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

/// A string after its opening quote, and what follows the closing one.
fn string(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut at = 0;
    let mut escaped = false;
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
