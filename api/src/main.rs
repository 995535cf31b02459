//! Parses the command line and calls the command.

use clap::Parser;
use renaksi::commands;
use renaksi::config::Cli;

/// Gives memory back after a large push, and serves small requests faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    commands::execute(Cli::parse().command)
}
