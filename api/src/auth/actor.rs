//! Who makes a request, as its access token says.

use entity::client::Scope;
use entity::user::Role;

use crate::http::problem::{ApiError, ApiResult, codes};

/// What kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A person.
    User,
    /// A system of an OPD.
    Client,
    /// The service itself, or its command line.
    System,
}

impl ActorKind {
    /// The word in the trail.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
            Self::System => "system",
        }
    }

    /// The kind that has this word in the trail.
    pub fn named(name: &str) -> Self {
        [Self::User, Self::Client].into_iter().find(|kind| kind.name() == name).unwrap_or(Self::System)
    }
}

/// Who makes a request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What kind.
    pub kind: ActorKind,
    /// The subject of the token.
    pub id: String,
    /// What the trail calls the actor: a person's e-mail address, a client's id.
    pub name: String,
    /// What the actor may do.
    pub role: Role,
    /// The OPD an operator is bound to.
    pub opd: Option<String>,
    /// What a client may do; `None` for a person, whose role says it all.
    pub scopes: Option<Vec<Scope>>,
}

impl Actor {
    /// The service itself.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: name.to_owned(), name: name.to_owned(), role: Role::Admin, opd: None, scopes: None }
    }

    /// The OPD whose rows, and those below it, are all that the actor may write; `None` where there is no such bound.
    pub fn bound_to(&self) -> ApiResult<Option<&str>> {
        match (self.role, &self.opd) {
            (Role::Operator, Some(opd)) => Ok(Some(opd)),
            // An operator without an OPD covers nothing.
            (Role::Operator, None) => Err(ApiError::new(codes::OUTSIDE_OWN_OPD)),
            _ => Ok(None),
        }
    }

    /// Whether what the actor reports counts at once: only what the service itself loads needs no second pair of eyes.
    pub fn reports_are_verified(&self) -> bool {
        self.kind == ActorKind::System
    }
}
