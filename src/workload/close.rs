//! The end of a log.

use super::{Dimension, Workload, bound::MOST_QUERIES};

impl Workload {
    /// The log begins and ends here: units of work that are still open are over, plans go to their
    /// queries, and a log that has executions only as plans counts those.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn close(&mut self) {
        self.units.close();
        if self.totals.other.queries > 0 {
            let why =
                format!("more than {MOST_QUERIES} distinct queries: the cheapest are only in the totals");
            self.not_judged.add_many("queries", why, self.totals.other.queries);
        }
        self.incidents.close();
        self.not_judged.add_many(
            "n-plus-one",
            "the log does not show the values of repeated statements (see log_parameter_max_length)",
            std::mem::take(&mut self.units.folded.without_values),
        );
        let outlines = &mut self.units.folded.outlines;
        for (count, why) in [
            (
                &mut outlines.too_long,
                "units of more than 48 distinct statements are not searched for sequences",
            ),
            (&mut outlines.forgotten, "too many kinds of units: the rarest are not searched for sequences"),
        ] {
            self.not_judged.add_many("units of work", why, std::mem::take(count));
        }
        let explained = std::mem::take(&mut self.explained);
        if self.totals.executions == 0 {
            for query in explained.values() {
                self.totals.executions += query.calls;
                self.totals.total_us += query.total_us;
                *self.totals.by_kind.of(query.kind) += query.calls;
                self.totals.first = self.totals.first.into_iter().chain(query.first).min();
                self.totals.last = self.totals.last.max(query.last);
            }
            let errors = std::mem::take(&mut self.statistics);
            self.statistics = std::mem::take(&mut self.explained_statistics);
            let _ = self.statistics.merge(errors);
            for (id, query) in explained {
                match self.queries.get_mut(&id) {
                    Some(known) => known.merge(*query),
                    None => _ = self.queries.insert(id, query),
                }
            }
        } else {
            for (id, mut query) in explained {
                if let Some(ours) = self.queries.get_mut(&id) {
                    query.plan.into_iter().for_each(|plan| ours.keep_plan(plan));
                } else {
                    // A statement inside of a function (`auto_explain.log_nested_statements`).
                    query.forget_executions();
                    self.queries.insert(id, query);
                }
            }
        }
        for (id, steps) in std::mem::take(&mut self.steps) {
            if let Some(query) = self.queries.get_mut(&id) {
                query.steps.merge(&steps);
            }
        }
        for (id, count) in std::mem::take(&mut self.failed) {
            if let Some(query) = self.queries.get_mut(&id) {
                query.errors += count;
            }
        }
        self.statistics.close(&self.queries, &mut self.not_judged);
        for query in self.queries.values_mut() {
            let senders = &self.statistics.senders;
            for (names, dimension) in [
                (&mut query.databases, Dimension::Database),
                (&mut query.users, Dimension::User),
                (&mut query.applications, Dimension::Application),
                (&mut query.hosts, Dimension::Host),
            ] {
                for name in senders.shares_by(dimension, &query.senders).keys() {
                    names.add(name.as_bytes());
                }
            }
        }
    }
}
