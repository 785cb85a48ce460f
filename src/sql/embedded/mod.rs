//! Is a string of a program SQL, and can it be judged as it stands?
//!
//! The text decides: it begins as a statement does, has what that statement must have, and parses. Sentences
//! begin so too ("Select a file", "update the …"), so a string that no call names as SQL must also be written
//! as SQL is: keywords in one case, and something besides words.

mod places;

use std::ops::Range;

use self::places::Places;
use super::{
    Spliced,
    ddl::{self, Ddl},
    lex::{Kind, Lexer, Token},
    parse,
};

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement.
    Sql,
    /// SQL of which the program makes a part when it runs: a table's name, a list of columns, a condition.
    Assembled,
    /// It begins as SQL, and cannot be parsed.
    Unreadable,
    /// Something else.
    Other,
}

/// Says what one statement's text is. `told`: the place where it stands says that it is SQL.
pub fn judge(sql: &Spliced, told: bool) -> Verdict {
    let text = sql.text();
    let tokens = tokens(text);
    let word = |at: usize| tokens.get(at).map(|token| &text[token.start..token.end]).unwrap_or_default();
    let first = usize::from(word(0) == "(");
    let opening = word(first);
    let upper = opening.bytes().all(|byte| byte.is_ascii_uppercase());
    let lower = opening.bytes().all(|byte| byte.is_ascii_lowercase());
    if opening.len() < 4 || !told && (!upper && !lower || first == 1 && is_enclosed(&tokens)) {
        return Verdict::Other;
    }
    let form = form(text, &tokens, first, told);
    if form == Form::None || !told && (is_sentence(text, &tokens) || lower && only_words(text, &tokens)) {
        return Verdict::Other;
    }
    if assembled(sql, &tokens) {
        return if form == Form::Plain { Verdict::Other } else { Verdict::Assembled };
    }
    let reads = || parse::parse(text).is_ok() || ddl::read(text).is_ok_and(|read| read != Ddl::Other);
    if reads() {
        return Verdict::Sql;
    }
    // What is put in where only a name can stand is no value.
    if tokens.iter().any(|token| token.kind == Kind::Placeholder && text.as_bytes()[token.start] == b'%') {
        return if form == Form::Whole { Verdict::Assembled } else { Verdict::Other };
    }
    if form == Form::Whole && (told || upper) { Verdict::Unreadable } else { Verdict::Other }
}

fn tokens(text: &str) -> Vec<Token> {
    Lexer::new(text.as_bytes())
        .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
        .collect()
}

/// How much of a statement is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    None,
    /// Its first word, and something that a sentence has not.
    Plain,
    /// Its words, such as UPDATE … SET … =.
    Whole,
}

fn form(text: &str, tokens: &[Token], first: usize, told: bool) -> Form {
    let rest = tokens.get(first + 1..).unwrap_or_default();
    let is = |token: &Token, word: &str| {
        matches!(token.kind, Kind::Word(_)) && text[token.start..token.end].eq_ignore_ascii_case(word)
    };
    let has = |word: &str| rest.iter().any(|token| is(token, word));
    let next = |words: &[&str]| rest.first().is_some_and(|token| words.iter().any(|word| is(token, word)));
    let opening = text[tokens[first].start..tokens[first].end].to_ascii_lowercase();
    let whole = |whole: bool| if whole { Form::Whole } else { Form::None };
    match opening.as_str() {
        "select" if has("from") => Form::Whole,
        "select" => {
            let begins = rest.first().is_some_and(|token| match token.kind {
                Kind::Number | Kind::String | Kind::Parameter | Kind::Placeholder => true,
                Kind::Operator => &text[token.start..token.end] == "*",
                Kind::Word(_) => rest.get(1).is_some_and(|token| token.kind == Kind::Punct(b'(')),
                _ => false,
            });
            if begins || told { Form::Plain } else { Form::None }
        }
        "with" => whole(has("as") && (has("select") || has("insert") || has("update") || has("delete"))),
        "insert" | "merge" => whole(next(&["into"])),
        "update" => {
            let set = rest.iter().position(|token| is(token, "set"));
            let equals = |from: usize| rest[from..].iter().any(|token| &text[token.start..token.end] == "=");
            whole(set.is_some_and(|set| set > 0 && equals(set)))
        }
        "delete" => whole(next(&["from"])),
        "create" | "alter" | "drop" => {
            let object = rest.iter().take(4).any(|token| OBJECTS.iter().any(|object| is(token, object)));
            // CREATE SCHEMA has nothing but its name.
            let made = opening == "create" && next(&["table", "view", "index", "function", "trigger"]);
            whole(object && rest.len() > if made { 3 } else { 1 })
        }
        "truncate" | "lock" if next(&["table"]) => whole(rest.len() > 1),
        "refresh" => whole(next(&["materialized"])),
        _ if told && OTHERS.contains(&opening.as_str()) => Form::Plain,
        _ => Form::None,
    }
}

