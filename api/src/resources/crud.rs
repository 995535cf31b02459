//! The seven operations of a resource: list, create, get, replace, update, delete, history.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, Select};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::association::{may_attach, must_own, must_own_new};
use super::openapi::Describe;
use super::references::{self, Expansion};
use super::resource::{Key, NewRow, Resource, Row, Stamp, column, key_of, show, show_all, text_of};
use super::{history, schemas, twins};
use crate::auth::permissions::ReadAll;
use crate::http::answer::Answer;
use crate::http::body::{self, JsonBody};
use crate::http::idempotency::IdempotencyKey;
use crate::http::identifiers::in_lower_case;
use crate::http::language::Text;
use crate::http::page::Page;
use crate::http::precondition::{Preconditions, version_of};
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::http::query::{NoParameters, Parameters};
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::listing::{Field, Kind, Listing};
use crate::store::scope::Scope;
use crate::store::transaction::{AuditEvent, Retry, WriteTransaction};

/// What every list can be filtered and sorted by, beside the key.
const INSTANTS: [Field; 2] = [Field::sort("created_at", Kind::Instant), Field::sort("updated_at", Kind::Instant)];

/// The key as a field of a list.
pub fn key_field<R: Resource>() -> Field {
    let kind = match R::KEY {
        Key::Code => Kind::Code,
        Key::Id => Kind::Id,
    };
    Field::sort(R::KEY.name(), kind)
}

/// Everything that a list of `R` can be filtered and sorted by.
pub fn fields<R: Resource>() -> Vec<Field> {
    [R::FIELDS, &[key_field::<R>()], &INSTANTS].concat()
}

/// The key in the path of a request.
fn key_in<R: Resource>(request: &HttpRequest) -> String {
    request.match_info().get(R::KEY.name()).unwrap_or_default().to_owned()
}

/// The rows under the path of a request: all, or the parts of one thing.
pub fn rows_at<R: Resource>(request: &HttpRequest) -> ApiResult<Select<R::Entity>> {
    let rows = R::Entity::find();
    match (R::PARENT, request.match_info().get("code")) {
        (Some(parent), Some(code)) => Ok(rows.filter(column::<R>(parent.member)?.eq(code))),
        _ => Ok(rows),
    }
}

/// 404 unless the thing is there that the path says `R` is a part of.
pub async fn must_have_parent<R: Resource>(db: &impl ConnectionTrait, request: &HttpRequest) -> ApiResult<()> {
    let (Some(parent), Some(code)) = (R::PARENT, request.match_info().get("code")) else { return Ok(()) };
    if parent.to.existing(db, &BTreeSet::from([code.to_owned()])).await?.is_empty() {
        return Err(ApiError::not_found(parent.member, code));
    }
    Ok(())
}

/// The row that the path names, kept from others until the commit.
async fn locked<R: Resource>(transaction: &WriteTransaction, request: &HttpRequest) -> ApiResult<Option<Row<R>>> {
    let row = transaction.locked::<R::Entity>(key_in::<R>(request)).await?;
    let (Some(parent), Some(code)) = (R::PARENT, request.match_info().get("code")) else { return Ok(row) };
    let is_part = |row: &Row<R>| text_of::<R>(row, parent.member).is_ok_and(|of| of == code);
    Ok(row.filter(is_part))
}

/// The same, where it must be there.
async fn must_lock<R: Resource>(transaction: &WriteTransaction, request: &HttpRequest) -> ApiResult<Row<R>> {
    locked::<R>(transaction, request).await?.ok_or_else(|| missing::<R>(&key_in::<R>(request)))
}

