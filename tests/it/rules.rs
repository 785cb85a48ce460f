//! The rules folder keeps its word: it loads strictly, and every example in it is run here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use rustc_hash::FxHashMap;
use sargable::{
    catalog::{Activity, Catalog, ColumnStatistics, Counted, Migration},
    detect::{self, Detector, Facts, MigrationFacts, PlanFacts, PlanOrigin, Report, WorkloadFacts},
    error::Error,
    finding::{Finding, Location},
    lint,
    plan::Plan,
    rules::{
        self, Example, ExampleLines, ExampleRepeats, ExampleRepetition, ExampleServer, ExampleStatistics,
        ExampleWork, Needs, Rule,
    },
    sources::{self, schema},
    sql::{Fingerprint, Normalizer, Shape, parse, split},
    workload::{
        Binds, Event, EventKind, Evidence, Occurrence, Position, ProtocolStep, Repetition, RepetitionKind,
        Script, Statement, Workload,
    },
};

/// One rule, or all of them, over one example.
#[track_caller]
fn run(rules: &[Rule], example: &Example) -> Report {
    let catalog = catalog(example);
    let mut normalizer = Normalizer::default();
    let mut workload = Workload::at_start();
    let sql = &example.sql.trim().replace("{n}", "1");
    if let Some(binds) = &example.binds {
        let values: Vec<String> =
            binds.iter().enumerate().map(|(at, value)| format!("${} = '{value}'", at + 1)).collect();
        let values = values.join(", ");
        let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Postgres(values.as_bytes()) };
        workload.add(&event(kind, 1, 1_000, 500), &mut normalizer);
    } else {
        let first = split::statements(sql).first().cloned().unwrap_or(0..sql.len());
        let (line, column) = split::position(sql, first.start);
        let at = Location { file: "example.sql".to_owned(), line, column };
        workload.add_statement(Statement { text: sql[first].to_owned(), at }, &mut normalizer);
    }
    for session in 1..=example.busy.unwrap_or(0) {
        let sql = format!("SELECT name FROM users WHERE id = {session}");
        let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
        workload.add(&event(kind, session, 1_767_225_600_500_000, 200_000), &mut normalizer);
    }
    let mut end = 1_767_225_600_000_000;
    for part in &example.log {
        for sql in (0..part.times).flat_map(|_| &part.sql) {
            let duration = part.milliseconds * 1000;
            if let Some(parse) = part.parse_milliseconds {
                let kind = EventKind::ParseOrBind { step: ProtocolStep::Parse, sql: sql.as_bytes() };
                workload.add(&event(kind, 1, end, parse * 1000), &mut normalizer);
            }
            end += i64::try_from(duration).expect("a short time") + 100_000;
            let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
            workload.add(&event(kind, 1, end, duration), &mut normalizer);
        }
    }
    let mut units: Vec<String> = Vec::new();
    if let Some(work) = &example.work {
        units.clone_from(&work.statements);
        works(work, &mut workload, &mut normalizer);
    }
    workload.close();
    if !example.server_log.is_empty() {
        workload = server_log(&example.server_log);
    }

    let id = normalizer.scan(sql.as_bytes()).fingerprint;
    let mut shapes: FxHashMap<Fingerprint, Shape> = FxHashMap::default();
    if !sql.is_empty() {
        shapes.insert(id, shape(sql, catalog.as_ref()));
    }
    for sql in units {
        let sql = sql.replace("{n}", "1");
        shapes.insert(normalizer.scan(sql.as_bytes()).fingerprint, shape(&sql, catalog.as_ref()));
    }
    let repetitions: Vec<Repetition> = example
        .repeats
        .iter()
        .map(|repeats| {
            let parent = repeats.parent.as_ref().map(|parent| {
                let id = normalizer.scan(parent.as_bytes()).fingerprint;
                shapes.insert(id, shape(parent, catalog.as_ref()));
                id
            });
            repetition(repeats, id, parent)
        })
        .collect();
    let plan = example.plan.as_ref().map(|name| plan(name));
    let facts: Vec<Facts<'_>> = workload
        .query(id)
        .filter(|_| example.repeats.is_none() && example.work.is_none() && !sql.is_empty())
        .map(|query| Facts {
            query,
            shape: shapes.get(&id),
            plan: plan.as_ref().map(|plan| PlanFacts {
                plan,
                origin: if plan.root.actual.is_some() { PlanOrigin::Analyzed } else { PlanOrigin::Planned },
            }),
            catalog: catalog.as_ref(),
        })
        .into_iter()
        .collect();
    let whole = WorkloadFacts {
        workload: &workload,
        repetitions: &repetitions,
        concurrency: workload.concurrency(),
        shapes: &shapes,
        catalog: catalog.as_ref(),
    };
    let logged =
        workload.totals().executions > 0 || !repetitions.is_empty() || !example.server_log.is_empty();
    let read = example.migration.as_ref().map(|text| migrations(example, text)).unwrap_or_default();
    let migrations: Vec<MigrationFacts<'_>> =
        read.iter().map(|migration| MigrationFacts { migration, server: None }).collect();
    // A migration changes the catalog: it is not judged as one that stays.
    let schema = catalog.as_ref().filter(|_| example.migration.is_none());
    let about_comments = |rule: &Rule| {
        detect::ALL.iter().any(|(name, kind)| *name == rule.detector && matches!(kind, Detector::Comments))
    };
    if !rules.iter().any(about_comments) {
        return detect::run(rules, &facts, logged.then_some(&whole), schema, &migrations);
    }
    // What a comment allows is known when every rule was applied.
    let mut report = detect::run(&rules::BUILTIN, &facts, logged.then_some(&whole), schema, &migrations);
    let scripts = [Script::new("example.sql".to_owned(), sql.to_owned(), split::statements(sql))];
    let judged = |_: &str, name: &str| {
        let rule = rules::BUILTIN.iter().find(|rule| rule.name == name)?;
        (rule.needs == [Needs::Syntax]).then(|| rule.clone())
    };
    let job = lint::Job {
        workload: &workload,
        scripts: &scripts,
        known: &rules::BUILTIN,
        judged: &judged,
        parsed: &|_| true,
        changed: None,
        baseline: None,
        links: &lint::Links::default(),
        min_share: None,
    };
    let placed = lint::place(std::mem::take(&mut report.findings), &workload, &scripts);
    report.findings = lint::check(&job, placed).0;
    report.findings.retain(|finding| rules.iter().any(|rule| rule.name == finding.rule));
    report
}

