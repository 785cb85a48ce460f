//! The beginning of an input → what it is. Content decides, not the name; only SQL needs its suffix,
//! or words that begin statements.

use std::sync::Arc;

use super::{
    applog, digest,
    open::Source,
    pglog::{
        Format, csv, infer, json,
        prefix::{Fields, Head, Prefix},
        severity::{Severity, Word},
        time::Clock,
    },
};

/// What an input turned out to be.
pub(super) enum Kind {
    Log {
        format: Format,
        first: First,
        notes: Vec<String>,
    },
    Application(&'static applog::Kind),
    Digest,
    Sql,
    Empty,
    Binary,
    /// Neither; the words say what was tried.
    Unknown {
        tried: String,
    },
}

/// The first entry's time and process: rotated files are put in order by it, and one run's log that was
/// written in two formats shows by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct First {
    pub time: Option<i64>,
    pub pid: Option<u32>,
}

/// What the run knows of the prefix.
pub(super) struct Prefixes {
    /// By flag: always used.
    pub given: Option<Arc<Prefix>>,
    /// The connected server's: used where it fits.
    pub server: Option<Arc<Prefix>>,
}

pub(super) fn recognise(source: &Source, prefixes: &Prefixes) -> Kind {
    let (path, head) = (&source.path, source.head.as_slice());
    // In a folder any prose may begin with `Select` or `With`.
    let is_sql = |head| !source.found && is_sql(head);
    if head.trim_ascii().is_empty() && !head.contains(&0) {
        return Kind::Empty;
    }
    if digest::is_digest(head) {
        return Kind::Digest;
    }
    if is_binary(head) {
        return Kind::Binary;
    }
    let lines: Vec<&[u8]> = head.split(|b| *b == b'\n').take(2000).collect();
    if lines.iter().any(|line| json::begins_record(line.trim_ascii_end())) {
        return log(Format::Json, head, Vec::new());
    }
    if lines.iter().any(|line| csv::begins_record(line)) && first(&Format::Csv, head).time.is_some() {
        return log(Format::Csv, head, Vec::new());
    }
    let by_name = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("sql"));
    if by_name {
        return Kind::Sql;
    }
    if let Some(given) = &prefixes.given {
        return match by_flag(given, &lines) {
            Some((prefix, notes)) => log(Format::Stderr(prefix), head, notes),
            None if is_sql(head) => Kind::Sql,
            None => log(Format::Stderr(Arc::clone(given)), head, suggestion(&lines)),
        };
    }
    let heads = infer::heads(&lines);
    if let Some(server) = &prefixes.server
        && infer::fits(server, &lines, heads)
    {
        let note = format!("log_line_prefix `{}`, as the server has it", server.text);
        return log(Format::Stderr(Arc::clone(server)), head, vec![note]);
    }
    if let Some(prefix) = infer::infer(&lines) {
        let note = format!("log_line_prefix `{}`, inferred from the file", prefix.text);
        return log(Format::Stderr(Arc::new(prefix)), head, vec![note]);
    }
    if let Some(kind) = applog::recognise(&lines) {
        return Kind::Application(kind);
    }
    if is_sql(head) {
        return Kind::Sql;
    }
    Kind::Unknown {
        tried: format!("csvlog, jsonlog, and {} common forms of log_line_prefix", infer::COMMON.len()),
    }
}

/// The prefix of the flag, when a line fits it. A shell or a web page may have lost the space at its end.
fn by_flag(given: &Arc<Prefix>, lines: &[&[u8]]) -> Option<(Arc<Prefix>, Vec<String>)> {
    if infer::matches(given, lines) > 0 {
        return Some((Arc::clone(given), Vec::new()));
    }
    let spaced = Prefix::compile(&format!("{} ", given.text)).ok()?;
    let note = format!("log_line_prefix `{}`, with a space at its end", spaced.text);
    (infer::matches(&spaced, lines) > 0).then(|| (Arc::new(spaced), vec![note]))
}

fn suggestion(lines: &[&[u8]]) -> Vec<String> {
    let fitting = infer::infer(lines);
    fitting.map(|prefix| format!("log_line_prefix `{}` would fit", prefix.text)).into_iter().collect()
}

fn log(format: Format, head: &[u8], notes: Vec<String>) -> Kind {
    Kind::Log { first: first(&format, head), format, notes }
}

fn first(format: &Format, head: &[u8]) -> First {
    let mut first = First::default();
    if let Format::Stderr(prefix) = format {
        let mut clock = Clock::default();
        for line in head.split(|b| *b == b'\n') {
            let found = prefix.head(line, &mut clock);
            if let Some(Head { fields: Fields { time, pid, .. }, word: Word::Entry(_), .. }) = found {
                return First { time, pid };
            }
        }
        return first;
    }
    let mut tally = super::pglog::Tally::default();
    super::pglog::scan(format, head, 1, &mut tally, |entry| {
        if first.time.is_none()
            && matches!(entry.severity, Severity::Log | Severity::Failure | Severity::Other)
        {
            first = First { time: entry.time, pid: entry.pid };
        }
    });
    first
}

/// Control characters and NULs in number; a few may stand in any log.
fn is_binary(head: &[u8]) -> bool {
    let control =
        head.iter().filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace() && **b != 0x1b).count();
    // A file that was cut back while the server wrote it begins with a hole of NULs.
    let hole = head.iter().take_while(|b| **b == 0).count();
    (control - hole) * 20 > head.len() - hole || hole == head.len()
}

/// Whether the text begins as SQL does.
fn is_sql(head: &[u8]) -> bool {
    let mut text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    loop {
        if text.starts_with(b"--") {
            let Some(line) = memchr::memchr(b'\n', text) else { return true };
            text = text[line..].trim_ascii_start();
        } else if text.starts_with(b"/*") {
            let Some(end) = memchr::memmem::find(text, b"*/") else { return true };
            text = text[end + 2..].trim_ascii_start();
        } else {
            break;
        }
    }
    if text.is_empty() {
        return true;
    }
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let word = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let next = text.get(word);
    SQL_WORDS.iter().any(|known| text[..word].eq_ignore_ascii_case(known.as_bytes()))
        && next.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'(' | b'*' | b'"' | b'\''))
}

const SQL_WORDS: &[&str] = &[
    "select", "insert", "update", "delete", "with", "values", "table", "merge", "create", "alter", "drop",
    "begin", "start", "commit", "set", "reset", "explain", "analyze", "vacuum", "copy", "grant", "revoke",
    "truncate", "do", "call", "prepare", "execute", "declare", "lock", "comment", "refresh",
];
