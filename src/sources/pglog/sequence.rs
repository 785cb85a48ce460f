//! A session's statements and durations, in order → executions, each counted once.
//!
//! With `log_statement` PostgreSQL writes a statement before it runs, and never repeats the text: the
//! duration, if any, comes alone (`check_log_duration` with `was_logged`). So within one session
//!
//! * `statement` then `duration` is one execution with that duration;
//! * `statement` then anything but a duration is one execution whose duration is not known;
//! * `statement` then an error about the same text is no execution: it failed;
//! * a `duration` with no statement before it is a parse or bind step, or a statement that
//!   `log_statement` leaves out: it is counted, and nothing is made of it.
//!
//! A chunk of a log does not know what its sessions left open in the chunk before. It therefore gives,
//! beside its events, a session's first step ([`Loose::heads`]) and what the session has open at the
//! end ([`Loose::tails`]); [`Carry::join`] puts them together in the log's order.
//!
//! A session is known by its process id and by what it never changes: user, database and host, as far as
//! entries name them. So two servers that write one file do not get each other's durations.

use std::{collections::BTreeMap, hash::Hasher as _};

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    Entry,
    message::{self, Message},
    sessions::{self, Sessions},
    severity::Severity,
};
use crate::workload::{Binds, Event, EventKind, Position, incidents::Incident};

/// A statement whose end has not been seen.
#[derive(Clone, Debug)]
struct Pending {
    sql: Vec<u8>,
    binds: Option<Vec<u8>>,
    end: Option<i64>,
    coarse: bool,
    pid: u32,
    user: Option<Vec<u8>>,
    database: Option<Vec<u8>>,
    application: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    vxid: Option<Vec<u8>>,
    position: Position,
}

impl Pending {
    fn new(entry: &Entry<'_>, pid: u32, sql: &[u8], binds: Binds<'_>, position: Position) -> Pending {
        let owned = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
        Pending {
            sql: sql.to_vec(),
            binds: match binds {
                Binds::Unknown | Binds::Values(_) => None,
                Binds::Postgres(list) => Some(list.to_vec()),
            },
            end: entry.time,
            coarse: entry.coarse,
            pid,
            user: owned(entry.user),
            database: owned(entry.database),
            application: owned(entry.application),
            host: owned(entry.host),
            vxid: owned(entry.vxid),
            position,
        }
    }

    fn executed(&self, duration: Option<u64>, end: Option<i64>, sink: &mut impl FnMut(&Event<'_>)) {
        let kind = EventKind::Execution {
            sql: &self.sql,
            binds: self.binds.as_deref().map_or(Binds::Unknown, Binds::Postgres),
        };
        sink(&Event {
            end: end.or(self.end),
            coarse: self.coarse,
            duration,
            session: Some(self.pid),
            vxid: self.vxid.as_deref(),
            database: self.database.as_deref(),
            user: self.user.as_deref(),
            application: self.application.as_deref(),
            host: self.host.as_deref(),
            ..Event::new(kind, self.position)
        });
    }
}

/// What the next entry of a session means for the statement that is open.
#[derive(Clone, Debug)]
enum Step {
    /// Its duration.
    Duration { micros: u64, end: Option<i64> },
    /// It failed, if this is its text.
    Failed { sql: Option<Vec<u8>> },
    /// Something else happened, so it ended.
    Next,
}

/// The process id in the upper half, a hash of user, database and host in the lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Session(u64);

impl Session {
    fn of(entry: &Entry<'_>) -> Option<Session> {
        let mut hasher = FxHasher::default();
        for name in [entry.user, entry.database, entry.host].into_iter().flatten() {
            hasher.write(name);
        }
        Some(Session(u64::from(entry.pid?) << 32 | hasher.finish() >> 32))
    }
}

/// What a chunk cannot settle alone.
#[derive(Debug, Default)]
pub(in crate::sources) struct Loose {
    heads: Vec<(Session, Step)>,
    tails: Vec<(Session, Option<Pending>)>,
    /// Durations that belong to no statement.
    pub lone_durations: u64,
    /// Entries about statements in another language.
    pub translated: u64,
}

/// Slots of sessions that have nothing open.
const SLOTS: usize = 256;

/// Turns the entries of one chunk into events.
#[derive(Debug)]
pub(in crate::sources) struct Sequence {
    input: u32,
    /// `None`: the session was seen in this chunk and has nothing open.
    open: FxHashMap<Session, Option<Box<Pending>>>,
    /// Sessions that were seen in this chunk and have nothing open, by [`Entry::who`], each in the slot of
    /// its process id: nearly all are, with most settings.
    quiet: Vec<u64>,
    loose: Loose,
    /// Where the prefix does not tell who a session is.
    sessions: Option<Sessions>,
}

impl Sequence {
    /// `sessions`: what is known of them at the chunk's beginning, where entries do not say it all.
    pub(in crate::sources) fn new(input: u32, sessions: Option<Sessions>) -> Sequence {
        let quiet = vec![0; SLOTS];
        Sequence { input, open: FxHashMap::default(), quiet, loose: Loose::default(), sessions }
    }

