//! From candidates to the set worth having.
//!
//! Two questions per query (without any candidate, and with all that concern it) give the best that can
//! be had and the indexes that the planner would take for it. What is left is pruning the union of
//! those: indexes that are a leading part of another go, then, one at a time, the one whose loss hurts
//! least, as long as no query would lose a tenth. So one index that serves five queries stays and its
//! four rivals go. Last, columns that earn nothing are cut off.

use std::collections::BTreeMap;

use super::{
    candidates::Candidate,
    costs::{Costs, Known, Set},
    existing, words,
};
use crate::{error::NotJudged, plan::Probe};

/// A query that costs less than this has nothing to win (a few pages read).
pub(super) const FLOOR: f64 = 100.0;

/// Less than a tenth is within the planner's error; half, as others ask for, loses useful indexes.
const GAIN: f64 = 0.9;

/// What an entry in one B-tree costs its writer, in milliseconds: a descent of cached pages, and its WAL.
const WRITE_MS: f64 = 0.02;

/// A query of the selection.
pub(super) struct Work<'a> {
    pub(super) probe: Option<&'a Probe>,
    /// Milliseconds of the workload, or a stand-in where none were measured.
    pub(super) weight: f64,
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
}

/// Picks the set. `writes` gives, for a candidate, how often the workload would have to maintain it.
pub(super) fn select(
    work: &[Work<'_>],
    candidates: &[Candidate],
    costs: &mut Costs<'_>,
    writes: &dyn Fn(usize) -> u64,
    not_judged: &mut NotJudged,
) -> Selected {
    let mut selection = Selection {
        work,
        candidates,
        costs,
        base: BTreeMap::new(),
        concerned: vec![Vec::new(); candidates.len()],
        selected: Selected::default(),
    };
    selection.union(not_judged);
    selection.drop_prefixes();
    selection.prune();
    selection.shorten();
    selection.weigh_writes(writes);
    selection.settle();
    selection.selected
}

struct Selection<'a, 'c, 'o> {
    work: &'a [Work<'a>],
    candidates: &'a [Candidate],
    costs: &'c mut Costs<'o>,
    /// Cost without any candidate, of queries worth it.
    base: BTreeMap<usize, f64>,
    /// By candidate: the queries of `base` that it could serve.
    concerned: Vec<Vec<usize>>,
    selected: Selected,
}

