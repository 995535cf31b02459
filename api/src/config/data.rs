//! The arguments of the commands about all data: `audit`, `backup`, `restore`, `move`, `import` and `export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Database;
use super::values::{Confidential, database_url, kept_head};

/// Verify the audit log of changes, or export a copy of it.
#[derive(Args, Clone, Debug)]
pub struct Audit {
    /// The command to run.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// The commands about the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify the audit log by computing every hash again; if it was altered, the first position that does not fit is named and
    /// the exit status is 1.
    Verify(AuditVerify),
    /// Export the audit log as lines of JSON, one for each event, which anybody can verify without this program: see
    /// docs/chain.md.
    Export(AuditExport),
}

/// The settings of the verification.
#[derive(Args, Clone, Debug)]
pub struct AuditVerify {
    /// A head that was kept, as POSITION:HASH of /v1/events/head, through which the chain must go.
    #[arg(long, value_parser = kept_head)]
    pub head: Option<(i64, String)>,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The settings of the export of the audit log.
#[derive(Args, Clone, Debug)]
pub struct AuditExport {
    /// Export only the events after this position: the last one of the copy that you have.
    #[arg(long, value_name = "POSITION", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub after: i64,
    /// The file to write; without it, standard output.
    #[arg(long)]
    pub output: Option<PathBuf>,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The settings of a backup.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The file to write. Only its owner can read it.
    pub file: PathBuf,
    /// Write over a file that is there already.
    #[arg(long)]
    pub force: bool,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The settings of the return of a backup.
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// A file that `renaksi backup` wrote.
    pub file: PathBuf,
    /// A head that was kept, as POSITION:HASH of /v1/events/head, through which the chain of the backup must go.
    #[arg(long, value_parser = kept_head)]
    pub head: Option<(i64, String)>,
    /// Remove the database that is replaced; without it, the database is kept beside the new one under another name.
    #[arg(long)]
    pub discard: bool,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The settings of a move.
#[derive(Args, Clone, Debug)]
pub struct Move {
    /// The database that is moved: sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME. It stays as it is.
    #[arg(long, value_name = "URL", value_parser = Confidential(database_url))]
    pub from: String,
    /// The empty database that gets everything.
    #[arg(long, value_name = "URL", value_parser = Confidential(database_url))]
    pub to: String,
}

/// The settings of an import.
#[derive(Args, Clone, Debug)]
pub struct Import {
    /// A JSON file, or a folder of CSV files, as `renaksi export` writes them.
    pub path: PathBuf,
    /// Check everything and report what would be imported, but write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The settings of an export.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// The format: `json` for one file, `csv` for a folder with one file for each kind of resource.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
    /// The file or folder to write; without it, JSON goes to standard output.
    #[arg(long, required_if_eq("format", "csv"))]
    pub output: Option<PathBuf>,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON file.
    Json,
    /// A folder of CSV files.
    Csv,
}
