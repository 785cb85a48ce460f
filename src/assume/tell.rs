//! The assumptions, in a few lines for a person.

use super::{
    Assumptions,
    columns::How,
    rows::{self, Why},
};
use crate::digits;

/// Tables that are told one by one.
const SHOWN: usize = 20;

pub(super) fn why(why: &Why) -> String {
    match why {
        Why::Given => "given".to_owned(),
        Why::AsMany(name) => format!("as many as {}, which it refers to", name.plain()),
        Why::ATenth(name) => format!("a tenth of {}, which refers to it", name.plain()),
        Why::PartOf(name) => format!("an even part of {}", name.plain()),
        Why::Partitions => "its partitions together".to_owned(),
        Why::Nothing => "nothing is known of it".to_owned(),
    }
}

fn of_columns(how: How) -> &'static str {
    match how {
        How::Given => "as given",
        How::Different => "all values different",
        How::Reference => "by their foreign key",
        How::List => "the listed values evenly",
        How::Made => "evenly over the last 2 years",
        How::PartOfKey => "what the rest of the key leaves",
        How::Middle => "the square root of the rows",
        How::Unknown => "left to the planner's defaults",
    }
}

impl Assumptions {
    /// Tables by rows, those of which nothing is known together, partitions with their table; then the columns by
    /// what their number of different values was taken from.
    pub fn lines(&self) -> Vec<String> {
        let mut told: Vec<(String, String, String)> = Vec::new();
        let part = |why: &Why| matches!(why, Why::PartOf(_));
        let mut shown: Vec<_> =
            self.rows.iter().filter(|(_, rows)| !part(&rows.why) && rows.why != Why::Nothing).collect();
        shown.sort_by(|a, b| b.1.rows.total_cmp(&a.1.rows).then_with(|| a.0.cmp(&b.0)));
        for (name, rows) in shown.iter().take(SHOWN) {
            told.push((name.plain(), grouped(rows.rows), why(&rows.why)));
        }
        let longest = |of: fn(&(String, String, String)) -> usize| told.iter().map(of).max().unwrap_or(0);
        let (names, numbers) = (longest(|one| one.0.chars().count()), longest(|one| one.1.len()));
        let mut lines: Vec<String> = told
            .iter()
            .map(|(name, number, why)| format!("  {name:<names$}  {number:>numbers$} rows: {why}"))
            .collect();
        if shown.len() > SHOWN {
            lines.push(format!("  and {} more tables, derived in the same way", shown.len() - SHOWN));
        }
        let count = |of: &dyn Fn(&Why) -> bool| self.rows.iter().filter(|(_, rows)| of(&rows.why)).count();
        match count(&part) {
            0 => {}
            1 => lines.push("  1 partition: an even part of its table".to_owned()),
            many => lines.push(format!("  {many} partitions: even parts of their tables")),
        }
        let plain =
            |number: usize| if number == 1 { "1 table".to_owned() } else { format!("{number} tables") };
        match count(&|why| *why == Why::Nothing) {
            0 => {}
            number => {
                let rows = grouped(rows::PLAIN);
                let each = if number == 1 { "" } else { " each" };
                lines.push(format!("  {}: {rows} rows{each}, for nothing is known", plain(number)));
            }
        }
        let columns: Vec<String> =
            self.columns.iter().map(|(how, count)| format!("{count} {}", of_columns(*how))).collect();
        lines.push(format!("  columns: {}", columns.join(", ")));
        lines
    }
}

/// `10,000,000`
fn grouped(number: f64) -> String {
    digits::grouped(&format!("{number:.0}"))
}
