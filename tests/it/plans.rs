//! Real plans, each as an outline that a person can compare with what EXPLAIN prints.

use std::{fmt::Write as _, fs};

use sargable::plan::{Node, Plan};

/// One line a node: what it is, rows estimated and given in all, rows read, time of its own known or not.
fn outline(plan: &Plan) -> String {
    let mut text = String::new();
    write(&plan.root, 0, &mut text);
    text
}

fn write(node: &Node, depth: usize, text: &mut String) {
    let mut line = format!("{}{}", "  ".repeat(depth), node.node_type);
    if let Some(name) = &node.subplan_name {
        write!(line, " [{name}]").expect("a String takes it");
    }
    let names =
        [node.index.as_ref(), node.relation.as_ref().map(|relation| &relation.name), node.cte.as_ref()];
    for name in names.into_iter().flatten() {
        write!(line, " {name}").expect("a String takes it");
    }
    write!(line, ": est {}, ", node.rows).expect("a String takes it");
    match (&node.actual, node.never_executed) {
        (_, true) => line.push_str("never ran"),
        (None, _) => line.push_str("not analyzed"),
        (Some(actual), _) => {
            let (given, read) = (node.total_rows(), node.rows_read());
            write!(line, "gave {given} in {} loops, read {read}", actual.loops).expect("a String takes it");
            assert!(node.self_ms().is_some_and(|own| own >= 0.0 && Some(own) <= node.total_ms()), "{line}");
            assert!(node.buffers.is_some(), "{line}");
        }
    }
    for (word, condition) in [
        ("filter", &node.filter),
        ("index", &node.index_cond),
        ("hash", &node.hash_cond),
        ("recheck", &node.recheck_cond),
    ] {
        if let Some(condition) = condition {
            write!(line, "; {word} {condition}").expect("a String takes it");
        }
    }
    if !node.sort_keys.is_empty() {
        let place = match node.sort_space {
            Some((_, true)) => "on disk",
            Some((_, false)) => "in memory",
            None => "unknown",
        };
        write!(line, "; sorted by {} {place}", node.sort_keys.join(", ")).expect("a String takes it");
    }
    if let Some(batches) = node.hash_batches.filter(|&batches| batches > 1) {
        write!(line, "; {batches} batches").expect("a String takes it");
    }
    if node.disk_kb.is_some() {
        line.push_str("; spilled");
    }
    if let (Some(planned), Some(launched)) = (node.workers_planned, node.workers_launched) {
        write!(line, "; {launched} of {planned} workers").expect("a String takes it");
    }
    writeln!(text, "{line}").expect("a String takes it");
    for child in &node.children {
        write(child, depth + 1, text);
    }
}

#[test]
fn every_fixture() {
    let mut files: Vec<_> = fs::read_dir("fixtures/plans")
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        // Those belong to the examples of the rules.
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rule-")))
        .collect();
    files.sort();
    assert!(files.len() >= 14, "{files:?}");
    let mut text = String::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let plan = Plan::from_text(&fs::read_to_string(&file).expect("a plan")).expect("a plan");
        assert_eq!(plan.execution_ms.is_some(), name != "not-analyzed", "{name}");
        writeln!(text, "== {name}\n{}", outline(&plan)).expect("a String takes it");
    }
    insta::assert_snapshot!(text);
}
