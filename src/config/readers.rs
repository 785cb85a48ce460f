//! `logs.readers`: the formats of logs that a user defines, by the keys of JSON lines or by the groups of a
//! regular expression. Both name the same facts ([`Fact`]).

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de};

use super::Glob;
use crate::yaml;

/// How a log of one format is read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Inputs that it reads before any built-in format is tried.
    pub files: Vec<Glob>,
    /// `None`: told from each statement.
    pub placeholders: Option<Placeholders>,
    pub form: Form,
}

#[derive(Clone, Debug)]
pub enum Form {
    JsonLines(JsonLines),
    Regex(RegexLines),
}

/// One JSON object a line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JsonLines {
    /// What a line about a statement has: all of these, each one of its values.
    #[serde(default, rename = "where", deserialize_with = "conditions")]
    pub conditions: Vec<(KeyPath, Vec<Scalar>)>,
    /// Where each fact stands.
    #[serde(deserialize_with = "fields")]
    pub fields: Vec<(Fact, KeyPath)>,
}

/// Lines of text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRegex {
    #[serde(default)]
    starts_with: Option<Pattern>,
    #[serde(default, rename = "where")]
    condition: Option<Pattern>,
    pattern: GroupedPattern,
}

/// Lines of text, or entries of several lines.
#[derive(Clone, Debug)]
pub struct RegexLines {
    /// What the first line of an entry begins with; without it every line is one.
    pub starts_with: Option<Regex>,
    /// What an entry about a statement matches; without it every entry is to be one.
    pub condition: Option<Regex>,
    /// With a group for each fact; in entries of several lines `.` stands for a line's end as well.
    pub pattern: Regex,
}

/// What a log may tell of a statement. Units belong to the name, since a group has nothing but a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    Statement,
    /// A text with its unit.
    Duration,
    /// A number in microseconds times this many thousandths.
    DurationIn(Unit),
    /// RFC 3339, or as loggers write it.
    Timestamp,
    /// Since 1970.
    TimestampIn(Unit),
    Session,
    Request,
    Trace,
    Application,
    User,
    Database,
    Rows,
    Error,
    Sqlstate,
    Caller,
    CallerLine,
    Binds,
}

/// Of durations and of times since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Ns,
    Us,
    Ms,
    S,
}

impl Unit {
    /// How many make a second.
    pub fn per_second(self) -> i64 {
        match self {
            Unit::Ns => 1_000_000_000,
            Unit::Us => 1_000_000,
            Unit::Ms => 1_000,
            Unit::S => 1,
        }
    }
}

impl Fact {
    /// All of them with their names.
    pub const ALL: &[(&str, Fact)] = &[
        ("statement", Fact::Statement),
        ("duration", Fact::Duration),
        ("duration_ns", Fact::DurationIn(Unit::Ns)),
        ("duration_us", Fact::DurationIn(Unit::Us)),
        ("duration_ms", Fact::DurationIn(Unit::Ms)),
        ("duration_s", Fact::DurationIn(Unit::S)),
        ("timestamp", Fact::Timestamp),
        ("timestamp_ns", Fact::TimestampIn(Unit::Ns)),
        ("timestamp_us", Fact::TimestampIn(Unit::Us)),
        ("timestamp_ms", Fact::TimestampIn(Unit::Ms)),
        ("timestamp_s", Fact::TimestampIn(Unit::S)),
        ("session", Fact::Session),
        ("request", Fact::Request),
        ("trace", Fact::Trace),
        ("application", Fact::Application),
        ("user", Fact::User),
        ("database", Fact::Database),
        ("rows", Fact::Rows),
        ("error", Fact::Error),
        ("sqlstate", Fact::Sqlstate),
        ("caller", Fact::Caller),
        ("caller_line", Fact::CallerLine),
        ("binds", Fact::Binds),
    ];

    fn named(what: &str, name: &str) -> Result<Fact, String> {
        let found = Fact::ALL.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, fact)| *fact)
            .ok_or_else(|| yaml::unknown(what, name, Fact::ALL.iter().map(|(known, _)| *known)))
    }
}

impl Display for Fact {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Fact::ALL.iter().find(|(_, fact)| fact == self).map_or("", |(name, _)| name);
        to.write_str(name)
    }
}

impl FromStr for Fact {
    type Err = String;

    fn from_str(name: &str) -> Result<Fact, String> {
        Fact::named("field", name)
    }
}

/// What a reader is called in reports and by `--input-format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl Display for Name {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(name: &str) -> Result<Name, String> {
        let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if good {
            Ok(Name(name.to_owned()))
        } else {
            Err(format!("`{name}` is no name of a reader: use letters, digits, `-`, `_` and `.`"))
        }
    }
}

/// `err.code`: a key, or keys within keys. A key may itself hold dots (`db.statement`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath(pub String);

impl Display for KeyPath {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl FromStr for KeyPath {
    type Err = String;

    fn from_str(path: &str) -> Result<KeyPath, String> {
        if path.split('.').any(str::is_empty) {
            return Err(format!("`{path}` is no path of keys: it has an empty key"));
        }
        Ok(KeyPath(path.to_owned()))
    }
}

impl<'de> Deserialize<'de> for KeyPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<KeyPath, D::Error> {
        yaml::parsed(from)
    }
}

/// How the statements write their placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholders {
    /// `$1`, or none at all.
    Numbered,
    /// `?`
    Question,
    /// `%s`, `%(name)s`
    Percent,
    /// `:name`
    Colon,
    /// `@name`
    At,
}

