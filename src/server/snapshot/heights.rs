//! Heights of B-trees for a role that may not read pages: the planner knows them, and charges for them.
//!
//! A scan of a whole index begins with one descent, which costs `cpu_operator_cost` 50 times a level and once for each
//! comparison, `log2(tuples)` of them (`btcostestimate`, 13 to 18). With that cost at 1 the plan's startup cost is
//! 50 × (height + 1) and less than 50 more.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{Failure, LOCK_LIMIT, Session, ask};
use crate::catalog::snapshot::Relation;

/// Plans are made in well under a millisecond: many fit into one short transaction.
const TOGETHER: usize = 50;
const LIMIT: Duration = Duration::from_secs(2);

/// What a level costs, in `cpu_operator_cost` (`DEFAULT_PAGE_CPU_MULTIPLIER`).
const OF_A_LEVEL: f64 = 50.0;

/// The index of whose order there is a choice of one, without sorting.
const ONLY_IN_ORDER: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; \
                             SET LOCAL enable_incremental_sort = off; SET LOCAL max_parallel_workers_per_gather = 0; \
                             SET LOCAL cpu_operator_cost = 1; SET LOCAL jit = off";

#[derive(Clone, Debug, Deserialize)]
struct Ordered {
    schema: String,
    name: String,
    sql: String,
}

/// Sets the levels that can be told; an index whose order another one serves better stays as it is.
pub(super) fn read(session: &mut Session, held: &[u32], relations: &mut [Relation]) -> Result<(), Failure> {
    let ordered: Vec<Ordered> = ask(session, include_str!("../queries/snapshot/ordered.sql"), Some(held))?;
    let places: BTreeMap<(String, String), usize> = relations
        .iter()
        .enumerate()
        .map(|(at, relation)| ((relation.schema.clone(), relation.name.clone()), at))
        .collect();
    for some in ordered.chunks(TOGETHER) {
        let levels = match levels(session, some) {
            Err(failure) if !failure.gone && some.len() > 1 => {
                // One that cannot be planned ends the transaction of its part.
                let mut all = Vec::new();
                for one in some.chunks(1) {
                    match levels(session, one) {
                        Ok(level) => all.extend(level),
                        Err(failure) if failure.gone => return Err(failure),
                        Err(_) => all.push(None),
                    }
                }
                all
            }
            Err(failure) if failure.gone => return Err(failure),
            Err(_) => continue,
            Ok(levels) => levels,
        };
        for (one, level) in some.iter().zip(levels) {
            let place = places.get(&(one.schema.clone(), one.name.clone()));
            if let (Some(&at), Some(level)) = (place, level) {
                relations[at].level = Some(level);
            }
        }
    }
    Ok(())
}

fn levels(session: &mut Session, some: &[Ordered]) -> Result<Vec<Option<u32>>, Failure> {
    session.read_only(LIMIT, LOCK_LIMIT, |session| {
        session.run(ONLY_IN_ORDER, LIMIT)?;
        let mut all = Vec::new();
        for one in some {
            let rows = session.rows(&format!("EXPLAIN {}", one.sql), &[], LIMIT)?;
            let lines: Vec<&str> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
            all.push(level(&one.name, &lines));
        }
        Ok(all)
    })
}

/// From the lines of a plan that reads this index from its beginning.
fn level(index: &str, plan: &[&str]) -> Option<u32> {
    let scans = [format!(" using {index} on "), format!(" using \"{index}\" on ")];
    let line = plan.iter().find(|line| scans.iter().any(|scan| line.contains(scan)))?;
    let startup: f64 = line.rsplit_once("(cost=")?.1.split("..").next()?.parse().ok()?;
    let level = (startup / OF_A_LEVEL).floor() - 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a level, checked")]
    (0.0..32.0).contains(&level).then_some(level as u32)
}

#[cfg(test)]
mod tests {
    use super::level;

    /// Plans of PostgreSQL 18, and the levels that pageinspect gave.
    #[test]
    fn the_startup_cost_tells_the_level() {
        for (index, line, expect) in [
            (
                "orders_pkey",
                "Index Only Scan using orders_pkey on orders  (cost=168.00..5372.00 rows=200000 width=12)",
                Some(2),
            ),
            (
                "orders_customer_idx",
                "Index Only Scan using orders_customer_idx on orders  (cost=118.00..4246.00 rows=200000 width=8)",
                Some(1),
            ),
            (
                "customers_lower_idx",
                "Index Scan using customers_lower_idx on customers  (cost=114.00..11022.21 rows=10000 width=36)",
                Some(1),
            ),
            ("Odd", "Index Scan using \"Odd\" on t  (cost=53.00..60.21 rows=6 width=36)", Some(0)),
            ("other", "Index Scan using orders_pkey on orders  (cost=168.00..1.00 rows=6 width=36)", None),
            ("orders_pkey", "Seq Scan on orders  (cost=0.00..1.00 rows=6 width=36)", None),
        ] {
            assert_eq!(level(index, &[line]), expect, "{line}");
        }
    }
}
