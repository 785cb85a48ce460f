//! YAML that a person wrote → types, strictly: an error names line and column, and for an unknown word the
//! known one that is nearest.
//!
//! ```text
//! read::<Config>(text)                  the whole of a file
//! parsed(deserializer)                  one word, by its FromStr; an error points at the word
//! pairs(deserializer, check)            keys and values in their order, no key twice
//! checked::<Raw, _>(deserializer)       several keys that must go together; an error points at the first
//! ```
//!
//! Errors keep their place only where they arise within a visitor: that is why none is made elsewhere.

use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use serde::{
    Serialize,
    de::{
        Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

/// Why a text was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    pub message: String,
    /// The known word that was probably meant.
    pub meant: Option<String>,
}

/// Reads the one document of a text. A text without content is an empty mapping.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refused> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let text = if text.lines().all(blank) { "{}" } else { text };
    serde_yaml::from_str(text).map_err(|err| {
        let (message, meant) = explain(&err.to_string());
        Refused { place: err.location().map(|at| (at.line(), at.column())), message, meant }
    })
}

/// The text that [`read`] gives the same of; texts of several lines stand as they are.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}

/// The reader's message without its place, and for an unknown word the known one that is nearest.
fn explain(message: &str) -> (String, Option<String>) {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    // What serde calls by the names of our types.
    let message = match message.split_once(", expected struct ") {
        Some((found, _)) => format!("{found}, expected keys with their values"),
        None => message.to_owned(),
    };
    let unknown = message.find("unknown ").and_then(|at| message.get(at..)).unwrap_or("");
    let mut quoted = unknown.split('`').skip(1).step_by(2);
    let meant = quoted.next().and_then(|word| nearest(word, quoted)).map(str::to_owned);
    let message = match &meant {
        Some(_) => message.split(", expected").next().unwrap_or(&message).to_owned(),
        None => message,
    };
    (message, meant)
}

/// The known word that the fewest changes make of `word`, if they are few.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (distance(word, known), known))
        .min()
        .filter(|(changes, known)| *changes <= 1 + known.len() / 3)
        .map(|(_, known)| known)
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// ``unknown field `x`, expected one of `a`, `b` ``: the words that [`read`] finds the nearest one in.
pub fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
    format!("unknown {what} `{word}`, expected one of {}", known.join(", "))
}

/// One word by its [`FromStr`].
pub fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<T, D::Error> {
    Word { taken: Vec::new(), made: PhantomData }.deserialize(from)
}

/// A mapping in its order; a key that comes twice is refused, and so is what `check` refuses.
pub fn pairs<'de, D, K, V>(
    from: D,
    check: impl FnOnce(&[(K, V)]) -> Result<(), String>,
) -> Result<Vec<(K, V)>, D::Error>
where
    D: Deserializer<'de>,
    K: FromStr<Err = String> + Display,
    V: Deserialize<'de>,
{
    from.deserialize_map(Pairs { check, made: PhantomData })
}

/// A mapping by its derived type `Raw`, then made into `T`.
pub fn checked<'de, Raw, T, D>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    Raw: Deserialize<'de>,
    T: TryFrom<Raw, Error = String>,
{
    from.deserialize_map(Whole::<Raw, T>(PhantomData))
}

const MAPPING: &str = "keys with their values";

struct Word<T> {
    /// Keys that came before it.
    taken: Vec<String>,
    made: PhantomData<T>,
}

impl<'de, T: FromStr<Err = String>> DeserializeSeed<'de> for Word<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_str(self)
    }
}

impl<T: FromStr<Err = String>> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<T, E> {
        if self.taken.iter().any(|taken| taken == word) {
            return Err(E::custom(format!("`{word}` comes twice")));
        }
        word.parse().map_err(E::custom)
    }
}

struct Pairs<K, V, C> {
    check: C,
    made: PhantomData<(K, V)>,
}

impl<'de, K, V, C> Visitor<'de> for Pairs<K, V, C>
where
    K: FromStr<Err = String> + Display,
    V: Deserialize<'de>,
    C: FnOnce(&[(K, V)]) -> Result<(), String>,
{
    type Value = Vec<(K, V)>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(MAPPING)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<(K, V)>, A::Error> {
        let mut pairs: Vec<(K, V)> = Vec::new();
        loop {
            let taken = pairs.iter().map(|(key, _)| key.to_string()).collect();
            let Some(key) = map.next_key_seed(Word { taken, made: PhantomData })? else { break };
            pairs.push((key, map.next_value()?));
        }
        (self.check)(&pairs).map_err(A::Error::custom)?;
        Ok(pairs)
    }
}

struct Whole<Raw, T>(PhantomData<(Raw, T)>);

impl<'de, Raw: Deserialize<'de>, T: TryFrom<Raw, Error = String>> Visitor<'de> for Whole<Raw, T> {
    type Value = T;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(MAPPING)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let raw = Raw::deserialize(MapAccessDeserializer::new(map))?;
        T::try_from(raw).map_err(A::Error::custom)
    }
}

/// Where a key stands in a text of block style: line and column, from 1. For errors that show only when the
/// whole is known.
pub fn place(text: &str, keys: &[&str]) -> Option<(usize, usize)> {
    let (mut wanted, mut within) = (keys.iter(), 0);
    let mut key = wanted.next()?;
    for (number, line) in (1..).zip(text.lines()) {
        let inner = line.trim_start();
        let indent = line.len() - inner.len();
        let name = inner.split(':').next().unwrap_or("").trim_matches(['"', '\'', ' ']);
        if name != *key || indent < within || !inner.contains(':') {
            continue;
        }
        match wanted.next() {
            Some(next) => (key, within) = (next, indent + 1),
            None => return Some((number, indent + 1)),
        }
    }
    None
}
