//! From candidates to the set worth having.
//!
//! Two questions per query (without any candidate, and with all that concern it) give the best that can
//! be had and the indexes that the planner would take for it. What is left is pruning the union of
//! those: indexes that are a leading part of another go, then, one at a time, the one whose loss hurts
//! least, as long as no query would lose a tenth. So one index that serves five queries stays and its
//! four rivals go.

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
    let mut selection =
        Selection { work, candidates, costs, base: BTreeMap::new(), selected: Selected::default() };
    selection.union(not_judged);
    selection.prune();
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

    fn prune(&mut self) {
        while let Some((id, why)) = self.needless() {
            self.selected.chosen.remove(&id);
            self.selected.why_not.insert(id, why);
        }
    }

    /// The next index that can go, and why.
    fn needless(&mut self) -> Option<(usize, String)> {
        let chosen = self.selected.chosen.clone();
        let spec = |id: usize| &self.candidates[id].spec;
        for &id in &chosen {
            if let Some(&longer) = chosen.iter().find(|&&other| existing::is_prefix(spec(id), spec(other))) {
                return Some((id, format!("{} begins with it", columns(&self.candidates[longer]))));
            }
        }
        let mut least: Option<(f64, usize)> = None;
        for &id in &chosen {
            let Some(loss) = self.loss_if_small(id) else { continue };
            if least.is_none_or(|(smallest, _)| loss < smallest) {
                least = Some((loss, id));
            }
        }
        least.map(|(_, id)| (id, "the other indexes serve its queries nearly as well".to_owned()))
    }

    /// Weight lost without this index; `None` when a query would lose a tenth or more by it.
    fn loss_if_small(&mut self, id: usize) -> Option<f64> {
        let mut loss = 0.0;
        for (query, base) in self.base.clone() {
            if !self.work[query].relevant.contains(&id) {
                continue;
            }
            let (with, without) = (self.under(query, None)?, self.under(query, Some(id))?);
            if with.cost <= without.cost * GAIN {
                return None;
            }
            loss += self.work[query].weight * (without.cost - with.cost) / base;
        }
        Some(loss)
    }

    /// A query under the chosen set, less one; `None` when the oracle fails.
    fn under(&mut self, query: usize, less: Option<usize>) -> Option<Known> {
        let work = &self.work[query];
        let mut set: Set = work.relevant.intersection(&self.selected.chosen).copied().collect();
        if let Some(id) = less {
            set.remove(&id);
        }
        self.costs.ask(query, work.probe?, &set).ok()
    }

    /// An index must save more time than the workload's own writes would spend on it.
    fn weigh_writes(&mut self, writes: &dyn Fn(usize) -> u64) {
        for id in self.selected.chosen.clone() {
            let spent = writes(id) as f64 * WRITE_MS;
            let saved: f64 = self
                .base
                .clone()
                .into_iter()
                .filter(|(query, _)| self.work[*query].relevant.contains(&id))
                .filter_map(|(query, base)| {
                    let (with, without) = (self.under(query, None)?, self.under(query, Some(id))?);
                    Some(self.work[query].weight * (without.cost - with.cost) / base)
                })
                .sum();
            if spent > saved {
                self.selected.chosen.remove(&id);
                let why = format!(
                    "it saves {} and its upkeep by the workload's {} takes about {} (est.)",
                    words::time(saved),
                    words::plural(writes(id), "write"),
                    words::time(spent)
                );
                self.selected.why_not.insert(id, why);
            }
        }
    }

    fn settle(&mut self) {
        for (query, base) in self.base.clone() {
            if let Some(after) = self.under(query, None) {
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
