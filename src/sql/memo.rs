//! Statements known again by their outline: all their bytes but constants and comments.
//!
//! A log says the same few hundred statements over and over with other constants. The outline of one
//! is found several times faster than its tokens, and says everything about it but the values of its
//! constants and tags; where those stand was noted when a statement of this outline was read in full.
//!
//! An outline is finer than a fingerprint (white space and case count), and there is none where a
//! constant would have to be told from something else. Where each hole ends the lexer says itself.

use std::ops::Range;

use memchr::{memchr, memchr2};
use rustc_hash::FxHashMap;

use super::{
    hash::{hash, mix},
    lex,
    normalize::{Fingerprint, Scanned, StatementKind},
    tags,
};

/// Longer statements are bulk loads that hardly come twice, and so are those with more constants.
pub(super) const LONGEST: usize = 16 * 1024;
const MOST_CONSTANTS: usize = 256;
/// Outlines that are kept; all are forgotten when there are more.
const MOST: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Of the last outline, in order.
    holes: Vec<Hole>,
    /// `None`: statements of this outline must be read in full.
    known: FxHashMap<u64, Option<Known>>,
}

/// What an outline leaves out.
#[derive(Clone, Copy, Debug)]
struct Hole {
    start: usize,
    end: usize,
    kind: Kind,
}

/// Part of the outline: a sign belongs to a number and not to a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number = 1,
    String,
    Comment,
    TaggedComment,
    LineComment,
}

#[derive(Debug)]
struct Known {
    fingerprint: Fingerprint,
    kind: StatementKind,
    statements: u32,
    parameters: bool,
    constants: Box<[Place]>,
    /// The hole that is the comment with tags.
    tags: Option<usize>,
    /// Holes that are no constants, with the hash of what stands there: `ORDER BY 2`, `numeric(12,2)`.
    fixed: Box<[(u16, u64)]>,
}

/// Where a constant stands, counted from the end of the hole before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Holes before it.
    passed: u16,
    start: u16,
    /// `None`: it ends where the next hole does. Words like NULL are in no hole.
    end: Option<u16>,
}

pub(super) enum Recalled {
    Known(Scanned),
    /// To be read in full, and [`Memo::learn`]t under this key.
    New(u64),
    /// To be read in full.
    Never,
}

impl Memo {
    pub(super) fn recall(&mut self, sql: &[u8]) -> Recalled {
        self.holes.clear();
        if sql.len() > LONGEST {
            return Recalled::Never;
        }
        let Some(key) = outline(sql, &mut self.holes) else { return Recalled::Never };
        match self.known.get(&key) {
            Some(Some(known)) if known.fits(sql, &self.holes) => {
                Recalled::Known(known.fill(sql, &self.holes))
            }
            Some(_) => Recalled::Never,
            None => Recalled::New(key),
        }
    }

    /// Keeps what a full reading found in the statement that was outlined last.
    pub(super) fn learn(&mut self, key: u64, sql: &[u8], scanned: &Scanned, constants: &[Range<usize>]) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(key, Known::new(sql, scanned, constants, &self.holes));
    }
}

impl Known {
    /// `None` when there is too much to note.
    fn new(sql: &[u8], scanned: &Scanned, constants: &[Range<usize>], holes: &[Hole]) -> Option<Known> {
        let tags = match &scanned.tags {
            Some(tags) => Some(
                holes.iter().position(|hole| hole.kind == Kind::TaggedComment && hole.inside() == *tags)?,
            ),
            None => None,
        };
        if constants.len() > MOST_CONSTANTS {
            return None;
        }
        let mut places = Vec::with_capacity(constants.len());
        let mut fixed = Vec::new();
        let mut rest = constants.iter().peekable();
        let (mut passed, mut before) = (0, 0);
        let from = |before: usize, at: usize| u16::try_from(at.checked_sub(before)?).ok();
        for hole in holes {
            while let Some(word) = rest.next_if(|constant| constant.end <= hole.start) {
                let end = Some(from(before, word.end)?);
                places.push(Place { passed, start: from(before, word.start)?, end });
            }
            if matches!(hole.kind, Kind::Number | Kind::String) {
                match rest.next_if(|constant| constant.end == hole.end) {
                    Some(constant) => {
                        places.push(Place { passed, start: from(before, constant.start)?, end: None });
                    }
                    None => fixed.push((passed, hash(&sql[hole.start..hole.end]))),
                }
            }
            (passed, before) = (passed + 1, hole.end);
        }
        for word in rest {
            let end = Some(from(before, word.end)?);
            places.push(Place { passed, start: from(before, word.start)?, end });
        }
        let Scanned { fingerprint, kind, statements, parameters, .. } = *scanned;
        let (constants, fixed) = (places.into(), fixed.into());
        Some(Known { fingerprint, kind, statements, parameters, constants, tags, fixed })
    }

