//! Query logs of applications, read from fixtures: how many statements, with which values, times and
//! lines of code. `fixtures/applogs/README.md` says which of them are captures.

use std::{fs, path::Path};

use proptest::prelude::*;
use sargable::{
    sources::{self, Collector, Gathered, Ingested, Options},
    workload::{Binds, Event, EventKind, Evidence, RepetitionKind},
};

#[derive(Debug, Default)]
pub(crate) struct Seen(pub(crate) Vec<Execution>);

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Execution {
    line: u64,
    pub(crate) sql: String,
    pub(crate) binds: Option<Vec<Option<String>>>,
    pub(crate) duration: Option<u64>,
    pub(crate) end: Option<i64>,
    pub(crate) caller: Option<String>,
    pub(crate) rows: Option<u64>,
    pub(crate) unit: Option<u64>,
    pub(crate) session: Option<u32>,
    pub(crate) application: Option<String>,
    pool_wait: Option<u64>,
    pub(crate) failed: bool,
}

impl Collector for Seen {
    type Tools = ();

    fn event(&mut self, event: &Event<'_>, (): &mut ()) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (sql, binds, failed) = match &event.kind {
            EventKind::Execution { sql, binds: Binds::Values(values) } => {
                (text(sql), Some(values.to_vec()), false)
            }
            EventKind::Execution { sql, .. } => (text(sql), None, false),
            EventKind::Error { sql, message, .. } => (text(sql.unwrap_or(message)), None, true),
            _ => return,
        };
        self.0.push(Execution {
            line: event.position.line,
            sql,
            binds,
            duration: event.duration,
            end: event.end,
            caller: event.caller.map(text),
            rows: event.rows,
            unit: event.unit.map(|unit| unit.id),
            session: event.session,
            application: event.application.map(text),
            pool_wait: event.pool_wait,
            failed,
        });
    }

    fn append(&mut self, mut later: Seen) {
        self.0.append(&mut later.0);
    }
}

pub(crate) fn fixture(name: &str) -> std::path::PathBuf {
    Path::new("fixtures/applogs").join(name)
}

#[track_caller]
pub(crate) fn read(name: &str, format: &str) -> (Vec<Execution>, Gathered<Seen>) {
    let mut gathered =
        sources::gather::<Seen>(&[fixture(name)], &Options::default(), &|| (), &mut |_, _| ()).expect(name);
    assert_eq!(gathered.inputs[0].format, format, "{name}");
    assert_eq!(gathered.inputs[0].skipped, 0, "{name}: {:?}", gathered.inputs[0]);
    (std::mem::take(&mut gathered.collected.0), gathered)
}

#[track_caller]
pub(crate) fn ingest(name: &str) -> Ingested {
    sources::ingest(&[fixture(name)], &Options::default(), &mut |_| ()).expect(name)
}

pub(crate) fn read_path(path: &Path) -> (Vec<Execution>, Gathered<Seen>) {
    let mut gathered =
        sources::gather::<Seen>(&[path.to_owned()], &Options::default(), &|| (), &mut |_, _| ())
            .expect("a log");
    (std::mem::take(&mut gathered.collected.0), gathered)
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what may be absent")]
pub(crate) fn values(values: &[&str]) -> Option<Vec<Option<String>>> {
    Some(values.iter().map(|value| (*value != "NULL").then(|| (*value).to_owned())).collect())
}

pub(crate) fn matching<'a>(seen: &'a [Execution], word: &str) -> Vec<&'a Execution> {
    seen.iter().filter(|one| one.sql.contains(word)).collect()
}

/// The N+1 with most units: its units and repeats.
#[track_caller]
fn n_plus_one(name: &str, child: &str) -> (u64, u64, Evidence) {
    let ingested = ingest(name);
    let found = ingested.workload.repetitions().into_iter().find(|found| {
        found.kind == RepetitionKind::NPlusOne
            && ingested.workload.query(found.child).is_some_and(|query| query.text.contains(child))
    });
    let found = found.unwrap_or_else(|| panic!("{name}: no N+1 of {child}"));
    (found.units, found.max_repeats, found.evidence)
}

