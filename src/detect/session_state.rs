//! Statements that leave something behind in their session, which a pool by transaction loses.

use super::{Report, blank};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    sql::Shape,
    workload::Query,
};

/// Settings that PgBouncer carries from one connection of the server to another (`track_extra_parameters`
/// included), with the words of SET NAMES and SET TIME ZONE.
const CARRIED: [&str; 8] = [
    "application_name",
    "client_encoding",
    "datestyle",
    "intervalstyle",
    "names",
    "standard_conforming_strings",
    "time",
    "timezone",
];

/// Locks that stand until the session ends or gives them back.
const SESSION_LOCKS: [&str; 4] =
    ["pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"];

pub(super) fn detect(rule: &Rule, query: &Query, shape: Option<&Shape>, report: &mut Report) {
    let lock = || {
        let functions = &shape?.functions;
        let lock = functions.iter().find(|function| SESSION_LOCKS.contains(&function.name.as_str()))?;
        Some(format!("{}()", lock.name))
    };
    let Some(what) = left_behind(&query.text).or_else(lock) else { return };
    report.findings.push(Finding {
        query: Some(query.id.to_string()),
        at: query.statements.iter().min().cloned(),
        because: format!("{what} holds for the rest of the session"),
        cost_ms: query.total_ms(),
        ..blank(rule, Confidence::Shape)
    });
}

/// What a normalised statement leaves in its session, by its words.
fn left_behind(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || "=(),;".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|part| part == phrase);
    let what = match words.as_slice() {
        ["set", "local" | "transaction" | "constraints", ..] | ["prepare", "transaction", ..] => return None,
        ["set", "session", "authorization", ..] => "SET SESSION AUTHORIZATION",
        ["set", "session", "characteristics", ..] => "SET SESSION CHARACTERISTICS",
        ["set", "session", "role", ..] | ["set", "role", ..] => "SET ROLE",
        ["set", "session", name, ..] | ["set", name, ..] => {
            return (!CARRIED.contains(name)).then(|| format!("SET {name}"));
        }
        ["listen", ..] => "LISTEN",
        ["load", ..] => "LOAD",
        ["prepare", ..] => "PREPARE",
        ["declare", ..] if has(&["with", "hold"]) => "a cursor WITH HOLD",
        ["create", "temp" | "temporary", "table", ..]
        | ["create", "global" | "local", "temp" | "temporary", "table", ..]
            if !has(&["on", "commit", "drop"]) =>
        {
            "a temporary table"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::left_behind;

    #[test]
    fn a_session_keeps_what_no_transaction_ends() {
        let told = |text| left_behind(text).unwrap_or_default();
        assert_eq!(told("SET search_path = ?"), "SET search_path");
        assert_eq!(told("create local temp table t (a int)"), "a temporary table");
        for text in ["PREPARE TRANSACTION ?", "SET NAMES ?", "RESET ALL", "SELECT ?", ""] {
            assert_eq!(told(text), "", "{text}");
        }
    }
}