/// The migration of an example, with the schema that an earlier file made, and its rows.
fn migrations(example: &Example, migration: &str) -> Vec<Migration> {
    let earlier = example.schema.as_deref().unwrap_or_default();
    let read = schema::of_files(&[("0001_earlier.sql", earlier), ("0002_change.sql", migration)]);
    let mut migrations = read.migrations;
    migrations.retain(|migration| migration.file == "0002_change.sql");
    for table in migrations.iter_mut().flat_map(|migration| &mut migration.before.tables) {
        table.rows = example.rows.get(&table.name.name).copied();
    }
    migrations
}

/// What the example says that a server has counted.
#[track_caller]
fn counted(catalog: &mut Catalog, server: &ExampleServer) {
    catalog.version = server.version;
    catalog.counted = Some(Counted { days: server.days, replicas: server.replicas });
    let mut unused: BTreeSet<&String> = server.indexes.keys().chain(server.tables.keys()).collect();
    for table in &mut catalog.tables {
        if let Some((name, known)) = server.tables.get_key_value(&table.name.name) {
            unused.remove(name);
            table.activity = Some(Activity {
                live_rows: known.live_rows,
                modified_since_analyze: known.modified,
                inserts: known.inserts,
                updates: known.updates,
                hot_updates: known.hot_updates,
                deletes: known.deletes,
                ..Activity::default()
            });
        }
        for index in &mut table.indexes {
            if let Some((name, known)) = server.indexes.get_key_value(&index.name) {
                unused.remove(name);
                index.scans = Some(known.scans);
                index.bytes = Some(known.bytes);
                index.valid = !known.invalid;
            }
        }
    }
    assert!(unused.is_empty(), "nothing in the schema is called {unused:?}");
}

