//! Rules of a project, as the person who writes them meets them: right ones count everywhere, wrong ones are
//! refused with what to change.

use std::fs;

use crate::{
    check::json,
    cli::{Run, sargable},
};

const NAMES: [&str; 3] = ["mixed-order", "no-direct-audit", "timestamp-compared"];

const SQL: &str = "SELECT id\n  FROM orders\n ORDER BY total, id DESC\n LIMIT 5;\n\nINSERT INTO audit_log (what) VALUES ('x');\n";

fn text(name: &str) -> String {
    let path = format!("fixtures/user-rules/{name}.yaml");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A folder with the three rules, and one SQL file that two of them are about.
fn project(args: &[&str]) -> Run {
    NAMES.iter().fold(sargable(args).file("a.sql", SQL), |run, name| {
        run.file(&format!(".sargable/rules/{name}.yaml"), text(name))
    })
}

#[test]
fn they_count_in_every_command() {
    let page = project(&["check", "a.sql"]).env("COLUMNS", "80").ends(1).stdout;
    insta::assert_snapshot!(page);
    for command in ["check", "analyze"] {
        let ran = project(&[command, "a.sql", "--format", "json", "--fail-on", "never"]).ends(0);
        let report = json(&ran.stdout);
        let found = report["findings"].as_array().expect("findings");
        let codes: Vec<&str> = found.iter().filter_map(|one| one["code"].as_str()).collect();
        assert_eq!(codes, ["SHOP-1", "SHOP-2"], "{command}");
        assert_eq!(report["rules"]["mixed-order"]["title"], "page sorted in mixed directions");
        assert_eq!(crate::docs::violations(&report), Vec::<String>::new(), "{command}");
    }
    let listed = project(&["rules", "list"]).ends(0).stdout;
    assert!(listed.ends_with("SHOP-3  timestamp-compared: predicate, note, needs schema\n        a timestamp without zone is compared\n"), "{listed}");
    let shown = project(&["rules", "show", "shop-1"]).env("COLUMNS", "80").ends(0).stdout;
    insta::assert_snapshot!(shown);
}

#[test]
fn they_are_allowed_and_set_like_any_other() {
    let allowed = format!(
        "-- sargable: allow(mixed-order, SHOP-1) a person looked\n{}",
        SQL.replace("\n\nINSERT", "\n\n-- sargable: allow(SHOP-1) so it is\nINSERT")
    )
    .replace("mixed-order, SHOP-1", "mixed-order");
    let ran = project(&["check", "b.sql"]).file("b.sql", &allowed).ends(0);
    assert!(ran.stdout.contains("no findings"), "{}", ran.stdout);
    let config = "check:\n  rules:\n    no-direct-audit: off\n    SHOP-2: error\n";
    let ran = project(&["check", "a.sql", "--format", "json"]).file("sargable.yaml", config).ends(1);
    let report = json(&ran.stdout);
    let found: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|one| Some((one["code"].as_str()?, one["severity"].as_str()?)))
        .collect();
    assert_eq!(found, [("SHOP-2", "error")]);
    let sarif = project(&["check", "a.sql", "--format", "sarif"]).ends(1).stdout;
    assert!(sarif.contains("page sorted in mixed directions"), "{sarif}");
}

/// What is wrong is said with its place and what was meant, before anything is read.
#[test]
fn a_wrong_rule_is_refused_with_its_place() {
    let (name, good) = ("timestamp-compared", text("timestamp-compared"));
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        let path = format!(".sargable/rules/{name}.yaml");
        let ran = project(&["check", "a.sql"]).file(&path, good.replacen(from, to, 1)).ends(2);
        assert_eq!(ran.stdout, "");
        ran.stderr
            .replace("error: .sargable/rules/timestamp-compared.yaml", "…")
            .replace(": not a rule file", "")
    };
    let operator = "operator: [\">\", \">=\", \"<\", \"<=\"]";
    let said = [
        refused("operator:", "operater:"),
        refused("\">=\"", "\"=>\""),
        refused(operator, "operator: ~"),
        refused(operator, "length: { atleast: 5 }"),
        refused(operator, "length: { at-least: many }"),
        refused(operator, "length: { at-least: param most }"),
        refused("type: timestamp", "type: 5"),
        refused("needs: [schema]", "needs: [syntax]"),
        refused("{column} of", "{colum} of"),
        refused("{column} of", "{rows} of"),
        refused("{table} ALTER", "{tabel} ALTER"),
        refused("because: \"{column}", "# because: \"{column}"),
        refused("match:", "detector: seq_scan\nmatch:"),
        refused("code: SHOP-3", "code: SG900"),
        refused("code: SHOP-3", "code: SHOP-1"),
        refused("code: SHOP-3", "code: shop-3"),
        refused("name: timestamp-compared", "name: Timestamp_Compared"),
        refused("name: timestamp-compared", "name: timestamp-compare"),
        refused("category: predicate", "category: predicates"),
        refused("https://www.postgresql.org/docs/", "https://example.com/"),
        refused("      because: at of t", "      # because: at of t"),
        refused(
            "    - sql: SELECT id FROM t WHERE at > $1\n      schema: CREATE TABLE t (id int, at timestamptz)",
            "",
        ),
        refused("severity: note", "severity: note\nparams: { days: { default: 7, unit: days, why: so } }"),
    ];
    insta::assert_snapshot!(said.concat());
}

