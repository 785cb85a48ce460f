//! SQL with parts that another program fills in → SQL that can be read.
//!
//! Jinja (dbt, and others): comments and tags are left out, of an `{% if %}` the first branch is read, of a
//! `{% for %}` one turn, and `{{ ref('x') }}` is the table's name. What else stands in `{{ }}` is a hole, as
//! `${x}` is. Variables: `:'name'` and `:"name"` of psql, `@name`, `sqlc.arg(name)`, and the verbs of printf.
//!
//! Left alone: what a macro of the template would expand to.

use std::ops::Range;

use memchr::memmem;

use super::{
    Spliced,
    lex::{Kind, Lexer},
};

/// A file whose blocks were taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pub sql: Spliced,
    /// Blocks that were skipped or filled with a placeholder.
    pub blocks: u64,
}

/// Reads the blocks of a Jinja template; `None` where there are none.
pub fn jinja(text: &str) -> Option<Template> {
    let bytes = text.as_bytes();
    let mut template = Template::default();
    let mut lexer = Lexer::new(bytes);
    // Up to where the text was copied, and what is skipped on the way.
    let mut done = 0;
    let mut skip = Skip::default();
    while let Some(token) = lexer.next() {
        let block = match token.kind {
            Kind::Punct(b'{') => Block::at(text, token.start),
            // A block in a constant may have quotes of its own, which the scanner took for its end.
            Kind::String => {
                let open = memmem::rfind(&bytes[token.start..token.end], b"{{").map(|at| token.start + at);
                let closed = |at: usize| memmem::find(&bytes[at..token.end], b"}}").is_some();
                let Some(end) = open.filter(|at| !closed(*at)).and_then(|at| {
                    let close = at + memmem::find(&bytes[at..], b"}}")? + 2;
                    Some(close + memchr::memchr(b'\'', &bytes[close..])? + 1)
                }) else {
                    continue;
                };
                skip.copy(text, done..token.start, &mut template.sql);
                if skip.depth() == 0 {
                    template.sql.hole("constant", token.start..end);
                }
                template.blocks += 1;
                done = end;
                lexer.jump(end);
                continue;
            }
            _ => None,
        };
        let Some(block) = block else { continue };
        skip.copy(text, done..token.start, &mut template.sql);
        template.blocks += 1;
        done = block.end;
        match block.kind {
            BlockKind::Comment => {}
            BlockKind::Tag => skip.tag(&text[block.inner.clone()]),
            BlockKind::Value => {
                if skip.depth() == 0 {
                    value(&text[block.inner.clone()], token.start..block.end, &mut template.sql);
                }
            }
        }
        lexer.jump(block.end);
    }
    if template.blocks == 0 {
        return None;
    }
    skip.copy(text, done..text.len(), &mut template.sql);
    Some(template)
}

struct Block {
    kind: BlockKind,
    inner: Range<usize>,
    end: usize,
}

enum BlockKind {
    Comment,
    Tag,
    Value,
}

impl Block {
    fn at(text: &str, start: usize) -> Option<Block> {
        let (kind, close) = match text.as_bytes().get(start + 1)? {
            b'{' => (BlockKind::Value, "}}"),
            b'%' => (BlockKind::Tag, "%}"),
            b'#' => (BlockKind::Comment, "#}"),
            _ => return None,
        };
        let end = start + 2 + text.get(start + 2..)?.find(close)?;
        Some(Block { kind, inner: start + 2..end, end: end + close.len() })
    }
}

/// Which parts of a template are left out.
#[derive(Debug, Default)]
struct Skip {
    /// For each open tag, whether its content is left out now.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    name: &'static str,
    skipped: bool,
}

impl Skip {
    fn depth(&self) -> usize {
        self.open.iter().filter(|open| open.skipped).count()
    }

    fn copy(&self, text: &str, part: Range<usize>, to: &mut Spliced) {
        if self.depth() == 0
            && let Some(text) = text.get(part.clone())
        {
            to.copy(text, part.start);
        } else if !part.is_empty() {
            to.put(" ", part);
        }
    }

    fn tag(&mut self, inner: &str) {
        let inner = inner.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
        let (word, rest) =
            inner.split_at(inner.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(inner.len()));
        if let Some(ended) = word.strip_prefix("end") {
            if let Some(at) = self.open.iter().rposition(|open| open.name == ended) {
                self.open.truncate(at);
            }
            return;
        }
        match word {
            // One turn of a loop is read, which is its first and its last.
            "if" if rest.contains("not loop.last") || rest.contains("not loop.first") => {
                self.open.push(Open { name: "if", skipped: true });
            }
            "if" => self.open.push(Open { name: "if", skipped: false }),
            "elif" | "else" => {
                if let Some(last) = self.open.last_mut().filter(|open| open.name == "if") {
                    // Of `{% if not loop.last %}` it is the other branch that is read.
                    last.skipped = !last.skipped || word == "elif";
                }
            }
            "for" => self.open.push(Open { name: "for", skipped: false }),
            "set" if !rest.contains('=') => self.open.push(Open { name: "set", skipped: true }),
            "macro" => self.open.push(Open { name: "macro", skipped: true }),
            "docs" => self.open.push(Open { name: "docs", skipped: true }),
            _ => {}
        }
    }
}

