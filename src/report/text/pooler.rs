//! Connection pools: what their logs measured, and what to do, the most urgent first.

use super::{
    overview::clock,
    page::Page,
    units::{TIE, count, duration, grouped, share},
};
use crate::report::{
    Report,
    pooler::{Advice, Pool, PoolWaits, Pooler, Statistics},
};

/// Pools that are told one by one.
const SHOWN: usize = 8;

pub(super) fn write(page: &mut Page, report: &Report) {
    let of = report.pooler.as_ref();
    // Waits that need nothing are only of interest beside a pooler's own log.
    if of.is_none() && report.pool_advice.is_empty() {
        return;
    }
    page.heading("What the pool measured");
    if let Some(of) = of {
        pooler(page, of);
    }
    if !report.pool_waits.is_empty() {
        for waits in report.pool_waits.iter().take(SHOWN) {
            page.field(0, "Waits", &application(waits));
        }
    }
    for (at, step) in report.pool_advice.iter().enumerate() {
        if at == 0 {
            page.blank();
        }
        page.hanging(0, &format!("{}. ", at + 1), 3, &step.because);
        page.field(3, "do", &step.instead);
    }
}

/// What each kind of advice asks for, in short.
const TITLES: &[(&str, &str)] = &[
    ("server_unreachable", "let the pooler reach the server"),
    ("client_limit", "let the pooler take more clients"),
    ("pool_exhausted", "shorten transactions or enlarge the pool"),
    ("application_pool", "give back the application's connections sooner, or enlarge its pool"),
    ("pooler_timeouts", "see what runs into the pooler's time limits"),
    ("pool_oversized", "make the pool smaller"),
];

/// One of the three things to do first.
pub(super) fn task(step: &Advice) -> String {
    let title =
        TITLES.iter().find(|(kind, _)| *kind == step.kind).map_or("connection pool", |(_, title)| title);
    let because = step.because.split("; ").next().unwrap_or_default();
    format!("{title}: {because}; see What the pool measured")
}

fn pooler(page: &mut Page, of: &Pooler) {
    let mut lines = vec![("Pooler", Some(about(of)))];
    if let Some(statistics) = &of.statistics {
        lines.extend([("Rate", rate(statistics)), ("Load", load(statistics)), ("Waits", waits(statistics))]);
    }
    lines.extend([("Clients", clients(of)), ("Server", servers(of))]);
    for (label, line) in lines {
        if let Some(line) = line {
            page.field(0, label, &line);
        }
    }
    pools(page, &of.pools);
    for warning in of.warnings.iter().take(5) {
        page.field(
            0,
            "Warned",
            &format!("{}: {}", warning.message, count(warning.seen.count, "time", "times")),
        );
    }
}

fn about(of: &Pooler) -> String {
    let mut text = match of.versions.as_slice() {
        [] => "PgBouncer".to_owned(),
        versions => format!("PgBouncer{TIE}{}", versions.join(", ")),
    };
    if of.starts > 1 {
        text.push_str(&format!(", {}", count(of.starts, "start", "starts")));
    }
    if let Some(statistics) = &of.statistics {
        let over = match statistics.seconds {
            0 => String::new(),
            seconds => format!(" in {}", duration(seconds as f64 * 1000.0)),
        };
        text.push_str(&format!(
            "; {} of statistics{over}, all pools together",
            count(statistics.periods, "period", "periods")
        ));
    } else {
        text.push_str("; no statistics in the log (log_stats = 1)");
    }
    text
}

fn rate(of: &Statistics) -> Option<String> {
    let most = of.most_transactions_per_second.filter(|most| *most > 0)?;
    let mut parts = Vec::new();
    if let Some(average) = of.transactions_per_second {
        parts.push(format!("{} a second on average", at_once(average, "transaction")));
        parts.push(format!("{} in the busiest period", grouped(most)));
    } else {
        parts.push(format!("{} a second in the busiest period", count(most, "transaction", "transactions")));
    }
    if let Some(mean) = of.mean_transaction_ms {
        parts.push(format!("{} each, waiting included", duration(mean)));
    }
    Some(parts.join("; "))
}

fn load(of: &Statistics) -> Option<String> {
    let way = of.under_way?;
    let mut text = match way.average {
        Some(average) => format!(
            "{} under way on average, {} in the busiest period",
            at_once(average, "transaction"),
            figure(way.peak)
        ),
        None => format!("{} under way in the busiest period", at_once(way.peak, "transaction")),
    };
    if let Some(busy) = of.busy {
        text.push_str(&format!("; up to {} on a connection to the server", figure(busy.peak)));
    }
    Some(text)
}

