//! Index candidates: few and well ordered, never every permutation.
//!
//! Equality columns first, then either the columns that a LIMIT sorts by or one range; the columns of a
//! join for both of its sides; one per arm of an OR. Equality columns stand in one order per table: those
//! of an existing index that could be widened, then those that most queries share, then the most
//! selective, so that one index can serve several queries.
//!
//! Sort columns keep the direction that the query has. For a single direction that is a matter of taste
//! (a B-tree is read backwards as well); mixed directions need it.

mod covering;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Rejected,
    access::{Access, Kept},
    append_only, existing,
    inverted::Inverted,
    parts::Part,
    words,
};
use crate::{
    catalog::{IndexKey, IndexSpec, KeyExpr, Table},
    names::RelName,
};

/// More columns make an index wide and its updates dear for little more selectivity.
pub(super) const MAX_KEYS: usize = 5;

/// Below this a sequential scan is about as quick as an index.
pub(super) const MIN_ROWS: f64 = 1000.0;

/// An equality that leaves more than this part of the rows is not worth an index of its own: a bitmap
/// scan then reads nearly every page.
const UNSELECTIVE: f64 = 0.25;

/// The same of an index that holds all that the query reads: it is read in order.
const UNSELECTIVE_COVERED: f64 = 0.5;

/// Rows of which the fetching is worth a wider index.
const WORTH_COVERING: f64 = 1000.0;

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
    /// Part of the table's rows that the index holds; 1 without a condition.
    pub(super) kept: f64,
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
            kept: 1.0,
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
        let mut ask = Ask { query, access, shares, equal: equal.clone(), preferred_left: true, out: self };

        for inverted in &access.inverted {
            ask.add_inverted(inverted);
        }
        if !access.distinct.is_empty() {
            let single: Vec<Part> = equal.iter().filter(|part| part.single).cloned().collect();
            ask.add(&single, &access.distinct, true, false);
        }
        // An order alone is a bet on rows that match being spread evenly, where another index could find them.
        let bet = equal.is_empty() && !access.driven && !access.inverted.is_empty()
            || access.order.first().is_some_and(|first| {
                // A prefix of the sort column lies in one place of that order, which LIKE cannot find there.
                access.ranges.iter().any(|range| range.key.opclass.is_some() && range.key.expr == first.expr)
            });
        if !access.order.is_empty() && !bet {
            let mut single: Vec<Part> = equal.iter().filter(|part| part.single).cloned().collect();
            let correlated = access.joined.iter().filter(|_| access.driven).map(|(part, _)| part.clone());
            single.extend(correlated);
            ask.add(&single, &access.order, true, true);
        }
        for range in access.ranges.iter().take(3) {
            ask.add(&equal, std::slice::from_ref(&range.key), false, true);
        }
        for range in access.ranges.iter().take(3) {
            ask.add_brin(&range.key);
        }
        ask.add(&equal, &[], false, true);
        for kept in &access.partial {
            ask.add_partial(kept);
        }

        let mut by_source: BTreeMap<(usize, usize), Vec<Part>> = BTreeMap::new();
        for (part, from) in &access.joined {
            by_source.entry(*from).or_default().push(part.clone());
        }
        for joined in by_source.values().take(4) {
            let mut both = equal.clone();
            both.extend(joined.iter().cloned());
            let all_known: Vec<&KeyExpr> = both.iter().map(|part| &part.key.expr).collect();
            if existing::unique_within(table, &all_known).is_some() {
                continue;
            }
            ask.add(&both, &[], false, access.driven);
            for range in access.ranges.iter().take(1) {
                ask.add(&both, std::slice::from_ref(&range.key), false, false);
            }
            ask.add(joined, &[], false, access.driven);
            for part in joined.iter().filter(|_| joined.len() > 1) {
                ask.add(std::slice::from_ref(part), &[], false, false);
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
    access: &'t Access<'t>,
    shares: &'t Shares,
    equal: Vec<Part>,
    /// No candidate of this access is the preferred one yet.
    preferred_left: bool,
    out: &'o mut Candidates,
}

impl Ask<'_, '_> {
    /// An index of another kind: nothing but that serves the condition. Where an equality leaves few rows
    /// already, testing those is quicker.
    fn add_inverted(&mut self, inverted: &Inverted) {
        /// Rows that are read and tested in a few milliseconds.
        const FEW: f64 = 1000.0;
        let table = self.access.table;
        let left = self.equal.iter().filter_map(|part| part.selectivity).product::<f64>();
        let rows = table.rows.unwrap_or(f64::MAX);
        let mut spec = IndexSpec::btree(table.name.clone(), &[]);
        inverted.method.clone_into(&mut spec.method);
        spec.keys = vec![inverted.key.clone()];
        if rows < MIN_ROWS || (!self.equal.is_empty() && left * rows <= FEW) {
            let why = format!("about {} rows are left to test without it", words::grouped(left * rows));
            self.out.reject(spec, why);
            return;
        }
        let candidate = Candidate {
            spec,
            free: 1,
            ordered: false,
            asked_by: BTreeSet::from([self.query]),
            preferred: false,
            selectivity: None,
            kept: 1.0,
        };
        self.offer(candidate, true);
        self.preferred_left = true;
    }

    /// An index of ranges of pages, beside the B-tree on the same column.
    fn add_brin(&mut self, key: &IndexKey) {
        if let Some(spec) = append_only::brin(self.access.table, key) {
            let candidate = Candidate {
                spec,
                free: 0,
                ordered: false,
                asked_by: BTreeSet::from([self.query]),
                preferred: false,
                selectivity: None,
                kept: 1.0,
            };
            self.offer(candidate, false);
        }
    }

    /// Indexes of the rows that a condition keeps, with the other columns of the access as keys.
    fn add_partial(&mut self, kept: &Kept) {
        let access = self.access;
        let equal: Vec<Part> =
            self.equal.iter().filter(|part| part.key.expr != kept.column()).cloned().collect();
        let single: Vec<Part> = equal.iter().filter(|part| part.single).cloned().collect();
        if !access.order.is_empty() {
            self.push(&single, &access.order, true, false, Some(kept));
        }
        for range in access.ranges.iter().filter(|range| range.key.expr != kept.column()).take(1) {
            self.push(&equal, std::slice::from_ref(&range.key), false, false, Some(kept));
        }
        if equal.is_empty() && access.order.is_empty() {
            self.push(&[], &[IndexKey::column(&kept.name)], false, false, Some(kept));
        }
        self.push(&equal, &[], false, false, Some(kept));
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
        kept: Option<&Kept>,
    ) {
        let table = self.access.table;
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
        let mut spec = spec_of(table, &equal, &tail);
        spec.predicate = kept.map(|kept| kept.condition.clone());
        let candidate = Candidate {
            free: equal.len(),
            ordered: ordered && !tail.is_empty(),
            asked_by: BTreeSet::from([self.query]),
            preferred: false,
            selectivity: equal.iter().map(|part| part.selectivity).product::<Option<f64>>(),
            kept: kept.map_or(1.0, |kept| kept.fraction),
            spec,
        };
        if let Some(rows) = table.rows.filter(|rows| *rows < MIN_ROWS) {
            let why = format!("{} has only about {} rows", table.name.plain(), words::grouped(rows));
            self.out.reject(candidate.spec, why);
            return;
        }
        let joins = equal.iter().any(|part| !self.equal.contains(part));
        let unselective = candidate.selectivity.filter(|left| *left > UNSELECTIVE);
        let lookup = tail.is_empty() && !joins && kept.is_none();
        let hopeless = lookup && candidate.selectivity.is_some_and(|left| left > UNSELECTIVE_COVERED);
        // A LIMIT reads few rows, and so does a narrow condition: fetching those costs next to nothing.
        let narrowed = |key: &IndexKey| {
            let range = self.access.ranges.iter().find(|range| range.key.expr == key.expr);
            range.and_then(|range| range.selectivity).unwrap_or(1.0)
        };
        let left = candidate.selectivity.unwrap_or(0.0) * tail.iter().map(narrowed).product::<f64>();
        let reads_few = ordered && !self.access.order.is_empty()
            || !joins && left * table.rows.unwrap_or_default() < WORTH_COVERING;
        let covering = self.covering(&candidate).filter(|_| !hopeless && !reads_few);
        if let Some(covering) = covering {
            self.offer(covering, false);
        }
        if let Some(left) = unselective
            && lookup
        {
            let why = format!("the condition leaves about {:.0} % of the rows", left * 100.0);
            self.out.reject(candidate.spec, why);
            return;
        }
        self.offer(candidate, may_prefer);
    }

    /// Takes a candidate in, unless an index does its work already.
    fn offer(&mut self, candidate: Candidate, may_prefer: bool) {
        if let Some(index) = existing::covering(&candidate, self.access.table) {
            if candidate.spec.include.is_empty() {
                self.preferred_left = false;
            }
            let why = format!("{} serves it already", index.name);
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
