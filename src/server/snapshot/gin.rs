//! Figures of GIN indexes for a role that may not read pages: what the planner charges for one entry tells how deep it
//! takes the index to be, which is all that it uses them for.
//!
//! `gincostestimate` (13 to 18) reads `rint(entry pages ^ 0.15)` pages of the tree of entries and
//! `ceil(data pages / entries)` of an entry's rows. From 16 on it also charges `cpu_operator_cost` for each comparison,
//! `ceil(log2(entries))` of them. Figures are chosen that give the same.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{Failure, LOCK_LIMIT, Session, ask};
use crate::catalog::snapshot::{Gin, Relation};

const LIMIT: Duration = Duration::from_secs(2);

const BY_BITMAP: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL jit = off; \
                         SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL cpu_tuple_cost = 0; \
                         SET LOCAL cpu_index_tuple_cost = 0; SET LOCAL seq_page_cost = 0";
/// Pages cost 1 and nothing else costs.
const PAGES: &str = "SET LOCAL random_page_cost = 1; SET LOCAL cpu_operator_cost = 0";
/// Operators cost 1 and nothing else costs.
const OPERATORS: &str = "SET LOCAL random_page_cost = 0; SET LOCAL cpu_operator_cost = 1";

#[derive(Debug, Deserialize)]
struct Searched {
    schema: String,
    name: String,
    sql: String,
}

/// Sets the figures that can be told; an index that another one serves better stays as it is.
pub(super) fn read(
    session: &mut Session,
    version: u32,
    held: &[u32],
    relations: &mut [Relation],
) -> Result<(), Failure> {
    let searched: Vec<Searched> = ask(session, include_str!("../queries/snapshot/searched.sql"), Some(held))?;
    let places: BTreeMap<(String, String), usize> = relations
        .iter()
        .enumerate()
        .map(|(at, relation)| ((relation.schema.clone(), relation.name.clone()), at))
        .collect();
    for one in searched {
        let Some(&at) = places.get(&(one.schema.clone(), one.name.clone())) else { continue };
        let Some(blocks) = relations[at].blocks else { continue };
        match charged(session, version, &one) {
            Ok(charged) => relations[at].gin = charged.and_then(|charged| figures(blocks, charged)),
            Err(failure) if failure.gone => return Err(failure),
            // Its key or its predicate calls what this role may not: unknown then.
            Err(_) => {}
        }
    }
    Ok(())
}

/// What one search costs.
#[derive(Clone, Copy, Debug)]
struct Charged {
    pages: f64,
    /// Before 16 none are charged for the search.
    operators: Option<f64>,
}

fn charged(session: &mut Session, version: u32, one: &Searched) -> Result<Option<Charged>, Failure> {
    session.read_only(LIMIT, LOCK_LIMIT, |session| {
        session.run(BY_BITMAP, LIMIT)?;
        let mut costs = Vec::new();
        let all: &[&str] = if version >= 160_000 { &[PAGES, OPERATORS] } else { &[PAGES] };
        for settings in all {
            session.run(settings, LIMIT)?;
            let rows = session.rows(&format!("EXPLAIN {}", one.sql), &[], LIMIT)?;
            let lines: Vec<&str> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
            costs.extend(cost(&one.name, &lines));
        }
        Ok(match costs.as_slice() {
            [pages, rest @ ..] if rest.len() + 1 == all.len() => {
                Some(Charged { pages: *pages, operators: rest.first().copied() })
            }
            _ => None,
        })
    })
}

/// `->  Bitmap Index Scan on orders_tags  (cost=0.00..4.00 rows=100 width=0)`
fn cost(index: &str, plan: &[&str]) -> Option<f64> {
    let scans = [format!("Bitmap Index Scan on {index} "), format!("Bitmap Index Scan on \"{index}\" ")];
    let line = plan.iter().find(|line| scans.iter().any(|scan| line.contains(scan)))?;
    line.split_once("..")?.1.split(' ').next()?.parse().ok()
}

