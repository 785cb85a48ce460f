//! Clauses that can go: DISTINCT, ORDER BY, NULLS FIRST, a CTE; and UNION that can be UNION ALL.

use super::{Edits, tokens::Text};
use crate::finding::Finding;

/// Functions that give one value for a row or a group. What gives several repeats the key.
const ONE_VALUE: &[&str] = &[
    "abs",
    "avg",
    "bool_and",
    "bool_or",
    "cast",
    "coalesce",
    "count",
    "date_trunc",
    "extract",
    "greatest",
    "least",
    "length",
    "lower",
    "max",
    "min",
    "nullif",
    "round",
    "sum",
    "to_char",
    "trim",
    "upper",
];

/// The only SELECT DISTINCT, whose rows the rule knows to be distinct.
pub(super) fn distinct(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let select = text.only(&["SELECT", "DISTINCT"])?;
    if text.is(select + 2, "ON") {
        return None;
    }
    let from = text.level(select + 2).into_iter().find(|index| text.is(*index, "FROM"))?;
    let single = |index: usize| {
        text.at(index + 1) != "("
            || text.is_one_of(index, ONE_VALUE)
            || !text.at(index).starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"')
    };
    (select + 2..from).all(single).then_some(vec![(text.without_word(select + 1)?, String::new())])
}

/// `IN (SELECT DISTINCT …)`.
pub(super) fn distinct_in(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    if finding.detail_text("word") != Some("DISTINCT") {
        return None;
    }
    let open = text.only(&["IN", "(", "SELECT", "DISTINCT"])? + 1;
    let bound =
        text.level(open + 1).into_iter().any(|index| text.is_one_of(index, &["LIMIT", "OFFSET", "FETCH"]));
    if bound || text.is(open + 3, "ON") {
        return None;
    }
    Some(vec![(text.without_word(open + 2)?, String::new())])
}

/// ORDER BY of the only subquery that has one.
pub(super) fn order(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    // A sum of floating point numbers depends on their order.
    if finding.detail_is("aggregated") {
        return None;
    }
    let mut found = None;
    for open in (0..text.len())
        .filter(|index| text.at(*index) == "(" && text.is_one_of(index + 1, &["SELECT", "WITH"]))
    {
        let level = text.level(open + 1);
        let Some(order) = level.iter().copied().find(|index| text.are(*index, &["ORDER", "BY"])) else {
            continue;
        };
        let matters = ["LIMIT", "OFFSET", "FETCH", "FOR", "ON"];
        let kept = level.iter().any(|index| text.is_one_of(*index, &matters) && *index > order)
            || text.are(open + 1, &["SELECT", "DISTINCT", "ON"]);
        let place = open.checked_sub(1)?;
        if kept || !text.is_one_of(place, &["IN", "FROM", "JOIN", "AS", ","]) || found.is_some() {
            return None;
        }
        found = Some((order, text.closing(open)?));
    }
    let (order, close) = found?;
    Some(vec![(text.without(order, close.checked_sub(1)?)?, String::new())])
}

/// NULLS FIRST or LAST of a column that is never NULL.
pub(super) fn nulls(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    let outer = text.has(&["LEFT", "RIGHT", "FULL", "UNION", "GROUPING", "ROLLUP", "CUBE"]);
    if outer || !finding.detail_is("never_null") || text.only(&["ORDER", "BY"]).is_none() {
        return None;
    }
    let nulls = text.only(&["NULLS"])?;
    let order = text.only(&["ORDER", "BY"])?;
    let known = order < nulls && text.is_one_of(nulls + 1, &["FIRST", "LAST"]);
    known.then_some(vec![(text.without(nulls, nulls + 1)?, String::new())])
}

/// UNION of arms that begin with another constant each.
pub(super) fn union(text: &Text<'_>, _: &Finding) -> Option<Edits> {
    let unions: Vec<usize> = (0..text.len()).filter(|index| text.is(*index, "UNION")).collect();
    let first = *unions.first()?;
    let (mut start, mut depth) = (first, 0_usize);
    while start > 0 && !(depth == 0 && text.at(start - 1) == "(") {
        start -= 1;
        match text.at(start) {
            ")" => depth += 1,
            "(" => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    let level = text.level(start);
    if !unions.iter().all(|index| level.contains(index)) || text.has(&["INTERSECT", "EXCEPT", "WITH"]) {
        return None;
    }
    let mut constants = Vec::new();
    let mut kinds = Vec::new();
    for select in std::iter::once(start).chain(unions.iter().map(|index| index + 1)) {
        let (value, behind) = (select + 1, select + 2);
        let alone = text.is_one_of(behind, &[",", "AS"]);
        if !text.is(select, "SELECT")
            || !text.is_literal(value)
            || !alone
            || constants.contains(&text.at(value))
        {
            return None;
        }
        if text.is_number(value) && text.at(value).starts_with('0') && text.at(value) != "0" {
            return None;
        }
        constants.push(text.at(value));
        kinds.push(text.is_number(value));
    }
    if kinds.iter().any(|kind| *kind != kinds[0]) {
        return None;
    }
    let all = |index: &usize| Some((text.bytes(*index, *index)?, format!("{} ALL", text.at(*index))));
    unions.iter().map(all).collect()
}

/// A CTE of the statement's own WITH that nothing else names.
pub(super) fn cte(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    if !text.is(0, "WITH") || text.has(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
        return None;
    }
    let mut index = 1 + usize::from(text.is(1, "RECURSIVE"));
    let first = index;
    // Name, first token and last, and whether a comma follows.
    let mut list: Vec<(&str, usize, usize)> = Vec::new();
    loop {
        let name = index;
        index += 1;
        if text.at(index) == "(" {
            index = text.closing(index)? + 1;
        }
        if !text.is(index, "AS") {
            return None;
        }
        index += 1;
        index += usize::from(text.is(index, "NOT"));
        index += usize::from(text.is(index, "MATERIALIZED"));
        if text.at(index) != "(" || !text.is_one_of(index + 1, &["SELECT", "VALUES", "WITH"]) {
            return None;
        }
        let close = text.closing(index)?;
        list.push((text.at(name), name, close));
        index = close + 1;
        if text.at(index) != "," {
            break;
        }
        index += 1;
    }
    let named = |name: &str| text.words().filter(|word| word.eq_ignore_ascii_case(name)).count();
    let mut unread = list.iter().enumerate().filter(|(_, (name, ..))| named(name) == 1);
    let (number, &(name, open, close)) = unread.next()?;
    if unread.next().is_some()
        || finding.detail_text("name").is_none_or(|told| !told.eq_ignore_ascii_case(name))
    {
        return None;
    }
    let removed = match (list.len(), number) {
        // With the word WITH, to the statement's own first word.
        (1, _) => text.bytes(0, 0)?.start..text.bytes(close + 1, close + 1)?.start,
        (_, 0) => text.bytes(first, first)?.start..text.bytes(list[1].1, list[1].1)?.start,
        _ => text.without(open - 1, close)?,
    };
    Some(vec![(removed, String::new())])
}
