//! ALTER TABLE: its actions.

use super::{
    Action, Alter, Ddl,
    cursor::{Cursor, NotRead},
    table, types,
};

/// What follows ALTER. ALTER INDEX, VIEW and the like have the actions of ALTER TABLE.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    if cursor.take("type") {
        return Ok(rename_type(cursor));
    }
    let _ = cursor.take("foreign") || cursor.take("materialized");
    let index = cursor.take("index");
    if !index && !cursor.take("table") && !cursor.take("view") {
        return Ok(Ddl::Other);
    }
    // ALTER TABLE ALL IN TABLESPACE a [OWNED BY …] SET TABLESPACE b.
    if cursor.take_all(&["all", "in", "tablespace"]) {
        cursor.rest();
        return Ok(Ddl::Other);
    }
    let _ = cursor.take_all(&["if", "exists"]);
    let (name, only) = cursor.only_relation()?;
    let mut alter = Alter { name, only, actions: Vec::new() };
    loop {
        alter.actions.push(action(cursor)?);
        if !cursor.take_punct(b',') {
            return Ok(if index { Ddl::AlterIndex(alter) } else { Ddl::AlterTable(alter) });
        }
    }
}

/// ALTER TYPE … RENAME TO; its other forms are none of ours.
fn rename_type(cursor: &mut Cursor<'_>) -> Ddl {
    let renamed = types::type_name(cursor).ok().and_then(|from| {
        let to = cursor.take_all(&["rename", "to"]).then(|| cursor.name().ok())??;
        let to = match from.rsplit_once('.') {
            Some((schema, _)) => format!("{schema}.{to}"),
            None => to,
        };
        Some(Ddl::RenameType { from, to })
    });
    renamed.unwrap_or(Ddl::Other)
}

fn action(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    if cursor.take("add") {
        return add(cursor);
    }
    if cursor.take("drop") {
        let constraint = cursor.take("constraint");
        let _ = constraint || cursor.take("column");
        let _ = cursor.take_all(&["if", "exists"]);
        let name = cursor.name()?;
        let _ = cursor.take("cascade") || cursor.take("restrict");
        return Ok(if constraint { Action::DropConstraint(name) } else { Action::DropColumn(name) });
    }
    if cursor.is("alter") && !cursor.second("constraint") {
        cursor.step();
        return alter_column(cursor);
    }
    if cursor.take("rename") {
        return rename(cursor);
    }
    if cursor.take_all(&["attach", "partition"]) {
        let part = cursor.relation()?;
        if cursor.take_all(&["for", "values"]) {
            table::bounds(cursor)?;
        } else {
            // ALTER INDEX … ATTACH PARTITION has no bounds.
            let _ = cursor.take("default");
        }
        return Ok(Action::AttachPartition(part));
    }
    if cursor.take_all(&["detach", "partition"]) {
        let partition = cursor.relation()?;
        let concurrently = cursor.take("concurrently") || cursor.take("finalize");
        return Ok(Action::DetachPartition { partition, concurrently });
    }
    if cursor.take_all(&["validate", "constraint"]) {
        return Ok(Action::ValidateConstraint(cursor.name()?));
    }
    if cursor.is("set") && cursor.second_punct(b'(') {
        cursor.step();
        return Ok(Action::SetStorage(cursor.options()?));
    }
    for (word, on) in [("enable", true), ("disable", false)] {
        if cursor.take_all(&[word, "row", "level", "security"]) {
            return Ok(Action::RowSecurity(on));
        }
    }
    if cursor.take_all(&["set", "schema"]) {
        return Ok(Action::SetSchema(cursor.name()?));
    }
    other(cursor)
}

fn add(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    // A column may be called `primary`? No: those words are reserved.
    if let Some(constraint) = table::constraint(cursor)? {
        return Ok(Action::AddConstraint(constraint));
    }
    let _ = cursor.take("column");
    let if_not_exists = cursor.take_all(&["if", "not", "exists"]);
    let column = table::column(cursor, false)?;
    if column.type_name.is_empty() {
        return Err(cursor.expected("a type"));
    }
    Ok(Action::AddColumn { column, if_not_exists })
}

fn rename(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    if cursor.take("to") {
        return Ok(Action::Rename(cursor.name()?));
    }
    let constraint = cursor.take("constraint");
    if !constraint {
        let _ = cursor.take("column");
    }
    let from = cursor.name()?;
    cursor.need("to")?;
    let to = cursor.name()?;
    Ok(if constraint { Action::RenameConstraint { from, to } } else { Action::RenameColumn { from, to } })
}