    pub(in crate::sources) fn entry(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(&Event<'_>)) {
        if entry.severity == Severity::Log && sessions::begins(entry.message) {
            // The line itself says who it is, also where the fields do not yet.
            let mut told = Sessions::default();
            sessions::learn(&mut told, entry.pid.unwrap_or(0), entry.message);
            let pid = entry.pid.or(Some(0));
            let full = sessions::complete(&told, Entry { pid, who: 0, ..*entry });
            return self.tracked(&Entry { pid: entry.pid, ..full }, sink);
        }
        self.tracked(entry, sink);
    }

    fn tracked(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(&Event<'_>)) {
        let Some(mut sessions) = self.sessions.take() else { return self.step(entry, sink) };
        let told = entry.pid.filter(|_| entry.severity == Severity::Log);
        // The event of a disconnection still tells who left.
        let leaves = sessions::leaves(entry.message);
        if let Some(pid) = told.filter(|_| !leaves) {
            sessions::learn(&mut sessions, pid, entry.message);
        }
        self.step(&sessions::complete(&sessions, Entry { who: 0, ..*entry }), sink);
        if let Some(pid) = told.filter(|_| leaves) {
            sessions::learn(&mut sessions, pid, entry.message);
        }
        self.sessions = Some(sessions);
    }

    fn step(&mut self, entry: &Entry<'_>, sink: &mut impl FnMut(&Event<'_>)) {
        let told;
        let mut besides = None;
        let position = Position { input: self.input, line: entry.line };
        let (kind, duration) = match message::read(entry) {
            Message::Nothing => return,
            Message::Translated => {
                self.loose.translated += 1;
                return;
            }
            Message::Received => {
                self.settle(entry, || Step::Next, sink);
                (EventKind::Incident(&Incident::ConnectionReceived), None)
            }
            Message::Incident(incident) => {
                told = incident;
                (EventKind::Incident(&told), None)
            }
            Message::Started { sql, binds } => {
                if let (Some(pid), Some(session)) = (entry.pid, Session::of(entry)) {
                    self.settle(entry, || Step::Next, sink);
                    let pending = Pending::new(entry, pid, sql, binds, position);
                    self.open.insert(session, Some(Box::new(pending)));
                    self.quiet[pid as usize % SLOTS] = 0;
                    let begins = EventKind::Incident(&Incident::StatementBegins);
                    return sink(&event(entry, begins, None, position));
                }
                (EventKind::Execution { sql, binds }, None)
            }
            Message::Duration(micros) => {
                self.settle(entry, || Step::Duration { micros, end: entry.time }, sink);
                return;
            }
            Message::Timed { duration, sql, binds } => {
                self.settle(entry, || Step::Next, sink);
                (EventKind::Execution { sql, binds }, Some(duration))
            }
            Message::ParseOrBind { step, duration, sql } => {
                (EventKind::ParseOrBind { step, sql }, Some(duration))
            }
            Message::Plan { duration, format, text } => {
                // The context is the function's, as `errcontext` of PL/pgSQL and of SQL functions gives it.
                (EventKind::Plan { format, nested: entry.context.is_some(), text }, Some(duration))
            }
            Message::Failure { sqlstate, message, sql } => {
                self.settle(entry, || Step::Failed { sql: sql.map(<[u8]>::to_vec) }, sink);
                besides = message::of_failure(message, entry);
                (EventKind::Error { sqlstate, message, sql }, None)
            }
            Message::Authorized => (EventKind::SessionStart, None),
            Message::Disconnected => {
                self.settle(entry, || Step::Next, sink);
                besides = message::session_time(entry.message)
                    .map(|session_us| Incident::Disconnected { session_us });
                (EventKind::SessionEnd, None)
            }
        };
        sink(&event(entry, kind, duration, position));
        if let Some(besides) = besides {
            sink(&event(entry, EventKind::Incident(&besides), None, position));
        }
    }

    /// Applies a step to what the session has open; remembers it when only the chunk before knows.
    fn settle(&mut self, entry: &Entry<'_>, step: impl FnOnce() -> Step, sink: &mut impl FnMut(&Event<'_>)) {
        let slot = entry.pid.unwrap_or(0) as usize % SLOTS;
        let quiet = entry.who != 0 && self.quiet[slot] == entry.who;
        let Some(session) = Some(entry).filter(|_| !quiet).and_then(Session::of) else {
            if let Step::Duration { .. } = step() {
                self.loose.lone_durations += 1;
            }
            return;
        };
        match self.open.get_mut(&session) {
            None => {
                self.loose.heads.push((session, step()));
                self.open.insert(session, None);
            }
            Some(open) => match open.take() {
                Some(pending) => apply(&pending, &step(), sink),
                None => {
                    if let Step::Duration { .. } = step() {
                        self.loose.lone_durations += 1;
                    }
                }
            },
        }
        self.quiet[slot] = entry.who;
    }

