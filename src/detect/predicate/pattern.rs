//! LIKE, ILIKE and regular expressions.
//!
//! With a catalog, `missing-index` knows whether a trigram index serves a pattern, and proposes it; here
//! is what the text alone tells, as notes. The exception is a prefix that an index on the very column
//! cannot serve because of its collation: that is said here, and `missing-index` leaves it alone.

use super::{Test, Verdict, is_unknown, judge, leading, push_sized, sized, tests};
use crate::{
    catalog::{Catalog, Index, Table},
    detect::{Facts, Report},
    rules::Rule,
    sql::shape::{Op, Operand, Predicate, Sargable},
};

fn patterns<'a>(facts: &Facts<'a>) -> impl Iterator<Item = Test<'a>> {
    let matches =
        |test: &Test<'_>| !test.optional && matches!(test.predicate.op, Op::Like | Op::ILike | Op::Regex);
    facts.shape.into_iter().flat_map(tests).filter(matches)
}

/// A note where nobody knows whether there is a trigram index.
fn note(rule: &Rule, facts: &Facts<'_>, report: &mut Report, test: Test<'_>, what: &str) {
    if !is_unknown(facts, test) {
        return;
    }
    let (column, table) = (shown(test.predicate), test.table.plain());
    let because =
        format!("{what} {column} of {table}: no B-tree serves it (without a schema: a trigram index may)");
    let key = test.predicate.wrapped.as_ref().map_or_else(|| column.to_owned(), |expr| format!("({expr})"));
    let instead = format!(
        "Unless it is there: CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX CONCURRENTLY ON {table} USING gin \
         ({key} gin_trgm_ops). It serves patterns with three letters in a row or more. For words in long texts, \
         full-text search."
    );
    push_sized(rule, facts, report, test, because, instead);
}

fn shown(predicate: &Predicate) -> &str {
    predicate.wrapped.as_deref().unwrap_or(&predicate.column.name)
}

/// Whether the text says that the pattern begins with a wildcard: `'%' || $1`, not `$1`.
fn known_to_lead(predicate: &Predicate) -> bool {
    predicate.sargable == Sargable::LeadingWildcard
        && match &predicate.operand {
            Operand::Constant(text) => {
                let text = text.trim_start_matches(['(', 'E', 'N']);
                let call = text.to_ascii_lowercase();
                predicate.op == Op::Regex && text.starts_with('\'')
                    || text.starts_with("'%")
                    || text.starts_with("'_")
                    || call.starts_with("concat('%'")
                    || (call.starts_with("upper('%") || call.starts_with("lower('%"))
            }
            _ => false,
        }
}

pub(in crate::detect) fn leading_wildcard(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in patterns(facts).filter(|test| known_to_lead(test.predicate)) {
        let what = match test.predicate.op {
            Op::Regex => "a regular expression that may match anywhere in",
            _ => "a pattern that begins with a wildcard is searched in",
        };
        note(rule, facts, report, test, what);
    }
}

pub(in crate::detect) fn any_case(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in patterns(facts) {
        let any_case = test.predicate.sargable == Sargable::OtherIndexKind;
        if !any_case || !is_unknown(facts, test) {
            continue;
        }
        let (column, table) = (shown(test.predicate), test.table.plain());
        let because = format!(
            "{column} of {table} is searched in any case: no B-tree on it serves that (without a schema: a trigram index \
             may)"
        );
        let instead = format!(
            "Unless there is a trigram index: compare lower({column}) with the value in lower case, and CREATE INDEX \
             CONCURRENTLY ON {table} (lower({column}) text_pattern_ops)."
        );
        push_sized(rule, facts, report, test, because, instead);
    }
}

pub(in crate::detect) fn unknown_pattern(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in patterns(facts) {
        let unknown = test.predicate.sargable == Sargable::LeadingWildcard
            && !known_to_lead(test.predicate)
            && matches!(test.predicate.op, Op::Like | Op::ILike)
            && matches!(test.predicate.operand, Operand::Parameter(_) | Operand::Constant(_));
        if !unknown || !is_unknown(facts, test) {
            continue;
        }
        let (column, table) = (shown(test.predicate), test.table.plain());
        let because = format!(
            "the pattern that {column} of {table} is compared with is a parameter: a generic plan can use no B-tree for it"
        );
        let instead = format!(
            "Where the whole value is meant: {column} = value. For a prefix: SET plan_cache_mode = force_custom_plan for \
             this statement, so that the planner sees where the pattern begins, and an index on {column} \
             text_pattern_ops. For any pattern, a trigram index serves parameters too."
        );
        push_sized(rule, facts, report, test, because, instead);
    }
}

/// An index on the column that would serve a prefix search but for its collation.
fn misfit<'a>(catalog: &Catalog, table: &'a Table, predicate: &Predicate) -> Option<&'a Index> {
    let fixed = predicate.op == Op::Like
        && predicate.sargable == Sargable::Yes
        && matches!(&predicate.operand, Operand::Constant(text) if text.contains(['%', '_']));
    let column = table.column(&predicate.column.name)?;
    if !fixed || catalog.c_collation || column.c_collation {
        return None;
    }
    leading(table, &column.name)
        .filter(|index| index.spec.keys.first().is_some_and(|key| key.opclass.is_none()))
}

/// Whether `collated-prefix` speaks of this predicate.
pub(in crate::detect) fn is_collated_prefix(catalog: &Catalog, table: &Table, predicate: &Predicate) -> bool {
    misfit(catalog, table, predicate).is_some()
}

pub(in crate::detect) fn collated_prefix(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(catalog) = facts.catalog else { return };
    for test in patterns(facts) {
        let Verdict::Scans { table, .. } = judge(rule, facts, test) else { continue };
        let Some(index) = misfit(catalog, table, test.predicate) else { continue };
        let column = &test.predicate.column.name;
        let because = format!(
            "index {} of {} sorts {column} by the rules of a language, and LIKE compares characters: it cannot find a \
             prefix",
            index.name,
            sized(table)
        );
        let instead = format!("CREATE INDEX CONCURRENTLY ON {} ({column} text_pattern_ops)", table.name);
        push_sized(rule, facts, report, test, because, instead);
    }
}
