//! An application at work: a few pooled sessions serve requests, and the server logs every statement.
//!
//! The requests, their values and their order in each session are the same in every run; only the
//! clock differs. Values travel as parameters of prepared statements, as drivers send them.

use std::{
    collections::BTreeMap,
    fs,
    panic::resume_unwind,
    thread,
    time::{Duration, Instant},
};

use super::{
    shop::{self, APP_ROLE, Sizes},
    statements::{self, Statement},
};
use crate::{
    cluster::{self, Cluster},
    error::Error,
    server::raw::{Prepared, Session},
};

const SESSIONS: usize = 4;
/// A session of a pool waits between two requests: what separates them in a log.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(60);
/// The log's writer is a process of its own, and may lag behind.
const LOG_LIMIT: Duration = Duration::from_secs(30);
const END_OF_TRAFFIC: &str = "the demo's traffic ends here";

/// What one request does, given its number.
type Request = fn(&mut App, u64) -> Result<(), Error>;

/// How often each request comes, and what it does.
const REQUESTS: &[(u64, Request)] = &[
    (40, |app, n| app.run(&statements::USER_BY_EMAIL, n)),
    (40, |app, n| app.run(&statements::ORDERS_OF_A_USER, n)),
    (16, |app, n| app.run(&statements::ITEMS_OF_AN_ORDER, n)),
    (40, |app, n| app.run(&statements::REVIEWS_OF_A_PRODUCT, n)),
    (40, |app, n| app.run(&statements::ACCOUNT_PAGE, n)),
    (30, |app, n| app.run(&statements::CATEGORY_PAGE, n)),
    (12, |app, n| app.run(&statements::ALL_PRODUCTS, n)),
    (12, |app, n| app.run(&statements::USERS_FAR_PAGE, n)),
    (20, orders_one_by_one),
    (20, |app, n| app.run(&statements::ORDERS_WITH_USERS, n)),
    (60, |app, n| app.run(&statements::PRODUCT, n)),
    (30, |app, n| app.run(&statements::REVIEWS_PAGE, n)),
    (30, |app, n| app.run(&statements::USERS_AT_ONCE, n)),
    (20, |app, n| app.run(&statements::CATEGORIES, n)),
    (4, |app, n| app.run(&statements::ORDERS_BY_STATUS, n)),
    (20, |app, n| app.run(&statements::SALES_OF_A_DAY, n)),
    (40, |app, n| app.run(&statements::LOGIN, n)),
    (30, place_order),
];

/// An object mapper at its worst: 100 orders, then the user of each. Every other request holds a
/// transaction, as frameworks with one transaction a request do.
fn orders_one_by_one(app: &mut App, number: u64) -> Result<(), Error> {
    let in_transaction = number.is_multiple_of(2);
    if in_transaction {
        app.session.batch("BEGIN")?;
    }
    let values = (statements::LATEST_ORDERS.values)(number, &app.sizes);
    let orders = app.rows(&statements::LATEST_ORDERS, &values)?;
    for order in orders {
        let user = order.into_iter().nth(1).flatten().unwrap_or_default();
        app.execute(&statements::USER_OF_AN_ORDER, &[user])?;
    }
    if in_transaction {
        app.session.batch("COMMIT")?;
    }
    Ok(())
}

fn place_order(app: &mut App, number: u64) -> Result<(), Error> {
    app.session.batch("BEGIN")?;
    let values = (statements::NEW_ORDER.values)(number, &app.sizes);
    let made = app.rows(&statements::NEW_ORDER, &values)?;
    let mut items = (statements::NEW_ITEMS.values)(number, &app.sizes);
    if let Some(id) = made.into_iter().flatten().flatten().next() {
        items[0] = id;
    }
    app.execute(&statements::NEW_ITEMS, &items)?;
    app.run(&statements::LESS_STOCK, number)?;
    app.session.batch("COMMIT")
}

/// One session of the pool.
struct App {
    session: Session,
    prepared: BTreeMap<&'static str, Prepared>,
    sizes: Sizes,
}

impl App {
    fn run(&mut self, statement: &Statement, number: u64) -> Result<(), Error> {
        let values = (statement.values)(number, &self.sizes);
        self.execute(statement, &values)
    }

    fn execute(&mut self, statement: &Statement, values: &[String]) -> Result<(), Error> {
        let prepared = self.prepared(statement)?;
        self.session.execute(&prepared, &as_strs(values)).map(drop)
    }

    fn rows(&mut self, statement: &Statement, values: &[String]) -> Result<Vec<Vec<Option<String>>>, Error> {
        let prepared = self.prepared(statement)?;
        self.session.rows(&prepared, &as_strs(values))
    }

    fn prepared(&mut self, statement: &Statement) -> Result<Prepared, Error> {
        if let Some(known) = self.prepared.get(statement.name) {
            return Ok(known.clone());
        }
        let prepared = self.session.prepare(statement.sql)?;
        self.prepared.insert(statement.name, prepared.clone());
        Ok(prepared)
    }
}

/// As the sessions take them.
pub(super) fn as_strs(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// Serves every request once, and returns when the log holds the last of them.
pub fn run(cluster: &Cluster, sizes: &Sizes) -> Result<(), Error> {
    let queue = queue();
    let serve = |nth: usize| -> Result<(), Error> {
        let session = shop::connect(cluster, APP_ROLE, "shop")?;
        let mut app = App { session, prepared: BTreeMap::new(), sizes: *sizes };
        for (request, number) in queue.iter().skip(nth).step_by(SESSIONS) {
            request(&mut app, *number)?;
            thread::sleep(BETWEEN_REQUESTS);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let sessions: Vec<_> = (0..SESSIONS).map(|nth| scope.spawn(move || serve(nth))).collect();
        sessions
            .into_iter()
            .try_for_each(|session| session.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    wait_for_log(cluster)
}

/// Every request with its number, the kinds evenly mixed.
fn queue() -> Vec<(Request, u64)> {
    let mut queue: Vec<(u64, Request, u64)> = Vec::new();
    for (times, request) in REQUESTS {
        // Where it stands in the run, in millionths.
        queue.extend((0..*times).map(|number| ((2 * number + 1) * 500_000 / times, *request, number)));
    }
    // Stable: requests of one place keep the order of the table.
    queue.sort_by_key(|(place, ..)| *place);
    queue.into_iter().map(|(_, request, number)| (request, number)).collect()
}

/// All sessions write into one pipe: once a line that was sent last is in the file, all are.
fn wait_for_log(cluster: &Cluster) -> Result<(), Error> {
    let session = shop::connect(cluster, cluster::USER, "sargable demo")?;
    session.batch(&format!(
        "DO $$ BEGIN RAISE LOG '%', {} ; END $$",
        crate::names::quote_literal(END_OF_TRAFFIC)
    ))?;
    let path = cluster.log_file();
    let deadline = Instant::now() + LOG_LIMIT;
    loop {
        let log = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        if memchr::memmem::find(&log, END_OF_TRAFFIC.as_bytes()).is_some() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let why = format!("{} lacks the end of the traffic", path.display());
            return Err(Error::Cluster { why, hint: None });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_holds_every_request_and_mixes_them() {
        let queue = queue();
        let total: u64 = REQUESTS.iter().map(|(times, _)| times).sum();
        assert_eq!(queue.len() as u64, total);
        // The first request of the rarest kind comes after an eighth of the run: 1 of 4, at its middle.
        assert!(queue.iter().take(20).map(|(_, number)| number).all(|number| *number < 3));
    }
}
