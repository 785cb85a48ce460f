//! How fast files are linted: 100,000 statements, nearly all of them different, in 10,000 files.
//!
//! `cargo bench --bench lint` makes them in a temporary folder; `FOLDER=/path` keeps them, or takes what is
//! there. Prints seconds and the most memory of `sargable check`, with a page cache that is warm.
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
        let (seconds, memory) = measure(&folder)?;
        println!("{FILES} files, {} statements: {seconds:.2} s, {memory} MB", FILES * STATEMENTS);
    }
    Ok(())
}

/// Seconds, and megabytes at most.
fn measure(folder: &Path) -> Result<(f64, u64), Box<dyn Error>> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["--no-config", "check", "--fail-on", "never"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    while child.try_wait()?.is_none() {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let most = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        memory = memory.max(most.and_then(|most| most.parse::<u64>().ok()).unwrap_or(0));
        thread::sleep(Duration::from_millis(5));
    }
    Ok((began.elapsed().as_secs_f64(), memory / 1024))
}

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
    match chance.below(8) {
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
        _ => format!(
            "SELECT {a} FROM {t} s WHERE EXISTS (SELECT 1 FROM {u} v WHERE v.user_id = s.id AND v.{b} = $2) AND s.{c} BETWEEN {i} AND {}",
            i + 5
        ),
    }
}
