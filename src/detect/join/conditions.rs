//! What a join compares: nothing by equality, an OR, columns of types that no index or hash serves
//! together, or nothing at all in a write.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        StatementKind,
        shape::{
            Block, BlockId, Clause, ColumnRef, Condition, JoinedBy, Op, Operand, Predicate, Sargable,
            TableSource,
        },
    },
};

/// The two tables of this block that a test compares, the lower position first.
fn pair(test: &Predicate, id: BlockId) -> Option<(usize, usize)> {
    let Operand::Column(other) = &test.operand else { return None };
    let local = |column: &ColumnRef| column.table.filter(|_| column.block == id);
    let (a, b) = (local(&test.column)?, local(other)?);
    (a != b).then(|| (a.min(b), a.max(b)))
}

fn is_base(block: &Block, at: usize) -> bool {
    matches!(
        block.tables[at].source,
        TableSource::Table(_) | TableSource::Cte { .. } | TableSource::Derived(_)
    )
}

/// JOIN … ON with comparisons, none of them an equality.
pub(in crate::detect) fn no_equality(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        if block.conditions.iter().any(|condition| !matches!(condition, Condition::Test(_))) {
            continue;
        }
        for at in 0..block.tables.len() {
            let links: Vec<&Predicate> = block
                .tests()
                .filter(|test| pair(test, id).is_some_and(|(a, b)| a == at || b == at))
                .collect();
            let hidden = block.tests().any(|test| {
                matches!(test.operand, Operand::Expression(_))
                    || test.column.table.is_none()
                    || matches!(&test.operand, Operand::Column(column) if column.table.is_none())
            });
            let searchable = links
                .iter()
                .any(|test| matches!(test.op, Op::Eq | Op::In) || test.sargable == Sargable::OtherIndexKind);
            let own = links.iter().find(|test| test.clause == Clause::On(at));
            if let (JoinedBy::On, Some(test), false, false, true) =
                (block.tables[at].joined_by, own, hidden, searchable, is_base(block, at))
                && let Operand::Column(other) = &test.operand
            {
                let because = format!(
                    "{} is joined by comparing {} with {}, and by no equality; only a nested loop can do that",
                    keys::alias(block, at),
                    keys::shown(shape, &test.column),
                    keys::shown(shape, other)
                );
                let instead = rule.instead.trim().to_owned();
                report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
            }
        }
    }
}

/// An OR of equalities between the same two tables.
pub(in crate::detect) fn any_of_equalities(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        for condition in &block.conditions {
            let Condition::Any(branches) = condition else { continue };
            let links: Option<Vec<Vec<&Predicate>>> =
                branches.iter().map(|branch| links_of(branch, id)).collect();
            let Some(links) = links else { continue };
            let Some(&first) = links.first().and_then(|branch| branch.first()) else { continue };
            let Some(tables) = pair(first, id) else { continue };
            let all = links.iter().all(|branch| branch.iter().any(|test| pair(test, id) == Some(tables)));
            let beside = block.tests().any(|test| test.op == Op::Eq && pair(test, id) == Some(tables));
            // What all alternatives ask for, the planner takes out of the OR.
            let common = links[0].iter().any(|test| {
                links[1..].iter().all(|branch| {
                    branch
                        .iter()
                        .any(|other| (&other.column, &other.operand) == (&test.column, &test.operand))
                })
            });
            if !all || beside || common {
                continue;
            }
            let texts: Vec<String> = links
                .iter()
                .filter_map(|branch| branch.iter().find(|test| pair(test, id) == Some(tables)))
                .filter_map(|test| keys::join_of(test))
                .map(|(a, b)| format!("{} = {}", keys::shown(shape, b), keys::shown(shape, a)))
                .collect();
            let [one, .., other] = texts.as_slice() else { continue };
            let starts = links.iter().flatten().map(|test| test.at.start);
            let ends = links.iter().flatten().map(|test| test.at.end);
            let joined = starts.min().unwrap_or(0)..ends.max().unwrap_or(0);
            let because = format!(
                "{} and {} are joined by {}: neither a hash join nor a merge join can do an OR",
                keys::alias(block, tables.0),
                keys::alias(block, tables.1),
                texts.join(" OR ")
            );
            let instead = format!(
                "Two joins, the second without what the first found: … ON {one} UNION ALL … ON {other} AND ({one}) \
                 IS NOT TRUE; or a condition that both share, beside the OR."
            );
            report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&joined));
        }
    }
}

