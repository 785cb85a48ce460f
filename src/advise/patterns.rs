//! What a pattern is known to hold, and to begin with.
//!
//! In: the right side of LIKE, ILIKE or a regular expression. Seen through: casts, `lower()` and `upper()`, which keep
//! wildcards where they are, and `||`, as `$1 || '%'` of a search by prefix.

use crate::sql::shape::{Op, Operand, Predicate};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A parameter, or a call whose result nobody can tell.
    Unknown,
}

/// A LIKE pattern that begins with a letter of its own, or with a value that a wildcard follows only.
pub(super) fn begins_literally(pattern: &Operand) -> bool {
    match pieces_of(pattern).as_slice() {
        [Piece::Text(first), ..] => !first.is_empty() && !first.starts_with(['%', '_']),
        [Piece::Unknown, Piece::Text(rest)] => rest == "%",
        _ => false,
    }
}

/// Whether trigrams narrow it: three characters in a row, or two at the beginning, which count with what stands before.
pub(super) fn has_trigrams(pattern: &Operand, op: Op) -> bool {
    let pieces = pieces_of(pattern);
    let longest =
        |text: &String| text.split(|c: char| !c.is_alphanumeric()).map(|run| run.chars().count()).max();
    let begins = match pieces.first() {
        Some(Piece::Text(first)) if op != Op::Regex => {
            first.chars().take_while(|c| c.is_alphanumeric()).count() >= 2
        }
        _ => false,
    };
    begins
        || pieces.iter().any(|piece| match piece {
            Piece::Text(text) => longest(text).is_some_and(|longest| longest >= 3),
            Piece::Unknown => false,
        })
        // `'%' || $1 || '%'`: what people look for is longer than two letters.
        || matches!(pieces.as_slice(), [Piece::Text(open), Piece::Unknown, Piece::Text(close)]
            if open == "%" && close == "%")
}

/// The predicate with bind values in its pattern; `None` where it has none or they are not known.
pub(super) fn with_values(predicate: &Predicate, binds: &[Option<String>]) -> Option<Predicate> {
    let (Operand::Parameter(text) | Operand::Constant(text)) = &predicate.operand else { return None };
    if !matches!(predicate.op, Op::Like | Op::ILike | Op::Regex) || !text.contains('$') {
        return None;
    }
    let mut filled = String::new();
    let mut parts = text.split('$');
    filled.push_str(parts.next()?);
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().ok()?;
        let value = binds.get(number.checked_sub(1)?)?.as_ref()?;
        filled.push_str(&format!("'{}'{}", value.replace('\'', "''"), &part[digits..]));
    }
    Some(Predicate { operand: Operand::Constant(filled), ..predicate.clone() })
}

fn pieces_of(pattern: &Operand) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let Operand::Constant(text) = pattern {
        split(text, &mut pieces);
    }
    pieces
}

fn split(text: &str, pieces: &mut Vec<Piece>) {
    let text = bare(text.trim());
    let parts = apart(text, "||");
    if parts.len() > 1 {
        for part in parts {
            split(part, pieces);
        }
        return;
    }
    let lower = text.to_ascii_lowercase();
    let called = ["lower(", "upper("].into_iter().find(|name| lower.starts_with(name) && text.ends_with(')'));
    if let Some(name) = called {
        split(&text[name.len()..text.len() - 1], pieces);
    } else if lower.starts_with("concat(") && text.ends_with(')') {
        for part in apart(&text["concat(".len()..text.len() - 1], ",") {
            split(part, pieces);
        }
    } else {
        pieces.push(literal(text).map_or(Piece::Unknown, Piece::Text));
    }
}

/// Without parentheses around the whole and casts behind it.
fn bare(text: &str) -> &str {
    let uncast = apart(text, "::").first().copied().unwrap_or(text).trim();
    match uncast.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        // `(a) || (b)` has none around the whole.
        Some(inner) if closes_itself(inner) => bare(inner.trim()),
        _ => uncast,
    }
}

fn closes_itself(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut quoted = false;
    text.chars().all(|c| {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        depth >= 0
    })
}

/// A text at a separator outside of quotes and parentheses.
fn apart<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut from, mut depth, mut quoted) = (0, 0_i32, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ if !quoted && depth == 0 && at >= from && text[at..].starts_with(separator) => {
                parts.push(&text[from..at]);
                from = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// What a string constant says.
fn literal(text: &str) -> Option<String> {
    let inner = text.trim_start_matches(['E', 'e', 'N', 'n']).strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_begins_with_and_holds() {
        for (pattern, prefix, trigrams) in [
            ("'abc%'", true, true),
            ("'ab%'", true, true),
            ("'a%'", true, false),
            ("'%abc%'", false, true),
            ("'%ab%'", false, false),
            ("'_bc'", false, false),
            ("''", false, false),
            ("upper('foo%')", true, true),
            ("UPPER('%foo%'::text)", false, true),
            ("lower('it''s%')", true, true),
            ("$1", false, false),
            ("lower($1)", false, false),
            ("$1 || '%'", true, false),
            ("lower($1 || '%')", true, false),
            ("(lower($1) || '%')::text", true, false),
            ("'%' || $1 || '%'", false, true),
            ("concat('%', $1, '%')", false, true),
            ("'a || b%'", true, false),
            ("('foo') || ('%')", true, true),
            ("'unfinished", false, false),
            (")(", false, false),
        ] {
            let operand = Operand::Constant(pattern.to_owned());
            assert_eq!(
                (begins_literally(&operand), has_trigrams(&operand, Op::ILike)),
                (prefix, trigrams),
                "{pattern}"
            );
        }
    }
}
