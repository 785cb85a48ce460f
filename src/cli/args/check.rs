//! `sargable check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ColorWhen, SchemaArgs, ServerArgs, values::share};
use crate::config::SetName;

#[derive(Args, Debug)]
pub(in crate::cli) struct CheckArgs {
    /// SQL files, programs with SQL in them, and folders; `-` is standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// The file that standard input is, as an editor has it: its name says what it holds and what holds for it
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) stdin_filepath: Option<PathBuf>,
    /// Write safe fixes into the files, and report what is left
    #[arg(long, conflicts_with_all = ["diff", "write_baseline"])]
    pub(in crate::cli) fix: bool,
    /// Show safe fixes as a diff, and write nothing: exit with 1 when there are any
    #[arg(long, conflicts_with_all = ["write_baseline", "diff_lines"])]
    pub(in crate::cli) diff: bool,
    /// Exit with 1 also when a statement could not be parsed
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    #[command(flatten)]
    pub(in crate::cli) schema: SchemaArgs,
    #[command(flatten)]
    pub(in crate::cli) server: ServerArgs,
    /// Exit with 1 when a finding is at least this severe [default: `check.fail-on` of sargable.yaml, or warning]
    #[arg(long, value_enum)]
    pub(in crate::cli) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(in crate::cli) rules: RuleArgs,
    #[command(flatten)]
    pub(in crate::cli) scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(in crate::cli) format: CheckFormat,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto)]
    pub(in crate::cli) color: ColorWhen,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which rules")]
pub(in crate::cli) struct RuleArgs {
    /// Apply this rule as well, by name or code; repeat it, or give a list with commas, as for the next two
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) rule: Vec<String>,
    /// Leave this rule out
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) no_rule: Vec<String>,
    /// Apply these rules as well: pedantic or preview
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    pub(in crate::cli) set: Vec<SetName>,
}

/// Which findings are shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which findings")]
pub(in crate::cli) struct ScopeArgs {
    /// Only what this file does not hold: known findings are counted, and do not fail the run
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Write all findings to this file, to be passed as --baseline, and exit with 0
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "changed_since", "staged", "diff_lines"])]
    pub(in crate::cli) write_baseline: Option<PathBuf>,
    /// Only statements with lines that changed since this commit or branch, by git
    #[arg(long, value_name = "REV", conflicts_with_all = ["staged", "diff_lines"])]
    pub(in crate::cli) changed_since: Option<String>,
    /// Only statements with lines that are staged, by git
    #[arg(long, conflicts_with = "diff_lines")]
    pub(in crate::cli) staged: bool,
    /// Only statements with lines that the unified diff on standard input adds
    #[arg(long)]
    pub(in crate::cli) diff_lines: bool,
    /// A log or a digest: findings are ranked by the time that their queries took in it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) workload: Vec<PathBuf>,
    /// Leave out findings in queries that take less of the workload's time than this, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "workload")]
    pub(in crate::cli) min_share: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}
