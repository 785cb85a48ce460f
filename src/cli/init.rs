//! Writes a first `sargable.yaml` from what lies in the folder: SQL files, migrations, libraries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{Outcome, args::InitArgs, output, tell};
use crate::{config, error::Error};

/// Folders of other people's files, which are not looked into.
const FOREIGN: &[&str] = &["node_modules", "vendor", "target", "dist", "build", "venv", "third_party"];

/// Names of folders with migrations, as the common tools have them, with the tool.
const MIGRATIONS: &[(&str, &str)] = &[
    ("prisma/migrations", "Prisma"),
    ("supabase/migrations", "Supabase"),
    ("db/migrate", "Rails or dbmate"),
    ("db/migration", "Flyway"),
    ("alembic/versions", "Alembic"),
    ("changelog", "Liquibase"),
    ("migrations", "migrations"),
];

/// A library by the file that names it and the word in it, and where its statements can be had.
const LIBRARIES: &[(&str, &str, &str)] = &[
    (
        "Gemfile",
        "rails",
        "Rails: db/structure.sql is its schema; development.log tells its queries to `sargable analyze`",
    ),
    (
        "manage.py",
        "django",
        "Django: `manage.py sqlmigrate APP NAME` prints a migration; the logger django.db.backends tells the queries",
    ),
    (
        "requirements.txt",
        "sqlalchemy",
        "SQLAlchemy: echo=True writes its queries; `alembic upgrade --sql` prints migrations",
    ),
    (
        "pyproject.toml",
        "sqlalchemy",
        "SQLAlchemy: echo=True writes its queries; `alembic upgrade --sql` prints migrations",
    ),
    (
        "package.json",
        "prisma",
        "Prisma: prisma/migrations holds SQL; its query log is read by `sargable analyze`",
    ),
    ("package.json", "typeorm", "TypeORM: logging: [\"query\"] writes its queries"),
    ("package.json", "sequelize", "Sequelize: logging: console.log writes its queries"),
    ("package.json", "drizzle-orm", "Drizzle: `drizzle-kit generate` writes migrations as SQL"),
    ("package.json", "knex", "Knex: DEBUG=knex:query writes its queries"),
    ("go.mod", "gorm.io", "GORM: its logger writes the queries"),
    ("go.mod", "jackc/pgx", "pgx: its tracelog writes the queries"),
    ("Cargo.toml", "sqlx", "sqlx: its log at level debug has the queries"),
    ("pom.xml", "hibernate", "Hibernate: org.hibernate.SQL at level debug writes its queries"),
    ("build.gradle", "hibernate", "Hibernate: org.hibernate.SQL at level debug writes its queries"),
    ("composer.json", "laravel/framework", "Laravel: DB::listen writes its queries"),
    ("mix.exs", "ecto", "Ecto: its log at level debug has the queries"),
];

/// Folders that are looked at; a tree may be endless.
const MOST_FOLDERS: usize = 20_000;

/// What lies in the folder.
#[derive(Debug, Default)]
struct Found {
    /// SQL files by folder.
    sql: BTreeMap<String, usize>,
    /// Folders with migrations, with their tool.
    migrations: BTreeMap<String, &'static str>,
    foreign: BTreeSet<String>,
    libraries: Vec<&'static str>,
}

pub(super) fn run(args: &InitArgs) -> Result<Outcome, Error> {
    let path = Path::new(config::FILE);
    if !args.stdout && !args.force && path.exists() {
        return Err(Error::Usage {
            what: format!("{} is there already", config::FILE),
            hint: Some("--stdout prints what would be written, --force writes it over".to_owned()),
        });
    }
    let found = look(Path::new("."));
    let text = written(&found);
    if args.stdout {
        output::print(&text)?;
        return Ok(Outcome::Clean);
    }
    fs::write(path, text).map_err(|source| Error::Write { path: path.to_owned(), source })?;
    let files: usize = found.sql.values().sum();
    tell(&format!("{} written ({files} SQL files found); next: sargable check", config::FILE));
    Ok(Outcome::Clean)
}

