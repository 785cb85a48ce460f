//! What repeats itself and is no N+1, no duplicate and no loop that one statement could replace: a log of
//! each, and no finding.

use sargable::rules::{BUILTIN, Set};

use crate::planted::Log;

const START: i64 = 1_795_000_000_000_000;

/// A request of one session: a first query, then each statement with its bind values.
fn request(statements: &[(String, Vec<String>)]) -> Log {
    let mut log = Log::default();
    let mut now = START;
    log.execution(41, now, 300, "SELECT id, name FROM orders ORDER BY id DESC LIMIT 50", &[]);
    for (sql, binds) in statements {
        now += 2_000;
        log.execution(41, now, 300, sql, binds);
    }
    log
}

/// The same with one text, whose bind values count up.
fn counting(sql: &str) -> Log {
    let binds = sql.matches('$').count();
    let statements: Vec<(String, Vec<String>)> =
        (1..=30).map(|at| (sql.to_owned(), vec![(at * 10).to_string(); binds])).collect();
    request(&statements)
}

#[track_caller]
fn nothing(mut log: Log) {
    // What is pedantic is about a SET by itself, however often it runs.
    let by_default = |name: &str| BUILTIN.iter().any(|rule| rule.name == name && rule.set == Set::Default);
    let found = log.judged().findings.into_iter().filter(|finding| by_default(&finding.rule));
    let said: Vec<String> = found.map(|finding| format!("{}: {}", finding.rule, finding.because)).collect();
    assert!(said.is_empty(), "{said:#?}");
}

/// The writer of these logs does make a loop that is found: nothing below is quiet for want of evidence.
#[test]
fn a_real_loop_is_found() {
    let rules: Vec<String> = counting("SELECT name FROM users WHERE id = $1")
        .judged()
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules, ["n-plus-one"]);
}

#[test]
fn batches_by_key() {
    nothing(counting("SELECT id, total FROM orders WHERE id > $1 ORDER BY id LIMIT 1000"));
    nothing(counting("SELECT id FROM orders WHERE shop_id = 3 AND id > $1 ORDER BY id LIMIT 1000"));
}

#[test]
fn batches_by_offset() {
    nothing(counting("SELECT id, total FROM orders WHERE shop_id = 3 ORDER BY id LIMIT 100 OFFSET $1"));
}

#[test]
fn batches_of_keys() {
    nothing(counting("SELECT id, name FROM users WHERE id IN ($1, $2, $3, $4, $5, $6)"));
}

#[test]
fn queue_polling() {
    let poll =
        "SELECT id FROM jobs WHERE queue = 'mail' AND run_at < $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    nothing(counting(poll));
    let same =
        ("SELECT id FROM jobs WHERE queue = 'mail' LIMIT 1 FOR UPDATE SKIP LOCKED".to_owned(), Vec::new());
    nothing(request(&vec![same; 30]));
}

#[test]
fn health_checks() {
    for ping in ["SELECT 1", "SELECT version()", "SELECT pg_is_in_recovery()", "SELECT current_database()"] {
        nothing(request(&vec![(ping.to_owned(), Vec::new()); 30]));
    }
}

#[test]
fn catalog_queries() {
    nothing(counting("SELECT attname, atttypid FROM pg_attribute WHERE attrelid = $1"));
    nothing(counting("SELECT t.typname FROM pg_catalog.pg_type t WHERE t.oid = $1"));
    nothing(counting("SELECT column_name FROM information_schema.columns WHERE table_name = $1"));
}

#[test]
fn settings_and_transactions() {
    for noise in ["BEGIN", "COMMIT", "SET statement_timeout = 5000", "SHOW TIME ZONE", "DISCARD ALL"] {
        nothing(request(&vec![(noise.to_owned(), Vec::new()); 30]));
    }
    let transactions: Vec<(String, Vec<String>)> =
        (0..30).flat_map(|_| ["BEGIN", "COMMIT"]).map(|sql| (sql.to_owned(), Vec::new())).collect();
    nothing(request(&transactions));
}

/// Inserts of many rows each are batches already.
#[test]
fn batches_of_rows() {
    nothing(counting("INSERT INTO items (order_id, product_id) VALUES ($1, $2), ($3, $4), ($5, $6)"));
}

/// A pool that opens: each of its sessions loads types and prepares statements once before the first request.
#[test]
fn warm_up_of_a_pool() {
    let mut log = Log::default();
    let prepared =
        ["SELECT name FROM users WHERE id = $1", "SELECT id FROM orders WHERE user_id = $1 LIMIT 5"];
    for session in 0..12_u32 {
        let (pid, mut now) = (100 + session, START + i64::from(session) * 3_000);
        log.line(pid, now, "LOG:  connection authorized: user=app database=shop");
        for sql in [
            "SET application_name = 'web'",
            "SELECT oid, typname FROM pg_type WHERE typname = 'citext'",
            "SELECT 1",
        ] {
            now += 500;
            log.execution(pid, now, 200, sql, &[]);
        }
        for sql in prepared {
            now += 500;
            log.execution(pid, now, 200, sql, &["0".to_owned()]);
        }
    }
    nothing(log);
}

/// A driver names its prepared statement only after some executions: the loop stays one, with its whole count.
#[test]
fn a_statement_that_gets_a_name_in_the_middle() {
    let mut log = Log::default();
    log.execution(41, START, 300, "SELECT id, user_id FROM orders ORDER BY id DESC LIMIT 20", &[]);
    for at in 1..=20_i64 {
        let name = if at <= 5 { "<unnamed>" } else { "S_1" };
        let end = START + at * 2_000;
        let sql = format!("LOG:  duration: 0.300 ms  execute {name}: SELECT name FROM users WHERE id = $1");
        log.line(41, end, &sql);
        log.line(41, end, &format!("DETAIL:  parameters: $1 = '{at}'"));
    }
    let found = log.judged().findings;
    let repeats: Vec<_> =
        found.iter().map(|finding| (finding.rule.as_str(), &finding.detail["repeats"]["max"])).collect();
    assert_eq!(repeats, [("n-plus-one", &serde_json::json!(20))]);
}

/// Four repeats are an ordinary page.
#[test]
fn a_few_look_ups() {
    let statements: Vec<(String, Vec<String>)> =
        (1..=4).map(|at| ("SELECT name FROM users WHERE id = $1".to_owned(), vec![at.to_string()])).collect();
    nothing(request(&statements));
}
