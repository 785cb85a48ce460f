//! The lines below a node's line: conditions, keys, and what ANALYZE measured.

use serde_json::{Value, json};

use super::title;
use crate::plan::keys::{self, Object};

/// Reads `line` (without its indentation) into the node or the worker that it belongs to. False when it
/// is of no known form.
pub(super) fn read(line: &str, object: &mut Object) -> bool {
    let Some((key, value)) = line.split_once(':') else { return target(line, object) };
    let value = value.trim_start();
    match key {
        "Output" | "Sort Key" | "Presorted Key" | "Conflict Arbiter Indexes" => {
            insert(object, key, Value::from(list(value)));
        }
        "Group Key" | "Hash Key" => group(key, value, object),
        "Sort Method" => sort(line, object),
        "Full-sort Groups" | "Pre-sorted Groups" => sorted_groups(key, line, object),
        "Buckets" => pairs(line, object, |key| match key {
            "Batches" => "Hash Batches",
            "Memory Usage" => "Peak Memory Usage",
            _ => "Hash Buckets",
        }),
        "Batches" | "Planned Partitions" => pairs(line, object, |key| match key {
            "Batches" => "HashAgg Batches",
            "Memory Usage" => "Peak Memory Usage",
            "Disk Usage" => "Disk Usage",
            _ => "Planned Partitions",
        }),
        "Hits" => pairs(line, object, |key| match key {
            "Hits" => "Cache Hits",
            "Misses" => "Cache Misses",
            "Evictions" => "Cache Evictions",
            "Overflows" => "Cache Overflows",
            _ => "Peak Memory Usage",
        }),
        "Storage" => pairs(line, object, |key| if key == "Storage" { key } else { "Maximum Storage" }),
        "Heap Blocks" => counts(value, object, |kind| match kind {
            "exact" => "Exact Heap Blocks",
            _ => "Lossy Heap Blocks",
        }),
        "Tuples" => counts(value, object, |kind| match kind {
            "inserted" => "Tuples Inserted",
            "updated" => "Tuples Updated",
            "deleted" => "Tuples Deleted",
            _ => "Tuples Skipped",
        }),
        "WAL" => counts(value, object, |kind| match kind {
            "records" => "WAL Records",
            "fpi" => "WAL FPI",
            "bytes" => "WAL Bytes",
            _ => "WAL Buffers Full",
        }),
        "Buffers" => buffers(value, object),
        "I/O Timings" => io_timings(value, object),
        "Sampling" => sampling(value, object),
        _ => insert(object, key, plain(key, value)),
    }
    true
}

fn insert(object: &mut Object, key: &str, value: Value) {
    object.insert(key.to_owned(), value);
}

/// A value as JSON has it: without its unit.
pub(super) fn plain(key: &str, text: &str) -> Value {
    let number = || {
        let units = ["ms", "kB", "b", "bytes"];
        units.iter().find_map(|unit| keys::number(text.strip_suffix(unit)?.trim_end()))
    };
    match keys::value(key, text) {
        Value::String(_) if !keys::holds_text(key) => number().unwrap_or_else(|| Value::from(text)),
        value => value,
    }
}

