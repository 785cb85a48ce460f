//! The body of a function, a procedure or a DO block → the statements that it runs.
//!
//! Bodies in SQL, as a string or as BEGIN ATOMIC, and in PL/pgSQL: statements, queries of loops and cursors,
//! RETURN QUERY, and expressions that hold a query (`IF EXISTS (SELECT …)` runs `SELECT EXISTS (SELECT …)`).
//! INTO and its targets are left out, variables and parameters of the function are placeholders.
//!
//! Left alone: statements that EXECUTE puts together (they are given as `dynamic`); other languages.

mod plpgsql;

use std::{collections::BTreeSet, ops::Range};

use super::{
    Spliced,
    lex::{Kind, Lexer, Token},
    split, template,
};

/// What a body runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    pub statements: Vec<Run>,
    /// Where statements stand that are put together when the function runs.
    pub dynamic: Vec<Range<usize>>,
    /// Where its comments stand, as far as it is a string.
    pub comments: Vec<Range<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub sql: Spliced,
    /// Its first row goes into variables.
    pub one_row: bool,
}

/// Names that stand for values: `true` for a row, whose fields are meant.
type Variables = std::collections::BTreeMap<String, bool>;

/// Whether a statement may have a body, told from its first words.
pub fn may_have_one(sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default().to_ascii_lowercase();
    match next().as_str() {
        "do" => true,
        "create" => {
            let word = next();
            let word = if word == "or" && next() == "replace" { next() } else { word };
            word == "function" || word == "procedure"
        }
        _ => false,
    }
}

/// Reads the body of a statement; `None` where it has none that can be read.
pub fn read(sql: &Spliced) -> Option<Body> {
    if !may_have_one(sql.text()) {
        return None;
    }
    let text = sql.text();
    let tokens = tokens(text);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(text, token, word));
    let language = (0..tokens.len()).find(|&at| is(at, "language")).and_then(|at| tokens.get(at + 1));
    let language = language.map(|token| text[token.start..token.end].trim_matches('\'').to_ascii_lowercase());
    let block = is(0, "do");
    let mut variables = Variables::new();
    if !block {
        parameters(text, &tokens, &mut variables);
    }
    // BEGIN ATOMIC … END.
    let atomic = (1..tokens.len()).find(|&at| is(at, "atomic") && is(at - 1, "begin"));
    if let Some(atomic) = atomic {
        let end = (atomic..tokens.len()).rev().find(|&at| is(at, "end"))?;
        let inner = sql.part(&(tokens[atomic].end..tokens[end].start));
        return Some(of_sql(&inner, &variables));
    }
    let at = tokens.iter().enumerate().position(|(at, token)| {
        token.kind == Kind::String
            && (block && !is(at.wrapping_sub(1), "language") || is(at.wrapping_sub(1), "as"))
    })?;
    let inner = template::variables(inner(sql, &tokens[at])?, false);
    let mut body = match language.as_deref() {
        Some("sql") => of_sql(&inner, &variables),
        Some("plpgsql") => plpgsql::read(&inner, variables),
        None if block => plpgsql::read(&inner, variables),
        _ => return None,
    };
    body.comments = split::comments(inner.text()).iter().map(|at| inner.range(at)).collect();
    Some(body)
}

fn of_sql(inner: &Spliced, variables: &Variables) -> Body {
    let mut body = Body::default();
    for part in split::statements(inner.text()) {
        let (sql, one_row) = statement(inner, part, variables);
        body.statements.push(Run { sql, one_row });
    }
    body
}

fn tokens(text: &str) -> Vec<Token> {
    Lexer::new(text.as_bytes())
        .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
        .collect()
}

fn is_word(text: &str, token: &Token, word: &str) -> bool {
    matches!(token.kind, Kind::Word(_)) && text[token.start..token.end].eq_ignore_ascii_case(word)
}

/// What a string constant holds, with its quotes undone.
fn inner(sql: &Spliced, token: &Token) -> Option<Spliced> {
    let text = &sql.text()[token.start..token.end];
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$')? + 2;
        let end = text.len().checked_sub(tag).filter(|end| *end >= tag)?;
        return Some(sql.part(&(token.start + tag..token.start + end)));
    }
    // E'' has escapes of its own, and hardly a body.
    if !text.starts_with('\'') || text.len() < 2 {
        return None;
    }
    let mut inner = Spliced::default();
    let (mut done, end) = (token.start + 1, token.end - 1);
    while let Some(quote) = sql.text().get(done..end).and_then(|rest| rest.find("''")) {
        inner.append(sql, &(done..done + quote));
        let at = done + quote;
        inner.put("'", sql.range(&(at..at + 2)));
        done = at + 2;
    }
    inner.append(sql, &(done..end));
    Some(inner)
}

