//! What the type of a column says of its values: their width, and whether they sort.

use serde::Deserialize;

/// A column as the server stores it; domains are what they are made of. Also the key of an index that is an
/// expression.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Stored {
    pub schema: String,
    pub relation: String,
    pub name: String,
    /// As `format_type()` prints it: `character varying(20)`.
    pub type_name: String,
    /// `pg_type.typlen`: below 0 where the width varies.
    pub length: i32,
    /// `pg_type.typalign` in bytes.
    pub alignment: u32,
    /// Also where only the domain says so.
    pub not_null: bool,
    pub identity: bool,
    /// Of an enum, in its order.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// CHECK constraints of the domain, of `VALUE`.
    #[serde(default)]
    pub checks: Option<Vec<String>>,
    /// The range of a partition by this column: `FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`.
    #[serde(default)]
    pub bound: Option<String>,
    /// Of an index: the key as it is printed, such as `lower(email)`.
    #[serde(default)]
    pub expression: Option<String>,
}

/// What can be said of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Number,
    Text,
    /// With the time of day.
    Time,
    Date,
    Boolean,
    Enum,
    /// No two are the same: UUIDs, documents, arrays, bytes.
    Whole,
    Other,
}

impl Stored {
    /// `numeric(10,2)` without what is in parentheses.
    fn bare(&self) -> String {
        match (self.type_name.find('('), self.type_name.find(')')) {
            (Some(open), Some(close)) if open < close => {
                format!("{}{}", &self.type_name[..open], &self.type_name[close + 1..])
            }
            _ => self.type_name.clone(),
        }
    }

    /// The first number in parentheses.
    pub(super) fn limit(&self) -> Option<f64> {
        let (_, rest) = self.type_name.split_once('(')?;
        rest.split([',', ')']).next()?.trim().parse().ok()
    }

    pub(super) fn class(&self) -> Class {
        let bare = self.bare();
        match bare.as_str() {
            _ if self.labels.is_some() => Class::Enum,
            _ if bare.ends_with(']') => Class::Whole,
            "smallint" | "integer" | "bigint" => Class::Integer,
            "numeric" | "money" | "real" | "double precision" => Class::Number,
            "text" | "character varying" | "character" | "citext" | "name" => Class::Text,
            "date" => Class::Date,
            "boolean" => Class::Boolean,
            _ if bare.starts_with("timestamp") => Class::Time,
            "uuid" | "bytea" | "json" | "jsonb" | "xml" | "tsvector" | "hstore" => Class::Whole,
            _ => Class::Other,
        }
    }

    /// Whether a correlation can be said: the type has an order that we know of.
    pub(super) fn sorts(&self) -> bool {
        matches!(
            self.class(),
            Class::Integer
                | Class::Number
                | Class::Text
                | Class::Time
                | Class::Date
                | Class::Boolean
                | Class::Enum
        ) || self.type_name == "uuid"
    }

    /// Bytes of a value, the header of one that varies included.
    pub(super) fn width(&self) -> f64 {
        if self.length >= 0 {
            return f64::from(self.length);
        }
        let bare = self.bare();
        let limit = self.limit();
        match bare.as_str() {
            "character" => 1.0 + limit.unwrap_or(1.0),
            // Half of what is allowed, and not more than any text: 255 is mostly a habit.
            "character varying" => 1.0 + limit.map_or(TEXT, |limit| (limit / 2.0).ceil().min(TEXT)),
            // Four digits in two bytes behind a header of 3: half of those that are allowed.
            "numeric" => 3.0 + limit.map_or(4.0, |digits| 2.0 * (digits / 8.0).ceil()),
            "citext" | "name" | "text" => 1.0 + TEXT,
            "json" | "jsonb" | "hstore" | "xml" | "tsvector" | "bytea" => DOCUMENT,
            "inet" | "cidr" => 7.0,
            _ if bare.ends_with(']') => 56.0,
            _ => 1.0 + TEXT,
        }
    }

    /// The most values that the type has room for.
    pub(super) fn most_values(&self) -> f64 {
        let limit = self.limit();
        match (self.bare().as_str(), limit) {
            ("smallint", _) => 65_536.0,
            // Letters.
            ("character" | "character varying", Some(limit)) => 26_f64.powf(limit.min(12.0)),
            ("character", None) => 26.0,
            ("numeric", Some(digits)) => 10_f64.powf(digits.min(15.0)),
            _ => f64::INFINITY,
        }
    }
}

/// Bytes of a text of which nothing is known: what PostgreSQL itself assumes (`get_typavgwidth`).
const TEXT: f64 = 32.0;

/// Of a document, in bytes.
const DOCUMENT: f64 = 200.0;
