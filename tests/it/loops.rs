//! Loops inside of loops and side by side: one finding, with its levels and with what fed them.

use sargable::{finding::Severity, sql::Normalizer};
use serde_json::{Value, json};

use crate::planted::{Log, logged};

const ORDERS: &str = "SELECT id, user_id, total FROM orders ORDER BY id DESC LIMIT 6";
const ITEMS: &str = "SELECT id, product_id, quantity FROM items WHERE order_id = $1";
const PRODUCT: &str = "SELECT id, name FROM products WHERE id = $1";
const SHIPMENT: &str = "SELECT state FROM shipments WHERE for_order = $1";

/// So many transactions: six orders, the items of each, and for each item its product; for each order its
/// shipment, too.
fn log(units: u32, shipments: bool) -> Log {
    let mut log = Log::default();
    for unit in 0..units {
        let pid = 40 + unit;
        let mut now = 1_795_000_000_000_000 + i64::from(unit) * 60_000_000;
        let mut run = |sql: &str, value: Option<u32>| {
            now += 1_000;
            let binds: Vec<String> = value.into_iter().map(|value| value.to_string()).collect();
            log.execution(pid, now, 200, sql, &binds);
        };
        run("BEGIN", None);
        run(ORDERS, None);
        for order in 0..6 {
            let order_id = 1_000 + unit * 100 + order;
            if shipments {
                run(SHIPMENT, Some(order_id));
            }
            run(ITEMS, Some(order_id));
            for item in 0..3 {
                run(PRODUCT, Some(7 * order_id + 11 * item));
            }
        }
        run("COMMIT", None);
    }
    log
}

fn id(sql: &str) -> Value {
    json!(Normalizer::default().scan(sql.as_bytes()).fingerprint.to_string())
}

#[test]
fn a_nested_loop_is_one_finding_with_its_levels() {
    let found = log(4, false).judged().findings;
    let [head, part] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(head.severity, Severity::Warning);
    assert_eq!(json!(head.query), id(ITEMS));
    assert_eq!(
        head.detail["levels"],
        json!([
            { "level": 0, "query": id(ORDERS), "under": null, "times": 1, "columns": [] },
            { "level": 1, "query": id(ITEMS), "under": id(ORDERS), "times": 6, "columns": ["order_id"] },
            { "level": 2, "query": id(PRODUCT), "under": id(ITEMS), "times": 18, "columns": ["id"] },
        ])
    );
    assert_eq!(head.detail["loop"], json!([id(PRODUCT)]));
    assert_eq!(head.detail["fed_by"], json!({ "table": "orders", "column": "id", "by": "name" }));
    // Six orders and eighteen products in each of four transactions, and one statement for each.
    assert_eq!(head.detail["round_trips_saved"], json!(24 - 4));
    assert_eq!(head.detail["loop_round_trips_saved"], json!(24 - 4 + 72 - 4));
    assert!((head.cost_ms - 0.2 * 96.0).abs() < 1e-6, "{}", head.cost_ms);
    insta::assert_snapshot!(head.because, @"items asked for one order_id at a time: 6 times in each of 4 transactions, after a query of orders (4.8 ms in all, certain: one transaction); in the same loop products by id (18 times)");

    // Programs still find the inner loop with its own numbers; a person reads of it once.
    assert_eq!(part.severity, Severity::Note);
    assert_eq!(json!(part.query), id(PRODUCT));
    assert_eq!(part.detail["part_of"], id(ITEMS));
    assert_eq!(part.detail["fed_by"], json!({ "table": "items", "column": "product_id", "by": "name" }));
    assert_eq!(part.detail["occurrences"].as_array().map(Vec::len), Some(4));
}

/// `for_order` is named after nothing, but its values are those that `order_id` has.
#[test]
fn siblings_are_one_loop_and_share_what_fed_them() {
    let found = log(4, true).judged().findings;
    let [head, parts @ ..] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(parts.len(), 2);
    assert_eq!(head.severity, Severity::Warning);
    assert!(
        parts
            .iter()
            .all(|part| part.severity == Severity::Note && part.detail["part_of"] == json!(head.query))
    );
    let shipment = found.iter().find(|finding| json!(finding.query) == id(SHIPMENT)).expect("a finding");
    assert_eq!(shipment.detail["same_values_as"], json!([id(ITEMS)]));
    assert_eq!(shipment.detail["fed_by"], json!({ "table": "orders", "column": "id", "by": "values" }));
    let depths: Vec<&Value> =
        head.detail["levels"].as_array().expect("levels").iter().map(|level| &level["level"]).collect();
    assert_eq!(depths, [&json!(0), &json!(1), &json!(1), &json!(2)]);
}

