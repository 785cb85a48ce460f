//! One session's log, written four times by PostgreSQL 15 with `auto_explain` in each of its formats
//! (`fixtures/plans/logs`): executions are counted once, and every query has its plan.

use sargable::{
    plan::Plan,
    sources::{self, Options},
    workload::{PlanFormat, Workload},
};

const FORMATS: [(&str, PlanFormat); 4] = [
    ("json", PlanFormat::Json),
    ("text", PlanFormat::Text),
    ("xml", PlanFormat::Xml),
    ("yaml", PlanFormat::Yaml),
];

fn workload(name: &str) -> Workload {
    let path = format!("fixtures/plans/logs/{name}.log").into();
    sources::ingest(&[path], &Options::default(), &mut |_| ()).expect(name).workload
}

/// Each query with its executions, and the nodes of its plan.
fn outline(workload: &Workload, format: PlanFormat) -> Vec<(String, u64, Vec<String>)> {
    let mut queries: Vec<_> = workload
        .ranked()
        .iter()
        .map(|query| {
            let nodes = query.plan.as_ref().map_or_else(Vec::new, |logged| {
                assert_eq!(logged.format, format, "{}", query.text);
                let plan = Plan::from_text(&logged.text).expect(&query.text);
                plan.nodes()
                    .iter()
                    .map(|node| {
                        let actual = node.actual.expect("ANALYZE was on");
                        assert!(
                            actual.total_ms.is_some()
                                && plan.json.get("Query Text").is_some() == (format != PlanFormat::Text)
                        );
                        format!("{} {} {:?} {:?}", node.node_type, actual.rows, node.filter, node.index)
                    })
                    .collect()
            });
            (query.text.clone(), query.calls, nodes)
        })
        .collect();
    queries.sort();
    queries
}

#[test]
fn each_format_gives_the_same_queries_and_plans() {
    let expect = outline(&workload("json"), PlanFormat::Json);
    // One statement inside of a function, which ran with no call of its own, and SET, which has no plan.
    assert_eq!(expect.iter().filter(|(_, calls, _)| *calls == 0).count(), 1, "{expect:?}");
    assert_eq!(expect.iter().filter(|(_, _, nodes)| nodes.is_empty()).count(), 1, "{expect:?}");
    for (name, format) in FORMATS {
        let workload = workload(name);
        assert_eq!(workload.totals().executions, 7, "{name}");
        assert_eq!(outline(&workload, format), expect, "{name}");
        assert!(workload.not_judged().is_empty(), "{name}: {:?}", workload.not_judged());
    }
}

/// Texts of several lines, with quotes, `&`, `<` and what looks like a plan, are the queries that ran.
#[test]
fn the_statement_of_a_plan_is_the_one_that_ran() {
    for (name, _) in FORMATS {
        let workload = workload(name);
        for query in workload.ranked() {
            if query.calls > 0 && !query.text.starts_with("SET") {
                assert!(query.plan.is_some(), "{name}: {}", query.text);
            }
        }
        // An execution and its plan that did not meet would be two queries.
        assert_eq!(workload.ranked().len(), 6, "{name}");
    }
}
