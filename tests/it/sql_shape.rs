//! Statements in, outlines of their shapes out.

use sargable::{
    names::RelName,
    sql::{Shape, parse::parse},
};

#[track_caller]
fn shape(sql: &str) -> Shape {
    match parse(sql) {
        Ok(shape) => shape,
        Err(error) => panic!("{sql}: {}", error.why),
    }
}

/// The outline's lines that tell of conditions (`where`, `on`, `any`, `opaque`), without the first word
/// where it is `where`.
fn conditions(shape: &Shape) -> Vec<String> {
    let outline = shape.outline();
    let lines = outline.lines().map(str::trim);
    lines
        .filter(|line| ["where ", "on ", "any ", "opaque "].iter().any(|word| line.starts_with(word)))
        .map(|line| line.strip_prefix("where ").unwrap_or(line).to_owned())
        .collect()
}

#[track_caller]
fn check(sql: &str, expect: &str) {
    let strip = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned();
    assert_eq!(strip(&shape(sql).outline()), strip(expect), "{sql}");
}

/// Conditions of `SELECT 1 FROM t WHERE …`.
#[track_caller]
fn tests(cases: &[(&str, &[&str])]) {
    for (condition, expect) in cases {
        let sql = format!("SELECT 1 FROM t WHERE {condition}");
        assert_eq!(conditions(&shape(&sql)), *expect, "{condition}");
    }
}

#[test]
fn comparisons() {
    tests(&[
        ("a = 5", &["t.a Eq 5 Yes"]),
        ("t.a > $1", &["t.a Gt parameter $1 Yes"]),
        ("5 <= a", &["t.a GtEq 5 Yes"]),
        ("\"A\" <> 'x'", &["t.A NotEq 'x' Negated"]),
        ("a = '2020-01-01'::date", &["t.a Eq '2020-01-01'::DATE Yes"]),
        (
            "a = $1::int AND b=? AND c = :name",
            &["t.a Eq parameter $1 Yes", "t.b Eq parameter ? Yes", "t.c Eq parameter :name Yes"],
        ),
        (
            "a = %s AND b = %(n)s AND c = @p1",
            &["t.a Eq parameter %s Yes", "t.b Eq parameter %(n)s Yes", "t.c Eq parameter @p1 Yes"],
        ),
        ("a > now() - interval '1 day'", &["t.a Gt now() - INTERVAL '1 day' Yes"]),
        ("a = -5", &["t.a Eq -5 Yes"]),
        ("a + 1 = 5", &["t.a as `a + 1` Eq 5 Wrapped"]),
        ("Lower(t.\"email\") = 'x'", &["t.email as `lower(email)` Eq 'x' Wrapped"]),
        ("a::date = $1", &["t.a as `a::date` Eq parameter $1 Wrapped"]),
        ("data->>'k' = 'v'", &["t.data as `data ->> 'k'` Eq 'v' Wrapped"]),
        ("a = b", &["t.a Eq column t.b SelfComparison"]),
        ("a = b + 1", &["t.a Eq expression b + 1 SelfComparison"]),
        (
            "a IS NULL AND b IS NOT NULL AND c ISNULL AND d NOTNULL",
            &["t.a IsNull Yes", "t.b IsNotNull Yes", "t.c IsNull Yes", "t.d IsNotNull Yes"],
        ),
        (
            "a AND NOT b AND c IS TRUE AND d IS NOT FALSE",
            &["t.a IsTrue Yes", "t.b IsFalse Yes", "t.c IsTrue Yes", "t.d Other Negated"],
        ),
        (
            "a IS DISTINCT FROM 1 AND b IS NOT DISTINCT FROM 1",
            &["t.a IsDistinctFrom 1 Negated", "t.b IsNotDistinctFrom 1 Negated"],
        ),
        ("1 = 1", &["opaque 1 = 1"]),
        ("f(a)", &["opaque f(a)"]),
    ]);
}

