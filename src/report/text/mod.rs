//! The report for a person at a terminal: what was read, what to do first, the workload as a whole and over
//! time, the plan of a single statement, the expensive queries, who sent what, the findings, the advice with its proof, the pool, and everything that could not be judged.
//!
//! Colour only repeats what the words say, so that a page without it reads the same. Lines keep to the
//! width, but for single words and SQL to be run, which are never broken (see `page`).

mod advice;
mod changes;
mod chart;
mod check;
mod details;
mod findings;
mod first;
mod footer;
pub mod gate;
mod incidents;
mod indexes;
mod loops;
mod overview;
mod page;
mod parts;
mod plan;
mod plan_diff;
mod pooler;
mod queries;
mod rules;
mod shorten;
mod slo;
mod statement;
mod summary;
mod tree;
mod units;
mod verify;
mod what_if;

pub use advice::ABOUT_INDEXES;
pub use changes::render as render_changes;
pub use check::scope;
use page::Page;
pub use plan_diff::render as render_plan_diff;
pub use rules::{rule, rules};
pub use units::bytes;

use super::{Query, Report};

/// How a page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    pub color: bool,
    /// Whether the terminal shows more than ASCII.
    pub unicode: bool,
}

/// What a page is about; the JSON report is whole for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Logs and SQL files, with everything that was found.
    Workload,
    /// One statement that was typed: no figures, no ranking.
    Statement,
    /// The indexes that are missing.
    Indexes,
    /// The size of the connection pool.
    Pool,
    /// Findings by the place in a file, as a compiler gives them.
    Check,
}

/// Below this the columns of a table would have to go.
const NARROWEST: usize = 72;

/// The whole page, ending with a line end.
pub fn render(report: &Report, subject: Subject, style: &Style) -> String {
    let mut page = Page::new(*style);
    if subject == Subject::Check {
        check::write(&mut page, report);
        return page.finish();
    }
    if subject != Subject::Statement && !(subject == Subject::Pool && report.inputs.is_empty()) {
        summary::write(&mut page, report);
    }
    if subject == Subject::Workload {
        first::write(&mut page, report);
    }
    if subject == Subject::Indexes {
        indexes::summary(&mut page, report);
        verify::write(&mut page, report);
    }
    slo::write(&mut page, report);
    if subject == Subject::Workload {
        overview::write(&mut page, report);
    }
    plan::write(&mut page, report);
    if subject == Subject::Workload {
        queries::write(&mut page, report);
        details::write(&mut page, report);
        parts::write(&mut page, report);
    }
    if subject == Subject::Statement {
        statement::findings(&mut page, report);
    } else if subject != Subject::Indexes {
        findings::write(&mut page, report);
    }
    if subject == Subject::Workload {
        incidents::write(&mut page, report);
    }
    if matches!(subject, Subject::Workload | Subject::Pool) {
        pooler::write(&mut page, report);
    }
    advice::write(&mut page, report);
    if let Some(search) = report.index.as_ref().filter(|_| subject == Subject::Indexes) {
        indexes::frontier(&mut page, search);
        indexes::why_not(&mut page, search);
        findings::write(&mut page, report);
    }
    plan_diff::write(&mut page, report);
    footer::left_out(&mut page, report);
    footer::not_judged(&mut page, report);
    if subject != Subject::Pool {
        footer::verdict(&mut page, report);
    }
    page.finish()
}

/// Enough of a fingerprint to find the query elsewhere on the page and in the JSON report.
fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// `4: Seq Scan on orders o`, a node of the plan.
fn tree_place(report: &Report, number: usize) -> String {
    let nodes = report.plan_tree.iter().flat_map(|tree| &tree.nodes);
    let title = nodes.into_iter().find(|node| node.number == number).map(|node| node.title.as_str());
    title.map_or_else(|| number.to_string(), |title| format!("{number}: {title}"))
}

fn query<'a>(report: &'a Report, id: &str) -> Option<&'a Query> {
    report.queries.iter().find(|query| query.id == id)
}

/// Calls of these queries together.
fn calls(report: &Report, ids: &[String]) -> u64 {
    ids.iter().filter_map(|id| query(report, id)).map(|query| query.calls).sum()
}
