//! How fast files are linted: 100,000 statements, nearly all of them different, in 10,000 files.
//!
//! `cargo bench --bench lint` makes them in a temporary folder; `FOLDER=/path` keeps them, or takes what is
//! there. Prints seconds, CPU seconds and the most memory of `sargable check`, with a page cache that is warm.
//! A shared machine stretches the seconds; what the processors did (user and system) it stretches less.
#![expect(clippy::print_stdout, reason = "a bench reports on stdout")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const FILES: u64 = 10_000;
const STATEMENTS: u64 = 10;
const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let folder = env::var_os("FOLDER").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    if !folder.join("m000").exists() {
        make(&folder)?;
    }
    for _ in 0..RUNS {
        let Cost { seconds, processor, memory } = measure(&folder)?;
        println!(
            "{FILES} files, {} statements: {seconds:.2} s, {processor:.2} s of CPU, {memory} MB",
            FILES * STATEMENTS
        );
    }
    Ok(())
}

/// What one run took.
struct Cost {
    seconds: f64,
    /// User and system, in seconds.
    processor: f64,
    /// Megabytes at most.
    memory: u64,
}

fn measure(folder: &Path) -> Result<Cost, Box<dyn Error>> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["--no-config", "check", "--fail-on", "never"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut memory = 0;
    // What has ended keeps its times until somebody waits for it, but not its memory.
    let ticks = loop {
        let told = fs::read_to_string(process.join("status")).unwrap_or_default();
        let most = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        memory = memory.max(most.and_then(|most| most.parse::<u64>().ok()).unwrap_or(0));
        let stat = fs::read_to_string(process.join("stat"))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
            break ticks(11).zip(ticks(12)).map_or(0.0, |(user, system)| user + system);
        }
        thread::sleep(Duration::from_millis(5));
    };
    let seconds = began.elapsed().as_secs_f64();
    child.wait()?;
    Ok(Cost { seconds, processor: ticks / TICKS, memory: memory / 1024 })
}

/// Of Linux' clock in a second, on every architecture that we know.
const TICKS: f64 = 100.0;

const TABLES: [&str; 6] = ["users", "orders", "order_items", "products", "payments", "sessions"];
const COLUMNS: [&str; 10] =
    ["id", "name", "email", "status", "created_at", "total", "note", "user_id", "price", "qty"];

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn table(&mut self) -> String {
        format!("t{}_{}", self.below(60), TABLES[self.below(TABLES.len())])
    }

    fn column(&mut self) -> &'static str {
        COLUMNS[self.below(COLUMNS.len())]
    }
}

fn make(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut chance = Chance(1);
    for file in 0..FILES {
        let below = folder.join(format!("m{:03}", file / 100));
        fs::create_dir_all(&below)?;
        let mut text = "-- queries\n".to_owned();
        for number in 0..STATEMENTS {
            writeln!(text, "{};\n", statement(&mut chance, file * STATEMENTS + number))?;
        }
        fs::write(below.join(format!("q{file:05}.sql")), text)?;
    }
    Ok(())
}

