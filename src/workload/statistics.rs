//! Everything that is counted of executions beside their query: who sent them, when, and what of it
//! could have been left out.

use serde::{Deserialize, Serialize};

use super::{
    cache::Caches,
    chatter::Transactions,
    event::Event,
    identity::Identity,
    query::Queries,
    rates::Rates,
    senders::Senders,
    series::{Series, Sum},
    tally::Tally,
};
use crate::{
    error::NotJudged,
    sql::{Scanned, StatementKind},
};

const SECOND: i64 = 1_000_000;
/// A statement that runs for longer counts as busy for so long, in microseconds.
const LONGEST: i64 = 7 * 86_400 * SECOND;

/// A stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Executions that ended in it.
    pub tally: Tally,
    /// Microseconds of it in which statements ran, also those that ended later; each session counts.
    pub busy_us: u64,
}

impl Sum for Moment {
    fn add(&mut self, other: &Moment) {
        self.tally.add(&other.tally);
        self.busy_us += other.busy_us;
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Statistics {
    pub(super) senders: Senders,
    pub(super) moments: Series<Moment>,
    pub(super) rates: Rates,
    pub(super) caches: Caches,
    pub(super) transactions: Transactions,
}

impl Statistics {
    /// Counts one execution, whose duration the sketches know by the number of its bucket. Hot.
    pub(super) fn execution(
        &mut self,
        event: &Event<'_>,
        scanned: &Scanned,
        values: Option<u64>,
        bucket: usize,
        identity: &Identity,
    ) {
        let duration = event.duration.unwrap_or(0);
        self.senders.count(event, bucket, identity.sender);
        if let Some(end) = event.end {
            let second = end.div_euclid(SECOND);
            self.moments.at(second).tally.count(event, bucket);
            if !event.coarse {
                self.busy(end, duration);
            }
            self.rates.count(second);
            let values = || values.map(|values| values ^ identity.database);
            self.caches.count(scanned.fingerprint, scanned.kind, values(), second, duration);
        }
        if event.session.is_some() {
            // Several statements in one text are no boundary that a pool or a driver made.
            let kind = if scanned.statements > 1 { StatementKind::Utility } else { scanned.kind };
            self.transactions.step(identity.transactions, kind, duration, identity.sender);
        }
    }

    pub(super) fn session_starts_or_ends(&mut self, identity: &Identity) {
        self.transactions.reset(identity.transactions);
    }

    /// Fills the stretches of time through which a statement ran.
    fn busy(&mut self, end: i64, duration: u64) {
        let start = end.saturating_sub(i64::try_from(duration).unwrap_or(LONGEST).min(LONGEST));
        // Nearly always it ran within the second of its end, and so within one stretch.
        if start == end {
            return;
        }
        if start >= (end - 1).div_euclid(SECOND) * SECOND {
            self.moments.at((end - 1).div_euclid(SECOND)).busy_us += end.abs_diff(start);
            return;
        }
        let mut to = end;
        while to > start {
            let width = self.moments.width().saturating_mul(SECOND);
            let from = ((to - 1).div_euclid(width) * width).max(start);
            self.moments.at(from.div_euclid(SECOND)).busy_us += to.abs_diff(from);
            to = from;
        }
    }

    pub(super) fn error(&mut self, event: &Event<'_>) {
        self.senders.error(event);
        if let Some(session) = event.session {
            // A statement that failed was in its transaction, too.
            self.transactions.failed(Transactions::of(session, event.database.map_or(0, super::hash)));
        }
        if let Some(end) = event.end {
            self.moments.at(end.div_euclid(SECOND)).tally.errors += 1;
        }
    }

    /// Adds what came after; which index its senders have here.
    pub(super) fn merge(&mut self, later: Statistics) -> Vec<u32> {
        let senders = self.senders.merge(later.senders);
        self.moments.merge(&later.moments);
        self.rates.merge(later.rates);
        self.caches.merge(later.caches);
        self.transactions.merge(later.transactions, &senders);
        senders
    }

    /// Folds what the log has left behind. Only where the log begins.
    pub(super) fn settle(&mut self, queries: &mut Queries, not_judged: &mut NotJudged) {
        self.rates.settle();
        self.transactions.settle();
        self.caches.settle(queries, false);
        if let Some((now, folded)) = self.senders.bound() {
            #[expect(clippy::iter_over_hash_type, reason = "each query for itself")]
            for query in queries.values_mut() {
                query.senders.renumber(&now);
            }
            self.transactions.renumber(&now);
            not_judged.add_many("senders", "too many to keep apart: the cheapest are `(others)`", folded);
        }
    }

    pub(super) fn close(&mut self, queries: &Queries, not_judged: &mut NotJudged) {
        self.caches.settle(queries, true);
        not_judged.add_many(
            "cache-candidate",
            "the log does not show the values of slow statements (see log_parameter_max_length)",
            std::mem::take(&mut self.caches.without_values),
        );
        not_judged.add_many(
            "cache-candidate",
            "too many slow statements in one minute: those asked once were forgotten",
            std::mem::take(&mut self.caches.forgotten),
        );
    }
}
