//! Normalised text and fingerprint of a statement, by one pass over its bytes.
//!
//! Two statements share a fingerprint when they differ only in constants, in the length of a constant
//! IN list, ARRAY or VALUES, in white space, comments, keyword case, or quoting that changes nothing.
//! A constant and a parameter are one and the same here (`id = 5`, `id = $1`), so that a query is one
//! whether it was sent by the simple or by the extended protocol. Identifier case, column order and
//! aliases matter, as in `pg_stat_statements`, and so do ORDER BY and GROUP BY positions (`ORDER BY 2`)
//! and the lengths of types (`::numeric(12,2)`). It errs by splitting: `CAST(x AS t)` and `x::t` are two.

use std::{fmt, ops::Range};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    boundary::Boundary,
    hash::hash,
    keywords::{self, Class, Keyword},
    lex::{Kind, Lexer, Token},
    memo::{self, Memo, Recalled},
    recent::Recent,
    tags,
};

/// 64-bit hash of the normalised text; printed as 16 hex digits. The same in every run and version
/// of the digest format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a statement begins with, which is what a log can count by. `With` is any statement that
/// begins with WITH, whatever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatementKind {
    /// SELECT, and its kin that only read: VALUES, TABLE.
    Select,
    Insert,
    Update,
    Delete,
    With,
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END, PREPARE TRANSACTION.
    Commit,
    /// ROLLBACK, ABORT; not ROLLBACK TO SAVEPOINT.
    Rollback,
    /// Everything else: SET, FETCH, EXECUTE, COPY, DDL, SAVEPOINT … and empty statements.
    Utility,
}

/// What one pass over a statement found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    pub fingerprint: Fingerprint,
    pub kind: StatementKind,
    /// Hash of the constants in order, lists included at full length; 0 when there are none. Two
    /// executions with equal fingerprint, values and bind values asked the same question.
    pub values: u64,
    /// How many constants the text holds (a list of 10 counts 10).
    pub constants: u32,
    /// It has parameters (`$1`), whose values stand elsewhere.
    pub parameters: bool,
    /// Where the comment stands that carries tags (sqlcommenter or marginalia), without its `/*` and `*/`.
    pub tags: Option<Range<usize>>,
    /// How many non-empty statements the text holds: a simple query may send several at once.
    pub statements: u32,
}

/// Reusable scratch space, and what was learnt from the statements before: that makes the next ones
/// faster, and changes nothing that is found. No allocation for a statement like one before.
#[derive(Debug, Default)]
pub struct Normalizer {
    text: Vec<u8>,
    /// Where the constants stand that were read last.
    places: Vec<Range<usize>>,
    recent: Recent,
    memo: Memo,
    /// Normalised texts that were asked for: each chunk of a log asks for them anew.
    texts: FxHashMap<Fingerprint, Box<str>>,
}

impl Normalizer {
    /// Texts that are kept, and the bytes of the longest: two megabytes at most.
    const MOST_KEPT: usize = 1024;
    const LONGEST_KEPT: usize = 2048;

    /// Scans one statement (or one simple query of several). Total: any bytes, also invalid UTF-8.
    pub fn scan(&mut self, sql: &[u8]) -> Scanned {
        if let Some(scanned) = self.recent.recall(sql) {
            return scanned;
        }
        match self.memo.recall(sql) {
            Recalled::Known(scanned) => {
                // With constants it hardly comes back as it is.
                if scanned.constants == 0 {
                    self.recent.keep(sql, &scanned);
                }
                scanned
            }
            Recalled::New(key) => {
                let scanned = self.read(sql);
                self.memo.learn(key, sql, &scanned, &self.places);
                scanned
            }
            Recalled::Never => {
                let scanned = self.read(sql);
                self.recent.keep(sql, &scanned);
                scanned
            }
        }
    }

