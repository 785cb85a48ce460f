//! What the planner says of each query under a set of candidates, asked as rarely as possible.
//!
//! An answer for a set also holds for every smaller set that keeps the indexes which the plan uses: the
//! planner had those cheaper choices and took none of the others. So most questions of the selection are
//! answered without asking.

use std::collections::BTreeSet;

use super::candidates::Candidate;
use crate::{
    catalog::IndexSpec,
    plan::{Probe, WhatIf},
};

/// Positions in the list of candidates.
pub(super) type Set = BTreeSet<usize>;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    set: Set,
    pub(super) used: Set,
    pub(super) cost: f64,
}

pub(super) struct Costs<'a> {
    oracle: &'a mut dyn WhatIf,
    candidates: &'a [Candidate],
    /// By the query's position.
    known: Vec<Vec<Known>>,
}

impl<'a> Costs<'a> {
    pub(super) fn new(oracle: &'a mut dyn WhatIf, candidates: &'a [Candidate], queries: usize) -> Costs<'a> {
        Costs { oracle, candidates, known: vec![Vec::new(); queries] }
    }

    /// The cost of a query when exactly these candidates exist. Errors are the oracle's words.
    pub(super) fn ask(&mut self, query: usize, probe: &Probe, set: &Set) -> Result<Known, String> {
        let holds = |known: &&Known| set.is_subset(&known.set) && known.used.is_subset(set);
        if let Some(known) = self.known[query].iter().find(holds) {
            return Ok(known.clone());
        }
        let specs: Vec<IndexSpec> = set.iter().map(|&id| self.candidates[id].spec.clone()).collect();
        let estimate = self.oracle.estimate(probe, &specs)?;
        let used =
            set.iter().zip(&estimate.used).filter(|(_, used)| **used).map(|(&id, _)| id).collect::<Set>();
        let known = Known { set: set.clone(), used, cost: estimate.cost };
        self.known[query].push(known.clone());
        Ok(known)
    }

    pub(super) fn size(&mut self, id: usize) -> Option<u64> {
        self.oracle.size(&self.candidates[id].spec).ok()
    }
}
