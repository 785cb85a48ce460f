//! Operators that sqlparser does not know, and the other parts of an expression.

use super::Reader;
use crate::sql::lex::Kind;

/// The infix operators that sqlparser reads and a shape has a meaning for, and arithmetic.
const KNOWN: &[&str] = &[
    "!=", "!~", "!~*", "!~~", "!~~*", "#", "#-", "#>", "#>>", "%", "&", "&&", "*", "+", "-", "->", "->>",
    "/", ":=", "<", "<<", "<=", "<>", "<@", "=", "=>", ">", ">=", ">>", "?", "?&", "?|", "@>", "@?", "@@",
    "^", "|", "||", "~", "~*", "~~", "~~*",
];

/// The prefix operators that sqlparser reads.
const PREFIX: &[&str] = &["!!", "+", "-", "@", "|/", "||/", "~"];

impl Reader<'_> {
    pub(super) fn operator(&mut self, at: usize) {
        self.typed_constant(at);
        self.names(at);
        // `(row).*`, `t.*::t`.
        if self.punct(at, b'.') && self.is_operator(at + 1, "*") && at > 0 {
            let cast = self.tokens.get(at + 2).is_some_and(|token| token.kind == Kind::Cast);
            if self.punct(at - 1, b')') || cast {
                self.drop(at..at + 2);
            }
        }
        // `x::text COLLATE "C"`.
        if self.is(at, "collate") && self.is_name(at + 1) && at > 0 {
            self.drop(at..self.path(at + 1));
        }
        // No test of a null.
        if self.is(at, "document")
            && (self.is(at - 1, "is") || self.all(at.saturating_sub(2), &["is", "not"]))
        {
            self.put(at..at + 1, "NORMALIZED");
        }
        if self.is(at, "operator") && self.punct(at + 1, b'(') && !self.operand[at] {
            let end = self.close[at + 1] + 1;
            self.put(at..end.min(self.tokens.len()), "@ ");
        }
        self.symbols(at);
    }

    fn symbols(&mut self, at: usize) {
        let token = self.tokens[at];
        let joined = self
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.kind == Kind::Operator && next.start == token.end);
        // `a ?@> b`: an operator of ltree, not a placeholder.
        if token.kind == Kind::Placeholder && self.text(at) == "?" && self.operand[at] {
            let last = if joined { at + 1 } else { at };
            let name = self.stand_in(&self.sql[token.start..self.tokens[last].end]);
            self.put(at..last + 1, format!(" OPERATOR({name}) "));
            return;
        }
        let text = self.text(at);
        if token.kind != Kind::Operator || self.is(at.wrapping_sub(1), "using") || self.within_operator(at) {
            if token.kind == Kind::Operator
                && self.is(at.wrapping_sub(1), "using")
                && !matches!(text, "<" | ">")
            {
                let sort = if text.contains('>') { ">" } else { "<" };
                self.put(at..at + 1, sort);
            }
            return;
        }
        if self.operand[at] && !KNOWN.contains(&text) && text != "*" {
            let name = self.stand_in(text);
            self.put(at..at + 1, format!(" OPERATOR({name}) "));
        } else if !self.operand[at] && !PREFIX.contains(&text) && text != "*" {
            self.put(at..at + 1, "@ ");
        } else if self.any(at + 1, &["any", "all", "some"])
            && self.punct(at + 2, b'(')
            && matches!(text, "+" | "-" | "*" | "/" | "%" | "^" | "||" | "&&" | "@>" | "<@")
        {
            // Only a comparison is read before ANY; no test of a column all the same.
            self.put(at..at + 1, "!~~*");
        }
    }

    /// `OPERATOR(schema.+)`.
    fn within_operator(&self, at: usize) -> bool {
        self.open[at].is_some_and(|open| self.is(open.saturating_sub(1), "operator"))
    }

    /// Strings that go on in the next line, and names in Unicode escapes.
    fn names(&mut self, at: usize) {
        let text = self.text(at);
        if self.is_string(at) && text.starts_with('\'') && text.contains('\n') {
            if let Some(joined) = joined(text) {
                self.put(at..at + 1, joined);
            }
        } else if self.is_string(at) && text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("u&'")) {
            // How its escapes are spelled has no part in a shape.
            let end = text.rfind("' ").filter(|_| text.to_ascii_lowercase().contains("uescape"));
            let end = end.map_or(text.len(), |quote| quote + 1);
            let plain = text.get(2..end).unwrap_or("''").to_owned();
            let closed = plain.len() > 1 && plain.ends_with('\'');
            self.put(at..at + 1, if closed { plain } else { "''".to_owned() });
        }
    }
}

/// `'a'` newline `'b'` → `'ab'`; `None` when it is one string of several lines.
fn joined(text: &str) -> Option<String> {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text.strip_prefix('\'')?;
    let mut pieces = 0;
    loop {
        let quote = rest.find('\'')?;
        joined.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        if let Some(after) = rest.strip_prefix('\'') {
            joined.push_str("''");
            rest = after;
        } else if rest.is_empty() {
            return (pieces > 0).then(|| format!("'{joined}'"));
        } else {
            // White space with a newline, and comments.
            rest = &rest[rest.find('\n').map(|line| line + rest[line..].find('\'').unwrap_or(0))? + 1..];
            pieces += 1;
        }
    }
}