#[test]
fn rails() {
    let (plain, gathered) = read("rails.log", "rails");
    assert_eq!(plain.len(), 34);
    let customers = matching(&plain, "\"customers\".\"id\" = $1 LIMIT $2");
    assert_eq!(customers.len(), 17);
    assert_eq!(customers[1].binds, values(&["2", "1"]));
    assert!(customers.iter().all(|one| one.duration.is_some()));
    assert_eq!(customers[0].caller.as_deref(), Some("app/controllers/orders_controller.rb:5"));
    let order = matching(&plain, "INSERT INTO \"orders\"");
    assert_eq!(order[0].binds, values(&["1", "12.5", "two\nlines"]));
    let top = matching(&plain, "GROUP BY customers.id");
    assert!(top[0].sql.ends_with("LIMIT 3"), "{}", top[0].sql);
    let notes = &gathered.inputs[0].notes;
    assert!(notes.iter().any(|note| note.starts_with("3 answers of the query cache")), "{notes:?}");
    for other in ["rails-colour.log", "rails-formatter.log", "rails-tagged.log"] {
        let (seen, _) = read(other, "rails");
        let texts = |seen: &[Execution]| -> Vec<_> {
            seen.iter().take(34).map(|one| (one.sql.clone(), one.caller.clone())).collect()
        };
        assert_eq!(texts(&seen), texts(&plain), "{other}");
    }
    let (timed, _) = read("rails-formatter.log", "rails");
    assert!(timed.iter().all(|one| one.end.is_some_and(|end| end % 1_000_000 != 0) && one.session > Some(0)));
    assert_eq!(n_plus_one("rails.log", "customers"), (2, 8, Evidence::Tag));
    // Two of its four requests ran at the same time.
    assert_eq!(n_plus_one("rails-tagged.log", "customers"), (4, 8, Evidence::Tag));
}

#[test]
fn sqlx() {
    for name in ["sqlx.log", "sqlx-colour.log", "sqlx.jsonl"] {
        let (seen, _) = read(name, "sqlx");
        assert_eq!(seen.len(), 25, "{name}");
        assert_eq!(matching(&seen, "FROM customers WHERE id = $1").len(), 16, "{name}");
        assert!(
            seen.iter().all(|one| one.duration > Some(0) && one.end.is_some() && one.binds.is_none()),
            "{name}"
        );
        assert_eq!(matching(&seen, "COMMIT").len(), 1);
        assert_eq!(matching(&seen, "a \\ b' FROM orders WHERE note = 'it''s \"x\"'").len(), 1, "{name}");
        assert!(matching(&seen, "pg_sleep")[0].duration > Some(1_100_000), "{name}");
        assert_eq!(seen[0].rows, Some(8));
        assert!(seen[0].unit.is_some(), "{name}: request_id of the span");
    }
}

#[test]
fn pgx() {
    let (seen, _) = read("pgx-zerolog.jsonl", "pgx");
    assert_eq!(seen.len(), 28);
    assert_eq!(seen[1].binds, values(&["1"]));
    assert_eq!((seen[0].duration, seen[0].rows), (Some(1993), Some(8)));
    let items = matching(&seen, "INSERT INTO items");
    assert_eq!((items.len(), items[0].rows), (3, Some(1)));
    assert_eq!(items[0].binds.as_ref().map(|binds| binds[1].clone()), Some(Some("sku \"1\"".to_owned())));
    assert_eq!(matching(&seen, "COPY items (order_id, sku, quantity) FROM STDIN")[0].rows, Some(2));
    assert_eq!(matching(&seen, "SELECT count(*) FROM orders")[0].duration, None, "a batch has no times");
    assert!(seen.iter().any(|one| one.failed && one.sql.contains("no_such_column")));
    let (console, _) = read("pgx-console.log", "pgx");
    assert_eq!(console.len(), seen.len());
    assert!(console.iter().all(|one| one.duration.is_none()), "zerolog's console leaves it out");
    assert_eq!(console[1].binds, values(&["1"]));
}

