//! What can be typed, by clap. Meaning is given in the subcommands' own files.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::filter::FilterArgs;
use crate::{report::slo::Objective, sources::input_formats};

/// Finds what makes a PostgreSQL workload slow, and proves what will make it fast.
#[derive(Debug, Parser)]
#[command(name = "sargable", version, about, disable_help_subcommand = true, propagate_version = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The whole job: logs, SQL files and the server's plans into one ranked report
    Analyze(AnalyzeArgs),
    /// Lint SQL files, for CI
    Check(CheckArgs),
    /// One statement: its plan, what is wrong with it, what would help
    Explain(ExplainArgs),
    /// The indexes that a workload lacks
    Index(AnalyzeArgs),
    /// Statistics of logs, without a server
    Logs(LogsArgs),
    /// A connection-pool size, with its evidence
    Pool(PoolArgs),
    /// List the rules, or show one with its reasons and examples
    Rules(RulesArgs),
    /// Run the whole job on a private throw-away PostgreSQL with a shop database
    Demo(DemoArgs),
}

#[derive(Args, Debug)]
pub(super) struct AnalyzeArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) pool: PoolSizeArgs,
    #[command(flatten)]
    pub(super) figures: FigureArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    pub(super) fail_on: FailOn,
}

#[derive(Args, Debug)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Go on reading as the newest log grows, also when it is rotated; Ctrl-C ends it with the report
    #[arg(long)]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) save: SaveArgs,
    #[command(flatten)]
    pub(super) figures: FigureArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(super) fail_on: FailOn,
}

#[derive(Args, Clone, Debug)]
pub(super) struct SaveArgs {
    /// Write a digest of the logs: any command reads it in their place, alone or with other logs
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Keep statements and bind values in the digest as they were sent
    #[arg(long, requires = "save")]
    pub(super) save_literals: bool,
}

#[derive(Args, Debug)]
pub(super) struct PoolArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) pool: PoolSizeArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// SQL files and folders; `-` is standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Warning)]
    pub(super) fail_on: FailOn,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The statement
    #[arg(value_name = "SQL", required_unless_present = "file")]
    pub(super) sql: Option<String>,
    /// Read the statement from a file; `-` is standard input
    #[arg(short, long, conflicts_with = "sql")]
    pub(super) file: Option<PathBuf>,
    /// A bind value for $1, $2 …; repeat it
    #[arg(short, long = "bind", value_name = "VALUE")]
    pub(super) binds: Vec<String>,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(super) fail_on: FailOn,
}

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Times the number of rows: 1 is a million users, a million orders, three million order items
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(super) rows_scale: f64,
    /// Folder of `initdb` and `postgres` [default: looked for in the usual places]
    #[arg(long, value_name = "FOLDER", env = "PG_BIN")]
    pub(super) pg_bin: Option<PathBuf>,
    /// Keep the server at the end until Enter is pressed
    #[arg(long)]
    pub(super) keep: bool,
}

#[derive(Args, Debug)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    pub(super) what: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Every rule, a line each, those of .sargable/rules included
    List {
        /// Only those of this set
        #[arg(long, value_enum)]
        set: Option<SetName>,
    },
    /// One rule: why, what instead, examples, references
    Show {
        /// Its name or code
        rule: String,
    },
    /// Run the examples of your own rules
    Test {
        /// The folder of the rules
        #[arg(value_name = "DIR", default_value = ".sargable/rules")]
        folder: PathBuf,
    },
    /// The JSON Schema of rule files, for editors
    Schema,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SetName {
    Default,
    Pedantic,
    Preview,
}

impl From<SetName> for crate::rules::Set {
    fn from(name: SetName) -> crate::rules::Set {
        match name {
            SetName::Default => crate::rules::Set::Default,
            SetName::Pedantic => crate::rules::Set::Pedantic,
            SetName::Preview => crate::rules::Set::Preview,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct InputArgs {
    /// Logs, digests, SQL files and folders, plain or compressed; `-` is standard input
    #[arg(value_name = "INPUT")]
    pub(super) paths: Vec<PathBuf>,
    /// The log's prefix as `SHOW log_line_prefix` prints it [default: asked of the server, else inferred]
    #[arg(long, value_name = "PREFIX")]
    pub(super) log_line_prefix: Option<String>,
    /// What the inputs are, or what their lines lie in [default: recognised by content]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(input_formats()))]
    pub(super) input_format: Option<String>,
    /// Tell up to 1,000 occurrences of each repetition in the JSON report, not the 20 most expensive
    #[arg(long)]
    pub(super) all_occurrences: bool,
    /// Threads that read logs [default: one a core]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

/// What the figures are held against, and how they are shown.
#[derive(Args, Clone, Debug)]
pub(super) struct FigureArgs {
    /// Exit with 1 when all executions together miss this: mean, p50, p90, p95, p99, max, errors
    #[arg(long, value_name = "p95=500ms,errors=0.1%", value_delimiter = ',')]
    pub(super) slo: Vec<Objective>,
    /// The same for each query
    #[arg(long, value_name = "p99=2s", value_delimiter = ',')]
    pub(super) slo_per_query: Vec<Objective>,
    /// Queries to show; 0 is all [default: 10; all in JSON]
    #[arg(long, value_name = "N")]
    pub(super) top: Option<usize>,
    /// What queries are ranked by
    #[arg(long, value_enum, default_value_t = SortBy::Total)]
    pub(super) sort: SortBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SortBy {
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
pub(super) struct ServerArgs {
    /// postgres://user@host:port/database, or key=value pairs; PG* variables and ~/.pgpass are honoured
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// How far queries are explained
    #[arg(long, value_enum, default_value_t = ExplainMode::Analyze)]
    pub(super) explain: ExplainMode,
    /// Time for all EXPLAINs together, the most expensive queries first
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(super) explain_budget: Duration,
    /// `statement_timeout` of one EXPLAIN
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(super) statement_timeout: Duration,
    /// `lock_timeout` of one EXPLAIN
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(super) lock_timeout: Duration,
    /// Plan and run statements that call functions outside of PostgreSQL and its known extensions
    #[arg(long)]
    pub(super) trust_functions: bool,
}

#[derive(Args, Clone, Debug)]
pub(super) struct PoolSizeArgs {
    /// Cores of the database server [default: this machine's when the server is local]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<u32>,
    /// Disks of the database server that can seek on their own; an SSD counts 1
    #[arg(long, value_name = "N")]
    pub(super) spindles: Option<u32>,
    /// Instances of the application that share the database
    #[arg(long, value_name = "N")]
    pub(super) instances: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct OutputArgs {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    pub(super) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainMode {
    /// Ask the server for nothing but its catalog
    Off,
    /// EXPLAIN
    Plan,
    /// EXPLAIN ANALYZE where that is safe, EXPLAIN elsewhere
    Analyze,
}

/// `500ms`, `5s`, `2min` or plain seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
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
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert!(duration("5h").is_err() && duration("fast").is_err() && duration("-1s").is_err());
    }
}
