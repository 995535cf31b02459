//! Every setting: its flag, its environment variable, its default and its meaning. A wrong value stops the start.

pub mod accounts;
pub mod data;
pub mod serve;
mod values;

use std::net::SocketAddr;

use chrono::FixedOffset;
use clap::{Args, Parser, Subcommand};

use self::accounts::{Client, Keys, User};
use self::data::{Audit, Backup, Export, Import, Move, Restore};
use self::serve::Serve;
use self::values::{Confidential, database_url, offset};
use crate::store::clock::Calendar;

/// The API service with which a regency runs and shows its smart-city masterplan.
#[derive(Debug, Parser)]
#[command(name = "renaksi", version, about)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the database schema up to date, then serve.
    Serve(Box<Serve>),
    /// Bring the database schema up to date.
    Migrate(Migrate),
    /// Manage the people who log in.
    User(User),
    /// Manage the systems that report.
    Client(Client),
    /// Manage the keys that sign access tokens.
    Keys(Keys),
    /// Verify the audit log of changes, or export a copy of it.
    Audit(Audit),
    /// Write a backup of a SQLite database into a file, also while the service runs, and verify it; on PostgreSQL, print what to run
    /// and exit with status 3.
    Backup(Backup),
    /// Put a backup in the place of a SQLite database that no service uses, after it was verified; on PostgreSQL, print what to run
    /// and exit with status 3.
    Restore(Restore),
    /// Move everything that a database holds into an empty one of either kind: SQLite or PostgreSQL. No service may use either.
    Move(Move),
    /// Import data from a file or from a folder of CSV files; either all of it is imported or nothing.
    Import(Import),
    /// Export all data into a file or into a folder of CSV files.
    Export(Export),
    /// Print the OpenAPI document.
    Openapi,
    /// Ask a running service whether it is ready; the exit status is 1 if it is not.
    Healthcheck(Healthcheck),
}

/// The settings of `renaksi migrate`.
#[derive(Args, Clone, Debug)]
pub struct Migrate {
    /// The database.
    #[command(flatten)]
    pub database: Database,
    /// Also allow what replicas of the version before cannot read: the events of a push in one row. For PostgreSQL, once none of them runs
    /// any more; new databases and SQLite allow it from the beginning.
    #[arg(long)]
    pub complete: bool,
}

/// The settings of the database.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// The database: SQLite (sqlite://FILE) or PostgreSQL (postgres://USER:PASSWORD@HOST/NAME). @FILE takes it from a file, so that a
    /// password is in no environment.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://renaksi.db", value_parser = Confidential(database_url), hide_env_values = true)]
    pub database_url: String,
    /// The greatest number of database connections that this process opens.
    #[arg(long, env = "RENAKSI_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,
    /// The regency's offset from UTC, which decides when a day begins. North Lombok's time, WITA, is +08:00.
    #[arg(long, env = "RENAKSI_UTC_OFFSET", default_value = "+08:00", value_parser = offset)]
    pub utc_offset: FixedOffset,
}

impl Database {
    /// The regency's calendar.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.utc_offset)
    }
}

/// The settings of the health check.
#[derive(Args, Clone, Debug)]
pub struct Healthcheck {
    /// The address on which the service listens.
    #[arg(long, env = "RENAKSI_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}