    /// The normalised text of a statement: constants and parameters as `?`, an IN list or ARRAY as
    /// `(?, ...)`, one row of VALUES, one space between tokens, keywords in upper case.
    pub fn text(&mut self, sql: &[u8]) -> String {
        self.read(sql);
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// The same for a statement that was scanned and has this fingerprint.
    pub(crate) fn text_of(&mut self, query: Fingerprint, sql: &[u8]) -> String {
        if let Some(text) = self.texts.get(&query) {
            return text.to_string();
        }
        let text = self.text(sql);
        if text.len() <= Normalizer::LONGEST_KEPT {
            if self.texts.len() >= Normalizer::MOST_KEPT {
                self.texts.clear();
            }
            self.texts.insert(query, text.as_str().into());
        }
        text
    }

    fn read(&mut self, sql: &[u8]) -> Scanned {
        self.text.clear();
        self.places.clear();
        let mut scan = Scan::new(sql, &mut self.text, &mut self.places);
        let mut lexer = Lexer::new(sql);
        loop {
            let unary = !lexer.after_operand();
            let Some(token) = lexer.next() else { break };
            scan.token(token, unary);
        }
        Scanned {
            values: scan.values,
            constants: scan.constants,
            parameters: scan.parameters,
            tags: scan.trailing_tags.or(scan.leading_tags),
            statements: scan.boundary.statements(),
            kind: scan.boundary.kind(),
            fingerprint: Fingerprint(hash(&self.text)),
        }
    }
}

/// What the last token was, as far as the next one's spacing and meaning depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Nothing,
    /// What the next token is written to without a space: `(`, `[`, `.`, `::`, a sign.
    Glue,
    Name,
    Keyword(Keyword),
    /// A constant, a parameter, `)` or `]`.
    Operand,
    Comma,
    Other,
}

/// A list of constants that may still collapse.
#[derive(Clone, Copy, Debug)]
struct List {
    /// Nesting of its inside.
    depth: u32,
    /// Where its inside boundary in the text, where its current element does, and where its first ended.
    start: usize,
    element: usize,
    first_end: Option<usize>,
    same: bool,
    /// A `::` came, so that names belong to a type.
    in_type: bool,
}

/// Rows of VALUES.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Nesting of the VALUES keyword.
    depth: u32,
    row: usize,
    previous: Option<(usize, usize)>,
    between: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each says which clause just began")]
struct Scan<'s, 't> {
    sql: &'s [u8],
    text: &'t mut Vec<u8>,
    /// Where the constants stand.
    places: &'t mut Vec<Range<usize>>,
    boundary: Boundary,
    values: u64,
    constants: u32,
    parameters: bool,
    leading_tags: Option<Range<usize>>,
    trailing_tags: Option<Range<usize>>,
    last: Last,
    depth: u32,
    /// Bit n: nesting level n is in an ORDER BY or GROUP BY list, where a bare integer is a position.
    ordinals: u64,
    order_or_group: bool,
    /// After `IS [NOT]`, where TRUE, FALSE and NULL are no constants.
    after_is: bool,
    /// After INTO: `t (a, b)` is no call.
    into: bool,
    /// After `::` or AS and a type's name; `Some(depth)` inside the parentheses of its length.
    type_name: bool,
    type_length: Option<u32>,
    list: Option<List>,
    rows: Option<Rows>,
}

impl<'s, 't> Scan<'s, 't> {
    fn new(sql: &'s [u8], text: &'t mut Vec<u8>, places: &'t mut Vec<Range<usize>>) -> Scan<'s, 't> {
        Scan {
            sql,
            text,
            places,
            boundary: Boundary::default(),
            values: 0,
            constants: 0,
            parameters: false,
            leading_tags: None,
            trailing_tags: None,
            last: Last::Nothing,
            depth: 0,
            ordinals: 0,
            order_or_group: false,
            after_is: false,
            into: false,
            type_name: false,
            type_length: None,
            list: None,
            rows: None,
        }
    }

    fn token(&mut self, token: Token, unary: bool) {
        match token.kind {
            Kind::BlockComment => return self.comment(token),
            Kind::LineComment => return,
            Kind::Punct(b';') if self.depth == 0 && self.boundary.semicolon() => return,
            _ => {}
        }
        self.trailing_tags = None;
        let keyword = match token.kind {
            Kind::Word(keyword) => keyword,
            _ => None,
        };
        if self.boundary.token(keyword, token.kind == Kind::Punct(b'(')) && !self.text.is_empty() {
            self.text.push(b';');
            (self.last, self.ordinals) = (Last::Other, 0);
            (self.list, self.rows) = (None, None);
        }
        if self.type_name && !matches!(token.kind, Kind::Word(_) | Kind::Punct(b'(' | b'.')) {
            self.type_name = false;
        }
        if self.into && !matches!(token.kind, Kind::Word(_) | Kind::Quoted | Kind::Punct(b'(' | b'.')) {
            self.into = false;
        }
        if self.rows.is_some_and(|rows| rows.between) && !matches!(token.kind, Kind::Punct(b',' | b'(')) {
            self.rows = None;
        }
        match token.kind {
            Kind::Word(keyword) => self.word(token, keyword),
            Kind::Quoted => self.quoted(token),
            Kind::UnicodeQuoted => {
                self.list = None;
                self.space();
                self.copy(token);
                self.last = Last::Name;
            }
            Kind::String => self.constant(token),
            Kind::Number => self.number(token),
            Kind::Parameter | Kind::Placeholder => {
                self.parameters |= token.kind == Kind::Parameter;
                self.mark();
            }
            Kind::Operator => self.operator(token, unary),
            Kind::Cast => {
                if let Some(list) = &mut self.list {
                    list.in_type = true;
                }
                if !matches!(self.last, Last::Name | Last::Operand) {
                    self.space();
                }
                self.text.extend_from_slice(b"::");
                self.type_name = true;
                self.last = Last::Glue;
            }
            Kind::Punct(byte) => self.punct(byte),
            Kind::LineComment | Kind::BlockComment => {}
        }
    }

