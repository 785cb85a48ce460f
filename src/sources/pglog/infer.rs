//! The first lines of a stderr log → its `log_line_prefix`.
//!
//! Common prefixes are tried first. Where none fits, the fields before `LOG:  ` of one line are read
//! (times, `[pid]`, `key=value`, `user@database`, addresses), and what they suggest is kept when it fits
//! the other lines too.

use std::cmp::Reverse;

use memchr::memmem;

use super::{
    prefix::Prefix,
    severity::Word,
    time::{self, Clock},
};

/// Defaults of PostgreSQL, of distributions and of hosted services, and what log analysers ask for.
pub(in crate::sources) const COMMON: &[&str] = &[
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p] %q%u@%d ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%m [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: user=%u,db=%d ",
    "%m [%p]: user=%u,db=%d ",
    "%t [%p-%l] %q%u@%d ",
    "%m [%p-%l] %q%u@%d ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %q[user=%u,db=%d,app=%a,client=%h] ",
    "%m [%p-%l] %q[user=%u,db=%d,app=%a] ",
    "%m [%r] [%p]: [%l-1] user=%u,db=%d,host=%h,app=%a [%x] ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%m [%p] db=%d,user=%u,app=%a,client=%h ",
    "[%m] [%p] %q%u@%d ",
    // Heroku's, now and before; the second has no time, so that logplex' stands in front.
    "sql_error_code = %e time_ms = \"%m\" pid=\"%p\" proc_start_time=\"%s\" session_id=\"%c\" vtid=\"%v\" tid=\"%x\" log_line=\"%l\" %qdatabase=\"%d\" connection_source=\"%r\" user=\"%u\" application_name=\"%a\" ",
    "%m [%p] sql_error_code = %e ",
    "%t [%p] sql_error_code = %e ",
    "%t ",
    "%m ",
];

/// Lines looked at; enough to see a prefix, few enough to be quick.
const LINES: usize = 400;

/// How many lines (of the first [`LINES`]) begin with the prefix and a severity.
pub(in crate::sources) fn matches(prefix: &Prefix, lines: &[&[u8]]) -> usize {
    count(prefix, lines).0
}

/// The lines that match, and those of them with a value that looks like several: `web,client=[local]`.
fn count(prefix: &Prefix, lines: &[&[u8]]) -> (usize, usize) {
    let mut clock = Clock::default();
    let (mut matched, mut odd) = (0, 0);
    for line in lines.iter().take(LINES) {
        let Some(head) = prefix.head(line, &mut clock) else { continue };
        matched += 1;
        odd += usize::from(head.fields.look_merged());
    }
    (matched, odd)
}

/// How many lines hold a severity somewhere near their beginning.
pub(in crate::sources) fn heads(lines: &[&[u8]]) -> usize {
    lines.iter().take(LINES).filter(|line| severity_at(line).is_some()).count()
}

/// Whether a prefix reads nine tenths of the lines that hold a severity.
pub(in crate::sources) fn fits(prefix: &Prefix, lines: &[&[u8]], heads: usize) -> bool {
    let matched = matches(prefix, lines);
    matched > 0 && matched * 10 >= heads * 9
}

/// The prefix that reads the most lines; among equals the one that tells the most, then the first of
/// [`COMMON`].
pub(in crate::sources) fn infer(lines: &[&[u8]]) -> Option<Prefix> {
    let mut best = None;
    let mut most = (0, Reverse(0), 0);
    for text in COMMON.iter().map(|text| (*text).to_owned()).chain(guesses(lines)) {
        let Ok(prefix) = Prefix::compile(&text) else { continue };
        let (matched, odd) = count(&prefix, lines);
        let score = (matched, Reverse(odd), prefix.fields());
        if score.0 > 0 && score > most {
            most = score;
            best = Some(prefix);
        }
    }
    best
}

/// Where `LOG:  ` or its like stands; not in a continuation line.
pub(in crate::sources) fn severity_at(line: &[u8]) -> Option<usize> {
    if matches!(line.first(), Some(b'\t' | b' ') | None) {
        return None;
    }
    let near = &line[..line.len().min(600)];
    memmem::find_iter(near, b":  ").find_map(|colon| {
        let word = near[..colon].iter().rev().take_while(|b| b.is_ascii_uppercase()).count();
        let at = colon - word;
        super::severity::read(&near[at..]).is_some().then_some(at)
    })
}

/// Prefixes that some lines suggest, each with `%q` at every place where it may stand.
fn guesses(lines: &[&[u8]]) -> Vec<String> {
    let mut guesses = Vec::new();
    let mut seen = 0;
    for line in lines.iter().take(LINES) {
        let Some(at) = severity_at(line) else { continue };
        if !matches!(super::severity::read(&line[at..]), Some((Word::Entry(_), _))) {
            continue;
        }
        let pieces = pieces(&line[..at]);
        let whole = pieces.concat();
        if guesses.contains(&whole) {
            continue;
        }
        guesses.push(whole);
        for quit in 1..pieces.len() {
            guesses.push(format!("{}%q{}", pieces[..quit].concat(), pieces[quit..].concat()));
        }
        seen += 1;
        if seen == 12 {
            break;
        }
    }
    guesses
}