/// The parts of `a, f(b, c), 'd, e'` that commas outside of brackets and quotes divide.
pub(super) fn list(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quote) = (Vec::new(), 0, 0_u32, None);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 && text.as_bytes().get(at + 1) == Some(&b' ') => {
                parts.push(&text[from..at]);
                from = at + 2;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Grouping sets have a line each; one line alone is a plain GROUP BY (see [`settle`]).
fn group(key: &str, value: &str, object: &mut Object) {
    let columns = if value == "()" { Vec::new() } else { list(value) };
    let keys = if key == "Hash Key" { "Hash Keys" } else { "Group Keys" };
    let mut sets = match object.remove("Grouping Sets") {
        Some(Value::Array(sets)) => sets,
        _ => Vec::new(),
    };
    // A further sort begins a further set of sets; each hash table is one of its own.
    let sorted = object.remove("Sort Key");
    let same = sorted.is_none() && keys == "Group Keys";
    let last = sets.last_mut().and_then(|last| last.get_mut("Group Keys")?.as_array_mut());
    if let Some(last) = last.filter(|_| same) {
        last.push(Value::from(columns));
    } else {
        let mut set = json!({ keys: [columns] });
        if let Some(sorted) = sorted {
            set["Sort Key"] = sorted;
        }
        sets.push(set);
    }
    insert(object, "Grouping Sets", Value::from(sets));
}

/// Once all lines of a node are read: grouping sets that are one plain GROUP BY become its key.
pub(super) fn settle(object: &mut Object) {
    let sets = object.get("Grouping Sets").and_then(Value::as_array);
    let keys = match sets.map(Vec::as_slice) {
        Some([set]) => set.get("Group Keys").and_then(Value::as_array),
        _ => None,
    };
    if let Some([key]) = keys.map(Vec::as_slice)
        && key.as_array().is_some_and(|columns| !columns.is_empty())
    {
        let key = key.clone();
        object.remove("Grouping Sets");
        insert(object, "Group Key", key);
    }
}

/// `Sort Method: external merge  Disk: 1000kB`.
fn sort(line: &str, object: &mut Object) {
    for pair in line.split("  ") {
        match pair.split_once(": ") {
            Some(("Sort Method", method)) => insert(object, "Sort Method", Value::from(method)),
            Some((place, used)) => {
                insert(object, "Sort Space Used", plain(place, used));
                insert(object, "Sort Space Type", Value::from(place));
            }
            None => {}
        }
    }
}

/// `Full-sort Groups: 1  Sort Methods: quicksort, top-N heapsort  Average Memory: 25kB  Peak Memory: 25kB`.
fn sorted_groups(name: &str, line: &str, object: &mut Object) {
    let mut groups = Object::new();
    for (key, value) in line.split("  ").filter_map(|pair| pair.split_once(": ")) {
        match key.split_once(' ') {
            Some(("Average" | "Peak", place)) => {
                let space = groups.entry(format!("Sort Space {place}")).or_insert_with(|| json!({}));
                space[format!("{} Sort Space Used", &key[..key.len() - place.len() - 1])] = plain(key, value);
            }
            Some(("Sort", _)) => insert(&mut groups, "Sort Methods Used", Value::from(list(value))),
            _ => insert(&mut groups, "Group Count", plain(key, value)),
        }
    }
    insert(object, name, Value::Object(groups));
}

/// `Buckets: 1024 (originally 512)  Batches: 1  Memory Usage: 9kB`.
fn pairs(line: &str, object: &mut Object, key_of: impl Fn(&str) -> &str) {
    for (name, value) in line.split("  ").filter_map(|pair| pair.split_once(": ")) {
        let key = key_of(name);
        let value = match value.split_once(" (originally ") {
            Some((value, original)) => {
                insert(object, &format!("Original {key}"), plain(key, original.trim_end_matches(')')));
                value
            }
            None => value,
        };
        insert(object, key, plain(key, value));
    }
}

/// `exact=5 lossy=3`.
fn counts(text: &str, object: &mut Object, key_of: impl Fn(&str) -> &'static str) {
    for (kind, count) in text.split_ascii_whitespace().filter_map(|part| part.split_once('=')) {
        insert(object, key_of(kind), plain("", count));
    }
}

/// `shared hit=1 read=2, temp written=3`: what the line leaves out is zero.
fn buffers(text: &str, object: &mut Object) {
    for (place, kinds) in [
        ("Shared", &["Hit", "Read", "Dirtied", "Written"][..]),
        ("Local", &["Hit", "Read", "Dirtied", "Written"]),
        ("Temp", &["Read", "Written"]),
    ] {
        for kind in kinds {
            insert(object, &format!("{place} {kind} Blocks"), Value::from(0));
        }
    }
    places(text, |place, kind, count| {
        insert(object, &format!("{place} {kind} Blocks"), plain("", count));
    });
}

/// `shared/local read=0.1 write=0.2, temp read=0.3`; without a place up to version 14.
fn io_timings(text: &str, object: &mut Object) {
    places(text, |place, kind, time| {
        let place = match place {
            "" | "Shared/local" => String::new(),
            place => format!("{place} "),
        };
        insert(object, &format!("{place}I/O {kind} Time"), plain("", time));
    });
}

/// Calls `put` with place, kind and figure, the first two as JSON writes them.
fn places(text: &str, mut put: impl FnMut(&str, &str, &str)) {
    for part in text.split(", ") {
        let mut place = String::new();
        for word in part.split_ascii_whitespace() {
            match word.split_once('=') {
                Some((kind, figure)) => put(&place, &capital(kind), figure),
                None => place = capital(word),
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// `system ('10'::real) REPEATABLE ('3'::double precision)`.
fn sampling(text: &str, object: &mut Object) {
    let (text, seed) = match text.split_once(" REPEATABLE (") {
        Some((text, seed)) => (text, seed.strip_suffix(')')),
        None => (text, None),
    };
    if let Some((method, parameters)) = text.split_once(" (") {
        insert(object, "Sampling Method", Value::from(method));
        let parameters = parameters.strip_suffix(')').unwrap_or(parameters);
        insert(object, "Sampling Parameters", Value::from(list(parameters)));
    }
    if let Some(seed) = seed {
        insert(object, "Repeatable Seed", Value::from(seed));
    }
}

/// `Update on s.t t_1`: one of several tables that a node writes.
fn target(line: &str, object: &mut Object) -> bool {
    let line = line.strip_prefix("Foreign ").unwrap_or(line);
    let names = ["Insert", "Update", "Delete", "Merge"]
        .iter()
        .find_map(|operation| line.strip_prefix(operation)?.strip_prefix(" on "));
    let Some(names) = names else { return false };
    let mut table = Object::new();
    title::relation("ModifyTable", names, &mut table);
    if let Value::Array(tables) = object.entry("Target Tables").or_insert_with(|| json!([])) {
        tables.push(Value::Object(table));
    }
    true
}
