//! `logs.readers`: the formats of logs that a user defines, by the keys of JSON lines or by the groups of a
//! regular expression. Both name the same facts ([`Fact`]).

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};

use super::{Fact, Glob, KeyPath, Placeholders, Scalar, values::Condition};
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