#[test]
fn lists_ranges_and_rows() {
    tests(&[
        ("a IN (1, $2, 3)", &["t.a In list of 3 Yes"]),
        ("a NOT IN (1)", &["t.a NotIn list of 1 Negated"]),
        ("NOT a IN (1)", &["t.a NotIn list of 1 Negated"]),
        ("a IN (1, b)", &["t.a In expression 1, b Yes"]),
        ("a = ANY($1)", &["t.a In parameter $1 Yes"]),
        ("a = ANY(ARRAY[1,2])", &["t.a In list of 2 Yes"]),
        ("a = ANY('{1,2}'::int[])", &["t.a In '{1,2}'::INT[] Yes"]),
        ("a <> ALL($1)", &["t.a NotIn parameter $1 Negated"]),
        ("$1 = ANY(tags)", &["t.tags Other parameter $1 OtherIndexKind"]),
        ("a BETWEEN 1 AND 5", &["t.a Between 1 AND 5 Yes"]),
        ("a BETWEEN $1 AND $2", &["t.a Between parameter $1 AND $2 Yes"]),
        ("a NOT BETWEEN 1 AND 5", &["t.a Other 1 AND 5 Negated"]),
        ("$1 BETWEEN starts AND ends", &["t.starts LtEq parameter $1 Yes", "t.ends GtEq parameter $1 Yes"]),
        ("(a, b) > ($1, $2)", &["t.a GtEq parameter $1 Yes"]),
        ("(a, b) = (1, 2)", &["t.a Eq 1 Yes", "t.b Eq 2 Yes"]),
        ("(a, b) IN ((1, 2), (3, 4))", &["t.a In list of 2 Yes", "t.b In list of 2 Yes"]),
        ("a = 1 AND between > 1 AND \"and\"", &["t.a Eq 1 Yes", "t.between Gt 1 Yes", "t.and IsTrue Yes"]),
        ("a IN (?, ...)", &["t.a In list of 1 Yes"]),
    ]);
}

#[test]
fn patterns_and_other_operators() {
    tests(&[
        ("a LIKE 'x%'", &["t.a Like 'x%' Yes"]),
        ("a LIKE '%x'", &["t.a Like '%x' LeadingWildcard"]),
        ("a LIKE $1", &["t.a Like parameter $1 LeadingWildcard"]),
        ("a NOT LIKE 'x%'", &["t.a NotLike 'x%' Negated"]),
        ("a ILIKE 'x%'", &["t.a ILike 'x%' OtherIndexKind"]),
        ("lower(a) LIKE 'x%'", &["t.a as `lower(a)` Like 'x%' Wrapped"]),
        ("a ~~ 'x%'", &["t.a Like 'x%' Yes"]),
        ("a ~ '^abc'", &["t.a Regex '^abc' Yes"]),
        ("a ~* 'abc'", &["t.a Regex 'abc' LeadingWildcard"]),
        ("a !~ 'abc'", &["t.a Other 'abc' Negated"]),
        (
            "data @> '{}' AND '{}' <@ data",
            &["t.data Contains '{}' OtherIndexKind", "t.data Contains '{}' OtherIndexKind"],
        ),
        (
            "data ? 'k' AND data ?| $1",
            &["t.data HasKey 'k' OtherIndexKind", "t.data HasKey parameter $1 OtherIndexKind"],
        ),
        (
            "a && b AND tsv @@ to_tsquery($1)",
            &["t.a Overlaps column t.b SelfComparison", "t.tsv Matches to_tsquery($1) OtherIndexKind"],
        ),
    ]);
}

#[test]
fn and_or_not() {
    tests(&[
        ("(a = 1 AND (b = 2)) AND c = 3", &["t.a Eq 1 Yes", "t.b Eq 2 Yes", "t.c Eq 3 Yes"]),
        (
            "a = 1 OR b = 2 AND c = 3",
            &["any [where t.a Eq 1 Yes; all [where t.b Eq 2 Yes; where t.c Eq 3 Yes]]"],
        ),
        ("NOT (a = 1 OR b < 2)", &["t.a NotEq 1 Negated", "t.b GtEq 2 Yes"]),
        ("NOT (a = 1 AND b IS NULL)", &["any [where t.a NotEq 1 Negated; where t.b IsNotNull Yes]"]),
        ("NOT NOT a", &["t.a IsTrue Yes"]),
        ("NOT (data @> '{}')", &["t.data Other '{}' Negated"]),
    ]);
}

