//! What the user says of a schema's rows: `--rows` and the file of `--stats`. Both are read strictly.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer};

use crate::{
    catalog::{Catalog, Table, TableKind},
    error::Error,
    names::RelName,
    yaml,
};

/// `orders=10M`
#[derive(Clone, Debug, PartialEq)]
pub struct RowsOf {
    pub table: Name,
    pub rows: Count,
}

impl FromStr for RowsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<RowsOf, String> {
        let (table, rows) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is no TABLE=ROWS, such as orders=10M"))?;
        Ok(RowsOf { table: table.trim().parse()?, rows: rows.trim().parse()? })
    }
}

/// The file of `--stats`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// The server's, where they are not PostgreSQL's defaults.
    #[serde(default, deserialize_with = "by_name")]
    pub settings: Vec<(Name, Value)>,
    #[serde(default, deserialize_with = "by_name")]
    pub tables: Vec<(Name, TableStats)>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStats {
    pub rows: Option<Count>,
    /// Bytes of a row's values on average.
    pub width: Option<Bytes>,
    #[serde(default, deserialize_with = "by_name")]
    pub columns: Vec<(Name, ColumnStats)>,
}

/// As `pg_stats` has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnStats {
    /// Bytes of a value on average.
    pub width: Option<Bytes>,
    pub n_distinct: Option<Distinct>,
    pub null_frac: Option<Share>,
    pub correlation: Option<Correlation>,
    #[serde(default, deserialize_with = "frequencies")]
    pub most_common: Vec<(Value, Share)>,
    pub min: Option<Value>,
    pub max: Option<Value>,
}

impl ColumnStats {
    pub(super) fn says_more_than_width(&self) -> bool {
        ColumnStats { width: None, ..self.clone() } != ColumnStats::default()
    }
}

fn by_name<'de, D, V>(from: D) -> Result<Vec<(Name, V)>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    yaml::pairs(from, |_| Ok(()))
}

fn frequencies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Value, Share)>, D::Error> {
    yaml::pairs(from, |pairs: &[(Value, Share)]| {
        let sum: f64 = pairs.iter().map(|(_, share)| share.0).sum();
        if sum <= 1.000_001 {
            Ok(())
        } else {
            Err(format!("the frequencies come to {sum}: more than all rows"))
        }
    })
}

/// A kind of value that is written as one word.
macro_rules! word {
    ($name:ident, $inner:ty, $text:ident => $read:expr) => {
        impl FromStr for $name {
            type Err = String;

            fn from_str($text: &str) -> Result<$name, String> {
                $read.map($name)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                yaml::parsed(from)
            }
        }

        impl Display for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(to)
            }
        }
    };
}

/// A table, with or without its schema; a column; a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);
word!(Name, String, text => if text.is_empty() { Err("a name is missing".to_owned()) } else { Ok(text.to_owned()) });

/// A value of a column, as PostgreSQL reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(pub String);
word!(Value, String, text => Ok::<_, String>(text.to_owned()));

/// `10M`, `250k`, `1.5B`, `1200`, `10_000`: a number of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count(pub f64);
word!(Count, f64, text => count(text));

/// From 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);
word!(Share, f64, text => number(text, 0.0, 1.0));

/// From -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation(pub f64);
word!(Correlation, f64, text => number(text, -1.0, 1.0));

/// A number of values, or below 0 a share of the rows: -1 is all different.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distinct(pub f64);
word!(Distinct, f64, text => if text.starts_with('-') { number(text, -1.0, 0.0) } else { count(text) });

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bytes(pub f64);
word!(Bytes, f64, text => number(text, 1.0, 1e9));

fn count(text: &str) -> Result<f64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'b' | 'B' | 'g' | 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_');
    let number = digits.replace('_', "").parse::<f64>().ok().filter(|_| plain).map(|number| number * unit);
    // As many rows as a table of the greatest size has.
    number
        .filter(|number| *number <= 1e13)
        .map(f64::round)
        .ok_or_else(|| format!("`{text}` is no number of rows: write 1200, 250k, 10M or 1.5B"))
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("`{text}` is no number from {least} to {most}"))
}

/// All that was said.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub rows: Vec<RowsOf>,
    pub stats: Stats,
    file: Option<(String, String)>,
}

