//! Which columns of a table a statement reads: those that an index-only scan would have to hold.

use std::collections::BTreeSet;

use crate::{
    catalog::Table,
    sql::{
        Shape,
        shape::{BlockId, Projected},
    },
};

/// The columns that a statement reads of one table in FROM.
pub(super) fn reads(
    shape: &Shape,
    block: BlockId,
    position: usize,
    table: &Table,
) -> Option<BTreeSet<String>> {
    let here = &shape.blocks[block];
    // An UPDATE or DELETE, and a lock, go to the row itself.
    let writes = position == 0 && block == 0 && shape.target.is_some();
    if writes || here.locking.is_some() {
        return None;
    }
    let whole = here.projection.iter().any(
        |item| matches!(item, Projected::Star { table, .. } if table.is_none_or(|table| table == position)),
    );
    if whole {
        return None;
    }
    let alias = here.tables[position].alias.as_deref().unwrap_or(&table.name.name);
    let mut reads = BTreeSet::new();
    for reference in &shape.references {
        let column = &reference.column;
        let of_table = column.block == block && column.table == Some(position);
        let maybe = column.block == block && column.table.is_none();
        if table.column(&column.name).is_some() {
            if of_table || maybe {
                reads.insert(column.name.clone());
            }
        } else if of_table || (maybe && column.name == alias) {
            // A whole row, or a system column.
            return None;
        }
    }
    Some(reads)
}
