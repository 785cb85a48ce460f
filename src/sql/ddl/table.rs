//! CREATE TABLE: columns and constraints.

use super::{
    Column, Constraint, ConstraintKind, CreateIndex, CreateTable, Ddl, Keys,
    cursor::{Cursor, NotRead, printed},
    index, types,
};

pub(super) fn create(cursor: &mut Cursor<'_>, temporary: bool, foreign: bool) -> Result<Ddl, NotRead> {
    let if_not_exists = cursor.take_all(&["if", "not", "exists"]);
    let name = cursor.relation()?;
    cursor.makes = Some(name.clone());
    let mut table = CreateTable { name, if_not_exists, temporary, foreign, ..CreateTable::default() };
    let typed = if cursor.take("of") {
        cursor.relation()?;
        true
    } else if cursor.take_all(&["partition", "of"]) {
        table.partition_of = Some(cursor.relation()?);
        true
    } else {
        false
    };
    if cursor.punct(b'(') {
        elements(cursor, &mut table, typed)?;
    } else if !typed && !cursor.any(&["as", "using", "with", "without", "on", "tablespace"]) {
        return Err(cursor.expected("the columns in brackets"));
    }
    if table.partition_of.is_some() {
        if cursor.take_all(&["for", "values"]) {
            bounds(cursor)?;
        } else {
            cursor.need("default")?;
        }
    }
    if cursor.take("inherits") {
        if !cursor.take_punct(b'(') {
            return Err(cursor.expected("the parents in brackets"));
        }
        while !cursor.take_punct(b')') {
            table.inherits.push(cursor.relation()?);
            let _ = cursor.take_punct(b',');
        }
    }
    options(cursor, &mut table, typed)?;
    Ok(Ddl::CreateTable(table))
}

/// What follows the columns.
fn options(cursor: &mut Cursor<'_>, table: &mut CreateTable, of_type: bool) -> Result<(), NotRead> {
    while !cursor.at_end() {
        if cursor.take_all(&["partition", "by"]) {
            table.partitioned = true;
            cursor.name()?;
            cursor.bracket()?;
        } else if cursor.take("using") {
            cursor.name()?;
        } else if cursor.is("with") && cursor.second_punct(b'(') {
            cursor.step();
            table.storage = cursor.options()?;
        } else if cursor.take_all(&["without", "oids"])
            || cursor.take_all(&["with", "oids"])
            || cursor.take_all(&["on", "commit", "drop"])
            || cursor.take_all(&["on", "commit", "preserve", "rows"])
            || cursor.take_all(&["on", "commit", "delete", "rows"])
        {
        } else if cursor.take("tablespace") || cursor.take("server") {
            cursor.name()?;
        } else if table.foreign && cursor.take("options") {
            cursor.bracket()?;
        } else if cursor.take("as") {
            if !(cursor.any(&["select", "with", "values", "table", "execute"]) || cursor.punct(b'(')) {
                return Err(cursor.expected("a query"));
            }
            table.as_query = true;
            cursor.rest();
        } else {
            return Err(cursor.expected("a clause of CREATE TABLE"));
        }
    }
    // CREATE TABLE AS may name its columns; others say what they are.
    let typed = table.as_query || table.partition_of.is_some();
    if !typed && !of_type && table.columns.iter().any(|column| column.type_name.is_empty()) {
        return Err(cursor.expected("a type for each column"));
    }
    Ok(())
}

/// `IN (…)`, `FROM (…) TO (…)`, `WITH (MODULUS …)`.
pub(super) fn bounds(cursor: &mut Cursor<'_>) -> Result<(), NotRead> {
    if cursor.take("from") {
        cursor.bracket()?;
        cursor.need("to")?;
    } else if !cursor.take("in") {
        cursor.need("with")?;
    }
    cursor.bracket().map(drop)
}