#[test]
fn their_examples_are_run() {
    let ran = project(&["rules", "test", ".sargable/rules"]).ends(0);
    assert_eq!(ran.stdout, "3 rules, 12 examples: all as they should be\n");

    let broken = text("mixed-order")
        .replace("because: 2 sort keys", "because: two sort keys")
        .replace("ORDER BY a DESC, b, c LIMIT 3", "ORDER BY a, b, c LIMIT 3")
        .replace("SELECT id FROM t ORDER BY a, b LIMIT 3", "SELECT id FROM t ORDER BY a DESC, b LIMIT 3")
        .replace("SELECT id FROM t ORDER BY a, b DESC", "SELECT id FRM t ORDER BY a, b DESC");
    let ran = project(&["rules", "test", ".sargable/rules"])
        .file(".sargable/rules/mixed-order.yaml", &broken)
        .file(".sargable/rules/empty.yaml", "code: SHOP-9\n")
        .ends(1);
    insta::assert_snapshot!(ran.stdout);

    let ran = sargable(&["rules", "test", "."]).ends(2);
    insta::assert_snapshot!(ran.stderr, @r"
    error: there is no rule in .
      help: rules are files that end with .yaml
    ");
}

/// Without a folder, the built-in rules and the project's, from a binary alone.
#[test]
fn every_example_is_run_without_files() {
    let ran = project(&["rules", "test"]).ends(0);
    let count = sargable::rules::BUILTIN.len() + NAMES.len();
    assert!(ran.stdout.starts_with(&format!("{count} rules, ")), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(": all as they should be\n"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn the_list_is_filtered() {
    let listed = |args: &[&str]| {
        let args: Vec<&str> = ["rules", "list", "--format", "json"].iter().chain(args).copied().collect();
        let list = json(&sargable(&args).ends(0).stdout);
        assert_eq!(list["schema"], "sargable.rules/1");
        list["rules"].as_array().expect("rules").clone()
    };
    let all = listed(&[]);
    assert_eq!(all.len(), sargable::rules::BUILTIN.len());
    let whole = |key: &str, word: &str| {
        let found = listed(&[&format!("--{key}"), word]);
        assert!(!found.is_empty() && found.iter().all(|rule| rule[key] == word), "{key} {word}");
        assert_eq!(found.len(), all.iter().filter(|rule| rule[key] == word).count());
    };
    whole("set", "pedantic");
    whole("category", "join");
    whole("severity", "error");
    let alone = listed(&["--needs", "syntax"]);
    assert!(alone.iter().all(|rule| rule["needs"] == serde_json::json!(["syntax"])));
    assert!(listed(&["--needs", "schema"]).len() > alone.len());
    let both = listed(&["--set", "pedantic,preview", "--category", "predicate"]);
    assert!(both.iter().all(|rule| rule["category"] == "predicate" && rule["set"] != "default"));
    let refused = sargable(&["rules", "list", "--category", "predicates"]).ends(2).stderr;
    assert!(refused.contains("unknown category `predicates`"), "{refused}");
}

#[test]
fn the_schema_is_printed() {
    let printed = sargable(&["rules", "schema"]).ends(0).stdout;
    assert_eq!(printed, fs::read_to_string("docs/rule.schema.json").expect("the file"));
}
