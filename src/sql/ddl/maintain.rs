//! REINDEX, VACUUM, CLUSTER and REFRESH: what follows their first word.

use super::{
    Ddl,
    cursor::{Cursor, NotRead},
};

/// Whether an option is on, as in `(FULL, ANALYZE off)`.
fn on(options: &[(String, String)], option: &str) -> bool {
    let off = |value: &str| ["false", "off", "0"].iter().any(|no| value.eq_ignore_ascii_case(no));
    options.iter().any(|(name, value)| name == option && !off(value))
}

pub(super) fn reindex(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    let mut concurrently = cursor.punct(b'(') && on(&cursor.options()?, "concurrently");
    if !cursor.any(&["index", "table", "schema", "database", "system"]) {
        return Err(cursor.expected("what to reindex"));
    }
    let kind = cursor.text().to_ascii_lowercase();
    cursor.step();
    concurrently |= cursor.take("concurrently");
    // From PostgreSQL 15 on a database need not be named.
    let name = if cursor.at_end() { None } else { Some(cursor.relation()?) };
    Ok(Ddl::Reindex { kind, name, concurrently })
}

pub(super) fn vacuum(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    let mut full = cursor.punct(b'(') && on(&cursor.options()?, "full");
    full |= cursor.take("full");
    while cursor.take_any(&["freeze", "verbose", "analyze", "analyse"]) {}
    let mut tables = Vec::new();
    while !cursor.at_end() {
        tables.push(cursor.only_relation()?.0);
        if cursor.punct(b'(') {
            cursor.names()?;
        }
        if !cursor.take_punct(b',') {
            break;
        }
    }
    Ok(Ddl::Vacuum { full, tables })
}

pub(super) fn cluster(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    if cursor.punct(b'(') {
        cursor.options()?;
    }
    let _ = cursor.take("verbose");
    let mut table = if cursor.at_end() { None } else { Some(cursor.relation()?) };
    if cursor.take("using") {
        cursor.name()?;
    } else if cursor.take("on") {
        // CLUSTER index ON table, as it was written before 8.3.
        table = Some(cursor.relation()?);
    }
    Ok(Ddl::Cluster { table })
}

pub(super) fn refresh(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    if !cursor.take_all(&["materialized", "view"]) {
        return Ok(Ddl::Other);
    }
    let concurrently = cursor.take("concurrently");
    let view = cursor.relation()?;
    let with_data = !cursor.take_all(&["with", "no", "data"]);
    let _ = cursor.take_all(&["with", "data"]);
    Ok(Ddl::Refresh { view, concurrently, with_data })
}
