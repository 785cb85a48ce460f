//! From what of a snapshot is missing here to the tables whose plans it spoils.

use super::Missing;
use crate::{
    catalog::{
        Absent,
        snapshot::{Piece, Snapshot},
    },
    names::RelName,
};

/// The first cause for each table: what comes after it is mostly its consequence.
pub(super) fn of(snapshot: &Snapshot, missing: &[Missing]) -> Vec<Absent> {
    let mut all: Vec<Absent> = Vec::new();
    for one in missing {
        let Some(table) = table(snapshot, one) else { continue };
        if all.iter().all(|known| known.table != table) {
            all.push(Absent { table, what: format!("{} {}", one.kind, one.name), why: one.why.clone() });
        }
    }
    all
}

fn table(snapshot: &Snapshot, missing: &Missing) -> Option<RelName> {
    let name = missing.name.as_str();
    match missing.kind.as_str() {
        "statistics of" => split(name.rsplit_once('.')?.0).map(|relation| owner(snapshot, relation)),
        "file of" => split(name).map(|relation| owner(snapshot, relation)),
        // A check spoils no plan.
        "check" => None,
        kind => {
            let piece = snapshot.schema.iter().find(|piece| piece.kind == kind && piece.name == name);
            concerned(kind, name, piece.map_or("", |piece| &piece.sql))
        }
    }
}

/// The table that a statement concerns.
pub(super) fn table_of(piece: &Piece) -> Option<RelName> {
    concerned(&piece.kind, &piece.name, &piece.sql)
}

fn concerned(kind: &str, name: &str, sql: &str) -> Option<RelName> {
    match kind {
        "table" | "view" | "materialised view" | "partition" | "child table" => split(name),
        // `schema.constraint on table`
        "check" | "primary key" | "unique constraint" | "exclusion constraint" => {
            let (constraint, table) = name.rsplit_once(" on ")?;
            Some(RelName::new(Some(constraint.split_once('.')?.0), table))
        }
        "index" => indexed(sql, " ON "),
        "statistics object" => indexed(sql, " FROM "),
        _ => None,
    }
}

fn split(name: &str) -> Option<RelName> {
    let (schema, name) = name.split_once('.')?;
    Some(RelName::new(Some(schema), name))
}

/// The table itself, or the one that the index is on.
fn owner(snapshot: &Snapshot, relation: RelName) -> RelName {
    let name = format!("{}.{}", relation.schema.as_deref().unwrap_or_default(), relation.name);
    let index = snapshot.schema.iter().find(|piece| piece.kind == "index" && piece.name == name);
    index.and_then(|piece| indexed(&piece.sql, " ON ")).unwrap_or(relation)
}

/// The table behind `word`, as the server prints it: `CREATE INDEX i ON ONLY public."Orders" USING …`.
fn indexed(sql: &str, word: &str) -> Option<RelName> {
    let (_, rest) = sql.split_once(word)?;
    let mut rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    let schema = ident(&mut rest)?;
    rest = rest.strip_prefix('.')?;
    Some(RelName::new(Some(&schema), &ident(&mut rest)?))
}

/// Takes a name, quoted or not, off the beginning.
fn ident(rest: &mut &str) -> Option<String> {
    let text = *rest;
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == '.' || c.is_whitespace()).unwrap_or(text.len());
        *rest = &text[end..];
        return (end > 0).then(|| text[..end].to_owned());
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                name.push('"');
            }
            '"' => {
                *rest = &quoted[at + 1..];
                return Some(name);
            }
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_object_names_its_table_once() {
        let piece = |kind: &str, name: &str, sql: &str| Piece {
            kind: kind.to_owned(),
            name: name.to_owned(),
            sql: sql.to_owned(),
        };
        let snapshot = Snapshot {
            schema: vec![
                piece("index", "public.i", "CREATE INDEX i ON public.\"Big \"\"one\" USING gist (place)"),
                piece("index", "public.p", "CREATE INDEX p ON ONLY public.parts USING btree (a)"),
                piece("statistics object", "public.s", "CREATE STATISTICS public.s ON a, b FROM public.t"),
            ],
            ..Snapshot::default()
        };
        for (kind, name, expect) in [
            ("table", "public.places", Some(("public", "places"))),
            ("index", "public.i", Some(("public", "Big \"one"))),
            ("file of", "public.p", Some(("public", "parts"))),
            ("statistics of", "public.p.lower", Some(("public", "parts"))),
            ("statistics of", "sales.orders.total", Some(("sales", "orders"))),
            ("statistics object", "public.s", Some(("public", "t"))),
            ("primary key", "public.t_pkey on t", Some(("public", "t"))),
            ("extension", "postgis", None),
            ("setting", "x.y", None),
        ] {
            let one = Missing { kind: kind.to_owned(), name: name.to_owned(), why: "so".to_owned() };
            let found = of(&snapshot, &[one.clone(), one]);
            let expect: Vec<RelName> =
                expect.map(|(schema, name)| RelName::new(Some(schema), name)).into_iter().collect();
            let tables: Vec<RelName> = found.into_iter().map(|absent| absent.table).collect();
            assert_eq!(tables, expect, "{kind} {name}");
        }
    }
}
