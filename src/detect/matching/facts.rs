//! What the catalog knows of the tables and columns that conditions ask about.

use super::{Case, truth::Truth};
use crate::{
    catalog::{Column, Index, KeyExpr, Table, TableKind},
    detect::words,
    names::RelName,
    rules::matching::{Bounds, ColumnMatch, IndexMatch, Placeholder, SourceWord, TableKindWord, TableMatch},
    sql::{
        Shape,
        shape::{ColumnRef, TableSource},
    },
};

/// An item of FROM.
pub(super) fn source(case: &Case<'_>, wanted: &TableMatch, found: &TableSource) -> Truth {
    let word = match found {
        TableSource::Table(_) => SourceWord::Table,
        TableSource::Cte { .. } => SourceWord::Cte,
        TableSource::Derived(_) => SourceWord::Derived,
        TableSource::Function(_) => SourceWord::Function,
        TableSource::Values => SourceWord::Values,
    };
    if wanted.source.as_ref().is_some_and(|sources| !sources.has(&word)) {
        return Truth::No;
    }
    match found {
        TableSource::Table(name) => table(case, wanted, name),
        // What is no table has none of a table's facts.
        _ => Truth::of(TableMatch { source: wanted.source.clone(), ..TableMatch::default() } == *wanted),
    }
}

/// A table by its name.
pub(super) fn table(case: &Case<'_>, wanted: &TableMatch, name: &RelName) -> Truth {
    if wanted.name.as_ref().is_some_and(|names| !names.has(&name.name) && !names.has(&name.plain())) {
        return Truth::No;
    }
    let known = case.facts.catalog.and_then(|catalog| catalog.table(name));
    let kind = |table: &Table| match table.kind {
        TableKind::Table => TableKindWord::Table,
        TableKind::Partitioned => TableKindWord::Partitioned,
        TableKind::Partition => TableKindWord::Partition,
        TableKind::View => TableKindWord::View,
        TableKind::MaterializedView => TableKindWord::MaterializedView,
        TableKind::Foreign => TableKindWord::Foreign,
    };
    Truth::of(true)
        .and_if(wanted.kind.as_ref(), |kinds| Truth::known(known.map(|table| kinds.has(&kind(table)))))
        .and_if(wanted.primary_key.as_ref(), |asked| {
            let has = |table: &Table| table.indexes.iter().any(|index| index.primary);
            Truth::known(known.map(|table| has(table) == *asked))
        })
        .and_if(wanted.columns.as_ref(), |bounds| match known {
            Some(table) => case.count(bounds, table.columns.len()),
            None => Truth::Unknown,
        })
        .and_if(wanted.rows.as_ref(), |bounds| {
            number(case, bounds, known.and_then(|table| table.rows), Placeholder::Rows, words::count)
        })
        .and_if(wanted.bytes.as_ref(), |bounds| {
            let bytes = known.and_then(|table| table.bytes).map(|bytes| bytes as f64);
            number(case, bounds, bytes, Placeholder::Bytes, words::bytes)
        })
        .fill(Placeholder::Table, || name.plain())
}

pub(super) fn number(
    case: &Case<'_>,
    bounds: &Bounds,
    found: Option<f64>,
    place: Placeholder,
    word: fn(f64) -> String,
) -> Truth {
    match found {
        Some(number) => Truth::of(case.within(bounds, number)).fill(place, || word(number)),
        None => Truth::Unknown,
    }
}

/// A column that the statement names; `wrapped` is the expression around it.
pub(super) fn column(
    case: &Case<'_>,
    wanted: &ColumnMatch,
    shape: &Shape,
    found: &ColumnRef,
    wrapped: Option<&str>,
) -> Truth {
    match shape.table_of(found) {
        Some(table) => column_of(case, wanted, table, &found.name, wrapped),
        // Its table is not known, or is none: then only its name is.
        None if wanted.name.as_ref().is_some_and(|names| !names.has(&found.name)) => Truth::No,
        None if ColumnMatch { name: wanted.name.clone(), ..ColumnMatch::default() } == *wanted => {
            Truth::of(true).fill(Placeholder::Column, || found.name.clone())
        }
        None => Truth::Unknown,
    }
}

