//! "What the guide claims / what we measured here": one row a claim of the API-performance guide.
//!
//! The claim is quoted, the figure is measured on the spot. Where ours falls short, the row says why.

use std::{thread, time::Duration};

use super::{
    measure::{Pair, take_turns},
    shop::{self, Sizes},
    statements::{
        CATEGORY_PAGE, LATEST_ORDERS, ORDERS_OF_A_USER, ORDERS_WITH_USERS, REVIEWS_PAGE, Statement,
        USER_BY_EMAIL, USER_OF_AN_ORDER,
    },
    traffic::as_strs,
};
use crate::{
    advise::pool,
    cluster::{self, Cluster},
    digits,
    error::Error,
    server::raw::Session,
};

/// Added to each round trip of the N+1 comparison: application and database in one data centre.
const ROUND_TRIP: Duration = Duration::from_millis(1);

/// Compares with nothing, and so falls short of every claim.
const UNKNOWN: Pair =
    Pair { before: f64::NAN, after: f64::NAN, fastest_before: f64::NAN, fastest_after: f64::NAN };
const NOT_SERVED: &str = "no index was created that serves this query";

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub what: String,
    pub claim: String,
    pub here: String,
    /// Why our figure falls short, where it does.
    pub why: Option<String>,
}

/// Measures every claim; the first two were measured with the other statements.
pub(super) fn measure(
    cluster: &Cluster,
    sizes: &Sizes,
    statements: &[(Statement, Pair)],
) -> Result<Vec<Row>, Error> {
    let session = shop::connect(cluster, cluster::USER, "sargable demo")?;
    let measured = |wanted: &Statement| {
        let found = statements.iter().find(|(statement, _)| statement.name == wanted.name);
        found.map_or(UNKNOWN, |(_, pair)| *pair)
    };
    Ok(vec![
        email_lookup(measured(&USER_BY_EMAIL)),
        composite_index(measured(&ORDERS_OF_A_USER)),
        one_by_one(&session, sizes)?,
        keyset_page(&session, sizes)?,
        three_columns(&session, sizes)?,
        pooled_connection(cluster, &session)?,
        pool_formula(),
    ])
}

fn email_lookup(pair: Pair) -> Row {
    Row {
        what: "e-mail lookup: sequential scan, then an index".to_owned(),
        claim: "2,500 ms → 8 ms, 312 times".to_owned(),
        here: before_after(pair),
        why: short(pair.factor(), 2.0, NOT_SERVED)
            .or_else(|| short(pair.factor(), 312.0, "the table lies in memory: our scan reads no disk")),
    }
}

fn composite_index(pair: Pair) -> Row {
    Row {
        what: "a user's orders: index (user_id, status, created_at DESC)".to_owned(),
        claim: "equality first, then the order".to_owned(),
        here: before_after(pair),
        why: short(pair.factor(), 2.0, NOT_SERVED),
    }
}

/// 101 statements against one, with the round trip of a network in each.
fn one_by_one(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let parent = session.prepare(LATEST_ORDERS.sql)?;
    let child = session.prepare(USER_OF_AN_ORDER.sql)?;
    let join = session.prepare(ORDERS_WITH_USERS.sql)?;
    let with_round_trip = |delay: Duration| {
        let many = |number| {
            thread::sleep(delay);
            let values = (LATEST_ORDERS.values)(number, sizes);
            for order in session.rows(&parent, &as_strs(&values))? {
                thread::sleep(delay);
                let user = order.into_iter().nth(1).flatten().unwrap_or_default();
                session.rows(&child, &[&user])?;
            }
            Ok(())
        };
        let one = |number| {
            thread::sleep(delay);
            session.rows(&join, &as_strs(&(ORDERS_WITH_USERS.values)(number, sizes))).map(drop)
        };
        take_turns(many, one)
    };
    let (slow, bare) = (with_round_trip(ROUND_TRIP)?, with_round_trip(Duration::ZERO)?);
    Ok(Row {
        what: "N+1: 101 queries, then one join".to_owned(),
        claim: "2,500 ms → 45 ms, 55 times".to_owned(),
        here: format!(
            "{}, each round trip made {} ms longer; without that {}",
            before_after(slow),
            ROUND_TRIP.as_millis(),
            before_after(bare)
        ),
        why: short(
            slow.factor(),
            55.0,
            "2,500 ms mean 25 ms a query; the longer a round trip, the nearer to 101 times",
        ),
    })
}

