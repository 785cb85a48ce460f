//! Indexes that carry all that a query reads of a table.

use std::collections::BTreeSet;

use super::{Ask, Candidate, MAX_KEYS};
use crate::{
    advise::existing,
    catalog::{IndexKey, KeyExpr},
};

/// Bytes of an index entry beside its columns: the line pointer and the tuple's header.
const ENTRY_OVERHEAD: f64 = 12.0;

impl Ask<'_, '_> {
    /// The same index carrying all that the query reads of the table, where an index-only scan is within
    /// reach: few columns are left, much narrower than the row, and most pages are all-visible
    /// (<https://www.postgresql.org/docs/current/indexes-index-only-scans.html>).
    pub(super) fn covering(&self, candidate: &Candidate) -> Option<Candidate> {
        /// More carried columns make most updates of the table write to the index.
        const MOST: usize = 4;
        /// Below this, many rows must be looked up in the heap all the same.
        const VISIBLE: f64 = 0.7;
        /// The entry as part of the row: a wider one reads hardly fewer pages than the table.
        const NARROW: f64 = 0.6;
        let table = self.access.table;
        if table.all_visible.is_none_or(|part| part < VISIBLE) {
            return None;
        }
        let mut keys = BTreeSet::new();
        for key in &candidate.spec.keys {
            match &key.expr {
                KeyExpr::Column(name) => keys.insert(name.clone()),
                KeyExpr::Expression(_) => return None,
            };
        }
        let rest: Vec<String> = self.access.reads.as_ref()?.difference(&keys).cloned().collect();
        if rest.is_empty() || rest.len() > MOST {
            return None;
        }
        let width = |name: &String| {
            let statistics = table.column(name)?.statistics.as_ref()?;
            Some(f64::from(statistics.average_width))
        };
        let entry: f64 = keys.iter().chain(&rest).map(width).sum::<Option<f64>>()?;
        let row = table.bytes? as f64 / table.rows?.max(1.0);
        if entry + ENTRY_OVERHEAD > row * NARROW {
            return None;
        }
        let mut covering = candidate.clone();
        // As further keys where the keys alone would be those that an index begins with already.
        let begun = table.indexes.iter().any(|index| existing::is_prefix(&candidate.spec, &index.spec));
        if begun && candidate.spec.keys.len() + rest.len() <= MAX_KEYS {
            covering.spec.keys.extend(rest.iter().map(|name| IndexKey::column(name)));
        } else {
            covering.spec.include = rest;
        }
        Some(covering)
    }
}
