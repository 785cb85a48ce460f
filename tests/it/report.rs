//! Whole reports, from the fixture of a shop's hour: the text as a person sees it, and the JSON as a
//! program reads it.

use sargable::{
    finding::Severity,
    report::{Report, json, text},
};

fn shop() -> Report {
    let json = std::fs::read_to_string("fixtures/reports/shop.json").expect("the fixture");
    serde_json::from_str(&json).expect("a report")
}

fn screen(report: &Report, width: usize) -> String {
    text::render(report, &text::Style { width, color: false })
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
fn json_reads_back_as_the_same_report() {
    let report = shop();
    let back: Report = serde_json::from_str(&json::render(&report)).expect("a report");
    assert_eq!(back, report);
    assert!(report.reaches(Severity::Error));
}
