//! One string constant → what it says.

use std::ops::Range;

use tree_sitter::Node;

use super::{Language, strings::File};
use crate::sql::Spliced;

/// What stands between the quotes.
fn inside(node: Node<'_>) -> Option<Range<usize>> {
    let last = node.child_count().checked_sub(1)?;
    let (first, last) = (node.child(0)?, node.child(last)?);
    let quote = |child: Node<'_>| {
        !child.is_named() || matches!(child.kind(), "string_start" | "string_end" | "heredoc_end")
    };
    let start = if quote(first) { first.end_byte() } else { first.start_byte() };
    let end = if quote(last) { last.start_byte() } else { last.end_byte() };
    (start < end).then_some(start..end)
}

/// Whether a string begins with a word, or a comment, that SQL begins with.
pub(super) fn begins_as_sql(file: &File<'_>, node: Node<'_>) -> bool {
    let Some(text) = inside(node).and_then(|inside| file.text.get(inside)) else { return false };
    let mut rest = text.trim_start();
    // Escaped white space, and a parenthesis.
    while let Some(next) =
        ["\\n", "\\t", "\\r", "\\\n", "(", ";"].iter().find_map(|lead| rest.strip_prefix(lead))
    {
        rest = next.trim_start();
    }
    if rest.starts_with("--") || rest.starts_with("/*") {
        return true;
    }
    let word = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let follows = rest
        .as_bytes()
        .get(word)
        .is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'(' | b'*' | b'{' | b';'));
    follows && WORDS.iter().any(|known| rest[..word].eq_ignore_ascii_case(known))
}

/// Words that begin statements.
const WORDS: &[&str] = &[
    "alter",
    "analyze",
    "begin",
    "call",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "declare",
    "delete",
    "drop",
    "explain",
    "fetch",
    "grant",
    "insert",
    "listen",
    "lock",
    "merge",
    "notify",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "select",
    "show",
    "start",
    "table",
    "truncate",
    "update",
    "vacuum",
    "values",
    "with",
];

/// Appends what a string says. `braces`: `{…}` in it are holes. False where it is no text, but bytes.
pub(super) fn read(file: &File<'_>, node: Node<'_>, braces: bool, to: &mut Spliced) -> bool {
    let Some(inside) = inside(node) else { return true };
    let prefix = file.text.get(node.start_byte()..inside.start).unwrap_or_default();
    let prefix: String = prefix.chars().take_while(char::is_ascii_alphabetic).collect();
    if prefix.contains(['b', 'B']) && file.language != Language::Ruby {
        return false;
    }
    let mut special = Vec::new();
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        match child.kind() {
            "interpolation" | "template_substitution" | "string_interpolation" => {
                special.push((child.byte_range(), true));
            }
            "escape_sequence" | "escape_interpolation" => special.push((child.byte_range(), false)),
            _ if child.child_count() > 0 => {
                let mut inner = child.walk();
                let escapes = child.children(&mut inner).filter(|one| one.kind().starts_with("escape_"));
                special.extend(escapes.map(|one| (one.byte_range(), false)));
            }
            _ => {}
        }
    }
    let mut done = inside.start;
    for (at, hole) in special {
        if at.start < done || at.end > inside.end {
            continue;
        }
        copy(file, done..at.start, braces, to);
        let written = file.text.get(at.clone()).unwrap_or_default();
        done = at.end;
        if hole {
            to.hole(written, at);
        } else {
            to.put(&said(written), at);
        }
    }
    copy(file, done..inside.end, braces, to);
    true
}

fn copy(file: &File<'_>, part: Range<usize>, braces: bool, to: &mut Spliced) {
    let Some(text) = file.text.get(part.clone()) else { return };
    if !braces {
        to.copy(text, part.start);
        return;
    }
    let mut done = 0;
    while let Some(at) = text.get(done..).and_then(|rest| rest.find(['{', '}'])).map(|at| done + at) {
        to.copy(&text[done..at], part.start + done);
        let rest = &text[at..];
        let from = |len: usize| part.start + at..part.start + at + len;
        done = if rest.starts_with("{{") || rest.starts_with("}}") {
            to.put(&rest[..1], from(2));
            at + 2
        } else if let Some(len) = rest.find('}').filter(|len| *len > 0) {
            to.hole(&rest[1..len], from(len + 1));
            at + len + 1
        } else {
            to.copy(&rest[..1], part.start + at);
            at + 1
        };
    }
    to.copy(text.get(done..).unwrap_or_default(), part.start + done);
}

/// What an escape stands for.
fn said(escape: &str) -> String {
    let Some(rest) = escape.strip_prefix('\\') else {
        // `{{` of a Python f-string.
        return escape.chars().take(1).collect();
    };
    let code = |digits: &str, base: u32| {
        let digits = digits.trim_matches(['{', '}']);
        u32::from_str_radix(digits, base).ok().and_then(char::from_u32).map(String::from)
    };
    match rest.chars().next() {
        Some('n') => "\n".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('r' | '\n' | '\r' | 'a' | 'b' | 'f' | 'v') => " ".to_owned(),
        Some('x' | 'u' | 'U') => code(&rest[1..], 16).unwrap_or_default(),
        Some('0'..='7') => code(rest, 8).unwrap_or_default(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