/// The names of a function's parameters and of the columns that it returns.
fn parameters(text: &str, tokens: &[Token], variables: &mut Variables) {
    let opens = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Punct(b'('));
    let first = (0..tokens.len().min(12)).find(|&at| opens(at));
    // In its body a parameter may be qualified by the function's name.
    let function = first.and_then(|open| tokens.get(open.checked_sub(1)?));
    let function = function.map(|token| text[token.start..token.end].trim_matches('"').to_ascii_lowercase());
    let table = (1..tokens.len())
        .find(|&at| is_word(text, &tokens[at], "table") && is_word(text, &tokens[at - 1], "returns"));
    for open in first.into_iter().chain(table.map(|at| at + 1).filter(|&at| opens(at))) {
        let mut depth = 0_usize;
        let mut begins = true;
        for (at, token) in tokens.iter().enumerate().skip(open) {
            match token.kind {
                Kind::Punct(b'(' | b'[') => depth += 1,
                Kind::Punct(b')' | b']') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                Kind::Punct(b',') if depth == 1 => begins = true,
                Kind::Word(_) if begins => {
                    let word = text[token.start..token.end].to_ascii_lowercase();
                    if ["in", "out", "inout", "variadic"].contains(&word.as_str()) {
                        continue;
                    }
                    begins = false;
                    // A type alone has no name.
                    if tokens
                        .get(at + 1)
                        .is_some_and(|next| matches!(next.kind, Kind::Word(_) | Kind::Quoted))
                    {
                        variables.extend(function.iter().map(|own| (format!("{own}.{word}"), false)));
                        variables.insert(word, false);
                    }
                }
                _ => begins = false,
            }
        }
    }
}

/// One statement of a body, without INTO, with placeholders for variables; and whether it has an INTO.
fn statement(inner: &Spliced, part: Range<usize>, variables: &Variables) -> (Spliced, bool) {
    let mut one = Spliced::default();
    let text = inner.text();
    let offset = part.start;
    let tokens = tokens(&text[part.clone()]);
    let word = |at: usize| {
        let token = tokens.get(at).filter(|token| matches!(token.kind, Kind::Word(_) | Kind::Quoted));
        token.map(|token| text[offset + token.start..offset + token.end].to_ascii_lowercase())
    };
    let punct = |at: usize, byte: u8| tokens.get(at).is_some_and(|token| token.kind == Kind::Punct(byte));
    let mut done = part.start;
    let (mut one_row, mut depth, mut brackets) = (false, 0_usize, 0_usize);
    // Names that are columns: a list behind INSERT INTO t or ON CONFLICT, targets of SET.
    let (mut columns, mut setting): (BTreeSet<usize>, bool) = (BTreeSet::new(), false);
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        match token.kind {
            Kind::Punct(b'(') => depth += 1,
            Kind::Punct(b')') => {
                columns.remove(&depth);
                depth = depth.saturating_sub(1);
            }
            Kind::Punct(b'[') => brackets += 1,
            Kind::Punct(b']') => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let Some(name) = word(at).filter(|_| matches!(token.kind, Kind::Word(_))) else {
            at += 1;
            continue;
        };
        let before = at.checked_sub(1).and_then(word);
        let mut end = at;
        let mut replacement = None;
        match name.as_str() {
            "perform" if at == 0 => {
                replacement = Some("SELECT".to_owned());
                end = at + 1;
            }
            "into" if depth == 0 && !matches!(before.as_deref(), Some("insert" | "merge")) => {
                end = targets(&tokens, at + 1, &word, &punct);
                replacement = Some(String::new());
                one_row = true;
            }
            "into" => {
                // INSERT INTO schema.table (columns)
                let mut next = at + 1;
                while tokens.get(next).is_some_and(|token| {
                    matches!(token.kind, Kind::Word(_) | Kind::Quoted | Kind::Punct(b'.'))
                }) {
                    next += 1;
                }
                if punct(next, b'(') {
                    columns.insert(depth + 1);
                }
            }
            "conflict" if punct(at + 1, b'(') => {
                columns.insert(depth + 1);
            }
            "set" => setting = true,
            "where" | "from" | "returning" => setting = false,
            _ => {}
        }
        let target = setting
            && tokens.get(at + 1).is_some_and(|next| &text[offset + next.start..offset + next.end] == "=")
            && (before.as_deref() == Some("set") || at > 0 && punct(at - 1, b','));
        let named = at > 0 && punct(at - 1, b'.') || before.as_deref() == Some("as") || punct(at + 1, b'(');
        let free = replacement.is_none() && !target && !named && !columns.contains(&depth);
        let qualified = word(at + 2)
            .filter(|own| punct(at + 1, b'.') && variables.contains_key(&format!("{name}.{own}")));
        if let Some(own) = qualified.filter(|_| free) {
            end = at + 3;
            replacement = Some(format!(":{own}"));
        } else if let Some(row) = variables.get(&name).filter(|_| free) {
            let field = punct(at + 1, b'.');
            if field == *row || !field {
                end = if field { at + 3 } else { at + 1 };
                replacement = Some(if brackets > 0 { "$1001".to_owned() } else { format!(":{name}") });
            }
        }
        let Some(replacement) = replacement else {
            at += 1;
            continue;
        };
        let last = tokens.get(end.saturating_sub(1).max(at)).unwrap_or(token);
        let stands = offset + token.start..offset + last.end;
        one.append(inner, &(done..stands.start));
        one.put(&replacement, inner.range(&stands));
        done = stands.end;
        at = end.max(at + 1);
    }
    one.append(inner, &(done..part.end));
    (one, one_row)
}

/// Behind the targets of INTO: `STRICT a, b.c, d[1]`.
fn targets(
    tokens: &[Token],
    from: usize,
    word: &dyn Fn(usize) -> Option<String>,
    punct: &dyn Fn(usize, u8) -> bool,
) -> usize {
    let mut at = from;
    if word(at).as_deref() == Some("strict") {
        at += 1;
    }
    loop {
        if word(at).is_some() {
            at += 1;
        }
        while punct(at, b'.') && word(at + 1).is_some() {
            at += 2;
        }
        if punct(at, b'[') {
            while at < tokens.len() && !punct(at, b']') {
                at += 1;
            }
            at += 1;
        }
        if !punct(at, b',') {
            return at;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
