//! How many different values the keys of an index have, where the statistics of columns do not tell: an expression makes few
//! of many, and columns depend on each other.

use super::entries::{numbers, tried};
use crate::{
    catalog::{IndexSpec, KeyExpr, Table},
    names::quote_ident,
    server::Private,
};

/// Different values of an expression. `planned` is the planner's estimate: where nothing was analysed that of the column itself.
pub(super) fn of_expression(private: &mut Private<'_>, table: &Table, text: &str, planned: f64) -> f64 {
    let Some(column) = table.only_column_in(text) else { return planned };
    let Some(statistics) = &column.statistics else { return planned };
    // Fewer than the column has were counted by ANALYZE.
    if planned < 0.99 * statistics.distinct {
        return planned;
    }
    let schema = table.name.schema.as_deref().unwrap_or("public");
    let sql = include_str!("queries/groups.sql")
        .replace("%COLUMN%", &quote_ident(&column.name))
        .replace("%TYPE%", &column.type_name)
        .replace("%EXPRESSION%", text);
    let answer = tried(private, &sql, [schema, &table.name.name, &column.name]);
    let row = answer.as_ref().and_then(|rows| rows.first());
    let Some([seen, once, twice]) = row.and_then(|row| numbers(row)) else { return planned };
    estimate(seen, once, twice).map_or(planned, |distinct| distinct.min(planned))
}

/// Those that the sample missed (Chao 1984); `None` where no two of it are equal, which tells nothing.
fn estimate(seen: f64, once: f64, twice: f64) -> Option<f64> {
    if seen < 1.0 || (once > 0.0 && once >= seen) {
        return None;
    }
    // Without any that were seen twice: its form for that.
    let missed = if twice > 0.0 { once * once / (2.0 * twice) } else { once * (once - 1.0).max(0.0) / 2.0 };
    Some(seen + missed)
}

/// Different combinations of the columns of a statistics object that has them all and no others.
pub(super) fn together(private: &mut Private<'_>, spec: &IndexSpec, table: &Table) -> Option<f64> {
    let mut columns = Vec::new();
    for key in &spec.keys {
        match &key.expr {
            KeyExpr::Column(name) if spec.predicate.is_none() => columns.push(name.as_str()),
            _ => return None,
        }
    }
    if columns.len() < 2 {
        return None;
    }
    let schema = table.name.schema.as_deref().unwrap_or("public");
    let columns = serde_json::to_string(&columns).unwrap_or_default();
    let answer = tried(private, include_str!("queries/together.sql"), [schema, &table.name.name, &columns])?;
    let [distinct] = numbers(answer.first()?)?;
    Some(distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_sample_missed_are_told_from_those_it_saw_once_and_twice() {
        for (seen, once, twice, expect) in [
            (25.0, 0.0, 0.0, Some(25.0)),
            (25.0, 2.0, 4.0, Some(25.5)),
            (95.0, 90.0, 5.0, Some(905.0)),
            (26.0, 4.0, 0.0, Some(32.0)),
            (101.0, 101.0, 0.0, None),
            (0.0, 0.0, 0.0, None),
        ] {
            assert_eq!(estimate(seen, once, twice), expect, "{seen} {once} {twice}");
        }
    }
}
