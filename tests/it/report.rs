//! Whole reports, from the fixture of a shop's hour: the text as a person sees it, and the JSON as a
//! program reads it.

use sargable::{
    error::NotJudged,
    finding::{Location, Severity},
    report::{Query, Report, json, plan_tree::PlanTree, text},
    sql::Normalizer,
    workload::{Binds, Event, EventKind, InputSummary, Position, Workload},
};
use unicode_width::UnicodeWidthStr as _;

fn shop() -> Report {
    let json = std::fs::read_to_string("fixtures/reports/shop.json").expect("the fixture");
    serde_json::from_str(&json).expect("a report")
}

fn screen(report: &Report, width: usize) -> String {
    text::render(report, text::Subject::Workload, &text::Style { width, color: false, unicode: true })
}

/// A report on nothing, to be filled.
fn empty() -> Report {
    Report::new(&[], &Workload::default(), Vec::new(), Vec::new(), &NotJudged::default())
}

/// No line is wider than the page, but SQL to be run and single words; no line ends in a space.
#[track_caller]
fn fits(page: &str, width: usize) {
    for line in page.lines() {
        let one_word = line.split_whitespace().count() == 1;
        assert!(line.width() <= width || one_word || line.ends_with(';'), "{} columns: {line}", line.width());
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn a_shop_at_80_columns() {
    insta::assert_snapshot!(screen(&shop(), 80));
}

#[test]
fn a_shop_at_200_columns() {
    insta::assert_snapshot!(screen(&shop(), 200));
}

#[test]
fn lines_keep_to_the_width() {
    for width in [72, 80, 100, 139, 140, 200, 400] {
        fits(&screen(&shop(), width), width);
    }
    fits(&screen(&shop(), 20), 72);
}

/// Nothing in a table of the largest figures there can be takes it over the edge.
#[test]
fn large_figures_keep_to_the_width() {
    let mut report = shop();
    for query in &mut report.queries {
        *query = Query {
            calls: 12_345_678_901_234,
            timed_calls: 12_345_678_901_234,
            total_ms: 9.9e11,
            mean_ms: Some(98_765.4),
            p50_ms: Some(0.035),
            p95_ms: Some(119_499.0),
            p99_ms: Some(7_100_000.0),
            max_ms: Some(8.0e11),
            text: "x".repeat(3000),
            ..query.clone()
        };
    }
    report.totals.total_ms = 9.9e11 * 13.0;
    for width in [80, 140, 200] {
        fits(&screen(&report, width), width);
    }
}

#[test]
fn sql_to_run_stands_alone_and_whole() {
    for width in [80, 200] {
        let page = screen(&shop(), width);
        let lines: Vec<&str> = page.lines().map(str::trim_start).collect();
        for advice in shop().advice.iter().filter(|advice| advice.table.is_some()) {
            let statement = format!("{};", advice.sql);
            assert!(lines.contains(&statement.as_str()), "{statement}");
        }
    }
}

#[test]
fn colour_says_nothing_of_its_own() {
    let plain = screen(&shop(), 80);
    let coloured = text::render(
        &shop(),
        text::Subject::Workload,
        &text::Style { width: 80, color: true, unicode: true },
    );
    let codes = regex::Regex::new("\x1b\\[[0-9;]*m").expect("a fixed pattern");
    assert!(codes.is_match(&coloured) && !codes.is_match(&plain));
    assert_eq!(codes.replace_all(&coloured, ""), plain);
}

#[test]
fn everything_is_counted_on_the_page() {
    let page = screen(&shop(), 80);
    assert!(page.contains("Findings: 3 errors, 6 warnings, 4 notes"));
    assert!(page.contains("Advice: 4 changes"));
    for what in ["dblink()", "line 12, line 57", "and 1 more in the JSON report"] {
        assert!(page.contains(what), "{what}");
    }
    // 3 lines, 12 without values, 1 and 2 queries, 3 without a plan: what `skipped` counts is not
    // counted again.
    assert!(page.trim_end().ends_with("21 not judged"), "{page}");
}

/// The query that an index was advised for has no second line for its sequential scan, and one that
/// two rules object to has one line.
#[test]
fn the_first_three_are_three_different_things() {
    let page = screen(&shop(), 200);
    let first: Vec<&str> = page.lines().filter(|line| line.starts_with(['1', '2', '3'])).take(3).collect();
    assert!(first[0].contains("lower(email)") && first[0].contains("32 s of 88 s (36 %)"), "{first:#?}");
    assert!(first[1].contains("(user_id, status, created_at DESC)"), "{first:#?}");
    assert!(first[2].contains("n-plus-one in query 7be20d51"), "{first:#?}");
}

#[test]
fn nothing_reads_as_nothing() {
    insta::assert_snapshot!(screen(&empty(), 80), @r"
    Read     nothing: no input was given
    Work     no statement was found

    Nothing found to do

    There was no query to judge.

    no findings, no advice
    ");
}

#[test]
fn a_clean_log_says_so() {
    let mut report = shop();
    report.findings.clear();
    report.advice.clear();
    report.not_judged.clear();
    report.inputs.truncate(0);
    let page = screen(&report, 80);
    assert!(
        page.contains("Nothing found to do\n\nNo rule found anything at severity warning or above.\n"),
        "{page}"
    );
    assert!(page.ends_with("\n\nno findings, no advice\n"), "{page}");
}

/// SQL files without a log: no times, every place is listed, and can be clicked.
#[test]
fn a_lint_run_lists_every_place() {
    let mut report = shop();
    let template =
        report.findings.iter().find(|finding| finding.at.is_some()).expect("one in a file").clone();
    report.totals = empty().totals;
    report.queries.retain(|query| query.calls == 0);
    report.advice.clear();
    report.findings = (1..=30)
        .map(|line| {
            let at = Some(Location { file: "db/queries.sql".to_owned(), line, column: 8 });
            sargable::finding::Finding { at, ..template.clone() }
        })
        .collect();
    let page = screen(&report, 80);
    for line in 1..=30 {
        assert!(page.contains(&format!("db/queries.sql:{line}:8")), "{line}");
    }
    assert!(page.contains("none was seen running") && !page.contains("Most expensive"), "{page}");
}

#[test]
fn a_plan_is_an_outline() {
    let mut report = empty();
    report.plan = Some(serde_json::json!([{ "Plan": {
        "Node Type": "Limit", "Startup Cost": 0.0, "Total Cost": 21370.5, "Plan Rows": 20, "Plan Width": 8,
        "Actual Rows": 3, "Actual Loops": 1, "Actual Startup Time": 1.0, "Actual Total Time": 87.25,
        "Plans": [{
            "Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "orders", "Schema": "public",
            "Alias": "o", "Startup Cost": 0.0, "Total Cost": 21370.0, "Plan Rows": 30, "Plan Width": 8,
            "Actual Rows": 3, "Actual Loops": 1, "Actual Startup Time": 1.0, "Actual Total Time": 87.0,
            "Filter": "(user_id = 42)", "Rows Removed by Filter": 999_997
        }]
    }, "Planning Time": 0.2, "Execution Time": 87.4 }]));
    let plan =
        report.plan.clone().and_then(|json| sargable::plan::Plan::from_json(json).ok()).expect("a plan");
    report.plan_tree = Some(PlanTree::new(&plan, "analyzed", &[]));
    let page = screen(&report, 80);
    let plan = page.split("Plan\n\n").nth(1).expect("the section");
    let lines: Vec<&str> = plan.lines().map(str::trim).collect();
    for line in [
        "run with EXPLAIN ANALYZE, 87 ms to execute, 0.20 ms to plan, cost 21,370",
        "self  time    rows  expect    off  #  node",
        "0.25 ms  <1 %       3      20   ÷6.7   1 Limit",
        "▶    87 ms 100 %       3      30          2 └─Seq Scan on orders o",
        "filter (user_id = 42)",
        "999,997 rows removed by the",
        "filter (100 %)",
    ] {
        assert!(lines.contains(&line), "{line}\n{plan}");
    }
}

/// What a log or a rule holds cannot move the cursor.
#[test]
fn control_characters_stay_off_the_terminal() {
    let mut report = shop();
    for query in &mut report.queries {
        query.text = "SELECT '\x1b]0;owned\x07\r' AS \"\u{202e}x\"".to_owned();
    }
    for finding in &mut report.findings {
        finding.because = "\x1b[2J".to_owned();
        finding.instead = "CREATE INDEX \x1b[2J".to_owned();
    }
    for advice in &mut report.advice {
        advice.sql = "\x1b[2J".to_owned();
        advice.table = Some("\x1b[2J".to_owned());
    }
    report.not_judged[0].why = "\x1b[2J".to_owned();
    report.inputs[0].name = "\x1b[2J.log".to_owned();
    let page = screen(&report, 80);
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn json_reads_back_as_the_same_report() {
    let report = shop();
    let back: Report = serde_json::from_str(&json::render(&report)).expect("a report");
    assert_eq!(back, report);
}

#[test]
fn the_worst_finding_decides() {
    let mut report = shop();
    assert!(report.reaches(Severity::Error) && report.reaches(Severity::Note));
    report.findings.retain(|finding| finding.severity == Severity::Note);
    assert_eq!(report.worst(), Some(Severity::Note));
    assert!(report.reaches(Severity::Note) && !report.reaches(Severity::Warning));
    report.findings.clear();
    assert_eq!(report.worst(), None);
    assert!(!report.reaches(Severity::Note));
}

/// Two executions of one query and one of another, as a log has them.
fn logged() -> Report {
    let mut workload = Workload::default();
    let mut normalizer = Normalizer::default();
    for (line, sql, duration) in [
        (3, "SELECT 1 FROM a WHERE b = 'secret'", 1_500),
        (4, "SELECT 2 FROM c", 250_001),
        (9, "SELECT 1 FROM a WHERE b = 'x'", 500),
    ] {
        let event = Event {
            end: Some(1_795_406_971_530_999 + i64::from(line)),
            duration: Some(duration),
            session: Some(7),
            database: Some(b"shop"),
            ..Event::new(
                EventKind::Execution { sql: sql.as_bytes(), binds: Binds::Unknown },
                Position { input: 0, line: u64::try_from(line).expect("a small number") },
            )
        };
        workload.add(&event, &mut normalizer);
    }
    workload.close();
    let inputs = [InputSummary {
        name: "a.log".to_owned(),
        format: "pg-stderr".to_owned(),
        ..InputSummary::default()
    }];
    Report::new(&inputs, &workload, Vec::new(), Vec::new(), &NotJudged::default())
}

#[test]
fn figures_come_from_the_workload() {
    let report = logged();
    let [dear, cheap] = report.queries.as_slice() else { panic!("two queries: {report:?}") };
    assert_eq!(
        (dear.calls, dear.total_ms, dear.sources.as_slice()),
        (1, 250.001, &["a.log:4".to_owned()][..])
    );
    assert_eq!((cheap.calls, cheap.total_ms, cheap.mean_ms), (2, 2.0, Some(1.0)));
    assert_eq!((cheap.min_ms, cheap.max_ms), (Some(0.5), Some(1.5)));
    assert_eq!(cheap.first.as_deref(), Some("2026-11-23T04:09:31Z"));
    assert_eq!(report.totals.total_ms.to_string(), "252.001");
    assert!(!json::render(&report).contains("secret"));
}
