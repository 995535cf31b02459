//! The values of settings: what they look like, and what is said of a wrong one.

use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;

use chrono::FixedOffset;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use entity::client::Scope;
use entity::user::Role;
use entity::value::code::Code;
use ipnet::IpNet;
use sea_orm::ActiveEnum;
use sea_orm::sqlx::postgres::PgConnectOptions;

/// Reads a value that may hold a password: the error about a wrong one does not repeat it.
#[derive(Clone)]
pub(super) struct Confidential(pub(super) fn(&str) -> Result<String, String>);

impl TypedValueParser for Confidential {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let read = value.to_str().ok_or_else(|| "expected UTF-8".to_owned()).and_then(self.0);
        read.map_err(|reason| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            command.clone().error(ErrorKind::ValueValidation, format!("invalid value for '{name}': {reason}"))
        })
    }
}

/// A position of the feed with its hash.
pub(super) fn kept_head(text: &str) -> Result<(i64, String), String> {
    let parts = text.split_once(':').and_then(|(position, hash)| Some((position.parse().ok()?, hash.to_owned())));
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.filter(|(_, hash)| is_hash(hash)).ok_or_else(|| "expected POSITION:HASH".to_owned())
}

/// The URL itself, or that in a file: an environment shows its values to more than a file does.
pub(super) fn database_url(text: &str) -> Result<String, String> {
    let Some(file) = text.strip_prefix('@') else { return known_database(text) };
    let url = fs::read_to_string(file).map_err(|error| format!("the file {file} cannot be read: {error}"))?;
    known_database(url.trim()).map_err(|error| format!("in the file {file}: {error}"))
}

fn known_database(text: &str) -> Result<String, String> {
    let expected = "expected sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME";
    if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        text.parse::<PgConnectOptions>().map_err(|error| format!("{expected}: {error}"))?;
    } else if !text.starts_with("sqlite:") {
        return Err(expected.to_owned());
    }
    Ok(text.to_owned())
}

/// An address without a slash at the end.
pub(super) fn http_url(text: &str) -> Result<String, String> {
    let known = ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if known && !text.ends_with('/') {
        Ok(text.to_owned())
    } else {
        Err("expected http(s)://HOST without a slash at the end".into())
    }
}

/// The variable may end with a slash, as the standard shows it, and means nothing when it is empty.
pub(super) fn receiver(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { http_url(text.trim_end_matches('/')) }
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "expected an address or a network such as 10.0.0.0/8".to_owned())
}

/// A factor that shortens.
pub(super) fn scale(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|scale| *scale > 0.0 && *scale <= 1.0)
        .ok_or_else(|| "expected a number above 0 and up to 1".to_owned())
}

/// An offset from UTC.
pub(super) fn offset(text: &str) -> Result<FixedOffset, String> {
    text.parse().map_err(|_| "expected an offset such as +08:00".to_owned())
}

/// A scope of a client.
pub(super) fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("expected one of {}", Scope::ALL.map(Scope::name).join(", ")))
}

/// A role of a person.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::try_from_value(&text.to_owned()).map_err(|_| "expected admin, verifier, operator or viewer".to_owned())
}

/// A code of a resource.
pub(super) fn code(text: &str) -> Result<Code, String> {
    Code::parse(text).map_err(|_| "expected a code such as DINKES".to_owned())
}
