//! `check --fix` and `--diff`: what is edited, what is left alone, and that a second run changes nothing.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use sargable::{
    lint::fix,
    rules::{self, Example},
};
use serde_json::Value;

use crate::{
    check::json,
    cli::{Ran, Run, sargable},
};

const ALL: [&str; 6] = ["--no-config", "check", "--set", "pedantic,preview", "--fail-on", "never"];

fn check(more: &[&str]) -> Run {
    sargable(&[&ALL, more].concat())
}

/// What becomes of the file `q.sql`, with these tables.
#[track_caller]
fn fixed(schema: &str, sql: &str) -> String {
    let run =
        check(&["--fix", "--schema", "schema.ddl", "q.sql"]).file("schema.ddl", schema).file("q.sql", sql);
    let path = run.folder().join("q.sql");
    let folder = run.folder();
    run.keep(0);
    let text = fs::read_to_string(path).expect("it is there");
    fs::remove_dir_all(folder).expect("the folder of the test");
    text
}

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, status text, total numeric, created_at timestamptz NOT NULL);
CREATE INDEX ON orders (user_id); CREATE INDEX by_time ON orders (created_at); CREATE INDEX ON orders (status);
CREATE TABLE invoices (id bigint PRIMARY KEY, user_id bigint); CREATE INDEX ON invoices (user_id);";

/// Before and after, by rule.
const CASES: &[(&str, &str, &str)] = &[
    (
        "redundant-distinct",
        "SELECT DISTINCT o.id, u.name FROM orders o JOIN users u ON u.id = o.user_id WHERE o.user_id = $1;",
        "SELECT o.id, u.name FROM orders o JOIN users u ON u.id = o.user_id WHERE o.user_id = $1;",
    ),
    (
        "distinct-with-key",
        "SELECT DISTINCT id, status FROM orders WHERE user_id = $1;",
        "SELECT id, status FROM orders WHERE user_id = $1;",
    ),
    (
        "distinct-in-subquery",
        "SELECT name FROM users WHERE id IN (\n  SELECT DISTINCT user_id FROM orders WHERE total > 5) LIMIT 1;",
        "SELECT name FROM users WHERE id IN (\n  SELECT user_id FROM orders WHERE total > 5) LIMIT 1;",
    ),
    (
        "order-in-subquery",
        "SELECT name FROM users WHERE id IN (SELECT user_id FROM orders\n  ORDER BY created_at) LIMIT 1;",
        "SELECT name FROM users WHERE id IN (SELECT user_id FROM orders) LIMIT 1;",
    ),
    (
        "count-for-existence",
        "SELECT name FROM users u WHERE (SELECT count(*) FROM orders o WHERE o.user_id = u.id) > 0 LIMIT 1;",
        "SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id) LIMIT 1;",
    ),
    (
        "count-for-existence",
        "SELECT name FROM users u WHERE (SELECT count(*) FROM orders o WHERE o.user_id = u.id) = 0 LIMIT 1;",
        "SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id) LIMIT 1;",
    ),
    (
        "duplicate-predicate",
        "SELECT total FROM orders WHERE user_id = 7 AND status = 'é' AND user_id = 7;",
        "SELECT total FROM orders WHERE user_id = 7 AND status = 'é';",
    ),
    (
        "unused-cte",
        "WITH a AS (SELECT id FROM orders), b AS (SELECT id FROM users WHERE id = $1) SELECT id FROM b;",
        "WITH b AS (SELECT id FROM users WHERE id = $1) SELECT id FROM b;",
    ),
    (
        "unused-cte",
        "WITH a AS (SELECT id FROM orders) SELECT id FROM users WHERE id = $1;",
        "SELECT id FROM users WHERE id = $1;",
    ),
    (
        "unused-join",
        "SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE (o.id = $1);",
        "SELECT o.id FROM orders o WHERE (o.id = $1);",
    ),
    (
        "union-of-distinct-rows",
        "SELECT 'o' AS kind, id FROM orders WHERE user_id = $1 UNION SELECT 'i', id FROM invoices WHERE user_id = $1;",
        "SELECT 'o' AS kind, id FROM orders WHERE user_id = $1 UNION ALL SELECT 'i', id FROM invoices WHERE user_id = $1;",
    ),
    (
        "nulls-order",
        "SELECT id FROM orders ORDER BY created_at DESC NULLS LAST LIMIT 20;",
        "SELECT id FROM orders ORDER BY created_at DESC LIMIT 20;",
    ),
    (
        "keyset-as-or",
        "SELECT id FROM orders WHERE created_at > $1 OR (created_at = $1 AND id > $2) ORDER BY created_at, id LIMIT 20;",
        "SELECT id FROM orders WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT 20;",
    ),
    (
        "left-join-undone",
        "SELECT u.name, o.total FROM users u LEFT OUTER JOIN orders o ON o.user_id = u.id WHERE o.status = 'open' AND u.id = $1;",
        "SELECT u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.status = 'open' AND u.id = $1;",
    ),
    (
        "coalesce-on-column",
        "SELECT id FROM orders WHERE coalesce(user_id, 0) = 7;",
        "SELECT id FROM orders WHERE user_id = 7;",
    ),
    (
        "is-not-distinct-from",
        "SELECT id FROM orders WHERE status IS NOT DISTINCT FROM 'open' LIMIT 10;",
        "SELECT id FROM orders WHERE status = 'open' LIMIT 10;",
    ),
    (
        "unused-suppression",
        "-- sargable: allow(select-star) once it was\nSELECT id FROM users WHERE id = 1;",
        "SELECT id FROM users WHERE id = 1;",
    ),
];