#[test]
fn gorm() {
    let (old, _) = read("gorm-1.log", "gorm");
    assert_eq!(matching(&old, "FROM \"customers\"").len(), 16);
    assert_eq!(old[1].caller.as_deref(), Some("/app/main.go:33"));
    assert_eq!((old[0].duration, old[0].rows), (Some(3590), Some(8)));
    assert_eq!(matching(&old, "it's\ntwo lines").len(), 1);
    assert_eq!(old.iter().filter(|one| one.failed).count(), 1);
    // Each of the two requests begins with the parent.
    assert_eq!(n_plus_one("gorm-1.log", "customers").1, 8);
    let (new, _) = read("gorm-2.log", "gorm");
    assert_eq!(new.len(), 5);
    assert_eq!(
        new.iter().map(|one| one.rows).collect::<Vec<_>>(),
        [Some(2), Some(1), Some(0), None, Some(0)]
    );
    assert!(new[3].sql.ends_with("WHERE note = 'a'") && new[3].duration == Some(250_125), "{:?}", new[3]);
    assert!(new[4].failed && !new[2].failed);
    assert_eq!(new[2].caller.as_deref(), Some("/app/main.go:33"));
}

#[test]
fn laravel() {
    for (name, timed) in [
        ("laravel.log", true),
        ("laravel-bare.log", false),
        ("laravel.jsonl", true),
        ("laravel-listen.jsonl", true),
    ] {
        let (seen, _) = read(name, "laravel");
        assert_eq!(seen.len(), 23, "{name}");
        assert!(seen.iter().all(|one| one.duration.is_some() == timed), "{name}");
        assert_eq!(
            seen[1].sql, "select * from \"customers\" where \"customers\".\"id\" = $1 limit 1",
            "{name}"
        );
        assert_eq!(seen[1].binds, values(&["1"]), "{name}");
        let order = matching(&seen, "insert into \"orders\"");
        assert_eq!(order[0].binds, values(&["1", "12.5", "it's\ntwo lines [1]"]), "{name}");
        let named = matching(&seen, "like '%?%' and id > $1");
        assert_eq!(named[0].binds, values(&["3"]), "{name}");
    }
}

#[test]
fn ecto() {
    let (seen, _) = read("ecto.log", "ecto");
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0].binds, values(&["5"]));
    assert_eq!((seen[0].duration, seen[0].pool_wait), (Some(1200), Some(500)));
    assert_eq!(seen[1].caller.as_deref(), Some("lib/shop/orders.ex:12"));
    assert_eq!((seen[2].sql.as_str(), seen[2].pool_wait), ("begin", Some(12_500)));
    assert!(seen[3].failed && seen[3].unit != seen[0].unit && seen[0].unit == seen[2].unit);
}

