//! What a block asks of one of its tables, in the words that an index understands.
//!
//! In: a [`Shape`], one of its tables, and that table's catalog entry. Out: [`Access`]: the terms that
//! an index could serve, and the order that it could give. Which index does is in `index_use`.
//! Left alone: conditions that filter nothing (in ON, on the kept side of an outer join), comparisons
//! within the table, and ranges between tables.

use crate::{
    catalog::{Catalog, KeyExpr, Table, TableKind},
    sql::{
        Shape,
        shape::{
            Block, BlockId, Clause, ColumnRef, Condition, JoinKind, Op, Operand, OrderKey, Predicate, Role,
            Sargable, SortExpr, TableSource,
        },
    },
};

/// How a term can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value, or a list of them.
    Equal,
    /// Equal to a column of another table, or in a subquery.
    Join,
    Range,
    /// `LIKE 'x%'`.
    Prefix,
    /// `LIKE '%x%'`, ILIKE, `~`: a trigram index serves it.
    Pattern,
    /// `@>`, `&&`, `@@`, `?`: GIN or `GiST`.
    Other,
    /// IS NOT NULL: an index can serve it, and hardly ever should.
    Weak,
}

#[derive(Clone, Debug)]
pub(super) struct Term<'a> {
    pub(super) key: KeyExpr,
    pub(super) kind: Kind,
    pub(super) predicate: &'a Predicate,
}

#[derive(Clone, Debug)]
pub(super) struct Access<'a> {
    pub(super) shape: &'a Shape,
    pub(super) catalog: &'a Catalog,
    pub(super) table: &'a Table,
    pub(super) id: BlockId,
    pub(super) block: &'a Block,
    /// Which of the block's tables it is.
    pub(super) position: usize,
    pub(super) terms: Vec<Term<'a>>,
    /// ORs on this table alone: one term for each alternative.
    pub(super) alternatives: Vec<Vec<Term<'a>>>,
    /// What the rows are sorted by, when an index of this table could give that order; else empty.
    pub(super) order: Vec<&'a OrderKey>,
}

/// Every base table of the statement that the catalog knows and that can have indexes.
pub(super) fn all<'a>(shape: &'a Shape, catalog: &'a Catalog) -> Vec<Access<'a>> {
    let mut found = Vec::new();
    for (id, block) in shape.blocks.iter().enumerate() {
        for (position, table) in block.tables.iter().enumerate() {
            let TableSource::Table(name) = &table.source else { continue };
            if let Some(table) = catalog.table(name)
                && !matches!(table.kind, TableKind::View | TableKind::Foreign)
            {
                found.push(Access::new(shape, catalog, table, id, position));
            }
        }
    }
    found
}

impl<'a> Access<'a> {
    /// What a finding about it points at: its first term, or else the table in FROM.
    pub(super) fn span(&self) -> Option<std::ops::Range<usize>> {
        let term = self.terms.first().and_then(|term| super::known(&term.predicate.at));
        term.or_else(|| super::known(&self.block.tables.get(self.position)?.at))
    }

