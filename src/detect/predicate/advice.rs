//! What to write instead of a function around a column, in the words of the very case.

use super::Test;
use crate::sql::shape::Op;

pub(super) fn function(name: &str, column: &str, expr: &str, test: Test<'_>) -> String {
    let table = test.table.plain();
    match name {
        "date" | "date_trunc" => whole_unit(column),
        "extract" | "date_part" | "to_char" if expr.contains('-') && expr.contains("now()") => moved(column),
        "extract" | "date_part" | "to_char" => format!(
            "Where the value stands for one span of time, such as a year, compare with its ends: {column} >= \
             start AND {column} < end. What comes round, such as a weekday, needs an index on the expression (of a \
             timestamptz, AT TIME ZONE a named zone: without, the expression is not immutable)."
        ),
        "age" => moved(column),
        "ceil" | "ceiling" | "floor" | "round" | "trunc" => {
            format!(
                "Compare {column} with the ends of what rounds to the value: {column} >= low AND {column} < high."
            )
        }
        "left" | "substr" | "substring" if test.predicate.op == Op::Eq => format!(
            "Where it is the beginning that is compared: {column} LIKE 'begin%', with an index on {column} \
             text_pattern_ops; or CREATE INDEX CONCURRENTLY ON {table} (({expr}))."
        ),
        "lower" | "upper" => format!(
            "Unless it is there: CREATE INDEX CONCURRENTLY ON {table} ({expr}); or store {column} in one case."
        ),
        _ => format!("Unless it is there: CREATE INDEX CONCURRENTLY ON {table} (({expr}))."),
    }
}

fn whole_unit(column: &str) -> String {
    format!(
        "Compare {column} with the ends of the span: {column} >= start AND {column} < start + interval '1 day' (or \
         the unit that it is cut to). For a timestamptz the start must be a timestamptz too, in the time zone that \
         is meant."
    )
}

pub(super) fn moved(column: &str) -> String {
    format!(
        "Leave {column} alone and calculate on the other side, once: {column} > now() - interval '1 day'."
    )
}