    fn comment(&mut self, token: Token) {
        let inside = token.start + 2..token.end.saturating_sub(2).max(token.start + 2);
        if tags::looks_like(&self.sql[inside.clone()]) {
            if self.text.is_empty() && self.leading_tags.is_none() {
                self.leading_tags = Some(inside);
            } else {
                self.trailing_tags = Some(inside);
            }
        }
    }

    fn space(&mut self) {
        if !matches!(self.last, Last::Nothing | Last::Glue) {
            self.text.push(b' ');
        }
    }

    fn copy(&mut self, token: Token) {
        self.text.extend_from_slice(&self.sql[token.start..token.end]);
    }

    fn mark(&mut self) {
        self.space();
        self.text.push(b'?');
        self.last = Last::Operand;
        self.after_is = false;
    }

    fn constant(&mut self, token: Token) {
        self.values = memo::with_constant(self.values, &self.sql[token.start..token.end]);
        self.constants += 1;
        if self.sql.len() <= memo::LONGEST {
            self.places.push(token.start..token.end);
        }
        self.mark();
    }

    fn number(&mut self, token: Token) {
        let position = self.depth < 64
            && self.ordinals & (1 << self.depth) != 0
            && matches!(self.last, Last::Comma | Last::Keyword(keywords::BY));
        if position || self.type_length.is_some() {
            self.space();
            self.copy(token);
            self.last = Last::Other;
        } else {
            self.constant(token);
        }
    }

    fn word(&mut self, token: Token, keyword: Option<Keyword>) {
        match keyword {
            None => self.name(token),
            Some(word) if word.class() == Class::Type => self.name(token),
            Some(word) => self.keyword(token, word),
        }
    }

    fn name(&mut self, token: Token) {
        if self.list.is_some_and(|list| !list.in_type) {
            self.list = None;
        }
        self.type_name |= self.last == Last::Keyword(keywords::AS);
        self.after_is = false;
        self.space();
        let from = self.text.len();
        self.copy(token);
        self.text[from..].make_ascii_lowercase();
        self.last = Last::Name;
    }

    fn quoted(&mut self, token: Token) {
        self.list = None;
        self.after_is = false;
        self.space();
        let name = match &self.sql[token.start..token.end] {
            [b'"', name @ .., b'"'] => name,
            _ => b"",
        };
        let plain = name.first().is_some_and(|b| b.is_ascii_lowercase() || *b == b'_')
            && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
            && keywords::lookup(name).is_none();
        if plain {
            self.text.extend_from_slice(name);
        } else {
            self.copy(token);
        }
        self.last = Last::Name;
    }

    fn keyword(&mut self, token: Token, word: Keyword) {
        use keywords as k;
        self.type_name = false;
        match word {
            k::NULL | k::TRUE | k::FALSE if self.is_constant(word) => return self.constant(token),
            k::ORDER | k::GROUP => self.order_or_group = true,
            k::BY => {
                if self.order_or_group && self.depth < 64 {
                    self.ordinals |= 1 << self.depth;
                }
                self.order_or_group = false;
            }
            k::SELECT | k::RETURNING | k::VALUES | k::SET if self.depth < 64 => {
                self.ordinals &= !(1 << self.depth);
            }
            k::INTO => self.into = true,
            _ => {}
        }
        self.after_is = word == k::IS || (word == k::NOT && self.after_is);
        self.list = None;
        if word == k::VALUES {
            self.rows = Some(Rows { depth: self.depth, row: 0, previous: None, between: false });
        }
        self.space();
        let from = self.text.len();
        self.copy(token);
        self.text[from..].make_ascii_uppercase();
        self.last = Last::Keyword(word);
    }

