//! PostgreSQL's SQL that sqlparser refuses or mis-reads: what is made of it, by pairs of spellings.

use proptest::prelude::*;
use sargable::sql::{
    Shape, parse,
    shape::{Block, Condition, Op, TableSource},
};

fn shape(sql: &str) -> Shape {
    parse::parse(sql).unwrap_or_else(|not_parsed| panic!("{sql}\n{}", not_parsed.why))
}

/// What two spellings of one statement have in common: all but texts and places.
fn facts(sql: &str) -> Vec<String> {
    let shape = shape(sql);
    let mut facts: Vec<String> = shape
        .blocks
        .iter()
        .map(|block| {
            let tests: Vec<_> =
                block.tests().map(|test| (&test.column, &test.wrapped, test.op, &test.sargable)).collect();
            let tables: Vec<_> =
                block.tables.iter().map(|table| (&table.source, &table.alias, table.join)).collect();
            let Block { role, distinct, aggregates, group_by, order_by, limit, windows, locking, .. } = block;
            format!(
                "{role:?} {tables:?} {tests:?} {} {distinct} {aggregates} {group_by:?} {order_by:?} {limit:?} {windows} {locking:?}",
                block.conditions.len()
            )
        })
        .collect();
    facts.push(format!("{:?} {:?}", shape.target, shape.functions));
    facts
}

