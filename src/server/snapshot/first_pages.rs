//! Heights of B-trees and figures of GIN indexes, which stand in the first page of each.
//!
//! Read by pageinspect where the extension is there, else from the file, which may be as old as the last
//! checkpoint. Both are for superusers; for others the planner tells what it takes them for, and what is unknown still is
//! estimated later from the number of pages.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Failure, LOCK_LIMIT, OWN_LIMIT, Session, Unseen, ask, gin, heights};
use crate::{
    catalog::snapshot::{Gin, Relation},
    names::quote_ident,
};

#[derive(Deserialize)]
struct First {
    oid: i64,
    page: Option<String>,
}

pub(super) fn read(
    session: &mut Session,
    version: u32,
    held: &[u32],
    oids: &BTreeMap<i64, usize>,
    relations: &mut [Relation],
    unseen: &mut Unseen,
) -> Result<(), Failure> {
    let wanted = |relation: &Relation| {
        relation.kind == "i" && matches!(relation.method.as_deref(), Some("btree" | "gin"))
    };
    let count = relations.iter().filter(|relation| wanted(relation)).count();
    if count == 0 {
        return Ok(());
    }
    let mut ways = Vec::new();
    if let Some(schema) = pageinspect(session)? {
        ways.push(format!("{}.get_raw_page(format('%I.%I', n.nspname, c.relname), 0)", quote_ident(&schema)));
    }
    ways.push("pg_read_binary_file(pg_relation_filepath(c.oid), 0, 80)".to_owned());
    let mut why = String::new();
    for way in ways {
        let sql = include_str!("../queries/snapshot/pages.sql").replace("%READ%", &way);
        match ask::<First>(session, &sql, Some(held)) {
            Ok(pages) => {
                for page in pages {
                    let Some(&at) = oids.get(&page.oid) else { continue };
                    let Some(bytes) = page.page.as_deref().and_then(unhex) else { continue };
                    let relation = &mut relations[at];
                    match relation.method.as_deref() {
                        Some("btree") => relation.level = level(&bytes),
                        _ => relation.gin = gin_figures(&bytes),
                    }
                }
                return Ok(());
            }
            Err(failure) if failure.gone => return Err(failure),
            Err(failure) => why = failure.why,
        }
    }
    heights::read(session, held, relations)?;
    gin::read(session, version, held, relations)?;
    let unknown = |method: &str| {
        let unread = |relation: &&Relation| {
            wanted(relation)
                && relation.method.as_deref() == Some(method)
                && relation.level.is_none()
                && relation.gin.is_none()
        };
        relations.iter().filter(unread).count() as u64
    };
    unseen.add("height of an index", &format!("estimated from its size: {why}"), unknown("btree"));
    unseen.add("figures of a GIN index", &format!("estimated from its size: {why}"), unknown("gin"));
    Ok(())
}

fn pageinspect(session: &mut Session) -> Result<Option<String>, Failure> {
    let sql = "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = 'pageinspect'";
    let rows = session.read_only(OWN_LIMIT, LOCK_LIMIT, |session| session.rows(sql, &[], OWN_LIMIT))?;
    Ok(rows.first().map(|row| row.get(0)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn word(page: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?))
}

/// `BTMetaPageData`, behind a page header of 24 bytes.
fn level(page: &[u8]) -> Option<u32> {
    const MAGIC: u32 = 0x05_31_62;
    let (magic, level) = (word(page, 24)?, word(page, 24 + 20)?);
    (magic == MAGIC && level < 32).then_some(level)
}

/// `GinMetaPageData`, behind a page header of 24 bytes.
fn gin_figures(page: &[u8]) -> Option<Gin> {
    let entries = u64::from_le_bytes(page.get(24 + 40..24 + 48)?.try_into().ok()?);
    Some(Gin {
        pending_pages: word(page, 24 + 12)?,
        total_pages: word(page, 24 + 24)?,
        entry_pages: word(page, 24 + 28)?,
        data_pages: word(page, 24 + 32)?,
        entries,
    })
}
