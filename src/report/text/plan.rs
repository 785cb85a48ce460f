//! A plan as a table whose last column is the tree: left of each node its own part of the time and the rows
//! given and expected, below it its conditions, what it wastes and the numbers of the findings about it.

use unicode_width::UnicodeWidthStr as _;

use super::{
    findings::severity,
    page::{Page, clean, wrap},
    shorten::cut,
    tree::{Guides, guides},
    units::{TIE, bytes, cost, count, duration, grouped, rows, share},
};
use crate::{
    finding::Severity,
    report::{
        Report,
        plan_tree::{NodeBuffers, PlanNode, PlanTree, Waste, WasteKind},
    },
};

/// From this width on every figure has its column.
const WIDE: usize = 150;

/// Columns that the tree has at least for a node's words.
const WORDS: usize = 22;

/// Lines of one condition; the JSON report has all of it.
const LINES: usize = 6;

/// Bytes of a page.
const PAGE: u64 = 8192;

pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(tree) = &report.plan_tree else { return };
    page.heading("Plan");
    summary(page, tree);
    page.blank();
    let columns = columns(page, tree);
    let head: Vec<String> = columns.iter().map(|column| padded(column.head, column.width)).collect();
    let head = format!("  {}  #  node", head.join(" "));
    let head = page.dimmed(head.trim_end());
    page.line(0, &head);
    let left: usize = columns.iter().map(|column| column.width + 1).sum::<usize>() + 6;
    let depths: Vec<usize> = tree.nodes.iter().map(|node| node.depth).collect();
    let room = page.width().saturating_sub(left);
    let deepest = room.saturating_sub(WORDS) / 2;
    for (node, guides) in tree.nodes.iter().zip(guides(page, &depths, deepest)) {
        one(page, report, tree, node, &guides, &columns, left);
    }
    legend(page, tree);
    besides(page, tree);
}

/// The plan as a whole, in a line or two.
fn summary(page: &mut Page, tree: &PlanTree) {
    let how = match tree.origin.as_str() {
        "analyzed" => "run with EXPLAIN ANALYZE",
        "generic" => "not run, and planned without values",
        "logged" | "pasted" if tree.measured => "was run",
        _ => "not run",
    };
    let mut words = vec![how.to_owned()];
    let root_ms = tree.nodes.first().and_then(|root| root.total_ms);
    if let Some(ms) = tree.execution_ms.or(root_ms) {
        let jit = tree.jit_ms.map(|jit| format!(" ({} of it to compile, JIT)", duration(jit)));
        words.push(format!("{} to execute{}", duration(ms), jit.unwrap_or_default()));
    }
    if let Some(ms) = tree.planning_ms {
        words.push(format!("{} to plan", duration(ms)));
    }
    words.push(format!("cost {}", cost(tree.cost)));
    let mut all = NodeBuffers::default();
    for one in tree.nodes.iter().filter_map(|node| node.buffers) {
        all.hit = all.hit.saturating_add(one.hit);
        all.read = all.read.saturating_add(one.read);
        all.temp_read = all.temp_read.saturating_add(one.temp_read);
        all.temp_written = all.temp_written.saturating_add(one.temp_written);
    }
    if all.hit.saturating_add(all.read) > 0 {
        let pages = all.hit.saturating_add(all.read);
        let found = match all.read {
            0 => "all found in shared buffers".to_owned(),
            read => format!("{} of them not in shared buffers", grouped(read)),
        };
        words.push(format!(
            "{} asked for ({}), {found}",
            count(pages, "page", "pages"),
            bytes(pages.saturating_mul(PAGE))
        ));
    }
    if all.temp_written > 0 {
        words.push(format!("{} written to temporary files", bytes(all.temp_written.saturating_mul(PAGE))));
    }
    page.prose(2, &words.join(", "));
}

struct Column {
    head: &'static str,
    width: usize,
    text: fn(&PlanNode) -> String,
    /// How it stands out, if it does.
    loud: fn(&PlanNode) -> Option<Severity>,
}

