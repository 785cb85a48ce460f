//! What the planner says of each query under a set of candidates, asked as rarely as possible.
//!
//! An answer for a set also holds for every smaller set that keeps the indexes which the plan uses: the
//! planner had those cheaper choices and took none of the others. So most questions of the search are
//! answered without asking.

use std::collections::{BTreeMap, BTreeSet};

use super::{candidates::Candidate, effort, existing};
use crate::{
    catalog::{Catalog, IndexSpec, Table},
    plan::{Probe, WhatIf},
};

/// Positions in the list of candidates.
pub(super) type Set = BTreeSet<usize>;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    set: Set,
    pub(super) used: Set,
    /// Names of the existing indexes that the plan takes.
    pub(super) existing: BTreeSet<String>,
    /// As the planner says.
    pub(super) cost: f64,
    /// What the search goes by.
    pub(super) effort: f64,
}

pub(super) struct Costs<'a> {
    oracle: &'a mut dyn WhatIf,
    catalog: &'a Catalog,
    candidates: Vec<Candidate>,
    ids: BTreeMap<IndexSpec, usize>,
    /// By the query's position.
    known: Vec<Vec<Known>>,
    asked: usize,
    /// Names of the indexes that there are.
    existing: BTreeSet<&'a str>,
    /// By the query's position, the names of the indexes that the server's plan takes as things are.
    plans: Vec<BTreeSet<&'a str>>,
}

impl<'a> Costs<'a> {
    pub(super) fn new(
        oracle: &'a mut dyn WhatIf,
        catalog: &'a Catalog,
        candidates: Vec<Candidate>,
        plans: Vec<BTreeSet<&'a str>>,
    ) -> Costs<'a> {
        let existing = catalog
            .tables
            .iter()
            .flat_map(|table| table.indexes.iter().map(|index| index.name.as_str()))
            .collect();
        let ids = candidates.iter().enumerate().map(|(id, candidate)| (candidate.spec.clone(), id)).collect();
        Costs {
            oracle,
            catalog,
            candidates,
            ids,
            known: vec![Vec::new(); plans.len()],
            asked: 0,
            existing,
            plans,
        }
    }

    /// The cost of a query when exactly these candidates exist. Errors are the oracle's words.
    pub(super) fn ask(&mut self, query: usize, probe: &Probe, set: &Set) -> Result<Known, String> {
        let holds = |known: &&Known| set.is_subset(&known.set) && known.used.is_subset(set);
        if let Some(known) = self.known[query].iter().find(holds) {
            return Ok(known.clone());
        }
        let specs: Vec<IndexSpec> = set.iter().map(|&id| self.candidates[id].spec.clone()).collect();
        self.asked += 1;
        let estimate = self.oracle.estimate(probe, &specs)?;
        let used =
            set.iter().zip(&estimate.used).filter(|(_, used)| **used).map(|(&id, _)| id).collect::<Set>();
        let is_there = |index: &str| self.existing.contains(index);
        let effort = effort::effort(&estimate.plan, &|index| !is_there(index));
        let nodes = estimate.plan.nodes();
        let existing =
            nodes.iter().filter_map(|node| node.index.clone()).filter(|index| is_there(index)).collect();
        let known = Known { set: set.clone(), used, existing, cost: estimate.cost, effort };
        self.known[query].push(known.clone());
        Ok(known)
    }

    /// Questions that reached the planner.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }

    pub(super) fn candidate(&self, id: usize) -> &Candidate {
        &self.candidates[id]
    }

    /// The candidate's position; one that is known already is not added again.
    pub(super) fn add(&mut self, candidate: Candidate) -> usize {
        if let Some(&id) = self.ids.get(&candidate.spec) {
            return id;
        }
        let id = self.candidates.len();
        self.ids.insert(candidate.spec.clone(), id);
        self.candidates.push(candidate);
        id
    }

    /// An index of the table does all that the candidate would.
    pub(super) fn is_there_already(&self, candidate: &Candidate) -> bool {
        self.catalog
            .table(&candidate.spec.table)
            .is_some_and(|table| existing::covering(candidate, table).is_some())
    }

    /// Some plan took it.
    pub(super) fn was_used(&self, id: usize) -> bool {
        self.known.iter().flatten().any(|known| known.used.contains(&id))
    }

    pub(super) fn size(&mut self, id: usize) -> Option<u64> {
        self.oracle.size(&self.candidates[id].spec).ok()
    }

    /// The table of a candidate.
    pub(super) fn table(&self, id: usize) -> Option<&'a Table> {
        self.catalog.table(&self.candidates[id].spec.table)
    }

    /// Positions of the queries whose plan takes an existing index as things are.
    pub(super) fn users_of(&self, index: &str) -> BTreeSet<usize> {
        let takes = |query: usize| {
            self.plans.get(query).is_some_and(|taken| taken.contains(index))
                || self.known[query]
                    .iter()
                    .any(|known| known.set.is_empty() && known.existing.contains(index))
        };
        (0..self.known.len()).filter(|&query| takes(query)).collect()
    }

    pub(super) fn into_candidates(self) -> Vec<Candidate> {
        self.candidates
    }
}
