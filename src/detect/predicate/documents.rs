//! jsonb paths, arrays and full-text search: operators that need a GIN index, or an index on an expression.

use super::{Verdict, column_of, judge, push, push_sized, sized, tests, with_a_value};
use crate::{
    catalog::{Index, KeyExpr, Table},
    detect::{Facts, Report},
    rules::Rule,
    sql::{
        form::{Form, form},
        shape::{Op, Operand, Predicate},
    },
};

pub(in crate::detect) fn json_path(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        let Some(expr) = &predicate.wrapped else { continue };
        let compared =
            matches!(predicate.op, Op::Eq | Op::In | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between);
        let column = &predicate.column.name;
        if !compared || test.optional || !with_a_value(predicate) || form(expr, column) != Some(Form::Json) {
            continue;
        }
        let table = test.table.plain();
        let create = format!("CREATE INDEX CONCURRENTLY ON {table} (({expr}))");
        let (because, instead) = match judge(rule, facts, test) {
            Verdict::Fine => continue,
            Verdict::Unknown => (
                format!(
                    "{table} is searched by {expr}, inside of a document (without a schema: an index on the expression may \
                     serve it)"
                ),
                format!("Unless it is there: {create}."),
            ),
            Verdict::Scans { table, .. } => {
                let jsonb = column_of(facts, test).is_some_and(|column| column.type_name == "jsonb");
                match gin(table, column).filter(|_| jsonb && predicate.op == Op::Eq) {
                    Some(index) => (
                        format!(
                            "the GIN index {} on {column} of {} does not serve {expr}",
                            index.name,
                            sized(table)
                        ),
                        format!(
                            "As containment, which it serves: {column} @> jsonb_build_object(key, value), the value in \
                             its JSON type; or {create}."
                        ),
                    ),
                    None => (format!("no index of {} serves {expr}", sized(table)), format!("{create}.")),
                }
            }
        };
        push_sized(rule, facts, report, test, because, instead);
    }
}

/// A GIN index on the bare column.
fn gin<'a>(table: &'a Table, column: &str) -> Option<&'a Index> {
    table.indexes.iter().find(|index| {
        index.valid
            && index.spec.method == "gin"
            && index.spec.predicate.is_none()
            && index.spec.keys.iter().any(|key| {
                let trigram = key.opclass.as_deref().is_some_and(|class| class.contains("trgm"));
                !trigram && matches!(&key.expr, KeyExpr::Column(name) if name == column)
            })
    })
}

/// `$1 = ANY (tags)`.
pub(in crate::detect) fn array_any(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        let column = &predicate.column.name;
        let text = predicate.text.to_ascii_uppercase();
        let member = text.contains("= ANY(") && !text.starts_with("NOT ") && text.ends_with(')');
        let value = matches!(predicate.operand, Operand::Constant(_) | Operand::Parameter(_));
        if predicate.op != Op::Other || !member || !value || predicate.wrapped.is_some() || test.optional {
            continue;
        }
        let instead = format!(
            "{column} @> ARRAY[value] is true for the same rows, and a GIN index on {column} serves it"
        );
        match judge(rule, facts, test) {
            Verdict::Fine => {}
            Verdict::Unknown => {
                let because = format!(
                    "value = ANY ({column}) looks through the array of each row of {}: no index serves it",
                    test.table.plain()
                );
                push_sized(
                    rule,
                    facts,
                    report,
                    test,
                    because,
                    format!("{instead}. Not where the value may be NULL."),
                );
            }
            Verdict::Scans { table, .. } => {
                let (because, more) = match gin(table, column) {
                    Some(index) => (
                        format!(
                            "the GIN index {} of {} does not serve value = ANY ({column})",
                            index.name,
                            sized(table)
                        ),
                        String::new(),
                    ),
                    None => (
                        format!("no index of {} serves value = ANY ({column})", sized(table)),
                        format!(": CREATE INDEX CONCURRENTLY ON {} USING gin ({column})", table.name),
                    ),
                };
                push_sized(rule, facts, report, test, because, format!("{instead}{more}."));
            }
        }
    }
}

/// `to_tsvector(body) @@ …`: the configuration is left to the session, so that no index can hold it.
pub(in crate::detect) fn text_search(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        if test.optional || !is_unconfigured(predicate) {
            continue;
        }
        if matches!(judge(rule, facts, test), Verdict::Fine) {
            continue;
        }
        let (column, table) = (&predicate.column.name, test.table.plain());
        let because = format!(
            "to_tsvector({column}) of {table} depends on default_text_search_config: no index can hold it, so each row is \
             parsed anew"
        );
        let instead = format!(
            "Name the configuration, here and in the index: to_tsvector('english', {column}), and CREATE INDEX \
             CONCURRENTLY ON {table} USING gin (to_tsvector('english', {column}))."
        );
        push(rule, facts, report, test, because, instead);
    }
}

/// One argument, and not the configuration: `'english', body` begins with a string.
pub(in crate::detect) fn is_unconfigured(predicate: &Predicate) -> bool {
    let Some(expr) = predicate.wrapped.as_deref().filter(|_| predicate.op == Op::Matches) else {
        return false;
    };
    let Some(arguments) = expr.strip_prefix("to_tsvector(") else { return false };
    let configured = arguments.starts_with(['\'', '$', '?', ':']) || arguments.contains("regconfig");
    !configured && form(expr, &predicate.column.name).is_some()
}
