//! Parses the command line and calls the command.

use clap::Parser;
use renaksi::commands::{self, CommandResult};
use renaksi::config::{Cli, Command};

#[actix_web::main]
async fn main() -> std::process::ExitCode {
    let result = run(Cli::parse().command).await;
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("renaksi: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> CommandResult {
    match command {
        Command::Serve(settings) => commands::serve::run(settings).await,
        Command::Migrate(database) => commands::migrate::run(database).await,
        Command::User(user) => commands::user::run(user.command).await,
        Command::Openapi => {
            print!("{}", renaksi::openapi::text());
            Ok(())
        }
        Command::Healthcheck(check) => commands::healthcheck::run(check).await,
    }
}
