//! `check`: what the lint step looks at, which rules it applies where, and what makes it fail.
//!
//! Names of rules and of their parameters are only words here: `lint::Policy` knows the rules.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Glob;
use crate::{finding::Severity, yaml};

/// The lint step.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Check {
    /// `None`: warning.
    pub fail_on: Option<FailOn>,
    /// What is read of the files of folders; all where there is none.
    pub paths: Vec<Glob>,
    /// What is never read, also where it is named.
    pub exclude: Vec<Glob>,
    /// Sets of rules besides the default one.
    pub sets: Vec<SetName>,
    #[serde(deserialize_with = "by_rule")]
    pub rules: Vec<(Word, Setting)>,
    /// For some files; a later one counts more.
    pub overrides: Vec<Override>,
}

/// What holds for some files alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Override {
    pub paths: Vec<Glob>,
    #[serde(deserialize_with = "by_rule")]
    pub rules: Vec<(Word, Setting)>,
}

/// What a rule is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// `None`: as it would be without this setting.
    pub on: Option<bool>,
    /// Of the findings that are as severe as the rule.
    pub severity: Option<Severity>,
    /// In place of the rule's own.
    pub params: Vec<(Word, f64)>,
}

/// From which severity on findings make a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    At(Severity),
    Never,
}

/// A set of rules by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetName {
    Default,
    Pedantic,
    Preview,
}

/// The name of a rule or of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(pub String);

const SEVERITIES: [(&str, Severity); 3] =
    [("note", Severity::Note), ("warning", Severity::Warning), ("error", Severity::Error)];

const SETS: [(&str, SetName); 3] =
    [("default", SetName::Default), ("pedantic", SetName::Pedantic), ("preview", SetName::Preview)];

impl FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<FailOn, String> {
        if word == "never" {
            return Ok(FailOn::Never);
        }
        let known = SEVERITIES.iter().find(|(name, _)| *name == word);
        known.map(|(_, severity)| FailOn::At(*severity)).ok_or_else(|| {
            yaml::unknown("severity", word, SEVERITIES.iter().map(|(name, _)| *name).chain(["never"]))
        })
    }
}

impl FromStr for SetName {
    type Err = String;

    fn from_str(word: &str) -> Result<SetName, String> {
        let known = SETS.iter().find(|(name, _)| *name == word);
        known
            .map(|(_, set)| *set)
            .ok_or_else(|| yaml::unknown("set", word, SETS.iter().map(|(name, _)| *name)))
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(word: &str) -> Result<Word, String> {
        if word.is_empty() {
            return Err("a name is empty".to_owned());
        }
        Ok(Word(word.to_owned()))
    }
}

impl Display for Word {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl FromStr for Setting {
    type Err = String;

    /// `off`, `on`, or a severity, which turns the rule on as well.
    fn from_str(word: &str) -> Result<Setting, String> {
        let severity = SEVERITIES.iter().find(|(name, _)| *name == word).map(|(_, severity)| *severity);
        let on = match (word, severity) {
            ("off", _) => false,
            ("on", _) | (_, Some(_)) => true,
            _ => {
                let known = SEVERITIES.iter().map(|(name, _)| *name).chain(["on", "off"]);
                return Err(yaml::unknown("severity", word, known));
            }
        };
        Ok(Setting { on: Some(on), severity, params: Vec::new() })
    }
}

impl<'de> Deserialize<'de> for FailOn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<FailOn, D::Error> {
        yaml::parsed(from)
    }
}

impl<'de> Deserialize<'de> for SetName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<SetName, D::Error> {
        yaml::parsed(from)
    }
}

/// A rule's keys, where it has more than a severity.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSetting {
    #[serde(default, deserialize_with = "word")]
    severity: Option<Setting>,
    #[serde(default, deserialize_with = "numbers")]
    params: Vec<(Word, f64)>,
}

fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Setting>, D::Error> {
    from.deserialize_any(OneSetting { keys: false }).map(Some)
}

fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Word, f64)>, D::Error> {
    yaml::pairs(from, |_| Ok(()))
}

fn by_rule<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Word, Setting)>, D::Error> {
    yaml::pairs(from, |_| Ok(()))
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Setting, D::Error> {
        from.deserialize_any(OneSetting { keys: true })
    }
}

/// A word, or keys where these are allowed. YAML of an older version takes `off` for a boolean.
struct OneSetting {
    keys: bool,
}

impl<'de> Visitor<'de> for OneSetting {
    type Value = Setting;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("off, on, note, warning or error")?;
        if self.keys { to.write_str(", or the keys severity and params") } else { Ok(()) }
    }

    fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<Setting, E> {
        Ok(Setting { on: Some(on), ..Setting::default() })
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Setting, E> {
        word.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting, A::Error> {
        if !self.keys {
            return Err(A::Error::custom("a severity is one word"));
        }
        let raw = RawSetting::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Setting { params: raw.params, ..raw.severity.unwrap_or_default() })
    }
}
