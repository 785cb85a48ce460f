//! Statements in, outlines of their shapes out.

#[track_caller]
fn outline(sql: &str) -> String {
    match sargable::sql::parse::parse(sql) {
        Ok(shape) => shape.outline(),
        Err(error) => panic!("{sql}: {}", error.why),
    }
}

#[test]
fn look() {
    for sql in [
        "SELECT id, email FROM users WHERE lower(email) = $1 AND status IN ('a','b') AND created_at > now() - interval '1 day' ORDER BY created_at DESC LIMIT 20",
        "SELECT o.*, u.name FROM orders o JOIN users u ON u.id = o.user_id LEFT JOIN items i USING (id) WHERE o.status = 'paid' AND (o.total > 5 OR u.x IS NULL AND NOT u.active) AND 5 < o.n",
        "UPDATE t SET a = a + 1, b = (SELECT max(x) FROM s WHERE s.id = t.id) FROM u WHERE t.id = u.t_id AND u.k = ?",
        "DELETE FROM ONLY public.t USING u WHERE t.id = u.id RETURNING t.*",
        "INSERT INTO t (a, b) VALUES (1, f(2)), (3, now()) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING id",
        "WITH x AS (SELECT id FROM t WHERE a = 1), y AS (DELETE FROM z RETURNING id) SELECT * FROM x JOIN y USING (id) WHERE EXISTS (SELECT 1 FROM w WHERE w.id = x.id) FOR UPDATE SKIP LOCKED",
        "SELECT a, count(*) AS n FROM t GROUP BY 1 HAVING count(*) > 3 ORDER BY n DESC NULLS LAST, 1 OFFSET 5 FETCH FIRST 3 ROWS ONLY",
        "SELECT 1 FROM a UNION ALL SELECT 2 FROM b ORDER BY 1 LIMIT :n",
        "SELECT * FROM t WHERE name LIKE 'ab%' AND x ILIKE '%q%' AND data @> '{}' AND data ? 'k' AND y = ANY($1) AND (a, b) > ($2, $3) AND date(created) = current_date AND a.b IS NOT NULL AND c ISNULL",
        "TABLE t",
        "SELECT l_orderkey FROM lineitem WHERE EXISTS (SELECT 1 FROM orders WHERE l_orderkey = o_orderkey)",
    ] {
        println!("{sql}\n{}", outline(sql));
    }
}