/// Figures of an index of this many blocks for which the planner charges this.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the file's length")]
fn figures(blocks: u64, charged: Charged) -> Option<Gin> {
    // Once for each page of entries in the startup cost and once in the total, as for each comparison; once for each
    // other page; 50 for the first of them, and 1 for the condition.
    const PAGE: f64 = 50.0;
    let depth_of = |entry_pages: f64| entry_pages.powf(0.15).round();
    let rest = charged.operators.map(|operators| operators - PAGE * (charged.pages + 1.0) - 1.0);
    let most = blocks.saturating_sub(1).max(1) as f64;
    // Before 16 only the sum of both is charged: most entries have their rows within one page.
    let depth = rest.map_or((charged.pages - 1.0).min(depth_of(most)).max(1.0), |rest| (rest / PAGE).floor());
    let of_rows = charged.pages - depth;
    if of_rows < 0.0 || depth < 1.0 || depth > depth_of(most) {
        // A list of pending entries, of which nothing is known, was charged for as well.
        return None;
    }
    let ends = |depth: f64| [depth - 0.5, depth + 0.5].map(|end| end.powf(1.0 / 0.15));
    let [least, greatest] = ends(depth);
    let entry_pages = (least.max(1.0) * greatest.min(most)).sqrt().round().clamp(1.0, most);
    let data_pages = (most - entry_pages).max(0.0);
    let entries = match rest {
        Some(rest) => 0.75 * 2_f64.powf(((rest - PAGE * depth) / 2.0).round().clamp(0.0, 40.0)),
        None => data_pages / (of_rows - 0.5).max(0.5),
    };
    // No more pages of rows than those that an entry is charged for.
    let data_pages = data_pages.min((entries * of_rows).floor());
    Some(Gin {
        pending_pages: 0,
        total_pages: u32::try_from(blocks).ok()?,
        entry_pages: entry_pages as u32,
        data_pages: data_pages as u32,
        entries: entries.round().max(1.0) as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gincostestimate` charges for one entry: pages, and operators from 16 on.
    fn charges(gin: &Gin) -> (f64, f64) {
        let depth = f64::from(gin.entry_pages).powf(0.15).round();
        let of_rows = (f64::from(gin.data_pages) / gin.entries as f64).ceil().max(1.0);
        let comparisons = (gin.entries as f64).log2().ceil();
        (depth + of_rows, 2.0 * comparisons + 100.0 * depth + 50.0 * of_rows + 51.0)
    }

    /// Real indexes of PostgreSQL 18 and 15, by pageinspect, and what EXPLAIN said with the settings above.
    #[test]
    fn figures_that_are_charged_as_the_real_ones() {
        let gin = |total_pages, entry_pages, data_pages, entries| Gin {
            pending_pages: 0,
            total_pages,
            entry_pages,
            data_pages,
            entries,
        };
        for (real, pages, operators) in
            [(gin(2045, 385, 1150, 1003), 4.0, 371.0), (gin(904, 143, 276, 1224), 3.0, 323.0)]
        {
            let same = |gin: &Gin| {
                let charged = charges(gin);
                (charged.0 - pages).abs() < 0.1 && (charged.1 - operators).abs() < 0.1
            };
            assert!(same(&real), "{real:?}");
            let blocks = u64::from(real.total_pages);
            let told = figures(blocks, Charged { pages, operators: Some(operators) }).expect("figures");
            assert!(same(&told), "{told:?}");
            let less = figures(blocks, Charged { pages, operators: None }).expect("figures");
            assert!((charges(&less).0 - pages).abs() < 0.1, "{less:?}");
        }
    }

    #[test]
    fn the_cost_of_a_bitmap() {
        let plan = [
            "Bitmap Heap Scan on orders  (cost=381.00..481.00 rows=100 width=4)",
            "  ->  Bitmap Index Scan on orders_meta_gin  (cost=0.00..371.00 rows=100 width=0)",
        ];
        assert_eq!(cost("orders_meta_gin", &plan), Some(371.0));
        assert_eq!(cost("orders_meta", &plan), None);
    }
}
