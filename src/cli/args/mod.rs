//! What can be typed, by clap. Meaning is given in the subcommands' own files.

mod check;
mod rules;
mod shared;
mod values;

use std::path::PathBuf;

use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, parser::ValueSource,
};

use self::values::migration_tool;
pub(super) use self::{
    check::{CheckArgs, CheckFormat, FailOn},
    rules::{ListArgs, RulesArgs, RulesCommand, RulesFormat, SeverityName},
    shared::{
        ColorWhen, ExplainMode, FigureArgs, Format, InputArgs, OutputArgs, PoolSizeArgs, ServerArgs, SortBy,
    },
    values::duration,
};
use super::{
    advice::AdviceArgs, filter::FilterArgs, plans::PlansArgs, schema::SchemaArgs, snapshot::SnapshotArgs,
};
use crate::report::migration::Tool;

/// Finds what makes a PostgreSQL workload slow, and proves what will make it fast.
#[derive(Debug, Parser)]
#[command(name = "sargable", version, about, disable_help_subcommand = true, propagate_version = true)]
pub(in crate::cli) struct Cli {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,
}

impl Cli {
    /// What was typed; what only the environment says is told apart.
    pub(in crate::cli) fn typed() -> Result<Cli, clap::Error> {
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
pub(in crate::cli) struct ConfigArgs {
    /// Read this configuration [default: sargable.yaml here, or above in the same repository]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true, conflicts_with = "config")]
    pub(in crate::cli) no_config: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
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
pub(in crate::cli) struct AnalyzeArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// Take what `pg_stat_statements` counted on the server for the workload, where no log tells of executions
    #[arg(long)]
    pub(in crate::cli) pg_stat_statements: bool,
    #[command(flatten)]
    pub(in crate::cli) schema: SchemaArgs,
    #[command(flatten)]
    pub(in crate::cli) server: ServerArgs,
    #[command(flatten)]
    pub(in crate::cli) pool: PoolSizeArgs,
    #[command(flatten)]
    pub(in crate::cli) figures: FigureArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    pub(in crate::cli) fail_on: FailOn,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct IndexArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// Take what `pg_stat_statements` counted on the server for the workload, where no log tells of executions
    #[arg(long)]
    pub(in crate::cli) pg_stat_statements: bool,
    #[command(flatten)]
    pub(in crate::cli) schema: SchemaArgs,
    #[command(flatten)]
    pub(in crate::cli) server: ServerArgs,
    #[command(flatten)]
    pub(in crate::cli) advice: AdviceArgs,
    #[command(flatten)]
    pub(in crate::cli) figures: FigureArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(in crate::cli) fail_on: FailOn,
    /// Exit with 1 when an index is missing, for CI
    #[arg(long)]
    pub(in crate::cli) fail_on_missing: bool,
    /// Tell of each other candidate why it is not advised
    #[arg(long)]
    pub(in crate::cli) why_not: bool,
    /// Build the advised indexes on this scratch server, a copy with its data, time the queries without and with
    /// them, and drop them
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) verify: Option<String>,
    /// Write a migration in place of the report: into the folder --output, or to standard output
    #[arg(long, value_name = "TOOL", value_parser = migration_tool())]
    pub(in crate::cli) migration: Option<Tool>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct LogsArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// Go on reading as the newest log grows, also when it is rotated; Ctrl-C ends it with the report
    #[arg(long)]
    pub(in crate::cli) follow: bool,
    #[command(flatten)]
    pub(in crate::cli) save: SaveArgs,
    #[command(flatten)]
    pub(in crate::cli) figures: FigureArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(in crate::cli) fail_on: FailOn,
}

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct SaveArgs {
    /// Write a digest of the logs: any command reads it in their place, alone or with other logs
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) save: Option<PathBuf>,
    /// Keep statements and bind values in the digest as they were sent
    #[arg(long, requires = "save")]
    pub(in crate::cli) save_literals: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PoolArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    #[command(flatten)]
    pub(in crate::cli) server: ServerArgs,
    #[command(flatten)]
    pub(in crate::cli) pool: PoolSizeArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExplainArgs {
    /// The statement, or a file (`-`: standard input) that holds it or a plan as EXPLAIN prints it
    #[arg(value_name = "QUERY|FILE|-", required_unless_present = "file")]
    pub(in crate::cli) input: Option<String>,
    /// The file, whatever its name is
    #[arg(short, long, conflicts_with = "input")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// A bind value for $1, $2 …; repeat it
    #[arg(short, long = "bind", value_name = "VALUE")]
    pub(in crate::cli) binds: Vec<String>,
    /// Show the plan with this index as well, which is not made: `CREATE INDEX …`, or what follows its ON; repeat it
    #[arg(long = "index", value_name = "INDEX")]
    pub(in crate::cli) indexes: Vec<String>,
    /// Show the plan without this index as well; repeat it
    #[arg(long = "hide", value_name = "NAME", requires = "snapshot")]
    pub(in crate::cli) hidden: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) server: ServerArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub(in crate::cli) fail_on: FailOn,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct DemoArgs {
    /// Times the number of rows: 1 is a million users, a million orders, three million order items
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(in crate::cli) rows_scale: f64,
    /// Folder of `initdb` and `postgres` [default: looked for in the usual places]
    #[arg(long, value_name = "FOLDER", env = "PG_BIN")]
    pub(in crate::cli) pg_bin: Option<PathBuf>,
    /// Keep the server at the end until Enter is pressed
    #[arg(long)]
    pub(in crate::cli) keep: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct InitArgs {
    /// Print it, and write nothing
    #[arg(long)]
    pub(in crate::cli) stdout: bool,
    /// Write over the file that is there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
