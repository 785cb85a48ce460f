//! What the server's log tells besides statements: only what happened, the worst first, each with what
//! to do.

use super::{
    page::Page,
    shorten::shorten,
    units::{bytes, count, duration, share},
};
use crate::report::{
    Report,
    incidents::{Incidents, Message},
};

/// Messages of one kind that are told one by one.
const SHOWN: usize = 5;

pub(super) fn write(page: &mut Page, report: &Report) {
    let all = &report.incidents;
    let mut begun = Section { page, begun: false };
    for (kind, title, advice) in SERVER {
        messages(&mut begun, all, kind, title, advice);
    }
    deadlocks(&mut begun, all);
    lock_waits(&mut begun, all);
    logins(&mut begun, all);
    for (kind, title, advice) in STATEMENTS {
        messages(&mut begun, all, kind, title, advice);
    }
    temporary_files(&mut begun, all);
    checkpoints(&mut begun, all);
    maintenance(&mut begun, all);
    connections(&mut begun, report);
}

/// A heading that comes with the first thing under it.
struct Section<'a> {
    page: &'a mut Page,
    begun: bool,
}

impl Section<'_> {
    fn item(&mut self, title: &str) {
        if self.begun {
            self.page.blank();
        } else {
            self.page.heading("What happened to the server");
            self.begun = true;
        }
        self.page.hanging(0, "", 0, title);
    }
}

type Kinds = &'static [(&'static str, &'static str, &'static str)];

const SERVER: Kinds = &[
    (
        "corruption",
        "damaged data",
        "take a copy of the files before anything else, then check the storage and restore from a backup",
    ),
    (
        "crash",
        "crashes",
        "signal 9 mostly is the kernel's out-of-memory killer: lower work_mem or max_connections, and set vm.overcommit_memory = 2",
    ),
    (
        "wraparound",
        "transaction ids run out",
        "run VACUUM in that database now; look for old transactions, prepared ones and replication slots",
    ),
    (
        "disk_full",
        "disk full",
        "make room; look for WAL that a replication slot or the archiver holds back, and set temp_file_limit",
    ),
    (
        "out_of_memory",
        "out of memory",
        "lower work_mem or the number of connections; for shared memory raise max_locks_per_transaction",
    ),
    (
        "archiver",
        "WAL is not archived",
        "the archive has a gap until archive_command works, and pg_wal grows: try the command by hand",
    ),
    (
        "replication",
        "replication",
        "a standby that lost its WAL must be made anew; keep WAL with a replication slot or wal_keep_size",
    ),
    (
        "connection_limit",
        "connections refused",
        "put a pool in front of the server rather than raise max_connections",
    ),
    ("unavailable", "server not available", "clients came while the server started, stopped or recovered"),
];

const STATEMENTS: Kinds = &[
    (
        "serialization",
        "serialization failures",
        "the application must run the whole transaction again; make it shorter",
    ),
    (
        "lock_timeout",
        "waited for a lock too long",
        "see what holds the lock; change tables with a short lock_timeout, and try again",
    ),
    (
        "statement_timeout",
        "cancelled by statement_timeout",
        "make the statement faster, or give this one more time",
    ),
    ("cancelled", "cancelled on request", "a client gave up waiting, or somebody stopped it"),
    (
        "recovery_conflict",
        "cancelled by replay on a standby",
        "raise max_standby_streaming_delay, or set hot_standby_feedback = on",
    ),
    (
        "idle_timeout",
        "sessions ended for being idle",
        "a transaction was left open: look where the application leaves it without COMMIT or ROLLBACK",
    ),
    ("terminated", "sessions ended by an administrator", "expected when somebody stopped them or the server"),
    (
        "client_lost",
        "clients that went away",
        "an application died or a network device cut an idle connection: set tcp_keepalives_idle",
    ),
    (
        "read_only",
        "writes refused",
        "the transaction or the server is read-only: look which server the application writes to",
    ),
    (
        "constraint",
        "constraints violated",
        "where this is expected, INSERT … ON CONFLICT spares the error and its dead row",
    ),
    ("data", "values refused", "check the values in the application"),
    (
        "transaction",
        "transactions in a wrong state",
        "after an error only ROLLBACK is understood; a pool that changes the session loses prepared statements",
    ),
    ("missing", "names that do not exist", "the application and the schema are not of one version"),
    ("privilege", "permission denied", "grant what the role needs"),
    ("syntax", "statements that are no SQL", "find the place that builds them"),
    ("other", "other errors", "look at the place in the log"),
];

