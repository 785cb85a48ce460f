//! Transactions and SET.

use super::{Ddl, cursor::Cursor};

/// What opens or ends a transaction, or sets a parameter; everything else is [`Ddl::Other`].
pub(super) fn read(cursor: &mut Cursor<'_>) -> Ddl {
    let begins = cursor.take("begin") || cursor.take_all(&["start", "transaction"]);
    let ends = !begins && cursor.take_any(&["commit", "end", "abort", "rollback"]);
    if begins || ends {
        let _ = cursor.take_any(&["work", "transaction"]);
        // ROLLBACK TO a savepoint, and the two phases of a distributed transaction, are something else.
        if ends && cursor.any(&["to", "prepared"]) {
            return Ddl::Other;
        }
        cursor.rest();
        return if begins { Ddl::Begin } else { Ddl::End };
    }
    if cursor.take("set") {
        set(cursor)
    } else if cursor.take("select") {
        set_config(cursor).unwrap_or(Ddl::Other)
    } else {
        Ddl::Other
    }
}

/// `SELECT set_config('name', 'value', …)`.
fn set_config(cursor: &mut Cursor<'_>) -> Option<Ddl> {
    let function = cursor.relation().ok()?;
    if function.name != "set_config" || !cursor.take_punct(b'(') {
        return None;
    }
    let name = cursor.text().trim_matches('\'').to_ascii_lowercase();
    cursor.step();
    let value = cursor.take_punct(b',').then(|| cursor.text().trim_matches('\'').to_owned())?;
    cursor.rest();
    Some(Ddl::Set { name, value })
}

fn set(cursor: &mut Cursor<'_>) -> Ddl {
    let _ = cursor.take_any(&["local", "session"]);
    let name = if cursor.take_all(&["time", "zone"]) {
        "timezone".to_owned()
    } else {
        // SET TRANSACTION, ROLE and the like name no parameter.
        let Ok(name) = cursor.relation() else { return Ddl::Other };
        if !(cursor.take_operator("=") || cursor.take("to")) {
            return Ddl::Other;
        }
        name.name.to_ascii_lowercase()
    };
    let value = cursor.text().trim_matches(['\'', '"']).to_owned();
    cursor.rest();
    Ddl::Set { name, value }
}
