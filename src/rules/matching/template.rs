//! `because:` and `instead:` with their placeholders: names and numbers of a case, never its values.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::yaml::{self, nearest};

/// What a finding's words may name, by the condition that fills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// The table concerned, or those of FROM where no condition is about one.
    Table,
    /// The tables of FROM.
    Tables,
    /// The column that a predicate tests, or that is set.
    Column,
    /// Those of every such predicate, of the sort keys, or that are set.
    Columns,
    Operator,
    Function,
    /// The type of the column.
    Type,
    /// What `count`, `length`, `columns`, `keys`, `arms`, `tables` or a write's `rows` counted.
    Count,
    Limit,
    Offset,
    Node,
    /// Of a table or a plan's node.
    Rows,
    Bytes,
    Removed,
    Loops,
    Spill,
    Buffers,
    Milliseconds,
}

impl Placeholder {
    pub const ALL: &[(&str, Placeholder)] = &[
        ("table", Placeholder::Table),
        ("tables", Placeholder::Tables),
        ("column", Placeholder::Column),
        ("columns", Placeholder::Columns),
        ("operator", Placeholder::Operator),
        ("function", Placeholder::Function),
        ("type", Placeholder::Type),
        ("count", Placeholder::Count),
        ("limit", Placeholder::Limit),
        ("offset", Placeholder::Offset),
        ("node", Placeholder::Node),
        ("rows", Placeholder::Rows),
        ("bytes", Placeholder::Bytes),
        ("removed", Placeholder::Removed),
        ("loops", Placeholder::Loops),
        ("spill", Placeholder::Spill),
        ("buffers", Placeholder::Buffers),
        ("milliseconds", Placeholder::Milliseconds),
    ];

    pub fn name(self) -> &'static str {
        Placeholder::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// A text with placeholders in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Fill(Placeholder),
    /// `{param rows}`: a threshold of the rule.
    Param(String),
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Template, D::Error> {
        yaml::parsed(from)
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err("a `{` without its `}`".to_owned());
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(placeholder(name)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Template { parts })
    }
}

fn placeholder(name: &str) -> Result<Part, String> {
    if let Some(param) = name.strip_prefix("param ") {
        return Ok(Part::Param(param.trim().to_owned()));
    }
    if let Some((_, known)) = Placeholder::ALL.iter().find(|(known, _)| *known == name) {
        return Ok(Part::Fill(*known));
    }
    let hint = nearest(name, Placeholder::ALL.iter().map(|(known, _)| *known))
        .map_or_else(String::new, |known| format!("; did you mean `{{{known}}}`?"));
    Err(format!("there is no placeholder `{{{name}}}`{hint}"))
}