fn messages(section: &mut Section<'_>, all: &Incidents, kind: &str, title: &str, advice: &str) {
    let of: Vec<&Message> =
        all.errors.iter().chain(&all.server).filter(|message| message.kind == kind).collect();
    if of.is_empty() {
        return;
    }
    section.item(&format!("{title}: {}", count(of.iter().map(|one| one.when.count).sum(), "time", "times")));
    for one in of.iter().take(SHOWN) {
        let what =
            one.message.as_deref().or(one.condition.as_deref()).unwrap_or("a message of no known form");
        let state = one.sqlstate.as_ref().map(|state| format!(" ({state})")).unwrap_or_default();
        let at = one.when.at.as_ref().map(|at| format!(", first at {at}")).unwrap_or_default();
        section.page.hanging(
            2,
            "- ",
            2,
            &format!("{what}{state}: {}{at}", count(one.when.count, "time", "times")),
        );
        if let Some(text) = one.queries.first().and_then(|query| query.text.as_deref()) {
            query(section, "in", text);
        }
    }
    if of.len() > SHOWN {
        section.page.line(2, &format!("and {} more in the JSON report (--format json)", of.len() - SHOWN));
    }
    section.page.field(2, "do", advice);
}

fn query(section: &mut Section<'_>, label: &str, text: &str) {
    let room = section.page.width().saturating_sub(13);
    section.page.field(4, label, &shorten(text, room));
}

fn deadlocks(section: &mut Section<'_>, all: &Incidents) {
    for one in all.deadlocks.iter().take(SHOWN) {
        let on = one.relation.as_ref().map(|table| format!(" on {table}")).unwrap_or_default();
        section.item(&format!("deadlock{on}: {}", count(one.when.count, "time", "times")));
        for process in &one.processes {
            let text = process.text.as_deref().unwrap_or("a statement that the log does not show");
            query(section, if process.victim > 0 { "victim" } else { "with" }, text);
        }
        section.page.field(2, "do", "change the rows in the same order everywhere (ORDER BY … FOR UPDATE first), and run the victim again");
    }
}

fn lock_waits(section: &mut Section<'_>, all: &Incidents) {
    let total: f64 = all.lock_waits.iter().map(|wait| wait.waited_ms).sum();
    let number: u64 = all.lock_waits.iter().map(|wait| wait.when.count).sum();
    if number == 0 {
        return;
    }
    section.item(&format!("lock waits: {} in {}", count(number, "wait", "waits"), duration(total)));
    for wait in all.lock_waits.iter().take(SHOWN) {
        let on = match (&wait.relation, wait.relation_oid) {
            (Some(table), _) => format!(" in {table}"),
            (None, Some(oid)) => format!(" (table with oid {oid})"),
            (None, None) => String::new(),
        };
        let ended = if wait.acquired < wait.when.count { ", not all got it" } else { "" };
        section.page.hanging(
            2,
            "- ",
            2,
            &format!(
                "{} on {}{on}: {}, {} in all, {} at most{ended}",
                wait.lock,
                wait.object,
                count(wait.when.count, "time", "times"),
                duration(wait.waited_ms),
                duration(wait.longest_ms)
            ),
        );
        if let Some(text) = &wait.waiter_text {
            query(section, "waits", text);
        }
        if let Some(text) = &wait.holder_text {
            query(section, "holder", text);
        }
    }
    section.page.field(
        2,
        "do",
        "the holder's transaction was still open: commit sooner, and do slow work outside of it",
    );
}

fn logins(section: &mut Section<'_>, all: &Incidents) {
    let number: u64 = all.failed_logins.iter().map(|login| login.when.count).sum();
    if number == 0 {
        return;
    }
    section.item(&format!("failed logins: {number}"));
    for login in all.failed_logins.iter().take(SHOWN) {
        let from = login.host.as_ref().map(|host| format!(" from {host}")).unwrap_or_default();
        let what = login.message.as_deref().unwrap_or("login failed");
        section.page.hanging(
            2,
            "- ",
            2,
            &format!("{what}{from}: {}", count(login.when.count, "time", "times")),
        );
    }
    section.page.field(2, "do", "if nobody of yours tried, close the port to those hosts");
}

