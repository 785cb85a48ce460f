//! The rules folder keeps its word: it loads strictly, and every example in it is run here.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use sargable::{
    detect::{self, Detector, Report},
    error::Error,
    examples::{self, Bench},
    finding::Finding,
    plan::Plan,
    rules::{self, Example, ExampleStatistics, Rule, Set},
};

fn bench() -> Bench<'static> {
    Bench { known: &rules::BUILTIN, plan: &plan }
}

/// One rule, or all of them, over one example.
#[track_caller]
fn run(rules: &[Rule], example: &Example) -> Report {
    examples::run(rules, example, &bench()).unwrap_or_else(|why| panic!("{why}: {}", example.sql))
}

/// Of the table that the binary brings.
fn plan(name: &str) -> Result<Plan, String> {
    let (_, text) = rules::PLANS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("src/rules/plans.rs needs a line for {name}"))?;
    Plan::from_json(serde_json::from_str(text).expect("JSON")).map_err(|err| err.why)
}

/// What is wrong with a rule's examples, one line each; empty when all hold.
fn complaints(rule: &Rule, mut run: impl FnMut(&Example) -> Vec<Finding>) -> String {
    let wrong = examples::complaints(rule, |example| Ok(run(example)));
    wrong
        .iter()
        .map(|wrong| {
            let promised = wrong.promised.as_deref().unwrap_or_default();
            let said = wrong.said.join("\n  ");
            format!("{} {}: {}\n  {said}\nnot\n  {promised}\n", rule.name, wrong.what.word(), wrong.sql)
        })
        .collect()
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

/// The rules that are on without being asked for.
fn by_default() -> Vec<Rule> {
    rules::BUILTIN.iter().filter(|rule| rule.set == Set::Default).cloned().collect()
}

/// Whether a finding is of a rule like this one: about a schema, or about statements.
fn same_kind(rule: &Rule, found: &Finding) -> bool {
    let about_schema = |rule: &Rule| {
        let schema = |(name, detector): &(&str, Detector)| {
            Some(*name) == rule.detector.as_deref() && matches!(detector, Detector::Schema(_))
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
            let found = run(&by_default(), good).findings;
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
    let used: BTreeSet<&str> = rules::BUILTIN.iter().filter_map(|rule| rule.detector.as_deref()).collect();
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
    rules/write-loop.yaml:28:1: not a rule file: a good example has no `because`
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
    let Some((_, Detector::Workload(_))) =
        detect::ALL.iter().find(|(name, _)| Some(*name) == rule.detector.as_deref())
    else {
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

/// Thresholds whose edge no example of the rule's own can stand at, with the test that stands there.
const EDGE_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("n-plus-one", "executions", "tests/it/log_limits.rs::a_log_without_quick_statements_speaks_for_itself"),
    ("n-plus-one", "quickest", "tests/it/log_limits.rs::a_log_without_quick_statements_speaks_for_itself"),
    ("cast-in-plan", "rows", MEASURED),
    ("sort-for-limit", "fraction", MEASURED),
    ("sort-for-limit", "rows", MEASURED),
    ("subquery-per-row", "loops", MEASURED),
    ("subquery-per-row", "share", MEASURED),
    ("pool-size", "instances", "tests/it/rules.rs::configured_instances_are_counted"),
    ("pool-size", "pool", "tests/it/rules.rs::configured_instances_are_counted"),
];

const MEASURED: &str = "tests/it/rules.rs::a_plan_at_the_threshold_is_found_and_one_past_it_is_not";

/// The plan of a rule's first bad example, with the threshold moved to what was measured there and just past it.
#[test]
fn a_plan_at_the_threshold_is_found_and_one_past_it_is_not() {
    for (name, param, at, past) in [
        ("cast-in-plan", "rows", 200_000.0, 200_001.0),
        ("sort-for-limit", "rows", 200_000.0, 200_001.0),
        ("sort-for-limit", "fraction", 0.000_05, 0.000_049),
        ("subquery-per-row", "loops", 20_000.0, 20_001.0),
        ("subquery-per-row", "share", 0.8, 0.95),
    ] {
        let rule = rules::find(name).expect("built in");
        let bad = rule.examples.bad.first().expect("one");
        let found = |threshold: f64| {
            let mut rule = rule.clone();
            rule.params.get_mut(param).expect("the parameter").default = threshold;
            run(&[rule], bad).findings.len()
        };
        assert!(found(at) > 0, "{name}: {param} = {at}");
        assert_eq!(found(past), 0, "{name}: {param} = {past}");
    }
}

/// Nobody knows them until `sargable.yaml` says them, so that no example can.
#[test]
fn configured_instances_are_counted() {
    let rule = rules::find("pool-size").expect("built in");
    let good = rule.examples.good.first().expect("one");
    let found = |instances: f64, pool: f64| {
        let mut rule = rule.clone();
        for (name, number) in [("instances", instances), ("pool", pool)] {
            rule.params.get_mut(name).expect("the parameter").default = number;
        }
        run(&[rule], good).findings.into_iter().map(|finding| finding.because).collect::<Vec<_>>()
    };
    assert_eq!(found(8.0, 10.0), Vec::<String>::new());
    insta::assert_snapshot!(found(9.0, 9.0).join("\n"));
}

/// Each threshold has examples at it and just past it: a little more or less of it changes what they say.
#[test]
fn every_threshold_has_its_edge() {
    let bench = bench();
    let mut lacking = Vec::new();
    for rule in rules::BUILTIN.iter() {
        for param in examples::without_edge(rule, &bench) {
            let elsewhere =
                EDGE_ELSEWHERE.iter().any(|(name, known, _)| *name == rule.name && *known == param);
            if !elsewhere {
                lacking.push(format!("{}: {param} = {}", rule.name, rule.params[&param].default));
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
    for rule in rules::BUILTIN.iter() {
        assert_eq!(examples::edges(rule, &bench), [], "{}", rule.name);
    }
    for (name, _, test) in EDGE_ELSEWHERE {
        let (file, function) = test.split_once("::").expect("file::function");
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {function}(")), "{name}: {test}");
    }
}
