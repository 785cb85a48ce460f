//! Statistics of columns, written where the planner reads them.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Serialize;

use super::{Missing, figures::RESTORES, words};
use crate::{
    catalog::{array, snapshot::ColumnFigures},
    error::Error,
    server::raw::Session,
    threads,
};

/// The column's figures as the queries take them. The histogram ends with the real extremes, where they are known.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    schema: &'a str,
    relation: &'a str,
    name: &'a str,
    inherited: bool,
    null_frac: f64,
    avg_width: i32,
    n_distinct: f64,
    most_common_vals: Option<&'a str>,
    most_common_freqs: Option<&'a str>,
    histogram_bounds: Option<Cow<'a, str>>,
    correlation: Option<f64>,
    most_common_elems: Option<&'a str>,
    most_common_elem_freqs: Option<&'a str>,
    elem_count_histogram: Option<&'a str>,
}

impl<'a> Line<'a> {
    pub(super) fn of(schema: &'a str, relation: &'a str, column: &'a ColumnFigures) -> Line<'a> {
        let bounds = column.histogram_bounds.as_deref();
        let (lowest, highest) = (column.lowest.as_deref(), column.highest.as_deref());
        let with_ends = bounds
            .filter(|_| lowest.is_some() || highest.is_some())
            .and_then(|bounds| array::with_ends(bounds, lowest, highest));
        Line {
            schema,
            relation,
            name: &column.name,
            inherited: column.inherited,
            null_frac: column.null_frac,
            avg_width: column.avg_width,
            n_distinct: column.n_distinct,
            most_common_vals: column.most_common_vals.as_deref(),
            most_common_freqs: column.most_common_freqs.as_deref(),
            histogram_bounds: with_ends.map(Cow::Owned).or(bounds.map(Cow::Borrowed)),
            correlation: column.correlation,
            most_common_elems: column.most_common_elems.as_deref(),
            most_common_elem_freqs: column.most_common_elem_freqs.as_deref(),
            elem_count_histogram: column.elem_count_histogram.as_deref(),
        }
    }

    /// As the query for what was refused gives it.
    fn key(&self) -> Vec<Option<String>> {
        let inherited = if self.inherited { "true" } else { "false" };
        [self.schema, self.relation, self.name, inherited].map(|text| Some(text.to_owned())).into()
    }
}

pub(super) fn write(admins: &[Session], lines: Vec<Line<'_>>, version: u32) -> Result<Vec<Missing>, Error> {
    let each = lines.len().div_ceil(admins.len().max(1)).max(1);
    let mut lines = lines.into_iter();
    let parts: Vec<(&Session, Vec<Line<'_>>)> =
        admins.iter().map(|admin| (admin, lines.by_ref().take(each).collect())).collect();
    let done = threads::in_parts(&parts, 1, |parts| {
        let mut missing = Vec::new();
        for (admin, lines) in parts {
            lane(admin, lines, version, &mut missing)?;
        }
        Ok(missing)
    });
    let missing: Vec<Vec<Missing>> = done.into_iter().collect::<Result<_, Error>>()?;
    Ok(missing.concat())
}

fn lane(admin: &Session, lines: &[Line<'_>], version: u32, missing: &mut Vec<Missing>) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<&Line<'_>> = lines.iter().collect();
    if version >= RESTORES {
        lines = refused(admin, lines)?;
    }
    let insert = admin.prepare(include_str!("queries/statistics.sql"))?;
    let mut open: Vec<&[&Line<'_>]> = lines.chunks(500).collect();
    // What one column's values spoil, the others of its part do not: halves are tried again.
    while let Some(some) = open.pop() {
        let json = serde_json::to_string(some).unwrap_or_default();
        match admin.rows(&insert, &[&json]) {
            Ok(_) => {}
            Err(err @ Error::Server { .. }) => {
                if let [one] = some {
                    missing.push(Missing {
                        kind: "statistics of".to_owned(),
                        name: format!("{}.{}.{}", one.schema, one.relation, one.name),
                        why: words(&err),
                    });
                } else {
                    let (left, right) = some.split_at(some.len() / 2);
                    open.extend([left, right]);
                }
            }
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

/// Gives columns their statistics by the server's own function, and back those that it did not take whole.
fn refused<'a>(admin: &Session, lines: Vec<&'a Line<'a>>) -> Result<Vec<&'a Line<'a>>, Error> {
    let restore = admin.prepare(include_str!("queries/restore.sql"))?;
    let mut refused = BTreeSet::new();
    for some in lines.chunks(500) {
        let json = serde_json::to_string(some).unwrap_or_default();
        match admin.rows(&restore, &[&json]) {
            Ok(rows) => refused.extend(rows),
            // It ends at values that no reading of them allows: which ones, the other way finds.
            Err(Error::Server { .. }) => refused.extend(some.iter().map(|line| line.key())),
            Err(err) => return Err(err),
        }
    }
    Ok(lines.into_iter().filter(|line| refused.contains(&line.key())).collect())
}
