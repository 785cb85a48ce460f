//! Each language's strings, and what is said of them.

use super::*;

/// The statements, each with the text of the file that it stands for.
#[track_caller]
fn statements(language: Language, text: &str) -> Vec<(String, String)> {
    let found = read(language, Path::new("a"), text).expect("it is read");
    found
        .statements
        .iter()
        .map(|one| {
            let at = one.sql.range(&(0..one.sql.text().len()));
            (one.sql.text().to_owned(), text[at].to_owned())
        })
        .collect()
}

#[track_caller]
fn check(language: Language, text: &str, expect: &[&str]) {
    let found: Vec<String> = statements(language, text).into_iter().map(|(sql, _)| sql).collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn rust() {
    check(
        Language::Rust,
        r##"
        fn f(pool: &Pool) {
            let a = sqlx::query!("SELECT id FROM users WHERE id = $1", id).fetch_one(pool)?;
            let b = sqlx::query_as::<_, User>(r#"SELECT "a" FROM t"#).fetch_all(pool)?;
            let c = client.query("SELECT \"b\" FROM t \
                WHERE c = $1", &[&c])?;
            let d = format!("SELECT e FROM t WHERE e = {e} LIMIT {}", n);
            let f = sqlx::query!("SELECT g " + "FROM t");
            let h = concat!("SELECT h ", "FROM t");
            println!("SELECT i FROM t");
            // SELECT j FROM t
            let k = b"SELECT k FROM t";
        }
        "##,
        &[
            "SELECT id FROM users WHERE id = $1",
            "SELECT \"a\" FROM t",
            "SELECT \"b\" FROM t                  WHERE c = $1",
            "SELECT e FROM t WHERE e = :e LIMIT :value",
            "SELECT g FROM t",
            "SELECT h FROM t",
        ],
    );
}

#[test]
fn python() {
    check(
        Language::Python,
        r#"
"""SELECT docstring FROM t"""
def f(cur, x, table):
    cur.execute("""
        SELECT a
        FROM t
        WHERE b = %s
    """, (x,))
    cur.execute("SELECT b FROM t "
                'WHERE c = %(c)s', {"c": 1})
    cur.execute(f"SELECT c FROM t WHERE d = {x} AND e = '{{}}'")
    session.execute(text("SELECT d FROM t WHERE e = :e"))
    cur.execute("SELECT e FROM t WHERE f = '%s'" % x)
    cur.execute("SELECT f FROM {} WHERE g = 1".format(table))
    cur.execute(f"SELECT g FROM {table}")
    sql = "SELECT h FROM t"
    sql += " WHERE i = 1"
    other = "SELECT j FROM t"
    cur.execute(other)
    logger.info("SELECT k FROM t")
    raise ValueError("SELECT l FROM t")
    assert got == "SELECT m FROM t"
    label = "Select an item from the list"
"#,
        &[
            "SELECT a\n        FROM t\n        WHERE b = %s",
            "SELECT b FROM t WHERE c = %(c)s",
            "SELECT c FROM t WHERE d = :x AND e = '{}'",
            "SELECT d FROM t WHERE e = :e",
            "SELECT e FROM t WHERE f = '%s'",
            "SELECT j FROM t",
        ],
    );
    let found = read(
        Language::Python,
        Path::new("a"),
        "c.execute(f'SELECT a FROM {t}')\nc.execute('SELECT a FROM t WHERE a REGEXP b XOR')\n",
    )
    .expect("it");
    assert_eq!((found.assembled.len(), found.unreadable.len(), found.statements.len()), (1, 1, 0));
}

#[test]
fn javascript() {
    let text = r#"
        const a = await sql`SELECT a FROM t WHERE b = ${b.c}`;
        const c = await pool.query(`SELECT c FROM t WHERE d = $1`, [d]);
        const e = "SELECT e " + "FROM t " + 'WHERE f = ' + f;
        const g = gql`select g from t { h }`;
        const i = await client.query({ text: "SELECT i FROM t", values: [] });
        console.log("SELECT j FROM t");
        const k = await db.one("SELECT k FROM t WHERE l = ${l}", { l });
        const m = await sql`SELECT m FROM t WHERE ${where}`;
        const n = prisma.$queryRaw`SELECT n FROM t`;
        const o = <div title="Select one">{"update it"}</div>;
    "#;
    check(
        Language::Tsx,
        text,
        &[
            "SELECT a FROM t WHERE b = :b_c",
            "SELECT c FROM t WHERE d = $1",
            "SELECT e FROM t WHERE f = :f",
            "SELECT i FROM t",
            "SELECT k FROM t WHERE l = :l",
            "SELECT n FROM t",
        ],
    );
    let found = read(Language::Tsx, Path::new("a"), text).expect("it");
    assert_eq!(found.assembled.len(), 1);
    let one: Vec<bool> = found.statements.iter().map(|one| one.one_row).collect();
    assert_eq!(one, [false, false, false, false, true, false]);
    check(
        Language::TypeScript,
        "const a = <T>x; await db.query<User>(`SELECT a\n  FROM t`);",
        &["SELECT a\n  FROM t"],
    );
}

#[test]
fn go() {
    check(
        Language::Go,
        r#"package p
func f() {
	row := db.QueryRowContext(ctx, `SELECT a
		FROM t WHERE b = $1`, b)
	db.Exec("INSERT INTO t (a) VALUES ($1) " +
		"ON CONFLICT DO NOTHING", 1)
	q := fmt.Sprintf("SELECT b FROM t WHERE c = %d", c)
	r := fmt.Sprintf("SELECT b FROM %s", table)
	errors.New("SELECT c FROM t")
	fmt.Println("select one or more items")
	db.Query("SELECT d FROM t WHERE e = @e", e)
}
"#,
        &[
            "SELECT a\n\t\tFROM t WHERE b = $1",
            "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING",
            "SELECT b FROM t WHERE c = :value",
            "SELECT c FROM t",
            "SELECT d FROM t WHERE e = :e",
        ],
    );
}

#[test]
fn java() {
    let text = r#"
import org.springframework.data.jpa.repository.Query;
interface A {
    @Query("SELECT u FROM User u WHERE u.name = ?1")
    User a();
    @Query(value = "SELECT * FROM users WHERE name = :name", nativeQuery = true)
    User b();
    @Select("SELECT c FROM t " + "WHERE d = #{d}")
    User c();
    default void d() {
        String sql = """
            SELECT e
              FROM t
             WHERE f = \"x\"
            """;
        jdbc.query("SELECT g FROM t " +
            "WHERE h = ?", h);
        em.createQuery("SELECT i FROM Item i");
        sb.append("SELECT j FROM t");
        throw new RuntimeException("SELECT k FROM t");
    }
}
"#;
    check(
        Language::Java,
        text,
        &[
            "SELECT * FROM users WHERE name = :name",
            "SELECT e\n              FROM t\n             WHERE f = \"x\"",
            "SELECT g FROM t WHERE h = ?",
        ],
    );
    let found = read(Language::Java, Path::new("a"), text).expect("it");
    assert_eq!((found.foreign.len(), found.assembled.len()), (2, 1));
}

#[test]
fn ruby() {
    check(
        Language::Ruby,
        r#"
def f
  a = ActiveRecord::Base.connection.execute(<<~SQL)
    SELECT a
    FROM t WHERE b = #{b}
  SQL
  User.find_by_sql("SELECT c FROM t WHERE d = ?", d)
  two(<<~ONE, <<-TWO)
    SELECT one FROM t
  ONE
    SELECT two FROM t
  TWO
  puts "SELECT e FROM t"
  execute 'SELECT f FROM t' \
    ' WHERE g = 1'
  label = "Select a file"
end
"#,
        &[
            "SELECT a\n    FROM t WHERE b = :b",
            "SELECT c FROM t WHERE d = ?",
            "SELECT one FROM t",
            "SELECT two FROM t",
            "SELECT f FROM t WHERE g = 1",
        ],
    );
}

/// A place within the statement is one in the file, also behind escapes, holes and joints.
#[test]
fn places_are_those_of_the_file() {
    for (language, text, part, stands) in [
        (
            Language::Java,
            "class A { String a = \"SELECT \\\"a\\\" \" +\n  \"FROM t WHERE lower(b) = 'x'\"; }",
            "lower(b)",
            "lower(b)",
        ),
        (
            Language::Python,
            "x = ('SELECT \\u0061, \\n'\n     f'b FROM t WHERE lower({y}) = %s')",
            "lower(:y)",
            "lower({y})",
        ),
        (
            Language::TypeScript,
            "const é = `SELECT 'é', a FROM t\n WHERE lower(b) = ${x}`;",
            "lower(b)",
            "lower(b)",
        ),
        (Language::Go, "package p\nvar a = \"SELECT a, \" + `b FROM t WHERE c = 1`", "b FROM", "b FROM"),
        (Language::Rust, "fn f() { let a = \"SELECT \\\"é\\\" \\\n    FROM t\"; }", "FROM t", "FROM t"),
    ] {
        let found = read(language, Path::new("a"), text).expect("it is read");
        let sql = &found.statements.first().unwrap_or_else(|| panic!("no statement: {text}")).sql;
        let at = sql.text().find(part).expect("the part");
        assert_eq!(&text[sql.range(&(at..at + part.len()))], stands, "{text}");
    }
}

#[test]
fn another_databases_sql_is_left_alone() {
    for (path, text, ours) in [
        ("a.py", "import sqlite3\nc.execute('SELECT a FROM t')", false),
        ("a.py", "import sqlite3, psycopg\nc.execute('SELECT a FROM t')", true),
        ("db/mysql/query.py", "c.execute('SELECT a FROM t')", false),
        ("db/mysql_to_postgres.py", "c.execute('SELECT a FROM t')", true),
    ] {
        let found = read(Language::Python, Path::new(path), text).expect("it is read");
        assert_eq!((found.statements.len() == 1, found.foreign.len() == 1), (ours, !ours), "{path}");
    }
}

/// Any bytes that are text are read, and quickly.
#[test]
fn nonsense_is_read() {
    let deep = format!("x = {}'select 1'{}", "(".repeat(5_000), ")".repeat(5_000));
    let sum = format!("x = 'SELECT a FROM t'{}", " + 'x'".repeat(5_000));
    for language in
        [Language::Python, Language::Tsx, Language::Ruby, Language::Rust, Language::Go, Language::Java]
    {
        for text in
            ["SELECT", "\"SELECT a FROM", "`select ${ ${`select", "select \0 \u{feff}é'''", &deep, &sum]
        {
            assert!(read(language, Path::new("a"), text).is_ok());
        }
    }
}
