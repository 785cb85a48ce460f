//! The demo's pipeline, at a hundredth of its size.

use std::{cell::RefCell, fs, path::PathBuf};

use sargable::{
    advise::{Advice, AdviceKind},
    cli::demo::{self, DemoOptions, statements},
};

/// What a person would advise for the planted problems.
const BY_HAND: &[&str] = &[
    "CREATE INDEX CONCURRENTLY ON users (email)",
    "CREATE INDEX CONCURRENTLY ON orders (user_id, status, created_at DESC)",
    "CREATE INDEX CONCURRENTLY ON order_items (order_id)",
    "CREATE INDEX CONCURRENTLY ON reviews (product_id, created_at DESC)",
];

fn advice(sql: &str) -> Advice {
    Advice::of(AdviceKind::CreateIndex, sql.to_owned(), String::new())
}

#[test]
fn the_whole_run_with_advice_given_by_hand() {
    let scale: f64 =
        std::env::var("SARGABLE_TEST_SCALE").map_or(0.01, |scale| scale.parse().expect("a number"));
    let seen = RefCell::new(String::new());
    let analyze = |logs: &[PathBuf], url: &str| {
        let [log] = logs else { panic!("one log: {logs:?}") };
        *seen.borrow_mut() = fs::read_to_string(log).expect("the log");
        assert!(url.starts_with("postgresql:///shop?host="), "{url}");
        Ok(BY_HAND.iter().map(|sql| advice(sql)).collect())
    };
    let (mut out, mut steps) = (Vec::new(), Vec::new());
    let options = DemoOptions { rows_scale: scale, ..DemoOptions::default() };
    demo::run(&options, analyze, &mut out, &mut |step| steps.push(step.to_owned())).expect("a demo");

    let log = seen.into_inner();
    for statement in statements::ALL {
        assert!(log.contains(&format!(": {}", statement.sql)), "not in the log: {}", statement.name);
    }
    let children = log
        .lines()
        .filter(|line| line.contains("  execute ") && line.ends_with(statements::USER_OF_AN_ORDER.sql));
    assert_eq!(children.count(), 20 * 100, "20 requests of 100 orders each");
    assert!(log.contains("LOG:  duration: "), "Debian's prefix");
    assert!(!log.contains("sargable demo"), "our own sessions are not the application's");

    let out = String::from_utf8(out).expect("text");
    assert!(steps.iter().any(|step| step.starts_with("loading the shop: ")), "{steps:?}");
    assert!(out.contains("4 cores, SSD"), "{out}");
    for sql in BY_HAND {
        assert!(out.contains(sql), "{sql}\n{out}");
    }
    let widest =
        out.lines().filter(|line| line.starts_with(['│', '┌'])).map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|columns| columns <= 80), "{widest:?}\n{out}");
}

/// The whole program on a tenth of the shop, the analysis included.
#[test]
fn the_demo_finds_what_the_shop_has_wrong_on_purpose() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_sargable"))
        .args(["demo", "--rows-scale", "0.1"])
        .env_remove("DATABASE_URL")
        .env("COLUMNS", "80")
        .output()
        .expect("the program starts");
    let (page, told) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.code(), Some(0), "{page}\n{told}");
    assert!(page.contains("15 problems on purpose: all were found,"), "{page}");
    for sql in [
        "CREATE INDEX CONCURRENTLY users_email_idx ON public.users (email);",
        "CREATE INDEX CONCURRENTLY orders_user_id_status_created_at_idx ON public.orders (user_id, status, created_at DESC);",
        "CREATE INDEX CONCURRENTLY order_items_order_id_idx ON public.order_items (order_id);",
        "CREATE INDEX CONCURRENTLY reviews_product_id_created_at_idx ON public.reviews (product_id, created_at DESC);",
    ] {
        // Once in the advice, once as applied.
        assert_eq!(page.matches(sql).count(), 2, "{sql}\n{page}");
    }
    // What an advised index answers names that, rather than a second, shorter index.
    assert!(!page.contains("ON public.orders (user_id);"), "{page}");
    // SQL to copy is never broken.
    let sql = |line: &str| ["CREATE INDEX", "SELECT"].iter().any(|verb| line.trim_start().starts_with(verb));
    let too_wide: Vec<&str> =
        page.split('\n').filter(|line| line.chars().count() > 80 && !sql(line)).collect();
    assert!(too_wide.is_empty(), "{too_wide:#?}");
}