    /// Whether TRUE, FALSE or NULL stands for a value here.
    fn is_constant(&self, word: Keyword) -> bool {
        match self.last {
            Last::Name | Last::Operand => false,
            Last::Keyword(keywords::NOT | keywords::SET) if word == keywords::NULL => false,
            _ => !self.after_is,
        }
    }

    fn operator(&mut self, token: Token, unary: bool) {
        let operator = &self.sql[token.start..token.end];
        let star = unary && operator == b"*";
        let sign = matches!(operator, b"-" | b"+");
        match &mut self.list {
            Some(list) if sign => list.in_type = false,
            list => *list = None,
        }
        self.after_is = false;
        self.space();
        self.text.extend_from_slice(if operator == b"!=" { b"<>" } else { operator });
        self.last = if star { Last::Operand } else { Last::Other };
    }

    fn punct(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' => self.open(byte),
            b')' | b']' => self.close(byte),
            b',' => {
                self.element();
                self.text.push(b',');
                self.last = Last::Comma;
            }
            b'.' => {
                let in_dots = self.text.iter().rev().take_while(|&&b| b == b'.').count();
                if self.list.is_some_and(|list| !list.in_type && self.text.len() > list.element + in_dots + 1)
                {
                    self.list = None;
                }
                if !matches!(self.last, Last::Name | Last::Operand) {
                    self.space();
                }
                self.text.push(b'.');
                self.last = Last::Glue;
            }
            _ => {
                self.list = None;
                self.space();
                self.text.push(byte);
                self.last = Last::Other;
            }
        }
    }

    fn open(&mut self, byte: u8) {
        let call = match self.last {
            Last::Name => !self.into,
            Last::Keyword(word) => word.class() == Class::Call || (byte == b'[' && word == keywords::ARRAY),
            Last::Operand => byte == b'[',
            _ => false,
        };
        let list = match byte {
            b'(' => self.last == Last::Keyword(keywords::IN),
            _ => self.last == Last::Keyword(keywords::ARRAY),
        };
        if !call {
            self.space();
        }
        self.depth += 1;
        if self.depth < 64 {
            self.ordinals &= !(1 << self.depth);
        }
        if self.type_name && self.type_length.is_none() && self.last == Last::Name && byte == b'(' {
            self.type_length = Some(self.depth);
        }
        if let Some(rows) = &mut self.rows
            && self.depth == rows.depth + 1
            && byte == b'('
            && (rows.between || self.last == Last::Keyword(keywords::VALUES))
        {
            (rows.row, rows.between) = (self.text.len(), false);
        }
        self.text.push(byte);
        let start = self.text.len();
        if list {
            let depth = self.depth;
            self.list =
                Some(List { depth, start, element: start, first_end: None, same: true, in_type: false });
        }
        (self.last, self.into) = (Last::Glue, false);
    }

    fn close(&mut self, byte: u8) {
        if let Some(list) = self.list
            && self.depth == list.depth
        {
            self.element();
            self.collapse();
        }
        if self.type_length == Some(self.depth) {
            (self.type_length, self.type_name) = (None, false);
        }
        self.depth = self.depth.saturating_sub(1);
        self.text.push(byte);
        if let Some(rows) = &mut self.rows
            && self.depth == rows.depth
            && !rows.between
        {
            let row = rows.row..self.text.len();
            match rows.previous {
                Some((from, to)) if self.text[from..to] == self.text[row.clone()] => self.text.truncate(to),
                _ => rows.previous = Some((row.start, row.end)),
            }
            rows.between = true;
        }
        self.last = Last::Operand;
    }

    /// The list's current element ends here.
    fn element(&mut self) {
        let Some(list) = &mut self.list else { return };
        if self.depth != list.depth {
            return;
        }
        let end = self.text.len();
        let element = self.text[list.element..end].trim_ascii_start();
        match list.first_end {
            None if element.is_empty() || element == b"..." => self.list = None,
            None => {
                list.first_end = Some(end);
                (list.element, list.in_type) = (end + 1, false);
            }
            Some(first_end) => {
                list.same &= element == b"..." || *element == self.text[list.start..first_end];
                (list.element, list.in_type) = (end + 1, false);
            }
        }
    }

    /// A list of nothing but constants: its first element stands for all, or `?` where they differ
    /// in their casts.
    fn collapse(&mut self) {
        let Some(List { start, first_end: Some(first_end), same, .. }) = self.list.take() else { return };
        self.text.truncate(if same { first_end } else { start });
        if !same {
            self.text.push(b'?');
        }
        self.text.extend_from_slice(b", ...");
    }
}
