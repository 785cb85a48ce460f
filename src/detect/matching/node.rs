//! Conditions on the plan's nodes, at any depth.

use super::{Case, facts, truth::Truth};
use crate::{
    detect::words,
    plan::Node,
    rules::matching::{NodeMatch, Placeholder},
};

pub(super) fn any(case: &Case<'_>, wanted: &NodeMatch) -> Truth {
    match case.facts.plan {
        Some(plan) => among(case, wanted, &plan.plan.nodes()),
        None => Truth::Unknown,
    }
}

fn among(case: &Case<'_>, wanted: &NodeMatch, nodes: &[&Node]) -> Truth {
    let mut first = None;
    let (mut matched, mut unknown) = (0, 0);
    for node in nodes {
        match one(case, wanted, node) {
            Truth::Yes(filled) => {
                matched += 1;
                first.get_or_insert(filled);
            }
            Truth::Unknown => unknown += 1,
            Truth::No => {}
        }
    }
    match first {
        Some(filled) => {
            Truth::Yes(filled).and_if(wanted.count.as_ref(), |bounds| match case.count(bounds, matched) {
                _ if unknown > 0 => Truth::Unknown,
                truth => truth,
            })
        }
        None if unknown > 0 => Truth::Unknown,
        None => Truth::No,
    }
}

fn one(case: &Case<'_>, wanted: &NodeMatch, node: &Node) -> Truth {
    let holds =
        wanted.node_type.as_ref().is_none_or(|types| types.0.iter().any(|word| word.0 == node.node_type))
            && wanted.filter.is_none_or(|asked| node.filter.is_some() == asked);
    let loops = node.actual.map(|actual| actual.loops);
    let rows = node.actual.map(|_| node.total_rows());
    Truth::of(holds)
        .fill(Placeholder::Node, || node.node_type.clone())
        .and_if(wanted.rows.as_ref(), |bounds| {
            facts::number(case, bounds, rows, Placeholder::Rows, words::count)
        })
        .and_if(wanted.estimated_rows.as_ref(), |bounds| {
            facts::number(case, bounds, Some(node.rows), Placeholder::Rows, words::count)
        })
        .and_if(wanted.misestimate.as_ref(), |bounds| {
            Truth::known(node.actual.map(|actual| {
                let (actual, expected) = (actual.rows.max(1.0), node.rows.max(1.0));
                case.within(bounds, (actual / expected).max(expected / actual))
            }))
        })
        .and_if(wanted.removed.as_ref(), |bounds| {
            let removed =
                [node.rows_removed_by_filter, node.rows_removed_by_join_filter, node.rows_removed_by_recheck];
            let removed: f64 = removed.into_iter().flatten().sum();
            facts::number(
                case,
                bounds,
                loops.map(|loops| removed * loops),
                Placeholder::Removed,
                words::count,
            )
        })
        .and_if(wanted.loops.as_ref(), |bounds| {
            facts::number(case, bounds, loops, Placeholder::Loops, words::count)
        })
        .and_if(wanted.spill.as_ref(), |bounds| {
            facts::number(case, bounds, spill(node), Placeholder::Spill, kilobytes)
        })
        .and_if(wanted.buffers.as_ref(), |bounds| {
            let blocks = node.buffers.map(|buffers| (buffers.shared_hit + buffers.shared_read) as f64);
            facts::number(case, bounds, blocks, Placeholder::Buffers, words::count)
        })
        .and_if(wanted.milliseconds.as_ref(), |bounds| {
            facts::number(case, bounds, node.self_ms(), Placeholder::Milliseconds, words::milliseconds)
        })
        .and_if(wanted.cost.as_ref(), |bounds| Truth::of(case.within(bounds, node.total_cost)))
        .and_if(wanted.table.as_ref(), |table| match &node.relation {
            Some(name) => facts::table(case, table, name),
            None => Truth::No,
        })
        .and_if(wanted.contains.as_deref(), |inner| {
            let mut below: Vec<&Node> = node.children.iter().collect();
            let mut at = 0;
            while at < below.len() {
                below.extend(&below[at].children);
                at += 1;
            }
            match among(case, inner, &below) {
                Truth::Yes(_) => Truth::of(true),
                truth => truth,
            }
        })
        .and_if(node.relation.as_ref(), |name| Truth::of(true).fill(Placeholder::Table, || name.plain()))
}

/// Kilobytes that went to disk; `None` where nothing was measured.
fn spill(node: &Node) -> Option<f64> {
    node.actual?;
    let sort = node.sort_space.filter(|(_, disk)| *disk).map_or(0, |(kilobytes, _)| kilobytes);
    Some((sort + node.disk_kb.unwrap_or(0)) as f64)
}

fn kilobytes(number: f64) -> String {
    words::bytes(number * 1024.0)
}
