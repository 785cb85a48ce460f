//! The size of a GIN index that does not exist, from how often its entries are in the rows that are known.
//!
//! In: entries with their share of the rows. Out: pages of the tree of entries and of the trees of rows, as a new CREATE INDEX
//! would leave them. The constants are those of `ginblock.h`, `ginpostinglist.c` and `gindatapage.c`.

use super::snapshot::Gin;

const PAGE: f64 = 8192.0;
/// Page header and `GinPageOpaqueData`.
const OVERHEAD: f64 = 24.0 + 8.0;
/// Header of an entry, and its line pointer.
const TUPLE: f64 = 8.0 + 4.0;
/// A longer entry has its rows in a tree of their own (`GinMaxItemSize`).
const LONGEST: f64 = 2704.0;
/// Entries come in order, and a full page gives half of them away (`entrySplitPage`).
const ENTRIES: f64 = (PAGE - OVERHEAD) * 0.5;
/// Rows come in order, and a full page stays full.
const ROWS: f64 = PAGE - OVERHEAD - 40.0;
/// A segment of compressed rows begins with 8 bytes and holds about 256 more.
const SEGMENT: f64 = 1.0 + 8.0 / 256.0;

/// What is known of an index's entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    /// For each entry that many rows have, their share.
    pub common: Vec<f64>,
    /// How many other entries a row has.
    pub rare_per_row: f64,
    /// Different ones among those.
    pub rare: f64,
    /// Bytes of an entry.
    pub width: f64,
}

/// What is seen of entries in a sample of rows: for each how many rows of the sample have it, and their weight.
pub fn entries(sample: f64, rows: f64, seen: &[(f64, f64)], width: f64) -> Entries {
    let once: Vec<f64> = seen.iter().filter(|(count, _)| *count < 2.0).map(|(_, share)| *share).collect();
    let twice = seen.iter().filter(|(count, _)| (2.0..3.0).contains(count)).count() as f64;
    let single = once.len() as f64;
    // Those that the sample missed (Chao 1984), and no more than if no two rows had one in common.
    let unseen = if twice > 0.0 { single * single / (2.0 * twice) } else { f64::INFINITY };
    let all = (single + unseen).min(single * rows / sample.max(1.0)).max(single);
    Entries {
        common: seen.iter().filter(|(count, _)| *count >= 2.0).map(|(_, share)| *share).collect(),
        rare_per_row: once.iter().sum(),
        rare: if single > 0.0 { all } else { 0.0 },
        width,
    }
}

/// The figures of the index's first page; `heap` is the table's pages.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, positive and bounded")]
pub fn size(rows: f64, heap: f64, entries: &Entries) -> Gin {
    let mut of_entries = 0.0;
    let mut of_rows = 0.0;
    let mut add = |count: f64, postings: f64| {
        let list = postings * bytes(postings, heap);
        let key = TUPLE + (entries.width / 8.0).ceil() * 8.0;
        if key + list <= LONGEST {
            of_entries += count * (key + (list / 2.0).ceil() * 2.0);
        } else {
            of_entries += count * key;
            let leaves = (list * SEGMENT / ROWS).ceil().max(1.0);
            of_rows += count * if leaves > 1.0 { leaves + 1.0 } else { 1.0 };
        }
    };
    for share in &entries.common {
        add(1.0, (rows * share).max(1.0));
    }
    if entries.rare > 0.0 {
        add(entries.rare, (rows * entries.rare_per_row / entries.rare).max(1.0));
    }
    let leaves = (of_entries / ENTRIES).ceil().max(1.0);
    let entry_pages = if leaves > 1.0 { leaves + (leaves / 200.0).ceil() } else { leaves };
    let word = |pages: f64| pages.min(f64::from(u32::MAX)) as u32;
    Gin {
        pending_pages: 0,
        total_pages: word(1.0 + entry_pages + of_rows),
        entry_pages: word(entry_pages),
        data_pages: word(of_rows),
        entries: (entries.common.len() as f64 + entries.rare).max(1.0) as u64,
    }
}

/// Bytes of one of an entry's rows: the distance to the row before, 7 bits a byte, of which the lowest 11 are its place on
/// the page.
fn bytes(postings: f64, heap: f64) -> f64 {
    const OFFSET_BITS: f64 = 11.0;
    let pages = heap.max(1.0) / postings.max(1.0);
    if pages < 1.0 {
        // Mostly on the same page as the one before.
        return 1.0 + pages;
    }
    // Distances vary as chance has it: those below each limit by their share.
    (2..=6).fold(2.0, |sum, count| {
        let limit = (7.0 * f64::from(count) - OFFSET_BITS).exp2();
        sum + (-limit / pages).exp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document has one of 1,000 numbers and one of 3 words: 1,003 entries, seen in 101 rows of 1,000,000. The real index
    /// has 385 pages of entries and 1,150 of rows.
    #[test]
    fn entries_that_the_sample_missed() {
        let mut seen = vec![(1.0, 1.0 / 101.0); 91];
        seen.extend([(2.0, 2.0 / 101.0); 5]);
        seen.extend([(34.0, 1.0 / 3.0); 3]);
        let entries = entries(101.0, 1e6, &seen, 4.0);
        assert!((700.0..1400.0).contains(&entries.rare), "{entries:?}");
        let gin = size(1e6, 35_000.0, &entries);
        assert!((800..3000).contains(&gin.total_pages), "{gin:?}");
    }

    #[test]
    fn nothing_known_is_one_page() {
        let gin = size(0.0, 0.0, &Entries::default());
        assert_eq!((gin.total_pages, gin.entry_pages, gin.data_pages, gin.entries), (2, 1, 0, 1));
    }
}
