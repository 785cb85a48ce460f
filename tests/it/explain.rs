//! `sargable explain` of pasted plans: every format gives the same tree, what was found names its node, and two
//! plans are compared.

use std::{fs, io::Read as _};

use proptest::prelude::*;
use sargable::{
    plan::Plan,
    report::{
        plan_diff::{self, Change},
        plan_tree::{PlanTree, WasteKind},
        text::{Style, render_plan_diff},
    },
};
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::cli::sargable;

fn fixture(name: &str) -> String {
    let path = format!("fixtures/plans/{name}.json");
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"))
}

fn plan(name: &str) -> Plan {
    Plan::from_text(&fixture(name)).expect("a plan")
}

fn tree(name: &str) -> PlanTree {
    PlanTree::new(&plan(name), "pasted", &[])
}

/// The page of a pasted plan, whose lines keep to the width.
#[track_caller]
fn page(name: &str, width: usize, more: &[&str]) -> String {
    let args = [&["explain", "-"], more].concat();
    let ran = sargable(&args).env("COLUMNS", &width.to_string()).stdin(fixture(name)).ends(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

#[track_caller]
fn json(args: &[&str], stdin: &str) -> Value {
    let args = [&["explain", "--format", "json"], args].concat();
    serde_json::from_str(&sargable(&args).stdin(stdin).ends(0).stdout).expect("JSON")
}

/// One query of the set that PostgreSQL printed in each format.
fn case(file: &str, name: &str) -> String {
    let path = format!("fixtures/plans/formats/{file}");
    let mut text = String::new();
    match fs::File::open(format!("{path}.gz")) {
        Ok(packed) => _ = flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("a fixture"),
        Err(_) => text = fs::read_to_string(&path).expect("a fixture"),
    }
    let mut cases = text.split("== ").filter_map(|case| case.split_once('\n'));
    cases.find(|(own, _)| *own == name).unwrap_or_else(|| panic!("{path} has no {name}")).1.to_owned()
}

#[test]
fn a_plan_in_each_format() {
    let text = case("plain.text", "hash-join");
    let outline = |report: &Value| -> Vec<String> {
        let nodes = report["plan_tree"]["nodes"].as_array().expect("nodes");
        nodes
            .iter()
            .map(|node| format!("{} {} {}", node["depth"], node["title"], node["conditions"]))
            .collect()
    };
    let told = json(&["-"], &text);
    assert_eq!(told["inputs"][0]["format"], "plan");
    assert!(outline(&told).len() > 2, "{told}");
    for file in ["plain.json", "plain.xml", "plain.yaml"] {
        assert_eq!(outline(&json(&["-"], &case(file, "hash-join"))), outline(&told), "{file}");
    }
    // From a file, by its name or by the flag.
    for args in [["explain", "plan.txt"], ["explain", "--file=plan.txt"]] {
        let ran = sargable(&args).file("plan.txt", &text).ends(0);
        assert!(ran.stdout.starts_with("Plan\n") && ran.stderr.is_empty(), "{}", ran.stdout);
    }
}

/// psql's frame, its prompt and the words of the command line above it.
#[test]
fn a_plan_as_psql_shows_it() {
    let text = "shop=# EXPLAIN SELECT id FROM t WHERE a = 1;
                     QUERY PLAN
----------------------------------------------------
 Seq Scan on t  (cost=0.00..25.88 rows=6 width=4)
   Filter: (a = 1)
(2 rows)
";
    let report = json(&["-"], text);
    assert_eq!(report["plan_tree"]["nodes"][0]["title"], "Seq Scan on t");
    assert_eq!(report["plan_tree"]["measured"], false);
    assert_eq!(report["plan_tree"]["share_of"], "cost");
}

#[test]
fn whole_screens() {
    for (name, width) in [
        ("cost/loop-under", 80),
        ("cost/loop-under", 200),
        ("cost/sort-limit-parallel", 80),
        ("cost/triggers", 80),
        ("cost/jit-most", 200),
        ("rule-seq-scan-hash-join", 80),
    ] {
        let page = page(name, width, &[]);
        let wide: Vec<&str> = page.lines().filter(|line| line.width() > width).collect();
        assert!(wide.is_empty(), "{name} at {width}: {wide:#?}");
        assert!(page.contains("#  node"), "{page}");
        insta::assert_snapshot!(format!("{}_at_{width}", name.replace('/', "_")), page);
    }
}

#[test]
fn colour_and_ascii_say_the_same() {
    let codes = regex::Regex::new("\x1b\\[[0-9;]*m").expect("a fixed pattern");
    let plain = page("cost/loop-under", 100, &["--color", "never"]);
    let coloured = page("cost/loop-under", 100, &["--color", "always"]);
    assert_ne!(coloured, plain);
    assert_eq!(codes.replace_all(&coloured, ""), plain);
    let run = sargable(&["explain", "-"]).env("LC_ALL", "C").stdin(fixture("cost/loop-under")).ends(0);
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
    assert!(
        run.stdout.contains("|-Seq Scan on addresses a") && run.stdout.contains("x200"),
        "{}",
        run.stdout
    );
}

/// What is said of a node stands at the node.
#[test]
fn findings_name_their_node() {
    for (name, rule, title) in [
        ("cost/sort-disk", "disk-spill", "Sort"),
        ("cost/hash-disk", "disk-spill", "Hash"),
        ("cost/aggregate-disk", "disk-spill", "HashAggregate"),
        ("cost/index-filter", "index-filter", "Index Scan using orders_status on orders"),
        ("cost/heap-fetches", "heap-fetches", "Index Only Scan using visits_page on visits"),
        ("cost/bitmap-lossy", "lossy-bitmap", "Bitmap Heap Scan on notes"),
        ("cost/cte-rescan", "cte-rescan", "CTE Scan on t t2"),
        ("cost/loop-under", "nested-loop", "Nested Loop"),
        ("cost/loop-under", "row-estimate", "Seq Scan on addresses a"),
        ("cost/estimate-correlated", "row-estimate", "Seq Scan on addresses"),
        ("cost/estimate-function", "row-estimate", "Function Scan on ids g"),
        ("cost/partitions-all", "partitions-searched", "Append"),
        ("cost/workers-missing", "workers-missing", "Gather"),
        ("cost/cast-filter", "cast-in-plan", "Seq Scan on orders"),
        ("cost/sort-limit", "sort-for-limit", "Sort"),
        ("cost/subplan-loops", "subquery-per-row", "SubPlan 1: Aggregate"),
        ("rule-seq-scan-email", "seq-scan", "Parallel Seq Scan on users"),
    ] {
        let report = json(&["-"], &fixture(name));
        let findings = report["findings"].as_array().expect("a list");
        let at = findings.iter().position(|finding| finding["rule"] == rule);
        let at = at.unwrap_or_else(|| panic!("{name}: no {rule} in {findings:#?}"));
        let number = findings[at]["node"].as_u64().unwrap_or_else(|| panic!("{name}: no node"));
        let nodes = report["plan_tree"]["nodes"].as_array().expect("nodes");
        let node = &nodes[usize::try_from(number).expect("small") - 1];
        assert!(
            node["title"].as_str().is_some_and(|own| own.starts_with(title)),
            "{name}: {} is not {title}",
            node["title"]
        );
        assert!(
            node["findings"].as_array().expect("a list").contains(&Value::from(at + 1)),
            "{name}: {node}"
        );
        assert_eq!(findings[at]["query"], Value::Null, "nobody knows the statement");
    }
    // These are about no node.
    for (name, rule) in [
        ("cost/jit-most", "jit-overhead"),
        ("cost/triggers", "trigger-time"),
        ("cost/planning-slow", "planning-time"),
    ] {
        let report = json(&["-"], &fixture(name));
        assert!(
            report["findings"].as_array().expect("a list").iter().any(|finding| finding["rule"] == rule),
            "{name}"
        );
    }
}

/// Without the statement, what the plan's own condition says.
#[test]
fn likely_cause_of_a_misestimate() {
    for (name, cause, advice) in [
        (
            "cost/estimate-correlated",
            "correlated_columns",
            "CREATE STATISTICS addresses_city_zip (dependencies, mcv) ON city, zip FROM addresses; ANALYZE addresses;",
        ),
        (
            "cost/estimate-over",
            "expression",
            "CREATE STATISTICS addresses_expression ON (upper(street)) FROM addresses",
        ),
        ("cost/estimate-function", "function", "ALTER FUNCTION ids ROWS 100000"),
    ] {
        let report = json(&["-"], &fixture(name));
        let finding = report["findings"]
            .as_array()
            .and_then(|all| all.iter().find(|finding| finding["rule"] == "row-estimate"))
            .unwrap_or_else(|| panic!("{name}: none"));
        assert_eq!(finding["detail"]["cause"], cause, "{name}");
        assert!(finding["instead"].as_str().is_some_and(|own| own.contains(advice)), "{name}: {finding}");
    }
}

#[test]
fn a_statement_in_the_plan_is_judged_too() {
    let logged = r#"{"Query Text": "SELECT * FROM users WHERE lower(email) = 'x'",
        "Plan": {"Node Type": "Seq Scan", "Relation Name": "users", "Alias": "users", "Startup Cost": 0.0,
                 "Total Cost": 9.0, "Plan Rows": 1, "Plan Width": 8, "Filter": "(lower(email) = 'x'::text)"}}"#;
    let report = json(&["-"], logged);
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|finding| finding["rule"].as_str())
        .collect();
    assert!(rules.contains(&"function-on-column") && rules.contains(&"select-star"), "{rules:?}");
    assert_eq!(report["coverage"]["planned"], 1);
}

