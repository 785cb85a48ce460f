//! How fast a snapshot is taken of 1,000 tables with 10,000 columns, and how fast a private server carries it.
//!
//! `cargo bench --bench snapshot` makes the tables (a minute, 200 MB in the temporary folder), then prints seconds.
//! `TABLES=100` makes fewer, `PG_BIN` names the server's version.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{env, error::Error, fmt::Write as _, time::Instant};

use sargable::{
    cluster::{Cluster, PORT, Settings, USER},
    server::{
        Environment, Server, Target, Wishes,
        raw::{Session, Target as RawTarget},
    },
    twin::{Options, Twin},
};

const TABLES: usize = 1000;
const RUNS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let tables = env::var("TABLES").ok().and_then(|number| number.parse().ok()).unwrap_or(TABLES);
    let cluster = Cluster::start(&Settings::default())?;
    let session = Session::connect(&RawTarget {
        socket_dir: cluster.socket_dir(),
        port: PORT,
        user: USER,
        database: "postgres",
        application_name: "bench",
    })?;
    session.batch("CREATE TYPE state AS ENUM ('open', 'paid', 'done')")?;
    for number in 0..tables {
        session.batch(&table(number))?;
    }
    session.batch("VACUUM ANALYZE")?;

    let target = Target::resolve(Some(&cluster.url("postgres")), &Environment::default())?;
    let mut server = Server::connect(&target)?;
    for run in 1..=RUNS {
        let begun = Instant::now();
        let snapshot = server.snapshot(Wishes::default())?;
        let taken = begun.elapsed();
        let columns: usize = snapshot.relations.iter().map(|relation| relation.columns.len()).sum();
        let begun = Instant::now();
        let empty = Cluster::start(&Settings::default())?;
        let started = begun.elapsed();
        drop(empty);
        let begun = Instant::now();
        let twin = Twin::start(snapshot, &Options::default())?;
        let carried = begun.elapsed();
        println!(
            "run {run}: PostgreSQL {}, {tables} tables, {columns} columns: taken in {:.2} s; an empty private server starts in \
             {:.2} s, one that carries it in {:.2} s; {} objects missing",
            twin.major(),
            taken.as_secs_f64(),
            started.as_secs_f64(),
            carried.as_secs_f64(),
            twin.missing().len(),
        );
    }
    Ok(())
}

/// Ten columns, two to four indexes, a few foreign keys and statistics objects.
fn table(number: usize) -> String {
    let mut sql = format!(
        "CREATE TABLE t{number} (id bigint PRIMARY KEY, owner bigint NOT NULL, name text, made timestamptz, amount numeric(12, 2),
             state state, tags text[], note varchar(40), ok boolean, score float8);
         INSERT INTO t{number}
         SELECT n, 1 + n % 50, 'name' || n % 97, timestamptz '2026-01-01' + n * interval '1 minute', n * 1.25,
                (ARRAY['open', 'paid', 'done'])[1 + n % 3]::state, ARRAY['a' || n % 7, 'b'], md5(n::text), n % 3 = 0,
                n * 0.37 % 11
           FROM generate_series(1, 400) n;
         CREATE INDEX ON t{number} (owner, made);"
    );
    if number.is_multiple_of(4) {
        let _ = write!(
            sql,
            "CREATE INDEX ON t{number} (lower(name)); ALTER TABLE t{number} ADD FOREIGN KEY (owner) REFERENCES t0 (id);"
        );
    }
    if number.is_multiple_of(10) {
        let _ = write!(
            sql,
            "CREATE STATISTICS s{number} ON owner, state FROM t{number}; CREATE INDEX ON t{number} USING gin (tags);"
        );
    }
    sql
}
