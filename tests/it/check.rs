//! `sargable check` as CI and a person run it: what it says, what is allowed, what is new.

use std::process::Command;

use serde_json::Value;

use crate::cli::{Ran, Run, sargable};

/// Two files: a star, a whole table, a statement with a tab before it, and one that is good.
pub(crate) const USERS: &str =
    "-- Users\nSELECT id FROM users WHERE id = 1;\n\n\tSELECT *\n  FROM users\n WHERE id = 2;\n";
pub(crate) const ORDERS: &str = "SELECT o.*, c.name\nFROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.note <> 'a very long constant that goes on and on, so that no terminal of eighty columns can show the whole line with its mark';\nSELECT id FROM users;\n";

pub(crate) fn shop(args: &[&str]) -> Run {
    sargable(args).file("sql/users.sql", USERS).file("sql/orders.sql", ORDERS)
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `file:line:column rule severity` of each finding.
pub(crate) fn places(ran: &Ran) -> Vec<String> {
    let report = json(&ran.stdout);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut places: Vec<String> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| {
            let place = if one["region"].is_null() { &one["at"] } else { &one["region"] };
            let (file, line, column) = (text(&one["at"]["file"]), &place["line"], &place["column"]);
            format!("{file}:{line}:{column} {} {}", text(&one["rule"]), text(&one["severity"]))
        })
        .collect();
    places.sort();
    places
}

#[test]
fn findings_as_a_compiler_gives_them() {
    let narrow = shop(&["check", "sql"]).env("COLUMNS", "80").ends(1).stdout;
    insta::assert_snapshot!("check_at_80_columns", narrow);
    let wide = shop(&["check", "sql"]).env("COLUMNS", "200").ends(1).stdout;
    insta::assert_snapshot!("check_at_200_columns", wide);
    for line in narrow.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(wide.contains("--> sql/users.sql:4:9\n"), "the star, not the statement\n{wide}");

    let colour = shop(&["check", "sql", "--color", "always"]).env("COLUMNS", "80").ends(1).stdout;
    assert!(colour.contains("\u{1b}["));
    let escapes = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a fixed pattern");
    assert_eq!(escapes.replace_all(&colour, ""), narrow, "colour only repeats what the words say");
}

#[test]
fn the_same_query_is_found_at_each_of_its_places() {
    let ran = sargable(&["check", "--format", "json"])
        .file("a.sql", "SELECT * FROM users WHERE id = 1;\n")
        .file("b.sql", "select  *\nfrom users where id = 22;\n")
        .ends(1);
    assert_eq!(places(&ran), ["a.sql:1:8 select-star warning", "b.sql:1:9 select-star warning"]);
}

const ALLOWED: &str = "\
-- sargable: allow(select-star) the export takes all
SELECT * FROM a WHERE id = 1;
SELECT * FROM b WHERE id = 1; -- sargable: allow(SG004): on its line
SELECT * /* sargable: allow(select-star) */ FROM c WHERE id = 1;
/* sargable: allow-begin(select-star, unbounded-select) generated */
SELECT * FROM d WHERE id = 1;
SELECT * FROM e;
-- sargable: allow-end
SELECT * FROM f WHERE id = 1;
SELECT '-- sargable: allow-file(select-star)';
";

#[test]
fn comments_allow_rules() {
    let ran = sargable(&["check", "--format", "json"]).file("a.sql", ALLOWED).ends(1);
    assert_eq!(places(&ran), ["a.sql:9:8 select-star warning"]);
    let suppressed = json(&ran.stdout)["check"]["suppressed"].clone();
    let reasons: Vec<&Value> =
        suppressed.as_array().expect("a list").iter().map(|one| &one["reason"]).collect();
    let generated = Value::from("generated");
    let expect = [&Value::from("the export takes all"), &Value::from("on its line"), &Value::Null];
    assert_eq!(reasons, [&expect[..], &[&generated, &generated, &generated]].concat());
    let page = sargable(&["check"]).file("a.sql", ALLOWED).ends(1).stdout;
    assert!(page.contains("not counted: 6 allowed by comments"), "{page}");
    let whole = format!(
        "-- sargable: allow-file(select-star, unbounded-select)\n{}",
        ALLOWED.replace("sargable: allow", "")
    );
    sargable(&["check"]).file("a.sql", whole).ends(0);
}

