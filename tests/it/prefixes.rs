//! A `log_line_prefix` that nobody told is found: by every line being read, and every name being what it is.

use std::{collections::BTreeMap, io::Write as _};

use sargable::{
    sources::{self, Options},
    workload::Dimension,
};

struct Session {
    pid: u32,
    user: &'static str,
    database: &'static str,
    application: &'static str,
    host: &'static str,
}

const SESSIONS: &[Session] = &[
    Session { pid: 4000, user: "app", database: "shop", application: "web", host: "10.0.0.7" },
    Session { pid: 4001, user: "app", database: "shop", application: "[unknown]", host: "10.0.0.8" },
    Session {
        pid: 4002,
        user: "report",
        database: "billing",
        application: "PostgreSQL JDBC Driver",
        host: "10.0.0.8",
    },
    Session { pid: 4003, user: "app", database: "billing", application: "app-1", host: "[local]" },
    Session { pid: 4004, user: "postgres", database: "postgres", application: "psql", host: "fe80::17" },
];

/// One tenant: nothing but the time and the process differs from line to line.
const ALIKE: &[Session] = &[
    Session { pid: 4000, user: "app", database: "shop", application: "web", host: "10.0.0.7" },
    Session { pid: 4001, user: "app", database: "shop", application: "web", host: "10.0.0.7" },
];

/// What PostgreSQL writes for a prefix; `None` is a background process.
fn prefix(form: &str, session: Option<&Session>, time: u32, line: usize) -> String {
    let mut text = String::new();
    let mut escapes = form.chars();
    let of = |value: fn(&Session) -> &str| session.map_or(String::new(), |session| value(session).to_owned());
    let clock = format!("2026-11-24 03:{:02}:{:02}", time / 60_000 % 60, time / 1000 % 60);
    while let Some(c) = escapes.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        text += &match escapes.next().expect("an escape") {
            'q' if session.is_none() => return text,
            'q' => String::new(),
            'm' => format!("{clock}.{:03} UTC", time % 1000),
            't' => format!("{clock} UTC"),
            'n' => format!("{}.{:03}", 1_795_400_000 + time / 1000, time % 1000),
            'p' => session.map_or(99, |session| session.pid).to_string(),
            'c' => format!("6b03bf84.{:x}", session.map_or(99, |session| session.pid)),
            'u' => of(|session| session.user),
            'd' => of(|session| session.database),
            'a' => of(|session| session.application),
            'h' => of(|session| session.host),
            'r' if session.is_some_and(|session| session.host != "[local]") => {
                format!("{}(51234)", of(|session| session.host))
            }
            'r' => of(|session| session.host),
            'b' => session.map_or("checkpointer", |_| "client backend").to_owned(),
            'i' => of(|_| "SELECT"),
            'e' => "00000".to_owned(),
            'x' => "0".to_owned(),
            'l' => line.to_string(),
            other => panic!("no %{other} here"),
        };
    }
    text
}

/// Writes a log with this prefix and reads it without knowing it.
#[track_caller]
fn check(form: &str, sessions: &[Session]) {
    let mut log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut time = 0;
    let mut wanted = [Dimension::User, Dimension::Database, Dimension::Application].map(|_| BTreeMap::new());
    for line in 0..300 {
        time += 7 + 31 * u32::try_from(line % 3).expect("small");
        if line % 50 == 3 {
            let head = prefix(form, None, time, line);
            writeln!(log, "{head}LOG:  checkpoint starting: time").expect("room");
            continue;
        }
        let session = &sessions[line % sessions.len()];
        let head = prefix(form, Some(session), time, line);
        writeln!(log, "{head}LOG:  duration: 0.{line:03} ms  statement: SELECT id FROM t WHERE id = {line}")
            .expect("room");
        let names = [("%u", session.user), ("%d", session.database), ("%a", session.application)];
        for (wanted, (escape, name)) in wanted.iter_mut().zip(names) {
            if form.contains(escape) && name != "[unknown]" {
                *wanted.entry(name.to_owned()).or_insert(0_u64) += 1;
            }
        }
    }
    let read = sources::ingest(&[log.path().to_owned()], &Options::default(), &mut |_| ()).expect("a log");
    let notes = &read.inputs[0].notes;
    assert_eq!(read.workload.totals().executions, 294, "{form}: {notes:?}");
    assert_eq!(read.inputs[0].skipped, 0, "{form}: {notes:?}");
    for (dimension, wanted) in
        [Dimension::User, Dimension::Database, Dimension::Application].into_iter().zip(wanted)
    {
        let found: BTreeMap<String, u64> =
            read.workload.by(dimension).into_iter().map(|(name, part)| (name, part.tally.calls)).collect();
        assert_eq!(found, wanted, "{form}: {notes:?}");
    }
}

/// None of them is among the common ones that are tried first.
const FORMS: &[&str] = &[
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d:%a ",
    "%t %u@%d %a %h ",
    "%m %u %d %h [%p] ",
    "%m|%p|%u|%d|%a|%h| ",
    "%t [%p]: %u@%d(%h) ",
    "<%m>[%p] %q(%u,%d,%a) ",
    "%m [%p] %q%u@%d %a ",
    "%m %p %u %d %r %e ",
    "[%p] %m %q%u@%d[%a] ",
    "%t;%p;%u;%d;%h;",
    "%m [%c] %q%u@%d ",
    "%m [%p] %b %q%u@%d ",
    "%m %h %u %d %i [%p] ",
    "%n [%p] %u@%d ",
    "%m [%p:%l] %q[%u@%d %a] ",
    "%m {%u} {%d} {%a} {%h} [%p] ",
    "%m [%p] [%u] [%d] [%a] [%r] ",
    "%m pid=%p,user=%u,db=%d,app=%a,client=%h,xid=%x ",
];

#[test]
fn a_prefix_of_any_form_is_found() {
    for form in FORMS {
        check(form, SESSIONS);
    }
}

#[test]
fn names_that_never_change_are_found_by_where_they_stand() {
    for form in FORMS {
        check(form, ALIKE);
    }
}

/// Words of no session are no names: the label of a server, of a pod.
#[test]
fn labels_are_no_names() {
    for form in ["%m db1[%p]: ", "%m [%p] production: "] {
        check(form, ALIKE);
    }
}

/// The database before the user: only connection lines tell.
#[test]
fn connection_lines_tell_which_name_is_which() {
    let mut log = tempfile::NamedTempFile::new().expect("a temporary file");
    for line in 0..60_usize {
        let session = &SESSIONS[line % 4];
        let head = prefix("%m %d %u [%p] ", Some(session), u32::try_from(line).expect("small") * 40, line);
        let said = if line < 4 {
            format!("connection authorized: user={} database={}", session.user, session.database)
        } else {
            format!("duration: 0.5 ms  statement: SELECT {line}")
        };
        writeln!(log, "{head}LOG:  {said}").expect("room");
    }
    let read = sources::ingest(&[log.path().to_owned()], &Options::default(), &mut |_| ()).expect("a log");
    let users = read.workload.by(Dimension::User);
    assert_eq!(users.keys().collect::<Vec<_>>(), ["app", "report"], "{:?}", read.inputs[0].notes);
}
