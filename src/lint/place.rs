//! A finding about a query → one finding for each place in a file where the query stands.
//!
//! The span of a finding is in bytes of the text that was parsed. The same query may be written with other
//! white space and other constants elsewhere: there the span is found by counting tokens, and where these
//! differ in number (a longer IN list), only the statement is known.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::{
    finding::{Finding, Location},
    rules::Rule,
    sql::split,
    threads,
    workload::{Query, Script, Workload},
};

/// Places that are looked at by one core before it takes others.
const AT_ONCE: usize = 256;

/// Places every finding; one that stands nowhere stays as it is.
pub fn place(findings: &[Finding], workload: &Workload, scripts: &[Script]) -> Vec<Finding> {
    let ids: Vec<(String, &Query)> =
        workload.ranked().into_iter().map(|query| (query.id.to_string(), query)).collect();
    let queries: FxHashMap<&str, &Query> = ids.iter().map(|(id, query)| (id.as_str(), *query)).collect();
    let scripts: FxHashMap<&str, &Script> =
        scripts.iter().map(|script| (script.name.as_str(), script)).collect();
    let mut places: Vec<(&Finding, Option<(&Query, &Location)>)> = Vec::with_capacity(findings.len());
    for finding in findings {
        let query = finding.query.as_deref().and_then(|id| queries.get(id));
        match query.filter(|query| !query.statements.is_empty()) {
            Some(query) => places.extend(query.statements.iter().map(|at| (finding, Some((*query, at))))),
            None => places.push((finding, None)),
        }
    }
    let parts = threads::in_parts(&places, AT_ONCE, |part| {
        let one = |(finding, at): &(&Finding, Option<(&Query, &Location)>)| match at {
            Some((query, at)) => placed_at(finding, query, at, scripts.get(at.file.as_str()).copied()),
            None => (*finding).clone(),
        };
        part.iter().map(one).collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}

/// Gives a finding in a migration the severity that its rule has there.
pub fn soften(finding: &mut Finding, rules: &[Rule]) {
    let rule = rules.iter().find(|rule| rule.name == finding.rule);
    let (Some(severity), Some(at)) = (rule.and_then(|rule| rule.in_migrations), &finding.at) else { return };
    if is_migration(&at.file) {
        finding.severity = finding.severity.min(severity);
    }
}

/// Whether a file is run once, as the tools of all kinds name them: `db/migrate/`, `migrations/`, `alembic/`,
/// `001_migration.py`.
fn is_migration(file: &str) -> bool {
    file.split(['/', '\\']).any(|part| {
        let part = part.to_ascii_lowercase();
        part.contains("migrat") || part == "alembic"
    })
}

fn placed_at(finding: &Finding, query: &Query, at: &Location, script: Option<&Script>) -> Finding {
    let part = || {
        let parsed = query.samples.iter().find(|sample| sample.complete)?;
        let script = script?;
        let stated = script.statement(script.byte(at.line, at.column)?)?;
        let span = same_tokens(&parsed.sql, finding.span.as_ref()?, script.sql(stated))?;
        Some(script.region(&stated.part(&span)))
    };
    let region = part().or(finding.region);
    Finding { at: Some(at.clone()), region, ..finding.clone() }
}

/// The part of `other` that has the place of `span` in `parsed`.
fn same_tokens(parsed: &str, span: &Range<usize>, other: &str) -> Option<Range<usize>> {
    if parsed == other {
        return (span.end <= other.len() && !span.is_empty()).then(|| span.clone());
    }
    let (ours, theirs) = (split::tokens(parsed), split::tokens(other));
    if ours.len() != theirs.len() {
        return None;
    }
    let first = ours.iter().position(|token| token.end > span.start)?;
    let last = ours.iter().rposition(|token| token.start < span.end)?;
    Some(theirs.get(first)?.start..theirs.get(last).filter(|_| first <= last)?.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_found_in_other_white_space() {
        let parsed = "SELECT * FROM t WHERE lower(a) = 'x'";
        let other = "select *\n  from t -- all of it\n where lower( a )\n= 'long y'";
        let span = parsed.find("lower").expect("it")..parsed.len();
        let found = same_tokens(parsed, &span, other).expect("as many tokens");
        assert_eq!(&other[found], "lower( a )\n= 'long y'");
        assert_eq!(same_tokens(parsed, &span, parsed), Some(span.clone()));
        assert_eq!(same_tokens(parsed, &span, "SELECT * FROM t WHERE a IN (1, 2)"), None);
    }
}
