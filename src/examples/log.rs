//! The log of an example: its events, or the lines of a server, read as such.

use std::fmt::Write as _;

use crate::{
    rules::{ExampleExecutions, ExampleLines},
    sources,
    sql::Normalizer,
    workload::{Binds, Event, EventKind, Position, ProtocolStep, Workload},
};

/// 2026-01-01, in microseconds.
const START: i64 = 1_767_225_600_000_000;

/// One session's statements, one after another, with a tenth of a second in between; or transactions, each in
/// a session of its own.
pub(super) fn executions(parts: &[ExampleExecutions], workload: &mut Workload, normalizer: &mut Normalizer) {
    let mut now = START;
    for part in parts {
        for number in 1..=part.times {
            let mut statements: Vec<(String, u64)> =
                part.sql.iter().map(|sql| (of_unit(sql, number), part.milliseconds * 1000)).collect();
            let (session, pause) = if part.transaction { (number, 1000) } else { (1, 100_000) };
            if part.transaction {
                statements.insert(0, ("BEGIN".to_owned(), 10));
                statements.push(("COMMIT".to_owned(), 10));
            }
            for (sql, us) in &statements {
                if let Some(parse) = part.parse_milliseconds {
                    let kind = EventKind::ParseOrBind { step: ProtocolStep::Parse, sql: sql.as_bytes() };
                    workload.add(&event(kind, session, now, parse.saturating_mul(1000)), normalizer);
                }
                now = now.saturating_add(pause).saturating_add_unsigned(*us);
                let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
                workload.add(&event(kind, session, now, *us), normalizer);
            }
        }
    }
}

/// `{n}` is the number of the unit of work.
pub(super) fn of_unit(sql: &str, number: u32) -> String {
    sql.replace("{n}", &number.to_string())
}

/// Sessions that execute something at the same time.
pub(super) fn busy(sessions: u32, workload: &mut Workload, normalizer: &mut Normalizer) {
    for session in 1..=sessions {
        let sql = format!("SELECT name FROM users WHERE id = {session}");
        let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
        workload.add(&event(kind, session, START + 500_000, 200_000), normalizer);
    }
}

/// One execution with bind values.
pub(super) fn bound(sql: &str, binds: &[String], workload: &mut Workload, normalizer: &mut Normalizer) {
    let values: Vec<String> = (1..).zip(binds).map(|(at, value)| format!("${at} = '{value}'")).collect();
    let values = values.join(", ");
    let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Postgres(values.as_bytes()) };
    workload.add(&event(kind, 1, 1_000, 500), normalizer);
}

/// What the reader of logs makes of a server's lines.
pub(super) fn server(parts: &[ExampleLines]) -> Result<Workload, String> {
    let (mut text, mut now) = (String::new(), 0u64);
    for part in parts {
        for pid in 1001..=1000u32.saturating_add(part.times) {
            now = now.saturating_add(part.milliseconds);
            let (seconds, ms) = (now / 1000, now % 1000);
            let time = format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            for line in part.lines.replace("{pid}", &pid.to_string()).lines() {
                if !line.starts_with('\t') {
                    let _ = write!(text, "2026-01-01 {time} UTC [{pid}] ");
                }
                let _ = writeln!(text, "{line}");
            }
        }
    }
    let options = sources::Options {
        log_line_prefix: Some("%m [%p] ".to_owned()),
        threads: 1,
        ..sources::Options::default()
    };
    let read = sources::ingest_text("postgresql.log", text, &options);
    read.map(|read| read.workload).map_err(|err| format!("its server's log cannot be read: {err}"))
}

fn event(kind: EventKind<'_>, session: u32, end: i64, duration: u64) -> Event<'_> {
    Event {
        end: Some(end),
        duration: Some(duration),
        session: Some(session),
        ..Event::new(kind, Position::default())
    }
}
