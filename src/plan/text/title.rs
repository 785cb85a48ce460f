//! The line of a node: `->  Parallel Index Scan using i on s.t a  (cost=…) (actual …)`.

use serde_json::{Number, Value};

use crate::plan::keys::{self, Object};

/// How a node's name in the text form is told in the others.
struct Name {
    text: &'static str,
    node_type: &'static str,
    /// A further property and its value.
    with: Option<(&'static str, &'static str)>,
}

const fn name(text: &'static str) -> Name {
    Name { text, node_type: text, with: None }
}

const fn named(text: &'static str, node_type: &'static str, key: &'static str, value: &'static str) -> Name {
    Name { text, node_type, with: Some((key, value)) }
}

/// A name that begins like another stands before it.
const NAMES: &[Name] = &[
    name("Append"),
    named("Aggregate", "Aggregate", "Strategy", "Plain"),
    name("BitmapAnd"),
    name("BitmapOr"),
    name("Bitmap Heap Scan"),
    name("Bitmap Index Scan"),
    name("CTE Scan"),
    name("Custom Scan"),
    named("Delete on", "ModifyTable", "Operation", "Delete"),
    named("Foreign Delete", "Foreign Scan", "Operation", "Delete"),
    named("Foreign Insert", "Foreign Scan", "Operation", "Insert"),
    named("Foreign Scan", "Foreign Scan", "Operation", "Select"),
    named("Foreign Update", "Foreign Scan", "Operation", "Update"),
    name("Function Scan"),
    name("Gather Merge"),
    name("Gather"),
    named("GroupAggregate", "Aggregate", "Strategy", "Sorted"),
    name("Group"),
    named("HashAggregate", "Aggregate", "Strategy", "Hashed"),
    named("HashSetOp", "SetOp", "Strategy", "Hashed"),
    name("Hash"),
    name("Incremental Sort"),
    name("Index Only Scan"),
    name("Index Scan"),
    named("Insert on", "ModifyTable", "Operation", "Insert"),
    name("Limit"),
    name("LockRows"),
    name("Materialize"),
    name("Memoize"),
    name("Merge Append"),
    named("Merge on", "ModifyTable", "Operation", "Merge"),
    named("MixedAggregate", "Aggregate", "Strategy", "Mixed"),
    name("Named Tuplestore Scan"),
    name("ProjectSet"),
    name("Recursive Union"),
    name("Result"),
    name("Sample Scan"),
    name("Seq Scan"),
    named("SetOp", "SetOp", "Strategy", "Sorted"),
    name("Sort"),
    name("Subquery Scan"),
    name("Table Function Scan"),
    name("Tid Range Scan"),
    name("Tid Scan"),
    name("Unique"),
    named("Update on", "ModifyTable", "Operation", "Update"),
    name("Values Scan"),
    name("WindowAgg"),
    name("WorkTable Scan"),
];

const JOINS: &[&str] = &["Left", "Full", "Right Semi", "Right Anti", "Right", "Semi", "Anti"];

/// The properties that a node's line holds; `None` when it is no such line. Without figures (`COSTS OFF`)
/// it needs a name that is known.
pub(super) fn read(line: &str) -> Option<Object> {
    let figures = ["  (cost=", " (actual ", " (never executed)"].iter().find_map(|begin| line.rfind(begin));
    let (title, figures) = line.split_at(figures.unwrap_or(line.len()));
    let mut object = Object::new();
    let known = node(title.trim_end(), &mut object);
    if figures.is_empty() && !known {
        return None;
    }
    for part in figures.split(['(', ')']).map(str::trim).filter(|part| !part.is_empty()) {
        if part == "never executed" {
            measured_nothing(&mut object);
        } else if let Some(actual) = part.strip_prefix("actual ") {
            self::actual(actual, &mut object);
        } else {
            planned(part, &mut object)?;
        }
    }
    Some(object)
}

/// JSON has zeros for a node that never ran.
fn measured_nothing(object: &mut Object) {
    for key in ["Actual Rows", "Actual Loops"] {
        object.insert(key.to_owned(), Value::from(0));
    }
}

/// `cost=0.00..1.00 rows=1 width=4`.
fn planned(figures: &str, object: &mut Object) -> Option<()> {
    for figure in figures.split(' ') {
        match figure.split_once('=')? {
            ("cost", range) => {
                let (startup, total) = range.split_once("..")?;
                put(object, "Startup Cost", startup)?;
                put(object, "Total Cost", total)?;
            }
            ("rows", rows) => put(object, "Plan Rows", rows)?,
            ("width", width) => put(object, "Plan Width", width)?,
            _ => {}
        }
    }
    Some(())
}

/// `time=0.010..0.020 rows=1 loops=1`, of a node or of one of its workers.
pub(super) fn actual(figures: &str, object: &mut Object) {
    for figure in figures.split(' ') {
        let _ = match figure.split_once('=') {
            Some(("time", range)) => range.split_once("..").and_then(|(startup, total)| {
                put(object, "Actual Startup Time", startup)?;
                put(object, "Actual Total Time", total)
            }),
            Some(("rows", rows)) => put(object, "Actual Rows", rows),
            Some(("loops", loops)) => put(object, "Actual Loops", loops),
            _ => None,
        };
    }
}

fn put(object: &mut Object, key: &str, number: &str) -> Option<()> {
    let number: Number = match keys::number(number)? {
        Value::Number(number) => number,
        _ => return None,
    };
    object.insert(key.to_owned(), Value::Number(number));
    Some(())
}