#[test]
fn what_is_neither_says_so() {
    for (text, words) in [
        ("[{\"Plan\": 7}]", "the plan is not understood"),
        ("<explain>", "the plan is not understood"),
        ("QUERY PLAN\n-----\nnothing", "the plan is not understood"),
        ("no such thing", "the statement is not understood"),
        ("", "holds 0 statements"),
    ] {
        let ran = sargable(&["explain", "-"]).stdin(text).ends(2);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(words), "{text}: {}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
    let ran = sargable(&["explain", "nowhere.sql"]).ends(2);
    assert!(ran.stderr.contains("cannot read nowhere.sql"), "{}", ran.stderr);
}

/// A pasted plan is read where the environment names a server that is not there.
#[test]
fn a_pasted_plan_asks_no_server() {
    let run = sargable(&["explain", "-"]).env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    assert_eq!(run.stdin(fixture("cost/sort-disk")).ends(0).stderr, "");
}

#[test]
fn the_json_keeps_to_its_schema() {
    let schema = fs::read_to_string("docs/report.schema.json").expect("the schema");
    let validator =
        jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    for name in
        ["cost/loop-under", "cost/triggers", "cost/sort-limit-parallel", "not-analyzed", "never-executed"]
    {
        let report = json(&["-"], &fixture(name));
        let wrong: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{name}");
    }
}

/// Self times are parts of the whole: none is lost, none counted twice, but for what EXPLAIN rounds.
#[test]
fn times_of_the_nodes_add_up() {
    let mut looked_at = 0;
    for entry in fs::read_dir("fixtures/plans/cost").expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let Some(name) = path.file_stem().filter(|_| path.extension().is_some_and(|end| end == "json"))
        else {
            continue;
        };
        let name = name.to_string_lossy();
        let tree = tree(&format!("cost/{name}"));
        let Some(root) = tree.nodes[0].total_ms.filter(|_| tree.measured) else { continue };
        let sum: f64 = tree.nodes.iter().filter_map(|node| node.self_ms).sum();
        // EXPLAIN prints the average of the loops in microseconds.
        let loops: f64 = tree.nodes.iter().filter_map(|node| node.loops).sum();
        let slack = root * 0.15 + loops * 0.001 + 0.01;
        assert!((sum - root).abs() <= slack, "{name}: {sum} of {root}");
        assert!(
            tree.nodes.iter().all(|node| node.share.is_none_or(|share| (0.0..=1.0).contains(&share))),
            "{name}"
        );
        // Where a trigger takes the time, no node does.
        assert_eq!(tree.worst.is_some(), name != "triggers", "{name}");
        looked_at += 1;
    }
    assert!(looked_at > 40, "{looked_at}");
    let costs = tree("rule-seq-scan-hash-join");
    let shares: f64 = costs.nodes.iter().filter_map(|node| node.share).sum();
    assert!((shares - 1.0).abs() < 0.01, "{shares}");
}

