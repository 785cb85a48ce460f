//! A finding about a query → one finding for each place in a file where the query stands.
//!
//! The span of a finding is in bytes of the text that was parsed. The same query may be written with other
//! white space and other constants elsewhere: there the span is found by counting tokens, and where these
//! differ in number (a longer IN list), only the statement is known.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::{
    finding::Finding,
    sql::split,
    workload::{Query, Script, Workload},
};

/// Places every finding; one that stands nowhere stays as it is.
pub fn place(findings: Vec<Finding>, workload: &Workload, scripts: &[Script]) -> Vec<Finding> {
    let ids: Vec<(String, &Query)> =
        workload.ranked().into_iter().map(|query| (query.id.to_string(), query)).collect();
    let queries: FxHashMap<&str, &Query> = ids.iter().map(|(id, query)| (id.as_str(), *query)).collect();
    let scripts: FxHashMap<&str, &Script> =
        scripts.iter().map(|script| (script.name.as_str(), script)).collect();
    let mut placed = Vec::new();
    for finding in findings {
        let query = finding.query.as_deref().and_then(|id| queries.get(id));
        let Some(query) = query.filter(|query| !query.statements.is_empty()) else {
            placed.push(finding);
            continue;
        };
        let parsed = query.samples.iter().find(|sample| sample.complete).map(|sample| sample.sql.as_str());
        for at in &query.statements {
            let mut one = Finding { at: Some(at.clone()), ..finding.clone() };
            if let (Some(span), Some(parsed), Some(script)) =
                (&finding.span, parsed, scripts.get(at.file.as_str()))
                && let Some(start) = script.byte(at.line, at.column)
                && let Some(stated) = script.statement(start)
                && let Some(span) = same_tokens(parsed, span, script.sql(stated))
            {
                one.region = Some(script.region(&stated.part(&span)));
            }
            placed.push(one);
        }
    }
    placed
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
