//! Attacks on the promise that asking for a plan changes nothing and calls nobody's code.
//!
//! The trap is a function that writes by a connection of its own, which no rollback undoes. It is
//! called IMMUTABLE, so the planner alone would already call it. An attack is a way to have it called
//! by `explain` or by `estimate` without its name being where one would look.

mod bounds;

use std::time::Duration;

use sargable::{
    catalog::{IndexKey, IndexSpec, KeyExpr},
    names::RelName,
    plan::{Probe, WhatIf},
    server::{Environment, Explained, Limits, Server, Target, Wanted},
    sql::parse::parse,
};

use crate::harness::{self, Database};

/// A database with a table, and the trap: it springs only for us.
fn trapped() -> Database {
    let shop = harness::database();
    shop.sql(&format!(
        "CREATE EXTENSION dblink; CREATE EXTENSION hypopg; CREATE TABLE evidence (who text);
         CREATE TABLE orders (id int PRIMARY KEY, status text, total int);
         INSERT INTO orders SELECT n, 'x' || n % 7, n FROM generate_series(1, 1000) n; ANALYZE orders;
         CREATE FUNCTION trap(anyelement) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
             IF current_setting('application_name') = 'sargable' THEN
                 PERFORM public.dblink_exec('host={} user=postgres dbname={}', 'INSERT INTO public.evidence VALUES (''trap'')');
             END IF;
             RETURN 1; END $$;
         CREATE FUNCTION springs(anyelement, anyelement) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT public.trap($1) = 1';
         CREATE FUNCTION distance(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2 + 0 * public.trap($1)'",
        harness::socket(),
        shop.name
    ));
    shop
}

fn limits() -> Limits {
    Limits {
        statement_timeout: Duration::from_millis(1500),
        lock_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

fn probe(sql: &str) -> Probe {
    Probe { sql: sql.to_owned(), binds: Vec::new() }
}

fn explain(server: &mut Server, sql: &str, limits: &Limits) -> String {
    let shape = parse(sql).ok();
    match server.explain(&probe(sql), shape.as_ref(), limits, Wanted::Analyze) {
        Explained::Plan { how, note, .. } => {
            format!("{how:?}{}", note.map_or_else(String::new, |note| format!(": {note}")))
        }
        Explained::Refused { why } => format!("Refused: {why}"),
        Explained::Failed { why } => format!("Failed: {why}"),
    }
}

/// What was said of a statement, after checking that nobody's code ran.
#[track_caller]
fn attacked(shop: &Database, sql: &str) -> String {
    let mut server = shop.connect();
    let said = explain(&mut server, sql, &limits());
    let _ = server.what_if().expect("HypoPG is there").with_limits(limits()).estimate(&probe(sql), &[]);
    assert_eq!(shop.sql("SELECT count(*) FROM evidence"), "0", "{sql}\n{said}");
    said
}

#[track_caller]
fn refused(setup: &str, statements: &[&str], why: &str) {
    let shop = trapped();
    if !setup.is_empty() {
        shop.sql(setup);
    }
    for sql in statements {
        let said = attacked(&shop, sql);
        assert!(said.starts_with("Refused: ") && said.contains(why), "{sql}\n{said}");
    }
}

#[test]
fn the_trap_springs_where_functions_are_trusted() {
    let shop = trapped();
    let trusting = Limits { trust_functions: true, ..limits() };
    assert_eq!(explain(&mut shop.connect(), "SELECT trap(1)", &trusting), "Analyzed");
    assert_ne!(shop.sql("SELECT count(*) FROM evidence"), "0");
}

/// The planner evaluates what has no columns in it, in expressions that no statement names.
#[test]
fn constants_in_expressions_of_a_table() {
    for setup in [
        "CREATE INDEX ON orders ((total + trap(1)))",
        "CREATE INDEX ON orders (id) WHERE total > trap(1)",
        "ALTER TABLE orders ADD CHECK (total > trap(1) - 9)",
        "ALTER TABLE orders ADD CHECK (NOT springs(1, 2) OR id > 0)",
        "CREATE STATISTICS s ON (total + trap(1)), id FROM orders",
    ] {
        refused(setup, &["SELECT id FROM orders WHERE total > 5"], "an expression of the table `orders`");
    }
    refused(
        "CREATE TABLE parts (id int) PARTITION BY RANGE ((id + trap(1))); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)",
        &["SELECT id FROM parts WHERE id = 5"],
        "an expression of the table `parts`",
    );
    // A function in SQL is replaced by its text, which has a constant call in it.
    refused(
        "CREATE FUNCTION inlined(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.trap(1) + $1'; CREATE INDEX ON orders (inlined(total))",
        &["SELECT id FROM orders WHERE total > 5"],
        "it calls `public.trap`",
    );
}

/// With a column as its argument it is not called, so the table stays judged.
#[test]
fn functions_of_columns_in_expressions_of_a_table() {
    let shop = trapped();
    shop.sql(
        "CREATE INDEX ON orders (trap(total)); CREATE INDEX ON orders (id) WHERE trap(id) = 1;
         CREATE FUNCTION wrapped(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(trim($1))'; CREATE INDEX ON orders (wrapped(status));
         ALTER TABLE orders ADD CHECK (trap(status) = 1); ANALYZE orders",
    );
    assert_eq!(attacked(&shop, "SELECT id FROM orders WHERE total > 5 ORDER BY id"), "Analyzed");
}

#[test]
fn operators_that_the_planner_turns_around() {
    let operators = "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, NEGATOR = !==);
         CREATE FUNCTION differs(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT public.trap($1) = 1';
         CREATE OPERATOR !== (LEFTARG = int, RIGHTARG = int, FUNCTION = differs, NEGATOR = ===)";
    refused(operators, &["SELECT id FROM orders WHERE NOT (1 === 2)"], "operator");
    // A built-in operator that has no negator takes a stranger's.
    let shop = trapped();
    shop.sql(
        "CREATE FUNCTION without(anyarray, anyarray) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT public.trap(1) = 1';
         CREATE OPERATOR !@> (LEFTARG = anyarray, RIGHTARG = anyarray, FUNCTION = without, NEGATOR = OPERATOR(pg_catalog.@>))",
    );
    let said = attacked(&shop, "SELECT id FROM orders WHERE NOT (ARRAY[1] @> ARRAY[2])");
    assert!(said.contains("it may use the operator `!@>`"), "{said}");
}

#[test]
fn operators_that_nobody_wrote() {
    let equal =
        "CREATE FUNCTION same(int, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT public.trap($1) = 1';
         CREATE OPERATOR = (LEFTARG = int, RIGHTARG = text, FUNCTION = same)";
    let statements = [
        "SELECT id FROM orders WHERE 1 IN ('1'::text)",
        "SELECT CASE 1 WHEN '1'::text THEN 2 END",
        "SELECT NULLIF(1, '1'::text)",
        "SELECT 1 IS DISTINCT FROM '1'::text",
        "SELECT 1 OPERATOR(public.=) '1'::text",
    ];
    refused(equal, &statements, "operator");
}

#[test]
fn a_range_with_a_distance_of_its_own() {
    refused(
        "CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = distance);
         CREATE TABLE spans AS SELECT span(n, n + 1.5) AS s FROM generate_series(1, 1000) n; ANALYZE spans",
        &["SELECT s FROM spans WHERE s && '[1,2]'"],
        "range",
    );
}

#[test]
fn types_with_checks() {
    let domain = "CREATE DOMAIN checked AS int CHECK (trap(VALUE) = 1); CREATE TABLE rows_of (a checked);
                  CREATE TYPE pair AS (a checked, b int)";
    let statements = [
        "SELECT checked '1'",
        "SELECT '(1)'::rows_of",
        "SELECT rows_of '(1)'",
        "SELECT CAST('(1)' AS rows_of)",
        "SELECT * FROM json_populate_record(NULL::rows_of, '{\"a\": 1}')",
        "SELECT * FROM json_to_record('{\"a\": 1}') AS x(a checked)",
        "SELECT * FROM json_to_record('{\"a\": {\"a\": 1}}') AS x(a rows_of)",
        "SELECT '(1,2)'::pair",
        "SELECT '{1}'::checked[]",
        "SELECT '{1}'::_checked",
        "SELECT * FROM XMLTABLE('/a' PASSING '<a>1</a>' COLUMNS a checked PATH '.')",
    ];
    refused(domain, &statements, "trap");
    let shop = trapped();
    shop.sql(domain);
    assert_eq!(attacked(&shop, "SELECT a FROM rows_of WHERE a > 3"), "Analyzed");
    // Only PostgreSQL 16 has it.
    let by_name = attacked(&shop, "SELECT pg_input_is_valid('1', 'checked')");
    assert_eq!(by_name, "Refused: it calls `pg_input_is_valid`");
}

/// PostgreSQL takes the second string for a part of the first one, with its escapes.
#[test]
fn a_string_that_goes_on_on_the_next_line() {
    let statements = [
        "SELECT E'a'\n'\\'', trap(1) --'",
        "SELECT E'a' -- why not\n'\\'', trap(1) --'",
        "SELECT U&'a'\n'\\0061', trap(1)",
        "SELECT e'a'\r\n \t '\\'', trap(1) --'",
    ];
    refused("", &statements, "");
}

#[test]
fn calls_in_disguise() {
    let statements = [
        "SELECT \"trap\"/**/(1)",
        "SELECT (1).trap",
        "SELECT (id).trap FROM orders",
        "SELECT U&\"\\0074rap\"(1)",
        "SELECT U&\"!0074rap\" UESCAPE '!' (1)",
        "SELECT public . trap(1)",
        "SELECT * FROM ROWS FROM (trap(1), generate_series(1, 2)) AS r(a, b)",
        "SELECT * FROM orders, LATERAL trap(id)",
        "SELECT count(*) FILTER (WHERE trap(1) = 1) FROM orders",
        "SELECT sum(id) OVER (ORDER BY trap(1)) FROM orders",
        "SELECT * FROM orders TABLESAMPLE SYSTEM (trap(1))",
        "SELECT * FROM orders ORDER BY id USING OPERATOR(public.<<<)",
        "VALUES (trap(1))",
        "SELECT * FROM XMLTABLE('/a' PASSING ('<a>' || trap(1) || '</a>')::xml COLUMNS a int PATH '.')",
        "WITH x AS MATERIALIZED (SELECT trap(1)) SELECT 1",
        "SELECT id FROM orders GROUP BY GROUPING SETS ((id), (trap(1)))",
        "SELECT trap(VARIADIC ARRAY[1])",
        "SELECT trap(ROW(1, 2)::orders)",
        "INSERT INTO orders VALUES (trap(1))",
        "UPDATE orders SET id = trap(1)",
        "DELETE FROM orders USING orders o WHERE o.id = trap(1)",
        "MERGE INTO orders USING orders o ON o.id = trap(1) WHEN MATCHED THEN DELETE",
    ];
    let operator = "CREATE FUNCTION below(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT public.springs($1, $2)';
                    CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = int, FUNCTION = below)";
    refused(operator, &statements, "");
}

/// A function joins an extension that we trust: its owner may do that to a trusted extension.
#[test]
fn a_function_that_hides_in_an_extension() {
    refused(
        "CREATE ROLE tenant LOGIN; GRANT CREATE ON SCHEMA public TO tenant; CREATE EXTENSION citext;
         CREATE FUNCTION hidden(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.trap($1)'; ALTER FUNCTION hidden OWNER TO tenant;
         ALTER EXTENSION citext ADD FUNCTION hidden(text)",
        &["SELECT hidden('x')"],
        "hidden",
    );
}

/// Functions and operators that would answer our own questions to the catalog instead of the built-in ones.
#[test]
fn the_search_path_does_not_reach_our_own_questions() {
    let shop = trapped();
    shop.sql(
        "CREATE FUNCTION generate_series(int, int2) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT public.trap(1)';
         CREATE FUNCTION concat_ws(text, text, text) RETURNS text LANGUAGE sql STABLE AS 'SELECT public.trap(1)::text';
         CREATE FUNCTION current_setting(varchar) RETURNS text LANGUAGE sql STABLE AS 'SELECT public.trap(1)::text';
         CREATE FUNCTION has_table_privilege(oid, varchar) RETURNS bool LANGUAGE sql STABLE AS 'SELECT public.trap(1) = 1';
         CREATE FUNCTION equal_names(name, varchar) RETURNS bool LANGUAGE sql STABLE AS 'SELECT public.trap(1) = 1';
         CREATE OPERATOR = (LEFTARG = name, RIGHTARG = varchar, FUNCTION = equal_names);
         CREATE FUNCTION equal_chars(\"char\", text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT public.trap(1) = 1';
         CREATE OPERATOR = (LEFTARG = \"char\", RIGHTARG = text, FUNCTION = equal_chars);
         CREATE INDEX ON orders (lower(status)); CREATE TABLE secret (n int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON secret USING (n > 1)",
    );
    shop.sql(&format!("ALTER DATABASE {} SET search_path = public, pg_catalog", shop.name));
    let mut server = shop.connect();
    let (catalog, _) = server.catalog().expect("the catalog");
    assert!(catalog.tables.iter().any(|table| table.name.name == "orders" && table.indexes.len() == 2));
    assert_eq!(catalog.search_path, ["public", "pg_catalog"]);
    let _ = server.log_line_prefix();
    for sql in ["SELECT id FROM secret", "SELECT id FROM orders WHERE lower(status) = 'x'"] {
        explain(&mut server, sql, &limits());
    }
    drop(server.what_if().expect("HypoPG is there"));
    assert_eq!(
        shop.sql(
            "SELECT count(*) FROM pg_catalog.pg_class WHERE false; SELECT pg_catalog.count(*) FROM evidence"
        ),
        "0\n0"
    );
}

/// An index is planned like a statement, so its expressions are judged like one.
#[test]
fn proposed_indexes_are_judged() {
    let shop = trapped();
    let mut server = shop.connect();
    let mut what_if = server.what_if().expect("HypoPG is there");
    let orders = RelName::new(Some("public"), "orders");
    let mut partial = IndexSpec::btree(orders.clone(), &["id"]);
    partial.predicate = Some("total > public.trap(1)".to_owned());
    let mut expression = IndexSpec::btree(orders, &["id"]);
    expression.keys = vec![IndexKey {
        expr: KeyExpr::Expression("(total + trap(1))".to_owned()),
        ..IndexKey::column("id")
    }];
    for index in [partial, expression] {
        for why in [
            what_if.estimate(&probe("SELECT id FROM orders"), std::slice::from_ref(&index)).map(|_| ()),
            what_if.size(&index).map(|_| ()),
        ] {
            assert!(why.as_ref().is_err_and(|why| why.contains("trap")), "{}: {why:?}", index.create());
        }
    }
    drop(what_if);
    assert_eq!(shop.sql("SELECT count(*) FROM evidence"), "0");
}

#[test]
fn what_takes_sql_or_types_as_text() {
    let shop = trapped();
    for call in [
        "ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')",
        "ts_stat('SELECT 1')",
        "query_to_xml('SELECT trap(1)', true, true, '')",
        "pg_input_error_info('1', 'checked')",
        "txid_current()",
        "pg_current_xact_id()",
        "pg_export_snapshot()",
        "lo_import('/etc/passwd')",
        "pg_read_binary_file('/etc/passwd')",
        "pg_stat_reset_shared('bgwriter')",
        "pg_log_backend_memory_contexts(1)",
        "pg_create_restore_point('x')",
        "pg_advisory_xact_lock_shared(1)",
        "pg_catalog.set_config('statement_timeout', '0', false)",
    ] {
        let said = attacked(&shop, &format!("SELECT id FROM orders WHERE ({call}) IS NOT NULL"));
        assert!(said.starts_with("Refused: it calls"), "{call}: {said}");
    }
}

#[test]
fn a_search_path_of_the_url() {
    let shop = trapped();
    shop.sql("CREATE SCHEMA evil; CREATE FUNCTION evil.lower(varchar) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.trap(1)::text'");
    let url = format!(
        "{}?options=-c%20search_path%3Devil%2Cpublic%20-c%20standard_conforming_strings%3Doff",
        shop.url()
    );
    let target = Target::resolve(Some(&url), &Environment::default()).expect("a target");
    let mut server = Server::connect(&target).expect("a connection");
    let said = explain(&mut server, "SELECT lower('x'::varchar) FROM orders", &limits());
    assert!(said.starts_with("Refused: it calls `evil.lower`"), "{said}");
    assert_eq!(explain(&mut server, "SELECT '\\' AS a, id FROM orders", &limits()), "Analyzed");
    assert_eq!(shop.sql("SELECT count(*) FROM evidence"), "0");
    // Where the schema is not on the path, the plain name cannot mean it.
    assert_eq!(attacked(&shop, "SELECT lower('x'::varchar) FROM orders"), "Analyzed");
}
