//! Steps of sessions: packed while they wait for their window, and placed in their session there.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::{
    sql::{Fingerprint, StatementKind},
    workload::{event::Event, identity::Identity},
};

/// One execution (or the start or end of a session), as far as units of work need to know it.
#[derive(Clone, Copy, Debug)]
pub(in crate::workload) struct Step {
    pub(in crate::workload) query: Fingerprint,
    /// `None`: the session starts or ends here.
    pub(in crate::workload) kind: Option<StatementKind>,
    /// Hash of constants and bind values; `None` when the log does not show the values.
    pub(in crate::workload) values: Option<u32>,
    /// How many constants and bind values there are; a list counts each.
    pub(in crate::workload) size: u16,
    pub(in crate::workload) end: Option<i64>,
    /// Microseconds.
    pub(in crate::workload) duration: u32,
    pub(in crate::workload) session: u32,
    /// Hash of database, user and application: who sends it.
    pub(in crate::workload) sender: u32,
    /// Hash of database and user, which a session never changes: two servers in one log may give the same
    /// number to two sessions.
    pub(in crate::workload) owner: u32,
    /// Hash of the route tag; 0 where there is none.
    pub(in crate::workload) route: u32,
    pub(in crate::workload) coarse: bool,
    /// The trace or request that it names.
    pub(in crate::workload) unit: Option<(Evidence, u64)>,
}

impl Step {
    pub(in crate::workload) fn of(
        event: &Event<'_>,
        query: Fingerprint,
        kind: Option<StatementKind>,
        identity: &Identity,
    ) -> Step {
        Step {
            query,
            kind,
            values: None,
            size: 0,
            end: event.end,
            duration: event.duration.map_or(0, |us| u32::try_from(us).unwrap_or(u32::MAX)),
            session: event.session.unwrap_or(0),
            sender: identity.application,
            owner: identity.owner,
            route: 0,
            coarse: event.coarse,
            unit: None,
        }
    }
}

/// What many steps have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Context {
    session: u32,
    owner: u32,
    sender: u32,
    route: u32,
    unit: Option<(Evidence, u64)>,
}

/// The rest of a step: 32 bytes, since a window holds many.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Packed {
    query: Fingerprint,
    /// [`UNTIMED`] where the log has no time.
    end: i64,
    duration: u32,
    values: u32,
    context: u32,
    size: u16,
    kind: Option<StatementKind>,
    flags: u8,
}

const UNTIMED: i64 = i64::MIN;
const COARSE: u8 = 1;
/// The log shows the values.
const SHOWN: u8 = 2;

/// Steps in the order of the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Steps {
    packed: Vec<Packed>,
    contexts: Vec<Context>,
    #[serde(skip)]
    known: FxHashMap<Context, u32>,
}

impl Steps {
    pub(super) fn len(&self) -> usize {
        self.packed.len()
    }

    /// `usual` is the number of the step's context, if it is known, where it has neither route nor unit. Hot.
    pub(super) fn push(&mut self, step: &Step, usual: &mut Option<u32>) {
        let context = || Context {
            session: step.session,
            owner: step.owner,
            sender: step.sender,
            route: step.route,
            unit: step.unit,
        };
        let context = if step.route == 0 && step.unit.is_none() {
            *usual.get_or_insert_with(|| self.number(context()))
        } else {
            self.number(context())
        };
        let flags = u8::from(step.coarse) * COARSE + u8::from(step.values.is_some()) * SHOWN;
        self.packed.push(Packed {
            query: step.query,
            end: step.end.unwrap_or(UNTIMED),
            duration: step.duration,
            values: step.values.unwrap_or(0),
            context,
            size: step.size,
            kind: step.kind,
            flags,
        });
    }