    fn new(
        shape: &'a Shape,
        catalog: &'a Catalog,
        table: &'a Table,
        id: BlockId,
        position: usize,
    ) -> Access<'a> {
        let block = &shape.blocks[id];
        let mut access = Access {
            shape,
            catalog,
            table,
            id,
            block,
            position,
            terms: Vec::new(),
            alternatives: Vec::new(),
            order: Vec::new(),
        };
        for condition in &block.conditions {
            match condition {
                Condition::Test(predicate) => access.terms.extend(access.terms_of(predicate)),
                Condition::Any(branches) => {
                    let branches: Option<Vec<Term<'_>>> =
                        branches.iter().map(|branch| access.branch(branch)).collect();
                    access.alternatives.extend(branches);
                }
                Condition::All(_) | Condition::Opaque { .. } => {}
            }
        }
        if access.can_be_ordered() {
            access.order = block.order_by.iter().collect();
        }
        access
    }

    /// The name that the statement uses for the table.
    pub(super) fn alias(&self) -> &str {
        self.block.tables[self.position].alias.as_deref().unwrap_or(&self.table.name.name)
    }

    /// Terms with a value of their own, which filter the table however it is joined.
    pub(super) fn filters(&self) -> impl Iterator<Item = &Term<'a>> {
        self.terms.iter().filter(|term| !matches!(term.kind, Kind::Join | Kind::Weak))
    }

    pub(super) fn joins(&self) -> impl Iterator<Item = &Term<'a>> {
        self.terms.iter().filter(|term| term.kind == Kind::Join)
    }

    /// Whether the statement only ever sees the first rows of this block.
    pub(super) fn limited(&self) -> bool {
        self.block.limit.is_some()
    }

    /// Whether the column has one value in all rows that the block reads.
    pub(super) fn pinned(&self, key: &KeyExpr) -> bool {
        self.terms
            .iter()
            .any(|term| term.kind == Kind::Equal && term.predicate.op != Op::In && same(&term.key, key))
    }

    fn branch(&self, condition: &'a Condition) -> Option<Term<'a>> {
        match condition {
            Condition::Test(predicate) => self.terms_of(predicate).into_iter().next(),
            Condition::All(inside) => inside.iter().find_map(|condition| self.branch(condition)),
            Condition::Any(_) | Condition::Opaque { .. } => None,
        }
    }

    /// The predicate as seen from this table; a join of two tables is a term of both.
    fn terms_of(&self, predicate: &'a Predicate) -> Option<Term<'a>> {
        if !self.filters_here(predicate) {
            return None;
        }
        let mine = |column: &ColumnRef| column.block == self.id && column.table == Some(self.position);
        if let Operand::Column(other) = &predicate.operand {
            if mine(other) && mine(&predicate.column) || predicate.op != Op::Eq {
                return None;
            }
            if mine(other) {
                return Some(Term { key: KeyExpr::Column(other.name.clone()), kind: Kind::Join, predicate });
            }
        }
        if !mine(&predicate.column) {
            return None;
        }
        let key = match &predicate.wrapped {
            Some(expr) if !self.is_relabelled(expr, &predicate.column.name) => {
                KeyExpr::Expression(expr.clone())
            }
            _ => KeyExpr::Column(predicate.column.name.clone()),
        };
        Some(Term { key, kind: kind_of(predicate)?, predicate })
    }

    /// A cast between text types changes nothing but the name of the type, and an index does not mind.
    fn is_relabelled(&self, expr: &str, column: &str) -> bool {
        let text = |name: &str| name == "text" || name.starts_with("character varying");
        canonical(expr) == column.to_lowercase()
            && self.table.column(column).is_some_and(|column| text(&column.type_name))
    }

    /// A condition in the ON of an outer join says nothing of the side that is kept whole.
    fn filters_here(&self, predicate: &Predicate) -> bool {
        let Clause::On(joined) = predicate.clause else { return true };
        match self.block.tables.get(joined).map(|table| table.join) {
            Some(JoinKind::Left) => joined == self.position,
            Some(JoinKind::Right) => joined != self.position,
            Some(JoinKind::Full) => false,
            _ => true,
        }
    }

    /// Sorted rows of this table are sorted rows of the block: nothing regroups them, and the other
    /// tables are looked up by a unique key.
    fn can_be_ordered(&self) -> bool {
        let block = self.block;
        let plain = !block.order_by.is_empty()
            && block.group_by.is_empty()
            && !block.aggregates
            && !block.distinct
            && !block.windows;
        let of_this_table = |key: &OrderKey| match &key.expr {
            SortExpr::Column(column) => column.block == self.id && column.table == Some(self.position),
            SortExpr::Expression(_) => block.tables.len() == 1,
        };
        let looked_up = |other: usize| {
            block.tables[other].join != JoinKind::Full
                && block.tests().any(|test| {
                    let column = [Some(&test.column), as_column(&test.operand)]
                        .into_iter()
                        .flatten()
                        .find(|column| column.block == self.id && column.table == Some(other));
                    test.op == Op::Eq
                        && as_column(&test.operand).is_some()
                        && test.wrapped.is_none()
                        && column.is_some_and(|column| self.is_unique(column))
                })
        };
        plain
            && block.order_by.iter().all(of_this_table)
            && (0..block.tables.len()).all(|other| other == self.position || looked_up(other))
    }

    fn is_unique(&self, column: &ColumnRef) -> bool {
        self.shape
            .table_of(column)
            .and_then(|name| self.catalog.table(name))
            .is_some_and(|table| table.unique_on(&[column.name.as_str()]))
    }

    /// Whether the rest of the statement asks this table about few rows only: a value pins another
    /// table of the block, or the block runs once per row of an outer one.
    pub(super) fn driven_by_few(&self, join: &Term<'_>) -> bool {
        let other = match &join.predicate.operand {
            Operand::Column(column) => {
                if column.block == self.id && column.table == Some(self.position) {
                    &join.predicate.column
                } else {
                    column
                }
            }
            _ => return false,
        };
        if other.block != self.id {
            return matches!(self.block.role, Role::Scalar | Role::Derived { lateral: true });
        }
        self.block.tests().any(|test| {
            test.column.block == other.block
                && test.column.table == other.table
                && matches!(test.op, Op::Eq)
                && matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_))
                && test.clause == Clause::Where
        })
    }
}

