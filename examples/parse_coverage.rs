//! How much of a corpus of SQL we read: a table of corpus and kind of statement.
//!
//! `split CORPUS FILE…` writes one JSON object a statement (`corpus`, `sql`), for whoever judges which
//! of them PostgreSQL's grammar accepts (sent in an aborted transaction, a statement fails with 42601
//! when it does not parse, with 25P02 when it does). `measure FILE` reads such lines and prints the
//! table; `refused FILE` prints what we do not read, with our reason.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use sargable::sql::{ddl, parse, split};
use serde_json::{Value, json};

const KINDS: &[&str] = &[
    "SELECT",
    "WITH",
    "VALUES",
    "TABLE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "CREATE TABLE",
    "CREATE INDEX",
    "ALTER TABLE",
];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = &mut io::stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["split", corpus, files @ ..] => {
            for file in files {
                let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
                for range in split::statements(&text) {
                    writeln!(out, "{}", json!({ "corpus": corpus, "sql": &text[range] }))?;
                }
            }
            Ok(())
        }
        ["measure", file] => measure(&std::fs::read_to_string(file)?, false, out),
        ["refused", file] => measure(&std::fs::read_to_string(file)?, true, out),
        _ => Err(io::Error::other("split CORPUS FILE… | measure FILE | refused FILE")),
    }
}

fn measure(lines: &str, refused: bool, out: &mut impl Write) -> io::Result<()> {
    let mut table: BTreeMap<(String, &str), [u64; 2]> = BTreeMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let (Some(corpus), Some(sql)) = (line["corpus"].as_str(), line["sql"].as_str()) else { continue };
        let Some(kind) = kind(sql) else { continue };
        let why = match kind {
            "CREATE TABLE" | "CREATE INDEX" | "ALTER TABLE" => {
                ddl::read(sql).err().map(|why| why.to_string())
            }
            _ => parse::parse(sql).err().map(|not_parsed| not_parsed.why),
        };
        for corpus in [corpus, "all"] {
            let [all, read] = table.entry((corpus.to_owned(), kind)).or_default();
            *all += 1;
            *read += u64::from(why.is_none());
        }
        if let (true, Some(why)) = (refused, why) {
            writeln!(out, "{}", json!({ "corpus": corpus, "kind": kind, "why": why, "sql": sql }))?;
        }
    }
    if refused {
        return Ok(());
    }
    for ((corpus, kind), [all, read]) in table {
        let share = 100.0 * read as f64 / all as f64;
        writeln!(out, "{corpus:24} {kind:14} {read:7} of {all:7}  {share:7.2} %")?;
    }
    Ok(())
}

/// What a statement is, of those that we measure.
fn kind(sql: &str) -> Option<&'static str> {
    let words: Vec<String> = sql
        .trim_start_matches(['(', ' ', '\n'])
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .take(6)
        .map(str::to_uppercase)
        .collect();
    let first = words.first()?;
    let object = words.iter().skip(1).find(|word| {
        !matches!(
            word.as_str(),
            "TEMP" | "TEMPORARY" | "UNLOGGED" | "LOCAL" | "GLOBAL" | "UNIQUE" | "FOREIGN"
        )
    });
    let name = match (first.as_str(), object.map(String::as_str)) {
        ("CREATE", Some(object @ ("TABLE" | "INDEX"))) => format!("CREATE {object}"),
        ("ALTER", Some("TABLE")) => "ALTER TABLE".to_owned(),
        _ => first.clone(),
    };
    KINDS.iter().find(|kind| **kind == name).copied()
}
