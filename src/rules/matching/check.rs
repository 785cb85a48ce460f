//! What a `match:` rule's parts must be to each other, found when the rule is loaded.

use std::collections::BTreeSet;

use super::{
    Bounds, ColumnMatch, Match, NodeMatch, Placeholder, TableMatch, Template, Threshold, template::Part,
};
use crate::rules::{Needs, Rule};

/// What a condition's words were found to use and to fill.
#[derive(Debug, Default)]
struct Uses {
    params: BTreeSet<String>,
    schema: bool,
    plan: bool,
    empty: bool,
}

/// The text to look for in the file, and what is wrong with it; `None` when all is well.
pub fn check(rule: &Rule, matching: &Match) -> Option<(String, String)> {
    let mut uses = Uses::default();
    uses.conditions(matching, true);
    if uses.empty {
        return Some(("match:".to_owned(), "a condition without a key would always hold".to_owned()));
    }
    if let Some(name) = uses.params.iter().find(|name| !rule.params.contains_key(*name)) {
        return Some((format!("param {name}"), format!("the rule has no parameter `{name}`")));
    }
    let instead = match rule.instead.parse::<Template>() {
        Ok(instead) => instead,
        Err(why) => return Some(("instead:".to_owned(), why)),
    };
    let fillable = fills(matching);
    let Some(because) = &rule.because else {
        return Some(("match:".to_owned(), "a rule with `match:` needs its `because:`".to_owned()));
    };
    for (key, template) in [("because:", because), ("instead:", &instead)] {
        for part in &template.parts {
            match part {
                Part::Fill(place) if !fillable.contains(place) => {
                    let name = place.name();
                    return Some((key.to_owned(), format!("no condition of `match:` fills {{{name}}}")));
                }
                Part::Param(name) if !rule.params.contains_key(name) => {
                    return Some((key.to_owned(), format!("the rule has no parameter `{name}`")));
                }
                _ => {}
            }
        }
    }
    if let Some(name) = rule.params.keys().find(|name| !uses.params.contains(*name)) {
        return Some((format!("{name}:"), format!("no condition uses the parameter `{name}`")));
    }
    let needs = |need| rule.needs.contains(&need);
    if uses.schema && !needs(Needs::Schema) && !needs(Needs::Statistics) {
        return Some(("needs:".to_owned(), "its conditions need `schema` or `statistics`".to_owned()));
    }
    if uses.plan && !needs(Needs::Plan) {
        return Some(("needs:".to_owned(), "its conditions need `plan`".to_owned()));
    }
    None
}

impl Uses {
    /// `firm` is false under `unless`, which does without its facts.
    fn conditions(&mut self, m: &Match, firm: bool) {
        self.empty |= *m == Match::default();
        for inner in m.all.iter().chain(&m.any).flatten() {
            self.conditions(inner, firm);
        }
        self.empty |= [&m.all, &m.any].into_iter().flatten().any(Vec::is_empty);
        for inner in [&m.not, &m.contains, &m.inside].into_iter().flatten() {
            self.conditions(inner, firm);
        }
        if let Some(inner) = &m.unless {
            self.conditions(inner, false);
        }
        if let Some(p) = &m.predicate {
            self.bounds([&p.length, &p.count]);
            self.column(p.column.as_ref(), firm);
            self.column(p.other_column.as_ref(), firm);
            self.table(p.table.as_ref(), firm);
        }
        self.bounds([&m.tables]);
        self.table(m.table.as_ref(), firm);
        if let Some(join) = &m.join {
            self.bounds([&join.count]);
            self.table(join.table.as_ref(), firm);
        }
        if let Some(order) = &m.order {
            self.bounds([&order.keys, &order.tables]);
            self.column(order.column.as_ref(), firm);
        }
        self.bounds(m.group.iter().map(|group| &group.keys));
        self.bounds(m.limit.iter().chain(&m.offset).map(|bound| &bound.number));
        self.bounds(m.set_operation.iter().map(|set| &set.arms));
        self.bounds(m.projection.iter().map(|projection| &projection.columns));
        if let Some(writes) = &m.writes {
            self.bounds([&writes.columns, &writes.rows]);
            self.table(writes.table.as_ref(), firm);
            self.column(writes.column.as_ref(), firm);
        }
        if let Some(node) = &m.node {
            self.plan |= firm;
            self.node(node, firm);
        }
    }

    fn node(&mut self, n: &NodeMatch, firm: bool) {
        self.bounds([&n.rows, &n.estimated_rows, &n.misestimate, &n.removed, &n.loops, &n.spill]);
        self.bounds([&n.buffers, &n.milliseconds, &n.cost, &n.count]);
        self.table(n.table.as_ref(), firm);
        if let Some(inner) = &n.contains {
            self.node(inner, firm);
        }
    }

