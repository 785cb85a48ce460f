//! Extended statistics for a role that may not read them: how many groups there are the planner tells, since it says
//! how many rows GROUP BY leaves. Whoever may SELECT the table may ask.
//!
//! Dependencies and commonest values it tells only mixed with other statistics: those stay unknown.

use serde::Deserialize;

use super::{Failure, LOCK_LIMIT, Session, Unseen, ask};
use crate::{
    catalog::snapshot::Extended,
    names::{RelName, quote_ident},
};

const LIMIT: std::time::Duration = std::time::Duration::from_secs(2);

#[derive(Debug, Deserialize)]
struct Object {
    schema: String,
    name: String,
    table_schema: String,
    table_name: String,
    inherited: bool,
    numbers: Vec<i16>,
    names: Vec<String>,
}

/// Some of an object's columns, and how many groups they make.
struct Groups {
    numbers: Vec<i16>,
    count: f64,
}

pub(super) fn read(
    session: &mut Session,
    held: &[u32],
    unseen: &mut Unseen,
) -> Result<Vec<Extended>, Failure> {
    let objects: Vec<Object> = ask(session, include_str!("../queries/snapshot/distinct.sql"), Some(held))?;
    let mut all = Vec::new();
    for object in objects {
        match groups(session, &object) {
            Ok(Some(groups)) => all.push(Extended {
                schema: object.schema,
                name: object.name,
                inherited: object.inherited,
                ndistinct: Some(hex(&ndistinct(&groups))),
                ..Extended::default()
            }),
            Ok(None) => unseen.add("groups of extended statistics", "the planner does not tell them", 1),
            Err(failure) if failure.gone => return Err(failure),
            Err(failure) => unseen.add("groups of extended statistics", &failure.why, 1),
        }
    }
    Ok(all)
}

/// Of every set of two columns or more, as the server has them; `None` where a plan does not tell.
fn groups(session: &mut Session, object: &Object) -> Result<Option<Vec<Groups>>, Failure> {
    // A statistics object has 8 columns at most (`STATS_MAX_DIMENSIONS`).
    let columns = object.numbers.len().min(8);
    let table = RelName::new(Some(&object.table_schema), &object.table_name);
    let only = if object.inherited { "" } else { "ONLY " };
    session.read_only(LIMIT, LOCK_LIMIT, |session| {
        session.run("SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off", LIMIT)?;
        let mut all = Vec::new();
        for set in 1_u32..1 << columns {
            let of: Vec<usize> = (0..columns).filter(|at| set >> at & 1 == 1).collect();
            if of.len() < 2 {
                continue;
            }
            let names: Vec<String> = of.iter().map(|at| quote_ident(&object.names[*at])).collect();
            let sql = format!("EXPLAIN SELECT 1 FROM {only}{table} GROUP BY {}", names.join(", "));
            let rows = session.rows(&sql, &[], LIMIT)?;
            let Some(count) = rows.first().and_then(|row| rows_of(row.try_get(0).ok()?)) else {
                return Ok(None);
            };
            all.push(Groups { numbers: of.iter().map(|at| object.numbers[*at]).collect(), count });
        }
        Ok(Some(all))
    })
}

/// `HashAggregate  (cost=1584.00..1584.06 rows=6 width=5)`
fn rows_of(line: &str) -> Option<f64> {
    line.rsplit_once(" rows=")?.1.split(' ').next()?.parse().ok()
}

/// `statext_ndistinct_serialize`, 13 to 18, as little-endian machines write it.
fn ndistinct(all: &[Groups]) -> Vec<u8> {
    const MAGIC: u32 = 0xA352_BFA4;
    const BASIC: u32 = 1;
    let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::new();
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(BASIC.to_le_bytes());
    bytes.extend(count(all.len()));
    for groups in all {
        bytes.extend(groups.count.to_le_bytes());
        bytes.extend(count(groups.numbers.len()));
        bytes.extend(groups.numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PostgreSQL 15 wrote for `{"3, 4": 6}`.
    #[test]
    fn groups_are_written_as_the_server_writes_them() {
        let groups = Groups { numbers: vec![3, 4], count: 6.0 };
        assert_eq!(hex(&ndistinct(&[groups])), "a4bf52a3010000000100000000000000000018400200000003000400");
    }

    #[test]
    fn the_rows_of_a_plan() {
        assert_eq!(rows_of("HashAggregate  (cost=1584.00..1584.06 rows=6 width=5)"), Some(6.0));
        assert_eq!(rows_of("Result"), None);
    }
}
