//! The small values of conditions: one word or a list of them, and bounds of a number.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// `update` or `[update, delete]`: one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOf<T>(pub Vec<T>);

impl<T: PartialEq> OneOf<T> {
    pub fn has(&self, value: &T) -> bool {
        self.0.contains(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<OneOf<T>, D::Error> {
        struct Words<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Words<T> {
            type Value = OneOf<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a list of words")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OneOf<T>, E> {
                T::deserialize(de::value::StrDeserializer::new(word)).map(|word| OneOf(vec![word]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOf<T>, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                if words.is_empty() {
                    return Err(de::Error::custom("an empty list can never hold"));
                }
                Ok(OneOf(words))
            }
        }
        from.deserialize_any(Words(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOf<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOf_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
    }
}

/// A number, or `param NAME` for one of the rule's `params`.
#[derive(Clone, Debug, PartialEq)]
pub enum Threshold {
    Number(f64),
    Param(String),
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Threshold, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Threshold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or `param NAME`")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Threshold, E> {
                Ok(Threshold::Number(number as f64))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Threshold, E> {
                Ok(Threshold::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Threshold, E> {
                Ok(Threshold::Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Threshold, E> {
                match text.strip_prefix("param ").map(str::trim) {
                    Some(name) if !name.is_empty() => Ok(Threshold::Param(name.to_owned())),
                    _ => Err(E::custom(format!("`{text}` is neither a number nor `param NAME`"))),
                }
            }
        }
        from.deserialize_any(Number)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^param \\S+$" }] })
    }
}

/// What a number must be: `{ at-least: 5 }`, `{ more-than: param rows }`, or `5` for exactly that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    pub exactly: Option<Threshold>,
    pub limits: Limits,
}

/// All that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    pub at_least: Option<Threshold>,
    pub at_most: Option<Threshold>,
    pub more_than: Option<Threshold>,
    pub less_than: Option<Threshold>,
}

impl Bounds {
    pub fn thresholds(&self) -> impl Iterator<Item = &Threshold> {
        let Limits { at_least, at_most, more_than, less_than } = &self.limits;
        [&self.exactly, at_least, at_most, more_than, less_than].into_iter().flatten()
    }

    /// `param` gives the number of a parameter.
    #[expect(clippy::float_cmp, reason = "counts")]
    pub fn hold(&self, number: f64, param: impl Fn(&str) -> f64) -> bool {
        let value = |threshold: &Threshold| match threshold {
            Threshold::Number(number) => *number,
            Threshold::Param(name) => param(name),
        };
        let holds = |threshold: &Option<Threshold>, test: fn(f64, f64) -> bool| {
            threshold.as_ref().is_none_or(|threshold| test(number, value(threshold)))
        };
        holds(&self.exactly, |a, b| a == b)
            && holds(&self.limits.at_least, |a, b| a >= b)
            && holds(&self.limits.at_most, |a, b| a <= b)
            && holds(&self.limits.more_than, |a, b| a > b)
            && holds(&self.limits.less_than, |a, b| a < b)
    }
}

impl<'de> Deserialize<'de> for Bounds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Bounds, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Bounds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or bounds such as `{ at-least: 5 }`")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Bounds, E> {
                Ok(exactly(Threshold::Number(number as f64)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Bounds, E> {
                Ok(exactly(Threshold::Number(number)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bounds, E> {
                Threshold::deserialize(de::value::StrDeserializer::new(text)).map(exactly)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Bounds, A::Error> {
                let bounds =
                    Bounds { exactly: None, limits: Limits::deserialize(MapAccessDeserializer::new(map))? };
                if bounds.thresholds().next().is_none() {
                    return Err(de::Error::custom("bounds without a number"));
                }
                Ok(bounds)
            }
        }
        from.deserialize_any(Either)
    }
}

fn exactly(threshold: Threshold) -> Bounds {
    Bounds { exactly: Some(threshold), limits: Limits::default() }
}

impl JsonSchema for Bounds {
    fn schema_name() -> Cow<'static, str> {
        "Bounds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = generator.subschema_for::<Threshold>();
        let limits = generator.subschema_for::<Limits>();
        json_schema!({ "anyOf": [number, limits] })
    }
}
