//! The commands of the binary, one short file each.

pub mod audit;
pub mod backup;
pub mod client;
pub mod export;
pub mod healthcheck;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod postgres;
pub mod relocate;
pub mod serve;
pub mod user;

use std::process::ExitCode;

use crate::config::Command;
use crate::{openapi, store};

/// The result of a command. An error is a sentence for the person who ran it.
pub type CommandResult = Result<(), Box<dyn std::error::Error>>;

/// The exit status of a command that did nothing and printed what to run instead.
const RUN_INSTEAD: u8 = 3;

/// What a command does not do on PostgreSQL, because PostgreSQL's own programs do: the lines to run. They are printed on standard
/// output, for people and for scripts.
#[derive(Debug, thiserror::Error)]
#[error("nothing was done: on PostgreSQL its own programs do this. The lines to run are on standard output")]
pub struct RunInstead {
    /// The lines.
    pub commands: String,
}

/// Runs a command to its end; errors go to standard error. It stands here and not in the binary so that all of the
/// service is compiled once, with this library: futures are compiled where they are polled.
pub fn execute(command: Command) -> ExitCode {
    let ended = actix_web::rt::System::new().block_on(run(command));
    let Err(error) = ended else { return ExitCode::SUCCESS };
    if let Some(RunInstead { commands }) = error.downcast_ref() {
        print!("{commands}");
        eprintln!("renaksi: {error}");
        return ExitCode::from(RUN_INSTEAD);
    }
    let reason = error.downcast_ref().map_or_else(|| error.to_string(), store::connection::reason);
    eprintln!("renaksi: {reason}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> CommandResult {
    match command {
        Command::Serve(settings) => serve::run(*settings).await,
        Command::Migrate(migrate) => migrate::run(migrate).await,
        Command::User(user) => user::run(user.command).await,
        Command::Client(client) => client::run(client.command).await,
        Command::Keys(keys) => keys::run(keys.command).await,
        Command::Audit(audit) => audit::run(audit.command).await,
        Command::Backup(asked) => backup::run_backup(asked).await,
        Command::Restore(asked) => backup::run_restore(asked).await,
        Command::Move(asked) => relocate::run(asked).await,
        Command::Import(import) => import::run(import).await,
        Command::Export(export) => export::run(export).await,
        Command::Openapi => {
            print!("{}", openapi::text(&openapi::document()));
            Ok(())
        }
        Command::Healthcheck(check) => healthcheck::run(check).await,
    }
}
