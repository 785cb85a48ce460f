//! What to do about a connection pool, from what its log or its application measured.
//!
//! In: the tallies of a pooler's log. Out: steps, the most urgent first, each with what was seen. Left
//! alone: how large a pool of many should be, since the statistics are of all together.
//!
//! By Little's law the transactions under way at once are their rate times how long each takes. `PgBouncer`
//! counts the wait for a connection into a transaction's time, so what is left without it was busy.

use super::words::{plural, time};
use crate::workload::{
    PoolWaits, Pooler,
    pooler::{Cause, Connections, Periods, Pool, PoolName, Waits},
};

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kind: StepKind,
    /// What was seen.
    pub because: String,
    pub instead: String,
    /// Clients that were turned away.
    pub clients: u64,
    /// Milliseconds that clients waited, where that is known.
    pub waited_ms: Option<f64>,
}

/// In the order of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    ServerUnreachable,
    ClientLimit,
    Exhausted,
    /// The application's own pool.
    ApplicationPool,
    Timeouts,
    Oversized,
}

impl StepKind {
    /// As the report names it.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::ServerUnreachable => "server_unreachable",
            StepKind::ClientLimit => "client_limit",
            StepKind::Exhausted => "pool_exhausted",
            StepKind::ApplicationPool => "application_pool",
            StepKind::Timeouts => "pooler_timeouts",
            StepKind::Oversized => "pool_oversized",
        }
    }
}

/// Waiting, of the time that transactions took: less is the noise of connections that are opened.
const WAITING: f64 = 0.05;
/// Periods that must be known before a pool is called too large: a few minutes at `PgBouncer`'s default.
const PERIODS: u64 = 5;
/// Of fewer statements the 95th percentile says nothing.
const STATEMENTS: u64 = 20;
/// Shorter waits for an application's pool are the price of taking a connection out (µs).
const APPLICATION_WAIT_US: f64 = 10_000.0;

/// What is known of how much of a pooler's connections was used, for the size of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// Transactions under way at once, over periods in which anything ran: the 95th percentile, and the most.
    pub wanted_p95: f64,
    pub wanted_peak: f64,
    /// Of those in the busiest period, how many had a connection.
    pub busy_then: f64,
    /// Clients that waited at once in the worst period; `None` where the log does not tell.
    pub waiting_peak: Option<f64>,
    /// Connections to the server that were open at once, at most.
    pub servers: Option<u64>,
}

/// `None` when no statistics with traffic were read.
pub fn used(pooler: &Pooler) -> Option<Used> {
    let periods = &pooler.periods;
    let wanted_p95 = periods.wanted.quantile(0.95)?.min(periods.most_wanted as f64);
    Some(Used {
        wanted_p95: wanted_p95 / 1000.0,
        wanted_peak: periods.most_wanted as f64 / 1000.0,
        busy_then: periods.busy_then as f64 / 1000.0,
        waiting_peak: periods.most_waiting.map(|(waiting, _)| waiting as f64 / 1000.0),
        servers: pooler.servers_peak(),
    })
}

/// What to do, the most urgent first; nothing when all is well.
pub fn steps(pooler: &Pooler, waits: &PoolWaits) -> Vec<Step> {
    let pools: Vec<(&PoolName, &Pool)> = pooler.pools.by_key.iter().collect();
    let mut steps: Vec<Step> =
        [unreachable(&pools), client_limit(pooler, &pools), timeouts(&pools)].into_iter().flatten().collect();
    steps.extend(exhausted(pooler, &pools).or_else(|| oversized(pooler)));
    steps.extend(
        waits.by_application.by_key.iter().filter_map(|(name, waits)| application(name.as_deref(), waits)),
    );
    steps.sort_by_key(|step| (step.clients == 0, step.kind));
    steps
}

fn has_server_trouble(pool: &Pool) -> bool {
    pool.servers.of(Cause::Server).count + pool.clients.of(Cause::Server).count > 0
}

