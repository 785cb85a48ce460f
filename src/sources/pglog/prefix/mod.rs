//! `log_line_prefix` → a matcher of the lines that begin with it.
//!
//! All escapes of PostgreSQL 18 are known, with padding (`%-10p`, `%5p`). A value may hold anything,
//! also what separates values: the matcher goes back and tries the next separator, and only a line
//! whose prefix is followed by a severity (`LOG:  `) matches.
//! <https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-LINE-PREFIX>

mod matcher;
mod recall;

pub(in crate::sources) use recall::Recall;

use super::severity::Word;
use crate::error::Error;

#[derive(Clone, Debug)]
pub(in crate::sources) struct Prefix {
    steps: Vec<Step>,
    /// As PostgreSQL's setting spells it.
    pub text: String,
    /// Those that the same log has elsewhere, since the setting was changed: tried in turn.
    later: Vec<Prefix>,
}

#[derive(Clone, Debug)]
enum Step {
    Literal(Vec<u8>),
    Field {
        what: Field,
        padded: bool,
    },
    /// `%q`: background processes stop here.
    Quit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Millis,
    Seconds,
    Epoch,
    SessionStart,
    Pid,
    SessionId,
    /// Digits that we do not use: line number, transaction id, query id, parent's process id.
    Number,
    Vxid,
    SqlState,
    User,
    Database,
    Application,
    Host,
    HostAndPort,
    /// The type of the process: of two words, or of one.
    Backend,
    /// Text that we do not use: command tag, local address.
    Ignored,
}

/// What a prefix said. What it left out, or gave as empty or `[unknown]`, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sources) struct Fields<'a> {
    pub time: Option<i64>,
    pub coarse: bool,
    pub pid: Option<u32>,
    pub user: Option<&'a [u8]>,
    pub database: Option<&'a [u8]>,
    pub application: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    pub vxid: Option<&'a [u8]>,
    pub sqlstate: Option<&'a [u8]>,
    /// As [`crate::workload::Event::who`] has it.
    pub who: u64,
}

impl Fields<'_> {
    /// How many of the values that tell sessions and senders apart it has.
    pub(in crate::sources) fn known(&self) -> usize {
        let names = [self.user, self.database, self.application, self.host];
        names.iter().flatten().count() + usize::from(self.pid.is_some())
    }

    /// One of the values looks like several: `web,client=[local]`, a database `shop/web`.
    pub(in crate::sources) fn look_merged(&self) -> bool {
        let several = |value: &[u8]| value.iter().any(|b| matches!(b, b'=' | b',' | b'|'));
        // Applications have such names, users and databases hardly ever.
        let not_one = |value: &[u8]| value.iter().any(|b| b" /:;()[]{}".contains(b));
        [self.user, self.database, self.application, self.host].into_iter().flatten().any(several)
            || [self.user, self.database].into_iter().flatten().any(not_one)
    }
}

/// A line that begins an entry or a part of one.
#[derive(Debug)]
pub(in crate::sources) struct Head<'a> {
    pub fields: Fields<'a>,
    /// Where the prefix ends and the word begins.
    pub word_at: usize,
    pub word: Word,
    /// Where the text after `LOG:  ` begins.
    pub text_at: usize,
}

