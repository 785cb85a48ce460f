//! What units of work do, told by the order in which their queries first run: few forms for many requests,
//! on which detectors look for pairs and sequences.
//!
//! A form holds each query once, so that a loop over 20 rows and one over 30 are one form. Units with more
//! than [`Outline::LONGEST`] queries have none, and of more than `MOST` forms the rarest are forgotten;
//! both are counted.

use std::{
    collections::BTreeMap,
    hash::{Hash as _, Hasher as _},
};

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use super::{repetition::Evidence, units::Placed};
use crate::sql::{Fingerprint, StatementKind};

/// Forms that are kept.
const MOST: usize = 4096;

/// Units of work whose queries first ran in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    pub units_by_evidence: BTreeMap<Evidence, u64>,
    /// Each of them ran in one session, so that its statements ran one after the other.
    pub one_session: bool,
    /// Reads and writes, in the order in which they first ran.
    pub steps: Vec<OutlineStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineStep {
    pub query: Fingerprint,
    pub kind: StatementKind,
    /// Over all units.
    pub runs: u64,
    /// Microseconds over all units.
    pub total_us: u64,
    /// The most constants and bind values of a run.
    pub size: u16,
    /// Its values, as long as they are the same in all runs of all units.
    pub constant: Option<u32>,
    /// The first step of the unit that has the same values, as long as it is the same one in all units.
    pub like: Option<u8>,
}

impl Outline {
    /// Queries of one unit.
    pub const LONGEST: usize = 48;

    pub fn units(&self) -> u64 {
        self.units_by_evidence.values().sum()
    }

    fn merge(&mut self, other: &Outline) {
        for (evidence, units) in &other.units_by_evidence {
            *self.units_by_evidence.entry(*evidence).or_default() += units;
        }
        self.one_session &= other.one_session;
        self.merge_steps(&other.steps);
    }

    fn merge_steps(&mut self, other: &[OutlineStep]) {
        for (ours, theirs) in self.steps.iter_mut().zip(other) {
            ours.runs += theirs.runs;
            ours.total_us += theirs.total_us;
            ours.size = ours.size.max(theirs.size);
            ours.constant = ours.constant.filter(|value| Some(*value) == theirs.constant);
            ours.like = ours.like.filter(|step| Some(*step) == theirs.like);
        }
    }
}

/// The form of one unit, and the values of the first run of each of its steps.
#[derive(Clone, Debug, Default)]
struct Making {
    one_session: bool,
    steps: Vec<OutlineStep>,
    values: Vec<Option<u32>>,
}

/// All forms: a commutative monoid as long as none is forgotten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outlines {
    forms: BTreeMap<u64, Outline>,
    /// Room for the one that is being made.
    #[serde(skip)]
    making: Making,
    /// Units without a form.
    pub(super) too_long: u64,
    pub(super) forgotten: u64,
}

impl Outlines {
    /// Takes in one finished unit, without those of its steps that belong to a loop over several sessions.
    pub(super) fn fold(&mut self, steps: &[Placed], pooled: impl Fn(usize) -> bool, evidence: Evidence) {
        if steps.len() < 2 {
            return;
        }
        let mut making = std::mem::take(&mut self.making);
        match making.read(steps, pooled) {
            Some(in_transaction) if making.steps.len() >= 2 => {
                let evidence = if in_transaction { evidence.min(Evidence::Transaction) } else { evidence };
                self.count(&making, evidence);
            }
            Some(_) => {}
            None => self.too_long += 1,
        }
        self.making = making;
    }

    /// Counts one unit.
    fn count(&mut self, made: &Making, evidence: Evidence) {
        let mut hasher = FxHasher::default();
        for step in &made.steps {
            step.query.0.hash(&mut hasher);
        }
        let id = hasher.finish();
        if let Some(known) = self.forms.get_mut(&id) {
            known.one_session &= made.one_session;
            known.merge_steps(&made.steps);
            *known.units_by_evidence.entry(evidence).or_default() += 1;
            return;
        }
        let units_by_evidence = BTreeMap::from([(evidence, 1)]);
        let (one_session, steps) = (made.one_session, made.steps.clone());
        self.forms.insert(id, Outline { units_by_evidence, one_session, steps });
        self.bound();
    }

    pub(super) fn merge(&mut self, other: Outlines) {
        for (id, outline) in other.forms {
            self.add(id, outline);
        }
        self.too_long += other.too_long;
        self.forgotten += other.forgotten;
        self.bound();
    }

    fn add(&mut self, id: u64, outline: Outline) {
        match self.forms.get_mut(&id) {
            Some(ours) => ours.merge(&outline),
            None => _ = self.forms.insert(id, outline),
        }
    }

    /// Forgets half of the forms, the rarest, when there are too many.
    fn bound(&mut self) {
        if self.forms.len() <= MOST {
            return;
        }
        let mut rarest: Vec<(u64, u64)> =
            self.forms.iter().map(|(id, outline)| (outline.units(), *id)).collect();
        rarest.sort_unstable();
        for (units, id) in rarest.into_iter().take(MOST / 2) {
            self.forms.remove(&id);
            self.forgotten += units;
        }
    }

    /// The commonest first.
    pub(super) fn all(&self) -> Vec<&Outline> {
        let mut all: Vec<(&u64, &Outline)> = self.forms.iter().collect();
        all.sort_by_key(|(id, outline)| (std::cmp::Reverse(outline.units()), **id));
        all.into_iter().map(|(_, outline)| outline).collect()
    }
}

impl Making {
    /// Reads the steps of a unit that do not belong to a loop over several sessions: whether all of it is one
    /// transaction; `None` when it has too many queries.
    fn read(&mut self, steps: &[Placed], pooled: impl Fn(usize) -> bool) -> Option<bool> {
        self.one_session = true;
        self.steps.clear();
        self.values.clear();
        let mut known: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        let mut transaction = steps.first().map_or(0, |step| step.transaction);
        for (at, step) in steps.iter().enumerate() {
            let Some(kind) = step.kind.filter(|&kind| reads_or_writes(kind) && !pooled(at)) else {
                continue;
            };
            self.one_session &= step.session == steps[0].session;
            if step.transaction != transaction {
                transaction = 0;
            }
            // Few queries are found quicker by looking at each.
            let at = if self.steps.len() <= 8 {
                self.steps.iter().position(|seen| seen.query == step.query)
            } else {
                if known.is_empty() {
                    known.extend(self.steps.iter().enumerate().map(|(at, seen)| (seen.query, at)));
                }
                known.get(&step.query).copied()
            };
            if let Some(seen) = at.and_then(|at| self.steps.get_mut(at)) {
                seen.runs += 1;
                seen.total_us += u64::from(step.duration);
                seen.size = seen.size.max(step.size);
                seen.constant = seen.constant.filter(|value| Some(*value) == step.values());
                continue;
            }
            if self.steps.len() == Outline::LONGEST {
                return None;
            }
            let like = self.values.iter().position(|value| value.is_some() && *value == step.values());
            if !known.is_empty() {
                known.insert(step.query, self.steps.len());
            }
            self.values.push(step.values());
            self.steps.push(OutlineStep {
                query: step.query,
                kind,
                runs: 1,
                total_us: u64::from(step.duration),
                size: step.size,
                constant: step.values(),
                like: like.and_then(|at| u8::try_from(at).ok()),
            });
        }
        Some(transaction > 0)
    }
}

fn reads_or_writes(kind: StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update, With};
    matches!(kind, Select | With | Insert | Update | Delete)
}