#[test]
fn joins_put_the_later_table_first() {
    check(
        "SELECT * FROM orders o JOIN users AS u ON o.user_id = u.id AND u.active LEFT JOIN items i USING (order_id) CROSS JOIN x, ONLY y WHERE o.id > y.id",
        "0 root
           from orders o
           inner users u
           left items i
           cross x
           from y
           on 1 u.id Eq column o.user_id Yes
           on 1 u.active IsTrue Yes
           on 2 i.order_id Eq column ?.order_id Yes
           where y.id Lt column o.id Yes
           select *",
    );
    check(
        "SELECT a FROM t JOIN u USING (a) JOIN v USING (a)",
        "0 root
           from t
           inner u
           inner v
           on 1 u.a Eq column t.a Yes
           on 2 v.a Eq column t.a Yes
           select t.a",
    );
    check(
        "SELECT 1 FROM a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.y = c.y",
        "0 root
           from a
           left b
           inner c
           on 2 c.x Eq column b.x Yes
           on 1 c.y Eq column a.y Yes
           select (1)",
    );
}

#[test]
fn names_are_scoped() {
    // A CTE hides a table of its name, but not one with a schema, and not in its own body.
    check(
        "WITH t (x, y) AS (SELECT a, b FROM t) SELECT x FROM t, public.t p WHERE y = 1 AND p.z = 2",
        "0 root
           from cte t 1 t
           from t p
           where ?.y Eq 1 Yes
           where p.z Eq 2 Yes
           select ?.x
         1 cte t in 0
           from t
           select t.a as x, t.b as y",
    );
    check(
        "WITH RECURSIVE tree AS (SELECT id FROM nodes WHERE parent IS NULL UNION ALL SELECT n.id FROM nodes n JOIN tree ON n.parent = tree.id) SELECT * FROM tree",
        "0 root
           from cte tree 1 tree
           select *
         1 cte tree in 0
         2 setarm in 1
           from nodes
           where nodes.parent IsNull Yes
           select nodes.id
         3 setarm in 1
           from nodes n
           inner cte tree 1 tree
           on 1 tree.id Eq column n.parent Yes
           select n.id",
    );
    check(
        "SELECT (SELECT max(x) FROM b WHERE b.a_id = a.id) FROM a WHERE EXISTS (SELECT 1 FROM c WHERE c.id = a.id) AND a.k IN (SELECT k FROM d) AND d.e NOT IN (SELECT 1)",
        "calls max
         0 root
           from a
           opaque EXISTS (SELECT 1 FROM c WHERE c.id = a.id)
           where a.k In subquery 2 Yes
           where ?.d.e NotIn subquery 3 Negated
           select ((SELECT max(x) FROM b WHERE b.a_id = a.id))
         1 exists { negated: false } in 0
           from c
           where c.id Eq column ^a.id Yes
           select (1)
         2 in { negated: false } in 0
           from d
           select d.k
         3 in { negated: true } in 0
           select (1)
         4 scalar in 0
           from b
           where b.a_id Eq column ^a.id Yes
           select (max(x))
           aggregates",
    );
    // A neighbour in FROM is seen through LATERAL only.
    check(
        "SELECT 1 FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x) l, (SELECT 2 AS n WHERE n = 3) d",
        "0 root
           from a
           from derived 1 l
           from derived 2 d
           select (1)
         1 derived { lateral: true } in 0
           from b
           where b.x Eq column ^a.x Yes
           select *
         2 derived { lateral: false } in 0
           where ?.n Eq 3 Yes
           select (2) as n",
    );
}

#[test]
fn lists_of_select_group_and_order() {
    check(
        "SELECT DISTINCT ON (a, 2) a AS x, t.b, t.*, count(*) FILTER (WHERE c) n, row_number() OVER (PARTITION BY d) FROM t GROUP BY 1, x, lower(e) HAVING max(f) > 1
         ORDER BY x DESC, 2 NULLS FIRST, n, lower(g) LIMIT ALL OFFSET $1",
        "calls count, lower, max, row_number
         0 root
           from t
           select t.a as x, t.b, t.*, (count(*) FILTER (WHERE c)) as n, (row_number() OVER (PARTITION BY d))
           distinct t.a, t.b
           aggregates
           having
           windows
           group by t.a, t.a, (lower(e))
           order by t.a desc, t.b nulls first, (count(*) FILTER (WHERE c)), (lower(g))
           offset $1",
    );
    check(
        "(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL SELECT b FROM u ORDER BY a FETCH FIRST ROW ONLY",
        "0 root
           order by (a)
           limit 1
         1 setarm in 0
           from t
           select t.a
           order by t.a
           limit 1
         2 setarm in 0
           from u
           select u.b",
    );
    check("VALUES (1, 2), (3, 4)", "0 root\n from values");
    check("TABLE s.t", "0 root\n from s.t t\n select *");
    check("SELECT 1 LIMIT 5 + 5", "0 root\n select (1)\n limit (5 + 5)");
}