    /// Whether the holes that are no constants say the same.
    fn fits(&self, sql: &[u8], holes: &[Hole]) -> bool {
        self.fixed.iter().all(|&(at, known)| {
            let hole = holes[usize::from(at)];
            hash(&sql[hole.start..hole.end]) == known
        })
    }

    /// What a full reading of a statement of this outline would find.
    fn fill(&self, sql: &[u8], holes: &[Hole]) -> Scanned {
        let mut values = 0;
        for place in &self.constants {
            let passed = usize::from(place.passed);
            let before = passed.checked_sub(1).map_or(0, |last| holes[last].end);
            let end = place.end.map_or_else(|| holes[passed].end, |end| before + usize::from(end));
            values = with_constant(values, &sql[before + usize::from(place.start)..end]);
        }
        Scanned {
            fingerprint: self.fingerprint,
            kind: self.kind,
            values,
            constants: u32::try_from(self.constants.len()).unwrap_or(u32::MAX),
            tags: self.tags.map(|hole| holes[hole].inside()),
            statements: self.statements,
            parameters: self.parameters,
        }
    }
}

impl Hole {
    /// Of a comment.
    fn inside(self) -> Range<usize> {
        self.start + 2..self.end - 2
    }
}

/// The hash of some constants and one more.
pub(super) fn with_constant(values: u64, constant: &[u8]) -> u64 {
    mix(values, hash(constant)) | 1
}

const PLAIN: u8 = 0;
const DIGIT: u8 = 1;
const SINGLE: u8 = 2;
const DOUBLE: u8 = 3;
const SLASH: u8 = 4;
const DASH: u8 = 5;
const DOLLAR: u8 = 6;
const PERCENT: u8 = 7;

/// What may begin at a byte.
static BEGINS: [u8; 256] = begins();

const fn begins() -> [u8; 256] {
    let mut begins = [PLAIN; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        begins[digit as usize] = DIGIT;
        digit += 1;
    }
    begins[b'\'' as usize] = SINGLE;
    begins[b'"' as usize] = DOUBLE;
    begins[b'/' as usize] = SLASH;
    begins[b'-' as usize] = DASH;
    begins[b'$' as usize] = DOLLAR;
    begins[b'%' as usize] = PERCENT;
    begins
}

/// A part of a word, which a digit or `$` may be as well.
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Hashes what is in no hole, and the kinds of the holes. `None` where only the lexer can tell.
fn outline(sql: &[u8], holes: &mut Vec<Hole>) -> Option<u64> {
    let byte = |at: usize| sql.get(at).copied().unwrap_or(b' ');
    let (mut key, mut from, mut at) = (0, 0, 0);
    while let Some(skip) = sql[at..].iter().position(|&byte| BEGINS[usize::from(byte)] != PLAIN) {
        at += skip;
        let before = if at == 0 { b' ' } else { sql[at - 1] };
        let (end, kind) = match BEGINS[usize::from(sql[at])] {
            DIGIT if in_word(before) => {
                at += 1;
                continue;
            }
            // `t.5` and `1..5`: what ends before the `.` decides.
            DIGIT if before == b'.' && at > 1 && !begins_fraction(sql[at - 2]) => return None,
            // Of a fraction that a number began before: `.5.5` are two.
            DIGIT if before == b'.' => (digits(sql, at)?, Kind::Number),
            DIGIT => (number(sql, at)?, Kind::Number),
            SINGLE => (string(sql, at, before)?, Kind::String),
            DOUBLE if before != b'&' => {
                at += memchr(b'"', &sql[at + 1..])? + 2;
                continue;
            }
            SLASH if byte(at + 1) == b'*' => {
                let end = lex::end(sql, at, |lexer| {
                    lexer.block_comment();
                });
                let inside = sql[..end].strip_suffix(b"*/")?.get(at + 2..)?;
                (end, if tags::looks_like(inside) { Kind::TaggedComment } else { Kind::Comment })
            }
            DASH if byte(at + 1) == b'-' => {
                (memchr2(b'\n', b'\r', &sql[at..]).map_or(sql.len(), |len| at + len), Kind::LineComment)
            }
            DOLLAR if in_word(before) || byte(at + 1).is_ascii_digit() => {
                at += 1;
                continue;
            }
            DOLLAR => {
                let end = lex::end(sql, at, |lexer| {
                    lexer.dollar(at);
                });
                // A lone one is a sign of its own.
                if end == at + 1 {
                    return None;
                }
                (end, Kind::String)
            }
            // The lexer looks for the `)s` only so far.
            PERCENT if byte(at + 1) == b'(' => return None,
            DASH | SLASH | PERCENT => {
                at += 1;
                continue;
            }
            _ => return None,
        };
        key = mix(mix(key, hash(&sql[from..at])), kind as u64);
        holes.push(Hole { start: at, end, kind });
        (from, at) = (end, end);
    }
    Some(mix(key, hash(&sql[from..])))
}