fn waits(of: &Statistics) -> Option<String> {
    let Some(waited) = of.waited_ms else {
        return (of.most_transactions_per_second.is_some() && of.seconds > 0)
            .then(|| "not told by this version (PgBouncer 1.8 and later)".to_owned());
    };
    if waited == 0.0 {
        return Some("no client waited for a connection".to_owned());
    }
    let mut parts = vec![format!("{} in all", duration(waited))];
    if let Some(mean) = of.mean_wait_ms {
        parts.push(format!("{} a transaction", duration(mean)));
    }
    if let (Some(longest), Some(most)) = (of.longest_wait_ms, of.most_waiting.filter(|most| *most >= 0.05)) {
        let at = of.most_waiting_at.as_deref().map(|at| format!(" ({})", clock(at))).unwrap_or_default();
        parts.push(format!(
            "{} each and {} at once in the worst period{at}",
            duration(longest),
            at_once(most, "client")
        ));
    }
    Some(parts.join("; "))
}

fn clients(of: &Pooler) -> Option<String> {
    let sum = |figure: fn(&Pool) -> u64| of.pools.iter().map(figure).sum::<u64>();
    let mut parts = Vec::new();
    let opened = sum(|pool| pool.clients.opened);
    if opened > 0 {
        parts.push(count(opened, "connection", "connections"));
    }
    if let Some(most) = of.max_client_conn {
        parts.push(format!("the limit is {most} at once (max_client_conn)"));
    }
    for (number, words) in [
        (sum(|pool| pool.refused), "refused at that limit"),
        (sum(|pool| pool.wait_timeouts), "gave up waiting (query_wait_timeout)"),
    ] {
        if number > 0 {
            parts.push(format!("{} {words}", grouped(number)));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn servers(of: &Pooler) -> Option<String> {
    let sum = |figure: fn(&Pool) -> u64| of.pools.iter().map(figure).sum::<u64>();
    let (opened, failed) = (sum(|pool| pool.servers.opened), sum(|pool| pool.server_failures));
    if opened + failed == 0 {
        return None;
    }
    let mut parts = vec![count(opened, "connection opened", "connections opened")];
    for (number, words) in [(failed, "failed"), (sum(|pool| pool.reserve.count), "from the reserve")] {
        if number > 0 {
            parts.push(format!("{} {words}", grouped(number)));
        }
    }
    Some(parts.join(", "))
}

/// One line a pool, where there are several.
fn pools(page: &mut Page, all: &[Pool]) {
    let named: Vec<&Pool> =
        all.iter().filter(|pool| pool.database.is_some() && pool.servers.peak.is_some()).collect();
    if named.len() < 2 {
        return;
    }
    for pool in named.iter().take(SHOWN) {
        let name = [&pool.database, &pool.user].into_iter().flatten().cloned().collect::<Vec<_>>().join("/");
        let mut parts = vec![count(pool.clients.opened, "client", "clients")];
        if let Some(peak) = pool.servers.peak {
            parts.push(format!("up to {} to the server at once", count(peak, "connection", "connections")));
        }
        for (number, words) in [
            (pool.wait_timeouts, "gave up waiting"),
            (pool.server_failures, "failed"),
            (pool.reserve.count, "from the reserve"),
        ] {
            if number > 0 {
                parts.push(format!("{} {words}", grouped(number)));
            }
        }
        page.field(0, "Pool", &format!("{name}: {}", parts.join(", ")));
    }
    if named.len() > SHOWN {
        page.line(9, &format!("and {} more in the JSON report (--format json)", named.len() - SHOWN));
    }
}

fn application(of: &PoolWaits) -> String {
    let who = of.application.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
    let part = of
        .busy_ms
        .filter(|busy| *busy > 0.0)
        .map(|busy| format!(" ({} of the time to run and wait)", share(of.waited_ms, of.waited_ms + busy)));
    format!(
        "{who}{} waited {} for a connection of the application's own pool{}; p95 {}, at most {}",
        count(of.statements, "statement", "statements"),
        duration(of.waited_ms),
        part.unwrap_or_default(),
        duration(of.p95_wait_ms),
        duration(of.longest_wait_ms)
    )
}

/// `12`, `1.8`
fn figure(number: f64) -> String {
    if number < 9.95 { format!("{number:.1}") } else { format!("{number:.0}") }
}

fn at_once(number: f64, word: &str) -> String {
    format!("{}{TIE}{word}{}", figure(number), if figure(number) == "1.0" { "" } else { "s" })
}