#[test]
fn another_spelling_has_the_same_facts() {
    let pairs: &[(&str, &str)] = &[
        // Refused by sqlparser.
        ("SELECT a FROM t WHERE id IN %s AND b = 1", "SELECT a FROM t WHERE id = ANY (%s) AND b = 1"),
        ("SELECT a FROM t WHERE id IN :ids ORDER BY a", "SELECT a FROM t WHERE id = ANY (:ids) ORDER BY a"),
        ("DELETE FROM t WHERE id NOT IN %(ids)s", "DELETE FROM t WHERE id <> ALL (%(ids)s)"),
        ("SELECT (r).* FROM t WHERE id = 1", "SELECT (r) FROM t WHERE id = 1"),
        ("SELECT (f(a)).*, b FROM t", "SELECT (f(a)), b FROM t"),
        ("UPDATE t SET a[5] = 1, b = 2 WHERE id = 3", "UPDATE t SET a = 1, b = 2 WHERE id = 3"),
        ("UPDATE t SET a[1:2].x = 1, (b, c[2]) = (1, 2)", "UPDATE t SET a = 1, (b, c) = (1, 2)"),
        ("INSERT INTO t (a[1], b.c[2]) VALUES (1, 2)", "INSERT INTO t (a, b.c) VALUES (1, 2)"),
        ("SELECT f(VARIADIC a) FROM t", "SELECT f(a) FROM t"),
        (
            "SELECT xmlelement(NAME foo, xmlattributes(a AS b), c) FROM t",
            "SELECT xmlelement('n', xmlattributes(a), c) FROM t",
        ),
        (
            "SELECT 1 FROM t WHERE xmlexists('//a' PASSING BY REF d)",
            "SELECT 1 FROM t WHERE xmlexists('//a', d)",
        ),
        ("SELECT xmlserialize(CONTENT d AS text) FROM t", "SELECT CAST(d AS text) FROM t"),
        ("SELECT xmlroot(d, VERSION '1.0', STANDALONE YES) FROM t", "SELECT xmlroot(d, '1.0', NULL) FROM t"),
        ("SELECT * FROM t WHERE c = 1 AND d IS DOCUMENT", "SELECT * FROM t WHERE c = 1 AND d IS NORMALIZED"),
        ("TABLE t", "SELECT * FROM t"),
        ("TABLE ONLY t", "SELECT * FROM t"),
        ("SELECT * FROM t ORDER BY a::text COLLATE \"C\"", "SELECT * FROM t ORDER BY a::text"),
        ("SELECT * FROM f(1) AS (a int, b text) WHERE a = 1", "SELECT * FROM f(1) AS f(a, b) WHERE a = 1"),
        (
            "SELECT * FROM ROWS FROM (f(1), g(2)) AS r (a, b)",
            "SELECT * FROM ROWS FROM (f(1), g(2) AS (x int)) AS r (a, b)",
        ),
        ("SELECT * FROM t* WHERE a = 1", "SELECT * FROM t WHERE a = 1"),
        ("SELECT * FROM s.t* x WHERE x.a = 1", "SELECT * FROM s.t x WHERE x.a = 1"),
        (
            "WITH RECURSIVE w (a, b) AS (SELECT 1, 2) SEARCH DEPTH FIRST BY a, b SET q CYCLE a SET c TO true DEFAULT false USING p SELECT * FROM w WHERE a = 1",
            "WITH RECURSIVE w (a, b) AS (SELECT 1, 2) SELECT * FROM w WHERE a = 1",
        ),
        (
            "WITH RECURSIVE w AS (SELECT a FROM t) CYCLE a SET c USING p SELECT * FROM w",
            "WITH RECURSIVE w AS (SELECT a FROM t) SELECT * FROM w",
        ),
        (
            "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) FROM t",
            "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) FROM t",
        ),
        (
            "SELECT sum(a) OVER (ORDER BY b RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW) FROM t",
            "SELECT sum(a) OVER (ORDER BY b) FROM t",
        ),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) WHERE b > 0 DO UPDATE SET b = 2",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2",
        ),
        (
            "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1) RETURNING a",
            "INSERT INTO t (a) VALUES (1) RETURNING a",
        ),
        ("SELECT * FROM ONLY s.t WHERE a = 1", "SELECT * FROM s.t WHERE a = 1"),
        ("SELECT * FROM ONLY (t) WHERE a = 1", "SELECT * FROM t WHERE a = 1"),
        ("SELECT substring(a SIMILAR b ESCAPE '#') FROM t", "SELECT substring(a, b, '#') FROM t"),
        ("SELECT trim(BOTH FROM a) FROM t", "SELECT trim(a) FROM t"),
        ("SELECT collation for (a) FROM t", "SELECT pg_collation_for(a) FROM t"),
        ("SELECT a FROM t GROUP BY DISTINCT a", "SELECT a FROM t GROUP BY a"),
        ("SELECT a FROM t WHERE a BETWEEN SYMMETRIC 1 AND 2", "SELECT a FROM t WHERE a BETWEEN 1 AND 2"),
        ("SELECT a FROM t WHERE b = inet '10.0.0.1' + c", "SELECT a FROM t WHERE b = '10.0.0.1' + c"),
        (
            "SELECT a FROM t TABLESAMPLE system (1 + 1) REPEATABLE (f(1) + 2) WHERE a = 1",
            "SELECT a FROM t TABLESAMPLE system (1 + 1) REPEATABLE (f(1) + 3) WHERE a = 1",
        ),
        ("SELECT * FROM a JOIN b USING (i) AS j", "SELECT * FROM a JOIN b USING (i)"),
        (
            "MERGE INTO t USING a JOIN b ON a.x = b.x ON t.i = a.i WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
            "MERGE INTO t USING (a JOIN b ON a.x = b.x) ON t.i = a.i WHEN NOT MATCHED THEN INSERT VALUES (DEFAULT)",
        ),
        (
            "SELECT json_value(j, '$.a' PASSING b AS c RETURNING int DEFAULT 0 ON EMPTY) FROM t",
            "SELECT json_value(j, '$.a', b) FROM t",
        ),
        ("SELECT json_query(j, '$' WITH WRAPPER OMIT QUOTES) FROM t", "SELECT json_query(j, '$') FROM t"),
        ("SELECT json_exists(j, '$.a' ERROR ON ERROR) FROM t", "SELECT json_exists(j, '$.a') FROM t"),
        (
            "SELECT json_arrayagg(a ORDER BY b ABSENT ON NULL RETURNING jsonb) FROM t",
            "SELECT json_arrayagg(a ORDER BY b) FROM t",
        ),
        (
            "SELECT json_object('a' VALUE b, 'c': d FORMAT JSON WITH UNIQUE KEYS) FROM t",
            "SELECT json_object('a', b, 'c', d) FROM t",
        ),
        // Mis-read without an error.
        ("SELECT * FROM ONLY t WHERE a = 1", "SELECT * FROM t WHERE a = 1"),
        ("UPDATE ONLY t SET a = 1 WHERE b = 2", "UPDATE t SET a = 1 WHERE b = 2"),
        ("DELETE FROM ONLY t WHERE b = 2", "DELETE FROM t WHERE b = 2"),
        ("SELECT * FROM a JOIN ONLY b ON a.i = b.i", "SELECT * FROM a JOIN b ON a.i = b.i"),
        ("SELECT * FROM t WHERE a ISNULL AND b = 1", "SELECT * FROM t WHERE a IS NULL AND b = 1"),
        ("SELECT * FROM t WHERE a NOTNULL", "SELECT * FROM t WHERE a IS NOT NULL"),
    ];
    for (one, other) in pairs {
        assert_eq!(facts(one), facts(other), "{one}");
    }
}

