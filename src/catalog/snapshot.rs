//! A snapshot: all that the planner reads of a database, and none of its rows.
//!
//! Written by `sargable snapshot`, read by everything that plans on a private server instead. The file is JSON,
//! in an order that only the database decides, so that two of them can be compared line by line.
//!
//! Values that `pg_stats` holds as arrays stay as the server prints them (`{a,"b c"}`): they are read by
//! a server again, of a type that we need not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Activity, Counted, Settings};
use crate::names::RelName;

/// The version of the form; a file with a greater one is refused.
pub const FORMAT: u32 = 1;

#[expect(clippy::struct_field_names, reason = "the first key of the file says what it is")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub snapshot: u32,
    pub server: Origin,
    /// Where no server was asked for the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<Assumed>,
    /// What could not be read, and why; the plans that it touches may differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_seen: Vec<NotSeen>,
    /// Those that the planner or the meaning of a constant depends on, in `pg_settings`' own units.
    pub settings: Settings,
    pub extensions: Vec<Extension>,
    /// DDL in an order in which it can be run.
    pub schema: Vec<Piece>,
    /// Tables, partitioned tables, materialised views and indexes, by schema and name.
    pub relations: Vec<Relation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<Extended>,
    /// Since when [`Activity`] counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// The figures are assumptions of ours, on what a person said of the rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assumed {
    /// [`Assumed::FORM`]: what is assumed of what else.
    pub form: u32,
    /// `--rows`, `--stats`, both, or the schema alone.
    pub from: String,
    pub tables: Vec<AssumedRows>,
}

impl Assumed {
    pub const FORM: u32 = 1;
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssumedRows {
    /// With its schema.
    pub table: String,
    pub rows: f64,
    /// `given`, or what the number was taken from.
    pub why: String,
}

/// The server and database that it was taken of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `server_version_num`, such as 150018.
    pub version: u32,
    pub database: String,
    pub encoding: String,
    pub collate: String,
    pub ctype: String,
    /// `pg_database.datlocprovider`: `c` is libc, `i` ICU, `b` built in.
    pub provider: String,
    /// Of ICU and the built-in provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    pub block_size: u32,
    /// The role's `search_path`, resolved to existing schemas.
    #[serde(default)]
    pub search_path: Vec<String>,
}

/// [`NotSeen::what`] where the role may read the statistics of columns, and not of the indexes on expressions.
pub const HIDDEN_EXPRESSIONS: &str = "statistics of an index on an expression";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotSeen {
    pub what: String,
    pub why: String,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    pub name: String,
    pub version: String,
    pub schema: String,
}

/// One statement of DDL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// `table`, `index`, `view` … for messages.
    pub kind: String,
    pub name: String,
    pub sql: String,
}

/// `pg_class`, the real file behind it, and the statistics of its columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`: `r`, `p`, `m` for tables, `i` and `I` for indexes.
    pub kind: String,
    /// `relpages`, `reltuples` and `relallvisible`, as the last VACUUM or ANALYZE left them.
    pub pages: i64,
    pub tuples: f64,
    pub visible: i64,
    /// Blocks of the file now; absent where it has none or somebody held a lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
    /// An index: the access method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A B-tree: the level of the root that scans start from. Absent where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gin: Option<Gin>,
    /// An index that is not used: `indisvalid` or `indisready` is false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invalid: bool,
    /// Since when nobody knows: only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// An index: how often it was scanned, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scans: Option<u64>,
    /// In the order of the table; the keys of an index have some when they are expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnFigures>,
}

/// What a GIN index counts in its first page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gin {
    pub pending_pages: u32,
    pub total_pages: u32,
    pub entry_pages: u32,
    pub data_pages: u32,
    pub entries: u64,
}

/// A line of `pg_stats`. Arrays are as the server prints them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnFigures {
    pub name: String,
    /// Of the table with all its children.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
    pub null_frac: f64,
    pub avg_width: i32,
    /// As in `pg_stats`: negative is a share of the rows.
    pub n_distinct: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common_vals: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common_freqs: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram_bounds: Option<String>,
    /// The least value of an indexed column, where the histogram does not begin with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest: Option<String>,
    /// The greatest value of an indexed column, where the histogram does not end with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common_elems: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common_elem_freqs: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elem_count_histogram: Option<String>,
}

/// The figures of an extended statistics object; each the server's own bytes in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extended {
    pub schema: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndistinct: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcv: Option<String>,
}

impl Snapshot {
    /// # Errors
    /// Why the text is not a snapshot that this version reads.
    pub fn parse(text: &str) -> Result<Snapshot, String> {
        #[derive(Deserialize)]
        struct Head {
            snapshot: Option<u32>,
        }
        let head: Head = serde_json::from_str(text).map_err(|err| format!("it is no JSON object: {err}"))?;
        match head.snapshot {
            None => Err("it is JSON, and no snapshot".to_owned()),
            Some(newer) if newer > FORMAT => {
                Err(format!("it has form {newer}, and this version reads up to {FORMAT}"))
            }
            Some(_) => serde_json::from_str(text).map_err(|err| err.to_string()),
        }
    }

    /// The text of the file: every table, index and statement has lines of its own.
    pub fn render(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    pub fn relation(&self, name: &RelName) -> Option<&Relation> {
        self.relations.iter().find(|relation| {
            relation.name == name.name
                && name.schema.as_deref().is_none_or(|schema| schema == relation.schema)
        })
    }

    /// The relations by name.
    pub fn by_name(&self) -> BTreeMap<(&str, &str), &Relation> {
        self.relations
            .iter()
            .map(|relation| ((relation.schema.as_str(), relation.name.as_str()), relation))
            .collect()
    }
}

impl Relation {
    pub fn rel_name(&self) -> RelName {
        RelName::new(Some(&self.schema), &self.name)
    }

    pub fn is_index(&self) -> bool {
        matches!(self.kind.as_str(), "i" | "I")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_is_refused_with_the_reason() {
        for (text, expect) in [
            ("", "it is no JSON object"),
            ("{}", "it is JSON, and no snapshot"),
            (r#"{"snapshot": 99}"#, "it has form 99, and this version reads up to 1"),
            (r#"{"snapshot": 1}"#, "missing field `server`"),
        ] {
            let why = Snapshot::parse(text).expect_err(text);
            assert!(why.contains(expect), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let relation = Relation {
            schema: "public".to_owned(),
            name: "orders".to_owned(),
            kind: "r".to_owned(),
            tuples: 1e6,
            blocks: Some(12),
            columns: vec![ColumnFigures {
                name: "id".to_owned(),
                n_distinct: -1.0,
                ..ColumnFigures::default()
            }],
            ..Relation::default()
        };
        let snapshot = Snapshot { snapshot: FORMAT, relations: vec![relation], ..Snapshot::default() };
        assert_eq!(Snapshot::parse(&snapshot.render()), Ok(snapshot));
    }
}
