//! What other programs put around the lines of a log: syslog, journald, container runtimes, log services.
//!
//! An envelope is a reader over a reader: bytes in, the inner lines out, so that everything behind it
//! (prefixes, csvlog, jsonlog, application logs) sees nothing but the inner text, and envelopes may lie in
//! envelopes. [`lines::Lines`] tells which line of the user's file an inner line came from.
//!
//! ```text
//! bytes ─▶ unwrap (header, json, journal, table) ─▶ parts ─▶ inner lines
//!          one record each                          put together again, in order
//! ```
//!
//! Where the server's own prefix lacks the time or the process (`log_line_prefix = ''` with syslog), they
//! are taken from the envelope and written in front of the line as a prefix of PostgreSQL's would be.
//!
//! Left alone: what the envelope says besides (host, labels, severities), since the line says it better.

mod header;
mod journal;
mod json;
mod lines;
mod objects;
mod parts;
mod stamp;
mod table;
mod unwrap;

use std::sync::{Arc, Mutex, PoisonError};

pub(super) use lines::{Lines, Piece};
use parts::Manner;
use stamp::Newest;
pub(super) use unwrap::Unwrap;

use super::pglog::Tally;

/// How records lie in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Syslog,
    /// `journalctl -o export`.
    Journal,
    Json {
        /// One document, not an object a line.
        document: bool,
        /// The document is an object with the list in it.
        wrapped: bool,
        /// Docker's: a line without a newline goes on.
        newlines: bool,
    },
    Csv,
    /// Kubernetes: `2026-11-23T10:00:00.123456789Z stderr F line`.
    Cri,
    /// `db-1  | line`, `[pod/db-0/postgres] line`.
    Named,
    /// `2026-11-23T10:00:00Z line`; `stream`: with a name in front of the line.
    Timed {
        stream: bool,
    },
}

/// What the lines lack and the envelope has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacks {
    pub time: bool,
    pub pid: bool,
}

/// One envelope around the log.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// As reports and `--input-format` name it.
    pub name: &'static str,
    form: Form,
    manner: Manner,
    /// The newest record comes first.
    reversed: bool,
    newest: Newest,
    pub lines: Lines,
    counts: Counts,
}

/// What an envelope's reader counts while it reads.
#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    others: u64,
    unknown: Tally,
    yearless: bool,
    torn: bool,
}

