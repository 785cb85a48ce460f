//! The real minimum and maximum of indexed columns.
//!
//! For a value at the end of a histogram the planner does not trust the sample: it looks up the extreme in the index. The
//! private server's index is empty, so that the histogram there ends with what production would have found.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{Failure, LOCK_LIMIT, PLAIN, Session, Unseen, ask, from_json};
use crate::{
    catalog::{
        array,
        snapshot::{ColumnFigures, Relation},
    },
    names::{RelName, quote_ident},
};

/// Each is two descents of an index: many fit into one short statement.
const TOGETHER: usize = 50;
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Deserialize)]
struct Column {
    schema: String,
    relation: String,
    name: String,
}

#[derive(Deserialize)]
struct Ends {
    at: usize,
    lowest: Option<String>,
    highest: Option<String>,
}

pub(super) fn read(
    session: &mut Session,
    held: &[u32],
    places: &BTreeMap<(String, String), usize>,
    relations: &mut [Relation],
    unseen: &mut Unseen,
) -> Result<(), Failure> {
    let columns: Vec<Column> = ask(session, include_str!("../queries/snapshot/indexed.sql"), Some(held))?;
    let columns: Vec<Column> = columns
        .into_iter()
        .filter(|column| figures(places, relations, column).is_some_and(|it| it.histogram_bounds.is_some()))
        .collect();
    for some in columns.chunks(TOGETHER) {
        match ends(session, some) {
            Ok(found) => {
                for one in found {
                    let Some(column) = some.get(one.at) else { continue };
                    let Some(figures) = figures(places, relations, column) else { continue };
                    let bounds = figures.histogram_bounds.as_deref().map(array::elements).unwrap_or_default();
                    figures.lowest = one.lowest.filter(|value| bounds.first() != Some(value));
                    figures.highest = one.highest.filter(|value| bounds.last() != Some(value));
                }
            }
            Err(failure) if failure.gone => return Err(failure),
            Err(failure) => {
                unseen.add("minimum and maximum of an indexed column", &failure.why, some.len() as u64);
            }
        }
    }
    Ok(())
}

fn figures<'a>(
    places: &BTreeMap<(String, String), usize>,
    relations: &'a mut [Relation],
    column: &Column,
) -> Option<&'a mut ColumnFigures> {
    let at = *places.get(&(column.schema.clone(), column.relation.clone()))?;
    relations[at].columns.iter_mut().find(|known| known.name == column.name && !known.inherited)
}

fn ends(session: &mut Session, columns: &[Column]) -> Result<Vec<Ends>, Failure> {
    let parts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let table = RelName::new(Some(&column.schema), &column.relation);
            let name = quote_ident(&column.name);
            let end = |order: &str| {
                format!("(SELECT {name} FROM ONLY {table} WHERE {name} IS NOT NULL ORDER BY {name} {order} LIMIT 1)")
            };
            format!("SELECT {at} AS at, {}::text AS lowest, {}::text AS highest", end("ASC"), end("DESC"))
        })
        .collect();
    let sql = format!("SELECT row_to_json(answer)::text FROM ({}) AS answer", parts.join(" UNION ALL "));
    let rows = session.read_only(LIMIT, LOCK_LIMIT, |session| {
        session.run(PLAIN, LIMIT)?;
        session
            .run("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL jit = off", LIMIT)?;
        session.rows(&sql, &[], LIMIT)
    })?;
    from_json(&rows)
}
