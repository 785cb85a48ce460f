//! What stands before `LOG:  ` in one line, cut into separators, values that their form tells, numbers and words.

use std::net::IpAddr;

use crate::sources::pglog::{
    prefix::backend_len,
    time::{self, Clock},
};

/// A part of one line's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Separators, and the `user=` before a value.
    Literal(&'a [u8]),
    /// A value whose form or key tells its escape.
    Known(&'static str),
    Number(&'a [u8]),
    Word(&'a [u8]),
}

/// Cuts one line's prefix.
pub(super) fn parts(prefix: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut has_time = false;
    // Separators begin at `from`.
    let (mut from, mut at) = (0, 0);
    while at < prefix.len() {
        let rest = &prefix[at..];
        let (start, part, len) = if let Some((_, len)) = Clock::default().read(rest) {
            let escape = match (rest.get(19) == Some(&b'.'), has_time) {
                (true, _) => "%m",
                (false, false) => "%t",
                (false, true) => "%s",
            };
            has_time = true;
            (at, Part::Known(escape), len)
        } else if let Some((_, len)) = time::epoch(rest) {
            has_time = true;
            (at, Part::Known("%n"), len)
        } else if let Some((escape, key)) = key_at(rest) {
            let len = keyed_len(&rest[key..]);
            let with_port = escape == "%h" && rest[key..key + len].ends_with(b")");
            (at + key, Part::Known(if with_port { "%r" } else { escape }), len)
        } else if let Some((part, len)) = value(rest) {
            (at, part, len)
        } else {
            at += 1;
            continue;
        };
        if from < start {
            parts.push(Part::Literal(&prefix[from..start]));
        }
        parts.push(part);
        at = start + len;
        from = at;
    }
    if from < prefix.len() {
        parts.push(Part::Literal(&prefix[from..]));
    }
    parts
}

/// `user=`, `db=` and the like: the escape that the value stands for, and the length with its separator.
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

fn keyed_len(text: &[u8]) -> usize {
    let len = bracketed(text);
    if len > 0 {
        return len;
    }
    text.iter().position(|b| matches!(b, b',' | b']' | b')' | b' ' | b';' | b'|')).map_or(text.len(), |len| {
        // The `)` of `10.0.0.1(5432)` is its own.
        len + usize::from(text[len] == b')' && text[..len].contains(&b'('))
    })
}

/// What PostgreSQL writes for a value that it does not have yet.
fn bracketed(text: &[u8]) -> usize {
    [&b"[unknown]"[..], b"[local]"]
        .iter()
        .find(|whole| text.starts_with(whole))
        .map_or(0, |whole| whole.len())
}

/// A value at the front and its length; `None` where a separator stands.
fn value(text: &[u8]) -> Option<(Part<'_>, usize)> {
    let word = |len: usize| Some((Part::Word(&text[..len]), len));
    let first = *text.first()?;
    let len = bracketed(text);
    if len > 0 {
        return word(len + port_len(&text[len..]));
    }
    let ends = |len: usize| !text.get(len).is_some_and(|b| in_word(*b));
    if let Some(len) = backend_len(text) {
        return Some((Part::Known("%b"), len));
    }
    let address = text.iter().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
    let parses = |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    if ends(address) && parses(&text[..address]) {
        return word(address + port_len(&text[address..]));
    }
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if let Some(b'/') = text.get(digits)
        && digits > 0
    {
        let behind = text[digits + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if behind > 0 && ends(digits + 1 + behind) {
            return Some((Part::Known("%v"), digits + 1 + behind));
        }
    }
    let hex = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if let Some(b'.') = text.get(hex)
        && hex >= 8
    {
        let behind = text[hex + 1..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if behind > 0 && ends(hex + 1 + behind) {
            return Some((Part::Known("%c"), hex + 1 + behind));
        }
    }
    if digits > 0 && ends(digits) {
        return Some((Part::Number(&text[..digits]), digits));
    }
    if !in_word(first) {
        return None;
    }
    let inside = |b: &&u8| in_word(**b) || matches!(b, b'.' | b'-');
    let len = text.iter().take_while(inside).count();
    let len = text[..len].iter().rposition(|b| in_word(*b)).map_or(len, |last| last + 1);
    word(len + port_len(&text[len..]))
}

/// `(5432)` behind a host.
fn port_len(text: &[u8]) -> usize {
    let digits = text.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
    let port = text.first() == Some(&b'(') && digits > 0 && text.get(digits + 1) == Some(&b')');
    if port { digits + 2 } else { 0 }
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
