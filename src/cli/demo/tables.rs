//! The demo's results as tables of 80 columns.

use std::io::{self, Write};

use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};

use super::{
    Applied,
    guide::{self, milliseconds, thousands},
    measure::{Change, Pair},
    statements::Statement,
};

/// Of the guide's table: with borders, 80 together.
const WIDTHS: [usize; 3] = [22, 20, 28];

pub(super) fn applied(out: &mut dyn Write, applied: &[Applied]) -> io::Result<()> {
    let plural = if applied.len() == 1 { "" } else { "es" };
    writeln!(out, "\nAdvice applied: {} index{plural}", applied.len())?;
    for index in applied {
        writeln!(out, "  {};  -- {:.1} s", index.sql, index.seconds)?;
    }
    Ok(())
}

/// Every statement of the traffic, without and with the advised indexes.
pub(super) fn statements(out: &mut dyn Write, statements: &[(Statement, Pair)]) -> io::Result<()> {
    writeln!(out, "\nEvery statement of the application, before and after the advice (medians)\n")?;
    let mut table = Builder::default();
    table.push_record(["statement", "before", "after", "change"]);
    let mut slower = Vec::new();
    for (statement, pair) in statements {
        let change = match pair.change() {
            Change::Faster => format!("{} times faster", thousands(pair.factor())),
            Change::Same => "same".to_owned(),
            Change::Slower => {
                slower.push(statement.name);
                format!("{} times slower", thousands(1.0 / pair.factor()))
            }
        };
        table.push_record([
            statement.name.to_owned(),
            milliseconds(pair.before),
            milliseconds(pair.after),
            change,
        ]);
    }
    let mut table = table.build();
    table.with(Style::sharp()).with(Modify::new(Columns::new(1..3)).with(Alignment::right()));
    writeln!(out, "{table}")?;
    if slower.is_empty() {
        writeln!(out, "No statement got slower. Differences within 25 % or 0.1 ms are noise.")
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
        let mut here = wrapped(&row.here, WIDTHS[2]);
        if let Some(why) = &row.why {
            here.push('\n');
            here.push_str(&wrapped(&format!("Less than claimed: {why}."), WIDTHS[2]));
        }
        table.push_record([wrapped(&row.what, WIDTHS[0]), wrapped(&row.claim, WIDTHS[1]), here]);
    }
    let mut table = table.build();
    table.with(Style::modern());
    writeln!(out, "{table}")
}

/// Broken between words into lines of at most `width` characters, longer words apart.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("2,500 ms → 8 ms, 312 times", 20), "2,500 ms → 8 ms, 312\ntimes");
        assert_eq!(wrapped("aaaaaaaa b", 4), "aaaaaaaa\nb");
        assert_eq!(wrapped("", 4), "");
    }

    #[test]
    fn what_got_slower_is_named() {
        let statement = crate::cli::demo::statements::CATEGORIES;
        let screen = |pair: Pair| {
            let mut out = Vec::new();
            statements(&mut out, &[(statement, pair)]).expect("a Vec takes it");
            String::from_utf8(out).expect("text")
        };
        let slower = screen(Pair { before: 1.0, after: 2.0 });
        assert!(slower.contains("2.0 times slower") && slower.ends_with("Slower: categories.\n"), "{slower}");
        let same = screen(Pair { before: 1.0, after: 1.1 });
        assert!(same.contains("No statement got slower"), "{same}");
    }
}
