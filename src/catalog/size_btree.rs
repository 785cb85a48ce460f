//! The size of a B-tree that does not exist: its leaves as a new CREATE INDEX fills them, with the lists that rows of one value
//! share, and the pages above them.

use super::size::{Key, OVERHEAD, PAGE, POINTER, Size, TUPLE, align, whole};

/// One row's address within a posting list.
const ADDRESS: f64 = 6.0;
/// A new index builds posting lists of up to a tenth of a page (`_bt_load`).
const POSTING: f64 = 812.0;
/// Left free of a new leaf: `BTREE_DEFAULT_FILLFACTOR` is 90.
const LEAF: f64 = (PAGE - OVERHEAD) * 0.9;
/// `BTREE_NONLEAF_FILLFACTOR`.
const INNER: f64 = (PAGE - OVERHEAD) * 0.7;
/// Children of an inner page, over many real indexes.
const FAN_OUT: u64 = 285;

/// The level of a B-tree's root by its pages alone.
pub fn btree_level(pages: u64) -> u32 {
    let mut level = 0;
    // Without the first page; inner pages are too few to matter.
    let mut nodes = pages.saturating_sub(1);
    while nodes > 1 {
        nodes = nodes.div_ceil(FAN_OUT);
        level += 1;
    }
    level
}

/// `together`: how many combinations of the keys' values there are, where that is known.
pub(super) fn btree(rows: f64, keys: &[Key], included: &[Key], version: u32, together: Option<f64>) -> Size {
    let mut width = 0.0_f64;
    for key in keys.iter().chain(included) {
        width = align(width, key.alignment) + key.width * (1.0 - key.null_fraction);
    }
    let some_null = keys.iter().chain(included).any(|key| key.null_fraction > 0.0);
    let all_null: f64 = keys.iter().map(|key| key.null_fraction).product();
    // A row with a NULL has a bitmap of 8 bytes.
    let with_null = if some_null {
        let none: f64 = keys.iter().chain(included).map(|key| 1.0 - key.null_fraction).product();
        8.0 * (1.0 - none)
    } else {
        0.0
    };
    let key = align(width, 8.0) + with_null;
    let plain = TUPLE + key + POINTER;

    let distinct: f64 = together.unwrap_or_else(|| keys.iter().map(|key| key.distinct).product());
    // Rows that are NULL in every key are one group.
    let distinct = if all_null < 1.0 { distinct.clamp(1.0, (rows * (1.0 - all_null)).max(1.0)) } else { 1.0 };
    let repeats = rows * (1.0 - all_null) / distinct;
    let shares = version >= 130_000 && included.is_empty() && keys.iter().all(|key| key.shares);
    let entry = if shares && rows > 1.0 {
        let nulls = group((rows * all_null).max(1.0), TUPLE + 8.0, TUPLE + 8.0 + POINTER)
            / (rows * all_null).max(1.0);
        all_null * nulls + (1.0 - all_null) * spread(repeats, TUPLE + key, plain)
    } else {
        plain
    };
    // Every leaf but the last begins with a copy of its highest key.
    let leaves = (rows * entry / (LEAF - plain)).ceil().max(1.0);
    let mut pages = leaves + 1.0;
    let mut level = 0;
    let mut below = leaves;
    let children = (INNER / plain).floor().max(2.0);
    while below > 1.0 {
        below = (below / children).ceil();
        pages += below;
        level += 1;
    }
    Size { pages: whole(pages), tuples: rows, level: Some(level), gin: None }
}

/// Bytes of one row of groups that have `mean` rows on average, as chance spreads them.
fn spread(mean: f64, base: f64, plain: f64) -> f64 {
    if mean <= 1.0 {
        return plain;
    }
    if mean > 40.0 {
        return group(mean, base, plain) / mean;
    }
    // Poisson with at least one row: of `mean - 1` more.
    let more = mean - 1.0;
    let (mut chance, mut bytes) = ((-more).exp(), 0.0);
    for extra in 0..200_u32 {
        bytes += chance * group(1.0 + f64::from(extra), base, plain);
        chance *= more / f64::from(extra + 1);
    }
    bytes / mean
}

/// Bytes of all rows with one value.
fn group(rows: f64, base: f64, plain: f64) -> f64 {
    if rows <= 1.0 {
        return plain * rows;
    }
    let fits = ((POSTING - base) / ADDRESS).floor().max(1.0);
    if fits <= 1.0 {
        return plain * rows;
    }
    let full = (rows / fits).floor();
    let rest = rows - full * fits;
    let list = |rows: f64| align(base + rows * ADDRESS, 8.0) + POINTER;
    full * list(fits)
        + if rest <= 0.0 {
            0.0
        } else if rest <= 1.0 {
            plain * rest
        } else {
            list(rest)
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_those_of_real_trees() {
        for (pages, level) in
            [(1, 0), (2, 0), (3, 1), (275, 1), (448, 2), (3409, 2), (25_000, 2), (100_000, 3)]
        {
            assert_eq!(btree_level(pages), level, "{pages} pages");
        }
    }
}
