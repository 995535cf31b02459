//! Parses the command line and calls the command.

use clap::Parser;
use renaksi::commands::{self, CommandResult};
use renaksi::config::{Cli, Command};
use renaksi::store::connection;

/// Gives memory back after a large push, and serves small requests faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> std::process::ExitCode {
    let result = run(Cli::parse().command).await;
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let reason = error.downcast_ref().map_or_else(|| error.to_string(), connection::reason);
            eprintln!("renaksi: {reason}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> CommandResult {
    match command {
        Command::Serve(settings) => commands::serve::run(*settings).await,
        Command::Migrate(database) => commands::migrate::run(database).await,
        Command::User(user) => commands::user::run(user.command).await,
        Command::Client(client) => commands::client::run(client.command).await,
        Command::Keys(keys) => commands::keys::run(keys.command).await,
        Command::Audit(audit) => commands::audit::run(audit.command).await,
        Command::Import(import) => commands::import::run(import).await,
        Command::Export(export) => commands::export::run(export).await,
        Command::Openapi => {
            print!("{}", renaksi::openapi::text(&renaksi::openapi::document()));
            Ok(())
        }
        Command::Healthcheck(check) => commands::healthcheck::run(check).await,
    }
}
