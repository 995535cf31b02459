//! Clients: systems that report for an OPD, as OAuth2 clients.

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
    /// The name to show.
    pub name: String,
    /// The OPD for which the client writes, together with the OPDs below it.
    pub opd: String,
    /// The scopes of the client, as a list of [`Scope`]s.
    pub scopes: Json,
    /// Whether the client can get tokens.
    pub active: bool,
    /// The SHA-256 of the secret, in hexadecimal. Since a secret has 256 random bits, a fast hash is safe.
    pub secret_hash: String,
    /// The hash of the previous secret.
    pub previous_secret_hash: Option<String>,
    /// Until when the previous secret stays valid.
    pub previous_secret_until: Option<DateTimeUtc>,
    /// When the client last got a token.
    pub last_used_at: Option<DateTimeUtc>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// A scope: something that a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Report on actions of the client's OPD and the OPDs below it.
    #[serde(rename = "actions:write")]
    ActionsWrite,
    /// Report measurements of KPIs of the client's OPD and the OPDs below it.
    #[serde(rename = "measurements:write")]
    MeasurementsWrite,
    /// Write programmes and Quick Wins of the client's OPD and the OPDs below it.
    #[serde(rename = "programmes:write")]
    ProgrammesWrite,
    /// Read everything that is not about accounts.
    #[serde(rename = "read")]
    Read,
}

crate::labels! { Scope {
    ActionsWrite: "Report on actions", "Melaporkan renaksi";
    MeasurementsWrite: "Report measurements", "Melaporkan capaian indikator";
    ProgrammesWrite: "Write programmes", "Menulis program";
    Read: "Read", "Membaca";
} }

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::ActionsWrite, Self::MeasurementsWrite, Self::ProgrammesWrite, Self::Read];

    /// The word for the scope in tokens and bodies.
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

    /// The scopes in a space-separated list (RFC 6749 §3.3); `None` if one of them is unknown.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        text.split(' ').filter(|name| !name.is_empty()).map(Self::parse).collect()
    }

    /// The scopes as a space-separated list.
    pub fn list(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}

impl Model {
    /// The scopes of the client.
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
