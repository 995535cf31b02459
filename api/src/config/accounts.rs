//! The arguments of the commands about accounts and keys: `user`, `client` and `keys`.

use clap::{Args, Subcommand};
use entity::client::Scope;
use entity::user::Role;
use entity::value::code::Code;

use super::Database;
use super::values::{code, role, scope};
use crate::resources::accounts::GRACE_SECONDS;

/// Manage the people who log in.
#[derive(Args, Clone, Debug)]
pub struct User {
    /// The command to run.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// The commands about users.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user. The password is read from standard input.
    Add(UserAdd),
    /// Print an invitation with which a user sets a new password, for whoever cannot ask an administrator.
    Invite(UserNamed),
    /// Remove the one-time codes of a user who lost them, so that the password alone lets the user in.
    ResetTotp(UserNamed),
}

/// A user.
#[derive(Args, Clone, Debug)]
pub struct UserNamed {
    /// The e-mail address, which is the user name.
    pub email: String,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The user to add.
#[derive(Args, Clone, Debug)]
pub struct UserAdd {
    /// The e-mail address, which is the user name.
    pub email: String,
    /// The role: admin, verifier, operator or viewer.
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// The OPD of an operator.
    #[arg(long, value_parser = code)]
    pub opd: Option<Code>,
    /// The name to show.
    #[arg(long)]
    pub name: Option<String>,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// Manage the systems that report.
#[derive(Args, Clone, Debug)]
pub struct Client {
    /// The command to run.
    #[command(subcommand)]
    pub command: ClientCommand,
}

/// The commands about clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// Add a client and print its secret.
    Add(ClientAdd),
    /// Give a client a new secret and print it.
    Rotate(ClientRotate),
    /// Disable a client, so that it gets no more tokens.
    Disable(ClientDisable),
}

/// The client to add.
#[derive(Args, Clone, Debug)]
pub struct ClientAdd {
    /// The client_id.
    #[arg(value_parser = code)]
    pub id: Code,
    /// The OPD for which the client writes, together with the OPDs below it.
    #[arg(long, value_parser = code)]
    pub opd: Code,
    /// The scopes of the client: actions:write, measurements:write, programmes:write, read.
    #[arg(long, required = true, num_args = 1.., value_delimiter = ',', value_parser = scope)]
    pub scope: Vec<Scope>,
    /// The name to show.
    #[arg(long)]
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The client that gets a new secret.
#[derive(Args, Clone, Debug)]
pub struct ClientRotate {
    /// The client_id.
    pub id: String,
    /// The number of seconds for which the old secret stays valid.
    #[arg(long, default_value_t = GRACE_SECONDS, value_parser = clap::value_parser!(i32).range(0..=604_800))]
    pub grace_seconds: i32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// The client to disable.
#[derive(Args, Clone, Debug)]
pub struct ClientDisable {
    /// The client_id.
    pub id: String,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}

/// Manage the keys that sign access tokens.
#[derive(Args, Clone, Debug)]
pub struct Keys {
    /// The command to run.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// The commands about signing keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Create a new signing key; tokens that the old key signed stay valid until they expire.
    Rotate(Database),
    /// Revoke a key at once: no token that it signed is accepted any more, on any replica. A new key takes its place.
    Revoke(KeyRevoke),
}

/// The key to revoke.
#[derive(Args, Clone, Debug)]
pub struct KeyRevoke {
    /// The `kid` of the key, as /.well-known/jwks.json shows it.
    #[arg(allow_hyphen_values = true)]
    pub kid: String,
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
}
