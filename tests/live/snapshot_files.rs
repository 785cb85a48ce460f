//! Snapshots as files: without values, and two of them told apart.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::harness::{self, Database};

fn shop() -> Database {
    let shop = harness::database();
    shop.sql(
        "CREATE TYPE state AS ENUM ('open', 'done');
         CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, note jsonb);
         CREATE TABLE orders (id bigint PRIMARY KEY, owner text NOT NULL, state state NOT NULL, made timestamptz NOT NULL);
         CREATE INDEX orders_owner ON orders (owner);
         INSERT INTO users SELECT n, 'person' || n || '@example.com', '{\"a\": 1}' FROM generate_series(1, 5000) n;
         INSERT INTO orders SELECT n, 'person' || 1 + n % 700 || '@example.com',
                CASE WHEN n % 50 = 0 THEN 'open'::state ELSE 'done' END, timestamptz '2026-01-01' + n * interval '1 minute'
           FROM generate_series(1, 40000) n",
    );
    shop.sql("VACUUM ANALYZE users");
    shop.sql("VACUUM ANALYZE orders");
    shop
}

fn sargable(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    let folder = std::env::var_os("PATH").unwrap_or_default();
    command.args(arguments).env_clear().env("PATH", folder).stdin(Stdio::null());
    command.output().expect("sargable runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn a_redacted_snapshot_holds_no_value_and_plans_alike() {
    let shop = shop();
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, redacted) = (folder.path().join("whole.snap"), folder.path().join("redacted.snap"));
    let out = sargable(&["snapshot", &shop.url(), "-o", text(&whole)]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let out = sargable(&["snapshot", &shop.url(), "--redact", "-o", text(&redacted)]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("values of columns of jsonb (1): dropped"), "{said}");
    let held = std::fs::read_to_string(&redacted).expect("the file");
    assert!(std::fs::read_to_string(&whole).expect("the file").contains("@example.com"));
    assert!(!held.contains("example") && !held.contains("person"), "a value is left");
    assert!(held.contains("{done,open}"), "names of the schema stay");
    for query in [
        "SELECT u.id, o.id FROM users u JOIN orders o ON o.owner = u.email WHERE o.state = 'open'",
        "SELECT owner, count(*) FROM orders WHERE made > '2026-01-20' GROUP BY owner",
        "SELECT id FROM orders WHERE owner = $1",
    ] {
        let cost = |file: &Path| {
            let out = sargable(&["explain", "--snapshot", text(file), "--format", "json", query]);
            let report: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a report");
            report["queries"][0]["plan"].clone()
        };
        assert_eq!(cost(&whole), cost(&redacted), "{query}");
    }
    let out = sargable(&["snapshot", "diff", text(&whole), text(&redacted)]);
    assert_eq!(out.status.code(), Some(1), "the document's values are gone: {out:?}");
}

#[test]
fn two_snapshots_are_told_apart() {
    let shop = shop();
    let folder = tempfile::tempdir().expect("a folder");
    let (before, after) = (folder.path().join("before.snap"), folder.path().join("after.snap.zst"));
    let taken =
        |path: &Path| assert!(sargable(&["snapshot", &shop.url(), "-o", text(path)]).status.success());
    taken(&before);
    let same = sargable(&["snapshot", "diff", text(&before), text(&before)]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    shop.sql(
        "DROP INDEX orders_owner; CREATE INDEX orders_made ON orders (made);
         UPDATE orders SET state = 'open' WHERE id % 2 = 0;
         INSERT INTO users SELECT n, 'person' || n || '@example.com' FROM generate_series(5001, 11000) n",
    );
    shop.sql("VACUUM ANALYZE users");
    shop.sql("VACUUM ANALYZE orders");
    taken(&after);
    let out = sargable(&["snapshot", "diff", text(&before), text(&after)]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let page = String::from_utf8_lossy(&out.stdout).into_owned();
    for expect in [
        "index public.orders_made: new",
        "index public.orders_owner: gone",
        "table public.users: rows 5,000 → 11,000",
        "column public.orders.state: its commonest value in",
    ] {
        assert!(page.contains(expect), "{expect}\n{page}");
    }
}

/// The snapshot of a shop, changed as its text.
fn changed(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) -> std::path::PathBuf {
    let path = folder.join("shop.snap");
    assert!(sargable(&["snapshot", &shop().url(), "-o", text(&path)]).status.success());
    let file = std::fs::read_to_string(&path).expect("the file");
    let mut snapshot: serde_json::Value = serde_json::from_str(&file).expect("JSON");
    change(&mut snapshot);
    std::fs::write(&path, snapshot.to_string()).expect("a file");
    path
}

#[test]
fn what_is_missing_here_is_named_and_its_queries_are_not_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = changed(folder.path(), |snapshot| {
        let list = |snapshot: &mut serde_json::Value, key: &str, value: serde_json::Value| {
            snapshot[key].as_array_mut().expect("a list").push(value);
        };
        let extension = serde_json::json!({"name": "no_such_thing", "version": "3.4", "schema": "public"});
        list(snapshot, "extensions", extension);
        for (name, kind) in [("places", "geometry"), ("moods", "mood")] {
            let sql = format!("CREATE TABLE public.{name} (id bigint NOT NULL, value public.{kind})");
            let piece = serde_json::json!({"kind": "table", "name": format!("public.{name}"), "sql": sql});
            list(snapshot, "schema", piece);
        }
    });
    let queries = folder.path().join("queries.sql");
    std::fs::write(
        &queries,
        "SELECT id FROM places WHERE id = 3;\nSELECT value FROM moods WHERE id = 3;\nSELECT made FROM orders WHERE id = 3;\n",
    )
    .expect("a file");
    let lock = folder.path().join("sargable.plans");
    for arguments in [
        ["explain", "--snapshot", text(&path), "SELECT id FROM places WHERE id = 3", "--format", "text"],
        ["check", "--snapshot", text(&path), text(&queries), "--fail-on", "never"],
        ["index", "--snapshot", text(&path), text(&queries), "--format", "text"],
    ] {
        let out = sargable(&arguments);
        let page =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(out.status.code(), Some(0), "{arguments:?}: {page}");
        for expect in ["table public.places", "type \"public.geometry\" does not exist"] {
            assert!(page.contains(expect), "{arguments:?}: {expect}\n{page}");
        }
    }
    let out = sargable(&["plans", "lock", "--snapshot", text(&path), text(&queries), "--file", text(&lock)]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("extension no_such_thing: not on this machine"), "{said}");
    assert!(said.contains("type \"public.mood\" does not exist"), "{said}");
    let held = std::fs::read_to_string(&lock).expect("the lock file");
    assert!(held.contains("orders") && !held.contains("places") && !held.contains("moods"), "{held}");
}
