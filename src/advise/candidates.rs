//! Index candidates: few and well ordered, never every permutation.
//!
//! Equality columns first, then either the columns that a LIMIT sorts by or one range; the columns of a
//! join for both of its sides; one per arm of an OR. Equality columns stand in one order per table: those
//! of an existing index that could be widened, then those that most queries share, then the most
//! selective, so that one index can serve several queries.
//!
//! Sort columns keep the direction that the query has. For a single direction that is a matter of taste
//! (a B-tree is read backwards as well); mixed directions need it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rejected, access::Access, existing, parts::Part, words};
use crate::{
    catalog::{IndexKey, IndexSpec, KeyExpr, Table},
    names::RelName,
};

/// More columns make an index wide and its updates dear for little more selectivity.
const MAX_KEYS: usize = 4;

/// Below this a sequential scan is about as quick as an index.
pub(super) const MIN_ROWS: f64 = 1000.0;

/// An equality that leaves more than this part of the rows is not worth an index of its own: a bitmap
/// scan then reads nearly every page.
const UNSELECTIVE: f64 = 0.25;

#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) spec: IndexSpec,
    /// Leading keys that are compared for equality: their order among themselves is free.
    pub(super) free: usize,
    /// The directions of the keys after those are what an ORDER BY asks for.
    pub(super) ordered: bool,
    /// Positions of the queries that asked for it.
    pub(super) asked_by: BTreeSet<usize>,
    /// The best guess for one of them, where no planner can be asked.
    pub(super) preferred: bool,
    /// Part of the rows that the equality keys leave, where known.
    pub(super) selectivity: Option<f64>,
}

impl Candidate {
    /// An index on columns that are all compared for equality.
    pub(super) fn equality(table: &Table, columns: &[String], query: usize) -> Candidate {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        Candidate {
            spec: IndexSpec::btree(table.name.clone(), &columns),
            free: columns.len(),
            ordered: false,
            asked_by: BTreeSet::from([query]),
            preferred: true,
            selectivity: None,
        }
    }
}

/// How many queries compare a key for equality.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<(RelName, KeyExpr), BTreeSet<usize>>);

impl Shares {
    pub(super) fn of<'a>(accesses: impl Iterator<Item = (usize, &'a Access<'a>)>) -> Shares {
        let mut shares = Shares::default();
        for (query, access) in accesses {
            let equal = access.equal.iter().chain(access.joined.iter().map(|(part, _)| part));
            for part in equal {
                let key = (access.table.name.clone(), part.key.expr.clone());
                shares.0.entry(key).or_default().insert(query);
            }
        }
        shares
    }

    fn count(&self, table: &RelName, expr: &KeyExpr) -> usize {
        self.0.get(&(table.clone(), expr.clone())).map_or(0, BTreeSet::len)
    }
}

/// Collects the candidates of a workload, each once.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// By the index with its directions put aside.
    found: BTreeMap<IndexSpec, Candidate>,
    pub(super) rejected: Vec<Rejected>,
}

impl Candidates {
    pub(super) fn into_list(self) -> (Vec<Candidate>, Vec<Rejected>) {
        (self.found.into_values().collect(), self.rejected)
    }

    /// Takes in what one access of the query at this position asks for.
    pub(super) fn propose(&mut self, query: usize, access: &Access<'_>, shares: &Shares) {
        let table = access.table;
        let equal = dedup(&access.equal);
        let known: Vec<&KeyExpr> = equal.iter().map(|part| &part.key.expr).collect();
        if let Some(unique) = existing::unique_within(table, &known) {
            self.reject(spec_of(table, &equal, &[]), format!("{} finds the one row already", unique.name));
            return;
        }
        let mut ask = Ask { query, table, shares, equal: equal.clone(), preferred_left: true, out: self };

        if !access.order.is_empty() {
            let mut single: Vec<Part> = equal.iter().filter(|part| part.single).cloned().collect();
            let correlated = access.joined.iter().filter(|_| access.driven).map(|(part, _)| part.clone());
            single.extend(correlated);
            ask.add(&single, &access.order, true, true);
        }
        for range in access.ranges.iter().take(3) {
            ask.add(&equal, std::slice::from_ref(&range.key), false, true);
        }
        ask.add(&equal, &[], false, true);
        for condition in &access.partial {
            ask.add_partial(&equal, &access.order, condition);
        }

        let mut all_known = known.clone();
        all_known.extend(access.joined.iter().map(|(part, _)| &part.key.expr));
        if existing::unique_within(table, &all_known).is_none() {
            let mut by_source: BTreeMap<(usize, usize), Vec<Part>> = BTreeMap::new();
            for (part, from) in &access.joined {
                by_source.entry(*from).or_default().push(part.clone());
            }
            for joined in by_source.values().take(4) {
                let mut both = equal.clone();
                both.extend(joined.iter().cloned());
                ask.add(&both, &[], false, access.driven);
                for range in access.ranges.iter().take(1) {
                    ask.add(&both, std::slice::from_ref(&range.key), false, false);
                }
                ask.add(joined, &[], false, access.driven);
                for part in joined.iter().filter(|_| joined.len() > 1) {
                    ask.add(std::slice::from_ref(part), &[], false, false);
                }
            }
        }
        ask.preferred_left |= equal.is_empty();
        let arms = dedup(&access.arms);
        for arm in &arms {
            ask.preferred_left = equal.is_empty();
            ask.add(std::slice::from_ref(arm), &[], false, true);
        }
    }

    fn reject(&mut self, index: IndexSpec, why: String) {
        if !index.keys.is_empty() {
            self.rejected.push(Rejected { index, why });
        }
    }
}

