//! Room, number and time: what the set must keep to, and what each further index would buy.

use serde::{Deserialize, Serialize};

use super::{Search, Set};

/// What a person allows the advised indexes.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Bytes of all of them together.
    pub max_bytes: Option<u64>,
    pub max_indexes: Option<usize>,
    pub max_per_table: Option<usize>,
    /// Whether the search has to end with the best set that it has.
    pub is_out_of_time: &'a dyn Fn() -> bool,
}

impl Budget<'_> {
    /// No limits.
    pub const NONE: Budget<'static> =
        Budget { max_bytes: None, max_indexes: None, max_per_table: None, is_out_of_time: &|| false };
}

/// One step of the frontier: with so many indexes of so many bytes, this part of the workload's cost is left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub indexes: usize,
    pub bytes: u64,
    /// 0 to 1: estimated cost left, each query by its part of the workload.
    pub left: f64,
}

/// Questions to the planner for each query of the workload that may have been asked by the end of a step, counted from
/// the beginning. The bounds take three; on TPC-H the whole search asks 15.
#[derive(Clone, Copy)]
pub(super) struct Upto(usize);

impl Upto {
    pub(super) const LEFT_OUT: Upto = Upto(8);
    pub(super) const RESHAPED: Upto = Upto(11);
    pub(super) const TAKEN_IN: Upto = Upto(12);
    pub(super) const KEPT_TO_BUDGET: Upto = Upto(15);
    pub(super) const TRACED: Upto = Upto(17);
}

/// Rent rises by this factor from one step to the next, so that what is worth least for its room goes first.
const STEP: f64 = 1.5;

/// Nothing is worth a rent raised as often.
const STEPS: usize = 30;

impl Search<'_, '_, '_> {
    /// Lets the search ask until the end of a step: none may use up what later ones need.
    pub(super) fn allow(&mut self, upto: Upto) {
        self.allowed = upto.0 * self.work.len();
    }

    /// The step has to end with what it knows.
    pub(super) fn is_spent(&self) -> bool {
        self.costs.asked() >= self.allowed || (self.budget.is_out_of_time)()
    }

    /// Makes the set smaller until it keeps to its limits, then fills the room that is left.
    pub(super) fn keep_to_budget(&mut self) {
        let Some(most) = self.budget.max_bytes else {
            self.keep_to_number();
            return;
        };
        let over = self.bytes() > most;
        for _ in 0..STEPS {
            if self.bytes() <= most {
                break;
            }
            self.scale *= STEP;
            self.leave_out();
            self.reshape();
            self.leave_out();
        }
        // Out of time or questions: what is missed least for its size goes.
        while self.bytes() > most && self.take_away(true) {}
        self.scale = 1.0;
        self.keep_to_number();
        if over {
            self.take_in();
            for id in 0..self.costs.len() {
                if !self.selected.chosen.contains(&id) && self.bytes() + self.paid(id).0 > most {
                    self.selected.why_not.insert(id, "the budget has no room for it".to_owned());
                }
            }
        }
    }

    fn keep_to_number(&mut self) {
        while self.over_number().is_some() && self.take_away(false) {}
    }

    /// Whether another index would keep to the limits.
    pub(super) fn has_room_for(&mut self, id: usize) -> bool {
        let bytes = self.bytes() + self.paid(id).0;
        if self.budget.max_bytes.is_some_and(|most| bytes > most) {
            return false;
        }
        self.selected.chosen.insert(id);
        let fits = self.over_number().is_none();
        self.selected.chosen.remove(&id);
        fits
    }

    fn bytes(&mut self) -> u64 {
        self.selected.chosen.clone().into_iter().map(|id| self.paid(id).0).sum()
    }

    /// The indexes of which one must go; `None` when there are not too many.
    fn over_number(&self) -> Option<Set> {
        let chosen = &self.selected.chosen;
        if let Some(most) = self.budget.max_per_table {
            for &id in chosen {
                let table = &self.costs.candidate(id).spec.table;
                let of_table: Set = chosen
                    .iter()
                    .copied()
                    .filter(|&other| self.costs.candidate(other).spec.table == *table)
                    .collect();
                if of_table.len() > most {
                    return Some(of_table);
                }
            }
        }
        self.budget.max_indexes.is_some_and(|most| chosen.len() > most).then(|| chosen.clone())
    }

    /// Takes away the index that is missed least, by its size or as it is; false when there is none.
    fn take_away(&mut self, by_size: bool) -> bool {
        let among = self.over_number().unwrap_or_else(|| self.selected.chosen.clone());
        let least = among
            .into_iter()
            .filter_map(|id| {
                let loss = self.loss(id)?;
                let size = if by_size { self.paid(id).0.max(8192) as f64 } else { 1.0 };
                Some((loss / size, id))
            })
            .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        let Some((_, id)) = least else { return false };
        self.apply(&Set::from([id]), None, "the budget has no room for it");
        true
    }

    /// The share of the workload that leaving the index out costs.
    fn loss(&mut self, id: usize) -> Option<f64> {
        let mut loss = 0.0;
        for query in self.users(&Set::from([id])) {
            let after = self.under(query, &Set::from([id]), None)?.effort;
            loss += self.burden(query, after) - self.burden_now(query);
        }
        Some(loss)
    }

    fn point(&mut self) -> Point {
        let left = |query: usize, share: f64| match (self.base.get(&query), self.now.get(&query)) {
            (Some(base), Some(now)) => share * now.effort / base,
            _ => share,
        };
        let left = self.work.iter().enumerate().map(|(query, work)| left(query, work.share)).sum();
        Point { indexes: self.selected.chosen.len(), bytes: self.bytes(), left }
    }

    /// Raises the rent until nothing is worth it, noting each set on the way; then puts the chosen one back.
    pub(super) fn trace_frontier(&mut self) {
        let (chosen, now) = (self.selected.chosen.clone(), self.now.clone());
        let why_not = self.selected.why_not.clone();
        let mut points = vec![self.point()];
        for _ in 0..STEPS {
            if self.selected.chosen.is_empty() || self.is_spent() {
                break;
            }
            self.scale *= STEP;
            self.leave_out();
            let point = self.point();
            if points.last().is_none_or(|last| last.bytes != point.bytes) {
                points.push(point);
            }
        }
        points.reverse();
        self.selected.frontier = points;
        self.selected.chosen = chosen;
        self.selected.why_not = why_not;
        self.now = now;
        self.scale = 1.0;
    }
}
