//! Indexes on expressions and for patterns: advised, built, taken by the planner, and advised no more.

use std::process::Command;

use serde_json::Value;

use crate::harness::{self, Database};

/// 20,000 people whose names sort by a language's rules, as the planner sees it.
const PEOPLE: &str = r"
    CREATE EXTENSION hypopg;
    CREATE COLLATION other (locale = 'C.UTF-8');
    CREATE TABLE people (id bigint PRIMARY KEY, name text COLLATE other NOT NULL, family text COLLATE other NOT NULL,
        code text NOT NULL, meta jsonb NOT NULL, seen timestamptz NOT NULL, left_at timestamptz);
    INSERT INTO people SELECT n, 'Name ' || md5(n::text), 'of ' || n, 'C' || md5(n::text),
        jsonb_build_object('ticket', n::text, 'labels', jsonb_build_array('l' || n % 3000), 'room', 'r' || n % 900),
        timestamptz '2025-01-01' + n * interval '7 minute',
        CASE WHEN n % 3 = 0 THEN timestamptz '2025-02-01' + n * interval '7 minute' END
        FROM generate_series(1, 20000) n;";

fn people() -> Database {
    let people = harness::database();
    people.sql(PEOPLE);
    people.sql("VACUUM ANALYZE");
    people
}

/// The advice for a file of queries, or a log.
#[track_caller]
fn advice(people: &Database, name: &str, text: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("the input");
    let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["index", "--format", "json", "--database-url", &people.url()])
        .arg(&file)
        .env_clear()
        .output()
        .expect("the program ends");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = report["advice"].as_array().expect("advice");
    all.iter().map(|one| (text(one, "sql"), text(one, "because"))).collect()
}

#[track_caller]
fn check(people: &Database, query: &str, expect: &str) {
    let cost = || {
        let plan = people.sql(&format!("EXPLAIN (FORMAT JSON) {query}"));
        let plan: Value = serde_json::from_str(&plan).expect("JSON");
        (plan[0]["Plan"]["Total Cost"].as_f64().expect("a cost"), plan.to_string())
    };
    let all = advice(people, "q.sql", query);
    let indexes: Vec<&str> =
        all.iter().filter_map(|(sql, _)| Some(sql.split_once(" ON public.people ")?.1)).collect();
    assert_eq!(indexes, [expect], "{query}: {all:#?}");
    let (before, _) = cost();
    for (sql, _) in &all {
        people.sql(sql);
    }
    people.sql("ANALYZE people");
    let name = people.sql("SELECT relname FROM pg_class WHERE relkind = 'i' ORDER BY oid DESC LIMIT 1");
    let (after, plan) = cost();
    assert!(plan.contains(&name) && after < before * 0.6, "{query}: {before} → {after}\n{plan}");
    let again = advice(people, "q.sql", query);
    assert!(again.is_empty(), "{query}: {again:#?}");
    people.sql(&format!("DROP INDEX {name}"));
}

#[test]
fn a_search_by_prefix_gets_an_index_that_like_can_enter() {
    let people = people();
    for (query, expect) in [
        ("SELECT id FROM people WHERE upper(name) LIKE upper('name 00%')", "(upper(name) text_pattern_ops)"),
        (
            "SELECT id FROM people WHERE UPPER(name::text) LIKE UPPER('name 00%')",
            "(upper(name::text) text_pattern_ops)",
        ),
        (
            "SELECT id FROM people WHERE lower(name) LIKE lower('Name 00' || '%')",
            "(lower(name) text_pattern_ops)",
        ),
        ("SELECT id FROM people WHERE name LIKE 'Name 00%'", "(name text_pattern_ops)"),
        // The rows lie together in the order of names, and a plain index would be read up to them.
        (
            "SELECT id, name FROM people WHERE name LIKE 'Name f0%' ORDER BY name LIMIT 10",
            "(name text_pattern_ops)",
        ),
        // In the C collation a plain index serves both.
        ("SELECT id FROM people WHERE code LIKE 'C00%'", "(code)"),
        ("SELECT id FROM people WHERE lower(code) LIKE 'c00%'", "(lower(code))"),
    ] {
        check(&people, query, expect);
    }
}

#[test]
fn a_pattern_in_any_case_or_anywhere_gets_trigrams() {
    let people = people();
    for (query, expect) in [
        ("SELECT id FROM people WHERE name ILIKE 'NAME 00a%'", "USING gin (name gin_trgm_ops)"),
        (
            "SELECT id FROM people WHERE upper(name) LIKE upper('%00abc%')",
            "USING gin (upper(name) gin_trgm_ops)",
        ),
    ] {
        check(&people, query, expect);
    }
}

#[test]
fn a_bind_value_tells_where_a_pattern_begins() {
    let people = people();
    let log = |value: &str| {
        let at = "2026-01-01 00:00:00.000 UTC [7] ";
        format!(
            "{at}LOG:  duration: 30.000 ms  execute <unnamed>: SELECT id FROM people WHERE lower(name) LIKE lower($1)\n\
             {at}DETAIL:  parameters: $1 = '{value}'\n"
        )
    };
    let all = advice(&people, "a.log", &log("Name 00%"));
    let [(sql, _)] = all.as_slice() else { panic!("{all:#?}") };
    assert!(sql.ends_with(" ON public.people (lower(name) text_pattern_ops)"), "{sql}");
    let all = advice(&people, "a.log", &log("%00abc%"));
    assert!(all.iter().any(|(sql, _)| sql.ends_with(" USING gin (lower(name) gin_trgm_ops)")), "{all:#?}");
    assert_eq!(advice(&people, "a.log", &log("%a%")), []);
}

#[test]
fn casts_joined_texts_and_parts_of_documents_can_be_indexed() {
    let people = people();
    for (query, expect) in [
        ("SELECT id FROM people WHERE (meta->>'ticket')::int = 4711", "(((meta ->> 'ticket')::int))"),
        ("SELECT id FROM people WHERE name || ' ' || family = 'Name x of 7'", "((name || ' ' || family))"),
        (
            "SELECT id FROM people WHERE meta->'labels' @> '[\"l77\"]'",
            "USING gin ((meta -> 'labels') jsonb_path_ops)",
        ),
        (
            "SELECT id FROM people WHERE coalesce(left_at, seen) BETWEEN '2025-01-02' AND '2025-01-03'",
            "(coalesce(left_at, seen))",
        ),
    ] {
        check(&people, query, expect);
    }
    let all = advice(&people, "q.sql", "SELECT id FROM people WHERE (meta->>'ticket')::int = 4711");
    assert!(all[0].1.contains("is no int can be written no more"), "{all:#?}");
    // How a time reads hangs on the session.
    for query in [
        "SELECT id FROM people WHERE (meta->>'ticket')::timestamptz = '2025-01-01'",
        "SELECT id FROM people WHERE seen || '' = '2025-01-01'",
    ] {
        assert_eq!(advice(&people, "q.sql", query), [], "{query}");
    }
}
