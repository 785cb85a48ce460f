//! The demo's shop: a database of known size and content. `planted` lists what is wrong with it.

use std::{panic::resume_unwind, thread};

use crate::{
    cluster::{self, Cluster},
    error::Error,
    server::raw::{Session, Target},
};

/// The database, its copy from before the advice, and the role under which the application works.
pub const DATABASE: &str = "shop";
pub const DATABASE_BEFORE: &str = "shop_before";
pub const APP_ROLE: &str = "app";

const SQL: &str = include_str!("shop.sql");
/// In front of each half of the file.
const HALF: &str = "-- half: ";
/// Positive, and the same for a number in every run: PostgreSQL's hash functions are part of its
/// on-disk format.
const HASH: &str = "CREATE FUNCTION pg_temp.hash(n bigint, salt int) RETURNS bigint LANGUAGE sql \
                    IMMUTABLE PARALLEL SAFE AS 'SELECT hashint8extended(n, salt) & 2147483647'";

/// Row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub categories: u32,
    pub products: u32,
    pub users: u32,
    pub reviews: u32,
    pub orders: u32,
    pub order_items: u32,
}

impl Sizes {
    /// The guide's sizes, times `scale`; no table is empty.
    pub fn scaled(scale: f64) -> Sizes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to u32 before")]
        let rows = |full: f64| (full * scale).round().clamp(1.0, f64::from(u32::MAX)) as u32;
        Sizes {
            categories: rows(50.0),
            products: rows(10_000.0),
            users: rows(1_000_000.0),
            reviews: rows(500_000.0),
            orders: rows(1_000_000.0),
            order_items: rows(3_000_000.0),
        }
    }

    /// Customers who place every other order: about 25 each.
    pub fn busy_users(&self) -> u32 {
        (self.users / 50).max(1)
    }
}

/// A session with the shop. What the superuser sends is not logged.
pub fn connect(cluster: &Cluster, user: &str, application_name: &str) -> Result<Session, Error> {
    connect_to(cluster, DATABASE, user, application_name)
}

fn connect_to(
    cluster: &Cluster,
    database: &str,
    user: &str,
    application_name: &str,
) -> Result<Session, Error> {
    Session::connect(&Target {
        socket_dir: cluster.socket_dir(),
        port: cluster::PORT,
        user,
        database,
        application_name,
    })
}

/// Makes and fills the database: two sessions at once, then what needs both halves.
pub fn load(cluster: &Cluster, sizes: &Sizes) -> Result<(), Error> {
    let maintenance = connect_to(cluster, "postgres", cluster::USER, "sargable demo")?;
    maintenance.batch(&format!("CREATE DATABASE {DATABASE}"))?;

    let sql = filled_in(SQL, sizes);
    let halves: Vec<&str> =
        sql.split(HALF).skip(1).filter_map(|half| Some(half.split_once('\n')?.1)).collect();
    let [people, orders, together] = halves[..] else {
        unreachable!("shop.sql has two halves and an end, which a test counts");
    };
    let run = |sql: &str| -> Result<(), Error> {
        let session = connect(cluster, cluster::USER, "sargable demo")?;
        session.batch(HASH)?;
        session.batch(sql)
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| run(orders));
        let ours = run(people);
        other.join().unwrap_or_else(|panic| resume_unwind(panic)).and(ours)
    })?;
    run(together)?;
    run("VACUUM ANALYZE")
}

/// Sets a copy aside, as the shop is now, and returns a session with it. Nobody may be connected.
pub fn copy(cluster: &Cluster) -> Result<Session, Error> {
    let maintenance = connect_to(cluster, "postgres", cluster::USER, "sargable demo")?;
    // From 15 on the default writes every page to the WAL; before, files were copied anyway.
    let strategy = if cluster.binaries().major >= 15 { " STRATEGY file_copy" } else { "" };
    maintenance.batch(&format!("CREATE DATABASE {DATABASE_BEFORE} TEMPLATE {DATABASE}{strategy}"))?;
    connect_to(cluster, DATABASE_BEFORE, cluster::USER, "sargable demo")
}

/// New sessions on the copy and on the shop itself.
pub fn both(cluster: &Cluster) -> Result<(Session, Session), Error> {
    let copy = connect_to(cluster, DATABASE_BEFORE, cluster::USER, "sargable demo")?;
    Ok((copy, connect(cluster, cluster::USER, "sargable demo")?))
}

/// Lets the planner cost indexes that do not exist, where the server has HypoPG. Whether it has.
pub fn add_hypopg(cluster: &Cluster) -> Result<bool, Error> {
    let session = connect(cluster, cluster::USER, "sargable demo")?;
    let available = session.query("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'", &[])?;
    if available.is_empty() {
        return Ok(false);
    }
    session.batch("CREATE EXTENSION hypopg").map(|()| true)
}

fn filled_in(sql: &str, sizes: &Sizes) -> String {
    [
        (":categories", sizes.categories),
        (":products", sizes.products),
        (":users", sizes.users),
        (":busy_users", sizes.busy_users()),
        (":reviews", sizes.reviews),
        (":order_items", sizes.order_items),
        (":orders", sizes.orders),
    ]
    .iter()
    .fold(sql.to_owned(), |sql, (name, rows)| sql.replace(name, &rows.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_three_parts_and_every_size_is_filled_in() {
        let sql = filled_in(SQL, &Sizes::scaled(0.01));
        assert_eq!(sql.split(HALF).count(), 4);
        let left: Vec<&str> = sql
            .split_whitespace()
            .filter(|word| word.trim_start_matches('(').starts_with(':') && !word.starts_with("::"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn sizes_scale_and_never_reach_zero() {
        assert_eq!(Sizes::scaled(1.0).users, 1_000_000);
        assert_eq!(Sizes::scaled(0.01).order_items, 30_000);
        assert_eq!(Sizes::scaled(0.0).categories, 1);
        assert_eq!(Sizes::scaled(0.0).busy_users(), 1);
    }
}
