//! `--schema`: DDL files that say what tables there are, beside what is checked.

use crate::{
    check::json,
    cli::{Ran, Run, sargable},
};

const SCHEMA: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);\nCREATE INDEX ON users (lower(email));\nCREATE INDEX a ON users (name);\nCREATE INDEX b ON users (name);\n";
const QUERIES: &str =
    "SELECT id, name FROM users WHERE lower(email) = $1;\nSELECT DISTINCT id FROM users WHERE id = $1;\n";

fn app(args: &[&str]) -> Run {
    sargable(args).file("db/schema.sql", SCHEMA).file("q/users.sql", QUERIES)
}

/// `file:line rule` of each finding, sorted.
fn found(ran: &Ran) -> Vec<String> {
    let report = json(&ran.stdout);
    let findings = report["findings"].as_array().expect("findings");
    let mut found: Vec<String> = findings
        .iter()
        .map(|one| {
            let at = &one["at"];
            format!(
                "{}:{} {}",
                at["file"].as_str().unwrap_or("-"),
                at["line"],
                one["rule"].as_str().expect("a rule")
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn rules_know_the_tables_of_the_schema_and_leave_its_own_faults_to_others() {
    let without = app(&["check", "--format", "json", "q"]).ends(0);
    assert_eq!(found(&without), ["q/users.sql:1 function-on-column"]);
    for schema in ["db", "db/schema.sql", "./db"] {
        let with = app(&["check", "--format", "json", "--schema", schema, "q"]).ends(1);
        assert_eq!(
            found(&with),
            ["q/users.sql:2 distinct-with-key", "q/users.sql:2 redundant-distinct"],
            "{schema}"
        );
        assert_eq!(json(&with.stdout)["coverage"]["with_schema"], 2);
    }
}

#[test]
fn a_schema_among_the_inputs_counts_once_and_is_judged() {
    let expect = [
        "db/schema.sql:4 duplicate-index",
        "q/users.sql:2 distinct-with-key",
        "q/users.sql:2 redundant-distinct",
    ];
    let flag = app(&["check", "--format", "json", "--schema", "db", "."]).ends(1);
    assert_eq!(found(&flag), expect);
    let config = app(&["check", "--format", "json", "."]).file("sargable.yaml", "schema: [db]\n").ends(1);
    assert_eq!(found(&config), expect);
}

#[test]
fn a_migration_is_held_against_the_schema_that_was_given() {
    let migration = "SET lock_timeout = '2s';\nALTER TABLE users ALTER COLUMN id SET NOT NULL;\nALTER TABLE users ALTER COLUMN name SET NOT NULL;\n";
    let ran = app(&["check", "--format", "json", "--schema", "db", "m.sql"]).file("m.sql", migration).ends(1);
    assert_eq!(found(&ran), ["m.sql:3 not-null-scan"]);
}

#[test]
fn what_is_no_schema_is_refused() {
    let missing = app(&["check", "--schema", "nowhere.sql", "q"]).ends(2);
    assert!(missing.stderr.contains("nowhere.sql"), "{}", missing.stderr);
    let empty = app(&["check", "--schema", "empty.sql", "q"]).file("empty.sql", "-- nothing\n").ends(2);
    assert!(empty.stderr.contains("holds no statement"), "{}", empty.stderr);
}

/// A patch that adds a column which the table has: the table was made by a later version of the schema.
#[test]
fn a_patch_of_an_older_schema_changes_nothing() {
    let patch = "SET lock_timeout = '2s';\nALTER TABLE users ADD COLUMN name text;\nCREATE INDEX CONCURRENTLY c ON users (name);\n";
    let ran = sargable(&["check", "--format", "json", "."])
        .file(
            "base.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY, name text);\nCREATE INDEX a ON users (name);\n",
        )
        .file("patches/1.2.sql", patch)
        .ends(0);
    assert_eq!(found(&ran), Vec::<String>::new());
}
