//! Whether a pattern begins with text that an index can be entered with
//! (<https://www.postgresql.org/docs/current/indexes-types.html#INDEXES-TYPES-BTREE>).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Fixed,
    /// Anything, or not known.
    Wildcard,
}

/// A LIKE pattern. An empty one only matches the empty string.
pub(super) fn like(pattern: &str, escape: Option<char>) -> Start {
    match pattern.chars().next() {
        Some(first) if escape == Some(first) => Start::Fixed,
        Some('%' | '_') => Start::Wildcard,
        _ => Start::Fixed,
    }
}

/// A SIMILAR TO pattern: always anchored, its alternatives may begin with anything.
pub(super) fn similar(pattern: &str, escape: Option<char>) -> Start {
    let first = pattern.chars().next();
    if pattern.contains('|') || first.is_some_and(|first| "%_[(".contains(first) && escape != Some(first)) {
        Start::Wildcard
    } else {
        quantified(pattern)
    }
}

/// A POSIX regular expression: `^` and then a plain character that is not optional.
pub(super) fn regex(pattern: &str) -> Start {
    match pattern.strip_prefix('^') {
        Some(rest)
            if !rest.contains('|') && rest.starts_with(|first: char| !"\\.[(*+?{$^".contains(first)) =>
        {
            quantified(rest)
        }
        _ => Start::Wildcard,
    }
}

/// `a*`, `a?` and `a{0,1}` do not fix the first character.
fn quantified(rest: &str) -> Start {
    match rest.chars().nth(1) {
        Some('*' | '?' | '{') => Start::Wildcard,
        _ if rest.is_empty() => Start::Wildcard,
        _ => Start::Fixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_begin_with_text() {
        for (pattern, fixed) in
            [("abc%", true), ("%abc", false), ("_bc", false), (r"\%x", true), ("", true), ("abc", true)]
        {
            assert_eq!(like(pattern, Some('\\')) == Start::Fixed, fixed, "{pattern}");
        }
        for (pattern, fixed) in [
            ("^abc", true),
            ("abc", false),
            ("^a*b", false),
            ("^(a|b)", false),
            ("^a|b", false),
            ("^", false),
        ] {
            assert_eq!(regex(pattern) == Start::Fixed, fixed, "{pattern}");
        }
        for (pattern, fixed) in [("abc%", true), ("%abc", false), ("a|b", false), ("a?b", false)] {
            assert_eq!(similar(pattern, Some('\\')) == Start::Fixed, fixed, "{pattern}");
        }
    }
}