#[test]
fn comments_that_do_nothing_are_found() {
    let text = "-- sargable: allow(select-star, unbounded-select)\nSELECT id FROM a WHERE id = 1;\n-- sargable: allow(select-str)\nSELECT id FROM a WHERE id = 2;\n-- sargable: allow-end\n-- sargable: allow(seq-scan) nobody can tell\nSELECT id FROM a WHERE id = 3;\n";
    let ran = sargable(&["check", "--format", "json"]).file("a.sql", text).ends(1);
    assert_eq!(
        places(&ran),
        [
            "a.sql:1:20 unused-suppression warning",
            "a.sql:1:33 unused-suppression warning",
            "a.sql:3:20 unknown-rule-in-suppression warning",
            "a.sql:5:1 unknown-rule-in-suppression warning",
        ]
    );
    let off = ["check", "--no-rule", "SG900,unknown-rule-in-suppression"];
    sargable(&off).file("a.sql", text).ends(0);
    // A rule that is off finds nothing anywhere: that proves nothing of the comment.
    let text = "-- sargable: allow(select-star)\nSELECT id FROM a WHERE id = 1;\n";
    sargable(&["check", "--no-rule", "select-star"]).file("a.sql", text).ends(0);
}

const CONFIG: &str = "check:
  fail-on: error
  exclude: ['vendor/**']
  rules:
    select-star: error
    unbounded-select: off
  overrides:
    - paths: ['legacy/**']
      rules:
        SG004: { severity: note }
    - paths: ['legacy/new/**']
      rules:
        select-star: warning
";

#[test]
fn the_configuration_says_what_holds_where() {
    let files = |run: Run| {
        let star = "SELECT * FROM t WHERE id = 1;\n";
        run.file("app/a.sql", format!("{star}SELECT id FROM t;\n"))
            .file("legacy/b.sql", star)
            .file("legacy/new/c.sql", star)
            .file("vendor/d.sql", star)
    };
    let ran = files(sargable(&["check", "--format", "json"]).file("sargable.yaml", CONFIG)).ends(1);
    let expect = [
        "app/a.sql:1:8 select-star error",
        "legacy/b.sql:1:8 select-star note",
        "legacy/new/c.sql:1:8 select-star warning",
    ];
    assert_eq!(places(&ran), expect);
    // A file that is excluded is, also when a hook names it; flags come last.
    files(sargable(&["check", "legacy", "vendor/d.sql"]).file("sargable.yaml", CONFIG)).ends(0);
    files(sargable(&["check", "legacy", "--fail-on", "note"]).file("sargable.yaml", CONFIG)).ends(1);
    let none = ["check", "--no-rule", "select-star"];
    files(sargable(&none).file("sargable.yaml", CONFIG)).ends(0);
    let again = ["check", "app", "--rule", "SG005", "--format", "json"];
    let ran = files(sargable(&again).file("sargable.yaml", CONFIG)).ends(1);
    assert!(places(&ran).contains(&"app/a.sql:2:16 unbounded-select note".to_owned()), "{:?}", places(&ran));
}

#[test]
fn parameters_take_the_place_of_the_rules_own() {
    let config = "check:\n  rules:\n    unbounded-select:\n      params: { offset: 5 }\n";
    let sql = "SELECT id FROM t ORDER BY id LIMIT 10 OFFSET 7;\n";
    assert_eq!(places(&sargable(&["check", "--format", "json"]).file("a.sql", sql).ends(0)), [""; 0]);
    let ran =
        sargable(&["check", "--format", "json"]).file("a.sql", sql).file("sargable.yaml", config).ends(1);
    assert_eq!(places(&ran), ["a.sql:1:1 unbounded-select warning"]);
}

