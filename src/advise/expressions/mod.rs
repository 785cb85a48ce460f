//! Which expressions an index can be built on: immutable ones of one table.
//!
//! A short list of functions that `pg_proc` marks immutable whatever the argument's type, beside a few
//! forms that are immutable for some types only. What is not on it is not advised: CREATE INDEX
//! would refuse it, or the expression is better written another way.

mod tokens;

use tokens::{Token, tokens};

use crate::catalog::{Column, Table};

/// Immutable in `pg_catalog` in all their variants. Sorted.
const IMMUTABLE: &[&str] = &[
    "abs",
    "bit_length",
    "btrim",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "floor",
    "initcap",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "mod",
    "octet_length",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "split_part",
    "strpos",
    "substr",
    "substring",
    "translate",
    "trunc",
    "upper",
];

/// Those of them whose result is text. Sorted.
const GIVES_TEXT: &[&str] = &[
    "btrim",
    "initcap",
    "left",
    "lower",
    "ltrim",
    "md5",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "substr",
    "substring",
    "translate",
    "upper",
];

/// Types into which text and numbers turn alike in every session. Times do not: `DateStyle` and `TimeZone` have a say.
const READ_ALIKE: &[&str] =
    &["bigint", "bool", "boolean", "int", "int2", "int4", "int8", "integer", "numeric", "smallint", "uuid"];

/// Immutable only on a timestamp or date without time zone: with one, the result hangs on the
/// session's `TimeZone`. Sorted.
const IMMUTABLE_WITHOUT_ZONE: &[&str] = &["date", "date_part", "date_trunc", "extract"];

/// The expression as CREATE INDEX takes it (qualifiers removed), when it is certainly immutable and
/// names this table's columns only.
pub(super) fn indexable(text: &str, table: &Table) -> Option<String> {
    let tokens = tokens(text)?;
    // Text joined with text is immutable, with anything else it hangs on how that is printed.
    let joined = tokens.contains(&Token::Symbol("||".to_owned()));
    if joined && !textual(&tokens, table) {
        return None;
    }
    let mut sql = String::new();
    let mut columns = 0;
    let mut open = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let next = tokens.get(at + 1);
        match token {
            // A qualifier: `u.email` is `email` in an index of u's own table.
            Token::Word(word) if next == Some(&Token::Symbol(".".to_owned())) => {
                let called = tokens.get(at + 3) == Some(&Token::Symbol("(".to_owned()));
                if called && word != "pg_catalog" {
                    return None;
                }
                at += 1;
            }
            Token::Word(word) if next == Some(&Token::Symbol("(".to_owned())) => {
                let name = word.to_ascii_lowercase();
                let immutable = IMMUTABLE.binary_search(&name.as_str()).is_ok()
                    && (!joined || GIVES_TEXT.binary_search(&name.as_str()).is_ok())
                    || name == "coalesce"
                    || IMMUTABLE_WITHOUT_ZONE.binary_search(&name.as_str()).is_ok()
                        && without_zone(&tokens, table);
                if !immutable {
                    return None;
                }
                sql.push_str(word);
            }
            Token::Word(word) => match tokens.get(at.wrapping_sub(1)) {
                Some(Token::Symbol(symbol)) if symbol == "::" => {
                    let target = word.to_ascii_lowercase();
                    let safe = match target.as_str() {
                        "text" => textual(&tokens, table),
                        "date" | "timestamp" => !joined && without_zone(&tokens, table),
                        _ => !joined && READ_ALIKE.contains(&target.as_str()) && readable(&tokens, table),
                    };
                    if !safe {
                        return None;
                    }
                    sql.push_str(word);
                }
                _ => {
                    let plain = word.trim_matches('"').replace("\"\"", "\"");
                    if table.column(&plain).is_some() {
                        columns += 1;
                    } else if !["from", "for"].contains(&word.to_ascii_lowercase().as_str())
                        && !FIELDS.contains(&word.to_ascii_lowercase().as_str())
                    {
                        return None;
                    }
                    pad(&mut sql);
                    sql.push_str(word);
                    if matches!(next, Some(Token::Word(_))) {
                        sql.push(' ');
                    }
                }
            },
            Token::Constant(constant) => {
                pad(&mut sql);
                sql.push_str(constant);
            }
            Token::Symbol(symbol) => match symbol.as_str() {
                "(" => {
                    open += 1;
                    sql.push_str(symbol);
                }
                ")" => {
                    open = open.checked_sub(1)?;
                    sql.push_str(symbol);
                }
                "::" => sql.push_str(symbol),
                "," => sql.push_str(", "),
                "->" | "->>" | "||" => {
                    sql.push(' ');
                    sql.push_str(symbol);
                    sql.push(' ');
                }
                _ => return None,
            },
        }
        at += 1;
    }
    (columns > 0 && open == 0).then_some(sql)
}

/// `to_tsvector('english', …)` over text of this table: the form that names its configuration is immutable.
pub(super) fn text_vector(text: &str, table: &Table) -> Option<String> {
    let tokens = tokens(text)?;
    let [Token::Word(function), Token::Symbol(open), Token::Constant(configuration), Token::Symbol(next), ..] =
        tokens.as_slice()
    else {
        return None;
    };
    // The constant may carry its type: `'english'::regconfig`.
    if !function.eq_ignore_ascii_case("to_tsvector") || open != "(" || !matches!(next.as_str(), "," | "::") {
        return None;
    }
    let comma = tokens.iter().position(|token| *token == Token::Symbol(",".to_owned()))?;
    let mut columns = 0;
    for (at, token) in tokens.iter().enumerate().skip(comma + 1) {
        if let Token::Word(word) = token {
            let called = tokens.get(at + 1) == Some(&Token::Symbol("(".to_owned()));
            let plain = word.trim_matches('"').replace("\"\"", "\"");
            if called && !word.eq_ignore_ascii_case("coalesce") || !called && table.column(&plain).is_none() {
                return None;
            }
            columns += usize::from(!called);
        }
    }
    (columns > 0).then(|| format!("to_tsvector({configuration}, {})", rest_after_comma(text)))
}

