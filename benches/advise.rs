//! How fast indexes are advised: 2,000 queries over 500 tables on a private server with HypoPG, and how fast the catalog of
//! 10,000 tables is read.
//!
//! `cargo bench --bench advise` makes both databases (a minute or two, 1 GB in the temporary folder), then prints seconds.
//! `TABLES=50` makes the first one smaller, and a tenth of the queries.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use sargable::{
    cluster::{Cluster, PORT, Settings, USER},
    server::{
        Environment, Server, Target,
        raw::{Session, Target as RawTarget},
    },
};

const TABLES: usize = 500;
const QUERIES_OF_EACH: usize = 4;
const MANY_TABLES: usize = 10_000;
const RUNS: usize = 3;

/// Filled once; each table is a copy.
const TEMPLATE: &str = "
    CREATE TABLE template AS
    SELECT n::bigint AS id, (n * 7919 % 300)::bigint AS user_id, (n * 31 % 50)::bigint AS account_id,
           (ARRAY['new', 'paid', 'sent', 'done'])[1 + n % 4] AS status, (n * 17 % 997)::int AS total,
           timestamptz '2025-01-01' + n * interval '7 minute' AS created_at, repeat('x', 300) AS note
      FROM generate_series(1, 4000) n";

fn main() -> Result<(), Box<dyn Error>> {
    let tables = env::var("TABLES").ok().and_then(|number| number.parse().ok()).unwrap_or(TABLES);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = Settings {
        set: vec![
            set("fsync", "off"),
            set("autovacuum", "off"),
            set("shared_buffers", "1GB"),
            set("max_wal_size", "4GB"),
        ],
        ..Settings::default()
    };
    let cluster = Cluster::start(&settings)?;
    let session = |database: &str| {
        Session::connect(&RawTarget {
            socket_dir: cluster.socket_dir(),
            port: PORT,
            user: USER,
            database,
            application_name: "bench",
        })
    };
    let maker = session("postgres")?;
    maker.batch("CREATE DATABASE wide")?;
    maker.batch("CREATE DATABASE many")?;

    let many = session("many")?;
    for first in (0..MANY_TABLES).step_by(100) {
        let sql = (first..first + 100).fold(String::new(), |mut sql, number| {
            let _ = write!(
                sql,
                "CREATE TABLE t{number} (id bigint PRIMARY KEY, user_id bigint, status text, total int, created_at timestamptz);
                 CREATE INDEX ON t{number} (user_id, created_at);"
            );
            sql
        });
        many.batch(&sql)?;
    }
    for run in 1..=RUNS {
        let began = Instant::now();
        let target = Target::resolve(Some(&cluster.url("many")), &Environment::default())?;
        let (catalog, _) = Server::connect(&target)?.catalog()?;
        println!(
            "run {run}: a catalog of {} tables and {} indexes read in {:.2} s",
            catalog.tables.len(),
            catalog.tables.iter().map(|table| table.indexes.len()).sum::<usize>(),
            began.elapsed().as_secs_f64()
        );
    }

    let wide = session("wide")?;
    wide.batch("CREATE EXTENSION hypopg")?;
    wide.batch(TEMPLATE)?;
    for number in 0..tables {
        wide.batch(&format!(
            "CREATE TABLE t{number} AS TABLE template; ALTER TABLE t{number} ADD PRIMARY KEY (id); ANALYZE t{number}"
        ))?;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("queries.sql");
    fs::write(&file, queries(tables))?;
    for run in 1..=RUNS {
        let began = Instant::now();
        let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
            .args(["--no-config", "index", "--format", "json", "--explain-budget", "10min"])
            .args(["--database-url", &cluster.url("wide")])
            .arg(&file)
            .output()?;
        let took: Duration = began.elapsed();
        let report: serde_json::Value = serde_json::from_slice(&out.stdout)
            .map_err(|why| format!("{why}: {}", String::from_utf8_lossy(&out.stderr)))?;
        println!(
            "run {run}: {} queries over {tables} tables: {} changes advised in {:.1} s, {} questions to the planner",
            report["queries"].as_array().map_or(0, Vec::len),
            report["advice"].as_array().map_or(0, Vec::len),
            took.as_secs_f64(),
            report["index"]["asked"]
        );
    }
    Ok(())
}

/// A look-up, a page of a list, a range, and a join with the next table, of each table.
fn queries(tables: usize) -> String {
    (0..tables).fold(String::new(), |mut sql, number| {
        let next = (number + 1) % tables;
        let each: [String; QUERIES_OF_EACH] = [
            format!("SELECT id, total FROM t{number} WHERE user_id = 7 AND status = 'paid'"),
            format!("SELECT id FROM t{number} WHERE account_id = 7 ORDER BY created_at DESC LIMIT 10"),
            format!("SELECT sum(total) FROM t{number} WHERE created_at >= '2025-01-05' AND created_at < '2025-01-06'"),
            format!("SELECT a.id, b.total FROM t{number} a JOIN t{next} b ON b.user_id = a.user_id WHERE a.total = 500"),
        ];
        for query in each {
            let _ = writeln!(sql, "{query};");
        }
        sql
    })
}