#[test]
fn errors_of_the_configuration_have_a_place() {
    for (config, said) in [
        (
            "check:\n  rules:\n    select-str: off\n",
            "sargable.yaml:3:5: there is no rule `select-str`\n  help: did you mean `select-star`?",
        ),
        (
            "check:\n  rules:\n    select-star: of\n",
            "sargable.yaml:3:18: check.rules.select-star: unknown severity `of`\n  help: did you mean `off`?",
        ),
        (
            "check:\n  rules:\n    select-star:\n      params: { column: 3 }\n",
            "select-star has no parameter `column`\n  help: select-star has column_bytes, columns, row_bytes",
        ),
        ("check:\n  sets: [pedantics]\n", "unknown set `pedantics`\n  help: did you mean `pedantic`?"),
        ("check:\n  fail_on: note\n", "unknown field `fail_on`\n  help: did you mean `fail-on`?"),
    ] {
        let ran = shop(&["check"]).file("sargable.yaml", config).ends(2);
        assert!(ran.stderr.contains(said), "{config}\n{}", ran.stderr);
    }
    let ran = shop(&["check", "--rule", "select-str"]).ends(2);
    assert!(ran.stderr.contains("there is no rule `select-str`\n  help: did you mean `select-star`?"));
}

#[test]
fn a_baseline_knows_queries_not_places() {
    let first = shop(&["check", "sql", "--write-baseline", "known.json"]);
    let folder = first.folder();
    let baseline = {
        let ran = first.keep(0);
        assert!(ran.stderr.contains("findings written"), "{}", ran.stderr);
        std::fs::read_to_string(folder.join("known.json")).expect("the baseline")
    };
    std::fs::remove_dir_all(&folder).expect("the folder of the test");
    assert!(!baseline.contains("users.sql"), "no place in it\n{baseline}");
    let args = ["check", "--baseline", "known.json"];
    // Moved, formatted, other constants.
    let moved = USERS.replace("\tSELECT *\n  FROM users\n WHERE id = 2", "select * from users where id = 99");
    let run = |users: &str| {
        sargable(&args)
            .file("known.json", &baseline)
            .file("elsewhere/u.sql", users)
            .file("sql/orders.sql", ORDERS)
    };
    let ran = run(&moved).ends(0);
    assert!(ran.stdout.contains("known by the baseline"), "{}", ran.stdout);
    // Once more is new, and so is another query.
    run(&format!("{moved}SELECT * FROM users WHERE id = 3;\n")).ends(1);
    let ran = run("SELECT id FROM users WHERE id = 1;\n").ends(0);
    assert!(ran.stdout.contains("can be removed from the baseline"), "{}", ran.stdout);
    let ran = shop(&["check", "--baseline", "sargable.yaml"]).file("sargable.yaml", "").ends(2);
    assert!(ran.stderr.contains("not a baseline"), "{}", ran.stderr);
}

fn git(run: &Run, args: &[&str]) {
    let out = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(run.folder())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git starts");
    assert!(out.status.success(), "{args:?}\n{}", String::from_utf8_lossy(&out.stderr));
}

fn committed(args: &[&str]) -> Run {
    let run = shop(args).env("PATH", &std::env::var("PATH").unwrap_or_default());
    for args in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&run, args);
    }
    run
}

#[test]
fn only_what_changed_is_told() {
    let since = ["check", "--changed-since", "HEAD", "--format", "json"];
    // Nothing changed: nothing is SQL, and that is good.
    assert_eq!(places(&committed(&since).ends(0)), [""; 0]);
    let star = "SELECT * FROM t WHERE id = 1;\n";
    let changed = committed(&since)
        .file("sql/orders.sql", format!("{ORDERS}{star}"))
        .file("new/ä b.sql", star)
        .file("README", "no SQL\n");
    let expect = ["new/ä b.sql:1:8 select-star warning", "sql/orders.sql:4:8 select-star warning"];
    let ran = changed.ends(1);
    assert_eq!(places(&ran), expect);
    assert!(json(&ran.stdout)["check"]["hidden"]["unchanged"].as_u64() > Some(0));

    let staged = committed(&["check", "sql", "--staged", "--format", "json"])
        .file("sql/orders.sql", ORDERS.replace("o.customer_id", "o.payer_id"))
        .file("sql/new.sql", star);
    git(&staged, &["add", "sql/orders.sql"]);
    assert_eq!(places(&staged.ends(1)), ["sql/orders.sql:1:8 select-star warning"]);

    let ran = committed(&["check", "--changed-since", "no-such-branch"]).ends(2);
    assert!(ran.stderr.contains("git cannot say what changed"), "{}", ran.stderr);
}

