//! "What the guide claims / what we measured here": one row a claim of the API-performance guide.
//!
//! The claim is quoted, the figure is measured on the spot. Where ours falls short, the row says why.

use std::{thread, time::Duration};

use super::{
    measure::{Medians, median_ms},
    shop::{self, Sizes},
    statements::{
        CATEGORY_PAGE, LATEST_ORDERS, ORDERS_OF_A_USER, ORDERS_WITH_USERS, REVIEWS_PAGE, USER_BY_EMAIL,
        USER_OF_AN_ORDER,
    },
    traffic::as_strs,
};
use crate::{
    advise::pool,
    cluster::{self, Cluster},
    error::Error,
    server::raw::{Prepared, Received, Session},
};

/// Added to each round trip of the N+1 comparison: application and database in one data centre.
const ROUND_TRIP: Duration = Duration::from_millis(1);

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub what: String,
    pub claim: String,
    pub here: String,
    /// Why our figure falls short, where it does.
    pub why: Option<String>,
}

/// Measures every claim. The first two were measured before the advice was applied, too.
pub(super) fn measure(
    cluster: &Cluster,
    sizes: &Sizes,
    before: &Medians,
    after: &Medians,
) -> Result<Vec<Row>, Error> {
    let session = shop::connect(cluster, cluster::USER, "sargable demo")?;
    let medians = |statement| before.of(statement).zip(after.of(statement)).unwrap_or((f64::NAN, f64::NAN));
    Ok(vec![
        email_lookup(medians(&USER_BY_EMAIL)),
        composite_index(medians(&ORDERS_OF_A_USER)),
        one_by_one(&session, sizes)?,
        keyset_page(&session, sizes)?,
        three_columns(&session, sizes)?,
        pooled_connection(cluster, &session)?,
        pool_formula(),
    ])
}

fn email_lookup((before, after): (f64, f64)) -> Row {
    Row {
        what: "e-mail lookup: sequential scan, then an index".to_owned(),
        claim: "2,500 ms → 8 ms, 312 times".to_owned(),
        here: before_after(before, after),
        why: short(
            before / after,
            312.0,
            "the table lies in this machine's memory, so that the scan reads no disk",
        ),
    }
}

fn composite_index((before, after): (f64, f64)) -> Row {
    Row {
        what: "a user's orders: index (user_id, status, created_at DESC)".to_owned(),
        claim: "equality first, then the order".to_owned(),
        here: before_after(before, after),
        why: short(before / after, 1.0, "the advice was not applied, or does not serve this query"),
    }
}

/// 101 statements against one, with the round trip of a network in each.
fn one_by_one(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let [parent, child, join] =
        [LATEST_ORDERS, USER_OF_AN_ORDER, ORDERS_WITH_USERS].map(|statement| session.prepare(statement.sql));
    let (parent, child, join) = (parent?, child?, join?);
    let with_round_trip = |delay: Duration| -> Result<(f64, f64), Error> {
        let many = median_ms(|number| {
            thread::sleep(delay);
            let values = (LATEST_ORDERS.values)(number, sizes);
            for order in session.rows(&parent, &as_strs(&values))? {
                thread::sleep(delay);
                let user = order.into_iter().nth(1).flatten().unwrap_or_default();
                session.rows(&child, &[&user])?;
            }
            Ok(())
        })?;
        let one = median_ms(|number| {
            thread::sleep(delay);
            session.rows(&join, &as_strs(&(ORDERS_WITH_USERS.values)(number, sizes))).map(drop)
        })?;
        Ok((many, one))
    };
    let (many, one) = with_round_trip(ROUND_TRIP)?;
    let (bare_many, bare_one) = with_round_trip(Duration::ZERO)?;
    Ok(Row {
        what: "N+1: 101 queries, then one join".to_owned(),
        claim: "2,500 ms → 45 ms, 55 times".to_owned(),
        here: format!(
            "{} with {} ms added to each round trip; {} without",
            before_after(many, one),
            ROUND_TRIP.as_millis(),
            before_after(bare_many, bare_one)
        ),
        why: short(
            many / one,
            55.0,
            "the guide's round trips take 25 ms each; with longer ones the factor nears 101",
        ),
    })
}

fn keyset_page(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let all = session.prepare("SELECT id, product_id, rating, title FROM reviews")?;
    let page = session.prepare(REVIEWS_PAGE.sql)?;
    let (all_ms, all_sent) = timed(session, &all, |_| Vec::new())?;
    let (page_ms, page_sent) = timed(session, &page, |number| (REVIEWS_PAGE.values)(number, sizes))?;
    Ok(Row {
        what: "all rows, then a keyset page of 100".to_owned(),
        claim: "a page in 12 ms".to_owned(),
        here: format!(
            "{} ({} rows, then {})",
            before_after(all_ms, page_ms),
            thousands(all_sent.rows as f64),
            page_sent.rows
        ),
        why: short(12.0 / page_ms, 1.0, "the machine was busy"),
    })
}

fn three_columns(session: &Session, sizes: &Sizes) -> Result<Row, Error> {
    let star = session.prepare(CATEGORY_PAGE.sql)?;
    let named = session.prepare(&CATEGORY_PAGE.sql.replace('*', "id, name, price_cents"))?;
    let (_, all) = timed(session, &star, |number| (CATEGORY_PAGE.values)(number, sizes))?;
    let (_, three) = timed(session, &named, |number| (CATEGORY_PAGE.values)(number, sizes))?;
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
    let pooled = median_ms(|_| session.execute(&trivial, &[]).map(drop))?;
    let fresh = median_ms(|_| {
        let session = shop::connect(cluster, cluster::USER, "sargable demo")?;
        session.execute(&session.prepare("SELECT 1")?, &[]).map(drop)
    })?;
    Ok(Row {
        what: "SELECT 1: a new connection, then a pooled one".to_owned(),
        claim: "400 times".to_owned(),
        here: before_after(fresh, pooled),
        why: short(fresh / pooled, 400.0, "a local socket has no network, no TLS and no password to check"),
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

/// Median time, and what the first execution sent.
fn timed(
    session: &Session,
    prepared: &Prepared,
    values: impl Fn(u64) -> Vec<String>,
) -> Result<(f64, Received), Error> {
    let received = session.execute(prepared, &as_strs(&values(0)))?;
    let median = median_ms(|number| session.execute(prepared, &as_strs(&values(number))).map(drop))?;
    Ok((median, received))
}

/// The reason, where our factor is below the claimed one.
fn short(factor: f64, claimed: f64, why: &str) -> Option<String> {
    (factor.is_nan() || factor < claimed).then(|| why.to_owned())
}

fn before_after(before: f64, after: f64) -> String {
    format!("{} → {}, {} times", milliseconds(before), milliseconds(after), thousands(before / after))
}

/// Two significant digits below 10 ms, whole milliseconds above.
pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.2} ms"),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms => format!("{} ms", thousands(ms)),
    }
}

/// `1,234`; below 10 with one decimal.
pub(super) fn thousands(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(before_after(2500.4, 8.0), "2,500 ms → 8.0 ms, 313 times");
        assert_eq!(milliseconds(0.0789), "0.08 ms");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(thousands(999.9), "1,000");
        assert_eq!(thousands(1.25), "1.2");
    }

    #[test]
    fn a_figure_below_the_claim_gives_its_reason() {
        assert!(email_lookup((100.0, 0.1)).why.is_none());
        assert!(email_lookup((100.0, 1.0)).why.is_some());
        // A figure that could not be measured must not pass for a success.
        assert!(short(f64::NAN, 1.0, "unknown").is_some());
    }
}
