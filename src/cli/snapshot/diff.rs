//! `snapshot diff`: what changed from one snapshot to another.

use std::path::PathBuf;

use clap::Args;

use super::read;
use crate::{
    catalog::snapshot_changes::{Change, changes},
    cli::{Outcome, args::ColorWhen, output},
    error::Error,
    report::text,
};

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The older snapshot
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The newer snapshot
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    color: ColorWhen,
}

/// Findings are changes that plans are likely to follow.
pub(super) fn run(args: &DiffArgs) -> Result<Outcome, Error> {
    let found = changes(&read(&args.before)?, &read(&args.after)?);
    let lines = |moves_plans: bool| -> Vec<(&str, &str)> {
        let some = found.iter().filter(|change| change.moves_plans == moves_plans);
        some.map(|Change { what, said, .. }| (what.as_str(), said.as_str())).collect()
    };
    let (moving, others) = (lines(true), lines(false));
    output::print(&text::render_changes(&moving, &others, &output::style(true, args.color)))?;
    Ok(if moving.is_empty() { Outcome::Clean } else { Outcome::Findings })
}
