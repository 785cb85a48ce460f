//! One set of queries, explained by PostgreSQL 15 in each format (`fixtures/plans/formats`: `schema.sql`,
//! `queries.sql`): what the formats carry alike is read alike.
//!
//! `plain` is EXPLAIN, `analyzed` ANALYZE with BUFFERS and WAL, `verbose` ANALYZE with VERBOSE, BUFFERS and
//! TIMING OFF, both with SETTINGS. Each format is an execution of its own, so that measured plans are compared
//! without what differs between two executions.

use std::{collections::BTreeMap, fs, io::Read as _, sync::LazyLock};

use proptest::prelude::*;
use sargable::plan::{Node, Plan};
use serde_json::Value;

/// The plans of a file by the name of their query.
fn cases(file: &str) -> BTreeMap<String, String> {
    let path = format!("fixtures/plans/formats/{file}");
    let text = if let Ok(text) = fs::read_to_string(&path) {
        text
    } else {
        let packed = fs::File::open(format!("{path}.gz")).expect("a fixture");
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("a fixture");
        text
    };
    let cases: BTreeMap<String, String> = text
        .split("== ")
        .filter_map(|case| case.split_once('\n'))
        .map(|(name, plan)| (name.to_owned(), plan.to_owned()))
        .collect();
    assert_eq!(cases.len(), 85, "{path}");
    cases
}

#[track_caller]
fn read(name: &str, text: &str) -> Plan {
    Plan::from_text(text).unwrap_or_else(|not| panic!("{name}: {}\n{text}", not.why))
}

/// The plan as JSON: one object.
fn object(plan: &Plan) -> &Value {
    plan.json.as_array().map_or(&plan.json, |plans| &plans[0])
}

/// What two executions of a query need not have in common.
fn varies(key: &str) -> bool {
    let measured =
        ["Time", "Blocks", "WAL FPI", "WAL Bytes", "Usage", "Sort Space Used", "Workers", "Timing"];
    key == "Planning" || measured.iter().any(|word| key.contains(word))
}

/// Parallel workers share the rows differently each time.
fn is_shared(node: &Value) -> bool {
    matches!(node.get("Node Type").and_then(Value::as_str), Some("Gather" | "Gather Merge"))
}

/// Compares two readings of a plan.
#[derive(Default)]
struct Differences {
    /// Keys may differ that vary between executions, and the first reading may say less.
    loose: bool,
    /// Where the first says what the second does not, or otherwise.
    wrong: Vec<String>,
    /// What the second says and the first does not.
    missing: Vec<String>,
}

impl Differences {
    fn find(&mut self, at: &str, one: &Value, other: &Value, shared: bool) {
        let shared = shared || is_shared(one);
        match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                for (key, value) in one {
                    let rows = shared && matches!(key.as_str(), "Actual Rows" | "Actual Loops");
                    match other.get(key) {
                        Some(_) if self.loose && (varies(key) || rows) => {}
                        Some(other) => self.find(&format!("{at}/{key}"), value, other, shared),
                        None => self.wrong.push(format!("{at}/{key}: {value} is not there")),
                    }
                }
                for (key, value) in other {
                    let nothing = matches!(value, Value::Bool(false)) || value.as_f64() == Some(0.0);
                    if !one.contains_key(key) && !(self.loose && (nothing || varies(key))) {
                        self.missing.push(format!("{at}/{key}"));
                    }
                }
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (n, (one, other)) in one.iter().zip(other).enumerate() {
                    self.find(&format!("{at}/{n}"), one, other, shared);
                }
            }
            (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
            _ if one == other => {}
            _ => self.wrong.push(format!("{at}: {one}, not {other}")),
        }
    }
}

/// All that JSON says, for each query.
fn compare(one: &str, other: &str, loose: bool) -> Differences {
    let (ones, others) = (cases(one), cases(other));
    let mut differences = Differences { loose, ..Differences::default() };
    for (name, text) in &ones {
        let (one, other) = (read(name, text), read(name, &others[name]));
        differences.find(name, object(&one), object(&other), false);
    }
    differences
}

#[test]
fn text_says_what_json_says() {
    // Of a function scan the text does not tell the alias from the function.
    let unclear = ["rows-from/Plan/Function Name: \"two\" is not there"];
    let plain = compare("plain.text", "plain.json", true);
    assert_eq!(plain.wrong, unclear);
    plain.missing.iter().for_each(|key| assert!(key.ends_with("/Inner Unique"), "{key}"));
    for kind in ["analyzed", "verbose"] {
        let measured = compare(&format!("{kind}.text"), &format!("{kind}.json"), true);
        assert_eq!(measured.wrong, unclear, "{kind}");
        for key in &measured.missing {
            let left_out = ["/Inner Unique", "/Triggers", "/Relation", "/Trigger Name"];
            let known = left_out.iter().any(|end| key.ends_with(end)) || key.contains("/Original Hash ");
            assert!(known, "{kind}: {key}");
        }
    }
}

