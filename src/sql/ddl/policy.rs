//! CREATE POLICY.

use super::{
    Ddl, Policy,
    cursor::{Cursor, NotRead},
};

pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Ddl, NotRead> {
    let name = cursor.name()?;
    cursor.need("on")?;
    let table = cursor.relation()?;
    let mut policy = Policy { name, permissive: true, command: "all".to_owned(), ..Policy::default() };
    if cursor.take("as") {
        policy.permissive = cursor.take("permissive");
        if !policy.permissive {
            cursor.need("restrictive")?;
        }
    }
    if cursor.take("for") {
        if !cursor.any(&["all", "select", "insert", "update", "delete"]) {
            return Err(cursor.expected("a command"));
        }
        policy.command = cursor.text().to_ascii_lowercase();
        cursor.step();
    }
    if cursor.take("to") {
        loop {
            let _ = cursor.take("group");
            policy.roles.push(cursor.name()?);
            if !cursor.take_punct(b',') {
                break;
            }
        }
        policy.roles.sort();
    } else {
        policy.roles.push("public".to_owned());
    }
    if cursor.take("using") {
        policy.using = Some(cursor.bracket()?.to_owned());
    }
    if cursor.take_all(&["with", "check"]) {
        policy.check = Some(cursor.bracket()?.to_owned());
    }
    Ok(Ddl::CreatePolicy { table, policy })
}
