//! The small values of a reader's definition: paths of keys, placeholders, what a condition asks for.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};

use crate::yaml;

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

pub(super) struct Condition(pub(super) Vec<Scalar>);

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Condition, D::Error> {
        from.deserialize_any(Scalars { listed: false }).map(Condition)
    }
}
