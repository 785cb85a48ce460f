//! The demo's results as tables of 80 columns.

use std::io::{self, Write};

use tabled::{
    Table,
    builder::Builder,
    settings::{
        Alignment, Modify, Style,
        object::{Columns, Rows},
        width::Width,
    },
};

use super::{
    Applied,
    guide::{self, milliseconds},
    measure::{Change, Medians},
    statements,
};

pub(super) fn applied(out: &mut dyn Write, applied: &[Applied]) -> io::Result<()> {
    writeln!(out, "\nAdvice applied: {} indexes", applied.len())?;
    for index in applied {
        writeln!(out, "  {};  -- {:.1} s", index.sql, index.seconds)?;
    }
    Ok(())
}

/// Every statement of the traffic, before and after.
pub(super) fn statements(out: &mut dyn Write, before: &Medians, after: &Medians) -> io::Result<()> {
    writeln!(out, "\nEvery statement of the application, before and after the advice (medians)\n")?;
    let mut table = Builder::default();
    table.push_record(["statement", "before", "after", "change"]);
    let mut slower = Vec::new();
    for statement in statements::ALL {
        let (Some(before), Some(after)) = (before.of(statement), after.of(statement)) else { continue };
        let change = match Change::between(before, after) {
            Change::Faster => format!("{} times faster", guide::thousands(before / after)),
            Change::Same => "same".to_owned(),
            Change::Slower => {
                slower.push(statement.name);
                format!("{} times slower", guide::thousands(after / before))
            }
        };
        table.push_record([statement.name.to_owned(), milliseconds(before), milliseconds(after), change]);
    }
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(1..3)).with(Alignment::right()));
    writeln!(out, "{table}")?;
    if slower.is_empty() {
        writeln!(out, "No statement got slower (within 25 % or 0.1 ms, which the machine varies by itself).")
    } else {
        writeln!(out, "Slower: {}.", slower.join(", "))
    }
}

/// What the guide claims, and what we measured.
pub(super) fn guide(out: &mut dyn Write, rows: &[guide::Row]) -> io::Result<()> {
    writeln!(out, "\nWhat the guide claims, and what we measured here\n")?;
    let mut table = Builder::default();
    table.push_record(["", "the guide", "here"]);
    for row in rows {
        let here = match &row.why {
            Some(why) => format!("{}\nless than claimed: {why}", row.here),
            None => row.here.clone(),
        };
        table.push_record([row.what.clone(), row.claim.clone(), here]);
    }
    writeln!(out, "{}", readable(table))
}

/// Columns of 24, 20 and 26 characters make 80 with the borders.
fn readable(table: Builder) -> Table {
    let mut table = table.build();
    table
        .with(Style::modern())
        .with(Modify::new(Columns::new(0..1)).with(Width::wrap(24).keep_words(true)))
        .with(Modify::new(Columns::new(1..2)).with(Width::wrap(20).keep_words(true)))
        .with(Modify::new(Columns::new(2..3)).with(Width::wrap(26).keep_words(true)))
        .with(Modify::new(Rows::first()).with(Alignment::left()));
    table
}
