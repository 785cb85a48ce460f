//! A pooler's periodic statistics, added up.

use serde::{Deserialize, Serialize};

use super::told::{Load, Period};
use crate::workload::{Series, Sketch, series::Sum};

/// Of all periods together. A figure is `None` where no period told it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Periods {
    pub count: u64,
    /// Seconds of those whose length is known: the sums below are of these.
    pub seconds: u64,
    pub transactions: Option<u64>,
    pub queries: Option<u64>,
    pub received: Option<u64>,
    pub sent: Option<u64>,
    /// Microseconds that transactions took, the wait for a connection included.
    pub wanted_us: Option<u64>,
    /// Microseconds that clients waited for a connection.
    pub waited_us: Option<u64>,
    /// Microseconds that statements took, also with the wait.
    pub query_us: Option<u64>,
    /// Thousandths of a connection: one value a period in which anything ran.
    pub wanted: Sketch,
    pub most_wanted: u64,
    /// Of the transactions of that busiest period, how many had a connection.
    pub busy_then: u64,
    /// Transactions on a connection to the server: wanted less waiting.
    pub busy: Sketch,
    pub most_busy: u64,
    /// Clients that waited at once, in thousandths, and when that period ended.
    pub most_waiting: Option<(u64, Option<i64>)>,
    /// The longest wait of a transaction (µs), on average over one period.
    pub longest_wait_us: Option<u64>,
    pub most_transactions: Option<u64>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub over_time: Series<Stretch>,
}

/// A stretch of time of several periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub seconds: u64,
    pub transactions: u64,
    pub wanted_us: u64,
    pub waited_us: Option<u64>,
}

impl Sum for Stretch {
    fn add(&mut self, other: &Stretch) {
        self.seconds = self.seconds.saturating_add(other.seconds);
        self.transactions = self.transactions.saturating_add(other.transactions);
        self.wanted_us = self.wanted_us.saturating_add(other.wanted_us);
        self.waited_us = both(self.waited_us, other.waited_us);
    }
}

/// The sum of what is known.
fn both(ours: Option<u64>, theirs: Option<u64>) -> Option<u64> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(ours.saturating_add(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

impl Periods {
    pub(super) fn add(&mut self, period: &Period, end: Option<i64>) {
        self.count += 1;
        self.first = self.first.into_iter().chain(end).min();
        self.last = self.last.max(end);
        self.most_transactions = self.most_transactions.max(period.transactions);
        let load = period.load();
        if let Some(load) = load.filter(|load| load.wanted > 0) {
            self.add_load(load, period, end);
        }
        let Some(seconds) = period.seconds else { return };
        let over = |rate: Option<u64>| rate.map(|rate| rate.saturating_mul(seconds));
        let us = |thousandths: u64| thousandths.saturating_mul(1000);
        self.seconds = self.seconds.saturating_add(seconds);
        self.transactions = both(self.transactions, over(period.transactions));
        self.queries = both(self.queries, over(period.queries));
        self.received = both(self.received, over(period.received));
        self.sent = both(self.sent, over(period.sent));
        let statements = period.queries.zip(period.query_us).map(|(rate, us)| rate.saturating_mul(us));
        self.query_us = both(self.query_us, over(statements));
        let of_all = over(load.map(|load| us(load.wanted)));
        let of_waits = over(load.and_then(|load| load.waiting).map(us));
        self.wanted_us = both(self.wanted_us, of_all);
        self.waited_us = both(self.waited_us, of_waits);
        if let Some(end) = end.filter(|_| period.transactions.is_some_and(|rate| rate > 0)) {
            self.over_time.at(end.div_euclid(1_000_000)).add(&Stretch {
                seconds,
                transactions: over(period.transactions).unwrap_or(0),
                wanted_us: of_all.unwrap_or(0),
                waited_us: of_waits,
            });
        }
    }

    fn add_load(&mut self, load: Load, period: &Period, end: Option<i64>) {
        let busy = load.wanted - load.waiting.unwrap_or(0);
        self.wanted.add(load.wanted);
        (self.most_wanted, self.busy_then) = (self.most_wanted, self.busy_then).max((load.wanted, busy));
        self.busy.add(busy);
        self.most_busy = self.most_busy.max(busy);
        let Some(waiting) = load.waiting else { return };
        // Of equal ones the first.
        let most = self.most_waiting.is_none_or(|(most, _)| waiting > most);
        if most {
            self.most_waiting = Some((waiting, end));
        }
        let each = waiting.saturating_mul(1000) / period.transactions.unwrap_or(1).max(1);
        self.longest_wait_us = self.longest_wait_us.max(Some(each));
    }

    pub(super) fn merge(&mut self, later: &Periods) {
        self.count += later.count;
        self.seconds = self.seconds.saturating_add(later.seconds);
        for (ours, theirs) in [
            (&mut self.transactions, later.transactions),
            (&mut self.queries, later.queries),
            (&mut self.received, later.received),
            (&mut self.sent, later.sent),
            (&mut self.wanted_us, later.wanted_us),
            (&mut self.waited_us, later.waited_us),
            (&mut self.query_us, later.query_us),
        ] {
            *ours = both(*ours, theirs);
        }
        self.wanted.merge(&later.wanted);
        self.busy.merge(&later.busy);
        (self.most_wanted, self.busy_then) =
            (self.most_wanted, self.busy_then).max((later.most_wanted, later.busy_then));
        self.most_busy = self.most_busy.max(later.most_busy);
        if let Some((waiting, _)) = later.most_waiting
            && self.most_waiting.is_none_or(|(most, _)| waiting > most)
        {
            self.most_waiting = later.most_waiting;
        }
        self.longest_wait_us = self.longest_wait_us.max(later.longest_wait_us);
        self.most_transactions = self.most_transactions.max(later.most_transactions);
        self.first = self.first.into_iter().chain(later.first).min();
        self.last = self.last.max(later.last);
        self.over_time.merge(&later.over_time);
    }

    /// Waiting, of the time that transactions took; `None` where the log does not tell.
    pub fn waiting_share(&self) -> Option<f64> {
        let wanted = self.wanted_us.filter(|us| *us > 0)?;
        Some(self.waited_us? as f64 / wanted as f64)
    }
}