#[test]
fn xml_and_yaml_say_exactly_what_json_says() {
    for format in ["xml", "yaml"] {
        let plain = compare(&format!("plain.{format}"), "plain.json", false);
        assert_eq!((plain.wrong, plain.missing), (Vec::new(), Vec::new()), "{format}");
        let measured = compare(&format!("verbose.{format}"), "verbose.json", true);
        assert_eq!((measured.wrong, measured.missing), (Vec::new(), Vec::new()), "{format}");
    }
}

/// The nodes themselves, not their JSON: all of a plain plan, whatever the format.
#[test]
fn nodes_are_equal() {
    let json = cases("plain.json");
    for format in ["text", "xml", "yaml"] {
        for (name, text) in cases(&format!("plain.{format}")).iter().filter(|(name, _)| *name != "rows-from")
        {
            let (ours, theirs) = (read(name, text), read(name, &json[name]));
            let (mut ours, theirs) = (ours.root, theirs.root);
            // Zeros are left out of the text.
            if format == "text" {
                same_zeros(&mut ours, &theirs);
            }
            assert_eq!(ours, theirs, "{format} {name}");
        }
    }
}

/// `Planned Partitions: 0` and the like have no line of their own.
fn same_zeros(ours: &mut Node, theirs: &Node) {
    for (ours, theirs) in ours.children.iter_mut().zip(&theirs.children) {
        same_zeros(ours, theirs);
    }
    assert_eq!(ours.disk_kb.or(Some(0)), theirs.disk_kb.or(Some(0)));
    ours.disk_kb = theirs.disk_kb;
}

/// What ANALYZE measures is there in every format: rows, loops, times unless they are off, and blocks.
#[test]
fn what_was_measured_is_read() {
    for (kind, formats) in
        [("analyzed", &["text", "json"][..]), ("verbose", &["text", "json", "xml", "yaml"])]
    {
        for format in formats {
            let (mut never, mut on_disk, mut timed) = (0, 0, 0);
            for (name, text) in cases(&format!("{kind}.{format}")) {
                let plan = read(&name, &text);
                assert!(plan.execution_ms.is_some() && plan.planning_ms.is_some(), "{format} {name}");
                for node in plan.nodes() {
                    assert_eq!(node.actual.is_none(), node.never_executed, "{format} {name}: {node:?}");
                    never += usize::from(node.never_executed);
                    timed += usize::from(node.total_ms().is_some());
                    on_disk += usize::from(node.sort_space.is_some_and(|(_, disk)| disk));
                }
            }
            assert!(never >= 2 && on_disk >= 1, "{kind}.{format}: {never} {on_disk}");
            assert_eq!(timed > 200, kind == "analyzed", "{kind}.{format}: {timed}");
        }
    }
}

/// What PostgreSQL 15 does not write: 13, 16, 17 and 18 by the sources of their `explain.c`.
#[test]
fn lines_of_other_versions() {
    let plan = read(
        "versions",
        "Hash Right Anti Join  (cost=1.00..2.00 rows=3 width=4) (actual time=0.100..0.200 rows=0.33 loops=3)
  Disabled: true
  Hash Cond: (a.id = b.id)
  Buffers: shared hit=3 read=4, temp read=1 written=2
  I/O Timings: shared read=1.500, temp write=0.250
  InitPlan 1
    ->  Materialize  (cost=0.00..1.00 rows=1 width=4) (never executed)
  ->  Index Only Scan Backward using i on a  (cost=0.00..1.00 rows=1 width=4) (actual rows=2.50 loops=2)
        Index Cond: (id = (InitPlan 1).col1)
        Heap Fetches: 7
        Index Searches: 2
  ->  Hash  (cost=0.00..1.00 rows=1 width=4) (actual rows=2.50 loops=2)
        Buckets: 2048 (originally 1024)  Batches: 4 (originally 1)  Memory Usage: 9kB
        ->  New Scan on b  (cost=0.00..1.00 rows=1 width=4) (actual rows=2.50 loops=2)
Planning:
  Memory: used=9kB  allocated=16kB
Planning Time: 0.100 ms
Execution Time: 1.000 ms",
    );
    let root = &plan.root;
    assert_eq!((root.node_type.as_str(), root.join_type.as_deref()), ("Hash Join", Some("Right Anti")));
    assert!((root.total_rows() - 0.99).abs() < 1e-9);
    let buffers = root.buffers.expect("a line of buffers");
    assert_eq!((buffers.shared_hit, buffers.temp_written, buffers.shared_dirtied), (3, 2, 0));
    assert_eq!(plan.json["Plan"]["Shared I/O Read Time"], 1.5);
    assert_eq!(plan.json["Plan"]["Disabled"], true);
    let labels: Vec<_> = root.children.iter().map(|child| child.relationship.as_str()).collect();
    assert_eq!(labels, ["InitPlan", "Outer", "Inner"]);
    assert!(root.children[0].never_executed);
    let scan = &root.children[1];
    assert_eq!((scan.index.as_deref(), scan.heap_fetches), (Some("i"), Some(7)));
    assert!(scan.actual.is_some_and(|actual| actual.total_ms.is_none()));
    assert_eq!(root.children[2].hash_batches, Some(4));
    assert_eq!(root.children[2].children[0].node_type, "New Scan");
    assert_eq!(plan.execution_ms, Some(1.0));
}