impl Selection<'_, '_, '_> {
    /// What the planner takes when it may choose among all.
    fn union(&mut self, not_judged: &mut NotJudged) {
        for (query, work) in self.work.iter().enumerate() {
            let Some(probe) = work.probe else {
                self.selected.unplanned.insert(query, "the query could not be planned".to_owned());
                continue;
            };
            if work.relevant.is_empty() {
                continue;
            }
            let both = self
                .costs
                .ask(query, probe, &Set::new())
                .and_then(|base| Ok((base.cost, self.costs.ask(query, probe, &work.relevant)?)));
            let (base, all) = match both {
                Ok(both) => both,
                Err(why) => {
                    not_judged.add("index advice", format!("a query could not be costed: {why}"));
                    self.selected.unplanned.insert(query, why);
                    continue;
                }
            };
            if base < FLOOR {
                self.note(&work.relevant, || format!("the query costs only {} (est.)", words::grouped(base)));
                continue;
            }
            self.base.insert(query, base);
            for &id in &work.relevant {
                self.concerned[id].push(query);
            }
            if all.cost <= base * GAIN {
                self.selected.chosen.extend(&all.used);
            }
            self.note(&all.used, || {
                format!(
                    "est. cost {} → {}, less than a tenth",
                    words::grouped(base),
                    words::grouped(all.cost)
                )
            });
            let others: Set = work.relevant.difference(&all.used).copied().collect();
            self.note(&others, || "the planner does not take it".to_owned());
        }
    }

    fn note(&mut self, ids: &Set, why: impl Fn() -> String) {
        for &id in ids {
            self.selected.why_not.entry(id).or_insert_with(&why);
        }
    }

    /// The longer index does all that one it begins with does.
    fn drop_prefixes(&mut self) {
        for id in self.selected.chosen.clone() {
            let longer = self.selected.chosen.iter().find(|&&other| self.begins(other, id));
            if let Some(&longer) = longer {
                let why = format!("{} begins with it", columns(&self.candidates[longer]));
                self.reject(id, why);
            }
        }
    }

    /// Whether one candidate begins with another.
    fn begins(&self, long: usize, short: usize) -> bool {
        existing::is_prefix(&self.candidates[short].spec, &self.candidates[long].spec)
    }

    fn reject(&mut self, id: usize, why: String) {
        self.selected.chosen.remove(&id);
        self.selected.why_not.insert(id, why);
    }

    /// Takes away the index that is missed least, again and again, while no query loses a tenth by it.
    fn prune(&mut self) {
        let mut losses: BTreeMap<usize, Option<f64>> = BTreeMap::new();
        loop {
            let unknown: Vec<usize> =
                self.selected.chosen.iter().copied().filter(|id| !losses.contains_key(id)).collect();
            for id in unknown {
                let loss = self.loss_if_small(id, None);
                losses.insert(id, loss);
            }
            let least = losses
                .iter()
                .filter_map(|(&id, loss)| loss.map(|loss| (loss, id)))
                .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            let Some((_, id)) = least else { return };
            self.reject(id, "the other indexes serve its queries nearly as well".to_owned());
            losses.remove(&id);
            // Only what shares a query with it is judged anew.
            for &query in &self.concerned[id] {
                for neighbour in &self.work[query].relevant {
                    losses.remove(neighbour);
                }
            }
        }
    }

    /// Fewer columns where those do nearly as well: a smaller index that fewer updates touch. Sort
    /// columns stay: what they save grows with the rows of the heaviest key, and the planner sees an
    /// average one.
    fn shorten(&mut self) {
        for id in self.selected.chosen.clone() {
            if self.candidates[id].ordered {
                continue;
            }
            let mut shorter: Vec<usize> =
                (0..self.candidates.len()).filter(|&other| self.begins(id, other)).collect();
            shorter.sort_by_key(|&other| self.candidates[other].spec.keys.len());
            for other in shorter {
                if self.loss_if_small(id, Some(other)).is_some() {
                    self.reject(id, format!("{} does nearly as well", columns(&self.candidates[other])));
                    self.selected.chosen.insert(other);
                    break;
                }
            }
        }
    }

    /// Weight lost without a chosen candidate (or with another instead), over the queries that it
    /// concerns; `None` when one of them would lose a tenth or more.
    fn loss_if_small(&mut self, id: usize, instead: Option<usize>) -> Option<f64> {
        let mut loss = 0.0;
        for at in 0..self.concerned[id].len() {
            let query = self.concerned[id][at];
            let before = self.under(query, None, None)?.cost;
            let after = self.under(query, Some(id), instead)?.cost;
            if after * GAIN >= before {
                return None;
            }
            loss += self.work[query].weight * (after - before) / self.base[&query];
        }
        Some(loss)
    }

    /// A query under the chosen set, less one and with another; `None` when the oracle fails.
    fn under(&mut self, query: usize, less: Option<usize>, plus: Option<usize>) -> Option<Known> {
        let work = &self.work[query];
        let chosen = &self.selected.chosen;
        let set: Set = work
            .relevant
            .iter()
            .copied()
            .filter(|id| Some(*id) == plus || (chosen.contains(id) && Some(*id) != less))
            .collect();
        self.costs.ask(query, work.probe?, &set).ok()
    }

    /// An index must save more time than the workload's own writes would spend on it.
    fn weigh_writes(&mut self, writes: &dyn Fn(usize) -> u64) {
        for id in self.selected.chosen.clone() {
            let written = writes(id);
            let spent = written as f64 * WRITE_MS;
            if written == 0 {
                continue;
            }
            let mut saved = 0.0;
            for at in 0..self.concerned[id].len() {
                let query = self.concerned[id][at];
                if let (Some(with), Some(without)) =
                    (self.under(query, None, None), self.under(query, Some(id), None))
                {
                    saved += self.work[query].weight * (without.cost - with.cost) / self.base[&query];
                }
            }
            if spent > saved {
                let why = format!(
                    "it saves {} and its upkeep by the workload's {} takes about {} (est.)",
                    words::time(saved),
                    words::plural(written, "write"),
                    words::time(spent)
                );
                self.reject(id, why);
            }
        }
    }

    fn settle(&mut self) {
        for (query, base) in self.base.clone() {
            if let Some(after) = self.under(query, None, None) {
                self.selected.outcomes.insert(query, Outcome { base, after });
            }
        }
        let taken: Set =
            self.selected.outcomes.values().flat_map(|outcome| outcome.after.used.iter().copied()).collect();
        let idle: Vec<usize> = self.selected.chosen.difference(&taken).copied().collect();
        for id in idle {
            self.selected.chosen.remove(&id);
            self.selected
                .why_not
                .insert(id, "the planner does not take it beside the other indexes".to_owned());
        }
        for id in &self.selected.chosen {
            self.selected.why_not.remove(id);
        }
    }
}

/// `table (a, b DESC)`.
pub(super) fn columns(candidate: &Candidate) -> String {
    let keys: Vec<String> = candidate.spec.keys.iter().map(crate::catalog::IndexKey::sql).collect();
    format!("{} ({})", candidate.spec.table.plain(), keys.join(", "))
}
