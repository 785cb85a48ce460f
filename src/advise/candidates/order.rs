//! The order of equality columns among themselves, which is free for one query and not for a workload.

use super::Ask;
use crate::advise::parts::Part;

impl Ask<'_, '_> {
    /// One order of the equality columns per table; see the text of `candidates`.
    pub(super) fn sort(&self, equal: &mut [Part]) {
        equal.sort_by(|left, right| {
            let share = |part: &Part| self.shares.count(&self.access.table.name, &part.key.expr);
            let left_over = |part: &Part| part.selectivity.unwrap_or(1.0);
            share(right)
                .cmp(&share(left))
                .then(left_over(left).total_cmp(&left_over(right)))
                .then_with(|| left.key.cmp(&right.key))
        });
        let widened = self
            .access
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