fn columns(page: &Page, tree: &PlanTree) -> Vec<Column> {
    let wide = page.width() >= WIDE;
    let plain = |head, width, text| Column { head, width, text, loud: |_| None };
    let timed = tree.share_of == "time";
    let mut all = Vec::new();
    if timed {
        if wide {
            all.push(plain("total", 8, |node| {
                node.total_ms.filter(|_| ran(node)).map(duration).unwrap_or_default()
            }));
        }
        all.push(plain("self", 8, |node| {
            node.self_ms.filter(|_| ran(node)).map(duration).unwrap_or_default()
        }));
    }
    if !timed || wide {
        all.push(plain("cost", if wide { 11 } else { 8 }, |node| {
            if node.cost < 99.995 { cost(node.cost) } else { figure(node.cost) }
        }));
    }
    all.push(Column {
        head: if timed { "time" } else { "self" },
        width: 5,
        text: |node| node.share.filter(|_| !node.never_executed).map(percent).unwrap_or_default(),
        loud: |node| match node.share {
            Some(share) if share >= 0.5 => Some(Severity::Error),
            Some(share) if share >= 0.2 => Some(Severity::Warning),
            _ => None,
        },
    });
    let width = if wide { 13 } else { 7 };
    if tree.measured {
        all.push(plain(
            "rows",
            width,
            if wide { |node| of_rows(node, rows) } else { |node| of_rows(node, figure) },
        ));
    }
    all.push(plain(
        if wide { "expected" } else { "expect" },
        width,
        if wide { |node| rows(node.rows_expected) } else { |node| figure(node.rows_expected) },
    ));
    if tree.measured {
        all.push(Column {
            head: "off",
            width: 6,
            text: |node| node.factor.map(off).unwrap_or_default(),
            loud: |node| match node.factor {
                Some(factor) if factor >= 100.0 || factor <= 0.01 => Some(Severity::Error),
                Some(factor) if factor >= 10.0 || factor <= 0.1 => Some(Severity::Warning),
                _ => None,
            },
        });
    }
    if wide && tree.measured {
        all.push(plain("loops", 9, |node| node.loops.map(rows).unwrap_or_default()));
        all.push(plain("pages", 9, |node| {
            node.buffers.map(|own| rows((own.hit.saturating_add(own.read)) as f64)).unwrap_or_default()
        }));
        all.push(plain("read", 9, |node| node.buffers.map(|own| rows(own.read as f64)).unwrap_or_default()));
    }
    all
}

fn ran(node: &PlanNode) -> bool {
    !node.never_executed
}

fn of_rows(node: &PlanNode, text: fn(f64) -> String) -> String {
    if node.never_executed { "never".to_owned() } else { node.rows.map(text).unwrap_or_default() }
}

/// `×200` where 200 times as many rows came as were expected, `÷25` where a 25th; nothing below twice.
fn off(factor: f64) -> String {
    let (sign, times) = if factor < 1.0 { ('÷', 1.0 / factor) } else { ('×', factor) };
    match times {
        times if times < 1.95 => String::new(),
        times if times < 9.95 => format!("{sign}{times:.1}"),
        times if times < 9_999.5 => format!("{sign}{times:.0}"),
        times => format!("{sign}{}", figure(times)),
    }
}