#[test]
fn writes() {
    check(
        "INSERT INTO s.t (a, b) VALUES (1, f(2)), (3, (SELECT max(x) FROM u)) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING id",
        "writes s.t (a, b) rows 2 on conflict returning
         calls f, max
         0 root
         1 insertsource in 0
           from values
         2 scalar in 1
           from u
           select (max(x))
           aggregates",
    );
    check(
        "WITH x AS (SELECT 1 AS id) INSERT INTO t SELECT * FROM x",
        "writes t ()
         0 root
         1 cte x in 0
           select (1) as id
         2 insertsource in 0
           from cte x 1 x
           select *",
    );
    check(
        "UPDATE orders o SET a = o.a + 1, (b, c) = (1, 2) FROM users u WHERE u.id = o.user_id AND o.id = 5",
        "writes orders (a, b, c)
         0 root
           from orders o
           from users u
           where u.id Eq column o.user_id Yes
           where o.id Eq 5 Yes",
    );
    check(
        "DELETE FROM ONLY t USING u WHERE t.id = u.id RETURNING *",
        "writes t () returning
         0 root
           from t
           from u
           where u.id Eq column t.id Yes",
    );
    check(
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.a WHEN NOT MATCHED THEN INSERT (id, a) VALUES (u.id, f(u.a))",
        "writes t (a, id)
         calls f
         0 root
           from t
           inner u
           on 1 u.id Eq column t.id Yes",
    );
    check("SELECT a INTO x FROM t", "creates a table\n0 root\n from t\n select t.a");
    check("CREATE TABLE x AS SELECT a FROM t", "creates a table\n0 root\n from t\n select t.a");
    check("CREATE TABLE x (a int)", "");
}

#[test]
fn only_reads() {
    for (sql, reads) in [
        ("SELECT 1", true),
        ("VALUES (1)", true),
        ("TABLE t", true),
        ("WITH a AS (SELECT 1) SELECT * FROM a", true),
        ("((SELECT 1) UNION (SELECT 2))", true),
        ("SELECT * FROM t FOR UPDATE", false),
        ("SELECT * FROM t WHERE a IN (SELECT b FROM u FOR SHARE)", false),
        ("SELECT (SELECT 1 FROM t FOR KEY SHARE)", false),
        ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", false),
        ("SELECT * FROM (WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a) x", false),
        ("WITH a AS (SELECT 1) UPDATE t SET b = 1", false),
        ("WITH a AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM a", false),
        ("SELECT 1 INTO t", false),
        ("INSERT INTO t SELECT 1", false),
        ("CREATE TABLE t AS SELECT 1", false),
        ("EXPLAIN ANALYZE SELECT 1", false),
        ("BEGIN", false),
        ("CALL f()", false),
    ] {
        match parse(sql) {
            Ok(shape) => assert_eq!(shape.reads_only(), reads, "{sql}"),
            Err(error) => assert!(!reads, "{sql}: {}", error.why),
        }
    }
    assert!(shape("WITH a AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM a").writes_in_cte);
}