fn unreachable(pools: &[(&PoolName, &Pool)]) -> Option<Step> {
    let failed: Vec<_> = pools.iter().filter(|(_, pool)| has_server_trouble(pool)).collect();
    let of = |pool: &Pool| pool.servers.of(Cause::Server).count;
    let failures: u64 = failed.iter().map(|(_, pool)| of(pool)).sum();
    let clients: u64 = failed
        .iter()
        .map(|(_, pool)| pool.clients.of(Cause::Server).count + pool.clients.of(Cause::Wait).count)
        .sum();
    if failed.is_empty() {
        return None;
    }
    let mut reasons = std::collections::BTreeMap::new();
    for (_, pool) in &failed {
        for (reason, count) in reasons_of(&pool.servers, Cause::Server) {
            *reasons.entry(reason).or_insert(0) += count;
        }
    }
    let mut why: Vec<(&str, u64)> = reasons.into_iter().collect();
    why.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
    let why: Vec<String> = why.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let mut because = match failures {
        0 => "the pooler could not log in to the server".to_owned(),
        failures => format!("{} to the server failed ({})", plural(failures, "connection"), why.join(", ")),
    };
    because.push_str(&format!(", for {}", names(failed.iter().map(|(name, _)| *name))));
    if clients > 0 {
        because.push_str(&format!("; {} turned away", plural(clients, "client")));
    }
    Some(Step {
        kind: StepKind::ServerUnreachable,
        because,
        instead: "see the server's log of those times and the pooler's [databases] and passwords; waits of these clients are no sign of a small pool".to_owned(),
        clients,
        waited_ms: None,
    })
}

fn reasons_of(connections: &Connections, wanted: Cause) -> impl Iterator<Item = (&str, u64)> {
    let all = connections.reasons.iter();
    all.filter(move |(reason, _)| crate::workload::pooler::cause(reason) == wanted)
        .map(|(reason, closed)| (reason.as_str(), closed.times().count))
}

fn client_limit(pooler: &Pooler, pools: &[(&PoolName, &Pool)]) -> Option<Step> {
    let clients: u64 = pools.iter().map(|(_, pool)| pool.clients.of(Cause::Limit).count).sum();
    let limit = pooler.most_clients.map(|most| format!(" (max_client_conn = {most})")).unwrap_or_default();
    (clients > 0).then(|| Step {
        kind: StepKind::ClientLimit,
        because: format!("{} refused at the limit on clients{limit}", plural(clients, "client")),
        instead: "raise max_client_conn: a client costs the pooler a few kB, and no connection to the server; or let the applications hold fewer".to_owned(),
        clients,
        waited_ms: None,
    })
}

fn timeouts(pools: &[(&PoolName, &Pool)]) -> Option<Step> {
    let mut reasons = std::collections::BTreeMap::new();
    for (_, pool) in pools {
        for (reason, count) in reasons_of(&pool.clients, Cause::Timeout) {
            *reasons.entry(reason).or_insert(0) += count;
        }
    }
    let clients: u64 = reasons.values().sum();
    let why: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    (clients > 0).then(|| Step {
        kind: StepKind::Timeouts,
        because: format!("the pooler ended {} at a time limit ({})", plural(clients, "client"), why.join(", ")),
        instead: "look where the application leaves a transaction open or a statement runs too long; raise the limit only if that is meant".to_owned(),
        clients,
        waited_ms: None,
    })
}

fn exhausted(pooler: &Pooler, pools: &[(&PoolName, &Pool)]) -> Option<Step> {
    // A pool without a server lets its clients wait, too.
    let small: Vec<_> = pools.iter().filter(|(_, pool)| !has_server_trouble(pool)).collect();
    let gave_up: Vec<_> = small.iter().filter(|(_, pool)| pool.clients.of(Cause::Wait).count > 0).collect();
    let clients: u64 = gave_up.iter().map(|(_, pool)| pool.clients.of(Cause::Wait).count).sum();
    let reserve: u64 = pools.iter().map(|(_, pool)| pool.reserve.count).sum();
    let periods = &pooler.periods;
    let waiting = periods.waiting_share().filter(|share| *share >= WAITING);
    if clients == 0 && reserve == 0 && waiting.is_none() {
        return None;
    }
    let mut because = Vec::new();
    if clients > 0 {
        because.push(format!(
            "{} gave up waiting for a connection (query_wait_timeout) in {}",
            plural(clients, "client"),
            names(gave_up.iter().map(|(name, _)| *name))
        ));
    }
    if reserve > 0 {
        because.push(format!("{} taken from the reserve pool", plural(reserve, "connection")));
    }
    if let (Some(share), Some(waited)) = (waiting, periods.waited_us) {
        because.push(format!(
            "clients waited {} for a connection, {:.0} % of the time that transactions took{}",
            time(waited as f64 / 1000.0),
            share * 100.0,
            worst(periods)
        ));
    }
    Some(Step {
        kind: StepKind::Exhausted,
        because: because.join("; "),
        instead: enough(pooler, waiting.is_some()),
        clients,
        waited_ms: waiting.and(periods.waited_us).map(|us| us as f64 / 1000.0),
    })
}

