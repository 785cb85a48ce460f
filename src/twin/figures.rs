//! Settings, statistics and sizes of the snapshot, written where the planner reads them.

use serde::Serialize;

use super::{Missing, columns, expressions::Derived, files::Files, pages, words};
use crate::{
    catalog::{
        size_btree,
        snapshot::{Relation, Snapshot},
    },
    error::Error,
    names::{quote_ident, quote_literal},
    server::raw::Session,
};

/// File numbers that the server will not reach by itself.
const FIRST_FILE: u64 = 3_000_000_000;

/// Every setting that a role may change is the database's default.
pub(super) fn settings(admin: &Session, snapshot: &Snapshot, database: &str) -> Result<Vec<Missing>, Error> {
    let known =
        admin.query("SELECT name, context IN ('user', 'superuser') FROM pg_catalog.pg_settings", &[])?;
    let mut missing = Vec::new();
    let mut all = String::new();
    for (name, value) in &snapshot.settings.0 {
        let here = known.iter().find(|row| row[0].as_deref() == Some(name));
        match here.map(|row| row[1].as_deref()) {
            Some(Some("t")) => {
                all.push_str(&format!(
                    "ALTER DATABASE {} SET {} = {};\n",
                    quote_ident(database),
                    quote_ident(name),
                    quote_literal(value)
                ));
            }
            Some(_) => {}
            None => missing.push(Missing {
                kind: "setting".to_owned(),
                name: name.clone(),
                why: "this server's version does not have it".to_owned(),
            }),
        }
    }
    let path: Vec<String> = snapshot.server.search_path.iter().map(|schema| quote_ident(schema)).collect();
    if !path.is_empty() {
        all.push_str(&format!(
            "ALTER DATABASE {} SET search_path = {};\n",
            quote_ident(database),
            path.join(", ")
        ));
    }
    if admin.batch(&all).is_err() {
        for line in all.lines() {
            if let Err(err) = admin.batch(line) {
                missing.push(Missing { kind: "setting".to_owned(), name: line.to_owned(), why: words(&err) });
            }
        }
    }
    Ok(missing)
}

/// Statistics and files. Those of columns on all of the connections at once.
pub(super) fn write(
    admins: &[Session],
    snapshot: &Snapshot,
    derived: &[Derived],
    files: &Files,
) -> Result<Vec<Missing>, Error> {
    let mut missing = Vec::new();
    let Some(admin) = admins.first() else { return Ok(missing) };
    let version = admin.query("SELECT current_setting('server_version_num')", &[])?;
    let version: u32 = version.first().and_then(|row| row[0].as_deref()?.parse().ok()).unwrap_or(0);
    let of_columns: Vec<columns::Line<'_>> = snapshot
        .relations
        .iter()
        .flat_map(|relation| {
            relation.columns.iter().map(|column| columns::Line::of(&relation.schema, &relation.name, column))
        })
        .collect();
    let of_derived: Vec<columns::Line<'_>> =
        derived.iter().map(|one| columns::Line::of(&one.schema, &one.index, &one.figures)).collect();
    missing.extend(columns::write(admins, of_columns, version)?);
    missing.extend(columns::write(admins, of_derived, version)?);
    extended(admin, snapshot, version, &mut missing)?;
    relations(admin, snapshot, files, version, &mut missing)?;
    Ok(missing)
}

/// From this version on the server has functions of its own for what a dump of statistics holds.
pub(super) const RESTORES: u32 = 180_000;

fn extended(
    admin: &Session,
    snapshot: &Snapshot,
    version: u32,
    missing: &mut Vec<Missing>,
) -> Result<(), Error> {
    if snapshot.extended.is_empty() {
        return Ok(());
    }
    for name in ["pg_ndistinct", "pg_dependencies", "pg_mcv_list"] {
        admin.batch(&format!("CREATE CAST (bytea AS {name}) WITHOUT FUNCTION"))?;
    }
    // Before 15 CREATE STATISTICS makes an empty row of each.
    admin.batch("DELETE FROM pg_catalog.pg_statistic_ext_data")?;
    let (column, value) =
        if version >= 150_000 { (" stxdinherit,", " coalesce(f.inherited, false),") } else { ("", "") };
    let sql = include_str!("queries/extended.sql")
        .replace("%INHERIT_COLUMN%", column)
        .replace("%INHERIT_VALUE%", value);
    let insert = admin.prepare(&sql)?;
    for one in &snapshot.extended {
        let json = serde_json::to_string(&[one]).unwrap_or_default();
        if let Err(err) = admin.rows(&insert, &[&json]) {
            missing.push(Missing {
                kind: "statistics object".to_owned(),
                name: format!("{}.{}", one.schema, one.name),
                why: words(&err),
            });
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Figures<'a> {
    schema: &'a str,
    name: &'a str,
    pages: i64,
    tuples: f64,
    visible: i64,
    filenode: Option<u64>,
    invalid: bool,
}

fn relations(
    admin: &Session,
    snapshot: &Snapshot,
    files: &Files,
    version: u32,
    missing: &mut Vec<Missing>,
) -> Result<(), Error> {
    let mut next = FIRST_FILE;
    let figures: Vec<Figures<'_>> = snapshot
        .relations
        .iter()
        .map(|relation| {
            next += 1;
            Figures {
                schema: &relation.schema,
                name: &relation.name,
                pages: relation.pages,
                tuples: relation.tuples,
                visible: relation.visible,
                // A file of its own, since the server may hold the first page of the old one in memory.
                filenode: first_pages(relation).map(|_| next),
                invalid: relation.invalid,
            }
        })
        .collect();
    let json = serde_json::to_string(&figures).unwrap_or_default();
    let names = snapshot.by_name();
    if version >= RESTORES {
        // What it refuses the update below gives all the same, as before 18.
        admin.query(include_str!("queries/restore_relations.sql"), &[&json])?;
    }
    // The first path is of before: the update of pg_class is not seen by its own statement.
    let placed = admin.query(include_str!("queries/relations.sql"), &[&json])?;
    let numbers: std::collections::BTreeMap<(&str, &str), Option<u64>> =
        figures.iter().map(|one| ((one.schema, one.name), one.filenode)).collect();
    for row in &placed {
        let (Some(schema), Some(name), Some(path)) =
            (row[0].as_deref(), row[1].as_deref(), row[2].as_deref())
        else {
            continue;
        };
        let Some(relation) = names.get(&(schema, name)) else { continue };
        let Some(blocks) = relation.blocks.filter(|_| !path.is_empty()) else { continue };
        let number = numbers.get(&(schema, name)).copied().flatten();
        let done = match (number, first_pages(relation)) {
            (Some(number), Some(first)) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                files.make(&format!("{folder}/{number}"), &first, blocks)
            }
            _ => files.extend(path, blocks),
        };
        if let Err(err) = done {
            missing.push(Missing {
                kind: "file of".to_owned(),
                name: format!("{schema}.{name}"),
                why: err.to_string(),
            });
        }
    }
    Ok(())
}

/// What the first pages of an index must say; `None` where the server's own do.
fn first_pages(relation: &Relation) -> Option<Vec<u8>> {
    let blocks = relation.blocks.filter(|_| relation.kind == "i")?;
    match relation.method.as_deref()? {
        "btree" => {
            // A height that was read from a file older than the index is no height of it.
            let guess = size_btree::btree_level(blocks);
            let level = relation.level.filter(|level| level + 1 >= guess).unwrap_or(guess);
            Some(pages::btree(level))
        }
        "gin" => relation.gin.as_ref().map(pages::gin),
        _ => None,
    }
}