#[test]
fn what_has_no_other_spelling_is_shown_as_it_was_written() {
    let held = shape("DELETE FROM t WHERE CURRENT OF c");
    let [Condition::Opaque { text, .. }] = held.blocks[0].conditions.as_slice() else { panic!("{held:?}") };
    assert_eq!((text.as_str(), held.functions.len()), ("CURRENT OF c", 0));
    let own = shape("SELECT * FROM t WHERE a *<> 5");
    let [Condition::Test(test)] = own.blocks[0].conditions.as_slice() else { panic!("{own:?}") };
    assert_eq!((test.op, test.text.as_str()), (Op::Other, "a *<> 5"));
    let locks = |sql: &str| shape(sql).blocks[0].locking.clone();
    assert_eq!(
        locks("SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED").as_deref(),
        Some("FOR NO KEY UPDATE SKIP LOCKED")
    );
    assert_eq!(
        locks("SELECT * FROM t, u FOR UPDATE OF t, u NOWAIT").as_deref(),
        Some("FOR UPDATE OF t, u NOWAIT")
    );
    assert_eq!(locks("SELECT * FROM t FOR KEY SHARE").as_deref(), Some("FOR KEY SHARE"));
}

#[test]
fn functions_of_a_clause_that_is_dropped_are_known() {
    let sql = "UPDATE t SET a[s.f(1)] = 2";
    let functions: Vec<String> = shape(sql).functions.iter().map(ToString::to_string).collect();
    assert_eq!(functions, ["s.f"]);
    assert!(parse::parse("UPDATE t SET a[(SELECT 1)] = 2").is_err(), "a subquery cannot be dropped");
}

#[test]
fn places_are_those_of_the_statement() {
    let sql = "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN f(1)::int PRECEDING AND CURRENT ROW) FROM t WHERE email = 'x'";
    let shape = shape(sql);
    let at: Vec<&str> = shape.blocks[0].tests().map(|test| &sql[test.at.clone()]).collect();
    assert_eq!(at, ["email = 'x'"]);
}

#[test]
fn names_that_are_spelled_like_operators_stay_names() {
    let shape = shape("SELECT a IS NULL AS isnull, b IS NOT NULL AS notnull FROM t");
    assert_eq!(shape.blocks[0].projection.len(), 2);
    assert!(matches!(&shape.blocks[0].tables[0].source, TableSource::Table(name) if name.name == "t"));
}

#[test]
fn forms_that_sqlparser_reads_stay_read() {
    for sql in [
        "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x",
        "WITH x AS NOT MATERIALIZED (SELECT 1) SELECT * FROM x",
        "SELECT * FROM t WHERE a SIMILAR TO 'x%'",
        "SELECT * FROM t WHERE a COLLATE \"C\" = 'x'",
        "SELECT * FROM t WHERE (a, b) IN ((SELECT 1, 2) UNION (SELECT 3, 4))",
        "SELECT * FROM t WHERE a = ANY (VALUES (1), (2))",
        "SELECT * FROM t WHERE a ?| array['x'] AND b @> '{}'",
        "SELECT ((SELECT 1) UNION SELECT 2)",
    ] {
        shape(sql);
    }
}

/// Statements nested `depth` deep in every way that the grammar nests.
fn nested(depth: usize) -> Vec<String> {
    let around = |open: &str, inside: &str, close: &str| {
        format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
    };
    vec![
        format!("SELECT {}", around("(", "1", ")")),
        format!("SELECT {}", around("(SELECT ", "1", ")")),
        format!("SELECT * FROM {}", around("(SELECT * FROM ", "t", ") x")),
        format!("SELECT * FROM {}", around("(", "t", ")")),
        format!("SELECT {}", around("CASE WHEN a THEN ", "1", " END")),
        format!("SELECT {}", around("f(", "1", ")")),
        format!("SELECT {}", around("ARRAY[", "1", "]")),
        format!("SELECT * FROM t WHERE {}", around("NOT (", "a", ")")),
        format!("SELECT * FROM t WHERE {}", around("NOT ", "a", "")),
        format!("SELECT * FROM t WHERE {}", around("a AND (b OR ", "a", ")")),
        format!("SELECT * FROM t WHERE {}", around("EXISTS (SELECT 1 FROM t WHERE ", "a", ")")),
        format!("SELECT {}", around("- ", "1", "")),
        format!("SELECT a{}", around("[", "1", "]")),
        format!("SELECT a{}", "::int".repeat(depth)),
        format!("SELECT {}", around("CAST(", "1", " AS int)")),
        around("(", "SELECT 1", ")"),
        around("(", "SELECT 1", " UNION SELECT 2)"),
        format!("{}SELECT 1{}", "WITH x AS (".repeat(depth), ") SELECT 1".repeat(depth)),
        format!("SELECT {}", "(".repeat(depth)),
        ")".repeat(depth),
        format!("CREATE TABLE t (a int DEFAULT {})", around("(", "1", ")")),
        format!("CREATE INDEX ON t ({})", around("(", "a", ")")),
        format!("UPDATE t SET {} = 1", around("(", "a", ")")),
        format!("INSERT INTO t VALUES {}", around("(", "1", ")")),
        format!("SELECT xmlelement(NAME {})", around("xmlelement(NAME ", "a", ")")),
        format!("SELECT a {} b", "*<>".repeat(depth)),
    ]
}

