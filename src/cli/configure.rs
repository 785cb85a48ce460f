//! What `sargable.yaml` and the flags say together.

use super::args::{ConfigArgs, InputArgs};
use crate::{
    config::Config,
    error::Error,
    sources::{self, Readers},
    yaml,
};

/// The configuration that the flags name, or the one that is found.
pub(super) fn config(args: &ConfigArgs) -> Result<Config, Error> {
    match &args.config {
        Some(path) => Config::load(path),
        None if args.no_config => Ok(Config::default()),
        // A folder that is gone has no file either.
        None => std::env::current_dir().map_or_else(|_| Ok(Config::default()), |here| Config::find(&here)),
    }
}

/// The formats that the configuration defines. Errors: `--input-format` names none of them, nor one of ours.
pub(super) fn readers(args: &InputArgs, config: &Config) -> Result<Readers, Error> {
    let readers = Readers::of(config)?;
    if let Some(name) = &args.input_format {
        let known: Vec<&str> = readers.names().chain(sources::input_formats()).collect();
        if !known.contains(&name.as_str()) {
            let hint = match yaml::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", known.join(", ")),
            };
            return Err(Error::Usage { what: format!("`{name}` is no input format"), hint: Some(hint) });
        }
    }
    Ok(readers)
}