/// Seen twice, the same values may be chance.
#[test]
fn equal_values_in_two_units_say_nothing() {
    let found = log(2, true).judged().findings;
    let shipment = found.iter().find(|finding| json!(finding.query) == id(SHIPMENT)).expect("a finding");
    assert!(!shipment.detail.contains_key("same_values_as") && !shipment.detail.contains_key("fed_by"));
}

/// A person reads of the loop once, with its levels; the JSON report holds what the schema names.
#[test]
fn the_page_tells_a_nested_loop_once() {
    let file = logged(&mut log(4, false));
    let run = |format: &str| {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sargable"))
            .args(["logs", "--format", format])
            .arg(file.path())
            .output()
            .expect("it runs");
        String::from_utf8(ran.stdout).expect("UTF-8")
    };
    let page = run("text");
    let findings = page.find("\nFindings").and_then(|at| page.get(at..)).expect("findings");
    let end = findings.find("\nNot judged").expect("the next part");
    assert_eq!(findings.matches("n-plus-one").count(), 1);
    insta::assert_snapshot!(findings[..end].trim());

    let report: Value = serde_json::from_str(&run("json")).expect("JSON");
    assert_eq!(crate::docs::violations(&report), Vec::<String>::new());
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(2));
}

/// One session in one transaction: each statement a millisecond after the one before.
fn transaction(statements: &[(String, Vec<String>)]) -> Log {
    let mut log = Log::default();
    let begin = ("BEGIN".to_owned(), Vec::new());
    let commit = ("COMMIT".to_owned(), Vec::new());
    let all = std::iter::once(&begin).chain(statements).chain([&commit]);
    for (at, (sql, binds)) in (0..).zip(all) {
        log.execution(40, 1_795_000_000_000_000 + at * 1_000, 200, sql, binds);
    }
    log
}

fn products(ids: std::ops::Range<u32>) -> impl Iterator<Item = (String, Vec<String>)> {
    ids.map(|id| (PRODUCT.to_owned(), vec![id.to_string()]))
}

fn plain(sql: &str) -> (String, Vec<String>) {
    (sql.to_owned(), Vec::new())
}

/// Four products of a cart, then another part of the page, which loads nine: these are one loop, and the
/// query before them has fed them.
#[test]
fn two_parts_of_a_page_are_two_loops() {
    const RELATED: &str = "SELECT product_id FROM related WHERE cart_id = 3";
    let between = [plain("SELECT count(*) FROM reviews"), plain(RELATED)];
    let page = [plain("SELECT product_id FROM cart WHERE user_id = 7")]
        .into_iter()
        .chain(products(0..4))
        .chain(between.clone())
        .chain(products(10..19))
        .collect::<Vec<_>>();
    let found = transaction(&page).judged().repetitions;
    let [(kind, one)] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((kind.as_str(), one.repeats, one.units), ("n-plus-one", 9, 1));
    assert_eq!(json!(one.parent.map(|id| id.to_string())), id(RELATED));

    // One query that runs once may be a part of the loop: something is cached on the way.
    let page = [plain("SELECT product_id FROM cart WHERE user_id = 7")]
        .into_iter()
        .chain(products(0..4))
        .chain([between[0].clone()])
        .chain(products(10..19))
        .collect::<Vec<_>>();
    let found = transaction(&page).judged().repetitions;
    assert_eq!(found.iter().map(|(_, one)| one.repeats).collect::<Vec<_>>(), [13]);
}

/// A prefetch that is told to load the children of one row sends a list in every turn of the loop; alone, lists
/// are the batches of an export.
#[test]
fn lists_in_every_turn_of_a_loop_belong_to_it() {
    let pictures = |order: u32| {
        plain(&format!(
            "SELECT id FROM pictures WHERE item_id IN ({}, {}, {}, {})",
            order * 10,
            order * 10 + 1,
            order * 10 + 2,
            order * 10 + 3
        ))
    };
    let turns = |with_items: bool| -> Vec<(String, Vec<String>)> {
        let turn = |order: u32| {
            let items = with_items.then(|| (ITEMS.to_owned(), vec![order.to_string()]));
            items.into_iter().chain([pictures(order)])
        };
        [plain(ORDERS)].into_iter().chain((1..9).flat_map(turn)).collect()
    };
    let found = transaction(&turns(true)).judged().findings;
    let [head, part] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((json!(head.query), part.severity), (id(ITEMS), Severity::Note));
    insta::assert_snapshot!(part.because, @"pictures asked for a list of item_id at a time: 8 times in one transaction, after a query of orders (1.6 ms in all, certain: one transaction)");
    assert!(transaction(&turns(false)).judged().findings.is_empty());
}