    /// What remains for [`Carry::join`].
    pub(in crate::sources) fn finish(self) -> Loose {
        let mut loose = self.loose;
        let tails = self.open.into_iter().map(|(session, open)| (session, open.map(|pending| *pending)));
        loose.tails = tails.collect();
        loose
    }
}

fn event<'a>(entry: &Entry<'a>, kind: EventKind<'a>, duration: Option<u64>, position: Position) -> Event<'a> {
    Event {
        end: entry.time,
        coarse: entry.coarse,
        duration,
        session: entry.pid,
        vxid: entry.vxid,
        database: entry.database,
        user: entry.user,
        application: entry.application,
        host: entry.host,
        who: entry.who,
        ..Event::new(kind, position)
    }
}

fn apply(pending: &Pending, step: &Step, sink: &mut impl FnMut(&Event<'_>)) {
    match step {
        Step::Duration { micros, end } => pending.executed(Some(*micros), *end, sink),
        Step::Failed { sql } if sql.as_ref().is_none_or(|sql| *sql == pending.sql) => {}
        Step::Failed { .. } | Step::Next => pending.executed(None, None, sink),
    }
}

/// The statements that are open between two chunks.
#[derive(Debug, Default)]
pub(in crate::sources) struct Carry {
    open: BTreeMap<Session, Pending>,
    pub lone_durations: u64,
}

impl Carry {
    /// Takes in the chunk that follows: gives the events that its beginning settles, all of which come
    /// before the chunk's own.
    pub(in crate::sources) fn join(&mut self, loose: Loose, sink: &mut impl FnMut(&Event<'_>)) {
        self.lone_durations += loose.lone_durations;
        for (session, step) in &loose.heads {
            match (self.open.remove(session), step) {
                (Some(pending), step) => apply(&pending, step, sink),
                (None, Step::Duration { .. }) => self.lone_durations += 1,
                (None, _) => {}
            }
        }
        for (session, pending) in loose.tails {
            if let Some(pending) = pending {
                self.open.insert(session, pending);
            }
        }
    }

    /// The log ends: what is open was executed, as far as we know.
    pub(in crate::sources) fn finish(&mut self, sink: &mut impl FnMut(&Event<'_>)) {
        for pending in std::mem::take(&mut self.open).into_values() {
            pending.executed(None, None, sink);
        }
    }
}