async fn list<R: Resource>(access: Access<ReadAll>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let name = request.path().trim_start_matches("/v1/");
    let listing = Listing::read(&mut parameters, name, &fields::<R>(), R::DEFAULT_SORT, key_field::<R>(), true);
    let (selection, expansion) = (selection::<R>(&mut parameters), Expansion::read::<R>(&mut parameters));
    parameters.finish()?;
    let (db, today) = (access.store.db(), access.store.calendar().today());
    let (rows, page) = listing.rows(db, rows_at::<R>(&request)?).await?;
    if rows.is_empty() {
        must_have_parent::<R>(db, &request).await?;
    }
    let shown = show_all::<R>(db, &rows, Scope::All, today).await?;
    let mut page = Page { data: shown.into_iter().map(|(thing, _)| thing).collect(), ..page };
    expansion.apply(db, &mut page.data, today).await?;
    page.data.iter_mut().for_each(|thing| selection.apply(thing));
    page.answer(request.path(), request.query_string())
}

async fn create<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    access
        .write(retry, async |transaction: &WriteTransaction| {
            must_have_parent::<R>(&transaction.db, &request).await?;
            let mut value = body.value;
            let mut field_errors = strip_read_only::<R>(&mut value, None);
            field_errors.extend(take_place::<R>(&mut value, &request, None));
            field_errors.extend(schemas::field_errors_of_new::<R>(&value));
            R::complete(&mut value);
            let (code, members) = read::<R>(transaction, value, field_errors, None).await?;
            let key = if R::KEY == Key::Id { Uuid::now_v7().to_string() } else { code };
            insert(transaction, &request, &key, members).await
        })
        .await
}

async fn get<R: Resource>(
    access: Access<ReadAll>,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (selection, expansion) = (selection::<R>(&mut parameters), Expansion::read::<R>(&mut parameters));
    parameters.finish()?;
    let (db, key, today) = (access.store.db(), key_in::<R>(&request), access.store.calendar().today());
    let row = rows_at::<R>(&request)?.filter(column::<R>(R::KEY.name())?.eq(&key)).one(db).await?;
    let row = row.ok_or_else(|| missing::<R>(&key))?;
    let shown = show_all::<R>(db, &[row], Scope::All, today).await?;
    let Some((thing, mut etag)) = shown.into_iter().next() else { return Err(missing::<R>(&key)) };
    let mut things = [thing];
    if !expansion.is_empty() {
        expansion.apply(db, &mut things, today).await?;
        // What is shown changes with what is referred to, so the version alone does not tell; a write needs no more than that.
        let shown = &body::hex(&Sha256::digest(things[0].to_string()))[..32];
        etag = format!("\"{}.{shown}\"", version_of(&etag));
    }
    selection.apply(&mut things[0]);
    Ok(Answer::ok(&things[0])?.etag(&etag).unless_known(&preconditions))
}

async fn replace<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = locked::<R>(transaction, &request).await?;
            if let Some(row) = &row {
                must_own::<R>(transaction, &R::of(row)).await?;
                preconditions.must_match(&Stamp::of::<R>(row)?.etag())?;
                R::must_be_open(transaction, row).await?;
            } else if R::KEY == Key::Id {
                return Err(missing::<R>(&key_in::<R>(&request)));
            } else {
                preconditions.must_allow_creation()?;
            }
            let mut value = body.value;
            let mut field_errors = strip_read_only::<R>(&mut value, row.as_ref());
            field_errors.extend(take_place::<R>(&mut value, &request, Some(R::KEY)));
            field_errors.extend(schemas::field_errors_of_replacement::<R>(&value));
            R::complete(&mut value);
            let (_, members) = read::<R>(transaction, value, field_errors, row.as_ref()).await?;
            match row {
                Some(row) => update_row(transaction, row, members).await,
                None => insert(transaction, &request, &key_in::<R>(&request), members).await,
            }
        })
        .await
}

