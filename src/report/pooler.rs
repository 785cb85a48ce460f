//! What the log of a connection pooler told, and waits for a connection of an application's own pool, as
//! the JSON report has them: sorted and rounded here.
//!
//! What the log does not tell is `None` or an empty list.

use serde::{Deserialize, Serialize};

use super::{figures::second_since_1970, ms, rounded, whole_seconds};
use crate::{
    advise::pooler::{Step, steps},
    workload::{
        Workload,
        pooler::{self, Cause, Times},
    },
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pooler {
    pub versions: Vec<String>,
    /// Starts of a process.
    pub starts: u64,
    pub max_client_conn: Option<u64>,
    pub statistics: Option<Statistics>,
    /// By database and user, those with the most clients first.
    pub pools: Vec<Pool>,
    /// Commands at its console, and signals.
    pub console: Vec<Message>,
    /// WARNING, ERROR and FATAL, the most frequent first.
    pub warnings: Vec<Message>,
}

/// Averages of each period, over all pools, added up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    pub periods: u64,
    pub seconds: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub transactions: Option<u64>,
    pub transactions_per_second: Option<f64>,
    pub most_transactions_per_second: Option<u64>,
    pub queries: Option<u64>,
    pub received_bytes: Option<u64>,
    pub sent_bytes: Option<u64>,
    /// Of one transaction and one statement, the wait included.
    pub mean_transaction_ms: Option<f64>,
    pub mean_query_ms: Option<f64>,
    pub waited_ms: Option<f64>,
    /// Of one transaction.
    pub mean_wait_ms: Option<f64>,
    /// The same in the worst period.
    pub longest_wait_ms: Option<f64>,
    /// Transactions under way at once.
    pub under_way: Option<Level>,
    /// Of those, the ones that had a connection to the server.
    pub busy: Option<Level>,
    /// Clients that waited at once in the worst period, and when it ended.
    pub most_waiting: Option<f64>,
    pub most_waiting_at: Option<String>,
    pub over_time: OverTime,
}

/// How many at once: on average over all periods, and over single periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    pub average: Option<f64>,
    pub p95: f64,
    pub peak: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverTime {
    pub bucket_seconds: i64,
    pub buckets: Vec<Bucket>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    pub start: String,
    pub transactions: u64,
    /// On average over the periods that ended in it.
    pub under_way: f64,
    pub waiting: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// `None` for clients that had not told it yet.
    pub database: Option<String>,
    pub user: Option<String>,
    /// Clients turned away at the limit on clients.
    pub refused: u64,
    /// Clients that gave up waiting for a connection.
    pub wait_timeouts: u64,
    /// Connections to the server that failed.
    pub server_failures: u64,
    /// Connections taken from the reserve.
    pub reserve: Seen,
    pub clients: Connections,
    pub servers: Connections,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    pub opened: u64,
    /// Open at once, at most.
    pub peak: Option<u64>,
    pub mean_age_s: Option<f64>,
    /// Why they were closed, the most frequent first.
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "keys of the report")]
pub struct Reason {
    pub reason: String,
    pub cause: String,
    #[serde(flatten)]
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub message: String,
    #[serde(flatten)]
    pub seen: Seen,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub count: u64,
    pub first: Option<String>,
    pub last: Option<String>,
}

/// What to do about a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    pub kind: String,
    pub because: String,
    pub instead: String,
    /// Clients that were turned away.
    pub clients: u64,
    pub waited_ms: Option<f64>,
}

/// Statements of one application that waited for a connection of its own pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolWaits {
    pub application: Option<String>,
    /// Statements whose wait is known.
    pub statements: u64,
    pub waited_ms: f64,
    pub mean_wait_ms: f64,
    pub p95_wait_ms: f64,
    pub longest_wait_ms: f64,
    /// Time in the server of the same statements.
    pub busy_ms: Option<f64>,
}

/// `None` when no pooler's log was read.
pub(super) fn pooler(workload: &Workload) -> Option<Pooler> {
    let told = workload.pooler();
    if told.is_empty() {
        return None;
    }
    let mut pools: Vec<Pool> = told.pools.by_key.iter().map(|(name, pool)| of_pool(name, pool)).collect();
    pools.sort_by(|a, b| {
        (b.clients.opened.cmp(&a.clients.opened))
            .then_with(|| (&a.database, &a.user).cmp(&(&b.database, &b.user)))
    });
    Some(Pooler {
        versions: told.versions.as_slice().to_vec(),
        starts: told.starts,
        max_client_conn: told.most_clients,
        statistics: statistics(&told.periods),
        pools,
        console: messages(&told.console.by_key),
        warnings: messages(&told.warnings.by_key),
    })
}

/// What to do about the pools, the most urgent first.
pub(super) fn pool_advice(workload: &Workload) -> Vec<Advice> {
    steps(workload.pooler(), workload.pool_waits()).into_iter().map(advice).collect()
}

fn advice(step: Step) -> Advice {
    Advice {
        kind: step.kind.name().to_owned(),
        because: step.because,
        instead: step.instead,
        clients: step.clients,
        waited_ms: step.waited_ms.map(rounded),
    }
}