/// `, 68 ms each in the worst period`
fn worst(periods: &Periods) -> String {
    let worst = periods.longest_wait_us.filter(|us| *us > 0);
    worst.map_or_else(String::new, |us| {
        format!(", up to {} each on average over one period", time(us as f64 / 1000.0))
    })
}

/// How many connections would do.
fn enough(pooler: &Pooler, measured: bool) -> String {
    let by_hardware = "never above what the server's cores serve (cores × 2 + spindles: sargable pool --cores N); beyond that only shorter transactions help";
    match used(pooler).filter(|_| measured) {
        Some(used) => format!(
            "in the busiest period {} were under way and {} of them had a connection: about {} in all would have left nobody waiting. Raise default_pool_size towards that, but {by_hardware}",
            plural_of(used.wanted_peak, "transaction"),
            about(used.busy_then),
            plural(whole(used.wanted_peak), "connection"),
        ),
        None => format!(
            "look what held the connections (long transactions, idle ones in a transaction) and shorten that first; raise default_pool_size, but {by_hardware}"
        ),
    }
}

fn oversized(pooler: &Pooler) -> Option<Step> {
    let periods = &pooler.periods;
    let used = used(pooler)?;
    let open = used.servers?;
    let needed = whole(used.wanted_peak * 2.0).max(2);
    (periods.count >= PERIODS && periods.waited_us.is_some() && open > 2 * needed).then(|| Step {
        kind: StepKind::Oversized,
        because: format!(
            "up to {} to the server were open, and in the busiest period {} under way on average",
            plural(open, "connection"),
            match used.wanted_peak {
                few if few < 0.1 => "less than 0.1 transactions were".to_owned(),
                many => format!("{} were", plural_of(many, "transaction")),
            }
        ),
        instead: format!(
            "a pool of {needed} would do (twice the busiest period, since bursts are shorter than a period); each open connection costs the server memory"
        ),
        clients: 0,
        waited_ms: None,
    })
}

fn application(name: Option<&str>, waits: &Waits) -> Option<Step> {
    let p95 = waits.sketch.quantile(0.95)?.min(waits.max_us as f64);
    if p95 < APPLICATION_WAIT_US || waits.count < STATEMENTS {
        return None;
    }
    let who = name.map_or_else(|| "the application".to_owned(), ToOwned::to_owned);
    let total = waits.total_us as f64 / 1000.0;
    Some(Step {
        kind: StepKind::ApplicationPool,
        because: format!(
            "statements of {who} waited {} for a connection of its own pool: {} at the 95th percentile, {} at most",
            time(total),
            time(p95 / 1000.0),
            time(waits.max_us as f64 / 1000.0)
        ),
        instead: "give connections back sooner (no slow work inside a transaction); then enlarge that pool, as far as the server's cores allow".to_owned(),
        clients: 0,
        waited_ms: Some(total),
    })
}

/// `shop/app, waiting/app and 3 more`
fn names<'a>(pools: impl Iterator<Item = &'a PoolName>) -> String {
    const SHOWN: usize = 3;
    let all: Vec<String> = pools.map(name).collect();
    match all.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", all[..SHOWN].join(", ")),
        None => all.join(", "),
    }
}

/// `shop/app`: database and user.
pub fn name(pool: &PoolName) -> String {
    match (&pool.database, &pool.user) {
        (Some(database), Some(user)) => format!("{database}/{user}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "clients that had not told their name".to_owned(),
    }
}

/// `12`, `1.8`, `0.1`: of an average nobody needs more.
fn about(number: f64) -> String {
    if number < 9.95 { format!("{number:.1}") } else { format!("{number:.0}") }
}

fn plural_of(number: f64, word: &str) -> String {
    format!("{} {word}{}", about(number), if about(number) == "1.0" { "" } else { "s" })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of connections")]
fn whole(number: f64) -> u64 {
    // As `about` shows it.
    let number = number.max(0.0);
    (if number < 9.95 { number.ceil() } else { number.round() }) as u64
}
