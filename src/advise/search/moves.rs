//! The moves of the search: each changes the set by an index or two, and is made when it pays.

use std::collections::BTreeMap;

use super::{Search, Set};
use crate::{
    advise::{candidates::Candidate, existing, words},
    catalog::{IndexKey, KeyExpr},
};

/// A change of the set, and what it gains as a share of the workload (negative: it costs).
#[derive(Clone, Debug)]
pub(super) struct Move {
    less: Set,
    pub(super) plus: Option<usize>,
    gain: f64,
}

impl Search<'_, '_, '_> {
    /// What a change gains: rent given back, less what its queries lose. Exact for queries whose plan takes
    /// one of `less`; others can only win by `plus`, which is left out. `None` when it cannot pay.
    fn gain(&mut self, less: &Set, plus: Option<usize>, at_least: f64) -> Option<f64> {
        let mut gain: f64 = less.iter().map(|&id| self.paid(id).1).sum();
        if let Some(id) = plus {
            gain -= self.paid(id).1;
        }
        let mut users = self.users(less);
        // Nothing does better than all candidates together: what cannot pay even so is not asked.
        let most: f64 = users
            .iter()
            .map(|&query| (self.burden_now(query) - self.burden(query, self.least[&query])).max(0.0))
            .sum();
        if gain + most <= at_least {
            return None;
        }
        // The dearest query first: it ends most hopeless questions at once.
        users.sort_by(|&left, &right| {
            self.work[right].share.total_cmp(&self.work[left].share).then(left.cmp(&right))
        });
        for query in users {
            if gain <= at_least || self.is_spent() {
                return None;
            }
            let after = self.under(query, less, plus)?.effort;
            gain -= self.burden(query, after) - self.burden_now(query);
        }
        (gain > at_least).then_some(gain)
    }

    /// Takes away the index that is missed least for its rent, again and again, while that pays.
    pub(super) fn leave_out(&mut self) {
        let mut gains: BTreeMap<usize, Option<f64>> = BTreeMap::new();
        loop {
            let unknown: Vec<usize> =
                self.selected.chosen.iter().copied().filter(|id| !gains.contains_key(id)).collect();
            for id in unknown {
                let gain = self.gain(&Set::from([id]), None, 0.0);
                gains.insert(id, gain);
            }
            let best = gains
                .iter()
                .filter_map(|(&id, gain)| gain.map(|gain| (gain, id)))
                .max_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(&left.1)));
            let Some((_, id)) = best else { return };
            let touched: Set = self
                .users(&Set::from([id]))
                .into_iter()
                .flat_map(|query| self.work[query].relevant.iter().copied().collect::<Vec<_>>())
                .collect();
            let bytes = self.paid(id).0;
            let why = self.rent.too_dear(self.costs.candidate(id), bytes);
            self.apply(&Set::from([id]), None, &why);
            gains.remove(&id);
            // Only what shares a query with it is judged anew.
            gains.retain(|other, _| !touched.contains(other));
        }
    }

    /// Of indexes of which one begins with the keys of the other, only the longer one stays: it can do all that
    /// the other does, and two would be one too many to keep up.
    pub(super) fn one_of_each_beginning(&mut self) {
        for id in self.selected.chosen.clone() {
            if self.selected.chosen.contains(&id)
                && let Some(longer) =
                    self.selected.chosen.iter().copied().find(|&other| other != id && self.begins(id, other))
            {
                let why = format!("{} begins with it", columns(self.costs.candidate(longer)));
                self.apply(&Set::from([id]), None, &why);
            }
        }
    }

    /// A chosen index begins with the keys of this one, or this one with those of a chosen one.
    fn begins_as_chosen(&self, id: usize) -> bool {
        self.selected.chosen.iter().any(|&other| self.begins(id, other) || self.begins(other, id))
    }

    /// Whether the keys of one are the first, or all, of the other's.
    fn begins(&self, short: usize, long: usize) -> bool {
        let (short, long) = (&self.costs.candidate(short).spec, &self.costs.candidate(long).spec);
        short.table == long.table
            && short.method == long.method
            && short.predicate == long.predicate
            && short.keys.len() <= long.keys.len()
            && existing::same_order(&short.keys, &long.keys[..short.keys.len()])
    }

    /// Makes indexes shorter, and one of two that begin alike, where that pays.
    pub(super) fn reshape(&mut self) {
        for _ in 0..3 {
            let mut changed = false;
            for id in self.selected.chosen.clone() {
                if !self.selected.chosen.contains(&id) {
                    continue;
                }
                let moves: Vec<Move> = {
                    let mut moves = self.shorter(id);
                    moves.extend(self.longer(id));
                    moves.extend(self.merged(id));
                    moves.extend(self.as_brin(id));
                    moves
                };
                let mut best: Option<Move> = None;
                for mut one in moves {
                    let at_least = best.as_ref().map_or(0.0, |best| best.gain);
                    if let Some(gain) = self.gain(&one.less, one.plus, at_least) {
                        one.gain = gain;
                        best = Some(one);
                    }
                }
                if let Some(best) = best {
                    let why = best.plus.map_or_else(String::new, |plus| {
                        format!("{} does nearly as well", columns(self.costs.candidate(plus)))
                    });
                    self.apply(&best.less, best.plus, &why);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// The index without its last key or without what it only carries. Sort columns stay: what they save grows with the rows of the
    /// heaviest key, and the planner sees an average one.
    fn shorter(&mut self, id: usize) -> Vec<Move> {
        let whole = self.costs.candidate(id).clone();
        let mut variants = Vec::new();
        if !whole.spec.include.is_empty() {
            let mut variant = whole.clone();
            variant.spec.include.clear();
            variants.push(variant);
        }
        if !whole.ordered {
            // Two values: alone they leave much of the table.
            let is_boolean = |key: &IndexKey| match &key.expr {
                KeyExpr::Column(name) => {
                    let column = self.costs.table(id).and_then(|table| table.column(name));
                    column.is_some_and(|column| column.type_name == "boolean")
                }
                KeyExpr::Expression(_) => false,
            };
            let least = 1 + whole.spec.keys.iter().take_while(|key| is_boolean(key)).count();
            for keys in least..whole.spec.keys.len() {
                let mut variant = whole.clone();
                variant.spec.include.clear();
                variant.spec.keys.truncate(keys);
                variant.free = variant.free.min(keys);
                variants.push(variant);
            }
        }
        self.instead(&Set::from([id]), variants, id)
    }

    /// A candidate that begins with the index and that a query of it asked for, in its place.
    pub(super) fn longer(&self, id: usize) -> Vec<Move> {
        let short = &self.costs.candidate(id).spec;
        let less = Set::from([id]);
        let users = self.concerned(id);
        (0..self.costs.len())
            .filter(|&other| {
                !self.selected.chosen.contains(&other)
                    && existing::is_prefix(short, &self.costs.candidate(other).spec)
                    && users.iter().any(|user| self.costs.candidate(other).asked_by.contains(user))
            })
            .map(|other| Move { less: less.clone(), plus: Some(other), gain: 0.0 })
            .collect()
    }

    /// The index with the keys or the carried columns of another that begins with the same key.
    fn merged(&mut self, id: usize) -> Vec<Move> {
        let one = self.costs.candidate(id).clone();
        let mut moves = Vec::new();
        for other in self.selected.chosen.clone() {
            let with = self.costs.candidate(other).clone();
            if other == id || !begin_alike(&one, &with) {
                continue;
            }
            let mut merged = one.clone();
            for key in &with.spec.keys {
                if let KeyExpr::Column(name) = &key.expr
                    && !merged.spec.include.contains(name)
                    && !merged.spec.keys.iter().any(|have| have.expr == key.expr)
                {
                    merged.spec.include.push(name.clone());
                }
            }
            for name in &with.spec.include {
                let is_key = merged
                    .spec
                    .keys
                    .iter()
                    .any(|key| matches!(&key.expr, KeyExpr::Column(have) if have == name));
                if !is_key && !merged.spec.include.contains(name) {
                    merged.spec.include.push(name.clone());
                }
            }
            merged.spec.include.sort();
            merged.asked_by.extend(&with.asked_by);
            let relevant_like = other;
            let mut made = self.instead(&Set::from([id, other]), vec![merged], id);
            for one in &made {
                if let Some(plus) = one.plus {
                    self.also_serves(plus, relevant_like);
                }
            }
            moves.append(&mut made);
        }
        moves
    }

    /// Takes a BRIN in place of a B-tree where that pays, before the B-tree is left out for its upkeep.
    pub(super) fn prefer_brin(&mut self) {
        for id in self.selected.chosen.clone() {
            for one in self.as_brin(id) {
                if let Some(plus) = one.plus
                    && self.selected.chosen.contains(&id)
                    && self.gain(&one.less, one.plus, 0.0).is_some()
                {
                    let why = format!("{} does nearly as well", columns(self.costs.candidate(plus)));
                    self.apply(&one.less, one.plus, &why);
                }
            }
        }
    }

    /// A BRIN on the column that a B-tree leads with, in its place.
    fn as_brin(&self, id: usize) -> Vec<Move> {
        let btree = &self.costs.candidate(id).spec;
        (0..self.costs.len())
            .filter(|&other| {
                let brin = &self.costs.candidate(other).spec;
                brin.method == "brin"
                    && btree.method == "btree"
                    && brin.table == btree.table
                    && brin.keys.first().map(|key| &key.expr) == btree.keys.first().map(|key| &key.expr)
                    && !self.selected.chosen.contains(&other)
            })
            .map(|other| Move { less: Set::from([id]), plus: Some(other), gain: 0.0 })
            .collect()
    }

    /// Variants as moves that take the place of `less`; what exists already is none.
    pub(super) fn instead(&mut self, less: &Set, variants: Vec<Candidate>, like: usize) -> Vec<Move> {
        let mut moves = Vec::new();
        for variant in variants {
            if self.costs.is_there_already(&variant) {
                continue;
            }
            let id = self.costs.add(variant);
            if less.contains(&id) || self.selected.chosen.contains(&id) {
                continue;
            }
            self.also_serves(id, like);
            moves.push(Move { less: less.clone(), plus: Some(id), gain: 0.0 });
        }
        moves
    }

    /// A variant may serve what the index that it was made of could.
    pub(super) fn also_serves(&mut self, id: usize, like: usize) {
        for work in &mut self.work {
            if work.relevant.contains(&like) {
                work.relevant.insert(id);
            }
        }
    }

    /// Takes in again what was left out too soon: a candidate that pays beside what is chosen now.
    pub(super) fn take_in(&mut self) {
        let known: Vec<usize> =
            (0..self.costs.len()).filter(|id| !self.selected.chosen.contains(id)).collect();
        let mut hopeful: Vec<(f64, usize)> = Vec::new();
        for id in known {
            let most: f64 = self
                .concerned(id)
                .into_iter()
                .map(|query| (self.burden_now(query) - self.burden(query, self.least[&query])).max(0.0))
                .sum();
            if self.costs.was_used(id) && !self.begins_as_chosen(id) && most > self.paid(id).1 {
                hopeful.push((most - self.paid(id).1, id));
            }
        }
        hopeful.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        for (_, id) in hopeful {
            if !self.has_room_for(id) {
                continue;
            }
            let mut gain = -self.paid(id).1;
            for query in self.concerned(id) {
                if self.is_spent() {
                    return;
                }
                if let Some(with) = self.under(query, &Set::new(), Some(id)) {
                    gain += self.burden_now(query) - self.burden(query, with.effort);
                }
            }
            if gain > 0.0 {
                self.apply(&Set::new(), Some(id), "");
            }
        }
    }
}

/// Two indexes of one table, kind and condition with the same first key.
fn begin_alike(one: &Candidate, other: &Candidate) -> bool {
    one.spec.table == other.spec.table
        && one.spec.method == "btree"
        && other.spec.method == "btree"
        && one.spec.predicate == other.spec.predicate
        && match (one.spec.keys.first(), other.spec.keys.first()) {
            (Some(left), Some(right)) => {
                existing::same_expr(&left.expr, &right.expr) && left.opclass == right.opclass
            }
            _ => false,
        }
}

/// `table (a, b DESC)`, for the reason why another is not advised.
pub(super) fn columns(candidate: &Candidate) -> String {
    words::index(&candidate.spec)
}
