//! The history of a resource: its events, the oldest first.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use entity::event;
use entity::rules::batch;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::actor::{Actor, ActorKind};
use crate::auth::permissions::Permission;
use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::store::access::Access;
use crate::store::events;
use crate::store::kind::{Audited, Field, ValueType};
use crate::store::listing::Listing;

const SEQ: Field = Field::sort("seq", ValueType::Integer);

/// One change of a resource.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct Entry {
    /// The identifier of the event.
    #[schema(max_length = 36)]
    id: Uuid,
    /// When the change was made.
    #[schema(max_length = 35)]
    at: DateTime<Utc>,
    /// The kind of resource, such as `programme`.
    #[schema(max_length = 64, example = "programme")]
    resource: String,
    /// The code or id of the resource.
    #[schema(max_length = 200, example = "SG-09")]
    key: String,
    /// What happened: `created`, `updated`, `deleted`, or a verb of the resource such as `transitioned`.
    #[schema(max_length = 64, example = "updated")]
    action: String,
    /// The version of the resource after the change.
    #[schema(minimum = 0, maximum = 2147483647)]
    version: i32,
    /// Who made the change.
    actor: EventActor,
    /// The identifier of the request that made the change.
    #[schema(max_length = 128)]
    request_id: Option<String>,
    /// The network address from which the change was made. Viewers and clients do not see it.
    #[schema(max_length = 64)]
    address: Option<String>,
    /// The resource before the change; null if it was created.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// The resource after the change; null if it was deleted.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

/// Who made a change.
#[derive(Serialize, ToSchema)]
pub struct EventActor {
    /// The kind of actor.
    #[schema(value_type = ActorKind, example = "user")]
    kind: String,
    /// The name of the actor: an e-mail address, a client id, or the name of a part of the service. For viewers and clients it is
    /// null if it is the address of a person.
    #[schema(max_length = 254, example = "admin@demo.invalid")]
    id: Option<String>,
}

impl From<&event::Model> for Entry {
    fn from(event: &event::Model) -> Self {
        Self {
            id: event.id,
            at: event.at,
            resource: event.resource.clone(),
            key: event.key.clone(),
            action: event.action.clone(),
            version: event.version,
            actor: EventActor { kind: event.actor_kind.clone(), id: Some(event.actor_id.clone()) },
            request_id: event.request_id.clone(),
            address: event.address.clone(),
            before: event.before.clone(),
            after: event.after.clone(),
        }
    }
}

/// The members in which resources name people.
pub(super) const PEOPLE: &[&str] =
    &["reported_by", "submitted_by", "returned_by", "verified_by", "recorded_by", "closed_by", "by", "last_login_at"];

/// Removes the names of people, at any depth.
fn hide_people(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if PEOPLE.contains(&name.as_str()) {
                    *member = Value::Null;
                } else {
                    hide_people(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_people),
        _ => {}
    }
}

impl Entry {
    /// The same entry, as `actor` may see it.
    pub fn seen_by(self, actor: &Actor) -> Self {
        if actor.sees_people() { self } else { self.without_people() }
    }

    /// The same entry without e-mail and network addresses of people.
    pub fn without_people(mut self) -> Self {
        if self.actor.kind == ActorKind::User.name() {
            self.actor.id = None;
        }
        self.address = None;
        [&mut self.before, &mut self.after].into_iter().flatten().for_each(hide_people);
        self
    }
}

/// The condition on events of parts of one resource, where the key of a part does not say to which it belongs: a part stays where it was
/// created.
pub(super) fn part_of(member: &str, code: &str) -> SimpleExpr {
    Expr::cust(format!("COALESCE(\"after\", \"before\") ->> '{member}'")).eq(code)
}

/// The history of the `resource` with this key.
pub async fn answer<P: Permission>(
    access: &Access<P>,
    request: &HttpRequest,
    parameters: Parameters,
    of: &Audited,
    key: &str,
) -> ApiResult<Answer> {
    answer_where(access, request, parameters, of, key, None).await
}

/// The history of the `resource` with this key, of those events for which `condition` holds.
pub(super) async fn answer_where<P: Permission>(
    access: &Access<P>,
    request: &HttpRequest,
    mut parameters: Parameters,
    of: &Audited,
    key: &str,
    condition: Option<SimpleExpr>,
) -> ApiResult<Answer> {
    let resource = of.name;
    let (db, actor) = (access.store.db(), access.actor());
    let listing = Listing::read(&mut parameters, &format!("{resource}/{key}/history"), &[], "seq", SEQ, false);
    parameters.finish()?;
    let first = events::first_in_batches(db, of, key).await?;
    let about = events::are_about_any(db, resource, &[key]).add_option(condition);
    let events = event::Entity::find().filter(match first.as_slice() {
        [] => about,
        first => Condition::any().add(about).add(event::Column::Id.is_in(first.iter().map(|id| batch::batch_of(*id)))),
    });
    let shown = |row: &event::Model| {
        let place = first.iter().find(|id| batch::batch_of(**id) == row.id).map_or(0, |id| batch::place_of(*id));
        let event = batch::events(row, place..place + 1).map_err(ApiError::unexpected)?.pop();
        let event = event.ok_or_else(|| ApiError::unexpected("a batch without the event that it is to hold"))?;
        Ok(Entry::from(&event).seen_by(actor))
    };
    let page = listing.page(db, events.clone(), shown).await?;
    if page.data.is_empty() && events.one(db).await?.is_none() {
        return Err(ApiError::not_found(of.noun, key));
    }
    page.answer(request.path(), request.query_string())
}
