//! What the declaration of a column says of its values.

use super::{
    types::{Class, Stored},
    values::of_check,
};
use crate::catalog::{Column, KeyExpr, Table};

/// Values that the schema lists, in their order.
pub(super) fn values(table: &Table, column: &Column, stored: &Stored) -> Vec<String> {
    if let Some(labels) = &stored.labels {
        return labels.clone();
    }
    if stored.class() == Class::Boolean {
        return ["f", "t"].map(str::to_owned).into();
    }
    let own = table.checks.iter().find_map(|check| of_check(&check.condition, &column.name));
    let of_domain = || {
        stored.checks.iter().flatten().find_map(|check| of_check(check.trim_start_matches("CHECK "), "VALUE"))
    };
    own.or_else(of_domain).unwrap_or_default()
}

/// Whether no two rows have the same value by a key of this column alone.
pub(super) fn keyed(table: &Table, column: &str) -> bool {
    table.unique_on(&[column])
}

/// The other columns of the shortest key that ends with this one.
pub(super) fn key_with<'t>(table: &'t Table, column: &str) -> Option<Vec<&'t str>> {
    let keys = table.indexes.iter().filter(|index| index.unique && index.spec.predicate.is_none());
    let names = keys.filter_map(|index| {
        let names = index.spec.keys.iter().map(|key| match &key.expr {
            KeyExpr::Column(name) => Some(name.as_str()),
            KeyExpr::Expression(_) => None,
        });
        names.collect::<Option<Vec<&str>>>()
    });
    let mut names =
        names.filter(|names| names.len() > 1 && names.last() == Some(&column)).min_by_key(Vec::len)?;
    names.pop();
    Some(names)
}

/// Whether queries ask for ranges of it: of numbers and times, unless it is called like a reference.
pub(super) fn ranged(column: &Column, class: Class) -> bool {
    matches!(class, Class::Integer | Class::Number | Class::Time | Class::Date)
        && !(class == Class::Integer && (column.name.ends_with("_id") || column.name.ends_with("Id")))
}

pub(super) fn class_is_time(class: Class) -> bool {
    matches!(class, Class::Time | Class::Date)
}

pub(super) fn is_serial(column: &Column) -> bool {
    column.default.as_deref().is_some_and(|default| default.starts_with("nextval("))
}

/// Whether a time is that of the row's making: it is so by default, or is called so.
pub(super) fn made(column: &Column) -> bool {
    let now = [
        "now()",
        "current_timestamp",
        "current_date",
        "clock_timestamp()",
        "statement_timestamp()",
        "transaction_timestamp()",
        "localtimestamp",
    ];
    let by_default = column.default.as_deref().is_some_and(|default| {
        let default = default.to_ascii_lowercase();
        now.iter().any(|now| default.contains(now)) && !default.contains("interval")
    });
    let called =
        ["created", "inserted", "updated", "modified"].iter().any(|word| column.name.starts_with(word));
    by_default || (column.not_null && called)
}

/// Whether a time moves when the row is changed.
pub(super) fn changes(name: &str) -> bool {
    ["updated", "modified", "changed", "last_"].iter().any(|word| name.starts_with(word))
}