#[test]
fn a_diff_on_standard_input_says_which_lines_count() {
    let diff = "--- a/sql/orders.sql\n+++ b/sql/orders.sql\n@@ -2,0 +3 @@\n+SELECT id FROM users;\n";
    let args = ["check", "sql", "--diff-lines", "--fail-on", "note", "--format", "json"];
    let ran = shop(&args).stdin(diff).ends(1);
    assert_eq!(places(&ran), ["sql/orders.sql:3:16 unbounded-select note"]);
    assert!(shop(&args).stdin("SELECT 1").ends(2).stderr.contains("it is no unified diff"));
}

#[test]
fn a_server_of_the_environment_may_be_away() {
    let url = "postgres://nobody@127.0.0.1:1/none";
    let ran = shop(&["check", "sql"]).env("DATABASE_URL", url).ends(1);
    assert!(ran.stderr.starts_with("warning: cannot connect"), "{}", ran.stderr);
    let ran = shop(&["check", "sql", "--database-url", url]).ends(2);
    assert!(ran.stderr.starts_with("error: cannot connect"), "{}", ran.stderr);
}

#[test]
fn a_workload_ranks_and_mutes() {
    // The first is hot in the log, the second stands in it and is cold, the third is not in it.
    let log = "2026-11-23 10:00:00.000 UTC [1] LOG:  duration: 990.000 ms  statement: SELECT * FROM hot WHERE id = 1\n2026-11-23 10:00:02.000 UTC [1] LOG:  duration: 1.000 ms  statement: SELECT * FROM cold WHERE id = 1\n2026-11-23 10:00:04.000 UTC [1] LOG:  duration: 9.000 ms  statement: SELECT * FROM elsewhere WHERE id = 1\n";
    let run = |args: &[&str]| {
        sargable(&[&["check", "q.sql", "--workload", "pg.log", "--format", "json"][..], args].concat())
            .file("pg.log", log)
            .file("q.sql", "SELECT * FROM none WHERE id = 1;\nSELECT * FROM cold WHERE id = 1;\nSELECT * FROM hot WHERE id = 1;\n")
    };
    let lines = |ran: &Ran| -> Vec<u64> {
        let report = json(&ran.stdout);
        let findings = report["findings"].as_array().expect("findings");
        findings.iter().filter_map(|one| one["at"]["line"].as_u64()).collect()
    };
    let ran = run(&[]).ends(1);
    assert_eq!(lines(&ran), [3, 2, 1], "the dearest first");
    assert_eq!(json(&ran.stdout)["check"]["hidden"]["elsewhere"], 1);
    let ran = run(&["--min-share", "1%"]).ends(1);
    assert_eq!(lines(&ran), [3]);
    assert_eq!(json(&ran.stdout)["check"]["hidden"]["cold"], 2);
}

#[test]
fn init_writes_a_configuration_that_works() {
    let here = |args: &[&str]| {
        sargable(args)
            .file("db/migrate/1.sql", "SELECT * FROM old WHERE id = 1;\n")
            .file("app/it's/q.sql", "SELECT id FROM users WHERE id = 1;\n")
            .file("node_modules/x/y.sql", "SELECT * FROM t WHERE id = 1;\n")
            .file("package.json", "{\"dependencies\": {\"knex\": \"3\"}}")
    };
    here(&["check"]).ends(1);
    let text = here(&["init", "--stdout"]).ends(0).stdout;
    insta::assert_snapshot!("init", text);
    here(&["check"]).file("sargable.yaml", &text).ends(0);
    let ran = here(&["init"]).file("sargable.yaml", "").ends(2);
    assert!(ran.stderr.contains("sargable.yaml is there already"), "{}", ran.stderr);
}