impl Prefix {
    /// `Error::PrefixWithoutTime` when it has none of `%m`, `%t`, `%n`.
    pub(in crate::sources) fn compile(text: &str) -> Result<Prefix, Error> {
        let mut steps = Vec::new();
        let mut literal = Vec::new();
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                literal.push(byte);
                continue;
            }
            let mut padded = false;
            while bytes.peek().is_some_and(|b| *b == b'-' || b.is_ascii_digit()) {
                padded = true;
                bytes.next();
            }
            let what = match bytes.next() {
                Some(b'%') => {
                    literal.push(b'%');
                    continue;
                }
                Some(b'q') => None,
                Some(b'm') => Some(Field::Millis),
                Some(b't') => Some(Field::Seconds),
                Some(b'n') => Some(Field::Epoch),
                Some(b's') => Some(Field::SessionStart),
                Some(b'p') => Some(Field::Pid),
                Some(b'c') => Some(Field::SessionId),
                Some(b'P' | b'l' | b'x' | b'Q') => Some(Field::Number),
                Some(b'v') => Some(Field::Vxid),
                Some(b'e') => Some(Field::SqlState),
                Some(b'u') => Some(Field::User),
                Some(b'd') => Some(Field::Database),
                Some(b'a') => Some(Field::Application),
                Some(b'h') => Some(Field::Host),
                Some(b'r') => Some(Field::HostAndPort),
                Some(b'b') => Some(Field::Backend),
                Some(b'i' | b'L') => Some(Field::Ignored),
                // PostgreSQL writes nothing for an escape that it does not know.
                _ => continue,
            };
            if !literal.is_empty() {
                steps.push(Step::Literal(std::mem::take(&mut literal)));
            }
            steps.push(what.map_or(Step::Quit, |what| Step::Field { what, padded }));
        }
        if !literal.is_empty() {
            steps.push(Step::Literal(literal));
        }
        let prefix = Prefix { steps, text: text.to_owned(), later: Vec::new() };
        if [Field::Millis, Field::Seconds, Field::Epoch].into_iter().any(|time| prefix.has(time)) {
            Ok(prefix)
        } else {
            Err(Error::PrefixWithoutTime { prefix: text.to_owned() })
        }
    }

    /// The same for the lines that it reads, and another one for those that it does not.
    pub(in crate::sources) fn or(&self, other: Prefix) -> Prefix {
        let mut both = self.clone();
        both.later.push(other);
        both
    }

    fn has(&self, wanted: Field) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Field { what, .. } if *what == wanted))
    }

    /// How many values it reads.
    pub(in crate::sources) fn fields(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Field { .. })).count()
    }

    /// Whether sessions can be told apart, so that a session's facts can be taken from its connection lines.
    pub(in crate::sources) fn names_sessions(&self) -> bool {
        self.has(Field::Pid) || self.has(Field::SessionId)
    }

    /// Whether it leaves out the user, database, application or host.
    pub(in crate::sources) fn lacks_session_facts(&self) -> bool {
        self.later.iter().any(Prefix::lacks_session_facts)
            || !(self.has(Field::User)
                && self.has(Field::Database)
                && self.has(Field::Application)
                && (self.has(Field::Host) || self.has(Field::HostAndPort)))
    }

    /// The only clock is `%t`, of whole seconds.
    pub(in crate::sources) fn coarse(&self) -> bool {
        !self.has(Field::Millis) && !self.has(Field::Epoch)
    }
}

/// Types of processes that PostgreSQL itself has; extensions name their own.
const BACKENDS: &[&[u8]] = &[
    b"client backend",
    b"background writer",
    b"background worker",
    b"parallel worker",
    b"autovacuum launcher",
    b"autovacuum worker",
    b"logical replication launcher",
    b"logical replication worker",
    b"checkpointer",
    b"walwriter",
    b"walsender",
    b"walreceiver",
    b"postmaster",
];

/// The length of the type of process at the front, if it is a known one.
pub(in crate::sources) fn backend_len(text: &[u8]) -> Option<usize> {
    let ends = |len: usize| !text.get(len).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    BACKENDS.iter().find(|known| text.starts_with(known) && ends(known.len())).map(|known| known.len())
}

pub(in crate::sources) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(digit) }
    })
}