/// One access being turned into candidates.
struct Ask<'t, 'o> {
    query: usize,
    table: &'t Table,
    shares: &'t Shares,
    equal: Vec<Part>,
    /// No candidate of this access is the preferred one yet.
    preferred_left: bool,
    out: &'o mut Candidates,
}

impl Ask<'_, '_> {
    fn add_partial(&mut self, equal: &[Part], order: &[IndexKey], condition: &str) {
        let single: Vec<Part> = equal.iter().filter(|part| part.single).cloned().collect();
        if !order.is_empty() {
            self.push(&single, order, true, false, Some(condition));
        }
        self.push(equal, &[], false, false, Some(condition));
    }

    fn add(&mut self, equal: &[Part], tail: &[IndexKey], ordered: bool, may_prefer: bool) {
        self.push(equal, tail, ordered, may_prefer, None);
    }

    fn push(
        &mut self,
        equal: &[Part],
        tail: &[IndexKey],
        ordered: bool,
        may_prefer: bool,
        condition: Option<&str>,
    ) {
        let mut equal = dedup(equal);
        self.sort(&mut equal);
        // A column that equality fixes needs no sorting.
        let mut tail: Vec<IndexKey> =
            tail.iter().filter(|key| equal.iter().all(|part| part.key.expr != key.expr)).cloned().collect();
        if ordered && tail.len() >= MAX_KEYS {
            return;
        }
        equal.truncate(MAX_KEYS - tail.len().min(MAX_KEYS));
        tail.truncate(MAX_KEYS);
        if equal.is_empty() && tail.is_empty() {
            return;
        }
        let mut spec = spec_of(self.table, &equal, &tail);
        spec.predicate = condition.map(str::to_owned);
        let selectivity = equal.iter().map(|part| part.selectivity).product::<Option<f64>>();
        let candidate = Candidate {
            free: equal.len(),
            ordered: ordered && !tail.is_empty(),
            asked_by: BTreeSet::from([self.query]),
            preferred: false,
            selectivity,
            spec,
        };

        if let Some(rows) = self.table.rows.filter(|rows| *rows < MIN_ROWS) {
            let why = format!("{} has only about {} rows", self.table.name.plain(), words::grouped(rows));
            self.out.reject(candidate.spec, why);
            return;
        }
        if let Some(index) = existing::covering(&candidate, self.table) {
            self.preferred_left = false;
            let why = format!("{} serves it already", index.name);
            self.out.reject(candidate.spec, why);
            return;
        }
        let joins = equal.iter().any(|part| !self.equal.contains(part));
        if let Some(left) = selectivity.filter(|left| *left > UNSELECTIVE)
            && tail.is_empty()
            && !joins
            && condition.is_none()
        {
            let why = format!("the condition leaves about {:.0} % of the rows", left * 100.0);
            self.out.reject(candidate.spec, why);
            return;
        }

        let preferred = may_prefer && self.preferred_left;
        if preferred {
            self.preferred_left = false;
        }
        let known = self.out.found.entry(undirected(&candidate)).or_insert_with(|| candidate.clone());
        known.asked_by.insert(self.query);
        known.preferred |= preferred;
        known.free = known.free.min(candidate.free);
        if candidate.ordered && !known.ordered {
            known.spec = candidate.spec;
            known.ordered = true;
        }
    }

    /// One order of the equality columns per table; see the module's text.
    fn sort(&self, equal: &mut [Part]) {
        equal.sort_by(|left, right| {
            let share = |part: &Part| self.shares.count(&self.table.name, &part.key.expr);
            let left_over = |part: &Part| part.selectivity.unwrap_or(1.0);
            share(right)
                .cmp(&share(left))
                .then(left_over(left).total_cmp(&left_over(right)))
                .then_with(|| left.key.cmp(&right.key))
        });
        let widened = self
            .table
            .indexes
            .iter()
            .filter(|index| {
                index.valid
                    && !index.unique
                    && index.spec.predicate.is_none()
                    && index.spec.method == "btree"
                    && index.spec.keys.iter().all(|key| equal.iter().any(|part| part.key == *key))
            })
            .max_by_key(|index| (index.spec.keys.len(), std::cmp::Reverse(&index.name)));
        if let Some(index) = widened {
            let place = |part: &Part| index.spec.keys.iter().position(|key| *key == part.key);
            equal.sort_by_key(|part| place(part).unwrap_or(usize::MAX));
        }
    }
}

fn spec_of(table: &Table, equal: &[Part], tail: &[IndexKey]) -> IndexSpec {
    let mut spec = IndexSpec::btree(table.name.clone(), &[]);
    spec.keys = equal.iter().map(|part| part.key.clone()).chain(tail.iter().cloned()).collect();
    spec
}

/// Each key once, the first of it.
fn dedup(parts: &[Part]) -> Vec<Part> {
    let mut once: Vec<Part> = Vec::new();
    for part in parts {
        if once.iter().all(|other| other.key.expr != part.key.expr) {
            once.push(part.clone());
        }
    }
    once
}

/// The index by which two candidates are one: after the equality keys, a scan backwards gives the
/// opposite order of all keys, so the first of those is taken to ascend.
fn undirected(candidate: &Candidate) -> IndexSpec {
    let mut spec = candidate.spec.clone();
    let (_, tail) = spec.keys.split_at_mut(candidate.free);
    if tail.first().is_some_and(|key| key.desc) {
        for key in tail {
            key.desc = !key.desc;
            key.nulls_first = !key.nulls_first;
        }
    }
    spec
}