async fn update<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = must_lock::<R>(transaction, &request).await?;
            let current = R::of(&row);
            must_own::<R>(transaction, &current).await?;
            preconditions.must_match(&Stamp::of::<R>(&row)?.etag())?;
            R::must_be_open(transaction, &row).await?;
            let Value::Object(_) = body.value else {
                return Err(ApiError::field_error(
                    "",
                    "wrong_type",
                    "A merge patch is an object.",
                    "Merge patch harus berupa objek.",
                ));
            };
            let mut patch = body.value;
            let mut field_errors = strip_read_only::<R>(&mut patch, Some(&row));
            field_errors.extend(take_place::<R>(&mut patch, &request, Some(R::KEY)));
            let mut value = serde_json::to_value(current).map_err(ApiError::unexpected)?;
            merge(&mut value, patch);
            field_errors.extend(schemas::field_errors_of_replacement::<R>(&value));
            let (_, members) = read::<R>(transaction, value, field_errors, Some(&row)).await?;
            update_row(transaction, row, members).await
        })
        .await
}

async fn delete<R: Resource>(
    access: Access<R::Write>,
    request: HttpRequest,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = must_lock::<R>(transaction, &request).await?;
            must_own::<R>(transaction, &R::of(&row)).await?;
            let (key, stamp) = (key_of::<R>(&row)?, Stamp::of::<R>(&row)?);
            preconditions.must_match(&stamp.etag())?;
            R::must_be_open(transaction, &row).await?;
            references::must_be_free::<R>(&transaction.db, &key).await?;
            let before = show::<R>(&row)?;
            R::before_delete(transaction, &key).await?;
            row.delete(&transaction.db).await?;
            let audit_event = AuditEvent {
                resource: R::NAMES.one,
                key: &key,
                action: "deleted",
                version: stamp.version + 1,
                before: Some(before),
                after: None,
            };
            transaction.record(audit_event).await?;
            Ok(Answer::nothing())
        })
        .await
}

async fn history<R: Resource>(access: Access<ReadAll>, request: HttpRequest, parameters: Parameters) -> ApiResult<Answer> {
    history::answer(&access, &request, parameters, R::NAMES.one, &key_in::<R>(&request)).await
}

/// Inserts a new row under the path of the request, with its event.
async fn insert<R: Resource>(transaction: &WriteTransaction, request: &HttpRequest, key: &str, members: R) -> ApiResult<Answer> {
    let parent = request.match_info().get("code").filter(|_| R::PARENT.is_some());
    let row = insert_row(transaction, parent, key, members).await?;
    let (shown, etag) = present::<R>(transaction, row).await?;
    let collection = R::path().replace("{code}", parent.unwrap_or_default());
    Answer::created(&format!("{collection}/{key}"), &shown).map(|answer| answer.etag(&etag))
}

/// A row as the answer to a write shows it, and its entity tag.
pub async fn present<R: Resource>(transaction: &WriteTransaction, row: Row<R>) -> ApiResult<(Value, String)> {
    let shown = show_all::<R>(&transaction.db, &[row], Scope::All, transaction.today).await?;
    shown.into_iter().next().ok_or_else(|| ApiError::unexpected("a row is shown"))
}

/// Inserts a new row, as a part of `parent` if it is one, with its event.
pub async fn insert_row<R: Resource>(
    transaction: &WriteTransaction,
    parent: Option<&str>,
    key: &str,
    members: R,
) -> ApiResult<Row<R>> {
    must_own_new::<R>(transaction, &members).await?;
    may_attach::<R>(transaction, &members, None).await?;
    members.check(transaction, key, None).await?;
    if R::KEY == Key::Code {
        twins::must_have_none(transaction, R::NAMES.one, key).await?;
    }
    let search = search_text(key, &members);
    let later = serde_json::to_value(&members).map_err(ApiError::unexpected)?;
    let mut row = members.into_row();
    R::before_insert(&mut row);
    row.set(column::<R>(R::KEY.name())?, key.into());
    if let (Some(place), Some(parent)) = (R::PARENT, parent) {
        row.set(column::<R>(place.member)?, parent.into());
    }
    row.set(column::<R>("created_at")?, transaction.now.into());
    stamp::<R>(&mut row, transaction, search, 1)?;
    let row = row.insert(&transaction.db).await?;
    let members: R = body::deserialize(later)?;
    members.after_write(transaction, key, true).await?;
    recorded::<R>(transaction, &row, "created", None).await?;
    Ok(row)
}

