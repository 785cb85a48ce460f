//! What must be known of a session to understand an incident: the statement that it ran last (the one
//! that holds a lock) and the temporary files of one execution.
//!
//! A piece of a log does not know what came before it, so it keeps of each session what happened first
//! and last; [`Sessions::merge`] puts two pieces together exactly.

use rustc_hash::FxHashMap;

use serde::{Deserialize, Serialize};

use super::locks::Locks;
use crate::{sql::Fingerprint, workload::Position};

/// A statement of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Statement {
    /// When it began: microseconds since 1970.
    pub start: i64,
    pub query: Fingerprint,
}

/// The temporary files of one execution, so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    query: Option<Fingerprint>,
    bytes: u64,
    /// Line of the last of them.
    position: Position,
}

/// What a session was seen to do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Seen {
    /// It began or ended: its number may be given to another.
    Boundary,
    Ran(Statement),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Session {
    first: Option<Seen>,
    last: Option<Statement>,
    /// Files that may belong to an execution that began before this piece.
    head: Option<Run>,
    /// That execution is over.
    head_over: bool,
    run: Option<Run>,
}

impl Session {
    fn see(&mut self, seen: Seen) {
        self.first.get_or_insert(seen);
        self.last = match seen {
            Seen::Boundary => None,
            Seen::Ran(statement) => Some(statement),
        };
    }

    fn open(&mut self) -> &mut Option<Run> {
        if self.head_over { &mut self.run } else { &mut self.head }
    }

    /// The execution is over: what its files took, if that is known whole.
    fn end_run(&mut self) -> Option<Run> {
        let over = if self.head_over { self.run.take() } else { None };
        self.head_over = true;
        over
    }

    /// More files; what those of another statement before them took.
    fn add(&mut self, run: Run) -> Option<Run> {
        let other = self.open().is_some_and(|open| open.query != run.query);
        let over = if other { self.end_run() } else { None };
        let open = self.open();
        let bytes = open.map_or(0, |open| open.bytes);
        *open = Some(Run { bytes: bytes + run.bytes, ..run });
        over
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    by_pid: FxHashMap<u32, Session>,
    /// Bytes of the largest execution by query.
    pub largest: FxHashMap<Fingerprint, u64>,
}

/// Sessions kept when a log does not tell when they end.
const MOST: usize = 50_000;

impl Sessions {
    /// Hot: every execution comes here.
    pub(super) fn executed(
        &mut self,
        pid: u32,
        statement: Option<Statement>,
        position: Position,
        locks: &mut Locks,
    ) {
        let session = self.by_pid.entry(pid).or_default();
        if let Some(statement) = statement {
            session.see(Seen::Ran(statement));
        }
        // With `log_statement` an execution is told after its files, though it stands before them; it
        // then began with `statement_begins`.
        let later = session.open().is_none_or(|run| run.position < position);
        let over = if later { session.end_run() } else { None };
        self.finished(over);
        if let Some(statement) = statement
            && locks.watches()
        {
            locks.ran(pid, Seen::Ran(statement));
        }
    }

    pub(super) fn statement_begins(&mut self, pid: u32) {
        let over = self.by_pid.entry(pid).or_default().end_run();
        self.finished(over);
    }

    /// A session began or ended: its number may be given to another.
    pub(super) fn boundary(&mut self, pid: u32, locks: &mut Locks) {
        let session = self.by_pid.entry(pid).or_default();
        session.see(Seen::Boundary);
        let over = session.end_run();
        self.finished(over);
        locks.ran(pid, Seen::Boundary);
    }

    /// What a session did last; `None` where this piece has not seen it do anything.
    pub(super) fn last(&self, pid: u32) -> Option<Seen> {
        let session = self.by_pid.get(&pid)?;
        session.first.map(|_| session.last.map_or(Seen::Boundary, Seen::Ran))
    }

    pub(super) fn temporary_file(
        &mut self,
        pid: Option<u32>,
        query: Option<Fingerprint>,
        bytes: u64,
        position: Position,
    ) {
        let run = Run { query, bytes, position };
        match pid {
            Some(pid) => {
                let over = self.by_pid.entry(pid).or_default().add(run);
                self.finished(over);
            }
            None => self.finished(Some(run)),
        }
    }

    fn finished(&mut self, run: Option<Run>) {
        if let Some(Run { query: Some(query), bytes, .. }) = run {
            let largest = self.largest.entry(query).or_default();
            *largest = (*largest).max(bytes);
        }
    }

    /// Tells the waits of what came before what these sessions ran first.
    pub(super) fn tell(&self, locks: &mut Locks) {
        for pid in locks.watched() {
            if let Some(first) = self.by_pid.get(&pid).and_then(|session| session.first) {
                locks.ran(pid, first);
            }
        }
    }

    /// Adds what came after.
    #[expect(clippy::iter_over_hash_type, reason = "each session for itself; the largest of all")]
    pub(super) fn merge(&mut self, later: Sessions) {
        for (query, bytes) in later.largest {
            let largest = self.largest.entry(query).or_default();
            *largest = (*largest).max(bytes);
        }
        for (pid, theirs) in later.by_pid {
            let ours = self.by_pid.entry(pid).or_default();
            if let Some(first) = theirs.first {
                ours.first.get_or_insert(first);
                ours.last = theirs.last;
            }
            let mut over = Vec::new();
            over.extend(theirs.head.map(|head| ours.add(head)));
            if theirs.head_over {
                over.push(ours.end_run());
                over.extend(theirs.run.map(|run| ours.add(run)));
            }
            for run in over {
                self.finished(run);
            }
        }
    }

    /// Forgets sessions of a log that begins here: those that are over, and the oldest of too many.
    pub(super) fn settle(&mut self) {
        let heads: Vec<Option<Run>> = self
            .by_pid
            .values_mut()
            .filter(|session| session.head_over)
            .map(|session| session.head.take())
            .collect();
        for head in heads {
            self.finished(head);
        }
        self.by_pid.retain(|_, session| session.last.is_some() || session.head.or(session.run).is_some());
        if self.by_pid.len() > MOST {
            let mut starts: Vec<i64> =
                self.by_pid.values().filter_map(|session| Some(session.last?.start)).collect();
            starts.sort_unstable();
            let Some(&median) = starts.get(starts.len() / 2) else { return };
            self.by_pid.retain(|_, session| session.last.is_some_and(|last| last.start >= median));
        }
    }

    /// The log ends: so do the executions.
    pub(super) fn close(&mut self) {
        for session in std::mem::take(&mut self.by_pid).into_values() {
            self.finished(session.head);
            self.finished(session.run);
        }
    }
}