/// What the reader of logs makes of these lines.
#[track_caller]
fn server_log(parts: &[ExampleLines]) -> Workload {
    let (mut text, mut now) = (String::new(), 0);
    for part in parts {
        for pid in 1001..=1000 + part.times {
            now += part.milliseconds;
            let (seconds, ms) = (now / 1000, now % 1000);
            let time = format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            for line in part.lines.replace("{pid}", &pid.to_string()).lines() {
                let prefix =
                    if line.starts_with('\t') { "" } else { &format!("2026-01-01 {time} UTC [{pid}] ") };
                writeln!(text, "{prefix}{line}").expect("a String takes it");
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("postgresql.log");
    fs::write(&path, text).expect("room");
    let options =
        sources::Options { log_line_prefix: Some("%m [%p] ".to_owned()), ..sources::Options::default() };
    sources::ingest(&[path], &options, &mut |_| ()).expect("a log").workload
}

/// Each unit is one transaction in a session of its own.
fn works(work: &ExampleWork, workload: &mut Workload, normalizer: &mut Normalizer) {
    let mut now = 1_767_225_600_000_000;
    for unit in 1..=work.units {
        let number = unit.to_string();
        let begin = std::iter::once("BEGIN".to_owned());
        let statements = work.statements.iter().map(|sql| sql.replace("{n}", &number));
        for (at, sql) in begin.chain(statements).chain(["COMMIT".to_owned()]).enumerate() {
            let us = if (1..=work.statements.len()).contains(&at) { work.milliseconds * 1000 } else { 10 };
            now += 1000 + i64::try_from(us).expect("a short time");
            let kind = EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown };
            workload.add(&event(kind, u32::try_from(unit).expect("few units"), now, us), normalizer);
        }
    }
}

fn event(kind: EventKind<'_>, session: u32, end: i64, duration: u64) -> Event<'_> {
    Event {
        end: Some(end),
        duration: Some(duration),
        session: Some(session),
        ..Event::new(kind, Position::default())
    }
}

#[track_caller]
fn shape(sql: &str, catalog: Option<&Catalog>) -> Shape {
    let mut shape =
        parse::parse(sql).unwrap_or_else(|err| panic!("example does not parse: {}\n{sql}", err.why));
    if let Some(catalog) = catalog {
        shape.resolve(|table, column| {
            catalog.table(table).is_some_and(|table| table.column(column).is_some())
        });
    }
    shape
}

#[track_caller]
fn plan(name: &str) -> Plan {
    let path = format!("fixtures/plans/{name}.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    Plan::from_json(serde_json::from_str(&text).expect("JSON")).expect("a plan")
}

#[track_caller]
fn catalog(example: &Example) -> Option<Catalog> {
    if example.schema.is_none() && example.settings.is_empty() {
        return None;
    }
    let read = schema::read(example.schema.as_deref().unwrap_or_default());
    assert_eq!(read.skipped, Vec::new(), "the example's schema");
    let mut catalog = read.catalog;
    catalog.settings.0.clone_from(&example.settings);
    let mut unused: BTreeSet<&String> = example.rows.keys().chain(example.statistics.keys()).collect();
    for table in &mut catalog.tables {
        if let Some((name, rows)) = example.rows.get_key_value(&table.name.name) {
            table.rows = Some(*rows);
            unused.remove(name);
        }
        for column in &mut table.columns {
            let name = format!("{}.{}", table.name.name, column.name);
            let Some(known) = example.statistics.get(&name) else { continue };
            unused.remove(&name);
            column.statistics = Some(ColumnStatistics {
                null_fraction: known.nulls,
                average_width: known.width,
                distinct: known.distinct,
                common: known.common.clone(),
                correlation: known.correlation,
                histogram: Vec::new(),
            });
        }
    }
    assert!(unused.is_empty(), "nothing in the schema is called {unused:?}");
    if let Some(server) = &example.server {
        counted(&mut catalog, server);
    }
    Some(catalog)
}

fn repetition(repeats: &ExampleRepeats, child: Fingerprint, parent: Option<Fingerprint>) -> Repetition {
    let total_us = repeats.milliseconds * 1000;
    Repetition {
        kind: match repeats.kind {
            ExampleRepetition::NPlusOne => RepetitionKind::NPlusOne,
            ExampleRepetition::Duplicate => RepetitionKind::Duplicate,
            ExampleRepetition::WriteLoop => RepetitionKind::WriteLoop,
        },
        child,
        parent,
        evidence: Evidence::Transaction,
        units: repeats.units,
        units_by_evidence: BTreeMap::from([(Evidence::Transaction, repeats.units)]),
        repeats: repeats.times * repeats.units,
        min_repeats: repeats.times,
        median_repeats: repeats.times,
        max_repeats: repeats.times,
        distinct_values: repeats.values * repeats.units,
        sizes: 0,
        total_us,
        occurrences: vec![Occurrence {
            start: Some(1_767_225_600_250_000),
            end: Some(1_767_225_601_750_000),
            sessions: vec![812],
            repeats: repeats.times,
            distinct_values: repeats.values,
            total_us: total_us / repeats.units,
        }],
    }
}

/// What is wrong with a rule's examples, one line each; empty when all hold.
fn complaints(rule: &Rule, mut run: impl FnMut(&Example) -> Vec<Finding>) -> String {
    let mut wrong = String::new();
    for bad in &rule.examples.bad {
        let because = bad.because.as_deref().expect("the loader asks for it");
        match run(bad).as_slice() {
            [] => writeln!(wrong, "{} missed: {}\n  {because}", rule.name, bad.sql),
            [one] if one.because == because => Ok(()),
            others => {
                let said: Vec<&str> = others.iter().map(|finding| finding.because.as_str()).collect();
                writeln!(
                    wrong,
                    "{} said otherwise: {}\n  {}\nnot\n  {because}",
                    rule.name,
                    bad.sql,
                    said.join("\n  ")
                )
            }
        }
        .expect("a String takes it");
    }
    for good in &rule.examples.good {
        for noise in run(good) {
            writeln!(wrong, "{} noisy: {}\n  {}", rule.name, good.sql, noise.because)
                .expect("a String takes it");
        }
    }
    wrong
}

#[test]
fn every_example_holds() {
    let wrong: String = rules::BUILTIN
        .iter()
        .map(|rule| complaints(rule, |example| run(std::slice::from_ref(rule), example).findings))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// A detector that finds nothing fails its examples: none of them passes on empty.
#[test]
fn a_blind_detector_is_noticed() {
    for rule in rules::BUILTIN.iter() {
        assert!(complaints(rule, |_| Vec::new()).contains("missed"), "{}", rule.name);
    }
}

/// Whether a finding is of a rule like this one: about a schema, or about statements.
fn same_kind(rule: &Rule, found: &Finding) -> bool {
    let about_schema = |rule: &Rule| {
        let schema = |(name, detector): &(&str, Detector)| {
            *name == rule.detector && matches!(detector, Detector::Schema(_))
        };
        detect::ALL.iter().any(schema)
    };
    about_schema(rule) == about_schema(rules::find(&found.rule).expect("built in"))
}

/// What is good by one rule is not bad by another, or a person looked at it and it stands here.
#[test]
fn good_is_good_for_all() {
    let mut crossed = BTreeSet::new();
    for rule in rules::BUILTIN.iter() {
        for good in &rule.examples.good {
            // A schema in an example is cut down to what the example is about.
            let found = run(&rules::BUILTIN, good).findings;
            for finding in found.into_iter().filter(|found| same_kind(rule, found)) {
                crossed.insert(format!(
                    "{} / {}\n    {}: {}",
                    rule.name,
                    about(good),
                    finding.rule,
                    finding.because
                ));
            }
        }
    }
    let lines: Vec<String> = crossed.into_iter().collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// The text that an example is about, DDL on one line.
fn about(example: &Example) -> String {
    let ddl =
        [&example.migration, &example.schema].into_iter().flatten().next().filter(|_| example.sql.is_empty());
    match ddl {
        Some(ddl) => ddl.split_whitespace().collect::<Vec<_>>().join(" "),
        None => example.sql.trim().to_owned(),
    }
}

/// What each bad example is told to do.
#[test]
fn advice_of_the_examples() {
    let mut lines = Vec::new();
    for rule in rules::BUILTIN.iter() {
        for bad in &rule.examples.bad {
            for finding in run(std::slice::from_ref(rule), bad).findings {
                lines.push(format!(
                    "{} {:?} {:?}: {}\n    {}",
                    rule.name,
                    finding.severity,
                    finding.confidence,
                    about(bad),
                    finding.instead
                ));
            }
        }
    }
    assert_eq!(lines.len(), rules::BUILTIN.iter().map(|rule| rule.examples.bad.len()).sum::<usize>());
    insta::assert_snapshot!(lines.join("\n"));
}

/// One place, one finding: what several rules could say of a predicate, one of them says.
#[test]
fn one_predicate_has_one_finding() {
    let about = |rule: &Rule| {
        matches!(rule.name.as_str(), "missing-index" | "index-order")
            || (120..160).contains(&rule.code.to_string()[2..].parse::<u32>().unwrap_or(0))
    };
    let rules: Vec<Rule> = rules::BUILTIN.iter().filter(|rule| about(rule)).cloned().collect();
    let mut twice = String::new();
    for rule in &rules {
        for bad in rule.examples.bad.iter().filter(|bad| bad.plan.is_none()) {
            let said: Vec<Finding> = run(&rules, bad).findings;
            if said.len() != 1 {
                writeln!(twice, "{}", bad.sql).expect("a String takes it");
                for finding in said {
                    writeln!(twice, "  {}: {}", finding.rule, finding.because).expect("a String takes it");
                }
            }
        }
    }
    assert!(twice.is_empty(), "{twice}");
}

#[test]
fn folder_and_table_agree() {
    let on_disk: BTreeSet<String> = fs::read_dir("rules")
        .expect("the rules folder")
        .map(|entry| format!("rules/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    let built_in: BTreeSet<String> = rules::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(on_disk, built_in);
    assert_eq!(rules::BUILTIN.len(), built_in.len());
}

#[test]
fn every_detector_has_a_rule() {
    let used: BTreeSet<&str> = rules::BUILTIN.iter().map(|rule| rule.detector.as_str()).collect();
    let known: BTreeSet<&str> = detect::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(used, known);
}

/// A code is never given to another rule: a suppression written today means the same in five years.
#[test]
fn codes_are_stable() {
    let codes: Vec<String> =
        rules::BUILTIN.iter().map(|rule| format!("{} {}", rule.code, rule.name)).collect();
    insta::assert_snapshot!(codes.join("\n"));
}

#[test]
fn a_rule_file_is_read_strictly() {
    let good = rules::FILES.iter().find(|(path, _)| path.contains("write-loop")).expect("the rule").1;
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        rules::load("rules/write-loop.yaml", &good.replacen(from, to, 1)).expect_err("a refusal").to_string()
    };
    let said = [
        refused("severity: note", "severty: note"),
        refused("severity: note", "severity: notice"),
        refused("milliseconds: 80", "miliseconds: 80"),
        refused("code: SG009", "code: SG9"),
        refused("title: ", "tilte: "),
        refused("name: write-loop", "name: write-loops"),
        refused("    - sql: SELECT name", "    - because: x\n      sql: SELECT name"),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    rules/write-loop.yaml:5:1: not a rule file: unknown field `severty`; did you mean `severity`?
    rules/write-loop.yaml:5:11: not a rule file: severity: unknown variant `notice`; did you mean `note`?
    rules/write-loop.yaml:17:69: not a rule file: examples.bad[0].repeats: unknown field `miliseconds`; did you mean `milliseconds`?
    rules/write-loop.yaml:1:1: not a rule file: `SG9` is not SG and three digits
    rules/write-loop.yaml:7:1: not a rule file: unknown field `tilte`; did you mean `title`?
    rules/write-loop.yaml:2:1: not a rule file: the rule is named `write-loops`, its file `write-loop`
    rules/write-loop.yaml:25:1: not a rule file: a good example has no `because`
    ");
}

#[test]
fn an_unknown_rule_is_told_its_nearest() {
    let Err(Error::Usage { what, hint }) = rules::find("select-str") else { panic!("there is none") };
    assert_eq!(what, "there is no rule `select-str`");
    assert_eq!(hint.as_deref(), Some("did you mean `select-star`?"));
    assert_eq!(rules::find("sg004").expect("by its code").name, "select-star");
}

/// A rule without its facts is counted, not silent.
#[test]
fn what_cannot_be_judged_is_counted() {
    let rule = rules::find("select-star").expect("built in");
    let example = rule.examples.bad.first().expect("one");
    let lines: Vec<String> = run(&rules::BUILTIN, example)
        .not_judged
        .lines()
        .into_iter()
        .map(|line| format!("{}: {} ({})", line.what, line.why, line.count))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// The report's schema names these keys; times are whole seconds so that all formats of a log agree.
#[test]
fn n_plus_one_carries_its_detail() {
    let rule = rules::find("n-plus-one").expect("built in");
    let Some((_, Detector::Workload(_))) = detect::ALL.iter().find(|(name, _)| *name == rule.detector) else {
        panic!("it looks at the workload")
    };
    let report = run(std::slice::from_ref(rule), rule.examples.bad.first().expect("one"));
    let mut detail = report.findings.first().expect("a finding").detail.clone();
    for key in ["child", "parent"] {
        let id = detail.insert(key.to_owned(), serde_json::json!("an id")).expect("the key");
        assert_eq!(id.as_str().map(str::len), Some(16), "{key}: {id}");
    }
    insta::assert_snapshot!(
        serde_json::Value::Object(detail),
        @r#"{"child":"an id","parent":"an id","repeats":{"min":20,"median":20,"max":20},"units":4,"evidence":"transaction","units_by_evidence":{"transaction":4},"distinct_values":80,"total_ms":24.0,"round_trips":80,"round_trips_saved":76,"occurrences":[{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:00:01Z","sessions":[812],"repeats":20,"distinct_values":20}],"fed_by":{"table":"posts","column":"user_id","by":"foreign-key"}}"#
    );
}

/// A shop, with what its statistics say.
const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text, active boolean, deleted_at timestamptz);
    CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, status text, created_at timestamptz, total numeric);
    CREATE INDEX orders_user ON orders (user_id);
    CREATE TABLE items (order_id bigint REFERENCES orders, product_id bigint, quantity int, PRIMARY KEY (order_id, product_id));
    CREATE TABLE products (id bigint PRIMARY KEY, sku text, name text, tags text[], attributes jsonb, price numeric);
    CREATE UNIQUE INDEX ON products (lower(sku));
    CREATE INDEX ON products USING gin (tags);
    CREATE TABLE logs (id bigint, at timestamptz, level int, message text);
    CREATE INDEX logs_at ON logs USING brin (at);
    CREATE TABLE countries (code text, name text);";

fn shop(sql: &str) -> Example {
    let rows = [
        ("users", 1e6),
        ("orders", 1e6),
        ("items", 3e6),
        ("products", 5e4),
        ("logs", 1e7),
        ("countries", 249.0),
    ];
    let columns = [
        ("users.active", 2.0, 1, &[("t", 0.95), ("f", 0.05)][..]),
        ("users.name", 4e5, 12, &[]),
        ("orders.user_id", 2e5, 8, &[]),
        ("orders.status", 4.0, 6, &[("paid", 0.9), ("open", 0.08), ("failed", 0.001)]),
        ("orders.created_at", 9e5, 8, &[]),
        ("orders.total", 1e4, 6, &[]),
        ("items.order_id", 1e6, 8, &[]),
        ("items.product_id", 5e4, 8, &[]),
        ("logs.level", 5.0, 4, &[("1", 0.9), ("5", 0.0001)]),
    ];
    Example {
        sql: sql.to_owned(),
        schema: Some(SHOP.to_owned()),
        rows: rows.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect(),
        statistics: columns
            .iter()
            .map(|(name, distinct, width, common)| {
                let common = common.iter().map(|(value, part)| ((*value).to_owned(), *part)).collect();
                let known = ExampleStatistics {
                    distinct: *distinct,
                    width: *width,
                    nulls: 0.0,
                    common,
                    correlation: None,
                };
                ((*name).to_owned(), known)
            })
            .collect(),
        ..Example::default()
    }
}

/// What every rule says of the shop's statements: most look like trouble and are none.
#[test]
fn the_shops_statements() {
    let statements = [
        "SELECT id FROM users WHERE email = $1",
        "SELECT id, name FROM users WHERE name = $1",
        "SELECT count(*) FROM users WHERE active",
        "SELECT count(*) FROM users WHERE NOT active",
        "SELECT id FROM users WHERE deleted_at IS NULL LIMIT 10",
        "SELECT id FROM users WHERE name LIKE 'Ann%' LIMIT 10",
        "SELECT id FROM users WHERE name IS NOT NULL AND email = $1",
        "SELECT id FROM users WHERE email = lower($1)",
        "SELECT id FROM users WHERE email IN ($1, $2, $3)",
        "SELECT id FROM users WHERE id = ANY($1)",
        "SELECT id FROM users WHERE email = (SELECT max(email) FROM users)",
        "SELECT o.id, u.email FROM orders o JOIN users u ON u.id = o.user_id WHERE o.id = $1",
        "SELECT o.id, u.email FROM orders o LEFT JOIN users u ON u.id = o.user_id AND u.active WHERE o.user_id = $1",
        "SELECT o.id FROM users u JOIN orders o ON o.user_id = u.id WHERE u.email = $1 ORDER BY o.created_at DESC LIMIT 10",
        "SELECT u.id FROM users u WHERE EXISTS (SELECT 1 FROM items i WHERE i.product_id = $1) LIMIT 10",
        "SELECT u.id, (SELECT count(*) FROM orders o WHERE o.user_id = u.id) FROM users u WHERE u.id = $1",
        "SELECT p.id, (SELECT sum(i.quantity) FROM items i WHERE i.product_id = p.id) FROM products p WHERE p.id = $1",
        "SELECT user_id, count(*) FROM orders GROUP BY user_id ORDER BY 2 DESC LIMIT 10",
        "SELECT status, count(*) FROM orders GROUP BY status",
        "SELECT DISTINCT status FROM orders",
        "SELECT id FROM orders WHERE status = 'failed'",
        "SELECT id FROM orders WHERE status = 'paid' LIMIT 10",
        "SELECT id FROM orders WHERE status = 'paid' ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE status <> 'paid' LIMIT 10",
        "SELECT id FROM orders WHERE user_id = $1 ORDER BY created_at DESC LIMIT 10",
        "SELECT id FROM orders WHERE user_id = $1 AND status = 'open'",
        "SELECT id FROM orders WHERE created_at > now() - interval '1 day' LIMIT 10",
        "SELECT id FROM orders WHERE created_at::date = $1",
        "SELECT id FROM orders ORDER BY random() LIMIT 1",
        "SELECT id FROM orders ORDER BY created_at DESC, id DESC LIMIT 20",
        "SELECT o.id, u.name FROM orders o JOIN users u ON u.id = o.user_id ORDER BY o.created_at DESC LIMIT 20",
        "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 1000",
        "SELECT max(created_at) FROM orders",
        "SELECT id FROM products WHERE lower(sku) = lower($1)",
        "SELECT id FROM products WHERE tags @> $1",
        "SELECT id FROM products WHERE attributes @> $1 LIMIT 10",
        "SELECT id FROM products WHERE attributes->>'color' = $1 LIMIT 10",
        "SELECT id FROM logs WHERE at > $1 LIMIT 100",
        "SELECT id FROM logs WHERE level = 5 ORDER BY at DESC LIMIT 10",
        "SELECT name FROM countries WHERE code = $1",
        "SELECT * FROM countries",
        "UPDATE users SET name = $1 WHERE email = $2",
        "UPDATE orders SET status = 'done' WHERE created_at < $1",
        "DELETE FROM orders WHERE id = $1",
        "DELETE FROM products WHERE id = $1",
        "INSERT INTO orders (id, user_id) VALUES ($1, $2) RETURNING *",
        "INSERT INTO orders (id, user_id) SELECT id, id FROM users",
        "SELECT id FROM orders WHERE user_id = $1 UNION ALL SELECT order_id FROM items WHERE product_id = $2",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n",
        "WITH o AS (SELECT user_id, max(created_at) AS last FROM orders GROUP BY user_id) SELECT u.email FROM o JOIN users u ON u.id = o.user_id WHERE o.last < $1 LIMIT 10",
        "SELECT i.quantity FROM items i WHERE i.order_id = $1 AND i.product_id = $2",
        "SELECT quantity FROM items WHERE product_id = $1 LIMIT 5",
        "SELECT id FROM users WHERE id = $1 FOR UPDATE",
        "SELECT t.* FROM (SELECT id, name FROM users WHERE id = $1) t",
        "SELECT row_number() OVER (ORDER BY created_at) FROM orders LIMIT 10",
        "SELECT id FROM nowhere WHERE x = $1",
        "SELECT relname FROM pg_class WHERE relname = $1",
    ];
    let mut lines = Vec::new();
    for sql in statements {
        lines.push(sql.to_owned());
        // What is wrong with the shop's tables is so for each statement: it is not about them.
        let about_it = |found: &Finding| found.query.is_some();
        for finding in run(&rules::BUILTIN, &shop(sql)).findings.into_iter().filter(about_it) {
            lines.push(format!("    {} {:?}: {}", finding.rule, finding.severity, finding.because));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}
