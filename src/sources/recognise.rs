//! The beginning of an input → what it is. Content decides, not the name; only SQL needs its suffix,
//! or words that begin statements.

use std::sync::Arc;

use super::{
    applog,
    code::Language,
    digest,
    envelope::{self, Layer},
    open::{HEAD, Source},
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
    Application(applog::Format),
    Digest,
    Sql,
    /// A program, whose strings may hold SQL.
    Program(Language),
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

/// What the run knows of its formats.
pub(super) struct Prefixes {
    /// By flag: always used.
    pub given: Option<Arc<Prefix>>,
    /// The connected server's: used where it fits.
    pub server: Option<Arc<Prefix>>,
    /// What every input is said to be.
    pub format: Option<String>,
    /// Formats that the user defined.
    pub readers: applog::Readers,
}

/// How deep envelopes may lie in each other.
const DEEPEST: usize = 3;

/// Says what an input is, and which envelopes lie around it (in the source).
pub(super) fn recognise(source: &mut Source, prefixes: &Prefixes) -> Kind {
    let head = source.head.as_slice();
    if head.trim_ascii().is_empty() && !head.contains(&0) {
        return Kind::Empty;
    }
    if digest::is_digest(head) {
        return Kind::Digest;
    }
    if is_binary(head) {
        return Kind::Binary;
    }
    let look = Look { source, prefixes };
    let (kind, layers) = match prefixes.format.as_deref() {
        Some(format) => look.forced(format),
        None => look.at(head, 0, None),
    };
    source.layers = layers;
    kind
}

/// One input that is looked at.
struct Look<'a> {
    source: &'a Source,
    prefixes: &'a Prefixes,
}