/// The equalities between tables of one alternative; `None` if there are none.
fn links_of(branch: &Condition, id: BlockId) -> Option<Vec<&Predicate>> {
    let tests: Vec<&Predicate> = match branch {
        Condition::Test(test) => vec![test],
        Condition::All(parts) => parts
            .iter()
            .filter_map(|part| match part {
                Condition::Test(test) => Some(test),
                _ => None,
            })
            .collect(),
        Condition::Any(_) | Condition::Opaque { .. } => Vec::new(),
    };
    let links: Vec<&Predicate> = tests
        .into_iter()
        .filter(|test| test.op == Op::Eq && test.wrapped.is_none() && pair(test, id).is_some())
        .collect();
    (!links.is_empty()).then_some(links)
}

/// Types that one operator family compares without a cast; `None` for those that have no rival here.
fn family(type_name: &str) -> Option<&'static str> {
    Some(match type_name.split('(').next().unwrap_or(type_name).trim() {
        "smallint" | "integer" | "bigint" => "integer",
        "numeric" => "numeric",
        "real" | "double precision" => "float",
        "text" => "text",
        "character varying" => "varchar",
        "character" => "character",
        _ => return None,
    })
}

/// An equality of two columns whose types need a cast on one side.
pub(in crate::detect) fn types_differ(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for test in shape.blocks.iter().flat_map(Block::tests) {
        let Some((a, b)) = keys::join_of(test) else { continue };
        let column = |column: &ColumnRef| catalog.table(shape.table_of(column)?)?.column(&column.name);
        let (Some(left), Some(right)) = (column(a), column(b)) else { continue };
        let (Some(left_family), Some(right_family)) = (family(&left.type_name), family(&right.type_name))
        else {
            continue;
        };
        let both = [left_family, right_family];
        let texts = both.iter().all(|family| matches!(*family, "text" | "varchar"));
        if left_family == right_family || texts {
            continue;
        }
        // The operator of the later type is taken: the other side is cast.
        let order = ["integer", "numeric", "float", "varchar", "character", "text"];
        let rank = |family: &str| order.iter().position(|known| *known == family);
        let ((cast, cast_type), (kept, kept_type)) = if rank(left_family) < rank(right_family) {
            ((a, &left.type_name), (b, &right.type_name))
        } else {
            ((b, &right.type_name), (a, &left.type_name))
        };
        let because = format!(
            "{} is {cast_type} and {} is {kept_type}: each value of {} is cast, so no index on it serves the join",
            keys::shown(shape, cast),
            keys::shown(shape, kept),
            keys::shown(shape, cast)
        );
        let instead = format!(
            "Give both columns the same type. Until then, an index on {} serves the join the other way round.",
            keys::shown(shape, kept)
        );
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
    }
}

/// UPDATE … FROM and DELETE … USING whose tables nothing binds to the target.
pub(in crate::detect) fn unbound_write(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    let Some(block) = shape.blocks.first() else { return };
    if !matches!(shape.kind, StatementKind::Update | StatementKind::Delete) || block.tables.len() < 2 {
        return;
    }
    // Whatever cannot be read may bind them.
    let plain = block.conditions.iter().all(|condition| match condition {
        Condition::Test(test) => {
            test.column.table.is_some()
                && !matches!(test.operand, Operand::Expression(_) | Operand::Subquery(_))
                && !matches!(&test.operand, Operand::Column(column) if column.table.is_none())
        }
        _ => false,
    });
    let bases = block.tables.iter().all(|table| matches!(table.source, TableSource::Table(_)));
    let bound = block.tests().any(|test| pair(test, 0).is_some_and(|(first, _)| first == 0));
    let natural = block.tables.iter().any(|table| table.joined_by == JoinedBy::Natural);
    let one = |at: usize| {
        block.tests().any(|test| {
            keys::is_of(&test.column, 0, at)
                && test.op == Op::Eq
                && matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_))
        })
    };
    // One row for one row, each picked by its own condition, needs no join.
    let own = block.tests().any(|test| keys::is_of(&test.column, 0, 0));
    if !plain || !bases || bound || natural || own && (1..block.tables.len()).all(one) {
        return;
    }
    let (target, other) = (keys::alias(block, 0), keys::alias(block, 1));
    let verb = if shape.kind == StatementKind::Update { "updates" } else { "deletes" };
    let because = format!(
        "no condition binds {other} to {target}: it {verb} every row of {target} that its own conditions leave, \
         paired with every row of {other}"
    );
    let instead = match (&block.tables[0].source, &block.tables[1].source) {
        (TableSource::Table(a), TableSource::Table(b)) if a == b => format!(
            "Do not name {target} again in FROM, or bind the two: … AND {other}.id = {target}.id (the table's key)."
        ),
        _ => format!("Add the condition that binds them: … WHERE {other}.… = {target}.…"),
    };
    report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.tables[1].at));
}
