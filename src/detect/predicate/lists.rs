//! IN, NOT IN, and comparisons that NULL or a function's volatility keeps from an index.

use super::{Test, Verdict, column_of, judge, push, tests};
use crate::{
    catalog::Column,
    detect::{Facts, Report, words},
    names::RelName,
    rules::Rule,
    sql::{
        Shape,
        form::lists_null,
        shape::{BlockId, Op, Operand, Projected, TableSource},
    },
};

pub(in crate::detect) fn not_in_subquery(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for test in tests(shape) {
        let (Op::NotIn, Operand::Subquery(inner)) = (test.predicate.op, &test.predicate.operand) else {
            continue;
        };
        let column = &test.predicate.column.name;
        let tables = base_tables(shape, *inner);
        // VALUES, unnest() and constants: a short list that holds no NULL by accident.
        let Some(first) = tables.first() else { continue };
        let given = output(facts, shape, *inner);
        let nullable = given.map(|column| !column.not_null && !excludes_null(shape, *inner));
        let rows: Option<f64> = tables.iter().map(|name| facts.catalog?.table(name)?.rows).sum();
        if nullable == Some(false) && rows.is_some_and(|rows| rows < rule.param("rows")) {
            continue;
        }
        let names: Vec<String> = tables.iter().map(|name| name.plain()).collect();
        let subject = format!("{column} NOT IN (SELECT … FROM {})", words::list(&names));
        let because = match given {
            Some(given) if nullable == Some(true) => format!(
                "{subject} is tested row by row, never joined; {} may be NULL, and a single NULL leaves no row at all",
                given.name
            ),
            _ if given.is_some() || excludes_null(shape, *inner) => {
                format!("{subject} is tested row by row, never joined")
            }
            _ => format!(
                "{subject} is tested row by row, never joined, and a single NULL in it leaves no row at all"
            ),
        };
        let keeps_null = if column_of(facts, test).is_some_and(|column| column.not_null) {
            String::new()
        } else {
            format!(
                " It also gives the rows whose {column} is NULL; add {column} IS NOT NULL where they are not meant."
            )
        };
        let other = output_name(shape, *inner).unwrap_or("…");
        let instead = format!(
            "NOT EXISTS (SELECT 1 FROM {} x WHERE x.{other} = {}.{column} …) is an anti-join, and NULLs in x do not \
             matter to it.{keeps_null}",
            first.plain(),
            alias(test)
        );
        push(rule, facts, report, test, because, instead);
    }
}

fn alias(test: Test<'_>) -> &str {
    let column = &test.predicate.column;
    let table = column.table.and_then(|at| test.shape.blocks[column.block].tables.get(at));
    table.and_then(|table| table.alias.as_deref()).unwrap_or(&test.table.name)
}

fn base_tables(shape: &Shape, block: BlockId) -> Vec<&RelName> {
    shape.blocks[block]
        .tables
        .iter()
        .filter_map(|table| match &table.source {
            TableSource::Table(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// The one column that a subquery gives, where it is a table's own.
fn output<'a>(facts: &Facts<'a>, shape: &Shape, block: BlockId) -> Option<&'a Column> {
    let [Projected::Column { column, .. }] = shape.blocks[block].projection.as_slice() else { return None };
    facts.catalog?.table(shape.table_of(column)?)?.column(&column.name)
}

fn output_name(shape: &Shape, block: BlockId) -> Option<&str> {
    match shape.blocks[block].projection.as_slice() {
        [Projected::Column { column, .. }] => Some(&column.name),
        _ => None,
    }
}

/// Whether the subquery tests the column that it gives: no test but IS NULL passes NULL.
fn excludes_null(shape: &Shape, block: BlockId) -> bool {
    let [Projected::Column { column, .. }] = shape.blocks[block].projection.as_slice() else { return false };
    shape.blocks[block].tests().any(|test| {
        test.column == *column
            && test.wrapped.is_none()
            && matches!(
                test.op,
                Op::IsNotNull | Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between | Op::In
            )
    })
}

pub(in crate::detect) fn null_in_list(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let (Op::In | Op::NotIn, Operand::List { .. }) = (test.predicate.op, &test.predicate.operand) else {
            continue;
        };
        if !lists_null(&test.predicate.text) {
            continue;
        }
        let column = &test.predicate.column.name;
        let (because, instead) = if test.predicate.op == Op::In {
            (
                format!("{column} IN (…, NULL) never finds the rows whose {column} is NULL"),
                format!(
                    "Take NULL out of the list; where those rows are meant: ({column} IN (…) OR {column} IS NULL)."
                ),
            )
        } else {
            (
                format!("{column} NOT IN (…, NULL) is never true, so that no row is found"),
                format!(
                    "Take NULL out of the list; where NULLs are not meant: {column} NOT IN (…) AND {column} IS NOT NULL."
                ),
            )
        };
        push(rule, facts, report, test, because, instead);
    }
}

pub(in crate::detect) fn large_list(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let (Op::In | Op::NotIn, Operand::List { len }) = (test.predicate.op, &test.predicate.operand) else {
            continue;
        };
        if (*len as f64) < rule.param("values") {
            continue;
        }
        let column = &test.predicate.column.name;
        let because = format!("{column} is compared with a list of {}", words::counted(*len as f64, "value"));
        let instead = if test.predicate.op == Op::In {
            format!(
                "Bind the values as one array: {column} = ANY ($1). It is one statement whatever its length; for many \
                 thousands, join unnest($1)."
            )
        } else {
            format!(
                "Bind the values as one array: {column} <> ALL ($1). It is one statement whatever its length."
            )
        };
        push(rule, facts, report, test, because, instead);
    }
}