#[expect(clippy::many_single_char_names, reason = "they stand in SQL, and only tell names apart")]
fn statement(chance: &mut Chance, i: u64) -> String {
    let (t, u) = (chance.table(), chance.table());
    let (a, b, c, d) = (chance.column(), chance.column(), chance.column(), chance.column());
    let w = chance.table();
    match chance.below(20) {
        0 => format!("SELECT {a}, {b} FROM {t} WHERE {c} = {i} AND {d} > $1 ORDER BY {a} LIMIT 10"),
        1 => format!(
            "SELECT x.{a}, count(*) FROM {t} x JOIN {u} y ON y.id = x.user_id WHERE y.{b} = 'v{i}' AND lower(x.{c}) = $1 GROUP BY x.{a}"
        ),
        2 => format!("INSERT INTO {t} ({a}, {b}, {c}) VALUES ($1, {i}, 'x')"),
        3 => format!("UPDATE {t} SET {a} = $1, {b} = now() WHERE {c} = {i}"),
        4 => format!("DELETE FROM {t} WHERE {a} < now() - interval '{} days' AND {b} IS NULL", i % 90),
        5 => format!(
            "WITH recent AS (SELECT {a}, {b} FROM {t} WHERE {c} > $1) SELECT r.{a}, u.{d} FROM recent r LEFT JOIN {u} u ON u.id = r.{b} WHERE u.status IN (1, 2, {i})"
        ),
        6 => format!("SELECT * FROM {t} WHERE id = {i} AND {a} IS NOT NULL"),
        7 => format!(
            "SELECT {a} FROM {t} s WHERE EXISTS (SELECT 1 FROM {u} v WHERE v.user_id = s.id AND v.{b} = $2) AND s.{c} BETWEEN {i} AND {}",
            i + 5
        ),
        8 => format!(
            "SELECT o.id, o.{a}, u.{b}, p.{c} AS paid\nFROM {t} o\n  JOIN {u} u ON u.id = o.user_id\n  LEFT JOIN {w} p ON p.id = o.{d}\nWHERE o.created_at >= $1 AND o.created_at < $2\n  AND (u.{b} ILIKE $3 OR u.email = 'person{i}@example.com')\nORDER BY o.created_at DESC, o.id DESC\nLIMIT 50 OFFSET {}",
            i % 500
        ),
        9 => format!(
            "INSERT INTO {t} (id, {a}, {b}) VALUES ($1, $2, $3), ($4, {i}, $6)\nON CONFLICT (id) DO UPDATE SET {a} = excluded.{a}, {b} = coalesce(excluded.{b}, {t}.{b}) RETURNING id"
        ),
        10 => format!(
            "SELECT {a}, sum({b}) OVER (PARTITION BY {c} ORDER BY created_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running, row_number() OVER (PARTITION BY {c} ORDER BY {d}) AS n FROM {t} WHERE id > {i}"
        ),
        11 => format!(
            "WITH RECURSIVE tree AS (\n  SELECT id, {a}, 1 AS depth FROM {t} WHERE id = $1\n  UNION ALL\n  SELECT c.id, c.{a}, tree.depth + 1 FROM {t} c JOIN tree ON c.{b} = tree.id WHERE tree.depth < {}\n)\nSELECT id, {a} FROM tree",
            i % 30 + 2
        ),
        12 => format!(
            "UPDATE {t} AS x SET {a} = y.{b}, {c} = CASE WHEN y.{d} IS NULL THEN 0 ELSE y.{d} + {i} END FROM {u} y WHERE y.id = x.user_id AND x.{c} IS DISTINCT FROM y.{d}"
        ),
        13 => format!(
            "SELECT date_trunc('day', created_at) AS day, count(*) FILTER (WHERE {a} = 'a{i}') AS some, avg({b})::numeric(10, 2) FROM {t} WHERE created_at > now() - interval '{} days' GROUP BY 1 HAVING count(*) > 5 ORDER BY 1",
            i % 40 + 1
        ),
        14 => format!(
            "SELECT {a} FROM {t} WHERE {b} = {i} UNION SELECT {a} FROM {u} WHERE {b} = {i} AND {c} IS NULL ORDER BY 1"
        ),
        15 => format!(
            "-- the newest of each\nSELECT u.id, last.{a}, last.created_at FROM {t} u CROSS JOIN LATERAL (SELECT {a}, created_at FROM {u} o WHERE o.user_id = u.id AND o.qty > {i} ORDER BY created_at DESC LIMIT 1) last WHERE u.{b} = ANY($1)"
        ),
        16 => format!(
            "SELECT note->>'k{i}', jsonb_array_length(note->'items') FROM {t} WHERE note @> '{{\"kind\": \"k{i}\"}}' AND {a} NOT IN (SELECT {b} FROM {u} WHERE {c} < $1)"
        ),
        17 => format!(
            "CREATE TABLE n{i}_{t} (\n  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n  user_id bigint NOT NULL REFERENCES {u} (id),\n  {a}_x text NOT NULL DEFAULT '',\n  total numeric(12, 2) CHECK (total >= 0),\n  created_at timestamptz NOT NULL DEFAULT now()\n)"
        ),
        18 => format!("CREATE INDEX ON n{i}_{t} ({a}, {b} DESC) WHERE {c} IS NOT NULL"),
        _ => format!(
            "SELECT count(DISTINCT s.user_id), max(s.{a}) FROM {t} s, {u} v, {w} z WHERE s.id = v.{b} AND v.id = z.{c} AND z.{d} IN ({i}, {}, {}, {}) AND extract(year FROM s.created_at) = 2024 AND s.name LIKE '%x{i}%'",
            i + 1,
            i + 2,
            i + 3
        ),
    }
}
