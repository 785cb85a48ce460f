use super::*;
use crate::{catalog::Column, catalog::TableKind, names::RelName};

fn table() -> Table {
    let column = |(name, type_name): (&str, &str)| Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null: false,
        c_collation: false,
        statistics: None,
        ..Column::default()
    };
    let columns = [
        ("email", "character varying(255)"),
        ("made", "timestamp without time zone"),
        ("seen", "timestamp with time zone"),
        ("data", "jsonb"),
        ("Odd", "text"),
    ];
    Table {
        name: RelName::new(Some("public"), "users"),
        kind: TableKind::Table,
        rows: None,
        bytes: None,
        all_visible: None,
        columns: columns.into_iter().map(column).collect(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        activity: None,
        ..Table::default()
    }
}

#[track_caller]
fn check(text: &str, expect: Option<&str>) {
    assert_eq!(indexable(text, &table()).as_deref(), expect, "{text}");
}

#[test]
fn immutable_expressions_can_be_indexed() {
    check("lower(email)", Some("lower(email)"));
    check("lower(u.email)", Some("lower(email)"));
    check("lower((email)::text)", Some("lower((email)::text)"));
    check("LOWER(\"Odd\")", Some("LOWER(\"Odd\")"));
    check("substring(email, 1, 3)", Some("substring(email, 1, 3)"));
    check("data ->> 'key'", Some("data ->> 'key'"));
    check("date_trunc('day', made)", Some("date_trunc('day', made)"));
    check("made::date", Some("made::date"));
    check("(data ->> 'n')::int", Some("(data ->> 'n')::int"));
    check("email || ' ' || lower(\"Odd\")", Some("email || ' ' || lower(\"Odd\")"));
    check("coalesce(seen, made)", Some("coalesce(seen, made)"));
}

#[test]
fn what_is_not_certainly_immutable_cannot() {
    check("date_trunc('day', seen)", None);
    check("seen::date", None);
    check("to_char(made, 'YYYY')", None);
    check("my_lower(email)", None);
    check("other.lower(email)", None);
    check("lower(nickname)", None);
    check("seen::text", None);
    check("lower('x')", None);
    check("length(email) || 'x'", None);
    check("made || 'x'", None);
    check("data || 'x'", None);
    check("(data ->> 'at')::timestamptz", None);
    check("seen::int", None);
    check("lower(email", None);
    check("'unfinished", None);
    check("", None);
}

#[test]
fn the_server_s_way_to_print_is_the_same_expression() {
    assert!(same("lower(email)", "lower((email)::text)"));
    assert!(same("LOWER( u.email )", "lower(email)"));
    assert!(same("(data ->> 'key')", "data->>'key'::text"));
    assert!(!same("lower(email)", "upper(email)"));
    assert!(!same("lower(\"Email\")", "lower(email)"));
}
