//! A comment on a pull request, in GitHub's and GitLab's Markdown: a table of the worst, the others folded
//! away, each with a link to its lines.

use super::{checked, place, sarif::encoded, scope, tally, title};
use crate::{
    finding::{Finding, Severity},
    lint::Checked,
    report::Report,
};

/// Rows that stand open.
const OPEN: usize = 20;

/// All rows: a comment may have 65,536 characters.
const MOST: usize = 150;

pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let mut text = format!("### sargable: {}\n\n{}\n", tally(report), scope(&checked));
    let head = "\n| | where | what | instead |\n| --- | --- | --- | --- |\n";
    let (open, folded) = report.findings.split_at(report.findings.len().min(OPEN));
    if !open.is_empty() {
        text.push_str(head);
        for finding in open {
            text.push_str(&row(report, &checked, finding));
        }
    }
    if !folded.is_empty() {
        text.push_str(&format!("\n<details><summary>{} more</summary>\n{head}", folded.len()));
        folded.iter().take(MOST - OPEN).for_each(|finding| text.push_str(&row(report, &checked, finding)));
        text.push_str("\n</details>\n");
        if let Some(left) = report.findings.len().checked_sub(MOST).filter(|left| *left > 0) {
            text.push_str(&format!("\n{left} findings are not listed here.\n"));
        }
    }
    if let Some(fixed) = checked.fixed.as_ref().filter(|fixed| !fixed.is_empty()) {
        let removed: u64 = fixed.iter().map(|entry| entry.count).sum();
        text.push_str(&format!("\n{removed} of the baseline's findings can be removed from it.\n"));
    }
    for line in report.of_snapshot() {
        text.push_str(&format!("\n{line}\n"));
    }
    text
}

fn row(report: &Report, checked: &Checked, finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "**error**",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = match (&finding.at, place(finding)) {
        (Some(at), Some((line, _, end))) => {
            let path = checked.links.path(&at.file);
            let last = end.map_or(line, |(end, _)| end);
            let base = checked.links.base.as_deref().unwrap_or("");
            // GitLab writes a range as `#L1-2`.
            let range = match (last > line, base.contains("/-/blob/")) {
                (false, _) => format!("#L{line}"),
                (true, true) => format!("#L{line}-{last}"),
                (true, false) => format!("#L{line}-L{last}"),
            };
            format!("[{}:{line}]({base}{}{range})", cell(&path), encoded(&path))
        }
        _ => "the workload".to_owned(),
    };
    let what = format!("`{}` {}: {}", finding.rule, cell(title(report, finding)), cell(&finding.because));
    format!("| {word} | {place} | {what} | {} |\n", cell(finding.instead.trim()))
}

/// Text that neither ends the cell nor means anything to Markdown or HTML.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => cell.push(' '),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            // No mention of a person, and no reference to an issue.
            '@' => cell.push_str("&#64;"),
            '#' => cell.push_str("&#35;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => {
                cell.push('\\');
                cell.push(c);
            }
            c if c.is_control() => cell.push('\u{fffd}'),
            c => cell.push(c),
        }
    }
    cell
}
