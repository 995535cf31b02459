//! What an account may do now: its token says what it could do up to 15 minutes ago.
//!
//! Every write reads the account again in its own transaction, and holds its lock meanwhile: whoever disables an account, takes
//! a role away or moves it to another OPD waits for the writes that have begun, and those that begin later see it. The lock is
//! one of PostgreSQL's advisory ones, since those who wait for it are served in order: many writes of an account cannot keep an
//! administrator from disabling it, as they could with a shared lock of its row. SQLite has one writer at a time.

use chrono::{DateTime, Utc};
use entity::client::{self, Scope};
use entity::user::{self, Role};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QuerySelect, Statement};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::auth::actor::{Actor, ActorKind, Login};
use crate::auth::permissions::Permission;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::security;

/// The lock of every change of accounts: they take turns, so that two who change each other do not wait for ever.
pub const ACCOUNTS: &str = "the accounts";

/// How people may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginPolicy {
    /// Whether people of this service log in with a password; otherwise only an outside provider lets people in.
    pub password_login: bool,
    /// Whether admins and verifiers need one-time codes.
    pub require_totp: bool,
}

impl Default for LoginPolicy {
    fn default() -> Self {
        Self { password_login: true, require_totp: false }
    }
}

impl LoginPolicy {
    /// Whether somebody with this role has to set up one-time codes before anything else.
    pub fn demands_totp(self, role: Role, has_totp: bool) -> bool {
        self.require_totp && !has_totp && matches!(role, Role::Admin | Role::Verifier)
    }

    /// 403 where nobody logs in with a password.
    pub fn must_allow_passwords(self) -> ApiResult<()> {
        if self.password_login { Ok(()) } else { Err(ApiError::new(codes::PASSWORD_LOGIN_OFF)) }
    }
}

/// What somebody must be allowed to do.
#[derive(Clone, Copy)]
pub struct Must {
    allows: fn(&Actor) -> bool,
    takes_turns: bool,
}

impl Must {
    /// The permission `P`.
    pub fn have<P: Permission>() -> Self {
        Self { allows: P::allows, takes_turns: P::TAKES_TURNS }
    }

    /// 403 for who may not.
    pub fn check(self, actor: &Actor) -> ApiResult<()> {
        if (self.allows)(actor) {
            return Ok(());
        }
        if actor.login.must_set_up_totp && (self.allows)(&Actor { login: Login::default(), ..actor.clone() }) {
            return Err(ApiError::new(codes::TOTP_REQUIRED));
        }
        Err(ApiError::new(codes::FORBIDDEN).detail(
            "The role or the scopes of this account do not allow that.",
            "Peran atau cakupan akun ini tidak mengizinkannya.",
        ))
    }

    /// The actor of a write as it stands in the transaction `db`, with its account held until the commit.
    pub async fn look_again(
        self,
        db: &DatabaseTransaction,
        actor: &Actor,
        address: Option<&str>,
        policy: LoginPolicy,
    ) -> ApiResult<Actor> {
        if !actor.has_account() {
            return Ok(actor.clone());
        }
        if self.takes_turns {
            lock(db, "pg_advisory_xact_lock", ACCOUNTS).await?;
        }
        hold(db, &actor.id).await?;
        let now = now(db, actor, address, policy).await?;
        if let Err(refusal) = self.check(&now) {
            security::log("permission_lost", &actor.name, address, "the role, the scopes or the one-time codes were taken away");
            return Err(refusal);
        }
        Ok(now)
    }
}

/// What the lock of an account is called.
pub fn lock_name(id: &str) -> String {
    format!("account {id}")
}

/// Keeps an account as it is until the commit. Who changes it waits.
pub async fn hold(db: &impl ConnectionTrait, id: &str) -> ApiResult<()> {
    lock(db, "pg_advisory_xact_lock_shared", &lock_name(id)).await
}

async fn lock(db: &impl ConnectionTrait, function: &str, name: &str) -> ApiResult<()> {
    if db.get_database_backend() == DbBackend::Postgres {
        let sql = format!("SELECT {function}($1)");
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [number_of(name).into()])).await?;
    }
    Ok(())
}

/// What `actor` may do now: 401 if its account was disabled. One statement, by the primary key.
pub async fn now(db: &impl ConnectionTrait, actor: &Actor, address: Option<&str>, policy: LoginPolicy) -> ApiResult<Actor> {
    if !actor.has_account() {
        return Ok(actor.clone());
    }
    let found = match actor.kind {
        ActorKind::Client => client_now(db, actor).await?,
        _ => user_now(db, actor, policy).await?,
    };
    found.ok_or_else(|| {
        security::log("disabled_account", &actor.name, address, "the token is good, the account is disabled");
        ApiError::invalid_token("This account is disabled.", "Akun ini dinonaktifkan.")
    })
}

async fn user_now(db: &impl ConnectionTrait, actor: &Actor, policy: LoginPolicy) -> ApiResult<Option<Actor>> {
    use user::Column::{Active, Opd, Role as RoleColumn, TotpSince};
    type Row = (Role, Option<String>, bool, Option<DateTime<Utc>>);
    let Ok(id) = Uuid::parse_str(&actor.id) else { return Ok(None) };
    let columns = user::Entity::find_by_id(id).select_only().columns([RoleColumn, Opd, Active, TotpSince]);
    let row = columns.into_tuple::<Row>().one(db).await?;
    let stands = |(role, opd, active, totp_since): Row| {
        let login = Login { must_set_up_totp: policy.demands_totp(role, totp_since.is_some()), ..actor.login };
        active.then(|| Actor { role, opd, login, ..actor.clone() })
    };
    Ok(row.and_then(stands))
}

/// A token may have fewer scopes than its client, and never more.
async fn client_now(db: &impl ConnectionTrait, actor: &Actor) -> ApiResult<Option<Actor>> {
    use client::Column::{Active, Opd, Scopes};
    let columns = client::Entity::find_by_id(&actor.id).select_only().columns([Scopes, Opd, Active]);
    let row = columns.into_tuple::<(Value, String, bool)>().one(db).await?;
    let stands = |(held, opd, active): (Value, String, bool)| {
        let held = serde_json::from_value::<Vec<Scope>>(held).unwrap_or_default();
        let of_token = actor.scopes.iter().flatten().copied();
        let scopes = of_token.filter(|scope| held.contains(scope)).collect();
        active.then(|| Actor { opd: Some(opd), scopes: Some(scopes), ..actor.clone() })
    };
    Ok(row.and_then(stands))
}

/// A name as the number that PostgreSQL's advisory locks take.
pub(super) fn number_of(name: &str) -> i64 {
    let digest = Sha256::digest(name);
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}