#[test]
fn hibernate() {
    for name in ["hibernate.log", "hibernate-both.log"] {
        let (seen, _) = read(name, "hibernate");
        assert_eq!(seen.len(), 21, "{name}");
        let customers = matching(&seen, "from customers customer0_ where customer0_.id=$1");
        assert_eq!(customers.len(), 16, "{name}");
        assert!(customers.iter().all(|one| one.binds.is_some() && one.duration.is_none()), "{name}");
        let inserts = matching(&seen, "insert into orders");
        assert_eq!(inserts[0].binds, values(&["1", "12.5", "NULL"]), "{name}");
        assert_eq!(inserts[2].binds, values(&["1", "12.5", "it's\n[2]"]), "{name}");
        let mut sessions: Vec<_> = customers.iter().map(|one| one.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        assert_eq!(sessions.len(), 2, "{name}: two threads");
    }
    for name in ["hibernate-show.log", "hibernate-show-format.log"] {
        let (seen, _) = read(name, "hibernate");
        assert_eq!((seen.len(), matching(&seen, "customers").len()), (21, 16), "{name}");
    }
    let (seen, _) = read("hibernate-6.log", "hibernate");
    assert_eq!(seen.len(), 2);
    assert!(seen[0].sql.ends_with("offset $2 rows fetch first $3 rows only"), "{}", seen[0].sql);
    assert_eq!(seen[0].binds, values(&["5", "0", "2"]));
    assert_eq!((seen[1].binds.clone(), seen[1].duration), (values(&["a\nb", "NULL"]), Some(12_000)));
}

#[test]
fn p6spy() {
    let (seen, _) = read("p6spy.log", "p6spy");
    let texts: Vec<_> =
        seen.iter().map(|one| (one.sql.as_str(), one.duration, one.session.map(|s| s & 0xff))).collect();
    assert_eq!(
        texts,
        [
            ("select * from orders where total>5 limit 2", Some(3000), Some(12)),
            ("select name||'|' from customers where id=1", Some(1000), Some(12)),
            ("select 1", Some(0), Some(13)),
            ("commit", Some(2000), Some(12)),
        ]
    );
    assert_eq!(seen[0].end, Some(1_795_426_965_000_000));
}

#[test]
fn mybatis() {
    let (seen, _) = read("mybatis.log", "mybatis");
    let mut found: Vec<_> = seen
        .iter()
        .map(|one| (one.line, one.sql.as_str(), one.binds.clone(), one.rows, one.caller.as_deref()))
        .collect();
    found.sort_by_key(|one| one.0);
    assert_eq!(
        found,
        [
            (
                1,
                "select * from orders where total > $1 limit $2",
                values(&["5", "2"]),
                None,
                Some("s.OrderMapper.list")
            ),
            (
                3,
                "update orders set note = $1 where id = $2",
                values(&["NULL", "7"]),
                Some(1),
                Some("s.OrderMapper.note")
            ),
            (
                4,
                "select * from customers where id = $1",
                values(&["1"]),
                Some(1),
                Some("s.CustomerMapper.byId")
            ),
        ]
    );
    assert!(seen.iter().all(|one| one.duration.is_none()));
}

#[test]
fn otel() {
    let (otlp, gathered) = read("otel-otlp.jsonl", "otel");
    let notes = &gathered.inputs[0].notes;
    assert!(notes.iter().any(|note| note.contains("spans are not of PostgreSQL")), "{notes:?}");
    let customers = matching(&otlp, "FROM customers WHERE id = $1");
    assert_eq!(customers.len(), 32);
    assert!(customers.iter().all(|one| one.binds.is_some() && one.duration > Some(0) && one.unit.is_some()));
    assert_eq!(customers[0].application.as_deref(), Some("shop"));
    assert!(otlp.iter().any(|one| one.failed));
    assert_eq!(n_plus_one("otel-otlp.jsonl", "customers"), (4, 8, Evidence::Trace));
    for name in ["otel-console.jsonl", "otel-console-indented.json"] {
        let (seen, _) = read(name, "otel");
        assert_eq!(matching(&seen, "FROM customers WHERE id = $1").len(), 16, "{name}");
        assert_eq!(seen[1].binds, values(&["1"]), "{name}");
        assert_eq!(n_plus_one(name, "customers"), (2, 8, Evidence::Trace));
    }
}

/// Every fixture cut at many places: nothing panics, and what is whole is read as before.
#[test]
fn cut_logs_are_survived() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cut");
    let mut read = 0;
    for entry in fs::read_dir("fixtures/applogs").expect("the fixtures").flatten() {
        if entry.path().is_dir() || entry.path().extension().is_some_and(|suffix| suffix == "md") {
            continue;
        }
        let bytes = fs::read(entry.path()).expect("a fixture");
        for part in 1..20 {
            let at = bytes.len() * part / 20;
            for piece in [&bytes[..at], &bytes[at..]] {
                fs::write(&path, piece).expect("room");
                if let Ok(gathered) = sources::gather::<Seen>(
                    std::slice::from_ref(&path),
                    &Options::default(),
                    &|| (),
                    &mut |_, _| (),
                ) {
                    read += gathered.collected.0.len();
                }
            }
        }
    }
    assert!(read > 1000, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbled_logs_are_survived(
        name in prop::sample::select(vec![
            "rails-tagged.log", "sqlx.log", "sqlx.jsonl", "pgx-zerolog.jsonl", "pgx-console.log", "gorm-1.log",
            "gorm-2.log", "laravel.log", "laravel.jsonl", "ecto.log", "hibernate.log", "hibernate-6.log", "p6spy.log",
            "mybatis.log", "otel-otlp.jsonl", "otel-console-indented.json", "django-bare.log", "django-json.log",
            "sqlalchemy-echo.log", "sqlalchemy-debug.log",
        ]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..60),
    ) {
        let mut bytes = fs::read(fixture(name)).expect("a fixture");
        for (at, byte, kind) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("garbled");
        fs::write(&path, bytes).expect("room");
        let _ = sources::gather::<Seen>(&[path], &Options::default(), &|| (), &mut |_, _| ());
    }
}