fn temporary_files(section: &mut Section<'_>, all: &Incidents) {
    let total: u64 = all.temporary_files.iter().map(|files| files.bytes).sum();
    let number: u64 = all.temporary_files.iter().map(|files| files.when.count).sum();
    if number == 0 {
        return;
    }
    section.item(&format!("temporary files: {} with {}", count(number, "file", "files"), bytes(total)));
    for files in all.temporary_files.iter().take(SHOWN) {
        let needs = files.work_mem_bytes.map(|size| format!("; work_mem must be {} at least", bytes(size)));
        section.page.hanging(
            2,
            "- ",
            2,
            &format!(
                "{}, {}{}",
                count(files.when.count, "file", "files"),
                bytes(files.bytes),
                needs.unwrap_or_default()
            ),
        );
        if let Some(text) = &files.text {
            query(section, "in", text);
        }
    }
    // https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
    section.page.field(
        2,
        "do",
        "an index in that order or fewer rows spare the files; else SET LOCAL work_mem for that statement alone, since each sort and hash of each session may take as much",
    );
}

fn checkpoints(section: &mut Section<'_>, all: &Incidents) {
    let Some(of) = &all.checkpoints else { return };
    let why = [
        (of.by_time, "by time"),
        (of.by_wal, "by WAL"),
        (of.by_request, "on request"),
        (of.by_server, "at start or stop"),
    ];
    let why: Vec<String> = why
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    section.item(&format!("checkpoints: {} ({})", of.started, why.join(", ")));
    section.page.prose(
        2,
        &format!(
            "wrote {} and {} of WAL; the longest took {}, {} of that to sync",
            count(of.buffers, "buffer", "buffers"),
            bytes(of.wal_bytes),
            duration(of.longest_ms),
            duration(of.longest_sync_ms)
        ),
    );
    // https://www.postgresql.org/docs/current/wal-configuration.html: checkpoints should come by time.
    if of.too_frequent > 0 || of.by_wal > of.by_time {
        let warned = match of.too_frequent {
            0 => String::new(),
            number => format!(" (the server warned {})", count(number, "time", "times")),
        };
        section.page.field(2, "do", &format!("raise max_wal_size, so that checkpoints come by time{warned}"));
    }
}

fn maintenance(section: &mut Section<'_>, all: &Incidents) {
    if all.maintenance.is_empty() {
        return;
    }
    let vacuums = all.maintenance.iter().map(|runs| runs.vacuums).sum();
    let analyzes = all.maintenance.iter().map(|runs| runs.analyzes).sum();
    let elapsed: f64 = all.maintenance.iter().map(|runs| runs.elapsed_ms).sum();
    section.item(&format!(
        "autovacuum: {}, {} in {}",
        count(vacuums, "vacuum", "vacuums"),
        count(analyzes, "analyze", "analyzes"),
        duration(elapsed)
    ));
    for runs in all.maintenance.iter().take(SHOWN) {
        let mut parts =
            vec![format!("{} in all, {} at most", duration(runs.elapsed_ms), duration(runs.longest_ms))];
        for (number, word) in [
            (runs.tuples_removed, "dead rows removed"),
            (runs.most_dead_tuples, "dead rows still needed by a transaction"),
            (runs.wraparound, "to prevent wraparound"),
            (runs.cancelled, "cancelled"),
            (runs.skipped, "skipped"),
        ] {
            if number > 0 {
                parts.push(format!("{} {word}", super::units::grouped(number)));
            }
        }
        section.page.hanging(2, "- ", 2, &format!("{}: {}", runs.table, parts.join(", ")));
    }
    if all.maintenance.iter().any(|runs| runs.most_dead_tuples > runs.tuples_removed) {
        section.page.field(2, "do", "end long transactions: dead rows stay while an older one is open");
    }
    if all.maintenance.iter().any(|runs| runs.cancelled + runs.skipped > 0) {
        section.page.field(
            2,
            "do",
            "a lock keeps autovacuum away: look for LOCK TABLE and ALTER TABLE in the busy hours",
        );
    }
}

fn connections(section: &mut Section<'_>, report: &Report) {
    let Some(of) = &report.incidents.connections else { return };
    let peak = of.peak.map(|peak| format!(", {peak} open at once at most")).unwrap_or_default();
    let lengths = match (of.p50_ms, of.longest_ms) {
        (Some(p50), Some(longest)) => {
            format!(", half of them under {}, the longest {}", duration(p50), duration(longest))
        }
        _ => String::new(),
    };
    section.item(&format!("connections: {}{peak}{lengths}", of.authorized.max(of.received)));
    // A pool keeps connections for minutes; sessions that live for less than a second are not pooled.
    if of.ended >= 100 && of.short * 2 > of.ended {
        let short = share(of.short as f64, of.ended as f64);
        section.page.field(
            2,
            "do",
            &format!("use a connection pool: {short} of the sessions lived for less than a second"),
        );
    }
}
