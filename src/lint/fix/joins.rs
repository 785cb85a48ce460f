//! LEFT JOINs that can go, or be inner joins.

use super::{Edits, tokens::Text};
use crate::finding::Finding;

/// The one LEFT JOIN that gives a table this name: its first token, that of JOIN, and the one behind the
/// table and its name.
fn left_join(text: &Text<'_>, wanted: &str) -> Option<(usize, usize, usize)> {
    let mut found = None;
    for left in (0..text.len()).filter(|index| text.is(*index, "LEFT")) {
        let join = left + 1 + usize::from(text.is(left + 1, "OUTER"));
        if !text.is(join, "JOIN") {
            continue;
        }
        let (mut behind, mut name) = if text.at(join + 1) == "(" {
            (text.closing(join + 1)? + 1, None)
        } else {
            let behind = text.column(join + 1)?;
            (behind, Some(text.at(behind - 1)))
        };
        behind += usize::from(text.is(behind, "AS"));
        if !text.is_one_of(behind, &["ON", "USING"]) {
            name = Some(text.at(behind));
            behind += 1;
        }
        let called = name.is_some_and(|name| name.trim_matches('"').eq_ignore_ascii_case(wanted));
        if called && found.replace((left, join, behind)).is_some() {
            return None;
        }
    }
    found
}

/// The LEFT JOIN of a table that nothing but its own ON names.
pub(super) fn unused(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    let name = finding.detail_text("name")?;
    let (left, _, on) = left_join(text, name)?;
    if !text.is(on, "ON") || text.has(&["FOR", "NATURAL", "USING"]) {
        return None;
    }
    let ends = [
        "CROSS",
        "EXCEPT",
        "FETCH",
        "FULL",
        "GROUP",
        "HAVING",
        "INNER",
        "INTERSECT",
        "JOIN",
        "LEFT",
        "LIMIT",
        "NATURAL",
        "OFFSET",
        "ORDER",
        "RIGHT",
        "UNION",
        "WHERE",
        "WINDOW",
        ",",
    ];
    let level = text.level(on + 1);
    // left(x, 1) is a function.
    let call = |index: usize| text.is_one_of(index, &["LEFT", "RIGHT"]) && text.at(index + 1) == "(";
    let end = level.iter().copied().find(|index| text.is_one_of(*index, &ends) && !call(*index));
    let last = end.map_or_else(|| level.last().copied(), |end| end.checked_sub(1))?;
    let elsewhere = (0..left).chain(last + 1..text.len());
    let named = |index: usize| text.at(index).trim_matches('"').eq_ignore_ascii_case(name);
    let star = |index: usize| text.at(index) == "*" && text.at(index.saturating_sub(1)) != "(";
    let used = elsewhere.into_iter().any(|index| named(index) || star(index));
    (!used).then_some(vec![(text.without(left, last)?, String::new())])
}

/// The LEFT JOIN whose rows without a match WHERE throws away.
pub(super) fn undone(text: &Text<'_>, finding: &Finding) -> Option<Edits> {
    let name = finding.detail_text("name")?;
    let (left, join, _) = left_join(text, name)?;
    if text.has(&["RIGHT", "FULL"]) {
        return None;
    }
    Some(vec![(text.bytes(left, left)?.start..text.bytes(join, join)?.start, String::new())])
}
