//! A system that reports for an OPD: an OAuth2 client.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `client`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    /// The `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Name to show.
    pub name: String,
    /// The OPD that it writes for, with those below.
    pub opd: String,
    /// What it may do: a list of [`Scope`]s.
    pub scopes: Json,
    /// Whether it gets tokens.
    pub active: bool,
    /// SHA-256 of the secret, in hexadecimal: a secret has 256 random bits, so a fast hash is safe.
    pub secret_hash: String,
    /// The hash of the secret before it.
    pub previous_secret_hash: Option<String>,
    /// Until when the secret before it holds.
    pub previous_secret_until: Option<DateTimeUtc>,
    /// When it last got a token.
    pub last_used_at: Option<DateTimeUtc>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// Something that a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Report action progress of its OPD and those below.
    #[serde(rename = "actions:write")]
    ActionsWrite,
    /// Report measurements of KPIs of its OPD and those below.
    #[serde(rename = "measurements:write")]
    MeasurementsWrite,
    /// Write programmes and Quick Wins of its OPD and those below.
    #[serde(rename = "programmes:write")]
    ProgrammesWrite,
    /// Read everything that is not about accounts.
    #[serde(rename = "read")]
    Read,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::ActionsWrite, Self::MeasurementsWrite, Self::ProgrammesWrite, Self::Read];

    /// The word in tokens and bodies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActionsWrite => "actions:write",
            Self::MeasurementsWrite => "measurements:write",
            Self::ProgrammesWrite => "programmes:write",
            Self::Read => "read",
        }
    }

    /// The scope called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// The scopes in a space-separated list (RFC 6749 §3.3); `None` where one is unknown.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        text.split(' ').filter(|name| !name.is_empty()).map(Self::parse).collect()
    }

    /// A space-separated list.
    pub fn list(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}

impl Model {
    /// What it may do.
    pub fn scopes(&self) -> Vec<Scope> {
        serde_json::from_value(self.scopes.clone()).unwrap_or_default()
    }
}

impl ActiveModelBehavior for ActiveModel {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_scope_is_written_alike_everywhere() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
            assert_eq!(Scope::parse(scope.name()), Some(scope));
        }
        assert_eq!(Scope::parse_list("read actions:write"), Some(vec![Scope::Read, Scope::ActionsWrite]));
        assert_eq!(Scope::parse_list("read admin"), None);
        assert_eq!(Scope::list(&[Scope::Read, Scope::ActionsWrite]), "read actions:write");
    }
}
