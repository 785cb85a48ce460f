//! Which DDL files are the schema.

use std::path::PathBuf;

use clap::Args;

use crate::config::Config;

#[derive(Args, Clone, Debug, Default)]
pub(super) struct SchemaArgs {
    /// DDL files or folders that say what tables, columns and indexes there are; repeat it [default: `schema`
    /// of sargable.yaml]. Without it the DDL among the inputs says so
    #[arg(long, value_name = "PATH")]
    schema: Vec<PathBuf>,
}

impl SchemaArgs {
    /// The configuration, with the flag's files in place of its own.
    pub(super) fn over(&self, config: &Config) -> Config {
        let mut config = config.clone();
        if !self.schema.is_empty() {
            config.set_schema(self.schema.clone());
        }
        config
    }
}