async fn update_row<R: Resource>(transaction: &WriteTransaction, row: Row<R>, members: R) -> ApiResult<Answer> {
    let current = R::of(&row);
    if members.owner() == current.owner() {
        must_own::<R>(transaction, &members).await?;
    } else {
        // Whoever leads the programme may change what another OPD hung on it, but hands nothing to another.
        must_own_new::<R>(transaction, &members).await?;
    }
    may_attach::<R>(transaction, &members, Some(&current)).await?;
    let (key, before, old) = (key_of::<R>(&row)?, show::<R>(&row)?, Stamp::of::<R>(&row)?);
    let value = json!(members);
    // Where nothing changes there is nothing to record.
    let row = if value == json!(R::of(&row)) {
        row
    } else {
        members.check(transaction, &key, Some(&row)).await?;
        let search = search_text(&key, &members);
        let mut new = members.into_row();
        new.set(column::<R>(R::KEY.name())?, key.clone().into());
        stamp::<R>(&mut new, transaction, search, old.version + 1)?;
        let row = new.update(&transaction.db).await?;
        let members: R = body::deserialize(value)?;
        members.after_write(transaction, &key, false).await?;
        recorded::<R>(transaction, &row, "updated", Some(before)).await?;
        row
    };
    let (shown, etag) = present::<R>(transaction, row).await?;
    Ok(Answer::ok(&shown)?.etag(&etag))
}

/// Writes a row that something beside its members changed, such as its status, with its event.
pub async fn touch<R: Resource>(
    transaction: &WriteTransaction,
    row: Row<R>,
    action: &str,
    set: impl FnOnce(&mut NewRow<R>),
) -> ApiResult<Row<R>> {
    let (before, old) = (show::<R>(&row)?, Stamp::of::<R>(&row)?);
    let mut new = row.into_active_model();
    set(&mut new);
    new.set(column::<R>("version")?, (old.version + 1).into());
    new.set(column::<R>("updated_at")?, transaction.now.into());
    let row = new.update(&transaction.db).await?;
    recorded::<R>(transaction, &row, action, Some(before)).await?;
    Ok(row)
}

async fn recorded<R: Resource>(
    transaction: &WriteTransaction,
    row: &Row<R>,
    action: &str,
    before: Option<Value>,
) -> ApiResult<()> {
    let (shown, stamp, key) = (show::<R>(row)?, Stamp::of::<R>(row)?, key_of::<R>(row)?);
    let audit_event =
        AuditEvent { resource: R::NAMES.one, key: &key, action, version: stamp.version, before, after: Some(shown) };
    transaction.record(audit_event).await
}

/// Sets what every row carries.
pub fn stamp<R: Resource>(row: &mut NewRow<R>, transaction: &WriteTransaction, search: String, version: i32) -> ApiResult<()> {
    row.set(column::<R>("search")?, search.into());
    row.set(column::<R>("version")?, version.into());
    row.set(column::<R>("updated_at")?, transaction.now.into());
    Ok(())
}

/// What `q=` looks through.
pub fn search_text<R: Resource>(key: &str, members: &R) -> String {
    [vec![key], members.search()].concat().join("\n").to_lowercase()
}

/// The code and the members of a body whose shape has these field errors, beside the row as it was; every field error is said at once.
async fn read<R: Resource>(
    transaction: &WriteTransaction,
    mut value: Value,
    mut field_errors: Vec<FieldError>,
    before: Option<&Row<R>>,
) -> ApiResult<(String, R)> {
    let has_shape = field_errors.is_empty();
    field_errors.extend(references::field_errors::<R>(&transaction.db, &value).await?);
    let code = value.as_object_mut().and_then(|object| object.remove("code"));
    let members = if has_shape { Some(body::deserialize::<R>(value)?) } else { None };
    field_errors.extend(members.iter().flat_map(R::field_errors));
    field_errors.extend(members.iter().flat_map(|members| members.field_errors_beside(before, transaction.today)));
    match members {
        Some(members) if field_errors.is_empty() => {
            Ok((code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(), members))
        }
        _ => Err(ApiError::invalid(field_errors)),
    }
}

