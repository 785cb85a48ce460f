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
        for (ours, theirs) in self.steps.iter_mut().zip(&other.steps) {
            ours.runs += theirs.runs;
            ours.total_us += theirs.total_us;
            ours.size = ours.size.max(theirs.size);
            ours.constant = ours.constant.filter(|value| Some(*value) == theirs.constant);
            ours.like = ours.like.filter(|step| Some(*step) == theirs.like);
        }
    }
}

/// All forms: a commutative monoid as long as none is forgotten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outlines {
    forms: BTreeMap<u64, Outline>,
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
        let mut outline =
            Outline { units_by_evidence: BTreeMap::new(), one_session: true, steps: Vec::new() };
        let mut known: FxHashMap<Fingerprint, usize> = FxHashMap::default();
        // The values of the first run of each.
        let mut values: Vec<Option<u32>> = Vec::new();
        let mut transaction = steps.first().map_or(0, |step| step.transaction);
        for (at, step) in steps.iter().enumerate() {
            let Some(kind) = step.kind.filter(|&kind| reads_or_writes(kind) && !pooled(at)) else {
                continue;
            };
            outline.one_session &= step.session == steps[0].session;
            if step.transaction != transaction {
                transaction = 0;
            }
            // Few queries are found quicker by looking at each.
            let at = if outline.steps.len() <= 8 {
                outline.steps.iter().position(|seen| seen.query == step.query)
            } else {
                if known.is_empty() {
                    known.extend(outline.steps.iter().enumerate().map(|(at, seen)| (seen.query, at)));
                }
                known.get(&step.query).copied()
            };
            if let Some(seen) = at.and_then(|at| outline.steps.get_mut(at)) {
                seen.runs += 1;
                seen.total_us += u64::from(step.duration);
                seen.size = seen.size.max(step.size);
                seen.constant = seen.constant.filter(|value| Some(*value) == step.values());
                continue;
            }
            if outline.steps.len() == Outline::LONGEST {
                self.too_long += 1;
                return;
            }
            let like = values.iter().position(|value| value.is_some() && *value == step.values());
            if !known.is_empty() {
                known.insert(step.query, outline.steps.len());
            }
            values.push(step.values());
            outline.steps.push(OutlineStep {
                query: step.query,
                kind,
                runs: 1,
                total_us: u64::from(step.duration),
                size: step.size,
                constant: step.values(),
                like: like.and_then(|at| u8::try_from(at).ok()),
            });
        }
        if outline.steps.len() < 2 {
            return;
        }
        let evidence = if transaction > 0 { evidence.min(Evidence::Transaction) } else { evidence };
        outline.units_by_evidence.insert(evidence, 1);
        let mut hasher = FxHasher::default();
        for step in &outline.steps {
            step.query.0.hash(&mut hasher);
        }
        self.add(hasher.finish(), outline);
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

fn reads_or_writes(kind: StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update, With};
    matches!(kind, Select | With | Insert | Update | Delete)
}
