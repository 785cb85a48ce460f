//! One query for each row of another: N+1 reads, one finding for each loop.
//!
//! The workload counts the repetition; the Shape tells the look-alikes apart (`look_alike`), and what joins
//! it to the query that fed it (`link`). Loops inside of loops and side by side are told as one (`loops`):
//! the outermost is the finding, the others are kept as notes that name it, with their own occurrences.

use serde_json::{Map, Value, json};

use super::{
    Report, WorkloadFacts, link,
    link::{By, Link},
    log_limits,
    look_alike::{asks_for_few, is_look_alike, key},
    loops::{self, Child, Group, Member},
    repeated::{evidence, finding, in_all, round_trips_saved, tables, times, unit_words},
    rewrite, words,
};
use crate::{
    finding::{Finding, Severity},
    rules::Rule,
    sql::{Fingerprint, Shape, shape::TableSource},
    workload::{Evidence, Repetition, RepetitionKind},
};

/// Queries of one loop whose values are compared.
const COMPARED: usize = 16;
/// Units of work in which the same values are more than chance.
const LEAST_UNITS: u64 = 3;

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    log_limits::add(rule, facts, report);
    let mut children: Vec<Child<'_>> = Vec::new();
    let mut batches: Vec<Child<'_>> = Vec::new();
    for found in facts.repetitions.iter().filter(|found| found.kind == RepetitionKind::NPlusOne) {
        let Some(shape) = facts.shapes.get(&found.child) else {
            report.not_judged.add(&rule.name, "the repeated statement could not be parsed");
            continue;
        };
        if shape.writes_in_cte {
            report.not_judged.add(&rule.name, "the repeated statement writes in a WITH");
            continue;
        }
        let Some(child) = child(rule, facts, found, shape) else { continue };
        if child.lists { &mut batches } else { &mut children }.push(child);
    }
    // A list of keys in every turn of a loop: what a prefetch sends that is told to load one row's children.
    let turns = |batch: &Child<'_>| children.iter().any(|child| loops::in_step(batch.found, child.found));
    let (in_loops, _): (Vec<_>, Vec<_>) = batches.into_iter().partition(turns);
    children.extend(in_loops);
    let groups = loops::groups(&children);
    for group in groups {
        fed_alike(facts, &mut children, &group);
        findings(rule, facts, &children, &group, report);
    }
}

/// The repetition as an N+1, unless it only looks like one.
fn child<'a>(
    rule: &Rule,
    facts: &WorkloadFacts<'a>,
    found: &'a Repetition,
    shape: &'a Shape,
) -> Option<Child<'a>> {
    // `SELECT EXISTS (SELECT … WHERE id = $1)` has its key inside.
    let (block, key) = shape.blocks.iter().find_map(|block| Some((block, key(block)?)))?;
    let query = facts.workload.query(found.child);
    let few = (found.max_repeats as f64) < rule.param("repeats");
    if few || is_look_alike(shape, block, key, query) {
        return None;
    }
    let parent = found.parent.and_then(|id| facts.shapes.get(&id));
    let link = parent.and_then(|parent| link::link(parent, block, key, facts.catalog));
    let lists = !asks_for_few(block, key, query, found);
    Some(Child { found, block, key, parent, link, lists, same_values_as: Vec::new() })
}

/// Passes on what fed one query of a loop to those that ask by the same values.
fn fed_alike(facts: &WorkloadFacts<'_>, children: &mut [Child<'_>], group: &Group) {
    let members = &group.members[..group.members.len().min(COMPARED)];
    for (own, member) in members.iter().enumerate() {
        let others = members.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, other)| other.child);
        let child = children[member.child].found.child;
        let alike: Vec<usize> =
            others.filter(|&other| same_values(facts, child, children[other].found.child)).collect();
        if children[member.child].link.is_none() {
            let link = alike.iter().find_map(|&other| children[other].link.clone());
            children[member.child].link = link.map(Link::by_values);
        }
        children[member.child].same_values_as =
            alike.into_iter().map(|other| children[other].found.child).collect();
    }
}

/// Whether the loops over two queries begin with the same values in every unit of work that shows both.
fn same_values(facts: &WorkloadFacts<'_>, a: Fingerprint, b: Fingerprint) -> bool {
    let (mut same, mut units) = (0, 0);
    for outline in facts.workload.outlines() {
        let position = |id| outline.steps.iter().position(|step| step.query == id);
        let (Some(first), Some(second)) = (position(a), position(b)) else { continue };
        let begins = |at: usize| outline.steps[at].like.map_or(at, usize::from);
        units += outline.units();
        if begins(first) == begins(second) {
            same += outline.units();
        }
    }
    same >= LEAST_UNITS && same == units
}

