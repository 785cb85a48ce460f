//! What `sargable check` reads: programs, templates, migrations, folders.

use crate::{
    check::{json, places},
    cli::sargable,
};

const PYTHON: &str = "\
def users(cur, name, table):
    # sargable: allow(select-star) the export takes all
    cur.execute(\"SELECT * FROM users WHERE id = %s\", (1,))
    cur.execute(\"\"\"
        SELECT *
          FROM users
         WHERE id = %s
    \"\"\", (name,))
    cur.execute(f\"SELECT * FROM {table} WHERE id = 1\")
    cur.execute(\"SELECT id \\t\" +
                \"FROM \\\"orders\\\" WHERE note LIKE '%\" + name + \"'\")
    print(\"Select * from the list\")
";

#[test]
fn strings_of_programs_are_judged_where_they_stand() {
    let ran = sargable(&["check", "--format", "json"])
        .file("app/users.py", PYTHON)
        .file("app/q.ts", "const q = (id) => sql`select *\n from users u where u.id = ${id}`;\n")
        .file(
            "app/A.java",
            "class A {\n String a = \"SELECT \" +\n  \"\\\"a\\\", t.* FROM t WHERE id = 1\";\n}\n",
        )
        .file("app/none.go", "package main\nfunc main() { println(\"Select * from one\") }\n")
        .ends(1);
    assert_eq!(
        places(&ran),
        [
            "app/A.java:3:11 select-star warning",
            "app/q.ts:1:30 select-star warning",
            "app/users.py:11:40 leading-wildcard note",
            "app/users.py:5:16 select-star warning",
        ]
    );
    let report = json(&ran.stdout);
    let formats: Vec<&str> = report["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .filter_map(|input| input["format"].as_str())
        .collect();
    assert_eq!(formats, ["java", "typescript", "python"], "a program without SQL is no input");
    assert_eq!(report["check"]["suppressed"][0]["finding"]["at"]["line"], 3);
    let not_judged = report["not_judged"].as_array().expect("a list");
    let assembled = not_judged.iter().find(|line| line["what"] == "app/users.py:9").expect("the f-string");
    assert_eq!(
        assembled["why"],
        "more than values is put in when it runs, such as a table, columns or a condition"
    );
}

#[test]
fn a_program_without_sql_is_clean() {
    let run = sargable(&["check", "a.py"]).file("a.py", "print('hello')\n").ends(0);
    assert!(run.stdout.starts_with("no findings; 0 statements in 1 file\n"), "{}", run.stdout);
}

#[test]
fn templates_are_read_without_their_blocks() {
    let dbt = "\
{{ config(materialized='incremental') }}
-- sargable: allow(cast-on-column) small
select * from {{ ref('stg_orders') }} o
{% if is_incremental() %}
where o.created_at::date > '{{ var(\"day\") }}'
{% endif %}
";
    let psql = "\\set id 1\nSELECT * FROM users WHERE id = :'id' AND name = @name AND x = sqlc.arg(x)\\gset\n\
        SELECT a FROM ${schema}.t WHERE id = 1;\nSELECT a FROM t WHERE ${conditions};\n";
    let ran = sargable(&["check", "--format", "json"]).file("orders.sql", dbt).file("psql.sql", psql).ends(1);
    assert_eq!(places(&ran), ["orders.sql:3:8 select-star warning", "psql.sql:2:8 select-star warning",]);
    let report = json(&ran.stdout);
    assert_eq!(report["check"]["statements"], 3);
    assert_eq!(
        report["inputs"][0]["notes"][0],
        "a template: 4 blocks are skipped or filled with placeholders"
    );
    assert!(report["not_judged"].to_string().contains("\"psql.sql:4\""), "{}", report["not_judged"]);
}

#[test]
fn what_takes_a_migration_back_is_left_alone() {
    let dbmate =
        "-- migrate:up\nSELECT * FROM a WHERE id = 1;\n\n-- migrate:down\nSELECT * FROM b WHERE id = 1;\n";
    let ran = sargable(&["check", "--format", "json"])
        .file("db/1_a.sql", dbmate)
        .file("db/2_b.up.sql", "SELECT * FROM c WHERE id = 1;")
        .file("db/2_b.down.sql", "SELECT * FROM d WHERE id = 1;\nSELECT 2;")
        .ends(1);
    assert_eq!(
        places(&ran),
        ["db/1_a.sql:2:8 select-star warning", "db/2_b.up.sql:1:8 select-star warning",]
    );
    let text = sargable(&["check"])
        .file("db/1_a.sql", dbmate)
        .file("db/2_b.down.sql", "SELECT * FROM d WHERE id = 1;\nSELECT 2;")
        .ends(1);
    assert!(
        text.stdout.contains(
            "\nnot checked:\n  db/1_a.sql, db/2_b.down.sql: takes the migration back (3 statements)\n"
        ),
        "{}",
        text.stdout
    );
    sargable(&["check", "b.down.sql"]).file("b.down.sql", "DROP TABLE t;").ends(0);
}

#[test]
fn ignored_files_are_not_linted_unless_they_are_named() {
    let star = "SELECT * FROM a WHERE id = 1;";
    let run = |args: &[&str]| {
        sargable(args)
            .file(".gitignore", "generated/\n*.tmp.sql\n")
            .file("generated/a.sql", star)
            .file("sub/b.tmp.sql", star)
            .file("sub/c.sql", star)
            .file("sub/d.SQL", star)
            .file("sub/deep/e.sql", star)
    };
    let all = run(&["check", "--format", "json"]).ends(1);
    assert_eq!(places(&all).len(), 3, "{:?}", places(&all));
    let named = run(&["check", "--format", "json", "generated/a.sql"]).ends(1);
    assert_eq!(places(&named).len(), 1);
    let glob = run(&["check", "--format", "json", "sub/**/*.sql"]).ends(1);
    assert_eq!(
        places(&glob),
        ["sub/c.sql:1:8 select-star warning", "sub/deep/e.sql:1:8 select-star warning"]
    );
    let none = run(&["check", "sub/*.psql"]).ends(2);
    assert!(none.stderr.contains("sub/*.psql"), "{}", none.stderr);
}

/// sqlc says that one row is taken, and a call may say so.
#[test]
fn one_row_is_no_unbounded_read() {
    let sql = "-- name: First :one\nSELECT id FROM users WHERE email = $1;\n";
    sargable(&["check"]).file("q.sql", sql).ends(0);
}

/// In a statement of many lines, what is wrong stands on one.
#[test]
fn findings_point_at_their_part_of_the_statement() {
    let sql = "\
SELECT u.id
  FROM users u
  LEFT JOIN orders o ON o.user_id = u.id
 WHERE u.region IN (
       SELECT DISTINCT r.id FROM regions r WHERE r.open)
   AND o.total > 5
   AND u.score > (SELECT avg(v.score) FROM users v WHERE v.org = u.org)
   AND (SELECT count(*) FROM visits WHERE visits.user_id = u.id) > 0
 LIMIT 50;
";
    let ran = sargable(&["check", "--format", "json"]).file("q.sql", sql).ends(1);
    assert_eq!(
        places(&ran),
        [
            "q.sql:5:8 distinct-in-subquery note",
            "q.sql:6:8 left-join-undone note",
            "q.sql:7:8 correlated-subquery note",
            "q.sql:8:9 count-for-existence warning",
        ]
    );
}

/// A log's long tail is folded together; what somebody wrote is not, however much it is and however it was
/// shared out among the cores.
#[test]
fn every_statement_of_a_large_repository_is_judged() {
    let statement = |n: u32| format!("SELECT * FROM t{n} WHERE id = {n};\n");
    let (one, other): (String, String) =
        ((0..9_000).map(statement).collect(), (6_000..21_000).map(statement).collect());
    let ran = sargable(&["check", "--format", "json"]).file("a.sql", &one).file("b.sql", &other).ends(1);
    let report = json(&ran.stdout);
    assert_eq!(report["check"]["statements"], 24_000);
    assert_eq!(report["coverage"]["parsed"], 21_000);
    assert_eq!(places(&ran).iter().filter(|place| place.contains("select-star")).count(), 24_000);
}

#[test]
fn bodies_of_functions_are_judged_where_they_stand() {
    let sql = "\
CREATE FUNCTION f(p_id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    -- sargable: allow(select-star) all of it
    FOR r IN SELECT * FROM a WHERE id = p_id LOOP
        DELETE FROM b WHERE lower(name) = r.name;
    END LOOP;
    EXECUTE format('SELECT * FROM %I', p_id);
    EXECUTE 'SELECT * FROM c WHERE id = 1';
    PERFORM * FROM e WHERE id = 1; -- sargable: allow(select-star)
END $$;
DO 'BEGIN PERFORM * FROM d WHERE id = 1 AND name = ''x''; END';
";
    let ran = sargable(&["check", "--format", "json"]).file("f.sql", sql).ends(1);
    assert_eq!(
        places(&ran),
        [
            "f.sql:12:19 select-star warning",
            "f.sql:6:29 function-on-column note",
            "f.sql:9:21 select-star warning",
        ]
    );
    let report = json(&ran.stdout);
    assert_eq!(report["check"]["suppressed"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["check"]["not_parsed"], 0);
    assert!(!report["not_judged"].to_string().contains("not parsed"), "a DO block is a statement");
    let left = report["not_judged"].to_string();
    assert!(left.contains("f.sql:8") && left.contains("EXECUTE puts it together"), "{left}");
}

#[test]
fn an_editor_gives_what_it_holds() {
    let ran = sargable(&["check", "--stdin-filepath", "app/users.py", "--format", "json"])
        .file("sargable.yaml", "check:\n  rules:\n    leading-wildcard: off\n")
        .stdin(PYTHON)
        .ends(1);
    assert_eq!(places(&ran), ["app/users.py:5:16 select-star warning"]);
    sargable(&["check", "--stdin-filepath", "a.sql", "-"]).stdin("").ends(0);
    let both = sargable(&["check", "--stdin-filepath", "a.sql", "b.sql"]).stdin("").ends(2);
    assert!(both.stderr.contains("name `-` in place of the other paths"), "{}", both.stderr);
}