/// What `{{ … }}` stands for.
fn value(inner: &str, at: Range<usize>, to: &mut Spliced) {
    let inner = inner.trim_matches(|c: char| c.is_whitespace() || c == '-');
    let word = inner.split('(').next().unwrap_or_default().trim();
    let arguments = || -> Vec<&str> {
        let list = inner.split_once('(').map_or("", |(_, list)| list).trim_end_matches(')');
        list.split(',').map(|one| one.trim().trim_matches(['\'', '"'])).collect()
    };
    let names = |all: &[&str]| {
        let plain = |name: &&str| {
            !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        (!all.is_empty() && all.iter().all(plain)).then(|| all.join("."))
    };
    let name = match (word, arguments().as_slice()) {
        ("ref", [.., table]) => names(&[table]),
        ("source", all @ [_, _]) => names(all),
        ("config" | "log" | "print" | "return", _) => {
            to.put(" ", at);
            return;
        }
        _ => None,
    };
    match name {
        Some(name) => to.put(&name, at),
        None => to.hole(inner, at),
    }
}

/// Whether there may be a variable that the scanner does not know.
pub fn has_variables(sql: &str) -> bool {
    let follows = |at: usize, next: &[u8]| sql.as_bytes().get(at + 1).is_some_and(|byte| next.contains(byte));
    memchr::memchr3_iter(b'@', b':', b'$', sql.as_bytes()).any(|at| match sql.as_bytes()[at] {
        b':' => {
            let cast = at > 0 && sql.as_bytes()[at - 1] == b':';
            let name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
            follows(at, b"'\"") || !cast && sql.as_bytes().get(at + 1).is_some_and(name)
        }
        b'$' => follows(at, b"{"),
        _ => !follows(at, b"> @"),
    }) || memmem::find(sql.as_bytes(), b"sqlc.").is_some()
}

/// Replaces the variables of one statement that the scanner does not know. `verbs`: those of printf may
/// stand in it.
pub fn variables(sql: Spliced, verbs: bool) -> Spliced {
    let text = sql.text();
    let bytes = text.as_bytes();
    if !(has_variables(text) || verbs && memchr::memchr(b'%', bytes).is_some()) {
        return sql;
    }
    let mut found: Vec<(Range<usize>, Replacement)> = Vec::new();
    let mut lexer = Lexer::new(bytes);
    loop {
        let unary = !lexer.after_operand();
        let Some(token) = lexer.next() else { break };
        let rest = &text[token.end..];
        let replaced = match token.kind {
            // `:'name'`, `:"name"`
            Kind::Punct(b':') if rest.starts_with(['\'', '"']) => {
                let quote = &rest[..1];
                let Some(len) = rest[1..].find(quote) else { continue };
                let hole = Replacement::Hole(rest[1..=len].to_owned());
                Some((token.start..token.end + len + 2, hole))
            }
            // `:name.table`: psql puts a schema's name there, and the table is itself without it.
            Kind::Placeholder | Kind::Punct(b':') if schema(&text[token.start..]).is_some() => {
                // After a word the colon may be that of a slice, `a[1:n]`, which has no space before it.
                let slice =
                    token.kind != Kind::Placeholder && !text[..token.start].ends_with(char::is_whitespace);
                let Some(name) = schema(&text[token.start..]).filter(|_| !slice) else { continue };
                Some((token.start..token.start + name.len() + 2, Replacement::Text(String::new())))
            }
            // `${name}`
            Kind::Punct(b'$') if rest.starts_with('{') => {
                let Some(len) = rest.find('}') else { continue };
                Some((token.start..token.end + len + 1, Replacement::Hole(rest[1..len].to_owned())))
            }
            Kind::Operator => operator(&text[token.start..token.end], token.end, rest, unary, verbs),
            Kind::Word(_) if text[token.start..token.end].eq_ignore_ascii_case("sqlc") => {
                let Some(close) = rest.find(')').filter(|_| rest.starts_with('.')) else { continue };
                let open = rest.find('(').unwrap_or(close);
                let argument = rest[(open + 1).min(close)..close].trim().trim_matches('\'');
                let replacement = match &rest[1..open.max(1)] {
                    "embed" => Replacement::Text(format!("{argument}.*")),
                    _ => Replacement::Text(format!(":{argument}")),
                };
                Some((token.start..token.end + close + 1, replacement))
            }
            _ => None,
        };
        if let Some((at, replacement)) = replaced {
            lexer.jump(at.end);
            lexer.operand_before();
            found.push((at, replacement));
        }
    }
    if found.is_empty() {
        return sql;
    }
    let mut filled = Spliced::default();
    let mut done = 0;
    for (at, replacement) in found {
        filled.append(&sql, &(done..at.start));
        match replacement {
            Replacement::Hole(words) => filled.hole(&words, sql.range(&at)),
            Replacement::Text(text) => filled.put(&text, sql.range(&at)),
        }
        done = at.end;
    }
    filled.append(&sql, &(done..text.len()));
    filled
}

/// The `name` of `:name.table`, where the text begins so.
fn schema(text: &str) -> Option<&str> {
    let name = |c: char| c.is_alphanumeric() || c == '_';
    let rest = text.strip_prefix(':')?;
    let (schema, after) = rest.split_at(rest.find(|c| !name(c))?);
    let mut after = after.chars();
    let more = after.next() == Some('.') && after.next().is_some_and(|c| name(c) || c == '"');
    (more && schema.starts_with(|c: char| !c.is_ascii_digit())).then_some(schema)
}

enum Replacement {
    /// Something is put in here when the program runs.
    Hole(String),
    Text(String),
}

/// `@name` and `%d`, also where they follow a comparison without a space.
fn operator(
    operator: &str,
    end: usize,
    rest: &str,
    unary: bool,
    verbs: bool,
) -> Option<(Range<usize>, Replacement)> {
    let (before, mark) = operator.split_at(operator.len().checked_sub(1)?);
    let compares = matches!(before, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=");
    let word = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let start = end - 1;
    // A part of the statement is put in behind an operand; a remainder is written with a space.
    if verbs && operator == "%" && !unary && word == 1 && rest.starts_with('s') {
        return Some((start..end + 1, Replacement::Hole("more".to_owned())));
    }
    if !(compares || before.is_empty() && unary) || before == "<" && mark == "@" {
        return None;
    }
    match mark {
        "@" if word > 0 && !rest.starts_with(|c: char| c.is_ascii_digit()) => {
            Some((start..end + word, Replacement::Text(format!(":{}", &rest[..word]))))
        }
        "%" if verbs && word == 1 && rest.starts_with(['d', 'i', 'v', 'q', 'f', 'u', 'x', 't']) => {
            Some((start..end + 1, Replacement::Hole("value".to_owned())))
        }
        // `%1$s`
        "%" if verbs && rest.starts_with(|c: char| c.is_ascii_digit()) => {
            let verb = rest.get(word..).and_then(|rest| rest.strip_prefix('$'))?;
            verb.starts_with(['s', 'd'])
                .then(|| (start..end + word + 2, Replacement::Hole("value".to_owned())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_one_turn_of_them() {
        let read = |text: &str| jinja(text).map(|template| template.sql.text().to_owned());
        assert_eq!(
            read("{{ config(materialized='table') }}\nSELECT * FROM {{ ref('orders') }} o").as_deref(),
            Some(" \nSELECT * FROM orders o")
        );
        assert_eq!(
            read("SELECT a FROM {{ source('shop', 'users') }}{# all #} WHERE b = {{ var('x') }}").as_deref(),
            Some("SELECT a FROM shop.users WHERE b = :var_x")
        );
        assert_eq!(
            read("SELECT a{% if x %}, b{% else %}, c{% endif %} FROM t").as_deref(),
            Some("SELECT a, b  FROM t")
        );
        assert_eq!(
            read("SELECT {% for c in l %}a{% if not loop.last %},{% endif %}{% endfor %} FROM t").as_deref(),
            Some("SELECT a  FROM t")
        );
        assert_eq!(
            read("SELECT a FROM t WHERE d > '{{ var('day') }}' AND b").as_deref(),
            Some("SELECT a FROM t WHERE d > :constant AND b")
        );
        assert_eq!(read("SELECT '{{1,2},{3,4}}'::int[], '{% x'"), None, "a constant is no template");
    }

    #[test]
    fn variables_are_placeholders() {
        let read = |text: &str| variables(Spliced::whole(text), true).text().to_owned();
        assert_eq!(read("a = :'x' AND b = :\"y\""), "a = :x AND b = :y");
        assert_eq!(read("a = @id AND b=@other AND c <@ d AND @x"), "a = :id AND b=:other AND c <@ d AND :x");
        assert_eq!(read("a = sqlc.arg(id) OR b = sqlc.narg('n')"), "a = :id OR b = :n");
        assert_eq!(read("SELECT sqlc.embed(users) FROM users"), "SELECT users.* FROM users");
        assert_eq!(read("a = %d AND b % d = 1 AND c=%1$s"), "a = :value AND b % d = 1 AND c=:value");
        assert_eq!(read("a = ? %s"), "a = ? :more");
        assert_eq!(read("FROM ${schema}.t"), "FROM :schema.t");
        assert_eq!(read("CREATE TABLE :S.t (a :S.kind)"), "CREATE TABLE t (a kind)");
        assert_eq!(read("UPDATE :S.\"t\" SET a = :S"), "UPDATE \"t\" SET a = :S");
        assert_eq!(read("SELECT a[b:c.d] FROM c"), "SELECT a[b:c.d] FROM c");
        assert_eq!(read("a::text = '@x' AND b > $1"), "a::text = '@x' AND b > $1");
    }
}