/// Whether a `.` after this byte may begin a number.
fn begins_fraction(byte: u8) -> bool {
    !in_word(byte) && !matches!(byte, b'.' | b')' | b']' | b'"' | b'\'')
}

/// The end of a number that nothing is written to.
fn number(sql: &[u8], start: usize) -> Option<usize> {
    // Nearly all are digits alone.
    digits(sql, start).or_else(|| {
        let end = lex::end(sql, start, |lexer| lexer.number(start));
        ends_number(sql, end).then_some(end)
    })
}

/// The end of digits that nothing is written to.
fn digits(sql: &[u8], start: usize) -> Option<usize> {
    let end =
        sql[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(sql.len(), |len| start + len);
    ends_number(sql, end).then_some(end)
}

fn ends_number(sql: &[u8], end: usize) -> bool {
    sql.get(end).is_none_or(|&next| !in_word(next) && next != b'.')
}

/// The end of the string that begins at this quote: a plain one, or `E'…'` and its kin, whose letter is a
/// part of the outline.
fn string(sql: &[u8], quote: usize, before: u8) -> Option<usize> {
    let earlier = quote.checked_sub(2).map_or(b' ', |at| sql[at]);
    let escapes = match before | 0x20 {
        // The letter may end a longer word.
        letter @ (b'e' | b'b' | b'x' | b'n') if !in_word(earlier) => letter == b'e',
        // `U&'…'` may be followed by UESCAPE.
        _ if before == b'&' && earlier | 0x20 == b'u' => return None,
        _ if in_word(before) => return None,
        _ => false,
    };
    Some(lex::end(sql, quote, |lexer| lexer.string(escapes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::sql::Normalizer;

    /// Pieces whose meaning depends on what stands beside them.
    const PIECES: &[&str] = &[
        "SELECT ",
        "a",
        "t.",
        "\"C\"",
        " = ",
        " - ",
        "-",
        "--",
        "\n",
        "\r\n",
        " ",
        "(",
        ")",
        "[",
        "]",
        ",",
        "::",
        ":",
        "IN (",
        "ORDER BY ",
        "numeric(",
        "E",
        "e",
        "U&",
        "x",
        "N",
        "$",
        "$$",
        "$q$",
        "?",
        "%s",
        "%(a)s",
        "/*",
        "*/",
        "/",
        "'",
        "''",
        "\\",
        "\"",
        ".",
        "..",
        "UESCAPE '!'",
        "NULL",
        "/* a='b' */",
        "&",
        "@",
        "_",
        ";",
        "$1",
        "interval ",
        "é",
    ];
    const CONSTANTS: &[&str] = &["1.5e-3", ".5", "0x1F", "1_000", "'x'", "E'a\\'b'", "$b$ x $b$"];

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => proptest::sample::select(PIECES).prop_map(str::to_owned),
            1 => (0_u32..12).prop_map(|n| n.to_string()),
            1 => proptest::sample::select(CONSTANTS).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Statements of one outline follow each other: what was learnt from one must hold for the next.
        #[test]
        fn what_is_recalled_is_what_is_read(
            pieces in proptest::collection::vec(piece(), 1..14),
            values in proptest::collection::vec(0_u32..40, 8),
        ) {
            let mut normalizer = Normalizer::default();
            for value in values {
                let sql = pieces.iter().map(|piece| match piece.parse::<u32>() {
                    Ok(n) => (n + value).to_string(),
                    Err(_) => piece.clone(),
                });
                let sql: String = sql.collect();
                let alone = Normalizer::default().scan(sql.as_bytes());
                prop_assert_eq!(normalizer.scan(sql.as_bytes()), alone, "{}", sql);
            }
        }
    }
}
