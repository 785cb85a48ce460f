//! The limits of index advice, and how the advisor is asked for it.

use std::time::{Duration, Instant};

use clap::Args;

use super::{
    args::{ServerArgs, duration},
    gather::Everything,
    planner::Planner,
};
use crate::{
    advise::{self, Advised, Asked, Budget},
    catalog::Catalog,
    plan::WhatIf,
    workload::Workload,
};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "What the advised indexes may take")]
pub(super) struct AdviceArgs {
    /// Room for all of them together: `500MB`, `2GB`
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) max_size: Option<u64>,
    /// Number of them
    #[arg(long, value_name = "N")]
    pub(super) max_indexes: Option<usize>,
    /// Number of them on one table
    #[arg(long, value_name = "N")]
    pub(super) max_per_table: Option<usize>,
    /// Time for the search, which then ends with the best set that it has
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) time_limit: Option<Duration>,
}

/// The index advice for a workload of which everything is gathered.
pub(super) fn indexes(
    workload: &Workload,
    catalog: &Catalog,
    all: &Everything,
    args: Option<&AdviceArgs>,
    server: Option<(&ServerArgs, &mut Planner)>,
) -> Advised {
    let ranked = workload.ranked();
    let asked: Vec<Asked<'_>> = ranked
        .iter()
        .filter_map(|&query| {
            let gathered = all.gathered.get(&query.id).filter(|gathered| gathered.in_catalog)?;
            Some(Asked {
                query,
                shape: all.shapes.get(&query.id)?,
                probe: gathered.probe.clone(),
                base: gathered.plan.as_deref().map(|(plan, _)| plan),
            })
        })
        .collect();
    let mut oracle = match server {
        Some((args, planner)) => planner.what_if(args, catalog),
        None => Err("no server was asked".to_owned()),
    };
    let oracle = match &mut oracle {
        Ok(oracle) => Ok(oracle.as_mut() as &mut dyn WhatIf),
        Err(why) => Err(why.as_str()),
    };
    let began = Instant::now();
    let limit = args.and_then(|args| args.time_limit);
    let is_out_of_time = || limit.is_some_and(|limit| began.elapsed() >= limit);
    let budget = match args {
        Some(args) => Budget {
            max_bytes: args.max_size,
            max_indexes: args.max_indexes,
            max_per_table: args.max_per_table,
            is_out_of_time: &is_out_of_time,
        },
        None => Budget::NONE,
    };
    advise::indexes(&asked, catalog, oracle, &budget)
}

/// `500MB`, `1.5 GB`, `64kB` or plain bytes; a thousand is 1,024, as PostgreSQL has it.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let wrong = || format!("`{text}` is not a size such as 500MB or 2GB");
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1024.0,
        "mb" | "m" => 1024.0 * 1024.0,
        "gb" | "g" => 1024.0 * 1024.0 * 1024.0,
        "tb" | "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of bytes")]
    Ok((number * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("500MB"), Ok(524_288_000));
        assert_eq!(bytes("1.5 gb"), Ok(1_610_612_736));
        assert_eq!(bytes("8192"), Ok(8192));
        assert!(bytes("many").is_err() && bytes("5 parsecs").is_err() && bytes("-1MB").is_err());
    }
}