fn elements(cursor: &mut Cursor<'_>, table: &mut CreateTable, typed: bool) -> Result<(), NotRead> {
    cursor.step();
    if cursor.take_punct(b')') {
        return Ok(());
    }
    loop {
        if cursor.take("like") {
            table.like.push(cursor.relation()?);
            while cursor.take_any(&["including", "excluding"]) {
                cursor.step();
            }
        } else if let Some(constraint) = constraint(cursor)? {
            table.constraints.push(constraint);
        } else {
            table.columns.push(column(cursor, typed)?);
        }
        if !cursor.take_punct(b',') {
            break;
        }
    }
    if cursor.take_punct(b')') { Ok(()) } else { Err(cursor.expected("the end of a column or constraint")) }
}

/// A column; `typed` ones, and those of CREATE TABLE AS, have their type from elsewhere.
pub(super) fn column(cursor: &mut Cursor<'_>, typed: bool) -> Result<Column, NotRead> {
    let mut column = Column { name: cursor.name()?, ..Column::default() };
    if typed {
        let _ = cursor.take_all(&["with", "options"]);
    } else if !(cursor.punct(b',') || cursor.punct(b')')) {
        column.serial = types::is_serial(cursor.text());
        column.not_null = column.serial;
        column.type_name = types::type_name(cursor)?;
    }
    loop {
        let name = if cursor.take("constraint") { Some(cursor.name()?) } else { None };
        if !option(cursor, &mut column, name)? {
            return Ok(column);
        }
    }
}

fn ends_value(cursor: &Cursor<'_>) -> bool {
    cursor.any(&[
        "constraint",
        "not",
        "null",
        "default",
        "check",
        "primary",
        "unique",
        "references",
        "collate",
        "generated",
        "deferrable",
        "initially",
        "storage",
        "compression",
        "options",
    ])
}

fn option(cursor: &mut Cursor<'_>, column: &mut Column, name: Option<String>) -> Result<bool, NotRead> {
    let own = || vec![column.name.clone()];
    let kind = if cursor.take_all(&["not", "null"]) {
        column.not_null = true;
        let _ = cursor.take_all(&["no", "inherit"]) || cursor.take_all(&["not", "valid"]);
        return Ok(true);
    } else if cursor.take("null") {
        return Ok(true);
    } else if cursor.take("default") {
        column.default = Some(cursor.expression(ends_value)?.to_owned());
        return Ok(true);
    } else if cursor.take("collate") {
        column.collation = Some(cursor.relation()?.name);
        return Ok(true);
    } else if cursor.take("storage") || cursor.take("compression") {
        cursor.step();
        return Ok(true);
    } else if cursor.is("options") && cursor.second_punct(b'(') {
        cursor.step();
        cursor.bracket()?;
        return Ok(true);
    } else if cursor.take("generated") {
        generated(cursor, column)?;
        return Ok(true);
    } else if timing(cursor) {
        return Ok(true);
    } else if cursor.take("check") {
        ConstraintKind::Check(printed(cursor.bracket()?))
    } else if cursor.take_all(&["primary", "key"]) {
        let columns = own();
        column.not_null = true;
        parameters(cursor)?;
        ConstraintKind::PrimaryKey(Keys::Columns { columns, include: Vec::new() })
    } else if cursor.take("unique") {
        let _ = cursor.take_all(&["nulls", "not", "distinct"]) || cursor.take_all(&["nulls", "distinct"]);
        let columns = own();
        parameters(cursor)?;
        ConstraintKind::Unique(Keys::Columns { columns, include: Vec::new() })
    } else if cursor.take("references") {
        references(cursor, own())?
    } else if name.is_some() {
        return Err(cursor.expected("a constraint"));
    } else {
        return Ok(false);
    };
    let not_valid = checked(cursor);
    column.constraints.push(Constraint { name, kind, not_valid });
    Ok(true)
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) -> Result<(), NotRead> {
    if !cursor.take("always") {
        cursor.need("by")?;
        cursor.need("default")?;
    }
    cursor.need("as")?;
    if cursor.take("identity") {
        column.identity = true;
        column.not_null = true;
        if cursor.punct(b'(') {
            cursor.bracket()?;
        }
        return Ok(());
    }
    column.generated = Some(cursor.bracket()?.to_owned());
    column.stored = cursor.take("stored");
    let _ = cursor.take("virtual");
    Ok(())
}

