//! What joins a repeated query to the one that fed it: the column whose values its key takes.
//!
//! A log holds no result rows, so that the values themselves are never seen to pass from one query to the
//! other. What is known instead is told with it: a foreign key of the catalog, or the names alone, by the
//! custom that `order_id` holds the `id` of an order.

use super::rewrite;
use crate::{
    catalog::Catalog,
    names::{RelName, quote_ident},
    sql::{
        Shape,
        shape::{Block, Predicate, Projected, TableRef, TableSource},
    },
};

/// The parent's column, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) table: RelName,
    pub(super) column: String,
    pub(super) by: By,
    /// What the parent's text calls the table.
    called: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    ForeignKey,
    Name,
    /// Another query of the loop, of which one of the two above is known, asks by the same values.
    Values,
}

impl By {
    /// The word of the JSON report.
    pub(super) fn word(self) -> &'static str {
        match self {
            By::ForeignKey => "foreign-key",
            By::Name => "name",
            By::Values => "values",
        }
    }
}

impl Link {
    pub(super) fn by_values(self) -> Link {
        Link { by: By::Values, ..self }
    }
}

/// The column of the parent that most likely fed `key` of the child.
pub(super) fn link(
    parent: &Shape,
    child: &Block,
    key: &Predicate,
    catalog: Option<&Catalog>,
) -> Option<Link> {
    let at = key.column.table.or((child.tables.len() == 1).then_some(0))?;
    let TableSource::Table(child_name) = &child.tables.get(at)?.source else { return None };
    let block = parent.blocks.first()?;
    let sources = || {
        block.tables.iter().filter_map(|table| match &table.source {
            TableSource::Table(name) if name != child_name => Some((table, name)),
            _ => None,
        })
    };
    let made = |table: &TableRef, name: &RelName, column: String, by| Link {
        table: name.clone(),
        column,
        by,
        called: table.alias.clone().unwrap_or_else(|| name.name.clone()),
    };
    let known = sources().find_map(|(table, name)| {
        let column = by_foreign_key(name, child_name, &key.column.name, catalog?)?;
        Some(made(table, name, column, By::ForeignKey))
    });
    known.or_else(|| {
        sources().find_map(|(table, name)| {
            let column = by_name(block, table, name, child_name, &key.column.name)?;
            Some(made(table, name, column, By::Name))
        })
    })
}

/// The parent points to the child by the key, or the child to the parent.
fn by_foreign_key(parent: &RelName, child: &RelName, key: &str, catalog: &Catalog) -> Option<String> {
    let (parent, child) = (catalog.table(parent)?, catalog.table(child)?);
    let down = parent.foreign_keys.iter().find(|foreign| {
        foreign.references == child.name
            && foreign.columns.len() == 1
            && foreign.referenced_columns.first().is_none_or(|known| known == key)
    });
    let up = child.foreign_keys.iter().find(|foreign| {
        foreign.references == parent.name && foreign.columns.len() == 1 && foreign.columns[0] == key
    });
    match (down, up) {
        (Some(foreign), _) => foreign.columns.first().cloned(),
        (None, Some(foreign)) => {
            Some(foreign.referenced_columns.first().cloned().unwrap_or_else(|| "id".to_owned()))
        }
        (None, None) => None,
    }
}

fn by_name(block: &Block, table: &TableRef, parent: &RelName, child: &RelName, key: &str) -> Option<String> {
    pointed_at(block, table, parent, child, key)
        // Else a column of the same name in both.
        .or_else(|| columns_read(block, table).into_iter().find(|column| column == key && column != "id"))
}

fn pointed_at(
    block: &Block,
    table: &TableRef,
    parent: &RelName,
    child: &RelName,
    key: &str,
) -> Option<String> {
    // `items.order_id` for the id of an order, `flags.feature_name` for the name of a feature.
    if let Some((stem, column)) = pointer(key)
        && names(&parent.name, &stem)
    {
        return Some(column);
    }
    // `products.id` for the product_id of an item.
    let pointing = |column: &String| {
        pointer(column).is_some_and(|(stem, to)| flat(key) == flat(&to) && names(&child.name, &stem))
    };
    columns_read(block, table).into_iter().find(pointing)
}

/// Whether the names alone say that rows of `outer` hold what `key` of the child asks for.
pub(super) fn by_names(outer: &Block, child: &Block, key: &Predicate) -> bool {
    let [TableRef { source: TableSource::Table(child_name), .. }] = &child.tables[..] else { return false };
    outer.tables.iter().any(|table| match &table.source {
        TableSource::Table(name) => {
            name != child_name && pointed_at(outer, table, name, child_name, &key.column.name).is_some()
        }
        _ => false,
    })
}