impl Given {
    /// `file`: name and text of the statistics.
    ///
    /// # Errors
    /// The text is no such file, told with its place.
    pub fn read(rows: &[RowsOf], file: Option<(String, String)>) -> Result<Given, Error> {
        let stats = match &file {
            None => Stats::default(),
            Some((name, text)) => yaml::read(text).map_err(|refused| Error::Config {
                place: at(name, refused.place),
                message: refused.message,
                hint: Some(match refused.meant {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "docs/stats.md has every key with its meaning".to_owned(),
                }),
            })?,
        };
        Ok(Given { rows: rows.to_vec(), stats, file })
    }

    /// What the figures stand on, for reports.
    pub fn from(&self) -> &'static str {
        match (self.rows.is_empty(), self.file.is_some()) {
            (false, false) => "--rows",
            (true, true) => "--stats",
            (false, true) => "--rows and --stats",
            (true, false) => "the schema alone",
        }
    }

    /// An error at keys of the file.
    pub(super) fn refuse(&self, keys: &[&str], message: String, hint: Option<String>) -> Error {
        match &self.file {
            Some((name, text)) => Error::Config { place: at(name, yaml::place(text, keys)), message, hint },
            None => Error::Usage { what: message, hint },
        }
    }

    /// # Errors
    /// A setting that the server refuses.
    pub fn setting_refused(&self, name: &Name, why: &str) -> Error {
        self.refuse(&["settings", &name.0], format!("the server refuses the setting {name}: {why}"), None)
    }

    /// By table of the schema; `--rows` comes before the file.
    ///
    /// # Errors
    /// A table or column that the schema does not have.
    pub(super) fn of(&self, catalog: &Catalog) -> Result<BTreeMap<RelName, TableStats>, Error> {
        let mut all: BTreeMap<RelName, TableStats> = BTreeMap::new();
        for (name, stats) in &self.stats.tables {
            let wrong = |(message, hint)| self.refuse(&["tables", &name.0], message, hint);
            let table = find(catalog, &name.0).map_err(wrong)?;
            for (column, _) in &stats.columns {
                if table.column(&column.0).is_none() {
                    let known = table.columns.iter().map(|column| column.name.as_str());
                    let hint = meant(&column.0, known);
                    let keys = ["tables", &name.0, "columns", &column.0];
                    let message = format!("{} has no column `{column}`", table.name.plain());
                    return Err(self.refuse(&keys, message, hint));
                }
            }
            all.insert(table.name.clone(), stats.clone());
        }
        for RowsOf { table: name, rows } in &self.rows {
            let wrong = |(message, hint)| Error::Usage { what: format!("--rows {name}: {message}"), hint };
            let table = find(catalog, &name.0).map_err(wrong)?;
            all.entry(table.name.clone()).or_default().rows = Some(*rows);
        }
        Ok(all)
    }
}

fn at(file: &str, place: Option<(usize, usize)>) -> String {
    place.map_or_else(|| file.to_owned(), |(line, column)| format!("{file}:{line}:{column}"))
}

fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    yaml::nearest(word, known).map(|known| format!("did you mean `{known}`?"))
}

/// The table that a name means; else why there is none, and which one was probably meant.
fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Table, (String, Option<String>)> {
    let (schema, bare) = name.split_once('.').map_or((None, name), |(schema, bare)| (Some(schema), bare));
    let wanted = RelName::new(schema, bare);
    // A name without a schema also means the one table of that name, wherever it is.
    let mut of_the_name = catalog.tables.iter().filter(|table| schema.is_none() && table.name.name == bare);
    let only = of_the_name.next().filter(|_| of_the_name.next().is_none());
    match catalog.table(&wanted).or(only) {
        Some(table) if matches!(table.kind, TableKind::View | TableKind::Foreign) => Err((
            format!("{} is a view or a foreign table, which has no rows here", table.name.plain()),
            None,
        )),
        Some(table) => Ok(table),
        None => {
            let names: Vec<String> = catalog.tables.iter().map(|table| table.name.plain()).collect();
            let hint = meant(name, names.iter().map(String::as_str));
            Err((format!("the schema has no table `{name}`"), hint))
        }
    }
}
