//! Percentiles of a csvlog, against those that PostgreSQL computes over the same file.
//!
//! PostgreSQL loads the file into a table of its documented columns and does the arithmetic. Which entries
//! are one query is taken from our fingerprints: this is about the figures, not about the grouping.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, process::Command};

use sargable::sql::Normalizer;
use serde_json::Value;

use crate::harness::{self, Database};

/// <https://www.postgresql.org/docs/15/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG>
const TABLE: &str =
    "CREATE TABLE postgres_log (log_time timestamp(3) with time zone, user_name text, database_name text,
    process_id integer, connection_from text, session_id text, session_line_num bigint, command_tag text,
    session_start_time timestamp with time zone, virtual_transaction_id text, transaction_id bigint,
    error_severity text, sql_state_code text, message text, detail text, hint text, internal_query text,
    internal_query_pos integer, context text, query text, query_pos integer, location text,
    application_name text, backend_type text, leader_pid integer, query_id bigint)";

/// Each execution's duration with its text: protocol steps are none.
const EXECUTIONS: &str = r"CREATE TABLE executions AS
    SELECT part[1]::numeric AS ms, part[2] AS text FROM postgres_log,
        regexp_match(message, '^duration: ([0-9.]+) ms  (?:statement|execute [^:]*): (.*)$', 's') AS part
    WHERE error_severity = 'LOG' AND part IS NOT NULL";

/// `query|calls|disc|cont`, the percentiles in the order of [`PERCENTILES`].
const EXACT: &str = "SELECT id, count(*),
        array_to_string(percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms), ','),
        array_to_string(percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms), ',')
    FROM executions JOIN fingerprints USING (text) GROUP BY id ORDER BY id";

const PERCENTILES: [&str; 4] = ["p50_ms", "p90_ms", "p95_ms", "p99_ms"];

/// Beyond so many calls two neighbours are nearer to each other than the error, so that it does not matter
/// whether a percentile is one of them or lies in between.
const DENSE: u64 = 5_000;

#[test]
fn percentiles_of_a_real_csvlog_equal_those_of_postgresql() {
    let queries = compare(Path::new("fixtures/logs/shop.csv"));
    assert!(queries.len() > 10, "{queries:?}");
}

/// Long-tailed durations from microseconds to minutes, as no small fixture has them.
#[test]
fn percentiles_of_a_large_csvlog_equal_those_of_postgresql() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), long_tailed()).expect("room");
    let queries = compare(file.path());
    assert_eq!(queries.len(), 4);
    assert!(queries.values().all(|calls| *calls >= DENSE), "{queries:?}");
}

/// Compares each query's percentiles; gives the queries with their calls.
#[track_caller]
fn compare(log: &Path) -> BTreeMap<String, u64> {
    let server = harness::database();
    server.sql(TABLE);
    server.sql(&format!(r"\copy postgres_log FROM '{}' CSV", log.display()));
    server.sql(EXECUTIONS);
    fingerprints(&server);
    let exact = server.sql(EXACT);
    let ours = report(log);
    let mut compared = BTreeMap::new();
    for row in exact.lines() {
        let [id, calls, disc, cont] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let calls: u64 = calls.parse().expect("a count");
        let query = ours.get(id).unwrap_or_else(|| panic!("{id} is not in the report"));
        assert_eq!(query["calls"], calls, "{id}");
        assert_eq!(query["timed_calls"], calls, "{id}");
        near(id, query, disc);
        if calls >= DENSE {
            near(id, query, cont);
        }
        compared.insert(id.to_owned(), calls);
    }
    assert_eq!(compared.len(), ours.len(), "PostgreSQL saw other queries");
    compared
}

#[track_caller]
fn near(id: &str, query: &Value, exact: &str) {
    for (name, exact) in PERCENTILES.iter().zip(exact.split(',')) {
        let exact: f64 = exact.parse().expect("milliseconds");
        let told = query[*name].as_f64().unwrap_or_else(|| panic!("{id} has no {name}"));
        // A report shows whole microseconds.
        let allowed = exact * 0.01 + 0.0005;
        assert!((told - exact).abs() <= allowed, "{id}: {name} is {told}, PostgreSQL says {exact}");
    }
}

/// Tells PostgreSQL which texts are one query.
fn fingerprints(server: &Database) {
    let mut normalizer = Normalizer::default();
    let texts: Value =
        serde_json::from_str(&server.sql("SELECT json_agg(DISTINCT text) FROM executions")).expect("texts");
    let rows: Vec<Value> = texts
        .as_array()
        .expect("a list")
        .iter()
        .map(|text| {
            let id = normalizer.scan(text.as_str().expect("a text").as_bytes()).fingerprint.to_string();
            serde_json::json!({ "text": text, "id": id })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(
        file.path(),
        rows.iter().fold(String::new(), |all, row| all + &csv(&row.to_string()) + "\n"),
    )
    .expect("room");
    server.sql("CREATE TABLE one (row json)");
    server.sql(&format!(r"\copy one FROM '{}' CSV", file.path().display()));
    server.sql("CREATE TABLE fingerprints AS SELECT row->>'text' AS text, row->>'id' AS id FROM one");
}

/// The report's queries by id.
#[track_caller]
fn report(log: &Path) -> BTreeMap<String, Value> {
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["logs", "--format", "json", "--top", "0"])
        .arg(log)
        .env_clear()
        .output()
        .expect("the program starts");
    assert!(out.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).expect("a JSON report");
    let queries = report["queries"].as_array().expect("queries");
    queries.iter().map(|one| (one["id"].as_str().expect("an id").to_owned(), one.clone())).collect()
}

/// Four queries of 10,000 executions, each with another scale of durations.
fn long_tailed() -> String {
    let mut log = String::new();
    let mut random = 88_172_645_463_325_252_u64;
    for line in 1..=40_000_u64 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let table = line % 4;
        // Uniform in the logarithm, three decades wide.
        let decades = (random >> 40) as f64 / (1_u64 << 24) as f64 * 3.0;
        let ms = 0.02 * 10_f64.powf(table as f64 + decades);
        let (second, milli) = (line / 1000, line % 1000);
        writeln!(
            log,
            "2026-11-20 10:00:{second:02}.{milli:03} UTC,\"app\",\"shop\",101,\"10.0.0.1:5000\",691f0000.65,{line},\"SELECT\",\
             2026-11-20 10:00:00 UTC,3/{line},0,LOG,00000,{},,,,,,,,,\"web\",\"client backend\",,0",
            csv(&format!("duration: {ms:.3} ms  statement: SELECT \"a\" FROM t{table}\nWHERE id = {line}")),
        )
        .expect("a String takes it");
    }
    log
}

fn csv(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}