/// Columns that the parent returns of one of its tables.
fn columns_read(block: &Block, table: &TableRef) -> Vec<String> {
    block
        .projection
        .iter()
        .filter_map(|item| match item {
            Projected::Column { column, .. } => Some(column),
            _ => None,
        })
        .filter(|column| column.table.and_then(|at| block.tables.get(at)) == Some(table))
        .map(|column| column.name.clone())
        .collect()
}

/// `order` and `id` of `order_id`, `orderId` and `"OrderId"`. Django's `page_ptr_id` points to a page, too.
fn pointer(column: &str) -> Option<(String, String)> {
    let hump =
        column.char_indices().rev().find(|(at, c)| c.is_uppercase() && *at > 0).map(|(at, _)| (at, at));
    let (end, from) = column.rfind('_').map(|at| (at, at + 1)).or(hump)?;
    let (stem, to) = (flat(column.get(..end)?), flat(column.get(from..)?));
    let stem = stem.strip_suffix("ptr").map_or(stem.clone(), str::to_owned);
    (stem.len() > 1 && !to.is_empty()).then_some((stem, to))
}

/// Whether a table holds what the stem names: `orders`, `shop_order` and `"Order"` hold an order.
fn names(table: &str, stem: &str) -> bool {
    let table = flat(table);
    let singulars = [
        Some(table.clone()),
        table.strip_suffix("ies").map(|stem| format!("{stem}y")),
        table.strip_suffix("es").map(str::to_owned),
        table.strip_suffix('s').map(str::to_owned),
    ];
    singulars
        .into_iter()
        .flatten()
        .any(|singular| singular == stem || singular.ends_with(stem) && stem.len() > 3)
}

fn flat(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// `LEFT JOIN users ON users.id = posts.user_id`: the child as a part of the parent. Only for a child of
/// one table, since nothing else can be said in one line.
pub(super) fn join(link: &Link, child: &Block, key: &Predicate) -> Option<String> {
    let [TableRef { source: TableSource::Table(name), .. }] = &child.tables[..] else { return None };
    Some(format!(
        "LEFT JOIN {name} ON {}.{} = {}.{}",
        quote_ident(&name.name),
        quote_ident(&key.column.name),
        quote_ident(&link.called),
        quote_ident(&link.column)
    ))
}

/// What a loop asks for, as the finding names it: `users by id`.
pub(super) fn asked(block: &Block, key: &Predicate) -> String {
    format!("{} by {}", super::repeated::tables(block), rewrite::column(block, &key.column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse;

    fn told(link: &Link) -> String {
        format!("{}.{}", link.table.plain(), link.column)
    }

    #[track_caller]
    fn check(parent: &str, child: &str, expect: Option<&str>) {
        let parent = parse::parse(parent).expect("a statement");
        let child = parse::parse(child).expect("a statement");
        let block = child.blocks.first().expect("a block");
        let key = super::super::look_alike::key(block).expect("a key");
        let found = link(&parent, block, key, None);
        assert!(found.iter().all(|found| found.by == By::Name));
        assert_eq!(found.as_ref().map(told).as_deref(), expect);
    }

    #[test]
    fn a_key_is_named_after_what_it_points_to() {
        check("SELECT id FROM orders LIMIT 20", "SELECT 1 FROM items WHERE order_id = $1", Some("orders.id"));
        check(
            "SELECT * FROM shop_order",
            "SELECT 1 FROM shop_line WHERE order_id = $1",
            Some("shop_order.id"),
        );
        check(
            "SELECT id FROM categories",
            "SELECT 1 FROM p WHERE \"categoryId\" = $1",
            Some("categories.id"),
        );
        check(
            "SELECT i.product_id, i.n FROM items i WHERE order_id = 7",
            "SELECT name FROM products WHERE id = $1",
            Some("items.product_id"),
        );
        check("SELECT * FROM features", "SELECT 1 FROM flags WHERE feature_name = $1", Some("features.name"));
        check("SELECT id FROM page", "SELECT 1 FROM blog WHERE page_ptr_id = $1", Some("page.id"));
        check("SELECT sku FROM carts", "SELECT price FROM prices WHERE sku = $1", Some("carts.sku"));
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        check("SELECT name FROM tags", "SELECT 1 FROM items WHERE order_id = $1", None);
        check("SELECT * FROM items", "SELECT name FROM products WHERE id = $1", None);
        check("SELECT id FROM users", "SELECT name FROM users WHERE id = $1", None);
        check("SELECT 1", "SELECT 1 FROM items WHERE order_id = $1", None);
    }
}