impl Counts {
    fn change(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A record of another program, or about something else.
    fn other(&self) {
        self.change(|counted| counted.others += 1);
    }

    /// A line that is no record.
    fn unknown(&self, line: u64, text: &[u8]) {
        self.change(|counted| counted.unknown.skip(line, text));
    }

    fn yearless(&self) {
        self.change(|counted| counted.yearless = true);
    }

    /// Too much to turn round at once.
    fn torn(&self) {
        self.change(|counted| counted.torn = true);
    }
}

/// The names that `--input-format` takes for envelopes.
pub(super) const NAMES: &[&str] = &[
    "syslog",
    "journald",
    "docker",
    "cri",
    "compose",
    "gcp",
    "azure",
    "cloudnativepg",
    "cloudwatch",
    "json-lines",
    "csv-table",
    "timestamps",
];

/// Of so many lines the beginning is judged.
const LINES: usize = 400;

impl Layer {
    /// The envelopes that the beginning of an input may lie in, the likeliest first. `now` is the newest
    /// time that it may be of, in microseconds; `only` a name of [`NAMES`].
    pub(super) fn candidates(head: &[u8], now: i64, only: Option<&str>) -> Vec<Layer> {
        let newest = Newest(now);
        let mut found = Vec::new();
        let lines: Vec<&[u8]> = head
            .split(|b| *b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
            .take(LINES)
            .collect();
        for form in forms(head, &lines) {
            let sampled = unwrap::sample(head, form, newest);
            let most = match form {
                // Their records are no lines.
                Form::Journal | Form::Json { document: true, .. } | Form::Csv => 1,
                Form::Json { .. } => lines.iter().filter(|line| line.first() == Some(&b'{')).count(),
                // The lines of a message that journalctl indents.
                _ => lines.iter().filter(|line| !line.starts_with(b"        ")).count(),
            };
            let counted = if most == 1 { sampled.len() } else { sampled.len().min(LINES) };
            let Some(first) = sampled.first().map(|one| one.carried.who) else { continue };
            let forced = only == Some(first);
            if !forced && (only.is_some() || counted * 2 < most) {
                continue;
            }
            // The name of most of them.
            let count = |who: &str| sampled.iter().filter(|one| one.carried.who == who).count();
            let name =
                sampled.iter().map(|one| one.carried.who).max_by_key(|who| count(who)).unwrap_or(first);
            let times: Vec<i64> =
                sampled.iter().filter_map(|one| one.carried.time).map(|time| time.micros).collect();
            let (mut up, mut down) = (0, 0);
            for pair in times.windows(2) {
                up += usize::from(pair[0] < pair[1]);
                down += usize::from(pair[0] > pair[1]);
            }
            let heads = sampled.iter().any(|one| json::carries_head(&one.carried));
            let pids = sampled.iter().any(|one| one.carried.pid.is_some());
            let weak = sampled.iter().any(|one| one.carried.weak) || matches!(form, Form::Timed { .. });
            let layer = Layer {
                name,
                form,
                manner: Manner {
                    parts: matches!(form, Form::Syslog | Form::Journal) || name == "journald",
                    escapes: form == Form::Syslog,
                    ..Manner::default()
                },
                reversed: matches!(form, Form::Json { .. } | Form::Csv) && down > 4 * up && down > 2,
                newest,
                lines: Lines::default(),
                counts: Counts::default(),
            };
            let with = |postgres, time, pid| {
                let manner = Manner { postgres, lacks: Lacks { time, pid }, ..layer.manner };
                Layer { manner, lines: Lines::default(), counts: Counts::default(), ..layer.clone() }
            };
            if heads {
                found.push(with(true, false, false));
            }
            // PgBouncer writes neither time nor process to syslog.
            if sampled.iter().any(|one| super::pgbouncer::is_bare_entry(&one.carried.text)) {
                found.push(with(false, true, true));
            }
            // Anything may look like `{"message": …}`: then only a server's log is believed.
            if !weak || heads {
                found.push(with(false, false, false));
            }
            if heads {
                if pids {
                    found.push(with(true, false, true));
                    found.push(with(true, true, true));
                }
                found.push(with(true, true, false));
            }
        }
        found
    }

    /// The inner text of a beginning.
    pub(super) fn head(&self, head: &[u8]) -> Vec<u8> {
        use std::io::Read as _;
        let mut inner = Vec::new();
        let fresh = Layer { lines: Lines::default(), counts: Counts::default(), ..self.clone() };
        let from = Box::new(std::io::Cursor::new(head.to_vec()));
        // A beginning is cut anywhere: what can be read of it is enough.
        let _ = Unwrap::new(from, &fresh, None).read_to_end(&mut inner);
        inner
    }

    /// Whether processes are told apart by the envelope alone.
    pub(super) fn names_sessions(&self) -> bool {
        self.manner.lacks.pid
    }

    /// Whether the lines are taken for those of a server.
    pub(super) fn of_server(&self) -> bool {
        self.manner.postgres
    }

    /// Whether a later candidate would add the process to each line.
    pub(super) fn could_add_pid(&self) -> bool {
        matches!(self.form, Form::Syslog | Form::Journal) || matches!(self.name, "journald" | "azure")
    }

    /// What a person should know of how it was unwrapped.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("unwrapped from {}", self.name)];
        match self.manner.lacks {
            Lacks { time: true, pid: true } => {
                notes.push(format!(
                    "time and process are those of {}, since the prefix has neither",
                    self.name
                ));
            }
            Lacks { time: true, pid: false } => {
                notes.push(format!("times are those of {}, since the prefix has none", self.name));
            }
            Lacks { time: false, pid: true } => {
                notes.push(format!("processes are those of {}, since the prefix has none", self.name));
            }
            Lacks { time: false, pid: false } => {}
        }
        let counted = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.others {
            0 => {}
            1 => notes.push("1 record of another program was left out".to_owned()),
            others => notes.push(format!("{others} records of other programs were left out")),
        }
        if counted.yearless && self.manner.lacks.time {
            notes.push(
                "its lines name neither year nor time zone: the latest year before the file's date, and UTC"
                    .to_owned(),
            );
        }
        if counted.torn {
            notes.push(
                "the newest record comes first, and it is too long to be turned round in one piece"
                    .to_owned(),
            );
        } else if self.reversed {
            notes.push("the newest record comes first: it was read from its end".to_owned());
        }
        notes
    }

    /// Lines that were no record of it.
    pub(super) fn unknown(&self) -> Tally {
        self.counts.0.lock().unwrap_or_else(PoisonError::into_inner).unknown.clone()
    }
}

/// The forms that a beginning may have, by its first lines.
fn forms(head: &[u8], lines: &[&[u8]]) -> Vec<Form> {
    let mut forms = Vec::new();
    let Some(first) = lines.first() else { return forms };
    let whole = |line: &&&[u8]| line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}");
    if lines.iter().any(|line| whole(&line)) && first.first() != Some(&b'[') {
        let newlines = memchr::memmem::find(head, br#"\n","#).is_some()
            || memchr::memmem::find(head, br#"\n"}"#).is_some();
        forms.push(Form::Json { document: false, wrapped: false, newlines });
    } else if matches!(first.trim_ascii_start().first(), Some(b'[' | b'{')) {
        let start = head.trim_ascii_start();
        let list = |name: &&str| -> bool {
            let rest = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
            let rest = rest.and_then(|rest| rest.strip_prefix(format!("\"{name}\"").as_bytes()));
            let rest = rest.and_then(|rest| rest.trim_ascii_start().strip_prefix(b":"));
            rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"["))
        };
        let wrapped = json::LISTS.iter().any(list);
        forms.push(Form::Json { document: true, wrapped, newlines: false });
    }
    if lines.iter().any(|line| line.starts_with(b"__CURSOR=")) {
        forms.push(Form::Journal);
    }
    if table::Columns::of(first).is_some() {
        forms.push(Form::Csv);
    }
    forms.extend([
        Form::Cri,
        Form::Syslog,
        Form::Named,
        Form::Timed { stream: true },
        Form::Timed { stream: false },
    ]);
    forms
}
