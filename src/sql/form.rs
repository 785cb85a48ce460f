//! What an expression around one column does to it: a call, a cast, arithmetic, a JSON path.
//!
//! In: the text of [`crate::sql::shape::Predicate::wrapped`] and the column's name. Out: the outermost
//! [`Form`], or nothing where the expression names anything else that may be a column.

use super::lex::{Kind, Lexer, Token};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The outermost function, lower case. COALESCE, EXTRACT, NULLIF and their kin are calls too.
    Call(String),
    /// To this type, as written.
    Cast(String),
    /// `+`, `-`, `*` or `/` with constants; whether the column stands on the right of it.
    Arithmetic {
        operator: char,
        right: bool,
    },
    /// `AT TIME ZONE`.
    Zone,
    /// `->`, `->>`, `#>`, `#>>`, whatever stands around them.
    Json,
    Other,
}

/// Words that are no columns where they stand in an expression without a parenthesis behind them.
const WORDS: &[&str] = &[
    "as",
    "at",
    "bigint",
    "bool",
    "boolean",
    "both",
    "bpchar",
    "century",
    "char",
    "character",
    "collate",
    "current_date",
    "current_timestamp",
    "date",
    "day",
    "decade",
    "decimal",
    "double",
    "dow",
    "doy",
    "epoch",
    "false",
    "float",
    "for",
    "from",
    "hour",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "isodow",
    "isoyear",
    "json",
    "jsonb",
    "leading",
    "local",
    "localtimestamp",
    "microseconds",
    "milliseconds",
    "minute",
    "month",
    "null",
    "numeric",
    "precision",
    "quarter",
    "real",
    "second",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "trailing",
    "true",
    "unsigned",
    "uuid",
    "varchar",
    "varying",
    "week",
    "with",
    "without",
    "year",
    "zone",
];

/// The form of an expression whose only column is `column`.
pub fn form(expr: &str, column: &str) -> Option<Form> {
    let tokens: Vec<Token> = Lexer::new(expr.as_bytes()).collect();
    let text = |token: &Token| expr.get(token.start..token.end).unwrap_or_default();
    let mut at_column = None;
    let mut depth = 0_usize;
    let mut operator = None;
    let mut cast = None;
    let (mut json, mut zone, mut other) = (false, false, false);
    for (at, token) in tokens.iter().enumerate() {
        let called = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Punct(b'('));
        match token.kind {
            Kind::Punct(b'(' | b'[') => depth += 1,
            Kind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Word(_) | Kind::Quoted => {
                let name = text(token).trim_matches('"').replace("\"\"", "\"");
                if name == column && !called {
                    if at_column.is_some() {
                        return None;
                    }
                    at_column = Some(at);
                } else if token.kind == Kind::Quoted || !called && WORDS.binary_search(&&*name).is_err() {
                    return None;
                } else if depth == 0 && name == "at" {
                    zone = true;
                }
            }
            Kind::Operator => match text(token) {
                "->" | "->>" | "#>" | "#>>" => json = true,
                one @ ("+" | "-" | "*" | "/") if depth == 0 => {
                    other |= operator.is_some();
                    operator = one.chars().next().map(|sign| (sign, at));
                }
                _ if depth == 0 => other = true,
                _ => {}
            },
            Kind::Cast if depth == 0 => cast = expr.get(token.end..),
            Kind::UnicodeQuoted | Kind::Punct(b'.') => return None,
            _ => {}
        }
    }
    let at_column = at_column?;
    let bare_string = tokens.iter().enumerate().any(|(at, token)| {
        let typed = at > 0 && matches!(tokens[at - 1].kind, Kind::Word(_));
        let cast = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Cast);
        token.kind == Kind::String && !typed && !cast
    });
    Some(match (operator, cast) {
        _ if json => Form::Json,
        _ if other => Form::Other,
        _ if zone && operator.is_none() => Form::Zone,
        // `tags - 'old'` takes a key out of a document.
        (Some(_), _) if bare_string => Form::Other,
        (Some((operator, at)), _) => Form::Arithmetic { operator, right: at < at_column },
        (None, Some(to)) => Form::Cast(to.trim().to_owned()),
        (None, None) => outermost_call(expr, &tokens),
    })
}

fn outermost_call(expr: &str, tokens: &[Token]) -> Form {
    let [name, open, ..] = tokens else { return Form::Other };
    let (Kind::Word(_), Kind::Punct(b'('), Some(Kind::Punct(b')'))) =
        (name.kind, open.kind, tokens.last().map(|last| last.kind))
    else {
        return Form::Other;
    };
    let name = expr.get(name.start..name.end).unwrap_or_default().to_ascii_lowercase();
    if name == "cast" {
        let to = expr.rsplit_once(" as ").map(|(_, to)| to.trim_end_matches(')').trim());
        return to.map_or(Form::Other, |to| Form::Cast(to.to_owned()));
    }
    Form::Call(name)
}

/// Whether a list in parentheses at the end of a text has a bare NULL among its items: `a IN (1, NULL)`.
pub fn lists_null(text: &str) -> bool {
    let tokens: Vec<Token> = Lexer::new(text.as_bytes()).collect();
    let edge = |token: Option<&Token>, edges: &[u8]| {
        token.is_some_and(|token| matches!(token.kind, Kind::Punct(byte) if edges.contains(&byte)))
    };
    tokens.iter().enumerate().any(|(at, token)| {
        text.get(token.start..token.end).is_some_and(|word| word.eq_ignore_ascii_case("null"))
            && matches!(token.kind, Kind::Word(_))
            && edge(at.checked_sub(1).and_then(|before| tokens.get(before)), b"(,")
            && edge(tokens.get(at + 1), b"),")
    })
}

#[cfg(test)]
mod tests {
    use super::{Form, WORDS, form, lists_null};

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn the_outermost_form_counts() {
        let arithmetic = |operator, right| Some(Form::Arithmetic { operator, right });
        for (expr, found) in [
            ("lower(c)", Some(Form::Call("lower".to_owned()))),
            ("lower(trim(c)::text)", Some(Form::Call("lower".to_owned()))),
            ("date_trunc('day', c)", Some(Form::Call("date_trunc".to_owned()))),
            ("extract(year from c)", Some(Form::Call("extract".to_owned()))),
            ("c::date", Some(Form::Cast("date".to_owned()))),
            ("cast(c as timestamp with time zone)", Some(Form::Cast("timestamp with time zone".to_owned()))),
            ("(c at time zone 'utc')::date", Some(Form::Cast("date".to_owned()))),
            ("c at time zone 'utc'", Some(Form::Zone)),
            ("c + interval '1 day'", arithmetic('+', false)),
            ("now() - c", arithmetic('-', true)),
            ("c * 2", arithmetic('*', false)),
            ("c % 8", Some(Form::Other)),
            ("c || 'x'", Some(Form::Other)),
            ("c - 'x'", Some(Form::Other)),
            ("c ->> 'k'", Some(Form::Json)),
            ("(c ->> 'k')::int", Some(Form::Json)),
            ("a + c", None),
            ("lower(a)", None),
            ("coalesce(c, a)", None),
            ("t.c + 1", None),
        ] {
            assert_eq!(form(expr, "c"), found, "{expr}");
        }
    }

    #[test]
    fn a_null_in_a_list_is_no_string() {
        assert!(lists_null("a IN (1, NULL)") && lists_null("a NOT IN (NULL)"));
        assert!(!lists_null("a IN ('x, NULL)')"));
    }
}
