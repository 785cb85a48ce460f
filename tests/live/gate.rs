//! `sargable plans` against a real server and a snapshot of it: locked, held, made worse, accepted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::harness::{self, Database};

/// What one run printed, and its exit code.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program in `folder`.
fn sargable(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    command.args(args).current_dir(folder).env_clear().env("COLUMNS", "100");
    for name in ["PG_BIN", "PATH"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let out = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: out.status.code().unwrap_or(-1), stdout: text(&out.stdout), stderr: text(&out.stderr) }
}

/// A folder of queries, removed with the value.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Repository {
        let folder = std::env::temp_dir().join(format!("sargable-gate-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("queries")).expect("a folder");
        let repository = Repository(folder);
        repository.write("one.sql", "SELECT id, total FROM orders WHERE customer_id = 42;\n");
        repository.write("top.sql", "SELECT id FROM orders ORDER BY id DESC LIMIT 10;\n");
        repository
    }

    fn write(&self, name: &str, sql: &str) {
        fs::write(self.0.join("queries").join(name), sql).expect("a file");
    }

    fn plans(&self, verb: &str, server: [&str; 2], more: &[&str]) -> Ran {
        sargable(&self.0, &[&["plans", verb, "queries", server[0], server[1]], more].concat())
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.0.join("sargable.plans")).expect("the lock file")
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, customer_id int, total int) WITH (autovacuum_enabled = false);
         INSERT INTO orders SELECT g, g % 5000, g % 100 FROM generate_series(1, 100000) g;
         CREATE INDEX orders_customer_idx ON orders (customer_id)",
    );
    shop.sql("VACUUM ANALYZE orders");
    shop
}

/// The whole way: held while nothing changed, failing with cause and both plans once the index is gone, and held
/// again when a person has taken it with a reason.
#[test]
fn a_lost_index_fails_until_it_is_accepted() {
    let (shop, repository) = (shop(), Repository::new("url"));
    let url = shop.url();
    let server = ["--database-url", url.as_str()];
    let locked = repository.plans("lock", server, &[]);
    assert_eq!(locked.code, 0, "{}", locked.stderr);
    let first = repository.lock();
    assert!(first.contains("orders_customer_idx") && first.contains("queries/one.sql"), "{first}");
    assert!(!first.contains("= 42"), "a constant: {first}");
    let held = repository.plans("check", server, &[]);
    assert_eq!(held.code, 0, "{}{}", held.stdout, held.stderr);
    assert!(held.stdout.contains("2 queries, 2 as before"), "{}", held.stdout);
    assert_eq!(repository.plans("lock", server, &[]).code, 0);
    assert_eq!(repository.lock(), first, "two locks of one state are the same text");

    shop.sql("DROP INDEX orders_customer_idx");
    let worse = repository.plans("check", server, &[]);
    assert_eq!(worse.code, 1, "{}{}", worse.stdout, worse.stderr);
    for words in [
        "orders is read as a whole",
        "index orders_customer_idx is gone",
        "the schema of orders",
        "as locked",
        "as it is now",
        "Seq Scan on orders",
    ] {
        assert!(worse.stdout.contains(words), "{words}: {}", worse.stdout);
    }
    assert_eq!(repository.lock(), first, "a check writes nothing");

    assert_eq!(repository.plans("check", server, &["--accept"]).code, 2, "a reason is demanded");
    let taken = repository.plans("check", server, &["--accept", "--reason", "the index was too dear"]);
    assert_eq!(taken.code, 0, "{}{}", taken.stdout, taken.stderr);
    assert!(repository.lock().contains("accepted: the index was too dear"), "{}", repository.lock());
    assert_eq!(repository.plans("check", server, &[]).code, 0);

    repository.write("new.sql", "SELECT id FROM orders WHERE total = 7;\n");
    let new = repository.plans("check", server, &[]);
    assert_eq!(new.code, 1, "{}", new.stdout);
    assert!(new.stdout.contains("a new query's plan"), "{}", new.stdout);
}

/// A snapshot stands in for the server: locked on one, held by the other.
#[test]
fn a_snapshot_holds_the_plans_of_its_server() {
    let (shop, repository) = (shop(), Repository::new("snapshot"));
    let url = shop.url();
    let snapshot = |name: &str| {
        let ran = sargable(&repository.0, &["snapshot", &url, "-o", name]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    snapshot("before.snap");
    assert_eq!(repository.plans("lock", ["--database-url", url.as_str()], &[]).code, 0);
    let held = repository.plans("check", ["--snapshot", "before.snap"], &[]);
    assert_eq!(held.code, 0, "{}{}", held.stdout, held.stderr);
    assert!(held.stdout.contains("2 queries, 2 as before"), "{}", held.stdout);
    shop.sql("DROP INDEX orders_customer_idx");
    snapshot("after.snap");
    let worse = repository.plans("check", ["--snapshot", "after.snap"], &[]);
    assert_eq!(worse.code, 1, "{}{}", worse.stdout, worse.stderr);
    assert!(worse.stdout.contains("index orders_customer_idx is gone"), "{}", worse.stdout);
}

#[test]
fn what_cannot_be_judged_is_no_good_answer() {
    let (shop, repository) = (shop(), Repository::new("unplanned"));
    let url = shop.url();
    let server = ["--database-url", url.as_str()];
    let none = repository.plans("check", server, &[]);
    assert_eq!(none.code, 2, "{}", none.stdout);
    assert!(none.stderr.contains("sargable.plans"), "{}", none.stderr);
    repository.write("lost.sql", "SELECT id FROM no_such_table WHERE id = 7;\n");
    let locked = repository.plans("lock", server, &[]);
    assert_eq!(locked.code, 2, "{}", locked.stderr);
    assert!(locked.stderr.contains("no_such_table"), "{}", locked.stderr);
    let checked = repository.plans("check", server, &[]);
    assert_eq!(checked.code, 2, "{}{}", checked.stdout, checked.stderr);
    let nowhere = sargable(&repository.0, &["plans", "check", "queries"]);
    assert_eq!(nowhere.code, 2);
}