/// A column by its table and name.
pub(super) fn column_of(
    case: &Case<'_>,
    wanted: &ColumnMatch,
    table: &RelName,
    name: &str,
    wrapped: Option<&str>,
) -> Truth {
    if wanted.name.as_ref().is_some_and(|names| !names.0.iter().any(|known| known == name)) {
        return Truth::No;
    }
    let known_table = case.facts.catalog.and_then(|catalog| catalog.table(table));
    let known: Option<(&Table, &Column)> = known_table.and_then(|table| Some((table, table.column(name)?)));
    let test = |holds: &dyn Fn(&Table, &Column) -> bool| {
        Truth::known(known.map(|(table, column)| holds(table, column)))
    };
    Truth::of(true)
        .fill(Placeholder::Column, || name.to_owned())
        .and_if(wanted.data_type.as_ref(), |types| {
            test(&|_, column| types.0.iter().any(|name| same_type(name, &column.type_name)))
                .fill(Placeholder::Type, || {
                    known.map_or_else(String::new, |(_, column)| column.type_name.clone())
                })
        })
        .and_if(wanted.nullable.as_ref(), |asked| {
            test(&|table, column| {
                // A primary key is NOT NULL, also where DDL does not say so.
                let primary = table.indexes.iter().any(|index| index.primary && has_key(index, name));
                (column.not_null || primary) != *asked
            })
        })
        .and_if(wanted.unique.as_ref(), |asked| test(&|table, _| table.unique_on(&[name]) == *asked))
        .and_if(wanted.indexed_by.as_ref(), |index| test(&|table, _| indexed(table, index, name, wrapped)))
        .and_if(wanted.not_indexed_by.as_ref(), |index| {
            test(&|table, _| !indexed(table, index, name, wrapped))
        })
}

fn has_key(index: &Index, name: &str) -> bool {
    index.spec.keys.iter().any(|key| matches!(&key.expr, KeyExpr::Column(column) if column == name))
}

fn indexed(table: &Table, wanted: &IndexMatch, name: &str, wrapped: Option<&str>) -> bool {
    let matches_key = |expr: &KeyExpr| match (expr, wanted.expression.unwrap_or(false)) {
        (KeyExpr::Column(column), false) => column == name,
        (KeyExpr::Expression(expr), true) => wrapped.is_some_and(|wrapped| plain(wrapped) == plain(expr)),
        _ => false,
    };
    table.indexes.iter().filter(|index| index.valid).any(|index| {
        wanted.method.as_ref().is_none_or(|methods| methods.has(&index.spec.method))
            && wanted.partial.is_none_or(|asked| index.spec.predicate.is_some() == asked)
            && index.spec.keys.iter().enumerate().any(|(at, key)| {
                matches_key(&key.expr)
                    && wanted.leading.is_none_or(|asked| (at == 0) == asked)
                    && wanted
                        .opclass
                        .as_ref()
                        .is_none_or(|classes| key.opclass.as_ref().is_some_and(|class| classes.has(class)))
            })
    })
}

/// An expression without what two writers of it may space or bracket otherwise.
fn plain(expr: &str) -> String {
    let bare: String = expr.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    bare.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map_or(bare.clone(), str::to_owned)
}

/// Whether a type as people write it is this one, its length or precision aside.
fn same_type(written: &str, found: &str) -> bool {
    const ALIASES: &[(&str, &str)] = &[
        ("bool", "boolean"),
        ("char", "character"),
        ("decimal", "numeric"),
        ("float8", "double precision"),
        ("int", "integer"),
        ("int2", "smallint"),
        ("int4", "integer"),
        ("int8", "bigint"),
        ("timestamp", "timestamp without time zone"),
        ("timestamptz", "timestamp with time zone"),
        ("varchar", "character varying"),
    ];
    let base = |name: &str| {
        let mut name = name.to_lowercase();
        if let (Some(open), Some(close)) = (name.find('('), name.find(')'))
            && open < close
        {
            name.replace_range(open..=close, "");
        }
        let name = name.trim().to_owned();
        ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, full)| (*full).to_owned())
    };
    base(written) == base(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_by_any_of_their_names() {
        for (written, found) in [
            ("varchar", "character varying(255)"),
            ("timestamptz", "timestamp(3) with time zone"),
            ("numeric", "numeric(10,2)"),
            ("text", "text"),
        ] {
            assert!(super::same_type(written, found), "{written} {found}");
        }
        assert!(!super::same_type("text", "text[]"));
    }
}