pub(super) fn as_column(operand: &Operand) -> Option<&ColumnRef> {
    match operand {
        Operand::Column(column) => Some(column),
        _ => None,
    }
}

fn kind_of(predicate: &Predicate) -> Option<Kind> {
    match (&predicate.sargable, &predicate.operand) {
        (Sargable::Negated | Sargable::SelfComparison, _) | (_, Operand::Expression(_)) => return None,
        // `value = ANY (tags)`: no kind of index serves it.
        (Sargable::OtherIndexKind, _) if predicate.op == Op::Other && predicate.text.contains("= ANY(") => {
            return None;
        }
        (Sargable::OtherIndexKind, _) => return Some(Kind::Other),
        (Sargable::LeadingWildcard, _) => return Some(Kind::Pattern),
        (_, Operand::Column(_)) => return (predicate.op == Op::Eq).then_some(Kind::Join),
        (_, Operand::Subquery(_)) if predicate.op == Op::In => return Some(Kind::Join),
        _ => {}
    }
    match predicate.op {
        Op::Eq | Op::In | Op::IsNull | Op::IsTrue | Op::IsFalse => Some(Kind::Equal),
        Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between => Some(Kind::Range),
        Op::IsNotNull => Some(Kind::Weak),
        // Without a wildcard it is an equality, which any collation serves.
        Op::Like if matches!(&predicate.operand, Operand::Constant(text) if !text.contains(['%', '_', '\\'])) => {
            Some(Kind::Equal)
        }
        Op::Like => Some(Kind::Prefix),
        Op::ILike | Op::Regex => Some(Kind::Pattern),
        Op::Contains | Op::ContainedBy | Op::HasKey | Op::Overlaps | Op::Matches => Some(Kind::Other),
        _ => None,
    }
}

/// Whether two index keys are the same column or expression, however they are written.
pub(super) fn same(a: &KeyExpr, b: &KeyExpr) -> bool {
    match (a, b) {
        (KeyExpr::Column(a), KeyExpr::Column(b)) => a == b,
        (KeyExpr::Expression(a), KeyExpr::Expression(b)) => canonical(a) == canonical(b),
        _ => false,
    }
}

/// An expression without what PostgreSQL adds when it prints one: casts to text, white space, and
/// parentheses around a single name. `lower((email)::text)` and `lower(email)` are then the same.
pub(super) fn canonical(expr: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    for c in expr.chars() {
        match quote {
            Some(end) => {
                text.push(c);
                if c == end {
                    quote = None;
                }
            }
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                text.push(c);
            }
            None if c.is_whitespace() => {
                // Words stay apart: `a AND b`.
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
            }
            None => {
                if !(c.is_alphanumeric() || c == '_' || c == '\'' || c == '"') {
                    text.truncate(text.trim_end().len());
                }
                text.extend(c.to_lowercase());
            }
        }
    }
    for cast in ["::text", "::character varying", "::bpchar", "::varchar"] {
        text = text.replace(&format!("{cast}[]"), "").replace(cast, "");
    }
    loop {
        let shorter = without_one_pair(&text);
        match shorter {
            Some(shorter) => text = shorter,
            None => return text.trim().to_owned(),
        }
    }
}

/// Drops one pair of parentheses that groups a single name or the whole text; a call keeps its own.
fn without_one_pair(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for open in memchr::memchr_iter(b'(', bytes) {
        let called = open > 0 && (bytes[open - 1].is_ascii_alphanumeric() || bytes[open - 1] == b'_');
        if called {
            continue;
        }
        let mut depth = 0_usize;
        let close = (open..bytes.len()).find(|&at| {
            match bytes[at] {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        let inside = &text[open + 1..close];
        let whole = open == 0 && close + 1 == bytes.len();
        let single =
            !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
        if whole || single {
            return Some(format!("{}{inside}{}", &text[..open], &text[close + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn expressions_match_however_they_are_printed() {
        for (a, b) in [
            ("lower((email)::text)", "lower(email)"),
            ("LOWER( email )", "lower(email)"),
            ("((status)::text = 'Open'::text)", "status = 'Open'"),
            ("(deleted_at IS NULL)", "deleted_at is null"),
        ] {
            assert_eq!(canonical(a), canonical(b), "{a} / {b}");
        }
        assert_ne!(canonical("status = 'Open'"), canonical("status = 'open'"));
        assert_ne!(canonical("a * (b + c)"), canonical("a * b + c"));
    }
}
