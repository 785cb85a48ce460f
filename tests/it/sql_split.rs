//! Texts of many statements in, the statements out.

use sargable::sql::split::{position, statements};

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let found: Vec<&str> = statements(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn semicolons_that_end_nothing() {
    check("select 1; select 2", &["select 1", "select 2"]);
    check(" -- c;\n select 'a;b' /* ; */ ; ; /* end */", &["select 'a;b'"]);
    check("do $$ begin x; end $$; select $a$;$a$", &["do $$ begin x; end $$", "select $a$;$a$"]);
    check(
        "create rule r as on insert to t do (select 1; select 2); x",
        &["create rule r as on insert to t do (select 1; select 2)", "x"],
    );
    check(
        "create function f() begin atomic select 1; select case when a then 1 end; end; select 3;",
        &["create function f() begin atomic select 1; select case when a then 1 end; end", "select 3"],
    );
    check("begin; select 1; end; select 2", &["begin", "select 1", "end", "select 2"]);
    check("select E'\\';', \"a;b\"; x", &["select E'\\';', \"a;b\"", "x"]);
    check("select 'unfinished; select 2", &["select 'unfinished; select 2"]);
    check("", &[]);
}

#[test]
fn psql_scripts() {
    check(
        "\\set x 1\n\\c shop\nselect 1;\n\\d t; \\echo\nselect 2\\g\nselect 3 \\gx out\nselect 4",
        &["select 1", "select 2", "select 3", "select 4"],
    );
    check("\\echo a \\\\ select 1; select 2", &["select 1", "select 2"]);
    check("copy t (a, b) from stdin;\n1\tit's; x\n\\.\nselect 1;", &["copy t (a, b) from stdin", "select 1"]);
    check(
        "COPY public.t FROM STDIN WITH (FORMAT csv);\r\n\"a\r\n\\.\r\nselect 1;",
        &["COPY public.t FROM STDIN WITH (FORMAT csv)", "select 1"],
    );
    check("copy t from '/tmp/stdin'; select 1", &["copy t from '/tmp/stdin'", "select 1"]);
    check("copy t to stdout; select 1", &["copy t to stdout", "select 1"]);
    check("copy t from stdin;\n1", &["copy t from stdin"]);
}

#[test]
fn positions_count_characters() {
    let text = "a\nößb;\r\n  c";
    assert_eq!(position(text, 0), (1, 1));
    assert_eq!(position(text, text.find('b').unwrap()), (2, 3));
    assert_eq!(position(text, text.find('c').unwrap()), (3, 3));
    assert_eq!(position(text, 3), (2, 1));
    assert_eq!(position(text, 999), (3, 4));
}

proptest::proptest! {
    #[test]
    fn any_text_splits(text in ".{0,200}") {
        for range in statements(&text) {
            proptest::prop_assert!(!text[range].trim().is_empty());
        }
    }
}
