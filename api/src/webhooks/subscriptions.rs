//! `/v1/webhooks`: the addresses that are told of events.

pub mod deliveries;
mod wire_types;

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use chrono::Duration;
use entity::webhook::{self, DisabledReason};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::json;
use uuid::Uuid;

use self::wire_types::{NewWebhook, Webhook, WebhookPatch};
use super::addresses::Addresses;
use super::message::fresh_secret;
use crate::auth::permissions::ManageWebhooks;
use crate::feed::events::{ACCOUNTS, RESOURCES};
use crate::feed::seal;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Text;
use crate::http::precondition::{Preconditions, entity_tag};
use crate::http::problem::{ApiError, ApiResult, Fault};
use crate::http::query::{NoParameters, Parameters};
use crate::http::table::Table;
use crate::resources::clients::Rotation;
use crate::resources::history;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Happening, Retry};
use crate::store::listing::{Field, Kind, Listing};

const LIST: &str = "/v1/webhooks";
const ONE: &str = "/v1/webhooks/{id}";
const ROTATE: &str = "/v1/webhooks/{id}/rotate-secret";
const HISTORY: &str = "/v1/webhooks/{id}/history";
const ID: Field = Field::sort("id", Kind::Code);
const FIELDS: &[Field] = &[Field::filter("active", Kind::Flag), Field::sort("created_at", Kind::Instant)];

fn etag(row: &webhook::Model) -> String {
    entity_tag(row.version, row.created_at)
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found("webhook", id)
}

fn search_text(url: &str, description: Option<&str>) -> String {
    format!("{url}\n{}", description.unwrap_or_default()).to_lowercase()
}

/// What a schema cannot say of an address and of patterns.
fn must_be_sound(addresses: &Addresses, url: Option<&str>, patterns: Option<&[String]>) -> ApiResult<()> {
    let wrong_url = url.and_then(|url| addresses.fault(url)).map(|text| Fault::at("/url", "address_not_allowed", text));
    let known = |pattern: &str| {
        let kind = pattern.split('.').next().unwrap_or_default();
        kind == "*" || (RESOURCES.contains(&kind) && !ACCOUNTS.contains(&kind))
    };
    let unknown = patterns.unwrap_or_default().iter().enumerate().filter(|(_, pattern)| !known(pattern)).map(|(index, _)| {
        let text = Text::new("No events of this kind are told.", "Kejadian jenis ini tidak dikirimkan.");
        Fault::at(format!("/event_types/{index}"), "unknown_event_type", text)
    });
    let faults = wrong_url.into_iter().chain(unknown).collect::<Vec<_>>();
    if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid(faults)) }
}

async fn list_webhooks(access: Access<ManageWebhooks>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, "webhooks", FIELDS, "id", ID, true);
    parameters.finish()?;
    let page = listing.page(access.store.db(), webhook::Entity::find(), |row| Ok(json!(Webhook::from(row)))).await?;
    page.answer(request.path(), request.query_string())
}