#[test]
fn each_rule_with_a_fix_has_a_case() {
    let cases: Vec<&str> = CASES.iter().map(|(rule, ..)| *rule).collect();
    for rule in fix::rules() {
        assert!(rules::BUILTIN.iter().any(|known| known.name == rule), "there is no rule {rule}");
        assert!(cases.contains(&rule), "{rule} is not tried");
    }
    for (rule, before, after) in CASES {
        let text = fixed(SHOP, before);
        assert_eq!(text, *after, "{rule}");
        assert_eq!(fixed(SHOP, after), *after, "{rule}: a second run");
    }
}

/// What must stay, though a rule finds something in it.
#[test]
fn what_is_not_certain_is_left() {
    for sql in [
        // As many rows as the tags have words.
        "SELECT DISTINCT id, unnest(string_to_array(status, ',')) FROM orders WHERE user_id = $1;",
        // No count of rows, but of values.
        "SELECT name FROM users u WHERE (SELECT count(o.total) FROM orders o WHERE o.user_id = u.id) > 0 LIMIT 1;",
        "SELECT name FROM users u WHERE (SELECT count(*) FROM orders o WHERE o.user_id = u.id LIMIT 0) > 0 LIMIT 1;",
        // The column would be called otherwise.
        "SELECT (SELECT count(*) FROM orders o WHERE o.user_id = u.id) > 0 FROM users u WHERE id = $1;",
        // A placeholder would be gone, and the next ones mean others.
        "WITH a AS (SELECT id FROM orders WHERE id = $1) SELECT id FROM users WHERE id = $2;",
        "SELECT id FROM orders WHERE created_at > ? OR (created_at = ? AND id > ?) ORDER BY created_at, id LIMIT 20;",
        // So would a comment.
        "SELECT total FROM orders WHERE user_id = $1 AND status = 'a' -- but not b\n AND status = 'a';",
        // The value is what NULL stands for.
        "SELECT id FROM orders WHERE coalesce(total, 0) = 0 LIMIT 10;",
        "SELECT id FROM orders WHERE coalesce(total, 0) = 5 OR user_id = 3;",
        "SELECT id FROM orders WHERE NOT (status IS NOT DISTINCT FROM 'open') LIMIT 10;",
        // AND binds closer than OR.
        "SELECT id FROM orders WHERE user_id = 3 AND created_at > $1 OR (created_at = $1 AND id > $2) LIMIT 20;",
    ] {
        assert_eq!(fixed(SHOP, sql), sql);
    }
}