/// What stands after the first comma of a call, without its closing parenthesis.
fn rest_after_comma(text: &str) -> &str {
    let rest = text.split_once(',').map_or("", |(_, rest)| rest).trim();
    rest.strip_suffix(')').unwrap_or(rest)
}

/// What EXTRACT can take.
const FIELDS: &[&str] =
    &["year", "month", "day", "hour", "minute", "second", "dow", "doy", "week", "quarter"];

fn pad(sql: &mut String) {
    if sql.ends_with(|last: char| last.is_alphanumeric() || last == '"') {
        sql.push(' ');
    }
}

/// Every column in it is a timestamp or date without time zone.
fn without_zone(tokens: &[Token], table: &Table) -> bool {
    all_columns(tokens, table, |type_name| {
        type_name == "date"
            || type_name == "timestamp"
            || type_name.starts_with("timestamp") && type_name.ends_with("without time zone")
    })
}

/// Every column in it is text of some kind, or a jsonb that `->>` takes text out of.
fn textual(tokens: &[Token], table: &Table) -> bool {
    let from_json = tokens.contains(&Token::Symbol("->>".to_owned()));
    all_columns(tokens, table, |type_name| {
        type_name == "text"
            || type_name.starts_with("character")
            || from_json && type_name.starts_with("json")
    })
}

/// Every column in it is text, a number, or a document that one is taken out of.
fn readable(tokens: &[Token], table: &Table) -> bool {
    all_columns(tokens, table, |type_name| {
        let numbers = ["smallint", "integer", "bigint", "numeric"];
        type_name == "text"
            || type_name.starts_with("character")
            || type_name == "jsonb"
            || type_name == "json"
            || numbers.iter().any(|number| type_name.starts_with(number))
    })
}

/// The type that an expression turns text into: a row whose text is none of it can be written no more, once an index
/// holds the expression.
pub(super) fn refuses_all_but(text: &str) -> Option<String> {
    let tokens = tokens(text)?;
    let cast = tokens.iter().position(|token| *token == Token::Symbol("::".to_owned()))?;
    match tokens.get(cast + 1) {
        Some(Token::Word(word)) if READ_ALIKE.contains(&word.to_ascii_lowercase().as_str()) => {
            Some(word.to_ascii_lowercase())
        }
        _ => None,
    }
}

/// Whether an expression gives a document: the last thing that it does is to take a part out of one with `->`.
pub(super) fn gives_document(text: &str, column: &Column) -> bool {
    let Some(tokens) = tokens(text) else { return false };
    column.type_name == "jsonb"
        && tokens.contains(&Token::Symbol("->".to_owned()))
        && tokens.iter().all(|token| match token {
            Token::Symbol(symbol) => matches!(symbol.as_str(), "->" | "(" | ")" | "."),
            _ => true,
        })
        && !tokens
            .windows(2)
            .any(|pair| matches!(pair, [Token::Word(_), Token::Symbol(symbol)] if symbol == "("))
}

fn all_columns(tokens: &[Token], table: &Table, holds: impl Fn(&str) -> bool) -> bool {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => table.column(&word.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        })
        .all(|column| holds(&column.type_name))
}

/// Whether two expressions are one to the planner: white space, case outside of quotes, casts of text
/// to text and parentheses around a name make no difference.
pub(super) fn same(left: &str, right: &str) -> bool {
    match (canonical(left), canonical(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn canonical(text: &str) -> Option<Vec<Token>> {
    let tokens = tokens(text)?;
    let symbol =
        |token: Option<&Token>, text: &str| matches!(token, Some(Token::Symbol(symbol)) if symbol == text);
    let mut plain = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let text_cast = symbol(tokens.get(at), "::")
            && matches!(tokens.get(at + 1), Some(Token::Word(word)) if word.eq_ignore_ascii_case("text"));
        if text_cast || symbol(tokens.get(at + 1), ".") {
            at += 2;
        } else {
            plain.push(match &tokens[at] {
                Token::Word(word) if !word.starts_with('"') => Token::Word(word.to_ascii_lowercase()),
                other => other.clone(),
            });
            at += 1;
        }
    }
    // `lower((email))` → `lower(email)`, and the parentheses around the whole.
    let mut changed = true;
    while changed {
        changed = false;
        for at in 0..plain.len().saturating_sub(2) {
            let called = at > 0 && matches!(plain[at - 1], Token::Word(_));
            if !called
                && symbol(plain.get(at), "(")
                && !symbol(plain.get(at + 1), "(")
                && symbol(plain.get(at + 2), ")")
            {
                plain.remove(at + 2);
                plain.remove(at);
                changed = true;
                break;
            }
        }
        if symbol(plain.first(), "(") && matching(&plain) == Some(plain.len() - 1) {
            plain.pop();
            plain.remove(0);
            changed = true;
        }
    }
    Some(plain)
}

/// Where the parenthesis that opens the tokens closes.
fn matching(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token {
            Token::Symbol(symbol) if symbol == "(" => depth += 1,
            Token::Symbol(symbol) if symbol == ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// Whether an expression names a column.
pub(super) fn names(text: &str, column: &str) -> bool {
    tokens(text).is_some_and(|tokens| {
        tokens
            .iter()
            .any(|token| matches!(token, Token::Word(word) if word.trim_matches('"').replace("\"\"", "\"") == column))
    })
}

#[cfg(test)]
mod tests;
