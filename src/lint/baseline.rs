//! What was found before and is lived with: findings by rule, query and object, and how often.
//!
//! The key has no file and no line, and the query's fingerprint has no white space and no constants: a file
//! that is moved or formatted brings nothing back. A query that is changed is another one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::Error,
    finding::{Code, Finding},
};

/// The format's name and version.
pub const SCHEMA: &str = "sargable.baseline/1";

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    findings: Vec<Entry>,
}

/// Findings that are one to the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub rule: String,
    pub code: Code,
    /// The query's fingerprint; for a finding about no query `null`.
    pub query: Option<String>,
    /// The tables, the index or the column that it is about, as far as the rule tells.
    pub object: String,
    /// How often it stands in the files.
    pub count: u64,
}

type Key = (String, Option<String>, String);

impl Baseline {
    /// What a run found, in an order that makes small differences.
    pub fn of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Baseline {
        let mut counts: BTreeMap<Key, (Code, u64)> = BTreeMap::new();
        for finding in findings {
            counts.entry(key(finding)).or_insert((finding.code, 0)).1 += 1;
        }
        let entry = |((rule, query, object), (code, count))| Entry { rule, code, query, object, count };
        Baseline { schema: SCHEMA.to_owned(), findings: counts.into_iter().map(entry).collect() }
    }

    /// Reads the file. `path` is named in errors.
    pub fn parse(path: &str, text: &str) -> Result<Baseline, Error> {
        let refuse = |what: String| Error::Usage {
            what: format!("{path}: not a baseline: {what}"),
            hint: Some(format!("write a new one with --write-baseline {path}")),
        };
        let read: Baseline = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if read.schema == SCHEMA { Ok(read) } else { Err(refuse(format!("it is `{}`", read.schema))) }
    }

    /// One entry a line, so that two versions can be merged.
    pub fn render(&self) -> String {
        let line = |entry: &Entry| serde_json::to_string(entry).unwrap_or_default();
        let entries: Vec<String> = self.findings.iter().map(|entry| format!("    {}", line(entry))).collect();
        let entries =
            if entries.is_empty() { String::new() } else { format!("\n{}\n  ", entries.join(",\n")) };
        format!("{{\n  \"schema\": \"{SCHEMA}\",\n  \"findings\": [{entries}]\n}}\n")
    }

    /// Takes the findings apart into new ones and known ones, and says which entries (with how many of
    /// their count) were not met.
    pub fn split(&self, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>, Vec<Entry>) {
        let mut left: BTreeMap<Key, u64> = BTreeMap::new();
        for entry in &self.findings {
            let key = (entry.rule.clone(), entry.query.clone(), entry.object.clone());
            *left.entry(key).or_default() += entry.count;
        }
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for finding in findings {
            match left.get_mut(&key(&finding)).filter(|count| **count > 0) {
                Some(count) => {
                    *count -= 1;
                    known.push(finding);
                }
                None => new.push(finding),
            }
        }
        let mut fixed = Vec::new();
        for entry in &self.findings {
            let key = (entry.rule.clone(), entry.query.clone(), entry.object.clone());
            if let Some(count) = left.remove(&key).filter(|count| *count > 0) {
                fixed.push(Entry { count, ..entry.clone() });
            }
        }
        (new, known, fixed)
    }
}

/// What tells one finding from another across runs, also outside of a baseline.
pub fn identity(finding: &Finding) -> String {
    let (rule, query, object) = key(finding);
    format!("{rule}/{}/{object}", query.unwrap_or_default())
}

fn key(finding: &Finding) -> Key {
    (finding.rule.clone(), finding.query.clone(), object(finding))
}

/// The names in `detail` that say what the finding is about.
fn object(finding: &Finding) -> String {
    let mut names: Vec<&str> = Vec::new();
    for key in ["table", "tables", "index", "column", "columns", "constraint", "object"] {
        match finding.detail.get(key) {
            Some(Value::String(name)) => names.push(name),
            Some(Value::Array(list)) => names.extend(list.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    // A finding about no query has nothing else to be known by.
    if names.is_empty() && finding.query.is_none() { finding.because.clone() } else { names.join(" ") }
}
