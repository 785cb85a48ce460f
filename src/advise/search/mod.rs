//! From candidates to the set worth having.
//!
//! Each index pays for what it saves with rent: the room it takes and the writes that keep it up, both as
//! shares of the workload, as savings are. Three questions per query bound what can be had: without any
//! candidate, with those that hold keys only, with all. What the planner took there is where the search
//! begins; it goes on by [`moves`] as long as one pays: leave an index out, make it shorter, make one of two,
//! and at the end take one in that was left out too soon. So one index that serves five queries stays and its four
//! rivals go. Most questions are answered by what is known already ([`Costs`]).
//!
//! The search can end after any move, and the same input gives the same set.

mod budget;
mod caution;
mod moves;
mod reorder;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    candidates::{Candidate, MAX_KEYS},
    costs::{Costs, Known, Set},
    words,
};
use crate::{error::NotJudged, plan::Probe};

use budget::Upto;
pub use budget::{Budget, Point};
pub(super) use reorder::Misordered;

/// A query that costs less than this has nothing to win (a few pages read).
pub(super) const FLOOR: f64 = 100.0;

/// Less than a tenth is within the planner's error; half, as others ask for, loses useful indexes.
const GAIN: f64 = 0.9;

/// A query of the search.
pub(super) struct Work<'a> {
    pub(super) probe: Option<&'a Probe>,
    /// Its part of the workload, 0 to 1.
    pub(super) share: f64,
    /// Candidates that could serve it.
    pub(super) relevant: Set,
}

/// The cost of a query without and with the chosen set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) base: f64,
    pub(super) after: Known,
}

#[derive(Debug, Default)]
pub(super) struct Selected {
    pub(super) chosen: Set,
    /// By the query's position; only queries that could be planned.
    pub(super) outcomes: BTreeMap<usize, Outcome>,
    /// Why each of the others is not advised.
    pub(super) why_not: BTreeMap<usize, String>,
    /// Queries that could not be planned, and why.
    pub(super) unplanned: BTreeMap<usize, String>,
    /// Total size against gain, the smallest first.
    pub(super) frontier: Vec<Point>,
    /// Existing indexes with the columns of chosen ones in another order.
    pub(super) misordered: Vec<Misordered>,
}

/// What an index pays: as shares of the workload, for its room and for its upkeep.
pub(super) trait Rent {
    /// Bytes; `None` when nothing tells.
    fn bytes(&self, candidate: &Candidate) -> Option<u64>;
    fn of(&self, candidate: &Candidate, bytes: u64) -> f64;
    /// Why it is not worth that, in words.
    fn too_dear(&self, candidate: &Candidate, bytes: u64) -> String;
}

/// Picks the set.
pub(super) fn search(
    work: Vec<Work<'_>>,
    costs: &mut Costs<'_>,
    rent: &dyn Rent,
    budget: &Budget<'_>,
    not_judged: &mut NotJudged,
) -> Selected {
    let mut search = Search {
        work,
        costs,
        rent,
        budget,
        paid: BTreeMap::new(),
        allowed: usize::MAX,
        scale: 1.0,
        base: BTreeMap::new(),
        least: BTreeMap::new(),
        now: BTreeMap::new(),
        selected: Selected::default(),
    };
    search.begin(not_judged);
    search.allow(Upto::LEFT_OUT);
    search.one_of_each_beginning();
    search.prefer_brin();
    search.leave_out();
    search.allow(Upto::RESHAPED);
    search.carry_less();
    search.reshape();
    search.leave_out();
    search.allow(Upto::TAKEN_IN);
    search.take_in();
    search.leave_out();
    search.allow(Upto::KEPT_TO_BUDGET);
    search.drop_marginal();
    search.guard();
    search.keep_to_budget();
    search.reorder();
    search.settle();
    search.allow(Upto::TRACED);
    search.trace_frontier();
    search.selected
}

struct Search<'a, 'c, 'o> {
    work: Vec<Work<'a>>,
    costs: &'c mut Costs<'o>,
    rent: &'c dyn Rent,
    budget: &'c Budget<'c>,
    /// Bytes and rent by candidate, as far as they were asked for.
    paid: BTreeMap<usize, (u64, f64)>,
    /// Questions to the planner that are allowed so far.
    allowed: usize,
    /// How many times the usual rent is asked.
    scale: f64,
    /// Effort without any candidate, of queries worth it.
    base: BTreeMap<usize, f64>,
    /// The same with all candidates: no set does better.
    least: BTreeMap<usize, f64>,
    /// Under the chosen set.
    now: BTreeMap<usize, Known>,
    selected: Selected,
}

