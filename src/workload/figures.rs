//! What a workload is asked for.

use std::collections::BTreeMap;

use super::{
    Breakdown, CacheCandidate, Chatter, Dimension, Grounds, Load, Moment, Outline, Peak, PoolWaits, Pooler,
    Query, Repetition, Series, Tally, Totals, Workload, cache,
    chatter::{self, Idle},
    incidents::Incidents,
    series::Sum as _,
};
use crate::{
    error::NotJudged,
    sql::{Fingerprint, StatementKind},
};

/// How many sessions ran a statement at the same time, over the seconds in which any did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    /// Busy time divided by the wall time from the first start to the last end.
    pub average: f64,
    /// Of the per-second peaks.
    pub p95: u64,
    pub peak: u64,
}

impl Workload {
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What the log tells besides statements.
    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// What the log of a connection pooler told.
    pub fn pooler(&self) -> &Pooler {
        &self.pooler
    }

    /// Waits for a connection of the application's own pool.
    pub fn pool_waits(&self) -> &PoolWaits {
        &self.pool_waits
    }

    pub fn query(&self, id: Fingerprint) -> Option<&Query> {
        self.queries.get(&id).map(AsRef::as_ref)
    }

    /// Every query, the most expensive first (total time, then calls, then id).
    pub fn ranked(&self) -> Vec<&Query> {
        let mut ranked: Vec<&Query> = self.queries.values().map(AsRef::as_ref).collect();
        ranked.sort_by_key(|query| (std::cmp::Reverse((query.total_us, query.calls)), query.id));
        ranked
    }

    /// Queries that one unit of work ran again and again, the most expensive first.
    pub fn repetitions(&self) -> Vec<Repetition> {
        self.units.folded.all()
    }

    /// What units of work do, the commonest first.
    pub fn outlines(&self) -> Vec<&Outline> {
        self.units.folded.outlines.all()
    }

    /// What the log offers to tell units of work apart.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Sessions busy at once; `None` when the log cannot tell.
    pub fn concurrency(&self) -> Option<Concurrency> {
        self.timeline.concurrency()
    }

    /// All executions together.
    pub fn overall(&self) -> Tally {
        self.statistics.senders.overall()
    }

    /// Executions by each database, user, application or host that the log names.
    pub fn by(&self, dimension: Dimension) -> BTreeMap<String, Breakdown> {
        self.statistics.senders.by(dimension, self.queries.values().map(|query| &query.senders))
    }

    /// One query's executions by each name.
    pub fn query_by(&self, query: &Query, dimension: Dimension) -> BTreeMap<String, Load> {
        self.statistics.senders.shares_by(dimension, &query.senders)
    }

    /// Executions that read and that write. WITH counts as what it does, where a sample of it parses.
    pub fn reads_and_writes(&self) -> (u64, u64) {
        let by = &self.totals.by_kind;
        let ran = self.queries.values().filter(|query| query.calls > 0);
        let writes_in_with = ran.filter(|query| query.kind == StatementKind::With && cache::writes(query));
        let with: u64 = writes_in_with.map(|query| query.calls).sum();
        (by.select + by.with - with.min(by.with), by.insert + by.update + by.delete + with)
    }

    /// All executions over time.
    pub fn moments(&self) -> &Series<Moment> {
        &self.statistics.moments
    }

    /// The busiest second and the busiest minute.
    pub fn peaks(&self) -> Option<(Peak, Peak)> {
        self.statistics.rates.peaks()
    }

    /// Answers that were asked for again and again, the most time first.
    pub fn cache_candidates(&self) -> Vec<CacheCandidate> {
        self.statistics.caches.all()
    }

    /// Round trips that carried no work, by application.
    #[expect(clippy::iter_over_hash_type, reason = "counts add up in any order")]
    pub fn chatter(&self) -> Vec<Chatter> {
        let senders = &self.statistics.senders;
        let mut found: BTreeMap<Option<String>, Chatter> = BTreeMap::new();
        for query in self.queries.values() {
            let idle = chatter::idle(query);
            for (sender, load) in query.senders.iter() {
                let name = senders.name(sender, Dimension::Application);
                let one = found.entry(name).or_default();
                one.executions += load.calls;
                match idle {
                    Some(Idle::Ping) => one.pings.add(&load),
                    Some(Idle::Setting) => one.settings.add(&load),
                    None => {}
                }
            }
        }
        for (&sender, load) in self.statistics.transactions.single_reads() {
            let name = senders.name(sender, Dimension::Application);
            found.entry(name).or_default().single_reads.add(load);
        }
        found.into_iter().map(|(application, one)| Chatter { application, ..one }).collect()
    }

    pub fn not_judged(&self) -> &NotJudged {
        &self.not_judged
    }
}