fn look(root: &Path) -> Found {
    let mut found = Found::default();
    let mut open = vec![PathBuf::new()];
    let mut looked = 0;
    while let Some(folder) = open.pop() {
        looked += 1;
        if looked > MOST_FOLDERS {
            break;
        }
        // A folder that cannot be read has nothing to say here; the check itself will tell.
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = folder.join(&name);
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if FOREIGN.contains(&name.as_str()) {
                    found.foreign.insert(shown(&below));
                } else {
                    open.push(below);
                }
            } else if below.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql")) {
                *found.sql.entry(shown(&folder)).or_default() += 1;
                if let Some((migrations, tool)) = migrations(&folder) {
                    found.migrations.insert(migrations, tool);
                }
            }
        }
    }
    for (file, word, what) in LIBRARIES {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        if text.to_lowercase().contains(word) && !found.libraries.contains(what) {
            found.libraries.push(what);
        }
    }
    found
}

fn shown(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

/// The part of a path that is a folder of migrations.
fn migrations(folder: &Path) -> Option<(String, &'static str)> {
    let path = format!("{}/", shown(folder));
    MIGRATIONS.iter().find_map(|(name, tool)| {
        let wanted = format!("{name}/");
        let at = if path.starts_with(&wanted) { 0 } else { path.find(&format!("/{wanted}"))? + 1 };
        Some((path[..at + name.len()].to_owned(), *tool))
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn written(found: &Found) -> String {
    let mut text = String::from(
        "# What `sargable check` does in this repository. Every key stands in docs/config.md of sargable;\n\
         # `sargable rules list` lists the rules, `sargable rules show NAME` explains one.\n",
    );
    if !found.libraries.is_empty() {
        text.push_str("#\n# Found here:\n");
        for library in &found.libraries {
            text.push_str(&format!("#   {library}\n"));
        }
    }
    text.push_str("\ncheck:\n  # From this severity on findings make a run fail: error, warning, note or never.\n  fail-on: warning\n\n");
    if found.sql.is_empty() {
        text.push_str("  # No SQL file was found. Name what is to be read, if it has another ending.\n");
    } else {
        text.push_str("  # SQL files were found in:\n");
        for (folder, files) in found.sql.iter().take(20) {
            let folder = if folder.is_empty() { "this folder" } else { folder.as_str() };
            text.push_str(&format!("  #   {folder}: {files}\n"));
        }
        text.push_str("  # All of them are read. To read fewer:\n");
    }
    text.push_str("  # paths: ['sql/**', '*.query.sql']\n\n  # Never read, also where they are named.\n");
    if found.foreign.is_empty() {
        text.push_str("  # exclude: ['vendor/**']\n");
    } else {
        text.push_str("  exclude:\n");
        for folder in &found.foreign {
            text.push_str(&format!("    - {}\n", quoted(&format!("{folder}/**"))));
        }
    }
    text.push_str(
        "\n  # Rules besides the default ones: pedantic, preview.\n  # sets: [pedantic]\n\n  # off, on, note, warning or error; or a severity with the rule's own numbers.\n  # rules:\n  #   select-star: error\n  #   unbounded-select:\n  #     severity: warning\n  #     params: { rows: 10000 }\n\n",
    );
    if found.migrations.is_empty() {
        text.push_str("  # What holds for some files alone.\n  # overrides:\n  #   - paths: ['migrations/**']\n  #     rules:\n  #       select-star: off\n");
    } else {
        text.push_str("  # Migrations run once: what they read is no trouble, how they lock is.\n  overrides:\n    - paths:\n");
        for (folder, tool) in &found.migrations {
            text.push_str(&format!("        - {}  # {tool}\n", quoted(&format!("{folder}/**"))));
        }
        text.push_str("      rules:\n        select-star: off\n        unbounded-select: off\n");
    }
    text
}