fn seen(times: &Times) -> Seen {
    Seen {
        count: times.count,
        first: times.first.and_then(whole_seconds),
        last: times.last.and_then(whole_seconds),
    }
}

fn messages(all: &std::collections::BTreeMap<String, Times>) -> Vec<Message> {
    let mut all: Vec<Message> =
        all.iter().map(|(message, times)| Message { message: message.clone(), seen: seen(times) }).collect();
    all.sort_by(|a, b| b.seen.count.cmp(&a.seen.count).then_with(|| a.message.cmp(&b.message)));
    all
}

fn of_pool(name: &pooler::PoolName, pool: &pooler::Pool) -> Pool {
    Pool {
        database: name.database.clone(),
        user: name.user.clone(),
        refused: pool.clients.of(Cause::Limit).count,
        wait_timeouts: pool.clients.of(Cause::Wait).count,
        server_failures: pool.servers.of(Cause::Server).count,
        reserve: seen(&pool.reserve),
        clients: connections(&pool.clients),
        servers: connections(&pool.servers),
    }
}

fn connections(all: &pooler::Connections) -> Connections {
    let mut reasons: Vec<Reason> = all
        .reasons
        .iter()
        .map(|(reason, closed)| Reason {
            reason: reason.clone(),
            cause: pooler::cause(reason).name().to_owned(),
            seen: seen(&closed.times()),
        })
        .collect();
    reasons.sort_by(|a, b| b.seen.count.cmp(&a.seen.count).then_with(|| a.reason.cmp(&b.reason)));
    Connections {
        opened: all.opened.count,
        peak: all.peak(),
        mean_age_s: (all.aged > 0).then(|| rounded(all.age_s as f64 / all.aged as f64)),
        reasons,
    }
}

fn statistics(of: &pooler::Periods) -> Option<Statistics> {
    if of.count == 0 {
        return None;
    }
    let ratio = |part: Option<u64>, whole: Option<u64>| {
        let whole = whole.filter(|whole| *whole > 0)?;
        Some(rounded(part? as f64 / whole as f64))
    };
    let mean_ms = |us, whole| ratio(us, whole).map(|us| rounded(us / 1000.0));
    let waiting = of.waited_us.unwrap_or(0);
    let level = |sketch: &crate::workload::Sketch, most: u64, us: Option<u64>| {
        let p95 = sketch.quantile(0.95)?.min(most as f64);
        Some(Level {
            average: ratio(us, Some(of.seconds)).map(|us| rounded(us / 1e6)),
            p95: rounded(p95 / 1000.0),
            peak: rounded(most as f64 / 1000.0),
        })
    };
    let buckets = of.over_time.iter().filter_map(|(second, stretch)| {
        let at_once = |us: u64| rounded(us as f64 / 1e6 / stretch.seconds.max(1) as f64);
        Some(Bucket {
            start: second_since_1970(second)?,
            transactions: stretch.transactions,
            under_way: at_once(stretch.wanted_us),
            waiting: stretch.waited_us.map(at_once),
        })
    });
    Some(Statistics {
        periods: of.count,
        seconds: of.seconds,
        first: of.first.and_then(whole_seconds),
        last: of.last.and_then(whole_seconds),
        transactions: of.transactions,
        transactions_per_second: ratio(of.transactions, Some(of.seconds)),
        most_transactions_per_second: of.most_transactions,
        queries: of.queries,
        received_bytes: of.received,
        sent_bytes: of.sent,
        mean_transaction_ms: mean_ms(of.wanted_us, of.transactions),
        mean_query_ms: mean_ms(of.query_us, of.queries),
        waited_ms: of.waited_us.map(ms),
        mean_wait_ms: mean_ms(of.waited_us, of.transactions),
        longest_wait_ms: of.longest_wait_us.map(ms),
        under_way: level(&of.wanted, of.most_wanted, of.wanted_us),
        busy: level(&of.busy, of.most_busy, of.wanted_us.map(|us| us.saturating_sub(waiting)))
            .filter(|_| of.waited_us.is_some()),
        most_waiting: of.most_waiting.map(|(waiting, _)| rounded(waiting as f64 / 1000.0)),
        most_waiting_at: of.most_waiting.and_then(|(_, at)| whole_seconds(at?)),
        over_time: OverTime { bucket_seconds: of.over_time.width(), buckets: buckets.collect() },
    })
}

/// The longest in all first.
pub(super) fn pool_waits(workload: &Workload) -> Vec<PoolWaits> {
    let mut all: Vec<_> = workload.pool_waits().by_application.by_key.iter().collect();
    all.sort_by_key(|(name, waits)| (std::cmp::Reverse(waits.total_us), *name));
    all.into_iter()
        .map(|(name, waits)| PoolWaits {
            application: name.clone(),
            statements: waits.count,
            waited_ms: ms(waits.total_us),
            mean_wait_ms: rounded(waits.total_us as f64 / 1000.0 / waits.count.max(1) as f64),
            p95_wait_ms: waits.quantile_ms(0.95).map_or(0.0, rounded),
            longest_wait_ms: ms(waits.max_us),
            busy_ms: waits.busy_us.map(ms),
        })
        .collect()
}