/// `ALTER [COLUMN] c …`.
fn alter_column(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    let _ = cursor.take("column");
    // ALTER INDEX … ALTER COLUMN 2 SET STATISTICS.
    let column = if cursor.is_number() {
        let number = cursor.text().to_owned();
        cursor.step();
        number
    } else {
        cursor.name()?
    };
    if cursor.take_all(&["set", "not", "null"]) {
        return Ok(Action::SetNotNull(column));
    }
    if cursor.take_all(&["drop", "not", "null"]) {
        return Ok(Action::DropNotNull(column));
    }
    if cursor.is("type") || cursor.all(&["set", "data", "type"]) {
        let _ = cursor.take("type") || cursor.take_all(&["set", "data", "type"]);
        let type_name = types::type_name(cursor)?;
        if cursor.take("collate") {
            cursor.relation()?;
        }
        let using = if cursor.take("using") { Some(cursor.expression(|_| false)?.to_owned()) } else { None };
        let _ = cursor.take("cascade") || cursor.take("restrict");
        return Ok(Action::SetType { column, type_name, using });
    }
    if cursor.take_all(&["set", "default"]) {
        let default = Some(cursor.expression(|_| false)?.to_owned());
        return Ok(Action::SetDefault { column, default });
    }
    if cursor.take_all(&["drop", "default"]) {
        return Ok(Action::SetDefault { column, default: None });
    }
    if cursor.take_all(&["set", "expression", "as"]) {
        cursor.bracket()?;
        return Ok(Action::Other { what: "SET EXPRESSION".to_owned(), blocks_reads: true });
    }
    let known = cursor.any(&["set", "reset", "drop", "add", "restart", "options"])
        && (cursor.second_punct(b'(')
            || cursor.is("restart")
            || [
                "statistics",
                "storage",
                "compression",
                "identity",
                "generated",
                "expression",
                "cache",
                "cycle",
                "increment",
                "maxvalue",
                "minvalue",
                "no",
                "restart",
                "start",
                "sequence",
            ]
            .iter()
            .any(|word| cursor.second(word)));
    if !known {
        return Err(cursor.expected("an action on a column"));
    }
    words(cursor)
}

/// What changes nothing that a catalog of ours holds.
fn other(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    const FIRST: &[(&str, &[&str])] = &[
        ("owner", &["to"]),
        ("alter", &["constraint"]),
        ("cluster", &["on"]),
        ("set", &["logged", "unlogged", "tablespace", "without", "with", "access"]),
        ("replica", &["identity"]),
        ("enable", &["trigger", "rule", "always", "replica"]),
        ("disable", &["trigger", "rule"]),
        ("force", &["row"]),
        ("no", &["force", "inherit", "depends"]),
        ("depends", &["on"]),
        ("not", &["of"]),
        ("merge", &["partitions"]),
        ("split", &["partition"]),
    ];
    let known = FIRST
        .iter()
        .any(|(first, second)| cursor.is(first) && second.iter().any(|second| cursor.second(second)))
        || (cursor.any(&["reset", "options"]) && cursor.second_punct(b'('))
        || cursor.any(&["inherit", "of"]);
    if known { words(cursor) } else { Err(cursor.expected("an action of ALTER TABLE")) }
}

/// Skips an action; its first two words say what it is.
fn words(cursor: &mut Cursor<'_>) -> Result<Action, NotRead> {
    let blocks_reads = !lets_read(cursor);
    let text = cursor.expression(|_| false)?;
    let words: Vec<String> = text.split_whitespace().take(2).map(str::to_uppercase).collect();
    Ok(Action::Other { what: words.join(" "), blocks_reads })
}

/// What takes a weaker lock than ACCESS EXCLUSIVE (`AlterTableGetLockLevel()` of PostgreSQL).
fn lets_read(cursor: &Cursor<'_>) -> bool {
    const WEAK: &[&[&str]] = &[
        &["cluster", "on"],
        &["set", "without", "cluster"],
        &["set", "statistics"],
        &["enable", "trigger"],
        &["enable", "always", "trigger"],
        &["enable", "replica", "trigger"],
        &["disable", "trigger"],
    ];
    WEAK.iter().any(|words| cursor.all(words)) || (cursor.any(&["set", "reset"]) && cursor.second_punct(b'('))
}