#[test]
fn deep_nesting_is_an_answer_not_an_overflow() {
    for sql in nested(10_000) {
        if let Err(not_parsed) = parse::parse(&sql) {
            assert!(!not_parsed.why.is_empty());
        }
        let _ = sargable::sql::ddl::read(&sql);
    }
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let why = parse::parse(&deep).expect_err("too deep").why;
    assert!(why.contains("too deeply nested"), "{why}");
    // Half as deep as we follow, nothing backtracks.
    for sql in nested(150) {
        let _ = parse::parse(&sql);
    }
}

#[test]
fn long_flat_chains_are_read() {
    let chain = |operator: &str, term: &str| vec![term; 50_000].join(operator);
    for sql in [
        format!("SELECT * FROM t WHERE {}", chain(" AND ", "a = 1")),
        format!("SELECT * FROM t WHERE {}", chain(" OR ", "a = 1")),
        format!("SELECT * FROM t WHERE a IN ({})", chain(", ", "1")),
        chain(" UNION ALL ", "SELECT 1"),
        format!("INSERT INTO t (a) VALUES {}", chain(", ", "(1)")),
        format!("SELECT {}", chain(" + ", "1")),
        format!("SELECT {}", chain(" || ", "a")),
    ] {
        shape(&sql);
    }
}

const SEEDS: &[&str] = &[
    "WITH RECURSIVE w AS (SELECT a FROM t) SEARCH DEPTH FIRST BY a SET q CYCLE a SET c USING p SELECT * FROM w",
    "SELECT sum(a) OVER (ORDER BY b RANGE BETWEEN '1 day'::interval PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM ONLY t*",
    "INSERT INTO t (a[1], b) OVERRIDING USER VALUE VALUES (1, U&'x' UESCAPE '!') ON CONFLICT (lower(a)) WHERE b DO UPDATE SET a[1] = 2",
    "SELECT * FROM ROWS FROM (f(1) AS (a int), g(VARIADIC x)) AS r, xmltable('/' PASSING d COLUMNS a int) WHERE a *<> 5 AND CURRENT OF c",
    "SELECT json_object('a' VALUE b RETURNING jsonb), trim(BOTH FROM x), xmlroot(d, VERSION NO VALUE) FROM t FOR NO KEY UPDATE OF t, u",
    "MERGE INTO t USING a JOIN b ON true ON t.i = a.i WHEN MATCHED THEN UPDATE SET a[1] = 2 WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
    "CREATE TABLE IF NOT EXISTS s.t (a int[] DEFAULT '{}' NOT NULL, EXCLUDE USING gist (r WITH &&) WHERE (a > 1), b text GENERATED ALWAYS AS (c) STORED) PARTITION BY RANGE (a) WITH (fillfactor = 70)",
    "ALTER TABLE ONLY s.t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (b) ON DELETE SET NULL (a) NOT VALID, ALTER COLUMN d TYPE numeric(1, 2) USING d::numeric",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY t USING btree (lower(a) COLLATE \"C\" text_pattern_ops DESC NULLS LAST) INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor = 70) TABLESPACE x WHERE a IS NOT NULL",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Words taken away, doubled and exchanged, and text cut: never a panic.
    #[test]
    fn nothing_that_is_broken_panics(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5_u8), 1..6),
    ) {
        let mut words: Vec<&str> = SEEDS[seed].split_inclusive([' ', '(', ')', ',', '.', '[']).collect();
        for (at, other, change) in changes {
            if words.is_empty() {
                break;
            }
            let (at, other) = (at.index(words.len()), other.index(words.len()));
            match change {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[other]),
                2 => words.swap(at, other),
                3 => words.truncate(at),
                _ => words[at] = ["(", ")", "[", "'", "\"", "é", "$$", "?", "ONLY", "SELECT "][other % 10],
            }
        }
        let sql = words.concat();
        let _ = parse::parse(&sql);
        let _ = sargable::sql::ddl::read(&sql);
        let _ = sargable::sources::schema::read(&sql);
    }
}
