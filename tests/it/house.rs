//! The arrows of ARCHITECTURE.md, checked: a module imports only what lies below it.

use std::{collections::BTreeSet, fs, path::Path};

/// Each module under `src/`, with the modules of ours that it may name.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("digits", &[]),
    ("names", &[]),
    ("error", &[]),
    ("threads", &[]),
    ("yaml", &[]),
    ("finding", &[]),
    ("catalog", &["digits", "finding", "names", "sql"]),
    ("plan", &["catalog", "names"]),
    ("sql", &["names"]),
    ("config", &["error", "finding", "yaml"]),
    ("rules", &["error", "finding", "names", "sql", "threads", "yaml"]),
    ("workload", &["error", "finding", "names", "sql"]),
    (
        "detect",
        &["catalog", "digits", "error", "finding", "names", "plan", "rules", "sql", "threads", "workload"],
    ),
    ("advise", &["catalog", "digits", "error", "finding", "names", "plan", "rules", "sql", "workload"]),
    ("assume", &["catalog", "digits", "error", "names", "yaml"]),
    ("gate", &["catalog", "error", "names", "plan", "sql", "yaml"]),
    ("lint", &["config", "error", "finding", "rules", "sql", "threads", "workload", "yaml"]),
    ("sources", &["catalog", "config", "error", "finding", "names", "plan", "sql", "threads", "workload"]),
    ("server", &["catalog", "error", "finding", "names", "plan", "sql", "workload"]),
    ("cluster", &["catalog", "error", "names", "plan", "sql", "workload"]),
    (
        "examples",
        &["catalog", "detect", "error", "finding", "lint", "plan", "rules", "sources", "sql", "workload"],
    ),
    ("twin", &["assume", "catalog", "cluster", "error", "names", "plan", "server", "threads"]),
    (
        "report",
        &[
            "advise", "digits", "error", "finding", "gate", "lint", "names", "plan", "rules", "sql",
            "threads", "workload",
        ],
    ),
];

#[test]
fn imports_go_downwards() {
    let mut wrong = Vec::new();
    for (module, allowed) in MAY_IMPORT {
        for (file, text) in files_of(module) {
            for named in names_after_crate(&text) {
                if named != *module && !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{file} names crate::{named}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_layer() {
    let text = fs::read_to_string("src/lib.rs").expect("the library's root");
    let declared: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut listed: BTreeSet<&str> = MAY_IMPORT.iter().map(|(module, _)| *module).collect();
    listed.insert("cli");
    assert_eq!(declared, listed);
}

/// Only `server` may wait: everything else is plain functions.
#[test]
fn only_the_server_is_async() {
    let waits = regex::Regex::new(r"\basync (fn|move)\b|\.await\b").expect("a fixed pattern");
    let mut wrong = Vec::new();
    for (module, _) in MAY_IMPORT.iter().filter(|(module, _)| *module != "server") {
        for (file, text) in files_of(module) {
            if waits.is_match(&text) {
                wrong.push(file);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every `x` in `crate::x` and in `use crate::{x, y::Z}`.
fn names_after_crate(text: &str) -> Vec<String> {
    let path = regex::Regex::new(r"crate::(\w+)|use crate::\{([^;]*)\};").expect("a fixed pattern");
    let first = regex::Regex::new(r"(?:^|,)\s*(\w+)").expect("a fixed pattern");
    let nested = regex::Regex::new(r"::\{[^{}]*\}").expect("a fixed pattern");
    let mut names = Vec::new();
    for found in path.captures_iter(text) {
        if let Some(one) = found.get(1) {
            names.push(one.as_str().to_owned());
        } else if let Some(list) = found.get(2) {
            // From the inside out: `sql::{self, shape::{Block, Role}}` is `sql`.
            let mut list = list.as_str().to_owned();
            while nested.is_match(&list) {
                list = nested.replace_all(&list, "").into_owned();
            }
            names.extend(first.captures_iter(&list).map(|name| name[1].to_owned()));
        }
    }
    names
}

/// Every source file of a module, with its text.
fn files_of(module: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open = vec![format!("src/{module}"), format!("src/{module}.rs")];
    while let Some(path) = open.pop() {
        if Path::new(&path).is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path().display().to_string()));
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs")
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push((path, text));
        }
    }
    assert!(!files.is_empty(), "no module `{module}`");
    files
}
