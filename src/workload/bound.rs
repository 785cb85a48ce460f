//! What keeps a workload in bounded memory, whatever its log holds.

use super::{Samples, Workload};

/// Queries that are kept apart. More than that is a workload whose statements differ in more than their
/// constants; the cheapest are then folded together and counted.
pub(super) const MOST_QUERIES: usize = 20_000;
/// Bytes of samples that are kept of all queries together; beyond, the cheapest queries lose theirs.
const MOST_SAMPLE_BYTES: usize = 24 << 20;

impl Workload {
    /// How many queries are kept apart: fewer in a piece, of which several are in memory at once.
    pub(super) fn most_queries(&self) -> usize {
        if self.begins { MOST_QUERIES } else { MOST_QUERIES / 2 }
    }

    /// Folds the cheapest queries together when there are too many to keep, and forgets their samples when
    /// those are too large.
    pub(super) fn bound(&mut self) {
        let most = self.most_queries();
        let other = &mut self.totals.other;
        for (queries, counts) in [(&mut self.queries, true), (&mut self.explained, false)] {
            if queries.len() <= most {
                continue;
            }
            let mut cheapest: Vec<_> =
                queries.values().map(|query| (query.total_us, query.calls, query.id)).collect();
            let excess = cheapest.len() - most / 2;
            cheapest.select_nth_unstable(excess - 1);
            for (total_us, calls, id) in cheapest.into_iter().take(excess) {
                queries.remove(&id);
                if counts {
                    other.queries += 1;
                    other.calls += calls;
                    other.total_us += total_us;
                }
            }
        }
        for queries in [&mut self.queries, &mut self.explained] {
            let bytes: usize = queries.values().map(|query| query.samples.bytes()).sum();
            if bytes <= MOST_SAMPLE_BYTES {
                continue;
            }
            let mut cheapest: Vec<_> = queries.values_mut().collect();
            cheapest.sort_by_key(|query| (query.total_us, query.calls, query.id));
            let mut excess = bytes - MOST_SAMPLE_BYTES / 2;
            for query in cheapest {
                excess = excess.saturating_sub(query.samples.bytes());
                query.samples = Samples::default();
                if excess == 0 {
                    break;
                }
            }
        }
        if self.failed.len() > MOST_QUERIES {
            let why =
                format!("more than {MOST_QUERIES} distinct failed statements: only in the total of errors");
            self.not_judged.add_many("failed statements", why, self.failed.len() as u64);
            self.failed.clear();
        }
        if self.steps.len() > MOST_QUERIES {
            let why = format!("more than {MOST_QUERIES} distinct statements: only in the totals");
            self.not_judged.add_many("parse and bind steps", why, self.steps.len() as u64);
            self.steps.clear();
        }
    }
}