impl Look<'_> {
    /// What `--input-format` says.
    fn forced(&self, format: &str) -> (Kind, Vec<Layer>) {
        let head = self.source.head.as_slice();
        let lines: Vec<&[u8]> = head.split(|b| *b == b'\n').take(2000).collect();
        let kind = match format {
            "pg-csv" => log(Format::Csv, head, Vec::new()),
            "pg-json" => log(Format::Json, head, Vec::new()),
            "pg-stderr" => self.stderr(head, &lines).unwrap_or_else(unknown),
            "sql" => Kind::Sql,
            _ => match (self.prefixes.readers.named(format), applog::named(format)) {
                (Some(configured), _) => Kind::Application(applog::Format::Configured(configured)),
                (None, Some(kind)) => Kind::Application(applog::Format::Known(kind)),
                (None, None) => return self.at(head, 0, Some(format)),
            },
        };
        (kind, Vec::new())
    }

    /// What a beginning is, and the envelopes around it, the outermost first. `only`: it is in this one.
    fn at(&self, head: &[u8], depth: usize, only: Option<&str>) -> (Kind, Vec<Layer>) {
        let lines: Vec<&[u8]> = head.split(|b| *b == b'\n').take(2000).collect();
        let readers = &self.prefixes.readers;
        if only.is_none()
            && let Some(configured) = readers.of_file(&self.source.path, &lines)
        {
            return (Kind::Application(applog::Format::Configured(configured)), Vec::new());
        }
        if only.is_none()
            && let Some(format) = own_format(head, &lines)
        {
            return (log(format, head, Vec::new()), Vec::new());
        }
        let suffix = self.source.path.extension();
        if depth == 0 && only.is_none() && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("sql")) {
            return (Kind::Sql, Vec::new());
        }
        if depth == 0
            && only.is_none()
            && let Some(language) = Language::of(&self.source.path)
        {
            return (Kind::Program(language), Vec::new());
        }
        if depth < DEEPEST {
            let whole = memchr::memrchr(b'\n', head).filter(|_| head.len() >= HEAD);
            let whole = &head[..whole.map_or(head.len(), |newline| newline + 1)];
            for layer in Layer::candidates(whole, self.source.newest, only) {
                let inner = layer.head(whole);
                let (kind, mut layers) = self.at(&inner, depth + 1, None);
                // Logs of applications look like many things: what reads as one is not taken apart.
                let fits = |lines: &[&[u8]]| applog::fits(lines).max(readers.fits(lines));
                if matches!(kind, Kind::Application(_))
                    && fits(&lines) >= fits(&inner.split(|b| *b == b'\n').collect::<Vec<_>>())
                {
                    continue;
                }
                let good = match &kind {
                    Kind::Log { format: Format::Stderr(prefix), .. } => {
                        let sessions =
                            layer.names_sessions() || prefix.names_sessions() || !layer.could_add_pid();
                        // With another envelope in it, that one knows what belongs together.
                        layer.of_server() == layers.is_empty() && (sessions || !layers.is_empty())
                    }
                    Kind::Log { .. } | Kind::Application(_) => !layer.of_server() || !layers.is_empty(),
                    _ => false,
                };
                if good {
                    layers.insert(0, layer);
                    return (kind, layers);
                }
            }
        }
        if only.is_some() {
            return (unknown(), Vec::new());
        }
        let kind = self.stderr(head, &lines).filter(|kind| {
            // The flag's prefix is believed without proof, but only of the file itself.
            depth == 0 || !matches!(kind, Kind::Log { first, .. } if first.time.is_none())
        });
        // In a folder any prose may begin with `Select` or `With`.
        let is_sql = depth == 0 && !self.source.found && is_sql(head);
        let kind = match kind {
            Some(Kind::Log { first: First { time: None, .. }, .. }) if is_sql => Kind::Sql,
            Some(kind) => kind,
            None => match applog::recognise(&lines) {
                Some(kind) => Kind::Application(applog::Format::Known(kind)),
                None if is_sql => Kind::Sql,
                None => {
                    // The user's word for the file counts even where its beginning holds no statement.
                    let named = || readers.naming(&self.source.path).filter(|_| depth == 0);
                    let found = readers.of_lines(&lines).or_else(named);
                    found.map_or_else(unknown, |one| Kind::Application(applog::Format::Configured(one)))
                }
            },
        };
        (kind, Vec::new())
    }

    /// A server's stderr log, when a prefix fits; with the flag's, whether it fits or not.
    fn stderr(&self, head: &[u8], lines: &[&[u8]]) -> Option<Kind> {
        if let Some(given) = &self.prefixes.given {
            return Some(match by_flag(given, lines) {
                Some((prefix, notes)) => log(Format::Stderr(prefix), head, notes),
                None => log(Format::Stderr(Arc::clone(given)), head, suggestion(lines)),
            });
        }
        let heads = infer::heads(lines);
        if let Some(server) = &self.prefixes.server
            && infer::fits(server, lines, heads)
        {
            let note = format!("log_line_prefix `{}`, as the server has it", server.text);
            return Some(log(Format::Stderr(Arc::clone(server)), head, vec![note]));
        }
        let prefix = infer::infer(lines)?;
        let note = format!("log_line_prefix `{}`, inferred from the file", prefix.text);
        Some(log(Format::Stderr(Arc::new(prefix)), head, vec![note]))
    }
}

/// csvlog and jsonlog, which nothing else looks like.
fn own_format(head: &[u8], lines: &[&[u8]]) -> Option<Format> {
    // The first entry may be longer than what we look at: then its line does not end.
    let long = |line: &[u8]| {
        lines.len() < 3
            && line.starts_with(b"{\"timestamp\":\"")
            && memchr::memmem::find(&line[..line.len().min(4096)], b"\"error_severity\":\"").is_some()
    };
    if lines.iter().any(|line| json::begins_record(line.trim_ascii_end()) || long(line)) {
        return Some(Format::Json);
    }
    let begins = lines.iter().any(|line| csv::begins_record(line));
    (begins && (lines.len() < 3 || first(&Format::Csv, head).time.is_some())).then_some(Format::Csv)
}

fn unknown() -> Kind {
    Kind::Unknown {
        tried: format!(
            "csvlog, jsonlog, and {} common forms of log_line_prefix, plain or in {}",
            infer::COMMON.len(),
            envelope::NAMES.join(", ")
        ),
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
