//! SQL text from a [`Shape`]: the keyset page that replaces OFFSET, and the one query that replaces N.
//!
//! Conditions and columns are put together again from the Shape; what it does not hold (expressions with
//! subqueries, window definitions) makes the rewrite step aside with `None`. Literals of the statement
//! are not repeated: they stand as `…`.

use crate::{
    catalog::{Catalog, KeyExpr, Table},
    names::quote_ident,
    sql::{
        Shape,
        shape::{
            Block, ColumnRef, Condition, JoinKind, Op, Operand, Predicate, Projected, SortExpr, TableSource,
        },
    },
};

/// The column as the statement would name it: qualified where it has several tables.
pub(super) fn column(block: &Block, column: &ColumnRef) -> String {
    let name = quote_ident(&column.name);
    match column.table.and_then(|at| block.tables.get(at)).and_then(|table| table.alias.as_deref()) {
        Some(alias) if block.tables.len() > 1 => format!("{}.{name}", quote_ident(alias)),
        _ => name,
    }
}

/// `FROM orders o`, for one base table.
fn from(block: &Block) -> Option<String> {
    let [table] = &block.tables[..] else { return None };
    let TableSource::Table(name) = &table.source else { return None };
    let alias = table.alias.as_deref().filter(|alias| *alias != name.name);
    Some(match alias {
        Some(alias) => format!("{name} {}", quote_ident(alias)),
        None => name.to_string(),
    })
}

/// The output list, as far as it is columns and expressions.
fn projection(block: &Block) -> Option<Vec<String>> {
    block
        .projection
        .iter()
        .map(|item| match item {
            Projected::Star { table: None, .. } => Some("*".to_owned()),
            Projected::Star { table: Some(at), .. } => {
                Some(format!("{}.*", quote_ident(block.tables.get(*at)?.alias.as_deref()?)))
            }
            Projected::Column { column: named, alias } => {
                Some(with_alias(column(block, named), alias.as_ref()))
            }
            Projected::Expression { text, alias, .. } if !text.contains('\'') => {
                Some(with_alias(text.clone(), alias.as_ref()))
            }
            Projected::Expression { .. } => None,
        })
        .collect()
}

fn with_alias(text: String, alias: Option<&String>) -> String {
    match alias {
        Some(alias) => format!("{text} AS {}", quote_ident(alias)),
        None => text,
    }
}

/// A condition with its values left out.
fn condition(block: &Block, predicate: &Predicate) -> Option<String> {
    let left = predicate.wrapped.clone().unwrap_or_else(|| column(block, &predicate.column));
    let op = match predicate.op {
        Op::Eq => "=",
        Op::NotEq => "<>",
        Op::Lt => "<",
        Op::LtEq => "<=",
        Op::Gt => ">",
        Op::GtEq => ">=",
        Op::In => return Some(format!("{left} IN (…)")),
        Op::IsNull => return Some(format!("{left} IS NULL")),
        Op::IsNotNull => return Some(format!("{left} IS NOT NULL")),
        Op::IsTrue => return Some(left),
        Op::IsFalse => return Some(format!("NOT {left}")),
        Op::Between => return Some(format!("{left} BETWEEN … AND …")),
        Op::Like => "LIKE",
        Op::ILike => "ILIKE",
        _ => return None,
    };
    let right = match &predicate.operand {
        Operand::Parameter(parameter) => parameter.clone(),
        Operand::Constant(_) => "…".to_owned(),
        Operand::Column(other) => column(block, other),
        _ => return None,
    };
    Some(format!("{left} {op} {right}"))
}

/// All conditions of a block but those of `without`, each as text.
fn conditions(block: &Block, without: &[&Predicate]) -> Option<Vec<String>> {
    block
        .conditions
        .iter()
        .filter_map(|each| match each {
            Condition::Test(test) if without.contains(&test) => None,
            Condition::Test(test) => Some(condition(block, test)),
            _ => Some(None),
        })
        .collect()
}

/// The page after the last row seen, instead of OFFSET. Whole for one table; else the clauses alone.
pub(super) fn keyset(shape: &Shape, catalog: Option<&Catalog>) -> Option<String> {
    let block = shape.blocks.first()?;
    if block.distinct || !block.group_by.is_empty() || block.order_by.is_empty() {
        return None;
    }
    let mut keys: Vec<(String, bool)> = Vec::new();
    for key in &block.order_by {
        let SortExpr::Column(named) = &key.expr else { return None };
        keys.push((column(block, named), key.desc));
    }
    let last_desc = keys.last().is_some_and(|(_, desc)| *desc);
    let first_table = match &block.order_by[0].expr {
        SortExpr::Column(ColumnRef { table: Some(at), .. }) => block.tables.get(*at),
        _ => None,
    };
    let known = first_table.and_then(|table| match &table.source {
        TableSource::Table(name) => catalog?.table(name),
        _ => None,
    });
    for unique in tie_breaker(known, &block.order_by) {
        let named = match first_table.and_then(|table| table.alias.as_deref()) {
            Some(alias) if block.tables.len() > 1 => {
                format!("{}.{}", quote_ident(alias), quote_ident(&unique))
            }
            _ => quote_ident(&unique),
        };
        if !keys.iter().any(|(name, _)| *name == named) {
            keys.push((named, last_desc));
        }
    }
    let after = after_last(&keys);
    let order: Vec<String> =
        keys.iter().map(|(name, desc)| format!("{name}{}", if *desc { " DESC" } else { "" })).collect();
    let limit = match &block.limit {
        Some(crate::sql::shape::Bound::Number(limit)) => limit.to_string(),
        _ => "…".to_owned(),
    };
    let tail = format!("ORDER BY {} LIMIT {limit}", order.join(", "));
    let whole = from(block).zip(projection(block)).zip(conditions(block, &[]));
    Some(match whole {
        Some(((from, list), mut tests)) if shape.blocks.len() == 1 => {
            tests.push(after);
            format!("SELECT {} FROM {from} WHERE {} {tail}", list.join(", "), tests.join(" AND "))
        }
        _ => format!("… AND {after} {tail}, without OFFSET"),
    })
}