/// A session id is the start time and the process id, both in hex: `6b03bf84.7403`.
pub(in crate::sources) fn pid_of_session(id: &[u8]) -> Option<u32> {
    let (_, pid) = std::str::from_utf8(id).ok()?.split_once('.')?;
    u32::from_str_radix(pid, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::pglog::time::Clock;

    /// The fields that a prefix finds in a line, as text.
    #[track_caller]
    fn check(prefix: &str, line: &str, expect: &str) {
        let prefix = Prefix::compile(prefix).expect("a prefix with a time");
        let shown =
            prefix.head(line.as_bytes(), &mut Clock::default()).map_or("no match".to_owned(), |head| {
                let fields = head.fields;
                let mut shown = fields.pid.map_or("-".to_owned(), |pid| pid.to_string());
                for value in [
                    fields.user,
                    fields.database,
                    fields.application,
                    fields.host,
                    fields.vxid,
                    fields.sqlstate,
                ] {
                    shown += "|";
                    shown += &value.map_or("-".into(), String::from_utf8_lossy);
                }
                format!("{shown}|{}", &line[head.text_at..])
            });
        assert_eq!(shown, expect, "{line}");
    }

    const MAIN: &str = "%m [%p]: user=%u,db=%d,app=%a,client=%h ";

    #[test]
    fn values_may_hold_spaces_brackets_and_separators() {
        let at = "2026-11-23 04:22:29.056 UTC";
        check(MAIN, &format!("{at} [7]: user=,db=,app=,client= LOG:  x"), "7|-|-|-|-|-|-|x");
        check(
            MAIN,
            &format!("{at} [7]: user=[unknown],db=[unknown],app=[unknown],client=[local] LOG:  x"),
            "7|-|-|-|[local]|-|-|x",
        );
        check(
            MAIN,
            &format!("{at} [7]: user=o,db=d b,app=web app 2,client=10.0.0.1 ERROR:  x"),
            "7|o|d b|web app 2|10.0.0.1|-|-|x",
        );
        check(
            MAIN,
            &format!("{at} [7]: user=o,db=d,app=a,client=b ,client=h LOG:  x"),
            "7|o|d|a,client=b|h|-|-|x",
        );
    }

    #[test]
    fn background_processes_stop_at_q() {
        let prefix = "%m [%p] %q%u@%d ";
        check(prefix, "2026-11-23 04:22:29.056 UTC [7] LOG:  x", "7|-|-|-|-|-|-|x");
        check(prefix, "2026-11-23 04:22:29.056 UTC [7] o@shop LOG:  x", "7|o|shop|-|-|-|-|x");
    }

    #[test]
    fn every_escape_and_padding() {
        check(
            "%t [%-6p] %5l %c %s %v %x %Q %e %i|%b|%L|%r%%: ",
            "2026-11-23 04:22:29 UTC [7     ]     3 6b03bf84.7403 2026-11-23 04:22:28 UTC 3/1 0 -24 00000 idle in transaction|client backend|127.0.0.1|10.0.0.1(5432)%: LOG:  x",
            "7|-|-|-|10.0.0.1|3/1|00000|x",
        );
        check("%n %c ", "1795407749.056 6b03bf84.1f LOG:  x", "31|-|-|-|-|-|-|x");
        check(
            "%t:%r:%u@%d:[%p]:",
            "2026-11-23 04:22:29 UTC:10.0.0.1(1):a@b:[9]:LOG:  x",
            "9|a|b|-|10.0.0.1|-|-|x",
        );
        check("%t:%r:%u@%d:[%p]:", "2026-11-23 04:22:29 UTC::@:[9]:LOG:  x", "9|-|-|-|-|-|-|x");
        check(
            "%m %-10u|%10d ",
            "2026-11-23 04:22:29.056 UTC ada       |      shop LOG:  x",
            "-|ada|shop|-|-|-|-|x",
        );
    }

    #[test]
    fn a_line_without_severity_is_no_head() {
        check("%m [%p] ", "2026-11-23 04:22:29.056 UTC [7] hello", "no match");
        check("%m [%p] ", "\tLOG:  x", "no match");
        check("%m [%p] ", "", "no match");
    }

    #[test]
    fn a_prefix_needs_a_time() {
        assert!(matches!(Prefix::compile("[%p] %s "), Err(Error::PrefixWithoutTime { .. })));
    }
}
