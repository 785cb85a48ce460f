//! What can be typed, by clap. Meaning is given in the subcommands' own files.

use std::{path::PathBuf, time::Duration};

use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
    parser::ValueSource,
};

use super::{
    advice::AdviceArgs, filter::FilterArgs, plans::PlansArgs, schema::SchemaArgs, snapshot::SnapshotArgs,
};
use crate::{
    config::SetName,
    report::{migration::Tool, slo::Objective},
    rules,
    sources::input_formats,
};

/// Finds what makes a PostgreSQL workload slow, and proves what will make it fast.
#[derive(Debug, Parser)]
#[command(name = "sargable", version, about, disable_help_subcommand = true, propagate_version = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

impl Cli {
    /// What was typed; what only the environment says is told apart.
    pub(super) fn typed() -> Result<Cli, clap::Error> {
        let matches = Cli::command().try_get_matches()?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        let server = match &mut cli.command {
            Command::Check(args) => Some(&mut args.server),
            Command::Explain(args) => Some(&mut args.server),
            _ => None,
        };
        if let (Some(server), Some((_, of_command))) = (server, matches.subcommand()) {
            server.named = named(of_command, "database_url");
        }
        if let (Command::Snapshot(args), Some((_, of_command))) = (&mut cli.command, matches.subcommand()) {
            args.named = named(of_command, "database_url");
        }
        Ok(cli)
    }
}

fn named(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Which `sargable.yaml` is read.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ConfigArgs {
    /// Read this configuration [default: sargable.yaml here, or above in the same repository]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true, conflicts_with = "config")]
    pub(super) no_config: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The whole job: logs, SQL files and the server's plans into one ranked report
    Analyze(AnalyzeArgs),
    /// Lint SQL files, for CI
    Check(CheckArgs),
    /// One statement or pasted plan: the plan as a tree, what is wrong with it, what would help
    Explain(ExplainArgs),
    /// The best indexes for a workload, with proof
    #[command(mut_arg("explain", |arg| arg.default_value("plan")))]
    Index(IndexArgs),
    /// Statistics of logs, without a server
    Logs(LogsArgs),
    /// A connection-pool size, with its evidence
    Pool(PoolArgs),
    /// A gate for plans: `lock` writes them into a file, `check` fails when one becomes worse
    Plans(PlansArgs),
    /// All that plans depend on, and no rows, in one file: then no credentials are needed
    Snapshot(SnapshotArgs),
    /// List the rules, or show one with its reasons and examples
    Rules(RulesArgs),
    /// Write a first sargable.yaml, from what lies in this folder
    Init(InitArgs),
    /// Run the whole job on a private throw-away PostgreSQL with a shop database
    Demo(DemoArgs),
}

#[derive(Args, Debug)]
pub(super) struct AnalyzeArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) schema: SchemaArgs,
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
pub(super) struct IndexArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) schema: SchemaArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) advice: AdviceArgs,
    #[command(flatten)]
    pub(super) figures: FigureArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(super) fail_on: FailOn,
    /// Exit with 1 when an index is missing, for CI
    #[arg(long)]
    pub(super) fail_on_missing: bool,
    /// Tell of each other candidate why it is not advised
    #[arg(long)]
    pub(super) why_not: bool,
    /// Build the advised indexes on this scratch server, a copy with its data, time the queries without and with
    /// them, and drop them
    #[arg(long, value_name = "URL")]
    pub(super) verify: Option<String>,
    /// Write a migration in place of the report: into the folder --output, or to standard output
    #[arg(long, value_name = "TOOL", value_parser = migration_tool())]
    pub(super) migration: Option<Tool>,
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
    /// SQL files, programs with SQL in them, and folders; `-` is standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
    /// The file that standard input is, as an editor has it: its name says what it holds and what holds for it
    #[arg(long, value_name = "PATH")]
    pub(super) stdin_filepath: Option<PathBuf>,
    /// Write safe fixes into the files, and report what is left
    #[arg(long, conflicts_with_all = ["diff", "write_baseline"])]
    pub(super) fix: bool,
    /// Show safe fixes as a diff, and write nothing: exit with 1 when there are any
    #[arg(long, conflicts_with_all = ["write_baseline", "diff_lines"])]
    pub(super) diff: bool,
    /// Exit with 1 also when a statement could not be parsed
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) schema: SchemaArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
    /// Exit with 1 when a finding is at least this severe [default: `check.fail-on` of sargable.yaml, or warning]
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(super) format: CheckFormat,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    pub(super) color: ColorWhen,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which rules")]
pub(super) struct RuleArgs {
    /// Apply this rule as well, by name or code; repeat it, or give a list with commas, as for the next two
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) rule: Vec<String>,
    /// Leave this rule out
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) no_rule: Vec<String>,
    /// Apply these rules as well: pedantic or preview
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    pub(super) set: Vec<SetName>,
}