pub(in crate::detect) fn null_safe_equality(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        if test.predicate.op != Op::IsNotDistinctFrom || test.predicate.wrapped.is_some() || test.optional {
            continue;
        }
        let column = &test.predicate.column.name;
        let table = test.table.plain();
        let own = column_of(facts, test);
        let never_null = own.is_some_and(|column| column.not_null);
        let (because, instead) = match &test.predicate.operand {
            Operand::Column(other) => (
                format!(
                    "{column} IS NOT DISTINCT FROM {} is no join condition that a hash, a merge or an index could use",
                    other.name
                ),
                if never_null {
                    format!("{column} is NOT NULL: join with =, which gives the same rows.")
                } else {
                    "Join with =, and where NULL shall meet NULL, add those rows with UNION ALL.".to_owned()
                },
            ),
            Operand::Constant(_) | Operand::Parameter(_) => {
                if matches!(judge(rule, facts, test), Verdict::Fine) {
                    continue;
                }
                let value = match &test.predicate.operand {
                    Operand::Parameter(name) => name.as_str(),
                    _ => "value",
                };
                (
                    format!("{column} IS NOT DISTINCT FROM a value: no index of {table} serves that"),
                    if never_null || value == "value" {
                        format!(
                            "{column} = {value} finds the same rows where the value is not NULL, and can use an index."
                        )
                    } else {
                        format!(
                            "({column} = {value} OR {column} IS NULL AND {value} IS NULL) finds the same rows and can use an index."
                        )
                    },
                )
            }
            _ => continue,
        };
        push(rule, facts, report, test, because, instead);
    }
}

/// Of a fresh value for each row (`provolatile` v in `pg_proc`).
const VOLATILE: &[&str] =
    &["clock_timestamp", "gen_random_uuid", "nextval", "random", "timeofday", "uuid_generate_v4", "uuidv7"];

pub(in crate::detect) fn volatile(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        let indexable = matches!(predicate.op, Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between);
        let Operand::Constant(text) = &predicate.operand else { continue };
        let Some(called) = VOLATILE.iter().find(|name| calls(text, name)).filter(|_| indexable) else {
            continue;
        };
        let known = facts.catalog.and_then(|catalog| catalog.table(test.table));
        if known.and_then(|table| table.rows).is_some_and(|rows| rows < rule.param("rows")) {
            continue;
        }
        let (column, table) = (&predicate.column.name, test.table.plain());
        let because =
            format!("{called}() is called anew for each row of {table}: no index on {column} can be used");
        let instead = if matches!(*called, "clock_timestamp" | "timeofday") {
            "now(), the start of the transaction, or statement_timestamp() where a transaction is long."
                .to_owned()
        } else {
            format!(
                "Take the value once: {column} = (SELECT {called}() …), or compute it in the application."
            )
        };
        push(rule, facts, report, test, because, instead);
    }
}

/// Whether a function is called in an expression, outside of its strings.
fn calls(text: &str, function: &str) -> bool {
    let outside = text.split('\'').step_by(2);
    let call = format!("{function}(");
    outside.map(str::to_ascii_lowercase).any(|part| {
        part.match_indices(&call).any(|(at, _)| {
            !part[..at].ends_with(|before: char| before.is_alphanumeric() || "_\"".contains(before))
        })
    })
}