    fn number(&mut self, context: Context) -> u32 {
        *self.known.entry(context).or_insert_with(|| {
            self.contexts.push(context);
            // A window has fewer steps than that.
            u32::try_from(self.contexts.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Adds what came after.
    pub(super) fn append(&mut self, later: Steps) {
        if self.packed.is_empty() {
            *self = later;
            return;
        }
        self.take(&later, 0..later.len());
    }

    /// Adds some steps of others, with what they need of the contexts.
    pub(super) fn take(&mut self, others: &Steps, at: impl Iterator<Item = usize>) {
        let mut numbers: Vec<Option<u32>> = vec![None; others.contexts.len()];
        for at in at {
            let mut packed = others.packed[at];
            let theirs = packed.context as usize;
            let number = numbers[theirs].unwrap_or_else(|| self.number(others.contexts[theirs]));
            numbers[theirs] = Some(number);
            packed.context = number;
            self.packed.push(packed);
        }
    }

    pub(super) fn end(&self, at: usize) -> Option<i64> {
        Some(self.packed[at].end).filter(|&end| end != UNTIMED)
    }

    /// The trace or request that it names.
    pub(super) fn unit(&self, at: usize) -> Option<(Evidence, u64)> {
        self.contexts[self.packed[at].context as usize].unit
    }

    /// Some steps by their sessions, those of each in the order of the log.
    pub(super) fn placed_by_session(&self, at: &[u32], placed: &mut Vec<Placed>) {
        let (sorted, lens) = self.by_session(at);
        let mut rest = &sorted[..];
        for len in lens {
            let (session, later) = rest.split_at(len);
            self.placed(session, placed);
            rest = later;
        }
    }

    /// The steps sorted so, and how many each session has.
    fn by_session(&self, at: &[u32]) -> (Vec<u32>, Vec<usize>) {
        let session = |context: &u32| {
            let context = &self.contexts[*context as usize];
            (context.session, context.owner)
        };
        let mut contexts: Vec<u32> = (0..).zip(&self.contexts).map(|(number, _)| number).collect();
        contexts.sort_unstable_by_key(session);
        // By context: the place of its session among all.
        let mut places = vec![0_usize; contexts.len()];
        let mut lens: Vec<usize> = Vec::new();
        for same in contexts.chunk_by(|a, b| session(a) == session(b)) {
            for context in same {
                places[*context as usize] = lens.len();
            }
            lens.push(0);
        }
        let place = |at: u32| places[self.packed[at as usize].context as usize];
        for &at in at {
            lens[place(at)] += 1;
        }
        let mut next: Vec<usize> =
            lens.iter().scan(0, |sum, len| Some(std::mem::replace(sum, *sum + len))).collect();
        let mut sorted = vec![0; at.len()];
        for &at in at {
            let next = &mut next[place(at)];
            sorted[*next] = at;
            *next += 1;
        }
        (sorted, lens)
    }

    /// `at` must be the steps of one session, in order.
    pub(super) fn placed(&self, at: &[u32], placed: &mut Vec<Placed>) {
        let (mut number, mut within) = (0, false);
        for &at in at {
            let packed = &self.packed[at as usize];
            let context = &self.contexts[packed.context as usize];
            match packed.kind {
                Some(StatementKind::Begin) => {
                    number += 1;
                    within = true;
                }
                None => within = false,
                _ => {}
            }
            placed.push(Placed {
                query: packed.query,
                end: packed.end,
                duration: packed.duration,
                values: packed.values,
                session: context.session,
                owner: context.owner,
                sender: context.sender,
                route: context.route,
                at,
                transaction: if within { number } else { 0 },
                size: packed.size,
                kind: packed.kind,
                flags: packed.flags,
            });
            if matches!(packed.kind, Some(StatementKind::Commit | StatementKind::Rollback)) {
                within = false;
            }
        }
    }
}

/// A step with its place in its session.
#[derive(Clone, Copy, Debug)]
pub(in crate::workload) struct Placed {
    pub(in crate::workload) query: Fingerprint,
    end: i64,
    /// Microseconds.
    pub(in crate::workload) duration: u32,
    values: u32,
    pub(in crate::workload) session: u32,
    pub(super) owner: u32,
    pub(super) sender: u32,
    pub(super) route: u32,
    /// Its place in the window.
    pub(super) at: u32,
    /// Number of the explicit transaction within its session, from 1; 0 outside of one.
    pub(in crate::workload) transaction: u32,
    pub(in crate::workload) size: u16,
    pub(in crate::workload) kind: Option<StatementKind>,
    flags: u8,
}

impl Placed {
    pub(in crate::workload) fn end(&self) -> Option<i64> {
        Some(self.end).filter(|&end| end != UNTIMED)
    }

    /// When it began: microseconds since 1970.
    pub(super) fn start(&self) -> Option<i64> {
        self.end().map(|end| end - i64::from(self.duration))
    }

    /// Hash of constants and bind values; `None` when the log does not show them.
    pub(in crate::workload) fn values(&self) -> Option<u32> {
        Some(self.values).filter(|_| self.flags & SHOWN != 0)
    }

    pub(super) fn coarse(&self) -> bool {
        self.flags & COARSE != 0
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.kind, Some(StatementKind::Select | StatementKind::With))
    }

    pub(super) fn is_write(&self) -> bool {
        matches!(self.kind, Some(StatementKind::Insert | StatementKind::Update | StatementKind::Delete))
    }
}
