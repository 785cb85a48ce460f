//! Statistics of indexes on expressions, which a role that may only SELECT cannot read: derived from those of the column
//! that the expression is of, by evaluating it for the values that are known.
//!
//! The expression is the snapshot's, so that the role without privileges evaluates it, and for a short time.

use std::collections::BTreeSet;

use crate::{
    catalog::{
        array,
        snapshot::{ColumnFigures, HIDDEN_EXPRESSIONS, Snapshot},
    },
    error::Error,
    names::quote_ident,
    server::raw::Session,
};

/// What an index's key is estimated to hold.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) schema: String,
    pub(super) index: String,
    pub(super) figures: ColumnFigures,
}

/// For the keys of which the snapshot has none because its role could not see them. Where they are merely not analysed,
/// production plans without them as well.
pub(super) fn derive(owner: &Session, snapshot: &Snapshot) -> Result<Vec<Derived>, Error> {
    if snapshot.not_seen.iter().all(|unseen| unseen.what != HIDDEN_EXPRESSIONS) {
        return Ok(Vec::new());
    }
    owner.batch("SET statement_timeout = '2s'")?;
    let relations = snapshot.by_name();
    let mut done = BTreeSet::new();
    let mut all = Vec::new();
    for row in owner.query(include_str!("queries/expressions.sql"), &[])? {
        let Ok([schema, index, key, expression, table_schema, table, column, type_name]) =
            <[Option<String>; 8]>::try_from(row).map(|row| row.map(Option::unwrap_or_default))
        else {
            continue;
        };
        let of = relations.get(&(table_schema.as_str(), table.as_str()));
        let known =
            of.and_then(|table| table.columns.iter().find(|one| one.name == column && !one.inherited));
        let Some(known) = known.filter(|_| !done.contains(&(schema.clone(), index.clone(), key.clone())))
        else {
            continue;
        };
        // An expression of more than one column names one that is not there, and stays without statistics.
        match mapped(owner, known, &type_name, &expression) {
            Ok(Some(figures)) => {
                done.insert((schema.clone(), index.clone(), key.clone()));
                all.push(Derived { schema, index, figures: ColumnFigures { name: key, ..figures } });
            }
            Ok(None) | Err(Error::Server { .. }) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(all)
}

fn mapped(
    owner: &Session,
    column: &ColumnFigures,
    type_name: &str,
    expression: &str,
) -> Result<Option<ColumnFigures>, Error> {
    let sql = include_str!("queries/derived.sql")
        .replace("%COLUMN%", &quote_ident(&column.name))
        .replace("%TYPE%", type_name)
        .replace("%EXPRESSION%", expression);
    let text = |array: &Option<String>| array.clone().unwrap_or_else(|| "{}".to_owned());
    let shares = text(&column.most_common_freqs);
    let common: f64 = array::elements(&shares).iter().filter_map(|share| share.parse::<f64>().ok()).sum();
    let bounds = array::elements(&text(&column.histogram_bounds)).len() as f64;
    let each = if bounds > 0.0 { (1.0 - column.null_frac - common).max(0.0) / bounds } else { 0.0 };
    let answer = owner.query(
        &sql,
        &[
            &text(&column.most_common_vals),
            &shares,
            &text(&column.histogram_bounds),
            &each.to_string(),
            &column.null_frac.to_string(),
        ],
    )?;
    let Some([null_frac, width, values, freqs, histogram, count, left]) =
        answer.into_iter().next().and_then(|row| <[Option<String>; 7]>::try_from(row).ok())
    else {
        return Ok(None);
    };
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let (Some(null_frac), Some(width), Some(count), Some(left)) =
        (number(&null_frac), number(&width), number(&count), number(&left))
    else {
        return Ok(None);
    };
    // Where the values that are known stay apart, all do; where some fall together, as many of the others.
    let n_distinct = if left < 1.0 {
        count
    } else if left / bounds > 0.9 {
        column.n_distinct
    } else {
        column.n_distinct * left / bounds
    };
    // Rows lie in the order of the expression as they do in that of the column if it keeps the order.
    let keeps = histogram.is_none() || histogram == column.histogram_bounds;
    #[expect(clippy::cast_possible_truncation, reason = "a value's bytes")]
    Ok(Some(ColumnFigures {
        null_frac,
        avg_width: width as i32,
        n_distinct,
        most_common_freqs: freqs.filter(|_| values.is_some()),
        most_common_vals: values,
        histogram_bounds: histogram.filter(|_| left >= 2.0),
        correlation: column.correlation.filter(|_| keeps),
        ..ColumnFigures::default()
    }))
}
