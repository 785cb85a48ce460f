//! The findings about one statement: all in full, with the numbers by which its plan names them.

use super::{
    findings::{confidence, header, instead, tag, tally},
    loops,
    page::Page,
    tree_place,
};
use crate::report::{Report, index::answering};

pub(super) fn findings(page: &mut Page, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    page.heading(&format!("Findings: {}", tally(report)));
    for (at, finding) in report.findings.iter().enumerate() {
        page.blank();
        let (lead, title) = header(page, report, finding);
        let number = format!("[{}] ", at + 1);
        page.hanging(0, &format!("{number}{lead} "), number.len() + tag(finding).len() + 1, &title);
        if let Some(node) = finding.node {
            page.field(2, "node", &tree_place(report, node));
        } else if let Some(at) = &finding.at {
            page.field(2, "at", &format!("{}:{}:{}", at.file, at.line, at.column));
        }
        page.field(2, "because", &finding.because);
        match answering(report, finding) {
            Some(number) => page.field(2, "instead", &format!("make change {number} of the advice below")),
            None => instead(page, &finding.instead),
        }
        loops::write(page, finding);
        page.field(2, "sure", &confidence(finding.confidence));
    }
}