/// Reads the words before the figures; false when the node's name is not known.
fn node(title: &str, object: &mut Object) -> bool {
    let mut set = |key: &str, value: &str| _ = object.insert(key.to_owned(), Value::from(value));
    let (parallel, title) = without(title, "Parallel ");
    let (asynchronous, title) = without(title, "Async ");
    let (mode, title) = ["Partial", "Finalize"]
        .into_iter()
        .find_map(|mode| Some((mode, title.strip_prefix(mode)?.strip_prefix(' ')?)))
        .unwrap_or(("Simple", title));
    let (known, mut rest) = if let Some((join, rest)) = join(title) {
        let (node_type, join_type) = join;
        set("Node Type", node_type);
        set("Join Type", join_type);
        (true, rest)
    } else if let Some((name, rest)) = NAMES.iter().find_map(|name| Some((name, word(title, name.text)?))) {
        set("Node Type", name.node_type);
        if let Some((key, value)) = name.with {
            set(key, value);
        }
        if name.node_type == "Aggregate" {
            set("Partial Mode", mode);
        }
        (true, rest)
    } else {
        let end = [" using ", " on "].iter().filter_map(|word| title.find(word)).min();
        let (name, rest) = title.split_at(end.unwrap_or(title.len()));
        set("Node Type", name);
        (false, rest)
    };
    if let Some(operation) = object.get("Operation").and_then(Value::as_str).map(str::to_owned)
        && title.starts_with(&format!("{operation} on"))
    {
        // The word `on` went with the name.
        rest = &title[operation.len()..];
    }
    object.insert("Parallel Aware".to_owned(), Value::Bool(parallel));
    if asynchronous {
        object.insert("Async Capable".to_owned(), Value::Bool(true));
    }
    // A line of a statement (`Limit 5`) may begin with a node's name.
    let known = known
        && (rest.is_empty() || [" on ", " using ", " Backward"].iter().any(|word| rest.starts_with(word)));
    target(rest, object);
    known
}

fn without<'a>(text: &'a str, prefix: &str) -> (bool, &'a str) {
    text.strip_prefix(prefix).map_or((false, text), |rest| (true, rest))
}

/// What follows a name that ends here.
fn word<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// `Nested Loop Left Join`, `Merge Join`: the node's type and how it joins.
fn join(title: &str) -> Option<((&'static str, &'static str), &str)> {
    let (node_type, rest) = [("Nested Loop", "Nested Loop"), ("Hash", "Hash Join"), ("Merge", "Merge Join")]
        .into_iter()
        .find_map(|(text, node_type)| Some((node_type, word(title, text)?)))?;
    for join in JOINS {
        let after = rest.strip_prefix(' ').and_then(|rest| word(rest, join)?.strip_prefix(" Join"));
        if let Some(after) = after {
            return Some(((node_type, join), after));
        }
    }
    match word(rest, " Join") {
        Some(rest) => Some(((node_type, "Inner"), rest)),
        None => (node_type == "Nested Loop").then_some(((node_type, "Inner"), rest)),
    }
}

/// `Backward using i on s.t a`, the command of a set operation, the name of a custom scan.
fn target(rest: &str, object: &mut Object) {
    let node_type = object.get("Node Type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut set = |key: &str, value: String| _ = object.insert(key.to_owned(), Value::from(value));
    let mut rest = rest;
    if matches!(node_type.as_str(), "Index Scan" | "Index Only Scan") {
        let (backward, after) = without(rest, " Backward");
        set("Scan Direction", if backward { "Backward" } else { "Forward" }.to_owned());
        rest = after;
    }
    if node_type == "SetOp" {
        set("Command", rest.trim().to_owned());
        return;
    }
    if node_type == "Custom Scan"
        && let Some((provider, after)) = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')'))
    {
        set("Custom Plan Provider", provider.to_owned());
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(" using ") {
        let (index, after) = identifier(after);
        set("Index Name", index);
        rest = after;
    }
    let Some(after) = rest.strip_prefix(" on ") else { return };
    if node_type == "Bitmap Index Scan" {
        set("Index Name", identifier(after).0);
        return;
    }
    relation(&node_type, after, object);
}

/// `s.t a`: what a node reads, under the name that JSON has for it. A node that reads nothing with a name has
/// its alias there; of a function scan the two cannot be told apart, and it is taken for the function.
pub(super) fn relation(node_type: &str, text: &str, object: &mut Object) {
    let mut set = |key: &str, value: String| _ = object.insert(key.to_owned(), Value::from(value));
    let (mut name, mut rest) = identifier(text);
    if let Some(after) = rest.strip_prefix('.') {
        let (inner, after) = identifier(after);
        set("Schema", std::mem::replace(&mut name, inner));
        rest = after;
    }
    let alias = rest.strip_prefix(' ').map_or_else(|| name.clone(), |alias| identifier(alias).0);
    let key = match node_type {
        "Values Scan" | "Subquery Scan" => None,
        "Function Scan" => Some("Function Name"),
        "Table Function Scan" => Some("Table Function Name"),
        "CTE Scan" | "WorkTable Scan" => Some("CTE Name"),
        "Named Tuplestore Scan" => Some("Tuplestore Name"),
        _ => Some("Relation Name"),
    };
    if let Some(key) = key {
        set(key, name);
    }
    set("Alias", alias);
}

/// A name without its quotes, and what follows it.
pub(super) fn identifier(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', ' ', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut name = String::new();
    let mut rest = quoted;
    while let Some((part, after)) = rest.split_once('"') {
        name.push_str(part);
        let Some(after) = after.strip_prefix('"') else { return (name, after) };
        name.push('"');
        rest = after;
    }
    name.push_str(rest);
    (name, "")
}