async fn get_webhook(
    access: Access<ManageWebhooks>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let row = webhook::Entity::find_by_id(id.clone()).one(access.store.db()).await?.ok_or_else(|| missing(&id))?;
    Ok(Answer::ok(&Webhook::from(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn create_webhook(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    addresses: Data<Addresses>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let new: NewWebhook = body.read()?;
    must_be_sound(&addresses, Some(&new.url), Some(&new.event_types))?;
    let secret = fresh_secret();
    let answer = access
        .change(retry, async |change: &Change| {
            let row = add(change, new, &secret).await?;
            Ok(Answer::created(&format!("{LIST}/{}", row.id), &Webhook::from(&row))?.etag(&etag(&row)))
        })
        .await?;
    with_secret(answer, secret)
}

/// Shows a new secret. It is added after the answer was kept for retries: nothing that is kept for those gives it away.
fn with_secret(answer: Answer, secret: String) -> ApiResult<Answer> {
    if answer.is_replayed() { Ok(answer) } else { answer.member("secret", json!(secret)) }
}

async fn add(change: &Change, new: NewWebhook, secret: &str) -> ApiResult<webhook::Model> {
    let is_paused = !new.active;
    let row = webhook::ActiveModel {
        id: Set(Uuid::now_v7().to_string()),
        search: Set(search_text(&new.url, new.description.as_deref())),
        url: Set(new.url),
        description: Set(new.description),
        event_types: Set(json!(new.event_types)),
        active: Set(new.active),
        disabled_reason: Set(is_paused.then_some(DisabledReason::Paused)),
        disabled_at: Set(is_paused.then_some(change.now)),
        secret: Set(secret.to_owned()),
        previous_secret: Set(None),
        previous_secret_until: Set(None),
        after_position: Set(seal::head(&change.db).await?.position),
        failing_since: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let row = row.insert(&change.db).await?;
    record(change, "created", None, Some(&row)).await?;
    Ok(row)
}

async fn update_webhook(
    access: Access<ManageWebhooks>,
    addresses: Data<Addresses>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let clears_description = body.value.get("description").is_some_and(serde_json::Value::is_null);
    let patch: WebhookPatch = body.read()?;
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<webhook::Entity>(id.clone()).await?.ok_or_else(|| missing(&id))?;
            preconditions.must_match(&etag(&row))?;
            must_be_sound(&addresses, patch.url.as_deref(), patch.event_types.as_deref())?;
            let head = seal::head(&change.db).await?.position;
            let row = apply(change, row, "updated", |row, before| {
                let url = patch.url.unwrap_or_else(|| before.url.clone());
                let description =
                    if clears_description { None } else { patch.description.or_else(|| before.description.clone()) };
                row.search = Set(search_text(&url, description.as_deref()));
                (row.url, row.description) = (Set(url), Set(description));
                row.event_types = Set(patch.event_types.map_or_else(|| before.event_types.clone(), |types| json!(types)));
                match patch.active {
                    Some(true) if !before.active => switch_on(row, head),
                    Some(false) if before.active => switch_off(row, DisabledReason::Paused, change),
                    _ => {}
                }
            });
            let row = row.await?;
            Ok(Answer::ok(&Webhook::from(&row))?.etag(&etag(&row)))
        })
        .await
}

/// From now on, and not of what happened meanwhile.
fn switch_on(row: &mut webhook::ActiveModel, head: i64) {
    (row.active, row.disabled_reason, row.disabled_at) = (Set(true), Set(None), Set(None));
    (row.after_position, row.failing_since) = (Set(head), Set(None));
}

fn switch_off(row: &mut webhook::ActiveModel, reason: DisabledReason, change: &Change) {
    (row.active, row.disabled_reason, row.disabled_at) = (Set(false), Set(Some(reason)), Set(Some(change.now)));
}

/// Tells a webhook of nothing more, because of its receiver.
pub async fn disable(change: &Change, row: webhook::Model, reason: DisabledReason) -> ApiResult<()> {
    apply(change, row, "disabled", |row, _| switch_off(row, reason, change)).await.map(drop)
}

async fn rotate_webhook_secret(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    id: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let rotation: Rotation = body.read()?;
    let secret = fresh_secret();
    let answer = access
        .change(retry, async |change: &Change| {
            let row = change.locked::<webhook::Entity>(id.clone()).await?.ok_or_else(|| missing(&id))?;
            let until = change.now + Duration::seconds(i64::from(rotation.grace_seconds));
            let row = apply(change, row, "rotated", |row, before| {
                row.previous_secret = Set(Some(before.secret.clone()));
                row.previous_secret_until = Set(Some(until));
                row.secret = Set(secret.clone());
            });
            let row = row.await?;
            Ok(Answer::ok(&Webhook::from(&row))?.etag(&etag(&row)))
        })
        .await?;
    with_secret(answer, secret)
}

async fn delete_webhook(
    access: Access<ManageWebhooks>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<webhook::Entity>(id.clone()).await?.ok_or_else(|| missing(&id))?;
            preconditions.must_match(&etag(&row))?;
            row.clone().delete(&change.db).await?;
            record(change, "deleted", Some(&row), None).await?;
            Ok(Answer::nothing())
        })
        .await
}

async fn apply(
    change: &Change,
    before: webhook::Model,
    action: &str,
    set: impl FnOnce(&mut webhook::ActiveModel, &webhook::Model),
) -> ApiResult<webhook::Model> {
    let mut row = before.clone().into_active_model();
    set(&mut row, &before);
    row.version = Set(before.version + 1);
    row.updated_at = Set(change.now);
    let row = row.update(&change.db).await?;
    record(change, action, Some(&before), Some(&row)).await?;
    Ok(row)
}

async fn record(change: &Change, action: &str, before: Option<&webhook::Model>, after: Option<&webhook::Model>) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let show = |row: &webhook::Model| json!(Webhook::from(row));
    let (key, version) = (row.id.as_str(), row.version);
    change.record(Happening { resource: "webhook", key, action, version, before: before.map(show), after: after.map(show) }).await
}

async fn list_webhook_history(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    id: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(access.store.db(), &request, parameters, "webhook", &id).await
}

/// Mounts the webhooks and their deliveries.
pub fn mount(table: &mut Table) {
    table
        .on(wire_types::list(), list_webhooks)
        .on(wire_types::create(), create_webhook)
        .on(wire_types::get(), get_webhook)
        .on(wire_types::update(), update_webhook)
        .on(wire_types::delete(), delete_webhook)
        .on(wire_types::rotate(), rotate_webhook_secret)
        .on(wire_types::past(), list_webhook_history);
    deliveries::mount(table);
}
