//! Existing indexes whose columns stand in an order that a chosen index shows to be the wrong one: one index that serves the
//! users of both, where there is one.

use std::collections::BTreeSet;

use super::{MAX_KEYS, Search, Set};
use crate::{
    advise::existing,
    catalog::{Index, KeyExpr, Table},
};

/// An index that a chosen one takes the place of, or cannot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::advise) struct Misordered {
    /// The position of the chosen index.
    pub(in crate::advise) chosen: usize,
    pub(in crate::advise) index: String,
    /// Positions of the queries whose plan takes it as things are.
    pub(in crate::advise) users: BTreeSet<usize>,
    /// Those of them that would miss it beside the chosen index.
    pub(in crate::advise) stay: BTreeSet<usize>,
    /// All of them leave it for the chosen one: it can go.
    pub(in crate::advise) goes: bool,
}

impl Search<'_, '_, '_> {
    /// Looks at each chosen index for existing ones that hold its first column, but not first. Where an index with the columns
    /// of both serves all their users, that takes the place of the chosen one.
    pub(super) fn reorder(&mut self) {
        for id in self.selected.chosen.clone() {
            let table = self.costs.table(id).cloned();
            let Some(table) = table else { continue };
            let others: Vec<Index> =
                table.indexes.iter().filter(|index| self.is_misordered(id, index)).cloned().collect();
            let mut chosen = id;
            for index in others {
                chosen = self.in_its_place(chosen, &index, &table);
            }
        }
    }

    /// The index holds the first column of the chosen one, and not as its first. One that makes rows unique, or some rows' only, has another
    /// reason to be as it is.
    fn is_misordered(&self, id: usize, index: &Index) -> bool {
        let spec = &self.costs.candidate(id).spec;
        let Some(first) = spec.keys.first() else { return false };
        let plain = |spec: &crate::catalog::IndexSpec| {
            spec.method == "btree"
                && spec.predicate.is_none()
                && spec.keys.iter().all(|key| matches!(key.expr, KeyExpr::Column(_)) && key.opclass.is_none())
        };
        index.valid
            && !index.unique
            && !index.constraint
            && !index.primary
            && plain(spec)
            && plain(&index.spec)
            && index.spec.keys.iter().skip(1).any(|key| existing::same_expr(&key.expr, &first.expr))
            && !index.spec.keys.first().is_some_and(|key| existing::same_expr(&key.expr, &first.expr))
    }

    /// Tries the chosen index with the columns of the existing one behind its own; gives the position of what is chosen then.
    fn in_its_place(&mut self, id: usize, index: &Index, table: &Table) -> usize {
        /// What the users of either may lose.
        const ABOUT: f64 = 1.1;
        let users = self.costs.users_of(&index.name);
        let mut whole = self.costs.candidate(id).clone();
        for key in &index.spec.keys {
            if !whole.spec.keys.iter().any(|have| existing::same_expr(&have.expr, &key.expr)) {
                whole.spec.keys.push(key.clone());
            }
        }
        let holds_key =
            |name: &String| whole.spec.keys.iter().any(|key| key.expr == KeyExpr::Column(name.clone()));
        let carried: Vec<String> = whole
            .spec
            .include
            .iter()
            .chain(&index.spec.include)
            .filter(|name| !holds_key(name))
            .cloned()
            .collect();
        whole.spec.include = carried;
        whole.spec.include.sort();
        whole.spec.include.dedup();
        let serves_keys = table.foreign_keys.iter().all(|key| {
            let leads = |keys: &[crate::catalog::IndexKey]| {
                key.columns.iter().all(|column| {
                    keys.iter().take(key.columns.len()).any(|key| key.expr == KeyExpr::Column(column.clone()))
                })
            };
            !leads(&index.spec.keys)
                || leads(&whole.spec.keys)
                || table
                    .indexes
                    .iter()
                    .any(|other| other.name != index.name && other.valid && leads(&other.spec.keys))
        });
        // Of an index that is the beginning of this one a finding says that it can go: this one stays then.
        let covers = table.indexes.iter().any(|other| {
            other.name != index.name
                && !other.constraint
                && !other.primary
                && other.spec.keys.len() <= index.spec.keys.len()
                && existing::same_order(&other.spec.keys, &index.spec.keys[..other.spec.keys.len()])
        });
        let same = whole.spec == self.costs.candidate(id).spec;
        if users.is_empty() || !serves_keys || covers || whole.spec.keys.len() > MAX_KEYS {
            self.note_misordered(id, index, users);
            return id;
        }
        let plus = if same { id } else { self.costs.add(whole) };
        self.also_serves(plus, id);
        for &user in &users {
            self.work[user].relevant.insert(plus);
        }
        let less = if same { Set::new() } else { Set::from([id]) };
        let fits_size = same || self.paid(plus).0 <= self.paid(id).0 + index.bytes.unwrap_or(u64::MAX);
        // Those that take the old one now leave it, and lose nothing.
        let leave = users.iter().all(|&user| {
            let Some(probe) = self.work[user].probe else { return false };
            let base = self.costs.ask(user, probe, &Set::new());
            let after = self.under(user, &less, Some(plus));
            base.ok().zip(after).is_some_and(|(base, after)| {
                !after.existing.contains(&index.name) && after.cost <= base.cost * ABOUT
            })
        });
        // Nor do those for which the new one was chosen.
        let keep = same
            || self.users(&Set::from([id])).into_iter().all(|user| {
                let now = self.now[&user].effort;
                self.under(user, &less, Some(plus)).is_some_and(|after| after.effort <= now * ABOUT)
            });
        if leave && keep && fits_size {
            if !same {
                self.apply(
                    &less,
                    Some(plus),
                    "one index with the columns of an existing one serves the users of both",
                );
            }
            self.selected.misordered.push(super::Misordered {
                chosen: plus,
                index: index.name.clone(),
                users,
                stay: BTreeSet::new(),
                goes: true,
            });
            return plus;
        }
        self.note_misordered(id, index, users);
        id
    }

    /// A query takes an existing index also beside what is chosen now.
    fn misses(&mut self, query: usize, index: &str) -> bool {
        self.under(query, &Set::new(), None).is_none_or(|known| known.existing.contains(index))
    }

    fn note_misordered(&mut self, id: usize, index: &Index, users: BTreeSet<usize>) {
        // An index with other columns before and behind has another purpose.
        let spec = &self.costs.candidate(id).spec;
        let alike = index
            .spec
            .keys
            .iter()
            .all(|key| spec.keys.iter().any(|own| existing::same_expr(&own.expr, &key.expr)));
        if alike {
            let stay = users.iter().copied().filter(|&user| self.misses(user, &index.name)).collect();
            self.selected.misordered.push(super::Misordered {
                chosen: id,
                index: index.name.clone(),
                stay,
                users,
                goes: false,
            });
        }
    }
}
