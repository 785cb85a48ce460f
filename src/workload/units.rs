//! Steps of sessions → units of work: what one request did.
//!
//! A unit is, by the best evidence there is: one trace, one request tag, one explicit transaction, or
//! a burst of one session without a pause.
//!
//! A piece of a log does not know what came before it, so that the steps before a session's first
//! boundary (BEGIN, COMMIT, connect, disconnect) wait in `head` until the piece before it is known;
//! everything between boundaries is folded into [`Repetitions`] at once and forgotten.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    event::Event,
    repetition::{Evidence, Repetitions},
};
use crate::sql::{Fingerprint, StatementKind};

/// A pause that ends a burst, in microseconds. Within one request of a real application gaps of 10 to
/// 40 ms are usual; longer ones are as likely to be the pause between two requests.
const PAUSE: i64 = 50_000;
/// The same where the clock only shows whole seconds.
const COARSE_PAUSE: i64 = 1_000_000;
/// Steps after which a unit is folded as it is: no request is that long, and memory is bounded.
const LONGEST: usize = 10_000;
/// A trace is over when the log has gone on for so long without it, in microseconds.
const TRACE_IDLE: i64 = 10_000_000;
/// Traces that may be open at once; beyond, the older half is taken to be over.
const MOST_TRACES: usize = 50_000;
/// A session outside of a transaction is forgotten when the log has gone on for so long without it, in
/// microseconds: longer than any statement that might still join its burst.
const SESSION_IDLE: i64 = 600_000_000;

/// One execution, as far as units of work need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) query: Fingerprint,
    pub(super) kind: StatementKind,
    /// Hash of constants and bind values; `None` when the log does not show the values.
    pub(super) values: Option<u64>,
    pub(super) end: Option<i64>,
    pub(super) duration: u64,
    pub(super) session: u32,
    pub(super) coarse: bool,
}

impl Step {
    pub(super) fn of(
        event: &Event<'_>,
        query: Fingerprint,
        kind: StatementKind,
        values: Option<u64>,
    ) -> Step {
        Step {
            query,
            kind,
            values,
            end: event.end,
            duration: event.duration.unwrap_or(0),
            session: event.session.unwrap_or(0),
            coarse: event.coarse,
        }
    }

    /// Whether `next` of the same session came without a pause.
    fn flows_into(&self, next: &Step) -> bool {
        let (Some(end), Some(next_end)) = (self.end, next.end) else { return true };
        let pause = if self.coarse || next.coarse { COARSE_PAUSE } else { PAUSE };
        next_end.saturating_sub_unsigned(next.duration).saturating_sub(end) <= pause
    }
}

