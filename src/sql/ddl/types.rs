//! A type's name as `format_type()` prints it.

use super::cursor::{Cursor, NotRead};

/// Reads a type.
pub(super) fn type_name(cursor: &mut Cursor<'_>) -> Result<String, NotRead> {
    let set_of = cursor.take("setof");
    let _ = cursor.take("national");
    let quoted = cursor.text().starts_with('"');
    let relation = cursor.relation()?;
    let mut name = match relation.schema.as_deref() {
        None | Some("pg_catalog" | "public") => relation.name,
        Some(schema) => format!("{schema}.{}", relation.name),
    };
    let varying = matches!(name.as_str(), "character" | "char" | "nchar" | "bit") && cursor.take("varying");
    if name == "double" && cursor.take("precision") {
        "double precision".clone_into(&mut name);
    }
    if name == "interval" {
        while cursor.take_any(&["year", "month", "day", "hour", "minute", "second", "to"]) {}
    }
    // `numeric(10, 2)`; `%TYPE` is plpgsql's.
    let modifier = if cursor.punct(b'(') {
        let inside: String = cursor.bracket()?.split_whitespace().collect();
        Some(inside)
    } else {
        None
    };
    let mut zone = None;
    if matches!(name.as_str(), "timestamp" | "time") {
        if cursor.take_all(&["with", "time", "zone"]) {
            zone = Some(true);
        } else if cursor.take_all(&["without", "time", "zone"]) {
            zone = Some(false);
        }
    }
    let mut full = if quoted { name } else { known(&name, varying, modifier.as_deref(), zone) };
    loop {
        if cursor.take_bounds() {
            full.push_str("[]");
        } else if cursor.take("array") {
            if !cursor.punct(b'[') {
                full.push_str("[]");
            }
        } else {
            break;
        }
    }
    Ok(if set_of { format!("SETOF {full}") } else { full })
}

fn known(name: &str, varying: bool, modifier: Option<&str>, zone: Option<bool>) -> String {
    let length = modifier.map(|inside| format!("({inside})")).unwrap_or_default();
    match (name, varying) {
        ("character" | "char" | "nchar", true) | ("varchar", _) => format!("character varying{length}"),
        ("character" | "char" | "nchar", false) => match modifier {
            Some(_) => format!("character{length}"),
            None => "character(1)".to_owned(),
        },
        ("bit", true) | ("varbit", _) => format!("bit varying{length}"),
        ("bit", false) if modifier.is_none() => "bit(1)".to_owned(),
        ("timestamp" | "time", _) => {
            let with = if zone == Some(true) { "with" } else { "without" };
            format!("{name}{length} {with} time zone")
        }
        ("timestamptz", _) => format!("timestamp{length} with time zone"),
        ("timetz", _) => format!("time{length} with time zone"),
        ("decimal" | "dec", _) => format!("numeric{length}"),
        ("int8" | "bigserial" | "serial8", _) => "bigint".to_owned(),
        ("int" | "int4" | "serial" | "serial4", _) => "integer".to_owned(),
        ("int2" | "smallserial" | "serial2", _) => "smallint".to_owned(),
        ("bool", _) => "boolean".to_owned(),
        ("float4", _) => "real".to_owned(),
        ("float8", _) => "double precision".to_owned(),
        ("float", _) => match modifier.and_then(|bits| bits.parse::<u32>().ok()) {
            Some(..=24) => "real".to_owned(),
            _ => "double precision".to_owned(),
        },
        _ => format!("{name}{length}"),
    }
}

/// Whether a type's name brings a sequence and NOT NULL with it.
pub(super) fn is_serial(written: &str) -> bool {
    ["bigserial", "serial", "serial2", "serial4", "serial8", "smallserial"]
        .iter()
        .any(|serial| written.eq_ignore_ascii_case(serial))
}