impl Search<'_, '_, '_> {
    /// The bounds of each query, and what the planner takes when it may choose among all.
    fn begin(&mut self, not_judged: &mut NotJudged) {
        for query in 0..self.work.len() {
            let Some(probe) = self.work[query].probe else {
                self.selected.unplanned.insert(query, "the query could not be planned".to_owned());
                continue;
            };
            let relevant = self.work[query].relevant.clone();
            if relevant.is_empty() || (self.budget.is_out_of_time)() {
                continue;
            }
            let both = self
                .costs
                .ask(query, probe, &Set::new())
                .and_then(|base| Ok((base, self.costs.ask(query, probe, &relevant)?)));
            let (base, all) = match both {
                Ok(both) => both,
                Err(why) => {
                    not_judged.add("index advice", format!("a query could not be costed: {why}"));
                    self.selected.unplanned.insert(query, why);
                    continue;
                }
            };
            if base.cost < FLOOR {
                self.note(&relevant, || format!("the query costs only {} (est.)", words::grouped(base.cost)));
                continue;
            }
            self.base.insert(query, base.effort);
            self.least.insert(query, all.effort);
            if all.cost > base.cost * GAIN {
                self.note(&all.used, || {
                    format!(
                        "est. cost {} → {}, less than a tenth",
                        words::grouped(base.cost),
                        words::grouped(all.cost)
                    )
                });
                self.note(&relevant, || "the planner does not take it".to_owned());
                continue;
            }
            self.selected.chosen.extend(&all.used);
            // Keys alone often do nearly as well as an index that holds all that the query reads.
            let narrow: Set = relevant
                .iter()
                .copied()
                .filter(|&id| self.costs.candidate(id).spec.include.is_empty())
                .collect();
            if let Ok(narrow) = self.costs.ask(query, probe, &narrow) {
                self.selected.chosen.extend(&narrow.used);
            }
            self.note(&relevant, || "the planner does not take it".to_owned());
        }
        let judged: Vec<usize> = self.base.keys().copied().collect();
        for query in judged {
            if let Some(known) = self.under(query, &Set::new(), None) {
                self.now.insert(query, known);
            }
        }
    }

    fn note(&mut self, ids: &Set, why: impl Fn() -> String) {
        for &id in ids {
            self.selected.why_not.entry(id).or_insert_with(&why);
        }
    }

    /// What a query weighs at such an effort, as a part of the workload before. One that becomes slower counts
    /// for more than it loses: nobody asked for that.
    fn burden(&self, query: usize, effort: f64) -> f64 {
        const HARM: f64 = 5.0;
        let left = effort / self.base[&query];
        self.work[query].share * if left > 1.0 { 1.0 + HARM * (left - 1.0) } else { left }
    }

    fn burden_now(&self, query: usize) -> f64 {
        self.burden(query, self.now[&query].effort)
    }

    /// Bytes and rent of a candidate.
    fn paid(&mut self, id: usize) -> (u64, f64) {
        if let Some(&(bytes, rent)) = self.paid.get(&id) {
            return (bytes, rent * self.scale);
        }
        let bytes =
            self.rent.bytes(self.costs.candidate(id)).or_else(|| self.costs.size(id)).unwrap_or_default();
        let paid = (bytes, self.rent.of(self.costs.candidate(id), bytes));
        self.paid.insert(id, paid);
        (paid.0, paid.1 * self.scale)
    }

    /// A query under the chosen set, less some and with another; `None` when the oracle fails.
    fn under(&mut self, query: usize, less: &Set, plus: Option<usize>) -> Option<Known> {
        let work = &self.work[query];
        let chosen = &self.selected.chosen;
        let set: Set = work
            .relevant
            .iter()
            .copied()
            .filter(|id| Some(*id) == plus || (chosen.contains(id) && !less.contains(id)))
            .collect();
        self.costs.ask(query, work.probe?, &set).ok()
    }

    /// An index must make some query at least a tenth cheaper than the others do.
    fn drop_marginal(&mut self) {
        loop {
            let marginal = self.selected.chosen.clone().into_iter().find(|&id| {
                let users: Vec<usize> = self.users(&Set::from([id]));
                !users.into_iter().any(|query| {
                    let with = self.now[&query].effort;
                    self.under(query, &Set::from([id]), None)
                        .is_some_and(|without| with <= without.effort * GAIN)
                })
            });
            let Some(id) = marginal else { return };
            self.apply(&Set::from([id]), None, "the other indexes serve its queries nearly as well");
        }
    }

    /// The queries whose plan takes one of these now.
    fn users(&self, ids: &Set) -> Vec<usize> {
        self.now.iter().filter(|(_, known)| !known.used.is_disjoint(ids)).map(|(&query, _)| query).collect()
    }

    /// Changes the set, and what is known of the queries with it.
    fn apply(&mut self, less: &Set, plus: Option<usize>, why: &str) {
        let mut touched: BTreeSet<usize> = self.users(less).into_iter().collect();
        for id in less {
            self.selected.chosen.remove(id);
            self.selected.why_not.insert(*id, why.to_owned());
        }
        if let Some(id) = plus {
            self.selected.chosen.insert(id);
            touched.extend(self.concerned(id));
        }
        for query in touched {
            if let Some(known) = self.under(query, &Set::new(), None) {
                self.now.insert(query, known);
            }
        }
    }

    /// Judged queries that a candidate could serve.
    fn concerned(&self, id: usize) -> Vec<usize> {
        self.base.keys().copied().filter(|&query| self.work[query].relevant.contains(&id)).collect()
    }

    fn settle(&mut self) {
        let taken: Set = self.now.values().flat_map(|known| known.used.iter().copied()).collect();
        let idle: Vec<usize> = self.selected.chosen.difference(&taken).copied().collect();
        for id in idle {
            self.selected.chosen.remove(&id);
            let why = "the planner does not take it beside the other indexes".to_owned();
            self.selected.why_not.insert(id, why);
        }
        for (&query, after) in &self.now {
            if let Some(base) =
                self.work[query].probe.and_then(|probe| self.costs.ask(query, probe, &Set::new()).ok())
            {
                self.selected.outcomes.insert(query, Outcome { base: base.cost, after: after.clone() });
            }
        }
        for id in &self.selected.chosen {
            self.selected.why_not.remove(id);
        }
    }
}
