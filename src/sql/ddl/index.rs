//! CREATE INDEX, and the elements of an exclusion constraint.

use super::{
    CreateIndex, Ddl, Key,
    cursor::{Cursor, NotRead, printed},
};

pub(super) fn create(cursor: &mut Cursor<'_>, unique: bool) -> Result<Ddl, NotRead> {
    let concurrently = cursor.take("concurrently");
    let if_not_exists = cursor.take_all(&["if", "not", "exists"]);
    // The name's schema, where somebody gives one, is its table's.
    let name = if cursor.is("on") { None } else { Some(cursor.relation()?.name) };
    cursor.need("on")?;
    let (table, _) = cursor.only_relation()?;
    let mut index =
        CreateIndex { name, if_not_exists, table, unique, concurrently, ..CreateIndex::default() };
    body(cursor, &mut index, false)?;
    Ok(Ddl::CreateIndex(index))
}

/// `[USING m] (…) [INCLUDE (…)] … [WHERE …]`.
pub(super) fn body(cursor: &mut Cursor<'_>, index: &mut CreateIndex, exclusion: bool) -> Result<(), NotRead> {
    "btree".clone_into(&mut index.method);
    if cursor.take("using") {
        index.method = cursor.name()?;
    }
    if !cursor.take_punct(b'(') {
        return Err(cursor.expected("the index's keys in brackets"));
    }
    loop {
        index.keys.push(key(cursor)?);
        if exclusion {
            cursor.need("with")?;
            if cursor.take("operator") {
                cursor.bracket()?;
            } else if cursor.is_name() && cursor.second_punct(b'.') {
                cursor.expression(|here| here.punct(b')'))?;
            } else if cursor.is_operator() {
                cursor.step();
            } else {
                return Err(cursor.expected("an operator"));
            }
        }
        if !cursor.take_punct(b',') {
            break;
        }
    }
    if !cursor.take_punct(b')') {
        return Err(cursor.expected("the end of an index's key"));
    }
    if cursor.take("include") {
        index.include = cursor.names()?;
    }
    if cursor.take_all(&["nulls", "not", "distinct"]) {
        index.nulls_not_distinct = true;
    } else {
        let _ = cursor.take_all(&["nulls", "distinct"]);
    }
    if cursor.take("with") {
        cursor.bracket()?;
    }
    if exclusion {
        if cursor.take_all(&["using", "index", "tablespace"]) {
            cursor.name()?;
        }
        if cursor.take("where") {
            index.predicate = Some(printed(cursor.bracket()?));
        }
        return Ok(());
    }
    if cursor.take("tablespace") {
        cursor.name()?;
    }
    if cursor.take("where") {
        index.predicate = Some(printed(cursor.expression(|_| false)?));
    }
    Ok(())
}

fn key(cursor: &mut Cursor<'_>) -> Result<Key, NotRead> {
    let (text, column) = if cursor.punct(b'(') {
        (printed(cursor.bracket()?), false)
    } else if cursor.is_name() && !cursor.second_punct(b'(') && !cursor.second_punct(b'.') {
        (cursor.name()?, true)
    } else {
        (printed(call(cursor)?), false)
    };
    let collation = if cursor.take("collate") { Some(cursor.relation()?.name) } else { None };
    let mut opclass = None;
    if cursor.is_name() && !cursor.any(&["asc", "desc", "nulls"]) {
        opclass = Some(cursor.relation()?.name);
        if cursor.punct(b'(') {
            cursor.bracket()?;
        }
    }
    let desc = cursor.take("desc");
    if !desc {
        let _ = cursor.take("asc");
    }
    let nulls_first = if cursor.take_all(&["nulls", "first"]) {
        true
    } else if cursor.take_all(&["nulls", "last"]) {
        false
    } else {
        desc
    };
    Ok(Key { text, column, collation, opclass, desc, nulls_first })
}

/// `lower(email)`, `CAST(a AS text)`, `COALESCE(a, b)`: up to its closing bracket.
fn call<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, NotRead> {
    let begin = cursor.position();
    let text = cursor.expression(|here| {
        let first = here.position() == begin;
        !first && !here.punct(b'(') && !here.punct(b'.') && here.behind_call()
    })?;
    if text.ends_with(')') { Ok(text) } else { Err(cursor.expected("a function call")) }
}