/// As `psql` shows it in its styles, and as grids copy it.
#[test]
fn pasted_plans() {
    let plain = "Sort  (cost=1.00..2.00 rows=3 width=4)\n  Sort Key: a\n  ->  Seq Scan on t x  (cost=0.00..1.00 rows=3 width=4)\n        Filter: (a = 'b\n c'::text)";
    let expect = read("plain", plain).root;
    assert_eq!(expect.children[0].filter.as_deref(), Some("(a = 'b\n c'::text)"));
    let rows = plain.replacen("'b\n c'", "'b\u{1}\n c'", 1);
    let rows = |mark: &str| rows.replace('\u{1}', mark);
    let indented: String = rows("       +").lines().map(|line| format!(" {line}\n")).collect();
    let psql = format!(
        "shop=# EXPLAIN SELECT 1;\n              QUERY PLAN              \n-------------------\n{indented}(4 rows)\n\n"
    );
    let framed: String = rows("   ↵").lines().map(|line| format!("│ {line:<70} │\n")).collect();
    let framed = format!("┌──────┐\n│ {:^70} │\n├──────┤\n{framed}└──────┘\n(4 Zeilen)\n", "QUERY PLAN");
    let windows = psql.replace('\n', "\r\n");
    for pasted in [&psql, &framed] {
        assert_eq!(read("pasted", pasted).root, expect);
    }
    assert_eq!(read("pasted", &windows).root.children[0].relation, expect.children[0].relation);
    let one_line = "Seq Scan on t  (cost=0.00..1.00 rows=3 width=4)\n  Filter: (\"A\" = 1)";
    let grid: String = one_line.lines().map(|line| format!("\"{}\"\n", line.replace('"', "\"\""))).collect();
    assert_eq!(read("grid", &format!("\"QUERY PLAN\"\n{grid}")).root, read("plain", one_line).root);
    let json = " QUERY PLAN \n------------\n [         +\n   {\"Plan\": {\"Node Type\": \"Result\"}}+\n ]\n(1 row)\n";
    assert_eq!(read("json", json).root.node_type, "Result");
    let bare = "Limit\n  ->  Seq Scan on orders o (actual rows=1 loops=1)\n        Filter: (a = 1)";
    let bare = read("costs off", bare).root;
    assert_eq!(bare.children[0].alias.as_deref(), Some("o"));
}

#[test]
fn what_is_no_plan_says_why() {
    let deep: String = (0..2_000)
        .map(|n| format!("{}->  Limit  (cost=0.00..1.00 rows=1 width=4)\n", " ".repeat((n * 6 + 2).min(600))))
        .collect();
    let deep = format!("Limit  (cost=0.00..1.00 rows=1 width=4)\n{deep}");
    for (text, why) in [
        ("", "no line of a plan"),
        ("Query Text: SELECT 1\nLimit 5", "no line of a plan"),
        ("<explain><Query-Text>", "it is cut"),
        ("Plan:\n\t- x: [", "it is not YAML"),
        (&deep, "nested deeper"),
        (&"x".repeat(17 << 20), "larger than"),
    ] {
        let not = Plan::from_text(text).expect_err("no plan");
        assert!(not.why.contains(why), "{}: {:.60}", not.why, text);
    }
}

static REAL: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let files = ["analyzed.text", "verbose.text", "plain.json", "plain.xml", "plain.yaml"];
    files.iter().map(|file| cases(file).into_values().collect()).collect()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A log may be cut anywhere, and bytes may be anything: reading ends, and does not panic.
    #[test]
    fn any_cut_and_change_is_read(
        file in any::<prop::sample::Index>(),
        case in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        lines in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
    ) {
        let mut rows: Vec<&str> = case.get(file.get(REAL.as_slice()).as_slice()).lines().collect();
        for (one, other) in lines {
            let (one, other) = (one.index(rows.len()), other.index(rows.len()));
            rows.swap(one, other);
        }
        let mut bytes = rows.join("\n").into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Ok(plan) = Plan::from_text(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(!plan.nodes().is_empty());
        }
    }
}
