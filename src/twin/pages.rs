//! First pages of indexes that hold nothing and look tall, and files that are long and take no room.
//!
//! The planner reads the length of a file, the height of a B-tree from its first page, and the figures of a GIN
//! index from its first page. The tree behind is a real, empty one: one page on each level, so that whoever descends
//! it (the planner looks for the real minimum and maximum of a column) finds nothing, and no error.
//!
//! Layouts of PostgreSQL 13 to 18: `bufpage.h`, `nbtree.h`, `ginblock.h`.

use crate::catalog::snapshot::Gin;

pub(super) const PAGE: usize = 8192;
const HEADER: usize = 24;
/// `BTPageOpaqueData`.
const BTREE_SPECIAL: usize = 16;
/// `GinPageOpaqueData`.
const GIN_SPECIAL: usize = 8;
const NO_BLOCK: u32 = u32::MAX;

/// An empty page: header and special space.
fn page(special: usize) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let end = half(PAGE - special);
    put16(&mut page, 12, half(HEADER)); // pd_lower
    put16(&mut page, 14, end); // pd_upper
    put16(&mut page, 16, end); // pd_special
    put16(&mut page, 18, half(PAGE) | 4); // pd_pagesize_version
    page
}

/// The first pages of an empty B-tree whose root is at `level`; 0 is a root that is a leaf.
pub(super) fn btree(level: u32) -> Vec<u8> {
    const ROOT: u16 = 2;
    const LEAF: u16 = 1;
    const META: u16 = 8;
    let mut meta = page(BTREE_SPECIAL);
    put16(&mut meta, 12, half(HEADER + 48));
    for (at, word) in [0x05_31_62, 4, 1, level, 1, level].into_iter().enumerate() {
        put32(&mut meta, HEADER + 4 * at, word);
    }
    meta[HEADER + 32..HEADER + 40].copy_from_slice(&(-1.0_f64).to_le_bytes());
    put16(&mut meta, PAGE - 4, META);
    let mut pages = meta;
    for depth in 0..=level {
        let height = level - depth;
        let mut page = page(BTREE_SPECIAL);
        if height > 0 {
            // A pivot tuple without attributes is less than everything; it points to the page below.
            const TUPLE: usize = 8;
            let at = PAGE - BTREE_SPECIAL - TUPLE;
            let child = depth + 2;
            put16(&mut page, at, u16::try_from(child >> 16).unwrap_or(0));
            put16(&mut page, at + 2, u16::try_from(child & 0xffff).unwrap_or(0));
            put16(&mut page, at + 6, half(TUPLE) | 0x2000); // INDEX_ALT_TID_MASK
            let pointer = u32::from(half(at)) | 1 << 15 | u32::from(half(TUPLE)) << 17;
            put32(&mut page, HEADER, pointer);
            put16(&mut page, 12, half(HEADER + 4));
            put16(&mut page, 14, half(at));
        }
        put32(&mut page, PAGE - 8, height);
        let flags = if depth == 0 { ROOT } else { 0 } | if height == 0 { LEAF } else { 0 };
        put16(&mut page, PAGE - 4, flags);
        pages.extend(page);
    }
    pages
}

/// The first pages of an empty GIN index with the figures of another one.
pub(super) fn gin(figures: &Gin) -> Vec<u8> {
    const META: u16 = 8;
    const LEAF: u16 = 2;
    let mut meta = page(GIN_SPECIAL);
    put16(&mut meta, 12, half(HEADER + 56));
    let words = [NO_BLOCK, NO_BLOCK, 0, figures.pending_pages];
    for (at, word) in words.into_iter().enumerate() {
        put32(&mut meta, HEADER + 4 * at, word);
    }
    put32(&mut meta, HEADER + 24, figures.total_pages);
    put32(&mut meta, HEADER + 28, figures.entry_pages);
    put32(&mut meta, HEADER + 32, figures.data_pages);
    meta[HEADER + 40..HEADER + 48].copy_from_slice(&figures.entries.to_le_bytes());
    put32(&mut meta, HEADER + 48, 2); // GIN_CURRENT_VERSION
    let mut root = page(GIN_SPECIAL);
    for (page, flags) in [(&mut meta, META), (&mut root, LEAF)] {
        put32(page, PAGE - 8, NO_BLOCK);
        put16(page, PAGE - 2, flags);
    }
    meta.extend(root);
    meta
}

/// A length within a page.
fn half(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

fn put16(page: &mut [u8], at: usize, value: u16) {
    page[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn put32(page: &mut [u8], at: usize, value: u32) {
    page[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
