//! The words that the scanner tells from names, and how each is written.
//!
//! Every keyword that `quote_ident` would quote is here (catcode R, T and C of `pg_get_keywords()`),
//! and the unreserved ones that begin a clause. Whether a word is a keyword is read off the word
//! alone; a column called `first` is merely shown as `FIRST`.

/// What a keyword does to what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Reserved: `SELECT`, `AND`. What follows begins an operand or a clause.
    Clause,
    /// Written like a function: `COALESCE(`.
    Call,
    /// Stands for a value: `CURRENT_DATE`, the END of a CASE.
    Value,
    /// A type's name, shown in lower case like any name.
    Type,
    /// Not reserved, so that it may be a column as well: `SET`, `FIRST`.
    Free,
}

/// Index into [`WORDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keyword(u16);

impl Keyword {
    pub(super) fn class(self) -> Class {
        WORDS[usize::from(self.0)].1
    }

    /// The keyword spelled `word` (lower case); for constants only.
    const fn named(word: &str) -> Keyword {
        let mut at = 0;
        while at < WORDS.len() {
            if same(WORDS[at].0.as_bytes(), word.as_bytes()) {
                return Keyword(at as u16);
            }
            at += 1;
        }
        panic!("no such keyword")
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! named {
    ($($constant:ident = $word:literal),* $(,)?) => {
        $(pub(super) const $constant: Keyword = Keyword::named($word);)*
    };
}

named! {
    ABORT = "abort", AND = "and", AS = "as", ARRAY = "array", ATOMIC = "atomic", BEGIN = "begin", BY = "by", CASE = "case", COMMIT = "commit",
    COPY = "copy", CREATE = "create", DELETE = "delete", END = "end", EXCEPT = "except", FALSE = "false", FROM = "from", GROUP = "group",
    IN = "in", INSERT = "insert", INTERSECT = "intersect", INTO = "into", IS = "is", ISNULL = "isnull", JOIN = "join", NOT = "not",
    NOTNULL = "notnull", NULL = "null", ONLY = "only", OR = "or", ORDER = "order", PREPARE = "prepare",
    PREPARED = "prepared", RETURNING = "returning", ROLLBACK = "rollback", SELECT = "select", SET = "set",
    START = "start", TABLE = "table", TO = "to", TRANSACTION = "transaction", TRUE = "true", UNION = "union",
    UPDATE = "update", USING = "using", VALUES = "values", WITH = "with",
}

const LONGEST: usize = 17;
const SLOTS: usize = 2048;

/// Open addressing: a slot holds a keyword's index plus one, or 0.
static SLOTTED: [u16; SLOTS] = table();

const fn slot(len: usize, first: u8, second: u8, last: u8) -> usize {
    let mixed = (first as usize)
        .wrapping_mul(193)
        .wrapping_add((second as usize).wrapping_mul(1543))
        .wrapping_add((last as usize).wrapping_mul(49))
        .wrapping_add(len.wrapping_mul(389));
    mixed % SLOTS
}

const fn table() -> [u16; SLOTS] {
    let mut table = [0; SLOTS];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].0.as_bytes();
        assert!(word.len() >= 2 && word.len() <= LONGEST);
        let mut place = slot(word.len(), word[0], word[1], word[word.len() - 1]);
        while table[place] != 0 {
            place = (place + 1) % SLOTS;
        }
        table[place] = at as u16 + 1;
        at += 1;
    }
    table
}

/// The keyword that a bare word is, in any case.
pub(super) fn lookup(word: &[u8]) -> Option<Keyword> {
    if word.len() < 2 || word.len() > LONGEST {
        return None;
    }
    let mut place = slot(word.len(), word[0] | 0x20, word[1] | 0x20, word[word.len() - 1] | 0x20);
    loop {
        let index = SLOTTED[place].checked_sub(1)?;
        if WORDS[usize::from(index)].0.as_bytes().eq_ignore_ascii_case(word) {
            return Some(Keyword(index));
        }
        place = (place + 1) % SLOTS;
    }
}

use Class::{Call, Clause, Free, Type, Value};