impl Placeholders {
    /// All of them as they are written.
    pub const ALL: &[(&str, Placeholders)] = &[
        ("$1", Placeholders::Numbered),
        ("?", Placeholders::Question),
        ("%s", Placeholders::Percent),
        (":name", Placeholders::Colon),
        ("@name", Placeholders::At),
    ];
}

impl FromStr for Placeholders {
    type Err = String;

    fn from_str(text: &str) -> Result<Placeholders, String> {
        let found = Placeholders::ALL.iter().find(|(known, _)| *known == text);
        found.map(|(_, placeholders)| *placeholders).ok_or_else(|| {
            yaml::unknown("placeholder", text, Placeholders::ALL.iter().map(|(known, _)| *known))
        })
    }
}

impl<'de> Deserialize<'de> for Placeholders {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Placeholders, D::Error> {
        yaml::parsed(from)
    }
}

/// One value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `null`, or not there.
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
}

struct Scalars {
    /// Within a list.
    listed: bool,
}

impl<'de> de::Visitor<'de> for Scalars {
    type Value = Vec<Scalar>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a text, a number, true, false or null, or a list of these")
    }

    fn visit_unit<E>(self) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Null])
    }

    fn visit_bool<E>(self, value: bool) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Bool(value)])
    }

    fn visit_i64<E>(self, value: i64) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Number(value as f64)])
    }

    fn visit_u64<E>(self, value: u64) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Number(value as f64)])
    }

    fn visit_f64<E>(self, value: f64) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Number(value)])
    }

    fn visit_str<E>(self, value: &str) -> Result<Vec<Scalar>, E> {
        Ok(vec![Scalar::Text(value.to_owned())])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Scalar>, A::Error> {
        if self.listed {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut scalars = Vec::new();
        while let Some(Listed(one)) = list.next_element()? {
            scalars.extend(one);
        }
        if scalars.is_empty() {
            return Err(de::Error::custom("the list is empty: no value would do"));
        }
        Ok(scalars)
    }
}

struct Listed(Vec<Scalar>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Listed, D::Error> {
        from.deserialize_any(Scalars { listed: true }).map(Listed)
    }
}

struct Condition(Vec<Scalar>);

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Condition, D::Error> {
        from.deserialize_any(Scalars { listed: false }).map(Condition)
    }
}

fn conditions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(KeyPath, Vec<Scalar>)>, D::Error> {
    let pairs = yaml::pairs(from, |_: &[(KeyPath, Condition)]| Ok(()))?;
    Ok(pairs.into_iter().map(|(path, Condition(values))| (path, values)).collect())
}

fn fields<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Fact, KeyPath)>, D::Error> {
    yaml::pairs(from, |fields: &[(Fact, KeyPath)]| {
        let statement = fields.iter().any(|(fact, _)| *fact == Fact::Statement);
        if statement { Ok(()) } else { Err("no `statement`: name the key that holds the SQL".to_owned()) }
    })
}

pub(super) fn by_name<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Name, Reader)>, D::Error> {
    yaml::pairs(from, |_| Ok(()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawReader {
    #[serde(default)]
    files: Vec<Glob>,
    #[serde(default)]
    placeholders: Option<Placeholders>,
    #[serde(default)]
    json_lines: Option<JsonLines>,
    #[serde(default)]
    regex: Option<RawRegex>,
}

impl TryFrom<RawReader> for Reader {
    type Error = String;

    fn try_from(raw: RawReader) -> Result<Reader, String> {
        let form = match (raw.json_lines, raw.regex) {
            (Some(json), None) => Form::JsonLines(json),
            (None, Some(regex)) => Form::Regex(regex.compiled()?),
            (None, None) => {
                return Err("neither `json-lines` nor `regex`: say how its lines are read".to_owned());
            }
            (Some(_), Some(_)) => return Err("both `json-lines` and `regex`: keep one of them".to_owned()),
        };
        Ok(Reader { files: raw.files, placeholders: raw.placeholders, form })
    }
}

impl<'de> Deserialize<'de> for Reader {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Reader, D::Error> {
        yaml::checked::<RawReader, Reader, D>(from)
    }
}

/// A regular expression, checked; what it is compiled for is known only later.
#[derive(Clone, Debug)]
struct Pattern(String);

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        compile(text, false).map(|_| Pattern(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
        yaml::parsed(from)
    }
}

/// The same, with a group for each fact.
#[derive(Clone, Debug)]
struct GroupedPattern(String);

impl FromStr for GroupedPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<GroupedPattern, String> {
        let regex = compile(text, false)?;
        let groups: Vec<&str> = regex.capture_names().flatten().collect();
        for group in &groups {
            Fact::named("group", group)?;
        }
        if !groups.contains(&"statement") {
            return Err("no group `statement`: put the SQL into `(?<statement>…)`".to_owned());
        }
        Ok(GroupedPattern(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for GroupedPattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<GroupedPattern, D::Error> {
        yaml::parsed(from)
    }
}

impl RawRegex {
    fn compiled(self) -> Result<RegexLines, String> {
        let several = self.starts_with.is_some();
        let begin =
            self.starts_with.map(|Pattern(text)| compile(&format!("^(?:{text})"), false)).transpose()?;
        let condition = self.condition.map(|Pattern(text)| compile(&text, several)).transpose()?;
        Ok(RegexLines { starts_with: begin, condition, pattern: compile(&self.pattern.0, several)? })
    }
}

/// `several`: the text has several lines.
fn compile(text: &str, several: bool) -> Result<Regex, String> {
    RegexBuilder::new(text).dot_matches_new_line(several).build().map_err(|err| {
        // The last line says what is wrong; those before draw the pattern.
        let told = err.to_string();
        let why = told.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        format!("`{text}` is no regular expression: {why}")
    })
}