/// What each part of one line's prefix would be in a `log_line_prefix`.
fn pieces(prefix: &[u8]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = prefix;
    let mut key: Option<&'static str> = None;
    let mut has_time = false;
    let mut has_pid = false;
    while let Some(&byte) = rest.first() {
        let mut clock = Clock::default();
        let (piece, len) = if let Some((_, len)) = clock.read(rest) {
            let millis = rest.get(19) == Some(&b'.');
            let piece = match (millis, has_time) {
                (true, _) => "%m",
                (false, false) => "%t",
                (false, true) => "%s",
            };
            has_time = true;
            (piece.to_owned(), len)
        } else if let Some((_, len)) = time::epoch(rest) {
            has_time = true;
            ("%n".to_owned(), len)
        } else if let Some(escape) = key.take() {
            let len = value_len(rest);
            let escape = if escape == "%h" && rest[..len].ends_with(b")") { "%r" } else { escape };
            (escape.to_owned(), len)
        } else if let Some((name, len)) = key_at(rest) {
            key = Some(name);
            // A session id holds the process id.
            has_pid |= matches!(name, "%p" | "%c");
            (String::from_utf8_lossy(&rest[..len]).replace('%', "%%"), len)
        } else if byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b'_') || byte >= 0x80 {
            let (piece, len) = word(rest, has_pid);
            has_pid |= matches!(piece.as_str(), "%p" | "%c");
            (piece, len)
        } else {
            ((byte as char).to_string().replace('%', "%%"), 1)
        };
        pieces.push(piece);
        rest = &rest[len..];
        // An empty value: the next byte separates already.
        if key.is_some() && rest.first().is_some_and(|b| matches!(b, b',' | b']' | b' ' | b')' | b';' | b'|'))
        {
            pieces.push(key.take().unwrap_or_default().to_owned());
        }
    }
    pieces
}

/// `user=`, `db:` and the like: the escape that the value stands for, and the length with its separator.
fn key_at(text: &[u8]) -> Option<(&'static str, usize)> {
    let len = text.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'_').count();
    if len == 0 || text.get(len) != Some(&b'=') {
        return None;
    }
    let key = text[..len].to_ascii_lowercase();
    let (_, escape) = KEYS.iter().find(|(names, _)| names.iter().any(|name| key == name.as_bytes()))?;
    Some((escape, len + 1))
}

const KEYS: &[(&[&str], &str)] = &[
    (&["user", "usr", "u", "username", "role"], "%u"),
    (&["db", "database", "d", "dbname", "datname"], "%d"),
    (&["app", "application", "appname", "a", "application_name"], "%a"),
    (&["client", "host", "h", "remote", "ip", "addr", "client_addr", "remote_host"], "%h"),
    (&["pid", "p", "process"], "%p"),
    (&["session", "sess", "sid", "session_id", "c"], "%c"),
    (&["line", "l", "ln", "line_num"], "%l"),
    (&["vxid", "vxact", "v", "virtualxid"], "%v"),
    (&["xid", "txid", "x", "tx", "trans"], "%x"),
    (&["qid", "query_id", "queryid"], "%Q"),
    (&["sqlstate", "state", "e", "err", "error", "code"], "%e"),
    (&["cmd", "tag", "ps", "command", "i"], "%i"),
    (&["backend", "type", "b", "backend_type"], "%b"),
];

fn value_len(text: &[u8]) -> usize {
    for whole in [&b"[unknown]"[..], b"[local]"] {
        if text.starts_with(whole) {
            return whole.len();
        }
    }
    text.iter().position(|b| matches!(b, b',' | b']' | b' ' | b';' | b'|')).unwrap_or(text.len())
}

/// A word without a key: told by its form.
fn word(text: &[u8], has_pid: bool) -> (String, usize) {
    if text[0] == b'[' && !text.starts_with(b"[unknown]") && !text.starts_with(b"[local]") {
        return ("[".to_owned(), 1);
    }
    let mut len = 0;
    while let Some(b) = text.get(len) {
        if text[len..].starts_with(b"[unknown]") {
            len += 9;
        } else if text[len..].starts_with(b"[local]") {
            len += 7;
        } else if b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'@' | b'.' | b'/' | b'(' | b')')
            || *b >= 0x80
        {
            len += 1;
        } else {
            break;
        }
    }
    let word = &text[..len];
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits(word) {
        return (if has_pid { "%l" } else { "%p" }.to_owned(), len);
    }
    if let Some((left, right)) = split(word, b'/')
        && digits(left)
        && digits(right)
    {
        return ("%v".to_owned(), len);
    }
    if let Some((left, right)) = split(word, b'.')
        && left.len() >= 8
        && [left, right].iter().all(|part| part.iter().all(u8::is_ascii_hexdigit))
    {
        return ("%c".to_owned(), len);
    }
    if let Some((left, _)) = split(word, b'@') {
        let _ = left;
        return ("%u@%d".to_owned(), len);
    }
    if word == b"[local]" || word.ends_with(b")") {
        return ("%r".to_owned(), len);
    }
    if memchr::memchr_iter(b'.', word).count() == 3 {
        return ("%h".to_owned(), len);
    }
    (String::from_utf8_lossy(word).replace('%', "%%"), len.max(1))
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = text.iter().position(|b| *b == at)?;
    Some((&text[..found], &text[found + 1..]))
}
