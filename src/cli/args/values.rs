//! Values as people type them.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::migration::Tool;

/// `1%`, `0.5 %`, or a part of one such as `0.01`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, of) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim(), 100.0),
        None => (text, 1.0),
    };
    let share = number.parse::<f64>().ok().map(|number| number / of);
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share such as 1% or 0.01"))
}

/// A tool for migrations by its name.
pub(super) fn migration_tool() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::NAMES.map(|(name, _)| name))
        .map(|name| Tool::NAMES.iter().find(|(known, _)| *known == name).map_or(Tool::Sql, |(_, tool)| *tool))
}

/// `500ms`, `5s`, `2min` or plain seconds.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let number: f64 =
        text[..digits].parse().map_err(|_| format!("`{text}` is not a time such as 500ms, 5s or 2min"))?;
    let seconds = match text[digits..].trim() {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        unit => return Err(format!("`{unit}` is not a unit of time: use ms, s or min")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert!(duration("5h").is_err() && duration("fast").is_err() && duration("-1s").is_err());
    }
}