/// Which findings are shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which findings")]
pub(super) struct ScopeArgs {
    /// Only what this file does not hold: known findings are counted, and do not fail the run
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write all findings to this file, to be passed as --baseline, and exit with 0
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "changed_since", "staged", "diff_lines"])]
    pub(super) write_baseline: Option<PathBuf>,
    /// Only statements with lines that changed since this commit or branch, by git
    #[arg(long, value_name = "REV", conflicts_with_all = ["staged", "diff_lines"])]
    pub(super) changed_since: Option<String>,
    /// Only statements with lines that are staged, by git
    #[arg(long, conflicts_with = "diff_lines")]
    pub(super) staged: bool,
    /// Only statements with lines that the unified diff on standard input adds
    #[arg(long)]
    pub(super) diff_lines: bool,
    /// A log or a digest: findings are ranked by the time that their queries took in it
    #[arg(long, value_name = "FILE")]
    pub(super) workload: Vec<PathBuf>,
    /// Leave out findings in queries that take less of the workload's time than this, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "workload")]
    pub(super) min_share: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// For a person, as a compiler says it
    Text,
    /// Everything: docs/json-report.md
    Json,
    /// A finding a line
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub Actions, and the step summary
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit's XML
    Junit,
    /// reviewdog's diagnostics
    Rdjson,
    /// A comment on a pull request
    Markdown,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The statement, or a file (`-`: standard input) that holds it or a plan as EXPLAIN prints it
    #[arg(value_name = "QUERY|FILE|-", required_unless_present = "file")]
    pub(super) input: Option<String>,
    /// The file, whatever its name is
    #[arg(short, long, conflicts_with = "input")]
    pub(super) file: Option<PathBuf>,
    /// A bind value for $1, $2 …; repeat it
    #[arg(short, long = "bind", value_name = "VALUE")]
    pub(super) binds: Vec<String>,
    /// Show the plan with this index as well, which is not made: `CREATE INDEX …`, or what follows its ON; repeat it
    #[arg(long = "index", value_name = "INDEX")]
    pub(super) indexes: Vec<String>,
    /// Show the plan without this index as well; repeat it
    #[arg(long = "hide", value_name = "NAME", requires = "snapshot")]
    pub(super) hidden: Vec<String>,
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
pub(super) struct InitArgs {
    /// Print it, and write nothing
    #[arg(long)]
    pub(super) stdout: bool,
    /// Write over the file that is there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Args, Debug)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    pub(super) what: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Every rule, those of .sargable/rules included
    List(ListArgs),
    /// One rule: why, what instead, thresholds, examples, how to allow and configure it, references
    Show {
        /// Its name or code
        rule: String,
        #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
        format: RulesFormat,
    },
    /// Run the examples of rules: each bad one must give its `because`, each good one nothing
    Test {
        /// A folder of rules, with the plans of their examples in DIR/plans [default: the built-in rules and
        /// those of .sargable/rules]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// The JSON Schema of rule files, for editors
    Schema,
}

/// Which rules are listed: those that all flags let through.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only rules of these sets: default, pedantic, preview
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    pub(super) set: Vec<rules::Set>,
    /// Only rules about these: predicate, join, sorting, migration …
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub(super) category: Vec<rules::Category>,
    /// Only rules that need no more than these: syntax, schema, plan, statistics, workload
    #[arg(long, value_name = "NEED", value_delimiter = ',')]
    pub(super) needs: Vec<rules::Needs>,
    /// Only rules of these severities: note, warning, error
    #[arg(long, value_enum, value_name = "SEVERITY", value_delimiter = ',')]
    pub(super) severity: Vec<SeverityName>,
    #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
    pub(super) format: RulesFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SeverityName {
    Note,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RulesFormat {
    Text,
    Json,
    Markdown,
}

#[derive(Args, Debug)]
pub(super) struct InputArgs {
    /// Logs, digests, SQL files and folders, plain or compressed; `-` is standard input
    #[arg(value_name = "INPUT")]
    pub(super) paths: Vec<PathBuf>,
    /// The log's prefix as `SHOW log_line_prefix` prints it [default: asked of the server, else inferred]
    #[arg(long, value_name = "PREFIX")]
    pub(super) log_line_prefix: Option<String>,
    // Readers of sargable.yaml are not known here: `config::readers` judges the name.
    #[arg(long, value_name = "NAME", help = format_help())]
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
    /// Plan as the server did of which this snapshot was taken, on a private server, without connecting to it
    #[arg(long, value_name = "FILE")]
    pub(super) snapshot: Option<PathBuf>,
    /// Folder of `initdb` and `postgres` for --snapshot [default: looked for in the usual places]
    #[arg(long, value_name = "FOLDER", env = "PG_BIN")]
    pub(super) pg_bin: Option<PathBuf>,
    /// The URL stands on the command line.
    #[arg(skip)]
    pub(super) named: bool,
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

fn format_help() -> String {
    format!(
        "What the inputs are, or what their lines lie in: a reader of sargable.yaml, or one of {} \
         [default: recognised by content]",
        input_formats().join(", ")
    )
}

/// `1%`, `0.5 %`, or a part of one such as `0.01`.
fn share(text: &str) -> Result<f64, String> {
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
fn migration_tool() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::NAMES.map(|(name, _)| name))
        .map(|name| Tool::NAMES.iter().find(|(known, _)| *known == name).map_or(Tool::Sql, |(_, tool)| *tool))
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
