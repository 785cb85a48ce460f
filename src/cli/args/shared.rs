//! What several subcommands take: inputs, a server, figures, and where the report goes.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{FilterArgs, duration};
use crate::{report::slo::Objective, sources::input_formats};

#[derive(Args, Debug)]
pub(in crate::cli) struct InputArgs {
    /// Logs, digests, SQL files and folders, plain or compressed; `-` is standard input
    #[arg(value_name = "INPUT")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// The log's prefix as `SHOW log_line_prefix` prints it [default: asked of the server, else inferred]
    #[arg(long, value_name = "PREFIX")]
    pub(in crate::cli) log_line_prefix: Option<String>,
    // Readers of sargable.yaml are not known here: `config::readers` judges the name.
    #[arg(long, value_name = "NAME", help = format_help())]
    pub(in crate::cli) input_format: Option<String>,
    /// Tell up to 1,000 occurrences of each repetition in the JSON report, not the 20 most expensive
    #[arg(long)]
    pub(in crate::cli) all_occurrences: bool,
    /// Threads that read logs [default: one a core]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) threads: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) filter: FilterArgs,
}

/// What the figures are held against, and how they are shown.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct FigureArgs {
    /// Exit with 1 when all executions together miss this: mean, p50, p90, p95, p99, max, errors
    #[arg(long, value_name = "p95=500ms,errors=0.1%", value_delimiter = ',')]
    pub(in crate::cli) slo: Vec<Objective>,
    /// The same for each query
    #[arg(long, value_name = "p99=2s", value_delimiter = ',')]
    pub(in crate::cli) slo_per_query: Vec<Objective>,
    /// Queries to show; 0 is all [default: 10; all in JSON]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) top: Option<usize>,
    /// What queries are ranked by
    #[arg(long, value_enum, default_value_t = SortBy::Total)]
    pub(in crate::cli) sort: SortBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SortBy {
    Total,
    Calls,
    Mean,
    P95,
    P99,
    Max,
    Rows,
    Errors,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ServerArgs {
    /// postgres://user@host:port/database, or key=value pairs; PG* variables and ~/.pgpass are honoured
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(in crate::cli) database_url: Option<String>,
    /// Plan as the server did of which this snapshot was taken, on a private server, without connecting to it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) snapshot: Option<PathBuf>,
    /// Folder of `initdb` and `postgres` for --snapshot [default: looked for in the usual places]
    #[arg(long, value_name = "FOLDER", env = "PG_BIN")]
    pub(in crate::cli) pg_bin: Option<PathBuf>,
    /// The URL stands on the command line.
    #[arg(skip)]
    pub(in crate::cli) named: bool,
    /// How far queries are explained
    #[arg(long, value_enum, default_value_t = ExplainMode::Analyze)]
    pub(in crate::cli) explain: ExplainMode,
    /// Time for all EXPLAINs together, the most expensive queries first
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(in crate::cli) explain_budget: Duration,
    /// `statement_timeout` of one EXPLAIN
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(in crate::cli) statement_timeout: Duration,
    /// `lock_timeout` of one EXPLAIN
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(in crate::cli) lock_timeout: Duration,
    /// Plan and run statements that call functions outside of PostgreSQL and its known extensions
    #[arg(long)]
    pub(in crate::cli) trust_functions: bool,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct PoolSizeArgs {
    /// Cores of the database server [default: this machine's when the server is local]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) cores: Option<u32>,
    /// Disks of the database server that can seek on their own; an SSD counts 1
    #[arg(long, value_name = "N")]
    pub(in crate::cli) spindles: Option<u32>,
    /// Instances of the application that share the database
    #[arg(long, value_name = "N")]
    pub(in crate::cli) instances: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct OutputArgs {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    pub(in crate::cli) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExplainMode {
    /// Ask the server for nothing but its catalog
    Off,
    /// EXPLAIN
    Plan,
    /// EXPLAIN ANALYZE where that is safe, EXPLAIN elsewhere
    Analyze,
}

fn format_help() -> String {
    format!(
        "What the inputs are, or what their lines lie in: a reader of sargable.yaml, or one of {} \
         [default: recognised by content]",
        input_formats().join(", ")
    )
}