#[test]
fn figures_of_a_node() {
    let tree = tree("cost/index-filter");
    let scan = tree.nodes.iter().find(|node| node.node_type == "Index Scan").expect("a scan");
    let removed =
        scan.wastes.iter().find(|waste| waste.kind == WasteKind::RowsRemovedByFilter).expect("a waste");
    assert!((removed.amount - 179_800.0).abs() < 1.0, "{removed:?}");
    let own: u64 = tree.nodes.iter().filter_map(|node| node.buffers).map(|own| own.hit + own.read).sum();
    let all = plan("cost/index-filter").root.buffers.expect("pages");
    assert_eq!(own, all.shared_hit + all.shared_read);
}

#[test]
fn two_plans_side_by_side() {
    // The same statement, where a hash join does what a nested loop did.
    let (before, after) = (plan("cost/sort-disk"), plan("cost/sort-memory"));
    let same = plan_diff::diff(&before, &before);
    assert!(same.is_same() && same.rows.iter().all(|row| row.before == row.after));
    assert!(plan_diff::diff(&before, &after).is_same(), "memory is no other plan");
    let diff = plan_diff::diff(&plan("cost/index-filter"), &plan("cost/index-filter-bitmap"));
    let changes: Vec<(Change, Option<&str>, Option<&str>)> = diff
        .rows
        .iter()
        .map(|row| {
            (
                row.change,
                row.before.as_ref().map(|one| one.title.as_str()),
                row.after.as_ref().map(|one| one.title.as_str()),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            (
                Change::Changed,
                Some("Index Scan using orders_status on orders"),
                Some("Bitmap Heap Scan on orders")
            ),
            (Change::Added, None, Some("Bitmap Index Scan on orders_status")),
        ]
    );
    for width in [80, 200] {
        let style = Style { width, color: false, unicode: true };
        let page = render_plan_diff(&diff, ["before", "after"], &style);
        assert!(page.lines().all(|line| line.width() <= width), "{page}");
        insta::assert_snapshot!(format!("two_plans_at_{width}"), page);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is pasted: a page or an error, and a diff in which every node stands once.
    #[test]
    fn any_plan_is_shown(names in proptest::collection::vec(0_usize..12, 1..12), deep in any::<bool>()) {
        let kinds = ["Seq Scan", "Sort", "Hash Join", "Nested Loop", "Gather", "Aggregate", "Limit", "CTE Scan", "Append", "Materialize", "Index Scan", "?"];
        let mut json = serde_json::json!({"Node Type": "Result", "Total Cost": 1e308, "Plan Rows": -1});
        for name in &names {
            let child = serde_json::json!({"Node Type": kinds[*name], "Actual Loops": 3, "Actual Rows": 1e300, "Actual Total Time": 7.5,
                "Total Cost": 0, "Relation Name": "t", "Workers Planned": 2, "Heap Fetches": u64::MAX, "Peak Memory Usage": u64::MAX, "Hash Batches": 9,
                "Shared Hit Blocks": u64::MAX, "Shared Read Blocks": u64::MAX, "Subplan Name": "InitPlan 1 (returns $0)", "Parent Relationship": "InitPlan", "Plans": [json.clone()]});
            json = if deep { child } else { serde_json::json!({"Node Type": "Append", "Plans": [json, child]}) };
        }
        let plan = Plan::from_json(json).expect("a plan");
        let tree = PlanTree::new(&plan, "pasted", &[]);
        prop_assert_eq!(tree.nodes.len(), plan.nodes().len());
        let other = self::plan("cost/loop-under");
        let diff = plan_diff::diff(&plan, &other);
        prop_assert_eq!(diff.rows.iter().filter(|row| row.before.is_some()).count(), plan.nodes().len());
        prop_assert_eq!(diff.rows.iter().filter(|row| row.after.is_some()).count(), other.nodes().len());
        for width in [1, 80, 200] {
            let page = render_plan_diff(&diff, ["a", "b"], &Style { width, color: true, unicode: false });
            prop_assert!(page.is_ascii());
        }
    }
}