    fn table(&mut self, table: Option<&TableMatch>, firm: bool) {
        let Some(t) = table else { return };
        self.bounds([&t.rows, &t.bytes, &t.columns]);
        let facts = t.kind.is_some()
            || t.rows.is_some()
            || t.bytes.is_some()
            || t.columns.is_some()
            || t.primary_key.is_some();
        self.schema |= firm && facts;
    }

    fn column(&mut self, column: Option<&ColumnMatch>, firm: bool) {
        let Some(c) = column else { return };
        let facts = c.data_type.is_some()
            || c.nullable.is_some()
            || c.unique.is_some()
            || c.indexed_by.is_some()
            || c.not_indexed_by.is_some();
        self.schema |= firm && facts;
    }

    fn bounds<'a>(&mut self, all: impl IntoIterator<Item = &'a Option<Bounds>>) {
        for threshold in all.into_iter().flatten().flat_map(Bounds::thresholds) {
            if let Threshold::Param(name) = threshold {
                self.params.insert(name.clone());
            }
        }
    }
}

/// The placeholders that are filled whichever way the conditions hold.
fn fills(m: &Match) -> BTreeSet<Placeholder> {
    use Placeholder as P;
    let mut filled = BTreeSet::from([P::Table, P::Tables]);
    let mut fill = |places: &[P], when: bool| {
        if when {
            filled.extend(places);
        }
    };
    if let Some(p) = &m.predicate {
        fill(&[P::Column, P::Columns, P::Operator], true);
        fill(&[P::Function], p.function.is_some());
        fill(&[P::Count], p.count.is_some() || p.length.is_some());
        fill(&[P::Type], p.column.as_ref().is_some_and(|column| column.data_type.is_some()));
        table_fills(p.table.as_ref(), &mut fill);
    }
    fill(&[P::Function], m.function.is_some());
    fill(&[P::Count], m.tables.is_some());
    table_fills(m.table.as_ref(), &mut fill);
    if let Some(join) = &m.join {
        fill(&[P::Count], join.count.is_some());
        table_fills(join.table.as_ref(), &mut fill);
    }
    if let Some(order) = &m.order {
        fill(&[P::Function], order.function.is_some());
        fill(&[P::Count], order.keys.is_some() || order.tables.is_some());
        fill(&[P::Column], order.column.is_some());
    }
    if let Some(group) = &m.group {
        fill(&[P::Function], group.function.is_some());
        fill(&[P::Count], group.keys.is_some());
    }
    fill(&[P::Limit], m.limit.as_ref().is_some_and(|bound| bound.number.is_some()));
    fill(&[P::Offset], m.offset.as_ref().is_some_and(|bound| bound.number.is_some()));
    fill(&[P::Count], m.set_operation.as_ref().is_some_and(|set| set.arms.is_some()));
    fill(&[P::Count], m.projection.as_ref().is_some_and(|projection| projection.columns.is_some()));
    if let Some(writes) = &m.writes {
        fill(&[P::Count], writes.columns.is_some() || writes.rows.is_some());
        fill(&[P::Column], writes.column.is_some());
        table_fills(writes.table.as_ref(), &mut fill);
    }
    if let Some(n) = &m.node {
        fill(&[P::Node], true);
        fill(&[P::Rows], n.rows.is_some() || n.estimated_rows.is_some());
        fill(&[P::Removed], n.removed.is_some());
        fill(&[P::Loops], n.loops.is_some());
        fill(&[P::Spill], n.spill.is_some());
        fill(&[P::Buffers], n.buffers.is_some());
        fill(&[P::Milliseconds], n.milliseconds.is_some());
        fill(&[P::Count], n.count.is_some());
        table_fills(n.table.as_ref(), &mut fill);
    }
    for inner in m.all.iter().flatten().chain(m.contains.as_deref()).chain(m.inside.as_deref()) {
        filled.extend(fills(inner));
    }
    if let Some(alternatives) = &m.any {
        let common = alternatives.iter().map(fills).reduce(|a, b| a.intersection(&b).copied().collect());
        filled.extend(common.unwrap_or_default());
    }
    filled
}

fn table_fills(table: Option<&TableMatch>, fill: &mut impl FnMut(&[Placeholder], bool)) {
    let Some(table) = table else { return };
    fill(&[Placeholder::Rows], table.rows.is_some());
    fill(&[Placeholder::Bytes], table.bytes.is_some());
    fill(&[Placeholder::Count], table.columns.is_some());
}
