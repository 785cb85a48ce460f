//! The plan gate: plans keep their form in the file, and a verdict follows from the plans alone.

use std::{collections::BTreeSet, fs};

use sargable::{
    catalog::{Catalog, Table},
    gate::{self, Checked, Limits, Lock, Locked, Regression, ServerBasis, State, TableBasis},
    names::RelName,
    plan::{Node, Plan},
    report::text::{self, Style},
};

/// PostgreSQL's own plans of 85 queries.
fn plans() -> Vec<(String, Plan)> {
    let all = fs::read_to_string("fixtures/plans/formats/plain.json").expect("the fixture");
    let cases = all.split("== ").filter_map(|case| case.split_once('\n'));
    cases.map(|(name, plan)| (name.to_owned(), Plan::from_text(plan).expect(name))).collect()
}

/// All that a verdict depends on.
fn facts(node: &Node) -> String {
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {} {} {}..{} {} {}",
        node.node_type,
        node.strategy,
        node.relation.as_ref().map(|relation| &relation.name),
        node.index,
        node.join_type,
        node.subplan_name,
        node.parallel_aware,
        node.filter.is_some(),
        node.startup_cost,
        node.total_cost,
        node.rows,
        node.width
    )
}

#[test]
fn a_plan_is_read_from_the_file_as_it_was() {
    let mut wrong = Vec::new();
    let plans = plans();
    assert_eq!(plans.len(), 85);
    for (name, plan) in plans {
        let text = gate::outline(&plan);
        let again = Plan::from_text(&text).unwrap_or_else(|not| panic!("{name}: {}\n{text}", not.why));
        let (was, is): (Vec<String>, Vec<String>) =
            (plan.nodes().into_iter().map(facts).collect(), again.nodes().into_iter().map(facts).collect());
        if was != is {
            wrong.push(format!("{name}\n  {was:?}\n  {is:?}\n{text}"));
        }
        assert!(!text.contains('\''), "a constant: {text}");
        assert_eq!(gate::outline(&again), text, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn catalog() -> Catalog {
    let table = Table { name: RelName::new(Some("public"), "orders"), rows: Some(1e6), ..Table::default() };
    Catalog { version: 150_003, tables: vec![table], ..Catalog::default() }
}

const INDEXED: &str = "Index Scan using orders_customer_idx on orders  (cost=0.42..84.12 rows=20 width=44)
  Index Cond: (customer_id = ?)";
const WHOLE: &str = "Seq Scan on orders  (cost=0.00..31376.83 rows=20 width=44)
  Filter: (customer_id = ?)";

fn lock(plans: &[(&str, &str, &str)]) -> Lock {
    let table = TableBasis { rows: Some(1_000_000), schema: "a".to_owned(), statistics: "b".to_owned() };
    Lock {
        plans: gate::FORMAT,
        server: ServerBasis { version: 150_003, planned_by: 15, ..ServerBasis::default() },
        tables: [("public.orders".to_owned(), table)].into(),
        queries: plans
            .iter()
            .map(|(query, file, plan)| Locked {
                query: (*query).to_owned(),
                files: vec![(*file).to_owned()],
                sql: format!("SELECT {query} FROM orders WHERE customer_id = ?"),
                tables: vec!["public.orders".to_owned()],
                accepted: None,
                plan: (*plan).to_owned(),
            })
            .collect(),
    }
}

fn judged(old: &Lock, new: &Lock) -> Checked {
    let there: BTreeSet<String> = new.queries.iter().map(|locked| locked.query.clone()).collect();
    gate::judge(old, new, &there, &catalog(), &Limits::default())
}

#[test]
fn what_became_worse_is_told_with_its_cause() {
    let (old, mut new) = (lock(&[("a", "a.sql", INDEXED)]), lock(&[("a", "a.sql", WHOLE)]));
    new.tables.get_mut("public.orders").expect("the table").schema = "c".to_owned();
    let checked = judged(&old, &new);
    let [verdict] = checked.verdicts.as_slice() else { panic!("{checked:?}") };
    assert_eq!(verdict.state, State::Worse);
    let scan = Regression::SeqScan {
        table: "orders".to_owned(),
        rows: 1e6,
        was: Some("Index Scan using orders_customer_idx".to_owned()),
    };
    let index = Regression::Index { name: "orders_customer_idx".to_owned(), exists: false };
    let cost = Regression::Cost { before: 84.12, after: 31_376.83 };
    assert_eq!(verdict.regressions, [scan, index, cost]);
    assert_eq!(verdict.because, ["the schema of orders"]);
    let style = Style { width: 100, color: false, unicode: true };
    insta::assert_snapshot!(text::gate::render(&checked, "sargable.plans", &style));
    // The other way round is none.
    assert!(!judged(&new, &old).fails());
}

/// One a little under each limit, and one a little over.
#[test]
fn limits_are_where_they_are_said_to_be() {
    let plan = |cost: f64, rows: f64| {
        format!("Index Scan using i on orders  (cost=0.42..{cost:.2} rows={rows:.0} width=44)")
    };
    for (before, after, fails) in [
        ((100.0, 10.0), (200.0, 10.0), false),
        ((100.0, 10.0), (200.1, 10.0), true),
        ((1.0, 10.0), (49.9, 10.0), false),
        ((100.0, 1000.0), (100.0, 10_000.0), false),
        ((100.0, 1000.0), (100.0, 10_001.0), true),
        ((100.0, 1.0), (100.0, 999.0), false),
    ] {
        let old = lock(&[("a", "a.sql", &plan(before.0, before.1))]);
        let new = lock(&[("a", "a.sql", &plan(after.0, after.1))]);
        assert_eq!(judged(&old, &new).fails(), fails, "{before:?} {after:?}");
    }
}

/// A query that was edited is held to the plan of the one before; one that is new only to common sense.
#[test]
fn new_and_edited_queries() {
    let old = lock(&[("a", "a.sql", INDEXED)]);
    let edited = judged(&old, &lock(&[("b", "a.sql", WHOLE)]));
    assert_eq!(edited.verdicts.len(), 1);
    assert_eq!(edited.verdicts[0].state, State::Worse);
    assert!(edited.verdicts[0].because[0].starts_with("the query itself"), "{edited:?}");
    let new = judged(&old, &lock(&[("a", "a.sql", INDEXED), ("b", "b.sql", WHOLE), ("c", "c.sql", INDEXED)]));
    let of = |id: &str| new.verdicts.iter().find(|verdict| verdict.query == id).expect(id);
    assert_eq!((of("a").state, of("b").state, of("c").state), (State::Same, State::New, State::New));
    assert!(of("b").fails() && !of("c").fails(), "{new:?}");
    let gone = judged(&old, &lock(&[]));
    assert_eq!(gone.count(State::Gone), 1);
    assert!(!gone.fails());
    let there = BTreeSet::from(["a".to_owned()]);
    let unplanned = gate::judge(&old, &lock(&[]), &there, &catalog(), &Limits::default());
    assert_eq!(unplanned.count(State::NotPlanned), 1);
}

#[test]
fn the_file_is_read_as_it_was_written() {
    let strange =
        "Seq Scan on \"a b: c\"  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (x = ?) # 'no comment'";
    let lock = lock(&[("a", "weird: name.sql", strange), ("b", "- b.sql", INDEXED)]);
    let text = lock.render();
    assert_eq!(Lock::parse("x.plans", &text).expect("its own text"), lock);
    assert!(text.contains("\n    Index Cond: (customer_id = ?)\n") || text.contains("Index Cond"), "{text}");
    for (text, expect) in [
        ("plans: 9\nserver: {version: 1, planned_by: 1}", "has form 9"),
        ("plans: 1\nserver: {version: 1, planned_by: 1}\nnope: 2", "nope"),
        ("{", "x.plans"),
    ] {
        let err = Lock::parse("x.plans", text).expect_err(text).to_string();
        assert!(err.contains(expect), "{err}");
    }
}
