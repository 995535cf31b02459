//! Who makes a request, as its access token says.

use entity::client::Scope;
use entity::user::Role;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::problem::{ApiError, ApiResult, codes};

/// The kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person.
    User,
    /// A system of an OPD.
    Client,
    /// The service itself, or its command line.
    System,
}

entity::labels! { ActorKind {
    User: "Person", "Orang";
    Client: "System", "Sistem";
    System: "This service", "Layanan ini";
} }

impl ActorKind {
    /// The word for this kind in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
            Self::System => "system",
        }
    }

    /// The kind that the audit log calls by this word.
    pub fn named(name: &str) -> Self {
        [Self::User, Self::Client].into_iter().find(|kind| kind.name() == name).unwrap_or(Self::System)
    }
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// The subject of the token.
    pub id: String,
    /// The name of the actor in the audit log: the e-mail address of a person, the id of a client.
    pub name: String,
    /// Whether an outside provider vouches for the actor: then there is no account here, and only the token counts.
    pub is_outside: bool,
    /// The role of the actor.
    pub role: Role,
    /// The OPD to which an operator or a client is bound.
    pub opd: Option<String>,
    /// The scopes of a client; `None` for a person, whose role decides everything.
    pub scopes: Option<Vec<Scope>>,
    /// The login from which the token of a person came.
    pub login: Login,
}

/// The login of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The family of its refresh tokens.
    pub family: Option<Uuid>,
    /// Whether the person has to set up one-time codes before anything else: until then only the own account can be reached.
    pub must_set_up_totp: bool,
}

impl Actor {
    /// The service itself.
    pub fn system(name: &str) -> Self {
        Self {
            kind: ActorKind::System,
            id: name.to_owned(),
            name: name.to_owned(),
            is_outside: false,
            role: Role::Admin,
            opd: None,
            scopes: None,
            login: Login::default(),
        }
    }

    /// The stable identity of the actor, whatever its name is later. It is compared wherever it matters whether two actors are
    /// the same.
    pub fn subject(&self) -> String {
        format!("{}:{}", self.kind.name(), self.id)
    }

    /// Whether the audit log shows this actor who made a change and from which address. Those who only read do not see the e-mail
    /// and network addresses of people.
    pub fn sees_people(&self) -> bool {
        self.scopes.is_none() && self.role != Role::Viewer
    }

    /// Whether the permissions of the actor come from an account of this service.
    pub fn has_account(&self) -> bool {
        self.kind != ActorKind::System && !self.is_outside
    }

    /// The OPD to which the actor's writes are limited, together with the OPDs below it; `None` if there is no such limit.
    pub fn bound_to(&self) -> ApiResult<Option<&str>> {
        match (self.role, &self.opd) {
            (Role::Operator, Some(opd)) => Ok(Some(opd)),
            // An operator without an OPD may write for none.
            (Role::Operator, None) => Err(ApiError::new(codes::OUTSIDE_OWN_OPD)),
            _ => Ok(None),
        }
    }

    /// Whether what the actor reports counts at once. Only what the service itself loads needs no review by a second person.
    pub fn reports_are_verified(&self) -> bool {
        self.kind == ActorKind::System
    }
}