/// DEFERRABLE and its kin.
fn timing(cursor: &mut Cursor<'_>) -> bool {
    cursor.take("deferrable")
        || cursor.take_all(&["not", "deferrable"])
        || cursor.take_all(&["initially", "deferred"])
        || cursor.take_all(&["initially", "immediate"])
        || cursor.take("enforced")
        || cursor.take_all(&["not", "enforced"])
}

/// What may follow a constraint; whether it says NOT VALID.
fn checked(cursor: &mut Cursor<'_>) -> bool {
    let mut not_valid = false;
    loop {
        if cursor.take_all(&["not", "valid"]) {
            not_valid = true;
        } else if !(timing(cursor) || cursor.take_all(&["no", "inherit"])) {
            return not_valid;
        }
    }
}

/// `WITH (fillfactor = 70) USING INDEX TABLESPACE x`.
fn parameters(cursor: &mut Cursor<'_>) -> Result<(), NotRead> {
    if cursor.take("with") {
        cursor.bracket()?;
    }
    if cursor.take_all(&["using", "index", "tablespace"]) {
        cursor.name()?;
    }
    Ok(())
}

fn references(cursor: &mut Cursor<'_>, columns: Vec<String>) -> Result<ConstraintKind, NotRead> {
    let references = cursor.relation()?;
    let referenced_columns = if cursor.punct(b'(') { cursor.names()? } else { Vec::new() };
    let mut deletes = false;
    loop {
        if cursor.take("match") {
            cursor.step();
        } else if cursor.is("on") && (cursor.second("delete") || cursor.second("update")) {
            let delete = cursor.second("delete");
            cursor.step();
            cursor.step();
            let writes = cursor.take("cascade")
                || cursor.take_all(&["set", "null"])
                || cursor.take_all(&["set", "default"]);
            if !(writes || cursor.take("restrict") || cursor.take_all(&["no", "action"])) {
                return Err(cursor.expected("what to do with rows that refer to it"));
            }
            deletes |= delete && writes;
            if cursor.punct(b'(') {
                cursor.names()?;
            }
        } else {
            return Ok(ConstraintKind::ForeignKey { columns, references, referenced_columns, deletes });
        }
    }
}

/// A constraint of the table, if one stands here.
pub(super) fn constraint(cursor: &mut Cursor<'_>) -> Result<Option<Constraint>, NotRead> {
    let name = if cursor.take("constraint") { Some(cursor.name()?) } else { None };
    let kind = if cursor.take_all(&["primary", "key"]) {
        ConstraintKind::PrimaryKey(keys(cursor)?)
    } else if cursor.take("unique") {
        let _ = cursor.take_all(&["nulls", "not", "distinct"]) || cursor.take_all(&["nulls", "distinct"]);
        ConstraintKind::Unique(keys(cursor)?)
    } else if cursor.take_all(&["foreign", "key"]) {
        let columns = cursor.names()?;
        cursor.need("references")?;
        references(cursor, columns)?
    } else if cursor.take("check") {
        ConstraintKind::Check(printed(cursor.bracket()?))
    } else if cursor.is("exclude") && (cursor.second("using") || cursor.second_punct(b'(')) {
        cursor.step();
        let mut index = CreateIndex::default();
        index::body(cursor, &mut index, true)?;
        ConstraintKind::Exclude(index)
    } else if cursor.take_all(&["not", "null"]) {
        ConstraintKind::NotNull(cursor.name()?)
    } else if name.is_some() {
        return Err(cursor.expected("a constraint"));
    } else {
        return Ok(None);
    };
    let not_valid = checked(cursor);
    Ok(Some(Constraint { name, kind, not_valid }))
}

fn keys(cursor: &mut Cursor<'_>) -> Result<Keys, NotRead> {
    if cursor.take_all(&["using", "index"]) {
        return Ok(Keys::Index(cursor.name()?));
    }
    let columns = cursor.names()?;
    let include = if cursor.take("include") { cursor.names()? } else { Vec::new() };
    parameters(cursor)?;
    Ok(Keys::Columns { columns, include })
}
