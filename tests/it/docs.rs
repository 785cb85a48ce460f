//! The documentation keeps its word: the schema fits the output, every key is described, and every
//! path that is named exists.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use sargable::{
    error::NotJudged,
    report::{Report, json},
    workload::Workload,
};
use serde_json::{Value, json};

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(&read("docs/report.schema.json")).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("a JSON Schema")
});

/// What the tool would print of the fixture.
fn output() -> Value {
    let report: Report = serde_json::from_str(&read("fixtures/reports/shop.json")).expect("a report");
    serde_json::from_str(&json::render(&report)).expect("the report is JSON")
}

pub(crate) fn violations(instance: &Value) -> Vec<String> {
    SCHEMA.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path)).collect()
}

#[test]
fn the_report_satisfies_its_schema() {
    assert_eq!(violations(&output()), Vec::<String>::new());
}

#[test]
fn an_empty_report_satisfies_it_too() {
    let empty = Report::new(&[], &Workload::default(), Vec::new(), Vec::new(), &NotJudged::default());
    let empty = serde_json::from_str(&json::render(&empty)).expect("the report is JSON");
    assert_eq!(violations(&empty), Vec::<String>::new());
}

#[test]
fn the_schema_rejects_what_is_broken() {
    for (pointer, broken) in [
        ("/schema", json!("sargable.report/2")),
        ("/totals/total_ms", json!("12 ms")),
        ("/totals/executions", json!(-1)),
        ("/totals/first", json!("2026-11-23 04:00:01")),
        ("/totals/by_kind", json!({ "select": 1 })),
        ("/queries/0/id", json!("3C1F")),
        ("/queries/0/p99_ms", json!(-0.1)),
        ("/queries/0/rows", json!(1.5)),
        ("/findings/0/severity", json!("fatal")),
        ("/findings/0/code", json!("sg001")),
        ("/findings/0/at", json!({ "file": "a.sql", "line": 0, "column": 1 })),
        ("/advice/0/kind", json!("magic")),
        ("/advice/0/size_bytes", json!("14 MB")),
        ("/not_judged/0/count", json!(0)),
        ("/rules/seq-scan/title", Value::Null),
    ] {
        let mut report = output();
        *report.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = broken;
        assert!(!violations(&report).is_empty(), "{pointer}");
    }
}

#[test]
fn the_schema_asks_for_every_key_of_the_contract() {
    let report = output();
    for parent in
        ["", "/totals", "/totals/by_kind", "/queries/0", "/findings/0", "/advice/0", "/not_judged/0"]
    {
        let keys: Vec<String> =
            report.pointer(parent).and_then(Value::as_object).expect("an object").keys().cloned().collect();
        for key in keys.iter().filter(|key| *key != "rules") {
            let mut broken = report.clone();
            broken.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(key);
            assert!(!violations(&broken).is_empty(), "{parent} without {key}");
        }
    }
}

#[test]
fn every_key_is_described() {
    let page = read("docs/json-report.md");
    let mut keys = BTreeSet::new();
    let report = output();
    collect_keys(&report, &mut keys);
    let missing: Vec<&String> = keys.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/json-report.md says nothing of {missing:?}");
}

/// Every key but those of `detail`, which belong to the rules, and the names of rules.
fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                keys.insert(key.clone());
                match key.as_str() {
                    "detail" => {}
                    "rules" => {
                        value.as_object().into_iter().flat_map(|rules| rules.values()).for_each(|rule| {
                            collect_keys(rule, keys);
                        });
                    }
                    _ => collect_keys(value, keys),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

/// Paths of this repository that a page names: in backquotes, or as the first word of a line of a
/// code block.
fn paths_in(page: &str) -> Vec<String> {
    let named =
        regex::Regex::new(r"(?m)`([A-Za-z.][\w.\-/]*)`|^([a-z.][\w.\-/]*)\s").expect("a fixed pattern");
    let root = ["src/", "tests/", "docs/", "rules/", "fixtures/", "benches/", ".ci/"];
    named
        .captures_iter(page)
        .filter_map(|found| found.get(1).or(found.get(2)))
        .map(|path| path.as_str().to_owned())
        .filter(|path| root.iter().any(|folder| path.starts_with(folder)))
        .collect()
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut missing = Vec::new();
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/json-report.md",
        "docs/config.md",
        "docs/rule-format.md",
        "docs/stats.md",
    ] {
        let paths = paths_in(&read(page));
        assert!(paths.len() > 20 || page != "ARCHITECTURE.md", "the pattern finds too few paths");
        missing.extend(
            paths.iter().filter(|path| !Path::new(path).exists()).map(|path| format!("{page}: {path}")),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The table of ARCHITECTURE.md and that of the house test are one.
#[test]
fn the_layers_are_those_of_the_house_test() {
    let page = read("ARCHITECTURE.md");
    for (module, may_import) in crate::house::MAY_IMPORT {
        let imports = if may_import.is_empty() {
            "nothing of ours".to_owned()
        } else {
            may_import.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let row = format!("| `{module}` | {imports} |");
        assert!(page.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), crate::house::MAY_IMPORT.len());
}
