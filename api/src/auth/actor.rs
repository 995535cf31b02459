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
    /// The word in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
            Self::System => "system",
        }
    }

    /// The kind that has this word in the audit log.
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
    /// What the audit log calls the actor: a person's e-mail address, a client's id.
    pub name: String,
    /// Whether an outside provider vouches for it: there is no account here, and its token is all that counts.
    pub is_outside: bool,
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
        Self {
            kind: ActorKind::System,
            id: name.to_owned(),
            name: name.to_owned(),
            is_outside: false,
            role: Role::Admin,
            opd: None,
            scopes: None,
        }
    }

    /// Who it is for good, whatever it is called later: what is compared where it matters whether two are the same.
    pub fn subject(&self) -> String {
        format!("{}:{}", self.kind.name(), self.id)
    }

    /// Whether the audit log shows it who did something, and from where: e-mail and network addresses are no business of those who
    /// only read.
    pub fn sees_people(&self) -> bool {
        self.scopes.is_none() && self.role != Role::Viewer
    }

    /// Whether an account of this service tells what it may do.
    pub fn has_account(&self) -> bool {
        self.kind != ActorKind::System && !self.is_outside
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