/// What a session does between two units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    /// BEGIN.
    Opens,
    /// COMMIT or ROLLBACK.
    Closes,
    /// Connect or disconnect.
    Resets,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Session {
    /// Steps before the first boundary.
    head: Vec<Step>,
    /// What came after the last boundary, where there was one.
    after: Option<Tail>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tail {
    in_transaction: bool,
    /// The unit that is still open.
    steps: Vec<Step>,
}

impl Tail {
    fn push(&mut self, step: Step, folded: &mut Repetitions) {
        let pause = !self.in_transaction && self.steps.last().is_some_and(|last| !last.flows_into(&step));
        if pause || self.steps.len() >= LONGEST {
            self.fold(folded);
        }
        self.steps.push(step);
    }

    fn bound(&mut self, boundary: Boundary, folded: &mut Repetitions) {
        self.fold(folded);
        self.in_transaction = boundary == Boundary::Opens;
    }

    fn fold(&mut self, folded: &mut Repetitions) {
        let evidence = if self.in_transaction { Evidence::Transaction } else { Evidence::Burst };
        folded.fold(&self.steps, evidence);
        self.steps.clear();
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Units {
    sessions: FxHashMap<u32, Session>,
    /// Steps by the hash of their trace id or request tag.
    tagged: BTreeMap<u64, Tagged>,
    newest: Option<i64>,
    pub(super) folded: Repetitions,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tagged {
    evidence: Evidence,
    steps: Vec<Step>,
}

impl Tagged {
    fn last(&self) -> Option<i64> {
        self.steps.iter().filter_map(|step| step.end).max()
    }

    /// A tag that comes back after a long time names another unit: so it is, too, when the first one was
    /// folded in between.
    fn fold(&self, folded: &mut Repetitions) {
        let near = |a: &Step, b: &Step| match (a.end, b.end) {
            (Some(end), Some(next)) => next - end <= TRACE_IDLE,
            _ => true,
        };
        for unit in self.steps.chunk_by(near) {
            folded.fold(unit, self.evidence);
        }
    }
}

impl Units {
    pub(super) fn step(&mut self, step: Step) {
        self.newest = self.newest.max(step.end);
        match step.kind {
            StatementKind::Begin => self.bound(step.session, Boundary::Opens),
            StatementKind::Commit | StatementKind::Rollback => self.bound(step.session, Boundary::Closes),
            _ => {
                let session = self.sessions.entry(step.session).or_default();
                match &mut session.after {
                    Some(tail) => tail.push(step, &mut self.folded),
                    None => session.head.push(step),
                }
            }
        }
    }

    /// A step that carries a trace id or a request tag belongs to that, whatever its session.
    pub(super) fn tagged(&mut self, tag: u64, evidence: Evidence, step: Step) {
        self.newest = self.newest.max(step.end);
        let unit = self.tagged.entry(tag).or_insert_with(|| Tagged { evidence, steps: Vec::new() });
        if unit.steps.len() < LONGEST {
            unit.steps.push(step);
        }
    }

    pub(super) fn session_starts_or_ends(&mut self, session: u32) {
        self.bound(session, Boundary::Resets);
    }

    fn bound(&mut self, session: u32, boundary: Boundary) {
        let session = self.sessions.entry(session).or_default();
        match &mut session.after {
            Some(tail) => tail.bound(boundary, &mut self.folded),
            None => {
                session.after = Some(Tail { in_transaction: boundary == Boundary::Opens, steps: Vec::new() });
            }
        }
    }

    /// Adds what came after.
    pub(super) fn merge(&mut self, later: Units) {
        self.newest = self.newest.max(later.newest);
        self.folded.merge(later.folded);
        for (number, theirs) in sorted(later.sessions) {
            let ours = self.sessions.entry(number).or_default();
            match (&mut ours.after, theirs.after) {
                (None, after) => {
                    ours.head.extend(theirs.head);
                    ours.after = after;
                }
                (Some(tail), after) => {
                    for step in theirs.head {
                        tail.push(step, &mut self.folded);
                    }
                    if let Some(after) = after {
                        tail.fold(&mut self.folded);
                        tail.in_transaction = after.in_transaction;
                        tail.steps = after.steps;
                    }
                }
            }
        }
        for (tag, theirs) in later.tagged {
            match self.tagged.get_mut(&tag) {
                Some(ours) => ours.steps.extend(theirs.steps),
                None => {
                    self.tagged.insert(tag, theirs);
                }
            }
        }
    }

    /// Nothing came before: what waits in the heads began outside of a transaction. Sessions that are
    /// between units are forgotten.
    pub(super) fn settle(&mut self) {
        for (_, session) in sorted_mut(&mut self.sessions) {
            let mut start = Tail { in_transaction: false, steps: Vec::new() };
            for step in session.head.drain(..) {
                start.push(step, &mut self.folded);
            }
            match session.after {
                Some(_) => start.fold(&mut self.folded),
                None => session.after = Some(start),
            }
        }
        let newest = self.newest;
        let folded = &mut self.folded;
        let idle =
            |last: Option<i64>, limit: i64| newest.zip(last).is_some_and(|(now, last)| now - last > limit);
        self.sessions.retain(|_, session| {
            let Some(tail) = &mut session.after else { return false };
            if tail.in_transaction {
                return true;
            }
            if idle(tail.steps.last().and_then(|step| step.end), SESSION_IDLE) {
                tail.fold(folded);
            }
            !tail.steps.is_empty()
        });
        self.tagged.retain(|_, unit| {
            let over = idle(unit.last(), TRACE_IDLE);
            if over {
                unit.fold(folded);
            }
            !over
        });
        if self.tagged.len() > MOST_TRACES {
            let mut by_age: Vec<(Option<i64>, u64)> =
                self.tagged.iter().map(|(&tag, unit)| (unit.last(), tag)).collect();
            by_age.sort_unstable();
            for (_, tag) in &by_age[..MOST_TRACES / 2] {
                if let Some(unit) = self.tagged.remove(tag) {
                    unit.fold(folded);
                }
            }
        }
    }

    /// The log ends here: units that are still open are over.
    pub(super) fn close(&mut self) {
        self.settle();
        for (_, session) in sorted_mut(&mut self.sessions) {
            if let Some(tail) = &mut session.after {
                tail.fold(&mut self.folded);
            }
        }
        self.sessions.clear();
        for (_, unit) in std::mem::take(&mut self.tagged) {
            unit.fold(&mut self.folded);
        }
    }
}

fn sorted(sessions: FxHashMap<u32, Session>) -> Vec<(u32, Session)> {
    let mut sessions: Vec<_> = sessions.into_iter().collect();
    sessions.sort_unstable_by_key(|(number, _)| *number);
    sessions
}

fn sorted_mut(sessions: &mut FxHashMap<u32, Session>) -> Vec<(u32, &mut Session)> {
    let mut sessions: Vec<_> = sessions.iter_mut().map(|(number, session)| (*number, session)).collect();
    sessions.sort_unstable_by_key(|(number, _)| *number);
    sessions
}
