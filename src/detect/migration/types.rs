//! Which changes of a column's type rewrite its table.

/// `timestamp(3) with time zone` → its name, `(3)`, and the words behind.
fn parts(text: &str) -> (&str, &str, &str) {
    let (head, zone) = match text.find(" with") {
        Some(at) => (&text[..at], text[at..].trim()),
        None => (text, ""),
    };
    match (head.find('('), head.rfind(')')) {
        (Some(open), Some(close)) if open < close => (&head[..open], &head[open..=close], zone),
        _ => (head, "", zone),
    }
}

/// Whether ALTER COLUMN … TYPE rewrites the table (and its indexes). Types as `format_type()` prints them.
/// `None` where that cannot be known: a type of the user's own, or an old type that nobody knows.
/// `utc`: the session's time zone is UTC, for which `timestamp` and `timestamptz` hold the same (12 and later).
pub(super) fn rewrites(old: Option<&str>, new: &str, utc: bool) -> Option<bool> {
    let (to, to_length, _) = parts(new);
    let Some(old) = old else {
        return FIXED.contains(&new).then_some(true);
    };
    if old == new {
        return Some(false);
    }
    let (from, from_length, _) = parts(old);
    let from_name = from;
    let numbers = |text: &str| -> Vec<u32> {
        text.trim_matches(['(', ')']).split(',').filter_map(|n| n.trim().parse().ok()).collect()
    };
    let grows = || {
        let (from, to) = (numbers(from_length), numbers(to_length));
        match (from.first(), to.first()) {
            (_, None) => true,
            // Without one, times have six digits already.
            (None, Some(to)) => matches!(from_name, "timestamp" | "time" | "interval") && *to >= 6,
            (Some(from), Some(to)) => to >= from,
        }
    };
    let textual = |name: &str| matches!(name, "character varying" | "text");
    if textual(from) && textual(to) {
        return Some(!(to_length.is_empty() || from == to && grows()));
    }
    match (from, to) {
        ("numeric", "numeric") => {
            let scale = |length: &str| numbers(length).get(1).copied().unwrap_or(0);
            let same = to_length.is_empty() || scale(from_length) == scale(to_length);
            Some(!(same && grows()))
        }
        ("bit varying", "bit varying") | ("interval", "interval") => Some(!grows()),
        ("timestamp" | "time", _) if from == to => {
            let zone = |text: &str| text.ends_with("with time zone");
            match (zone(old) == zone(new), from) {
                (true, _) => Some(!grows()),
                (false, "timestamp") => Some(!(utc && grows())),
                _ => Some(true),
            }
        }
        ("cidr", "inet")
        | ("xml", "text")
        | ("citext", "text" | "character varying")
        | ("text", "citext") => Some(!to_length.is_empty()),
        _ if known(from) && known(to) && !old.contains('[') && !new.contains('[') => Some(true),
        _ => None,
    }
}

/// Types to which no other type changes without a rewrite.
const FIXED: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "uuid",
    "json",
    "jsonb",
    "boolean",
    "date",
    "bytea",
];

fn known(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "character varying",
        "text",
        "character",
        "numeric",
        "timestamp",
        "time",
        "interval",
        "inet",
        "cidr",
        "bit",
        "money",
    ];
    FIXED.contains(&name) || OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 13 to 18 do it: whether `pg_relation_filenode()` changes.
    #[test]
    fn which_changes_rewrite() {
        let vc = "character varying";
        let (ts, tz) = ("timestamp without time zone", "timestamp with time zone");
        for (old, new, expect) in [
            ("integer", "bigint", Some(true)),
            ("character varying(10)", "character varying(20)", Some(false)),
            ("character varying(20)", "character varying(10)", Some(true)),
            ("character varying(20)", "text", Some(false)),
            ("text", vc, Some(false)),
            ("text", "character varying(10)", Some(true)),
            ("character(10)", "text", Some(true)),
            ("numeric(10,2)", "numeric(12,2)", Some(false)),
            ("numeric(10,2)", "numeric(12,3)", Some(true)),
            ("numeric(10,2)", "numeric", Some(false)),
            ("numeric", "numeric(10,2)", Some(true)),
            (ts, tz, Some(true)),
            ("timestamp(3) without time zone", ts, Some(false)),
            (ts, "timestamp(3) without time zone", Some(true)),
            (ts, "timestamp(6) without time zone", Some(false)),
            ("interval(3)", "interval", Some(false)),
            ("bit varying(5)", "bit varying(9)", Some(false)),
            ("cidr", "inet", Some(false)),
            ("inet", "cidr", Some(true)),
            ("json", "jsonb", Some(true)),
            ("text", "mood", None),
        ] {
            assert_eq!(rewrites(Some(old), new, false), expect, "{old} -> {new}");
        }
        assert_eq!(rewrites(Some(ts), tz, true), Some(false));
        assert_eq!([rewrites(None, "bigint", false), rewrites(None, "text", false)], [Some(true), None]);
    }
}