/// What makes the order unique: the primary key where it is known, `id` by custom.
fn tie_breaker(table: Option<&Table>, order: &[crate::sql::shape::OrderKey]) -> Vec<String> {
    let Some(table) = table else { return vec!["id".to_owned()] };
    let sorted: Vec<&str> = order
        .iter()
        .filter_map(|key| match &key.expr {
            SortExpr::Column(column) => Some(column.name.as_str()),
            SortExpr::Expression(_) => None,
        })
        .collect();
    if table.unique_on(&sorted) {
        return Vec::new();
    }
    let primary = table.indexes.iter().find(|index| index.primary);
    primary.map_or_else(Vec::new, |index| {
        index
            .spec
            .keys
            .iter()
            .filter_map(|key| match &key.expr {
                KeyExpr::Column(name) => Some(name.clone()),
                KeyExpr::Expression(_) => None,
            })
            .collect()
    })
}

/// `(a, b) > (:last_a, :last_b)`; with mixed directions the same in ORs, since a row comparison has one.
fn after_last(keys: &[(String, bool)]) -> String {
    let last = |name: &str| format!(":last_{}", name.rsplit('.').next().unwrap_or(name).replace('"', ""));
    let op = |desc: bool| if desc { "<" } else { ">" };
    if let [(name, desc)] = keys {
        return format!("{name} {} {}", op(*desc), last(name));
    }
    if keys.iter().all(|(_, desc)| *desc == keys[0].1) {
        let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<String> = names.iter().map(|name| last(name)).collect();
        return format!("({}) {} ({})", names.join(", "), op(keys[0].1), values.join(", "));
    }
    let steps: Vec<String> = (0..keys.len())
        .map(|at| {
            let mut parts: Vec<String> =
                keys[..at].iter().map(|(name, _)| format!("{name} = {}", last(name))).collect();
            parts.push(format!("{} {} {}", keys[at].0, op(keys[at].1), last(&keys[at].0)));
            parts.join(" AND ")
        })
        .collect();
    format!("({})", steps.join(" OR "))
}

/// One query for all the values that a loop asked for one by one, by the equality `key`.
pub(super) fn any_of(shape: &Shape, key: &Predicate) -> Option<String> {
    let block = shape.blocks.first()?;
    let key_name = column(block, &key.column);
    let tables: Option<Vec<String>> = block
        .tables
        .iter()
        .map(|table| match &table.source {
            TableSource::Table(name) => Some(name.to_string()),
            _ => None,
        })
        .collect();
    let whole = || -> Option<String> {
        tables.as_ref()?;
        if shape.blocks.len() != 1 || block.tables.iter().any(|table| table.join != JoinKind::From) {
            return None;
        }
        let from = from(block)?;
        let list = projection(block)?;
        let mut tests = conditions(block, &[key])?;
        // An id picks one row: a LIMIT on top only guards against more.
        let first = block.order_by.is_empty()
            && (key.column.name == "id" || matches!(&block.limit, Some(crate::sql::shape::Bound::Number(1))));
        if block.limit.is_some() && !first {
            tests.insert(0, format!("{key_name} = k.value"));
            let order = order_text(block)?;
            let limit = match &block.limit {
                Some(crate::sql::shape::Bound::Number(limit)) => limit.to_string(),
                _ => "…".to_owned(),
            };
            return Some(format!(
                "SELECT k.value, t.* FROM unnest($1) AS k(value) CROSS JOIN LATERAL (SELECT {} FROM {from} \
                 WHERE {}{order} LIMIT {limit}) t",
                list.join(", "),
                tests.join(" AND ")
            ));
        }
        tests.insert(0, format!("{key_name} = ANY($1)"));
        let mut list = list;
        if !list.iter().any(|item| item == "*" || item.ends_with(".*") || *item == key_name) {
            list.insert(0, key_name.clone());
        }
        let group = if block.aggregates && block.group_by.is_empty() {
            format!(" GROUP BY {key_name}")
        } else if block.group_by.is_empty() {
            String::new()
        } else {
            return None;
        };
        Some(format!("SELECT {} FROM {from} WHERE {}{group}", list.join(", "), tests.join(" AND ")))
    };
    Some(whole().unwrap_or_else(|| format!("… WHERE {key_name} = ANY($1), once for all the values")))
}

fn order_text(block: &Block) -> Option<String> {
    let mut keys = Vec::new();
    for key in &block.order_by {
        let SortExpr::Column(named) = &key.expr else { return None };
        keys.push(format!("{}{}", column(block, named), if key.desc { " DESC" } else { "" }));
    }
    Some(if keys.is_empty() { String::new() } else { format!(" ORDER BY {}", keys.join(", ")) })
}