/// At most seven columns: `85`, `200,000`, `1.23 M`.
fn figure(number: f64) -> String {
    let short = |number: f64, unit: &str| {
        let digits = usize::from(number < 99.95);
        format!("{number:.digits$}{TIE}{unit}")
    };
    match number {
        number if number < 999_999.5 => rows(if number < 9.95 { number } else { number.round() }),
        number if number < 999_950_000.0 => short(number / 1e6, "M"),
        number if number < 999_950_000_000.0 => short(number / 1e9, "G"),
        number => format!("{number:.0e}"),
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => String::new(),
        percent if percent < 1.0 => format!("<1{TIE}%"),
        percent => format!("{percent:.0}{TIE}%"),
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{:gap$}{text}", "", gap = width.saturating_sub(text.width()))
}

fn one(
    page: &mut Page,
    report: &Report,
    tree: &PlanTree,
    node: &PlanNode,
    guides: &Guides,
    columns: &[Column],
    left: usize,
) {
    let worst = tree.worst == Some(node.number) && tree.nodes.len() > 1;
    let cells: Vec<String> = columns
        .iter()
        .map(|column| {
            let text = padded(&(column.text)(node), column.width);
            match (column.loud)(node) {
                Some(severity) => page.severity(severity, &text),
                None => text,
            }
        })
        .collect();
    let mark = if worst { page.severity(Severity::Error, "▶") } else { " ".to_owned() };
    let lead = format!("{mark} {} {:>3} ", cells.join(" "), node.number);
    let room = |guide: &str| page.width().saturating_sub(left + 1 + guide.width()).max(WORDS);
    let title = wrap(&node.title, room(&guides.first));
    let mut lines: Vec<(String, String)> = Vec::new();
    for (at, line) in title.iter().enumerate() {
        let text = if worst { page.strong(line) } else { clean(line) };
        let guide = if at == 0 { &guides.first } else { &guides.rest };
        lines.push((guide.clone(), text));
    }
    let mut detail = |page: &Page, text: &str, paint: &dyn Fn(&Page, &str) -> String| {
        let broken = wrap(text, room(&guides.rest));
        let more = broken.len() > LINES;
        for (at, line) in broken.into_iter().take(LINES).enumerate() {
            let line = if more && at + 1 == LINES { format!("{line} …") } else { line };
            let line = cut(&line, room(&guides.rest));
            lines.push((guides.rest.clone(), paint(page, &line)));
        }
    };
    let dimmed = |page: &Page, line: &str| page.dimmed(line);
    let warned = |page: &Page, line: &str| page.severity(Severity::Warning, line);
    for condition in &node.conditions {
        detail(page, &format!("{} {}", condition.what, condition.text), &dimmed);
    }
    if !node.notes.is_empty() {
        detail(page, &node.notes.join(", "), &dimmed);
    }
    if page.width() < WIDE
        && let Some(work) = work(node)
    {
        detail(page, &work, &dimmed);
    }
    for waste in &node.wastes {
        detail(page, &wasted(waste), &warned);
    }
    for number in &node.findings {
        let Some(finding) = report.findings.get(number - 1) else { continue };
        let text = format!("[{number}] {}: {}", severity(finding.severity), finding.rule);
        detail(page, &text, &|page: &Page, line: &str| page.severity(finding.severity, line));
    }
    for (at, (guide, text)) in lines.into_iter().enumerate() {
        let guide = page.dimmed(&guide);
        if at == 0 {
            page.line(0, &format!("{lead}{guide}{text}"));
        } else {
            page.line(left - 1, &format!("{guide}{text}"));
        }
    }
}

/// Loops and pages, where they have no column.
fn work(node: &PlanNode) -> Option<String> {
    let mut words = Vec::new();
    if let Some(loops) = node.loops.filter(|loops| *loops > 1.0) {
        words.push(format!("{} loops", rows(loops)));
    }
    if let Some(own) = node.buffers.filter(|own| own.hit.saturating_add(own.read) > 0) {
        words.push(count(own.hit.saturating_add(own.read), "page", "pages"));
        if own.read > 0 {
            words.push(format!("{} read", rows(own.read as f64)));
        }
    }
    (!words.is_empty()).then(|| words.join(", "))
}

fn wasted(waste: &Waste) -> String {
    let amount = rows(waste.amount);
    let of = waste.share.map(|part| format!(" ({})", share(part, 1.0))).unwrap_or_default();
    match waste.kind {
        WasteKind::RowsRemovedByFilter => format!("{amount}{TIE}rows removed by the filter{of}"),
        WasteKind::RowsRemovedByJoinFilter => format!("{amount}{TIE}rows removed by the join filter{of}"),
        WasteKind::RowsRemovedByRecheck => format!("{amount}{TIE}rows removed by the recheck{of}"),
        WasteKind::HeapFetches => format!("{amount} fetches from the table"),
        WasteKind::BytesOnDisk => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bytes; `as` saturates"
            )]
            let size = bytes(waste.amount as u64);
            format!("{size} on disk")
        }
        WasteKind::LossyPages => format!("{amount} lossy pages{of}"),
        WasteKind::RepeatedScans => format!("scanned {amount} times"),
        WasteKind::WorkersMissing => format!("{amount} planned workers did not start"),
    }
}

fn legend(page: &mut Page, tree: &PlanTree) {
    let mut words = Vec::new();
    if tree.nodes.len() > 1 && tree.worst.is_some() {
        words.push(if tree.share_of == "time" {
            "▶ takes most of the time itself".to_owned()
        } else {
            "▶ makes most of the cost itself".to_owned()
        });
    }
    let is_off = |factor: f64| !off(factor).is_empty();
    if tree.nodes.iter().filter_map(|node| node.factor).any(is_off) {
        words.push("off ×10: ten times as many rows as expected, ÷10: a tenth".to_owned());
    }
    if !words.is_empty() {
        page.blank();
        for line in wrap(&words.join("; "), page.width() - 2) {
            let line = page.dimmed(&line);
            page.line(2, &line);
        }
    }
}

/// What takes time beside the nodes, and the settings under which the plan was made.
fn besides(page: &mut Page, tree: &PlanTree) {
    if !tree.settings.is_empty() {
        page.blank();
        let all: Vec<String> =
            tree.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        page.prose(2, &format!("settings: {}", all.join(", ")));
    }
    if !tree.triggers.is_empty() {
        page.blank();
    }
    for trigger in &tree.triggers {
        let who = match (&trigger.constraint, &trigger.name) {
            (Some(constraint), _) => format!("check of the constraint {constraint}"),
            (None, Some(name)) => format!("trigger {name}"),
            (None, None) => "a trigger".to_owned(),
        };
        let part = tree.execution_ms.map(|all| format!(", {} of the time", share(trigger.ms, all)));
        let times = rows(trigger.calls);
        let words = format!("{who}: {} in {times} calls{}", duration(trigger.ms), part.unwrap_or_default());
        let most = tree.nodes.iter().filter_map(|node| node.self_ms).all(|ms| ms < trigger.ms);
        let mark = if most { page.severity(Severity::Error, "▶") } else { " ".to_owned() };
        page.hanging(0, &format!("{mark} "), 2, &words);
    }
}