const STAR: &str = "SELECT total FROM orders WHERE id = 1 AND total > 5 AND total > 5;";
const STAR_FIXED: &str = "SELECT total FROM orders WHERE id = 1 AND total > 5;";

#[test]
fn line_ends_marks_and_permissions_are_kept() {
    let text = |sql: &str| format!("\u{feff}-- häufig\r\n{sql}\r\nSELECT 'ä';\r\n");
    let run = check(&["--fix", "q.sql"]).file("q.sql", text(STAR));
    let (folder, path) = (run.folder(), run.folder().join("q.sql"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
    std::os::unix::fs::symlink("q.sql", folder.join("link.sql")).expect("room");
    let ran = run.keep(0);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text(STAR_FIXED));
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
    assert!(ran.stderr.contains("1 finding in 1 file fixed: duplicate-predicate 1"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 2, "nothing is left over");
    fs::remove_dir_all(folder).expect("the folder of the test");
}

#[test]
fn a_diff_writes_nothing() {
    let run = check(&["--diff", "."]).file("a/q.sql", STAR).file("b.sql", "SELECT 1;\n");
    let folder = run.folder();
    let ran = run.keep(1);
    let wanted = format!(
        "--- a/a/q.sql\n+++ b/a/q.sql\n@@ -1,1 +1,1 @@\n-{STAR}\n\\ No newline at end of file\n+{STAR_FIXED}\n\\ No newline at end of file\n"
    );
    assert_eq!(ran.stdout, wanted);
    assert!(ran.stderr.contains("1 finding in 1 file can be fixed"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(folder.join("a/q.sql")).expect("it is there"), STAR);
    fs::remove_dir_all(folder).expect("the folder of the test");
    assert_eq!(check(&["--diff", "."]).file("b.sql", "SELECT 1;\n").ends(0).stdout, "");

    let ran = check(&["--diff", "-"]).stdin(STAR).ends(1);
    assert!(
        ran.stdout.contains("\n+SELECT total FROM orders WHERE id = 1 AND total > 5;\n"),
        "{}",
        ran.stdout
    );
    let ran = check(&["--fix", "-"]).stdin(STAR).ends(2);
    assert!(ran.stderr.contains("standard input cannot be fixed in place"), "{}", ran.stderr);
}

/// Strings are edited where they are what the program says, and left where anything is put in.
#[test]
fn programs_and_templates() {
    let python = format!(
        "a = db.execute(\"{STAR}\")\nb = db.execute(f\"SELECT total FROM orders WHERE id = {{x}} AND total > 5 AND total > 5\")\n"
    );
    let run = check(&["--fix", "."]).file("a.py", &python).file(
        "t.sql",
        "{% if x %}\nSELECT total FROM orders WHERE id = 1 AND total > 5 AND total > 5;\n{% endif %}\n",
    );
    let folder = run.folder();
    let ran = run.keep(0);
    let after = fs::read_to_string(folder.join("a.py")).expect("it is there");
    assert_eq!(after, python.replacen(STAR, STAR_FIXED, 1));
    assert!(fs::read_to_string(folder.join("t.sql")).expect("it is there").contains("5 AND total > 5;"));
    assert!(ran.stderr.contains("left for a person"), "{}", ran.stderr);
    fs::remove_dir_all(folder).expect("the folder of the test");
}

/// What is allowed, known or unchanged is nobody's wish to have edited.
#[test]
fn only_findings_that_count_are_fixed() {
    let text = format!("-- sargable: allow(duplicate-predicate) generated\n{STAR}\n");
    assert_eq!(fixed(SHOP, &text), text);
}

#[test]
fn formats_carry_the_edits() {
    let text = "SELECT 'ä', total\nFROM orders WHERE id = 1 AND total > 5 AND total > 5;\n";
    let run = |format: &str| json(&check(&["--format", format]).file("q.sql", text).ends(0).stdout);
    let of = |value: &Value| -> Value {
        value
            .as_array()
            .and_then(|list| list.iter().find(|one| one.to_string().contains("stands twice")))
            .cloned()
            .expect("it is found")
    };
    let report = of(&run("json")["findings"]);
    assert_eq!(
        report["fix"],
        serde_json::json!({ "region": { "line": 2, "column": 39, "end_line": 2, "end_column": 53 }, "text": "" })
    );
    let sarif = of(&run("sarif")["runs"][0]["results"]);
    let change = &sarif["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "q.sql");
    assert_eq!(change["replacements"][0]["deletedRegion"]["endColumn"], 53);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "");
    let suggestion = &of(&run("rdjson")["diagnostics"])["suggestions"][0];
    assert_eq!(suggestion["range"]["start"], serde_json::json!({ "line": 2, "column": 39 }));
    let page = check(&[]).file("q.sql", text).ends(0).stdout;
    assert!(page.contains("= help     fixable with --fix"), "{page}");
    let shown = sargable(&["rules", "show", "duplicate-predicate"]).ends(0).stdout;
    assert!(shown.contains("--fix"), "{shown}");
}

/// The files of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text")))
        .collect()
}

/// Of no table that an example names.
const NONE: &str = "CREATE TABLE nobody_reads (id int PRIMARY KEY);";

/// A second run over every rule's bad examples changes nothing, and none gets worse.
#[test]
fn fixing_twice_is_fixing_once() {
    let sql =
        |example: &Example| (!example.sql.trim().is_empty()).then(|| format!("{};\n", example.sql.trim()));
    let mut by_schema: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rule in rules::BUILTIN.iter() {
        for example in &rule.examples.bad {
            let schema = example.schema.as_deref().unwrap_or(NONE);
            // With a schema only where there is something to fix: each is a run of its own.
            if schema == NONE || fix::has(&rule.name) {
                by_schema.entry(schema).or_default().extend(sql(example));
            }
        }
    }
    let mut changed = 0;
    for (schema, statements) in by_schema {
        let folder = tempfile::tempdir().expect("a folder");
        let queries = folder.path().join("q");
        fs::create_dir(&queries).expect("room");
        fs::write(folder.path().join("schema.ddl"), schema).expect("room");
        for (number, statement) in statements.iter().enumerate() {
            fs::write(queries.join(format!("{number}.sql")), statement).expect("room");
        }
        let fix = || -> (Ran, BTreeMap<String, String>) {
            let schema = folder.path().join("schema.ddl").display().to_string();
            let ran = check(&["--fix", "--schema", &schema, &queries.display().to_string()]).ends(0);
            (ran, files(&queries))
        };
        let before = files(&queries);
        let (_, once) = fix();
        let (said, twice) = fix();
        assert_eq!(once, twice, "{}", said.stderr);
        assert!(said.stderr.contains("0 findings in 0 files fixed"), "{}", said.stderr);
        changed += before.iter().filter(|(name, text)| once.get(*name) != Some(text)).count();
    }
    assert!(changed >= 15, "{changed} examples are fixed");
}

/// `-- name: GetUser :one` is how its callers know the statement.
#[test]
fn findings_carry_the_name_of_the_query() {
    let text = "-- name: ListOrders :many\nSELECT total FROM orders WHERE id = 1 AND total > 5 AND total > 5;\n\n-- plain\nSELECT total FROM lines WHERE id = 1 AND total > 5 AND total > 5;\n";
    let run = |format: &str| check(&["--format", format]).file("q.sql", text).ends(0).stdout;
    let report = json(&run("json"));
    let names: Vec<&Value> =
        report["findings"].as_array().expect("findings").iter().map(|one| &one["query_name"]).collect();
    assert_eq!(names, [&Value::from("ListOrders"), &Value::Null], "{report:#}");
    assert!(run("text").contains("= query    ListOrders"), "{}", run("text"));
}
