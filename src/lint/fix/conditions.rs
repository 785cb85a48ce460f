//! Conditions that can go, or be written so that an index serves them.

use std::ops::Range;

use super::{Edits, tokens::Text};
use crate::finding::Finding;

/// The conditions that AND joins in a WHERE, in tokens. Nothing where it is more than that.
fn conjuncts(text: &Text<'_>, clause: usize) -> Vec<Range<usize>> {
    let (first, end) = (clause + 1, text.clause_end(clause + 1));
    let mut found = Vec::new();
    let (mut start, mut between) = (first, false);
    for index in text.level(first).into_iter().take_while(|index| *index < end) {
        if text.is_one_of(index, &["OR", "CASE"]) {
            return Vec::new();
        } else if text.is(index, "BETWEEN") {
            between = true;
        } else if text.is(index, "AND") && !std::mem::take(&mut between) {
            found.push(start..index);
            start = index + 1;
        }
    }
    found.push(start..end);
    found
}

/// Every condition that a row has to pass, of all WHERE clauses.
fn all(text: &Text<'_>) -> Vec<Vec<Range<usize>>> {
    (0..text.len()).filter(|index| text.is(*index, "WHERE")).map(|clause| conjuncts(text, clause)).collect()
}

/// The second of two conditions that are the same.
pub(super) fn duplicate(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let mut found = None;
    for list in all(text) {
        for (number, one) in list.iter().enumerate() {
            let again = list[..number].iter().any(|other| text.same(other.clone(), one.clone()));
            // A function may be volatile.
            if again
                && !one.clone().any(|index| text.at(index) == "(")
                && found.replace(one.clone()).is_some()
            {
                return None;
            }
        }
    }
    let one = found?;
    Some(vec![(text.without(one.start.checked_sub(1)?, one.end.checked_sub(1)?)?, String::new())])
}

/// `coalesce(column, 0) = 5`: NULL does not pass, as before.
pub(super) fn coalesce(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let mut found = None;
    for one in all(text).into_iter().flatten() {
        let call = one.start;
        if !text.are(call, &["coalesce", "("]) {
            continue;
        }
        let Some(comma) = text.column(call + 2) else { continue };
        let value = |index: usize| text.is_number(index) || text.is_one_of(index, &["true", "false"]);
        let (default, equal, other) = (comma + 1, comma + 3, comma + 4);
        let fits = text.at(comma) == ","
            && value(default)
            && text.at(comma + 2) == ")"
            && text.at(equal) == "="
            && value(other)
            && text.is_number(default) == text.is_number(other)
            && one.end == other + 1;
        let apart = match (text.at(default).parse::<u64>(), text.at(other).parse::<u64>()) {
            (Ok(a), Ok(b)) => a != b,
            (Err(_), Err(_)) => !text.at(default).eq_ignore_ascii_case(text.at(other)),
            _ => false,
        };
        if fits && apart && found.replace((call, comma)).is_some() {
            return None;
        }
    }
    let (call, comma) = found?;
    let column = text.sql.get(text.bytes(call + 2, comma - 1)?)?;
    Some(vec![(text.bytes(call, comma + 2)?, column.to_owned())])
}

/// `column IS NOT DISTINCT FROM 'value'`: NULL does not pass, as before.
pub(super) fn not_distinct(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let words = ["IS", "NOT", "DISTINCT", "FROM"];
    let is = text.only(&words)?;
    let whole = all(text)
        .into_iter()
        .flatten()
        .any(|one| text.column(one.start) == Some(is) && text.is_literal(is + 4) && one.end == is + 5);
    whole.then_some(vec![(text.bytes(is, is + 3)?, "=".to_owned())])
}

/// `(SELECT count(*) FROM …) > 0`.
pub(super) fn count(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let open = text.only(&["(", "SELECT", "count", "(", "*", ")", "FROM"])?;
    let close = text.closing(open)?;
    let exists = match (text.at(close + 1), text.at(close + 2)) {
        (">" | "<>" | "!=", "0") | (">=", "1") => "EXISTS (",
        ("=", "0") | ("<", "1") => "NOT EXISTS (",
        _ => return None,
    };
    // A group, a second arm or a bound would make another number of rows than one.
    let more = [
        "GROUP",
        "HAVING",
        "LIMIT",
        "OFFSET",
        "FETCH",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "WINDOW",
        "FOR",
        "ORDER",
    ];
    if text.level(open + 7).into_iter().any(|index| text.is_one_of(index, &more)) {
        return None;
    }
    let before = open.checked_sub(1)?;
    let begins = |index: usize| text.is_one_of(index, &["WHERE", "AND", "OR", "NOT", "WHEN", "ON", "HAVING"]);
    let behind = close + 3;
    let ends = text.at(behind).is_empty()
        || text.is_one_of(
            behind,
            &[
                "AND",
                "OR",
                ")",
                ";",
                "THEN",
                "GROUP",
                "ORDER",
                "LIMIT",
                "OFFSET",
                "FETCH",
                "RETURNING",
                "HAVING",
            ],
        );
    // The second half of BETWEEN … AND … is no condition.
    let between = (before.saturating_sub(6)..before).any(|index| text.is(index, "BETWEEN"));
    if !begins(before) || !ends || between {
        return None;
    }
    Some(vec![
        (text.bytes(open, open)?, exists.to_owned()),
        (text.bytes(open + 2, open + 5)?, "1".to_owned()),
        (text.without(close + 1, close + 2)?, String::new()),
    ])
}

/// `a > x OR (a = x AND b > y)` is `(a, b) > (x, y)`, for NULLs too.
pub(super) fn keyset(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let mut found = (0..text.len()).filter_map(|start| seek(text, start));
    let one = found.next()?;
    found.next().is_none().then_some(vec![one])
}

fn seek(text: &Text<'_>, start: usize) -> Option<(Range<usize>, String)> {
    let value = |index: usize| {
        let word = text.at(index);
        text.is_literal(index) || word.len() > 1 && word.starts_with(['$', ':'])
    };
    let first = text.column(start)?;
    let (op, x, or) = (text.at(first), first + 1, first + 2);
    if !matches!(op, ">" | "<") || !value(x) || !text.is(or, "OR") {
        return None;
    }
    let open = or + 1;
    let again = open + 1;
    if text.at(open) != "(" || text.at(again) == "(" {
        return None;
    }
    let equal = text.column(again)?;
    let (same, and) = (equal + 1, equal + 2);
    let second = and + 1;
    let strict = text.column(second)?;
    let (last_op, y, close) = (text.at(strict), strict + 1, strict + 2);
    let fits = text.at(equal) == "="
        && text.same(start..first, again..equal)
        && text.at(same) == text.at(x)
        && text.is(and, "AND")
        && (last_op == op || last_op == format!("{op}="))
        && value(y)
        && text.at(close) == ")";
    // Without parentheses around it, it has to be the whole of WHERE.
    let before = start.checked_sub(1)?;
    let alone = text.at(before) == "(" && text.at(close + 1) == ")"
        || text.is(before, "WHERE") && text.clause_end(start) == close + 1;
    if !fits || !alone {
        return None;
    }
    let sql = |a: usize, b: usize| text.sql.get(text.bytes(a, b)?);
    let (a, b) = (sql(start, first - 1)?, sql(second, strict - 1)?);
    let new = format!("({a}, {b}) {last_op} ({}, {})", text.at(x), text.at(y));
    Some((text.bytes(start, close)?, new))
}