#[test]
fn no_function_hides() {
    for sql in [
        "SELECT f()",
        "SELECT 1 FROM f()",
        "SELECT 1 FROM t JOIN LATERAL f(t.a) x ON true",
        "SELECT 1 FROM t LEFT JOIN u ON f(t.a)",
        "SELECT 1 FROM ROWS FROM (f(), g())",
        "SELECT 1 FROM t TABLESAMPLE SYSTEM (f())",
        "SELECT 1 WHERE f() = 1",
        "SELECT 1 WHERE EXISTS (SELECT f())",
        "SELECT 1 FROM (VALUES (f())) v",
        "VALUES (1, f())",
        "SELECT 1 ORDER BY f()",
        "SELECT 1 GROUP BY f() HAVING g() > 1",
        "SELECT 1 LIMIT f()",
        "SELECT 1 OFFSET f()",
        "SELECT 1 FETCH FIRST (f()) ROWS ONLY",
        "SELECT DISTINCT ON (f()) 1",
        "SELECT sum(a) OVER (PARTITION BY f())",
        "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN f() PRECEDING AND CURRENT ROW) FROM t",
        "SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY f())",
        "SELECT sum(a) FILTER (WHERE f()) FROM t",
        "SELECT string_agg(a, ',' ORDER BY f()) FROM t",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f()) FROM t",
        "SELECT CASE WHEN f() THEN 1 END",
        "SELECT ARRAY[f()], ROW(1)",
        "SELECT ARRAY(SELECT f())",
        "SELECT a[f()] FROM t",
        "SELECT a[1:f()] FROM t",
        "SELECT extract(year FROM f())",
        "SELECT trim(f())",
        "SELECT substring(f() FROM 1)",
        "SELECT overlay(a PLACING f() FROM 1)",
        "SELECT position('a' IN f())",
        "SELECT coalesce(1, nullif(2, f()))",
        "SELECT CAST(f() AS int), 1",
        "SELECT f() AT TIME ZONE 'UTC'",
        "SELECT 1 WHERE a LIKE f()",
        "SELECT 1 WHERE a IN (1, f())",
        "SELECT 1 WHERE a BETWEEN 1 AND f()",
        "SELECT 1 WHERE a = ANY (SELECT f())",
        "SELECT 1 WHERE f() IS NULL",
        "SELECT 1 UNION SELECT f()",
        "WITH x AS (SELECT f()) SELECT 1",
        "SELECT g(x => f())",
        "SELECT g(VARIADIC f())",
        "INSERT INTO t VALUES (f())",
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = f()",
        "INSERT INTO t VALUES (1) RETURNING f()",
        "UPDATE t SET a = f()",
        "DELETE FROM t RETURNING f()",
        "CALL f()",
        "SELECT * FROM t FOR UPDATE OF f",
    ] {
        // What sqlparser cannot read has no shape, which is safe as well.
        if let Ok(shape) = parse(sql)
            && !sql.ends_with("OF f")
        {
            assert!(shape.functions.contains(&RelName::new(None, "f")), "{sql}: {}", shape.outline());
        }
    }
    let names = |sql| shape(sql).functions.iter().map(RelName::plain).collect::<Vec<_>>();
    assert_eq!(
        names("SELECT s.f(1), \"F\"(), Lower('x'), coalesce(1), \"coalesce\"(1), current_date"),
        ["F", "coalesce", "lower", "s.f"]
    );
    assert_eq!(
        names("SELECT floor(1.5), ceil(2), substr('a', 1), substring('a' from 1)"),
        ["ceil", "floor", "substr"]
    );
}

#[test]
fn a_catalog_gives_columns_their_tables() {
    let mut shape = shape(
        "SELECT s_name, n_name AS nation FROM supplier, nation WHERE s_nationkey = n_nationkey AND n_name = 'CANADA' AND x = 1
         AND EXISTS (SELECT 1 FROM lineitem WHERE s_suppkey = l_suppkey AND l_a > l_b AND shared = 2)
         AND s_k IN (SELECT s_k2 FROM lineitem JOIN partsupp USING (shared)) GROUP BY s_name ORDER BY nation, s_name",
    );
    shape.resolve(|table, column| {
        Some(column.starts_with(&table.name[..1]) || (column == "shared" && table.name != "nation"))
    });
    let expect = "
        0 root
          from supplier
          from nation
          where nation.n_nationkey Eq column supplier.s_nationkey Yes
          where nation.n_name Eq 'CANADA' Yes
          where ?.x Eq 1 Yes
          opaque EXISTS (SELECT 1 FROM lineitem WHERE s_suppkey = l_suppkey AND l_a > l_b AND shared = 2)
          where supplier.s_k In subquery 2 Yes
          select supplier.s_name, nation.n_name as nation
          group by supplier.s_name
          order by nation.n_name, supplier.s_name
        1 exists { negated: false } in 0
          from lineitem
          where lineitem.l_suppkey Eq column ^supplier.s_suppkey Yes
          where lineitem.l_a Gt column lineitem.l_b SelfComparison
          where lineitem.shared Eq 2 Yes
          select (1)
        2 in { negated: false } in 0
          from lineitem
          inner partsupp
          on 1 partsupp.shared Eq column lineitem.shared Yes
          select ^supplier.s_k2";
    let lines = |text: &str| text.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&shape.outline()), lines(expect));
}