const WORDS: &[(&str, Class)] = &[
    ("abort", Free),
    ("action", Free),
    ("add", Free),
    ("all", Clause),
    ("alter", Free),
    ("analyse", Clause),
    ("analyze", Clause),
    ("and", Clause),
    ("any", Clause),
    ("array", Clause),
    ("as", Clause),
    ("asc", Clause),
    ("asymmetric", Clause),
    ("at", Free),
    ("atomic", Free),
    ("authorization", Clause),
    ("begin", Free),
    ("between", Clause),
    ("bigint", Type),
    ("binary", Clause),
    ("bit", Type),
    ("boolean", Type),
    ("both", Clause),
    ("by", Free),
    ("call", Free),
    ("cascade", Free),
    ("case", Clause),
    ("cast", Call),
    ("char", Type),
    ("character", Type),
    ("check", Clause),
    ("close", Free),
    ("coalesce", Call),
    ("collate", Clause),
    ("collation", Clause),
    ("column", Clause),
    ("commit", Free),
    ("concurrently", Clause),
    ("conflict", Free),
    ("constraint", Clause),
    ("copy", Free),
    ("create", Clause),
    ("cross", Clause),
    ("current", Free),
    ("current_catalog", Value),
    ("current_date", Value),
    ("current_role", Value),
    ("current_schema", Value),
    ("current_time", Value),
    ("current_timestamp", Value),
    ("current_user", Value),
    ("cursor", Free),
    ("day", Free),
    ("deallocate", Free),
    ("dec", Type),
    ("decimal", Type),
    ("declare", Free),
    ("default", Value),
    ("deferrable", Clause),
    ("delete", Free),
    ("desc", Clause),
    ("discard", Free),
    ("distinct", Clause),
    ("do", Clause),
    ("drop", Free),
    ("else", Clause),
    ("end", Value),
    ("escape", Free),
    ("except", Clause),
    ("execute", Free),
    ("exists", Clause),
    ("explain", Free),
    ("extract", Call),
    ("false", Value),
    ("fetch", Clause),
    ("filter", Free),
    ("first", Free),
    ("float", Type),
    ("following", Free),
    ("for", Clause),
    ("foreign", Clause),
    ("freeze", Clause),
    ("from", Clause),
    ("full", Clause),
    ("grant", Clause),
    ("greatest", Call),
    ("group", Clause),
    ("grouping", Call),
    ("having", Clause),
    ("hour", Free),
    ("if", Free),
    ("ilike", Clause),
    ("in", Clause),
    ("index", Free),
    ("initially", Clause),
    ("inner", Clause),
    ("inout", Clause),
    ("insert", Free),
    ("int", Type),
    ("integer", Type),
    ("intersect", Clause),
    ("interval", Clause),
    ("into", Clause),
    ("is", Clause),
    ("isnull", Value),
    ("isolation", Free),
    ("join", Clause),
    ("json", Type),
    ("json_array", Call),
    ("json_arrayagg", Call),
    ("json_exists", Call),
    ("json_object", Call),
    ("json_objectagg", Call),
    ("json_query", Call),
    ("json_scalar", Call),
    ("json_serialize", Call),
    ("json_table", Call),
    ("json_value", Call),
    ("last", Free),
    ("lateral", Clause),
    ("leading", Clause),
    ("least", Call),
    ("left", Call),
    ("level", Free),
    ("like", Clause),
    ("limit", Clause),
    ("listen", Free),
    ("local", Free),
    ("localtime", Value),
    ("localtimestamp", Value),
    ("lock", Free),
    ("locked", Free),
    ("matched", Free),
    ("materialized", Free),
    ("merge", Free),
    ("merge_action", Call),
    ("minute", Free),
    ("month", Free),
    ("national", Type),
    ("natural", Clause),
    ("nchar", Type),
    ("next", Free),
    ("none", Value),
    ("normalize", Call),
    ("not", Clause),
    ("nothing", Free),
    ("notify", Free),
    ("notnull", Value),
    ("nowait", Free),
    ("null", Value),
    ("nullif", Call),
    ("nulls", Free),
    ("numeric", Type),
    ("offset", Clause),
    ("on", Clause),
    ("only", Clause),
    ("or", Clause),
    ("order", Clause),
    ("out", Clause),
    ("outer", Clause),
    ("over", Free),
    ("overlaps", Clause),
    ("overlay", Call),
    ("partition", Free),
    ("placing", Clause),
    ("position", Call),
    ("preceding", Free),
    ("precision", Type),
    ("prepare", Free),
    ("prepared", Free),
    ("primary", Clause),
    ("range", Free),
    ("real", Type),
    ("recursive", Free),
    ("references", Clause),
    ("refresh", Free),
    ("reindex", Free),
    ("release", Free),
    ("reset", Free),
    ("returning", Clause),
    ("revoke", Free),
    ("right", Call),
    ("rollback", Free),
    ("row", Call),
    ("rows", Free),
    ("savepoint", Free),
    ("second", Free),
    ("select", Clause),
    ("session", Free),
    ("session_user", Value),
    ("set", Free),
    ("setof", Clause),
    ("share", Free),
    ("show", Free),
    ("similar", Clause),
    ("skip", Free),
    ("smallint", Type),
    ("some", Clause),
    ("start", Free),
    ("substring", Call),
    ("symmetric", Clause),
    ("system_user", Value),
    ("table", Clause),
    ("tablesample", Clause),
    ("then", Clause),
    ("time", Type),
    ("timestamp", Type),
    ("to", Clause),
    ("trailing", Clause),
    ("transaction", Free),
    ("treat", Call),
    ("trim", Call),
    ("true", Value),
    ("truncate", Free),
    ("unbounded", Free),
    ("union", Clause),
    ("unique", Clause),
    ("unlisten", Free),
    ("update", Free),
    ("user", Value),
    ("using", Clause),
    ("vacuum", Free),
    ("values", Clause),
    ("varchar", Type),
    ("variadic", Clause),
    ("verbose", Clause),
    ("view", Free),
    ("when", Clause),
    ("where", Clause),
    ("window", Clause),
    ("with", Clause),
    ("within", Free),
    ("work", Free),
    ("xmlattributes", Call),
    ("xmlconcat", Call),
    ("xmlelement", Call),
    ("xmlexists", Call),
    ("xmlforest", Call),
    ("xmlnamespaces", Call),
    ("xmlparse", Call),
    ("xmlpi", Call),
    ("xmlroot", Call),
    ("xmlserialize", Call),
    ("xmltable", Call),
    ("year", Free),
    ("zone", Free),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::quote_ident;

    #[test]
    fn every_word_is_found_in_any_case() {
        for (at, (word, _)) in WORDS.iter().enumerate() {
            assert_eq!(lookup(word.to_uppercase().as_bytes()), Some(Keyword(u16::try_from(at).unwrap())));
        }
        assert_eq!(lookup(b"customer"), None);
        assert_eq!(lookup(b"x"), None);
    }

    #[test]
    fn free_words_are_those_that_need_no_quotes() {
        for (word, class) in WORDS {
            assert_eq!(quote_ident(word) == *word, *class == Free, "{word}");
        }
    }
}