/// What DDL is about.
const OBJECTS: &[&str] = &[
    "table",
    "index",
    "view",
    "function",
    "procedure",
    "schema",
    "type",
    "sequence",
    "extension",
    "trigger",
    "domain",
    "policy",
    "role",
    "publication",
    "database",
    "aggregate",
];

/// Statements that only a call tells from other words.
const OTHERS: &[&str] = &[
    "analyze",
    "begin",
    "call",
    "cluster",
    "comment",
    "commit",
    "copy",
    "declare",
    "explain",
    "fetch",
    "grant",
    "listen",
    "lock",
    "notify",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "show",
    "start",
    "table",
    "truncate",
    "vacuum",
    "values",
];

/// A query in parentheses is a part of another one.
fn is_enclosed(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    let closes = tokens.iter().position(|token| {
        match token.kind {
            Kind::Punct(b'(') => depth += 1,
            Kind::Punct(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    closes.is_some_and(|at| at + 1 >= tokens.len())
}

/// Takes out the schema that is put in before a table's name: `FROM ${schema}.orders` is about `orders`.
pub fn without_schemas(sql: Spliced) -> Spliced {
    const BEFORE: &[&str] =
        &["from", "join", "into", "update", "only", "table", "exists", "using", "references"];
    let text = sql.text();
    let holes: Vec<Range<usize>> = sql.holes().collect();
    if holes.is_empty() {
        return sql;
    }
    let tokens = tokens(text);
    let mut out: Vec<Range<usize>> = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [schema, dot] = pair else { continue };
        let named = match schema.kind {
            Kind::Quoted => schema.start + 1..schema.end.saturating_sub(1),
            _ => schema.start..schema.end,
        };
        let before = at.checked_sub(1).map(|at| &text[tokens[at].start..tokens[at].end]).unwrap_or_default();
        if dot.kind == Kind::Punct(b'.')
            && holes.contains(&named)
            && BEFORE.iter().any(|word| before.eq_ignore_ascii_case(word))
        {
            out.push(schema.start..dot.end);
        }
    }
    if out.is_empty() {
        return sql;
    }
    let mut without = Spliced::default();
    let mut done = 0;
    for schema in out {
        without.append(&sql, &(done..schema.start));
        done = schema.end;
    }
    without.append(&sql, &(done..text.len()));
    without
}

/// A table is not called "the" or "your".
fn is_sentence(text: &str, tokens: &[Token]) -> bool {
    const NEVER: &[&str] = &[
        "the", "your", "this", "that", "these", "those", "our", "its", "an", "each", "my", "their", "his",
        "her", "any", "all",
    ];
    tokens.windows(2).any(|pair| {
        let (word, name) = (&text[pair[0].start..pair[0].end], &text[pair[1].start..pair[1].end]);
        ["from", "into", "update", "join", "table"].iter().any(|known| word.eq_ignore_ascii_case(known))
            && NEVER.iter().any(|never| name.eq_ignore_ascii_case(never))
    })
}

/// Nothing that prose has not: words, commas, and a point at the end.
fn only_words(text: &str, tokens: &[Token]) -> bool {
    let last = tokens.len().saturating_sub(1);
    !text.contains('\n')
        && tokens.iter().enumerate().all(|(at, token)| match token.kind {
            Kind::Word(_) => !text[token.start..token.end].contains('_'),
            Kind::Punct(b',' | b':') => true,
            Kind::Punct(_) => at == last,
            _ => false,
        })
}

/// Whether something is put in where it is no value: a name, a list, a condition.
pub fn is_assembled(sql: &Spliced) -> bool {
    sql.holes().next().is_some() && assembled(sql, &tokens(sql.text()))
}

fn assembled(sql: &Spliced, tokens: &[Token]) -> bool {
    let text = sql.text();
    let mut holes: Vec<Range<usize>> = sql.holes().collect();
    let verbs = tokens
        .iter()
        .filter(|token| token.kind == Kind::Placeholder && text.as_bytes().get(token.start) == Some(&b'%'));
    holes.extend(verbs.map(|token| token.start..token.end));
    if holes.is_empty() {
        return false;
    }
    let mut places = Places::default();
    for (at, token) in tokens.iter().enumerate() {
        let hole = holes.iter().find(|hole| hole.start < token.end && token.start < hole.end);
        if let Some(hole) = hole {
            let alone = hole.start == token.start && hole.end == token.end;
            let joined = tokens.get(at + 1).is_some_and(|next| {
                next.start == token.end
                    && !matches!(
                        next.kind,
                        Kind::Punct(b')' | b',' | b';' | b']') | Kind::Cast | Kind::Operator
                    )
            });
            let value = match token.kind {
                Kind::String => true,
                Kind::Placeholder | Kind::Parameter => alone && !joined && places.value(),
                _ => false,
            };
            if !value {
                return true;
            }
        }
        places.token(token, &text[token.start..token.end]);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{x}` is put in when the program runs.
    fn of(text: &str, told: bool) -> Verdict {
        let mut sql = Spliced::default();
        let mut at = 0;
        while let Some(start) = text[at..].find('{') {
            let end = at + start + text[at + start..].find('}').expect("a whole hole") + 1;
            sql.copy(&text[at..at + start], at);
            sql.hole(&text[at + start..end], at + start..end);
            at = end;
        }
        sql.copy(&text[at..], at);
        judge(&sql, told)
    }

    #[test]
    fn sentences_are_no_sql() {
        for text in [
            "Select a file",
            "Select one or more items from list",
            "select one or more items from the list",
            "select all from cart",
            "Update the settings = new",
            "update the user set of names = all",
            "delete from cart",
            "Delete from cart",
            "INSERT INTO the table failed",
            "SELECT statement",
            "With great power",
            "create table for two",
            "Drop index",
            "CREATE VIEW statement",
            "(SELECT 1 AS dummy)",
            "selected",
            "with",
            "",
            "DELETE FROM the list",
        ] {
            assert_eq!(of(text, false), Verdict::Other, "{text}");
        }
    }

    #[test]
    fn statements_are() {
        for text in [
            "SELECT 1",
            "select id from users where id = $1",
            "select * from users",
            "(SELECT a FROM t) UNION (SELECT b FROM u)",
            "INSERT INTO users (name) VALUES (%s)",
            "UPDATE users SET name = :name WHERE id = :id",
            "DELETE FROM users",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "SELECT id FROM t WHERE a = {a} AND b IN ({b}, {c}) LIMIT {n}",
            "SELECT id FROM t WHERE a LIKE '%{a}%' AND b BETWEEN {c} AND {d}",
            "INSERT INTO t (a, b) VALUES ({a}, {b}), (lower({c}), {d})",
            "UPDATE t SET a = {a}, b = coalesce({b}, b) WHERE id = ANY({ids})",
        ] {
            assert_eq!(of(text, false), Verdict::Sql, "{text}");
        }
        assert_eq!(of("Select * From users", true), Verdict::Sql);
        assert_eq!(of("INSERT OR REPLACE INTO t VALUES (1)", true), Verdict::Other);
        assert_eq!(of("SELECT a FROM t WHERE a REGEXP 'x' XOR", false), Verdict::Unreadable);
    }

    #[test]
    fn a_schema_that_is_put_in_goes() {
        let mut sql = Spliced::default();
        sql.copy("SELECT a FROM ", 0);
        sql.hole("schema", 14..23);
        sql.copy(".t JOIN \"", 23);
        sql.hole("other", 33..40);
        sql.copy("\".u USING (b)", 40);
        let without = without_schemas(sql);
        assert_eq!(without.text(), "SELECT a FROM t JOIN u USING (b)");
        assert_eq!(without.range(&(14..15)), 24..25);
        assert_eq!(judge(&without, false), Verdict::Sql);
    }

    #[test]
    fn what_is_put_together_is_not_judged() {
        for text in [
            "SELECT * FROM {table}",
            "SELECT * FROM %s WHERE id = 1",
            "SELECT {columns} FROM t",
            "SELECT a FROM t WHERE {conditions}",
            "SELECT a FROM t WHERE a = 1 {more}",
            "SELECT a FROM t WHERE a = 1 AND {more}",
            "SELECT a FROM t ORDER BY {column}",
            "SELECT a FROM {schema}.t",
            "SELECT a FROM t_{suffix}",
            "SELECT a FROM \"{table}\"",
            "INSERT INTO t ({columns}) VALUES ({values})",
            "UPDATE t SET {column} = 1",
            "CREATE TABLE {name} (id int)",
        ] {
            assert_eq!(of(text, false), Verdict::Assembled, "{text}");
        }
    }
}
