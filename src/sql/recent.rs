//! Whole texts known again: a prepared statement is logged with the same bytes each time, since its values
//! stand elsewhere.
//!
//! To compare a text with one that was kept costs a fraction of looking into it.

use super::{hash::mix, normalize::Scanned};

/// Texts that are kept, each in the one slot that its key gives it: the last one stays.
const SLOTS: usize = 1024;
/// Longer texts are not kept, so that all take up two megabytes at most.
const LONGEST: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Empty until the first text is kept.
    slots: Vec<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    key: u64,
    text: Box<[u8]>,
    scanned: Scanned,
}

impl Recent {
    pub(super) fn recall(&self, sql: &[u8]) -> Option<Scanned> {
        let key = key(sql);
        let kept = self.slots.get(slot(key))?.as_ref()?;
        (kept.key == key && *kept.text == *sql).then(|| kept.scanned.clone())
    }

    pub(super) fn keep(&mut self, sql: &[u8], scanned: &Scanned) {
        if sql.len() > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let key = key(sql);
        self.slots[slot(key)] = Some(Kept { key, text: sql.into(), scanned: scanned.clone() });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
fn slot(key: u64) -> usize {
    key as usize % SLOTS
}

/// Of the length and of eight bytes each from the beginning, the middle and the end.
fn key(sql: &[u8]) -> u64 {
    let word =
        |at: usize| sql.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word));
    let (middle, end) = (word(sql.len() / 2), word(sql.len().saturating_sub(8)));
    mix(mix(word(0), middle), mix(end, sql.len() as u64))
}

#[cfg(test)]
mod tests {
    use crate::sql::Normalizer;

    #[test]
    fn a_text_that_comes_back_says_the_same() {
        let texts = [
            "SELECT $1",
            "SELECT 1",
            "",
            "SELECT a FROM t WHERE x = $1 AND y = $2 /* route='/a' */",
            "SELECT a FROM t WHERE x = $1 AND y = $2 /* route='/b' */",
            "UPDATE t SET note = $body$one$body$ WHERE id = 1.5e3",
            "UPDATE t SET note = $body$two$body$ WHERE id = 1.5e3",
        ];
        let mut normalizer = Normalizer::default();
        for text in texts.iter().chain(&texts).chain(texts.iter().rev()) {
            let alone = Normalizer::default().scan(text.as_bytes());
            assert_eq!(normalizer.scan(text.as_bytes()), alone, "{text}");
        }
    }
}