/// The finding of a loop, and a note for each of its other queries.
fn findings(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    children: &[Child<'_>],
    group: &Group,
    report: &mut Report,
) {
    let mut made: Vec<Finding> =
        group.members.iter().map(|member| one(rule, facts, children, *member)).collect();
    if let [head, parts @ ..] = &mut made[..]
        && !parts.is_empty()
    {
        let id = |member: &Member| children[member.child].found.child.to_string();
        let ids: Vec<String> = group.members.iter().map(id).collect();
        let others = |own: usize| -> Value {
            ids.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, id)| json!(id)).collect()
        };
        let named: Vec<String> = group.members[1..]
            .iter()
            .map(|member| {
                let child = &children[member.child];
                format!("{} ({})", link::asked(child.block, child.key), times(child.found))
            })
            .collect();
        head.because.push_str(&format!("; in the same loop {}", words::list(&named)));
        head.severity = parts.iter().map(|part| part.severity).fold(head.severity, Severity::max);
        head.cost_ms += parts.iter().map(|part| part.cost_ms).sum::<f64>();
        head.detail.insert("loop".to_owned(), others(0));
        if group.members.iter().any(|member| member.level > 1) {
            head.detail.insert("levels".to_owned(), loops::levels(children, group));
        }
        let saved: u64 =
            group.members.iter().map(|member| round_trips_saved(children[member.child].found)).sum();
        head.detail.insert("loop_round_trips_saved".to_owned(), json!(saved));
        for (at, part) in parts.iter_mut().enumerate() {
            part.severity = Severity::Note;
            part.detail.insert("loop".to_owned(), others(at + 1));
            part.detail.insert("part_of".to_owned(), json!(ids[0]));
        }
    }
    report.findings.extend(made);
}

fn one(rule: &Rule, facts: &WorkloadFacts<'_>, children: &[Child<'_>], member: Member) -> Finding {
    let child = &children[member.child];
    let (found, block, key) = (child.found, child.block, child.key);
    let after = child
        .parent
        .and_then(first_table)
        .map(|table| format!(", after a query of {table}"))
        .unwrap_or_default();
    let because = format!(
        "{} asked for {} {} at a time: {} in {}{after} ({}, {})",
        tables(block),
        if child.lists { "a list of" } else { "one" },
        rewrite::column(block, &key.column),
        times(found),
        unit_words(&found.units_by_evidence),
        in_all(facts, found),
        evidence(found.evidence),
    );
    let mut instead = facts
        .shapes
        .get(&found.child)
        .filter(|shape| shape.blocks.first().is_some_and(|first| first.tests().any(|test| test == key)))
        .and_then(|shape| rewrite::any_of(shape, key))
        .unwrap_or_else(|| rule.instead.trim().to_owned());
    if let Some(link) = &child.link
        && let Some(join) = link::join(link, block, key)
    {
        let sure = match link.by {
            By::ForeignKey => "",
            By::Name => ", if the names say what they mean",
            By::Values => ", if the values are the same by more than chance",
        };
        instead = format!("{instead}\n\nOr in the first query{sure}: {join}");
    }
    let mut finding = finding(rule, facts, found, because, instead);
    if !child.same_values_as.is_empty() {
        let ids: Vec<String> = child.same_values_as.iter().map(ToString::to_string).collect();
        finding.detail.insert("same_values_as".to_owned(), json!(ids));
    }
    if let Some(link) = &child.link {
        let mut fed = Map::new();
        fed.insert("table".to_owned(), json!(link.table.plain()));
        fed.insert("column".to_owned(), json!(link.column));
        fed.insert("by".to_owned(), json!(link.by.word()));
        finding.detail.insert("fed_by".to_owned(), Value::Object(fed));
    }
    // A single short burst may be chance: sessions of a pool serve several requests.
    if found.evidence >= Evidence::Burst && found.units < 2 && found.max_repeats < 2 * Repetition::LEAST {
        finding.severity = Severity::Note;
    }
    finding
}

fn first_table(shape: &Shape) -> Option<String> {
    let block = shape.blocks.first()?;
    block.tables.iter().find_map(|table| match &table.source {
        TableSource::Table(name) => Some(name.plain()),
        _ => None,
    })
}
