//! Bodies, and where their statements stand.

use super::*;

#[track_caller]
fn runs(text: &str) -> Vec<String> {
    let body = read(&Spliced::whole(text)).expect("a body");
    body.statements.iter().map(|run| run.sql.text().to_owned()).collect()
}

#[test]
fn bodies_in_sql() {
    assert_eq!(
        runs(
            "CREATE OR REPLACE FUNCTION f(IN who int, text) RETURNS TABLE(a int, b text) AS $$ SELECT a FROM t WHERE id = who; \
             UPDATE t SET a = who WHERE b = $2 $$ LANGUAGE sql"
        ),
        ["SELECT :a FROM t WHERE id = :who", "UPDATE t SET a = :who WHERE :b = $2"]
    );
    assert_eq!(
        runs("CREATE FUNCTION f() RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT 1 FROM t; SELECT 2; END"),
        ["SELECT 1 FROM t", "SELECT 2"]
    );
    assert_eq!(
        runs("create function f() returns int as 'select a from t where b = ''x''' language sql"),
        ["select a from t where b = 'x'"]
    );
    assert_eq!(
        runs(
            "CREATE FUNCTION :S.f(a int) RETURNS int AS $$ SELECT 1 FROM :S.t WHERE a = f.a AND f.b = 1 $$ LANGUAGE sql"
        ),
        ["SELECT 1 FROM t WHERE :a = :a AND f.b = 1"]
    );
    assert_eq!(read(&Spliced::whole("CREATE FUNCTION f() RETURNS int AS 'lib', 'f' LANGUAGE c")), None);
    assert_eq!(read(&Spliced::whole("CREATE TABLE function (a int)")), None);
}

const PLPGSQL: &str =
    "CREATE FUNCTION f(p_id int, p_name text DEFAULT 'x') RETURNS trigger LANGUAGE plpgsql AS $body$
<<main>>
DECLARE
    v_count int := (SELECT count(*) FROM counts);
    v_row users%ROWTYPE;
    c CURSOR (x int) FOR SELECT id FROM cursors WHERE id = p_id;
BEGIN
    SELECT u.id, u.name INTO STRICT v_count, v_row.name FROM users u WHERE u.id = p_id;
    IF EXISTS (SELECT * FROM orders WHERE user_id = NEW.id) AND v_count > 1 THEN
        INSERT INTO log (p_name, at) VALUES (p_name, now()) RETURNING id INTO v_count;
    ELSIF v_count = 2 THEN
        PERFORM notify(v_count) FROM listeners WHERE name = p_name;
    ELSE
        UPDATE users SET name = p_name, seen = CASE WHEN v_count > 1 THEN 1 ELSE 2 END WHERE id = p_id;
    END IF;
    FOR v_row IN SELECT * FROM users WHERE id > v_count LOOP
        DELETE FROM orders WHERE user_id = v_row.id;
    END LOOP;
    FOR i IN 1..10 LOOP
        v_count := v_count + i;
    END LOOP;
    EXECUTE 'SELECT 1 FROM literal WHERE a = $1' USING p_id;
    EXECUTE format('SELECT * FROM %I', p_name);
    CASE v_count WHEN 1 THEN DELETE FROM ones; ELSE NULL; END CASE;
    RAISE NOTICE 'select % from x', v_count;
    RETURN QUERY SELECT q.id FROM q WHERE q.a = ANY(v_ids);
EXCEPTION WHEN no_data_found THEN
    RETURN NULL;
END
$body$";

#[test]
fn plpgsql() {
    assert_eq!(
        runs(PLPGSQL),
        [
            "SELECT (SELECT count(*) FROM counts)",
            "SELECT id FROM cursors WHERE id = :p_id",
            "SELECT u.id, u.name  FROM users u WHERE u.id = :p_id",
            "SELECT EXISTS (SELECT * FROM orders WHERE user_id = :new) AND :v_count > 1",
            "INSERT INTO log (p_name, at) VALUES (:p_name, now()) RETURNING id ",
            "SELECT notify(:v_count) FROM listeners WHERE name = :p_name",
            "UPDATE users SET name = :p_name, seen = CASE WHEN :v_count > 1 THEN 1 ELSE 2 END WHERE id = :p_id",
            "SELECT * FROM users WHERE id > :v_count",
            "DELETE FROM orders WHERE user_id = :v_row",
            "SELECT 1 FROM literal WHERE a = $1",
            "DELETE FROM ones",
            "SELECT q.id FROM q WHERE q.a = ANY(v_ids)",
        ]
    );
    let body = read(&Spliced::whole(PLPGSQL)).expect("a body");
    assert_eq!(
        body.dynamic.iter().map(|at| &PLPGSQL[at.clone()]).collect::<Vec<_>>(),
        ["EXECUTE format('SELECT * FROM %I', p_name)"]
    );
    let one: Vec<bool> = body.statements.iter().map(|run| run.one_row).collect();
    assert!(one[2] && !one[7]);
    let update = &body.statements[6].sql;
    let at = update.text().find("WHERE").expect("it");
    assert_eq!(&PLPGSQL[update.range(&(at..update.text().len()))], "WHERE id = p_id");
}

#[test]
fn a_block_without_language_is_plpgsql() {
    assert_eq!(runs("DO $$ BEGIN DELETE FROM t WHERE a = 1; END $$"), ["DELETE FROM t WHERE a = 1"]);
    assert_eq!(runs("DO LANGUAGE plpgsql $$ BEGIN DELETE FROM t; END $$"), ["DELETE FROM t"]);
}

#[test]
fn nonsense_is_read() {
    for text in [
        "DO $$ BEGIN",
        "DO $$ FOR IF WHILE LOOP $$",
        "DO $$ << $$",
        "DO $$ declare declare ; begin $$",
        "DO ''",
        "DO $$ select into $$",
        "DO $$ open for ; return query; execute; x := ; case when $$",
        "CREATE FUNCTION f( AS $$",
        "CREATE FUNCTION f() BEGIN ATOMIC",
        "DO $$ insert into $$",
        "DO $$ x[1] := (select a[i] into b[ from c) $$",
    ] {
        let _ = read(&Spliced::whole(text));
    }
}
