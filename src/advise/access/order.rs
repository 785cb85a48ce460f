//! Orders that pay: where something stops reading early, an index that gives the rows in order reads few of them.

use super::{
    super::{expressions, parts::plain},
    Reader,
};
use crate::{
    catalog::{IndexKey, KeyExpr},
    sql::shape::{Block, BlockId, Projected, SortExpr, TableSource},
};

impl Reader<'_, '_, '_> {
    /// An order pays when something stops reading early: LIMIT, DISTINCT ON, or a lone min or max.
    pub(super) fn order(&mut self, id: BlockId, block: &Block) {
        let plain_rows = block.group_by.is_empty() && !block.aggregates && !block.windows && !block.having;
        let sorted = plain_rows && !block.order_by.is_empty();
        if sorted && (block.limit.is_some() || block.distinct_on_keys > 0) {
            let Some((place, keys)) = self.sort_keys(id, block) else { return };
            let access = self.access(place);
            if block.limit.is_some() {
                access.order = keys;
            } else {
                access.distinct = keys;
            }
        } else if let Some((place, key)) = self.extreme(id, block) {
            self.access(place).order = vec![key];
        }
    }

    /// ORDER BY as keys of the one table that it sorts.
    fn sort_keys(&mut self, id: BlockId, block: &Block) -> Option<((BlockId, usize), Vec<IndexKey>)> {
        let mut keys = Vec::new();
        let mut places = Vec::new();
        for key in &block.order_by {
            let (expr, place) = match &key.expr {
                SortExpr::Column(column) => {
                    let place = self.place(column)?;
                    (plain(self.found[&place].table, &column.name)?.key.expr, place)
                }
                SortExpr::Expression(text) => {
                    let [source] = block.tables.as_slice() else { return None };
                    if !matches!(source.source, TableSource::Table(_)) {
                        return None;
                    }
                    let access = self.found.get(&(id, 0))?;
                    (KeyExpr::Expression(expressions::indexable(text, access.table)?), (id, 0))
                }
            };
            keys.push(IndexKey { expr, desc: key.desc, nulls_first: key.nulls_first, opclass: None });
            places.push(place);
        }
        places.dedup();
        match places.as_slice() {
            [place] if place.0 == id => Some((*place, keys)),
            _ => None,
        }
    }

    /// The column of a lone `min(x)` or `max(x)`.
    fn extreme(&mut self, id: BlockId, block: &Block) -> Option<((BlockId, usize), IndexKey)> {
        if !block.group_by.is_empty() || block.having || block.tables.len() != 1 {
            return None;
        }
        let [Projected::Expression { text, aggregate: true, columns, .. }] = block.projection.as_slice()
        else {
            return None;
        };
        let [column] = columns.as_slice() else { return None };
        let text = text.to_ascii_lowercase();
        if !(text.starts_with("min(") || text.starts_with("max(")) || !text.ends_with(')') {
            return None;
        }
        let place = self.place(column).filter(|place| *place == (id, 0))?;
        Some((place, plain(self.found[&place].table, &column.name)?.key))
    }
}