#[test]
fn what_is_refused_says_why() {
    for (sql, why) in [
        ("", "there is no statement"),
        ("SELECT 1; SELECT 2", "2 statements in one text"),
        ("SELECT 1 FROM t WHERE AND", "the reserved word AND was read as a name"),
        ("SELECT FROM WHERE", "the reserved word WHERE was read as a name"),
        ("SELECT 'open", "Unterminated string literal"),
    ] {
        let error = parse(sql).expect_err(sql);
        assert!(error.why.contains(why), "{sql}: {}", error.why);
    }
}

#[test]
fn places_are_bytes_of_the_statement() {
    let sql = "SELECT größe, * -- ?\n FROM größen g WHERE g.größe = ? AND g.x IN (:a,\n :b) AND ä LIKE 'x'";
    let shape = shape(sql);
    let block = &shape.blocks[0];
    let places: Vec<&str> = block.tests().map(|test| &sql[test.at.clone()]).collect();
    assert_eq!(places, ["g.größe = ?", "g.x IN (:a,\n :b", "ä LIKE 'x'"]);
    assert_eq!(&sql[block.tables[0].at.clone()], "größen g");
}

#[test]
fn long_and_deep_statements_end_well() {
    let long = |piece: &str, times: usize| piece.repeat(times);
    let chain = format!("SELECT 1 FROM t WHERE a = 1{}", long(" OR a = 1", 50_000));
    let shape = shape(&chain);
    assert!(format!("{:?}", shape.blocks[0].conditions).starts_with("[Any("));
    for sql in [
        format!("SELECT 1{}", long(" + 1", 20_000)),
        format!("SELECT 1{}", long(" UNION ALL SELECT 1", 5_000)),
        format!("SELECT 1 FROM t WHERE a IN (1{})", long(", 1", 100_000)),
        format!("SELECT {}1{}", long("(", 100_000), long(")", 100_000)),
        format!("SELECT {}1{}", long("(SELECT ", 5_000), long(")", 5_000)),
        format!("SELECT 1 WHERE {}a", long("NOT ", 100_000)),
        format!("SELECT {}1", long("- ", 100_000)),
        format!("SELECT a{}", long("::int", 20_000)),
        format!("SELECT {}1{}", long("f(", 20_000), long(")", 20_000)),
        format!("SELECT a{} FROM t", long(" IS NULL", 20_000)),
        format!("SELECT a{} FROM t", long(" IN (1)", 20_000)),
        format!("SELECT 1{}", long(" OR 1", 200_000)),
    ] {
        if let Err(error) = parse(&sql) {
            assert!(!error.why.is_empty(), "{}", &sql[..40]);
        }
    }
    let nested = format!("SELECT {}1{}", long("(SELECT ", 60), long(")", 60));
    assert_eq!(parse(&nested).map(|shape| shape.blocks.len()), Ok(61));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Pieces of statements in any order: a shape or a reason, and places within the text.
    #[test]
    fn any_text_has_a_shape_or_a_reason(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..25)) {
        let sql = pieces.join(" ");
        if let Ok(mut shape) = parse(&sql) {
            shape.resolve(|_, column| Some(column.len() == 1));
            proptest::prop_assert!(shape.outline().len() < 1_000_000);
            for predicate in shape.blocks.iter().flat_map(sargable::sql::shape::Block::tests) {
                proptest::prop_assert!(sql.get(predicate.at.clone()).is_some());
            }
        }
    }
}

const PIECES: &[&str] = &[
    "SELECT",
    "*",
    "a",
    "t.b",
    "FROM",
    "t",
    "t AS x (a, b)",
    "JOIN u ON",
    "USING (a)",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "=",
    "<",
    "LIKE 'x%'",
    "IN (1, 2)",
    "IN (SELECT 1)",
    "EXISTS (SELECT",
    ")",
    "(",
    "GROUP BY",
    "ORDER BY",
    "1",
    "'ö'",
    "$1",
    "?",
    ":n",
    "%s",
    ",",
    "LIMIT 5",
    "UNION",
    "VALUES (1)",
    "WITH x AS (",
    "INSERT INTO t",
    "UPDATE t SET a =",
    "DELETE FROM t",
    "RETURNING *",
    "IS NULL",
    "BETWEEN 1 AND 2",
    "::int",
    "count(*)",
    "OVER ()",
    "CASE WHEN a THEN 1 END",
    "ONLY",
    "ISNULL",
    "TABLE t",
    "(a, b)",
    "= ANY ($1)",
    "FOR UPDATE",
    "LATERAL (",
    "\n",
    ", ...",
];