/// Members that only the service writes may come back as they were read; a different value is a field error.
fn strip_read_only<R: Resource>(value: &mut Value, row: Option<&Row<R>>) -> Vec<FieldError> {
    let Value::Object(body) = value else { return Vec::new() };
    let mut current = R::read_only(row);
    let stamp = row.and_then(|row| Stamp::of::<R>(row).ok());
    current.insert("version".into(), json!(stamp.map(|stamp| stamp.version)));
    current.insert("created_at".into(), json!(stamp.map(|stamp| stamp.created_at)));
    current.insert("updated_at".into(), json!(stamp.map(|stamp| stamp.updated_at)));
    if R::KEY == Key::Id && row.is_none() {
        current.insert(R::KEY.name().into(), Value::Null);
    }
    for name in R::COMPUTED {
        // It may have changed since it was read, and whatever it says is not written.
        body.remove(*name);
    }
    let differs = |name: &str, given: Value| (current[name] != given).then(|| read_only(name));
    let given = current.keys().filter_map(|name| Some((name.clone(), body.remove(name)?))).collect::<Vec<_>>();
    given.into_iter().filter_map(|(name, given)| differs(&name, given)).collect()
}

fn read_only(name: &str) -> FieldError {
    let text = Text::new("Only the service writes this member.", "Anggota ini hanya ditulis oleh layanan.");
    FieldError::at(format!("/{name}"), "read_only", text)
}

/// What the path says may stand in a body as well: the key, where it has one, and the parent. A different value is a field error.
fn take_place<R: Resource>(value: &mut Value, request: &HttpRequest, key: Option<Key>) -> Vec<FieldError> {
    let Value::Object(body) = value else { return Vec::new() };
    let names = key.map(|key| (key.name(), key.name())).into_iter();
    let names = names.chain(R::PARENT.map(|parent| (parent.member, "code"))).collect::<Vec<_>>();
    let mut field_errors = Vec::new();
    for (member, in_path) in names {
        let known = request.match_info().get(in_path).unwrap_or_default();
        let is_id = member == Key::Id.name();
        let is_known =
            |given: &Value| given.as_str().is_some_and(|given| given == known || (is_id && in_lower_case(given) == known));
        if body.remove(member).is_some_and(|given| !is_known(&given)) {
            let text = Text::new(
                format!("The path says `{known}`. It never changes."),
                format!("Alamat menyebut `{known}`. Ini tidak pernah berubah."),
            );
            field_errors.push(FieldError::at(format!("/{member}"), "read_only", text));
        }
    }
    field_errors
}

/// Applies a merge patch (RFC 7396).
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn selection<R: Resource>(parameters: &mut Parameters) -> Selection {
    let Some(picked) = parameters.list("fields") else { return Selection::default() };
    let names = member_names::<R>();
    if picked.iter().any(|name| !names.contains(name)) {
        let names = names.join(", ");
        parameters.refuse("fields", format!("Expected names out of {names}."), format!("Seharusnya nama dari {names}."));
    }
    Selection::of(picked)
}

fn member_names<R: Resource>() -> Vec<String> {
    let schemas = schemas::shown::<R>();
    let properties = &schemas[&schemas::names::<R>().shown]["properties"];
    properties.as_object().map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn missing<R: Resource>(key: &str) -> ApiError {
    ApiError::not_found(R::NAMES.one, key)
}

/// Mounts the seven operations of `R` and describes them.
pub fn mount<R: Resource>(table: &mut Table) {
    let describe = Describe::<R>::resource();
    table
        .on(describe.list(), list::<R>)
        .on(describe.create(), create::<R>)
        .on(describe.get(), get::<R>)
        .on(describe.replace(), replace::<R>)
        .on(describe.update(), update::<R>)
        .on(describe.delete(), delete::<R>)
        .on(describe.history(), history::<R>);
}
