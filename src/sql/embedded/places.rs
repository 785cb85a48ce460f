//! Where in a statement a value can stand: what is put in anywhere else is a part of the statement.

use crate::sql::{
    keywords::{self as k, Keyword},
    lex::{Kind, Token},
};

/// Where in a statement a value can stand, followed from token to token.
#[derive(Debug, Default)]
pub(super) struct Places {
    before: Before,
    /// Open parentheses and brackets: whether values stand in them.
    open: Vec<bool>,
    /// An open BETWEEN, so that the next AND is its own.
    between: bool,
    /// The last of the words that begin a clause.
    values: bool,
    insert: bool,
}

/// What stands before a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Nothing,
    /// An operator, LIKE, LIMIT, the AND of a BETWEEN.
    Value,
    /// IN, VALUES, ANY: values stand in the parentheses that follow.
    List,
    /// A name, which may be that of a function.
    Name,
    Comma,
    Open,
    Other,
}

impl Places {
    pub(super) fn value(&self) -> bool {
        match self.before {
            Before::Value => true,
            Before::Comma | Before::Open => self.open.last().copied().unwrap_or(false),
            _ => false,
        }
    }

    pub(super) fn token(&mut self, token: &Token, text: &str) {
        self.before = match token.kind {
            Kind::Word(keyword) => self.word(keyword, text),
            Kind::Quoted | Kind::UnicodeQuoted => Before::Name,
            // `SELECT *` is no product, but no hole follows it either.
            Kind::Operator => Before::Value,
            Kind::Punct(b'(' | b'[') => {
                let row = self.before == Before::Comma && self.values && self.open.is_empty();
                let named = self.before == Before::Name && !self.insert;
                self.open
                    .push(row || named || matches!(self.before, Before::List | Before::Value) || text == "[");
                Before::Open
            }
            Kind::Punct(b')' | b']') => {
                self.open.pop();
                Before::Other
            }
            Kind::Punct(b',') => Before::Comma,
            _ => Before::Other,
        };
    }

    fn word(&mut self, keyword: Option<Keyword>, text: &str) -> Before {
        if keyword.is_none() {
            return Before::Name;
        }
        let known = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match keyword {
            Some(k::INSERT) => self.insert = true,
            Some(k::VALUES | k::SELECT) => (self.insert, self.values) = (false, keyword == Some(k::VALUES)),
            _ => {}
        }
        if known(&["between"]) {
            self.between = true;
            return Before::Value;
        }
        if known(&["and"]) && self.between {
            self.between = false;
            return Before::Value;
        }
        if known(&["like", "ilike", "limit", "offset", "escape", "then", "else", "when", "case", "zone"]) {
            return Before::Value;
        }
        if known(&["in", "any", "some", "values", "array", "coalesce", "greatest", "least", "nullif", "row"])
        {
            return Before::List;
        }
        // Words that may be names as well.
        if self.before != Before::Nothing
            && matches!(keyword.map(Keyword::class), Some(k::Class::Type | k::Class::Free | k::Class::Call))
        {
            return Before::Name;
        }
        Before::Other
    }
}