fn keyset_page(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let all = session.prepare("SELECT id, product_id, rating, title FROM reviews")?;
    let page = session.prepare(REVIEWS_PAGE.sql)?;
    let values = |number| (REVIEWS_PAGE.values)(number, sizes);
    let pair = take_turns(
        |_| session.execute(&all, &[]).map(drop),
        |number| session.execute(&page, &as_strs(&values(number))).map(drop),
    )?;
    let rows = session.execute(&all, &[])?.rows;
    Ok(Row {
        what: "all rows, then a keyset page of 100".to_owned(),
        claim: "a page in 12 ms".to_owned(),
        here: format!("{} ({} rows, then a page)", before_after(pair), thousands(rows as f64)),
        why: short(12.0 / pair.after, 1.0, "this machine is slower or busy"),
    })
}

fn three_columns(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let values = (CATEGORY_PAGE.values)(0, sizes);
    let received = |sql: &str| session.execute(&session.prepare(sql)?, &as_strs(&values));
    let all = received(CATEGORY_PAGE.sql)?;
    let three = received(&CATEGORY_PAGE.sql.replace('*', "id, name, price_cents"))?;
    let factor = all.bytes as f64 / three.bytes as f64;
    Ok(Row {
        what: "SELECT *, then three columns".to_owned(),
        claim: "25 times smaller".to_owned(),
        here: format!(
            "{} → {} bytes in {} rows, {} times smaller",
            thousands(all.bytes as f64),
            thousands(three.bytes as f64),
            three.rows,
            thousands(factor)
        ),
        why: short(factor, 25.0, "our products have narrower rows"),
    })
}

fn pooled_connection(cluster: &Cluster, session: &Session) -> Result<Row, Error> {
    let trivial = session.prepare("SELECT 1")?;
    let pair = take_turns(
        |_| shop::connect(cluster, cluster::USER, "sargable demo")?.batch("SELECT 1"),
        |_| session.execute(&trivial, &[]).map(drop),
    )?;
    Ok(Row {
        what: "SELECT 1: a new connection, then a pooled one".to_owned(),
        claim: "400 times".to_owned(),
        here: before_after(pair),
        why: short(pair.factor(), 400.0, "a local socket has no network, no TLS and no password to check"),
    })
}

fn pool_formula() -> Row {
    let (ssd, disks) = (pool::formula(4, 1), pool::formula(8, 4));
    let agrees = (ssd, disks) == (9, 20);
    Row {
        what: "pool size: cores × 2 + spindles".to_owned(),
        claim: "4 cores, SSD → 9; 8 cores, 4 disks → 20".to_owned(),
        here: format!("{ssd}; {disks}"),
        why: (!agrees).then(|| "`sargable pool` computes otherwise".to_owned()),
    }
}

/// The reason, where our factor is below the claimed one.
fn short(factor: f64, claimed: f64, why: &str) -> Option<String> {
    (factor.is_nan() || factor < claimed).then(|| why.to_owned())
}

fn before_after(pair: Pair) -> String {
    format!(
        "{} → {}, {} times",
        milliseconds(pair.before),
        milliseconds(pair.after),
        thousands(pair.factor())
    )
}

/// Three digits, as far as that makes sense.
pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.3} ms"),
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms => format!("{} ms", thousands(ms)),
    }
}

/// `1,234`; below 10 with one decimal.
pub(super) fn thousands(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    digits::grouped(&format!("{value:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(before: f64, after: f64) -> Pair {
        Pair { before, after, fastest_before: before, fastest_after: after }
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(before_after(pair(2500.4, 8.0)), "2,500 ms → 8.00 ms, 313 times");
        assert_eq!(milliseconds(0.0789), "0.079 ms");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(thousands(999.9), "1,000");
        assert_eq!(thousands(1.25), "1.2");
    }

    #[test]
    fn a_figure_below_the_claim_gives_its_reason() {
        assert_eq!(email_lookup(pair(100.0, 0.1)).why, None);
        assert!(email_lookup(pair(100.0, 1.0)).why.is_some_and(|why| why.contains("in memory")));
        assert_eq!(email_lookup(pair(100.0, 99.0)).why.as_deref(), Some(NOT_SERVED));
        // A figure that could not be measured must not pass for a success.
        assert!(email_lookup(UNKNOWN).why.is_some());
    }
}
