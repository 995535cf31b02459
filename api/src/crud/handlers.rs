//! The seven operations of a kind: list, create, get, replace, update, delete, history. They exist once; the kind is data.

use std::sync::{Arc, LazyLock};

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use chrono::NaiveDate;
use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::openapi;
use super::partial::errors_of_the_rest;
use super::references::{self, Expansion, existing};
use super::resource::Resource;
use super::typed::writes_of;
use super::view::View;
use super::whole::{self, day_of};
use super::writes::{Draft, Writes, may_attach, must_own, must_own_new, recorded};
use super::{history, twins};
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::identifiers::in_lower_case;
use crate::http::json::merge;
use crate::http::language::{Language, Text};
use crate::http::operation::Operation;
use crate::http::page::Page;
use crate::http::precondition::{Preconditions, version_of};
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::http::query::{NoParameters, Parameters};
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::{Access, Writer, retry};
use crate::store::kind::{ETAG, Key, Kind, Row, Scope, Stored};
use crate::store::listing::Listing;
use crate::store::retry::Retry;
use crate::store::rows::{Executor, collect};
use crate::store::transaction::{AuditEvent, WriteTransaction};

/// The key in the path of a request.
pub(super) fn key_in(kind: &Kind, request: &HttpRequest) -> String {
    request.match_info().get(kind.key.name()).unwrap_or_default().to_owned()
}

/// The code in the path of a request of what a resource of this kind is a part of.
fn parent_in<'r>(kind: &Kind, request: &'r HttpRequest) -> Option<&'r str> {
    request.match_info().get("code").filter(|_| kind.parent.is_some())
}

/// The condition on rows under the path of a request: all, or the parts of one resource.
pub(super) fn within(kind: &Kind, request: &HttpRequest) -> Condition {
    match (kind.parent, request.match_info().get("code")) {
        (Some(parent), Some(code)) => Condition::all().add(Expr::col(parent.member).eq(code)),
        _ => Condition::all(),
    }
}

/// Whether the path is that of the list of the parts of all wholes.
pub(super) fn is_across(kind: &Kind, request: &HttpRequest) -> bool {
    kind.is_listed_across && request.match_info().get("code").is_none()
}

/// 404 unless the resource exists that the path says this is a part of.
async fn must_have_parent(db: &Executor<'_>, kind: &Kind, request: &HttpRequest) -> ApiResult<()> {
    let (Some(parent), Some(code)) = (kind.parent, request.match_info().get("code")) else { return Ok(()) };
    if existing(db, parent.kind, &[code.to_owned()].into()).await?.is_empty() {
        return Err(ApiError::not_found(parent.kind, code));
    }
    Ok(())
}

/// The row that the path names, kept from others until the commit.
async fn locked(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    request: &HttpRequest,
) -> ApiResult<Option<Box<dyn Row>>> {
    let kind = writes.kind();
    let row = writes.lock(transaction, key_in(kind, request)).await?;
    let (Some(parent), Some(code)) = (kind.parent, request.match_info().get("code")) else { return Ok(row) };
    Ok(row.filter(|row| row.text(parent.member).as_deref() == Some(code)))
}

/// The same, where it must exist.
async fn must_lock(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    request: &HttpRequest,
) -> ApiResult<Box<dyn Row>> {
    let row = locked(writes, transaction, request).await?;
    row.ok_or_else(|| missing(writes.kind(), request))
}

fn missing(kind: &'static Kind, request: &HttpRequest) -> ApiError {
    ApiError::not_found(kind, &key_in(kind, request))
}

async fn list(
    kind: &'static Kind,
    access: Access<ReadAll>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let name = request.path().trim_start_matches("/v1/");
    let fields = if is_across(kind, &request) { kind.fields_across() } else { kind.fields() };
    let listing = Listing::read(&mut parameters, name, &fields, kind.default_sort, kind.key_field(), true);
    let (selection, expansion) = shape(kind, &mut parameters);
    let today = access.store.calendar().today();
    let day = day_of(kind, &mut parameters, today);
    parameters.finish()?;
    let (db, language) = (access.store.executor(), Language::preferred(request.headers()));
    let listing = match whole::page(kind, &access.store, Scope::All, &request, listing, day).await? {
        Ok(page) => {
            let found = expansion.find(&db, &page.rows, Scope::All, today).await?;
            let page = page.shown(kind, Scope::All, &selection, &expansion, &found, language)?;
            return Ok(with_language(kind, page.answer(request.path(), request.query_string())?, language));
        }
        Err(listing) => listing,
    };
    let (rows, page) = listing.rows_of(kind, &db, within(kind, &request), Scope::All, today).await?;
    if rows.is_empty() {
        must_have_parent(&db, kind, &request).await?;
    }
    let found = expansion.find(&db, &expansion.members_of(&rows), Scope::All, today).await?;
    let view = View::whole(kind, &selection, &expansion, found, language);
    let page = Page { data: rows.iter().map(|row| view.json(&**row)).collect(), ..page };
    Ok(with_language(kind, page.answer(request.path(), request.query_string())?, language))
}

/// Reads `fields` and `expand`.
fn shape(kind: &Kind, parameters: &mut Parameters) -> (Selection, Expansion) {
    (selection(kind, Scope::All, parameters), Expansion::read(kind, Scope::All, parameters))
}

/// An answer with its language, if it has any texts of the service.
pub(super) fn with_language(kind: &Kind, answer: Answer, language: Language) -> Answer {
    if kind.has_texts() { answer.in_language(language) } else { answer }
}

async fn create(
    writes: &'static dyn Writes,
    writer: Writer,
    request: HttpRequest,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let kind = writes.kind();
    let retry = retry(&request, key, &body.fingerprint);
    writer
        .write(retry, async |transaction: &WriteTransaction| {
            must_have_parent(&transaction.executor(), kind, &request).await?;
            let mut value = body.value;
            let mut field_errors = strip_read_only(writes, &mut value, None);
            field_errors.extend(take_place(kind, &mut value, &request, None));
            field_errors.extend(writes.errors_of_new(&value));
            writes.complete(&mut value);
            let (code, draft) = read(writes, transaction, value, field_errors, None).await?;
            let key = if kind.key == Key::Id { Uuid::now_v7().to_string() } else { code };
            insert(writes, transaction, &request, &key, &*draft).await
        })
        .await
}

async fn get(
    kind: &'static Kind,
    access: Access<ReadAll>,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (selection, expansion) = shape(kind, &mut parameters);
    parameters.finish()?;
    let (db, today) = (access.store.executor(), access.store.calendar().today());
    let rows = one(kind, &db, &request, Condition::all(), Scope::All, today).await?;
    let Some(row) = rows.first() else { return Err(missing(kind, &request)) };
    let language = Language::preferred(request.headers());
    let mut etag = tag_of(&**row, language);
    let found = expansion.find(&db, &expansion.members_of(&rows), Scope::All, today).await?;
    if !expansion.is_empty() {
        // What is shown changes with what is referred to, so the version alone does not tell; a write needs no more than that.
        let shown = View::whole(kind, &Selection::default(), &expansion, found.clone(), language).json(&**row);
        etag = format!("\"{}.{}\"", version_of(&etag), &hex::encode(Sha256::digest(shown))[..32]);
    }
    let shown = View::whole(kind, &selection, &expansion, found, language).json(&**row);
    Ok(with_language(kind, Answer::text(StatusCode::OK, shown), language).etag(&etag).unless_known(&preconditions))
}

/// The entity tag of a row in a language: texts differ, so their tags do. The version in it is the same.
fn tag_of(row: &dyn Row, language: Language) -> String {
    let tag = row.etag();
    if row.kind().has_texts() && language == Language::Indonesian { format!("{}0\"", tag.trim_end_matches('"')) } else { tag }
}

/// The row that the path names, if it exists and meets a condition.
pub(super) async fn one(
    kind: &Kind,
    db: &Executor<'_>,
    request: &HttpRequest,
    condition: Condition,
    scope: Scope,
    today: NaiveDate,
) -> ApiResult<Vec<Box<dyn Row>>> {
    let condition = within(kind, request).add(condition).add(Expr::col(kind.key.name()).eq(key_in(kind, request)));
    let narrow = |select: &mut SelectStatement| {
        select.cond_where(condition).limit(1);
    };
    kind.rows.all(db, Box::new(narrow), scope, today).await
}

async fn replace(
    writes: &'static dyn Writes,
    writer: Writer,
    request: HttpRequest,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let kind = writes.kind();
    let retry = retry(&request, key, &body.fingerprint);
    writer
        .write(retry, async |transaction: &WriteTransaction| {
            let row = locked(writes, transaction, &request).await?;
            if let Some(row) = &row {
                must_own(transaction, &*writes.draft_of(&**row)?).await?;
                must_match(writes, transaction, &preconditions, &**row).await?;
                writes.must_be_open(&**row)?;
            } else if kind.key == Key::Id {
                return Err(missing(kind, &request));
            } else {
                preconditions.must_allow_creation()?;
            }
            let mut value = body.value;
            let mut field_errors = strip_read_only(writes, &mut value, row.as_deref());
            field_errors.extend(take_place(kind, &mut value, &request, Some(kind.key)));
            field_errors.extend(writes.errors_of_replacement(&value));
            writes.complete(&mut value);
            let (_, draft) = read(writes, transaction, value, field_errors, row.as_deref()).await?;
            match row {
                Some(row) => overwrite(writes, transaction, &request, &*row, &*draft).await,
                None => insert(writes, transaction, &request, &key_in(kind, &request), &*draft).await,
            }
        })
        .await
}

async fn update(
    writes: &'static dyn Writes,
    writer: Writer,
    request: HttpRequest,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let kind = writes.kind();
    writer
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = must_lock(writes, transaction, &request).await?;
            must_own(transaction, &*writes.draft_of(&*row)?).await?;
            must_match(writes, transaction, &preconditions, &*row).await?;
            writes.must_be_open(&*row)?;
            let Value::Object(_) = body.value else {
                return Err(ApiError::field_error(
                    "",
                    "wrong_type",
                    "A merge patch is an object.",
                    "Merge patch harus berupa objek.",
                ));
            };
            let mut patch = body.value;
            let mut field_errors = strip_read_only(writes, &mut patch, Some(&*row));
            field_errors.extend(take_place(kind, &mut patch, &request, Some(kind.key)));
            let mut value = row.written_members();
            merge(&mut value, patch);
            field_errors.extend(writes.errors_of_replacement(&value));
            let (_, draft) = read(writes, transaction, value, field_errors, Some(&*row)).await?;
            overwrite(writes, transaction, &request, &*row, &*draft).await
        })
        .await
}

async fn delete(
    writes: &'static dyn Writes,
    stored: &'static LazyLock<Vec<Stored>>,
    writer: Writer,
    request: HttpRequest,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    writer
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = must_lock(writes, transaction, &request).await?;
            must_own(transaction, &*writes.draft_of(&*row)?).await?;
            must_match(writes, transaction, &preconditions, &*row).await?;
            writes.must_be_open(&*row)?;
            references::must_be_free(&transaction.db, row.kind(), row.key(), stored).await?;
            writes.delete(transaction, &*row).await?;
            let (of, version, before) = (&row.kind().audited, row.stamp().version + 1, Some(row.shown()));
            transaction
                .record(AuditEvent { of, key: row.key(), action: "deleted", version, before, after: None, first_event: None })
                .await?;
            Ok(Answer::nothing())
        })
        .await
}

/// Inserts a new row under the path of the request, with its event.
async fn insert(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    request: &HttpRequest,
    key: &str,
    draft: &dyn Draft,
) -> ApiResult<Answer> {
    let kind = writes.kind();
    let parent = parent_in(kind, request);
    must_own_new(transaction, draft).await?;
    may_attach(transaction, draft, None).await?;
    draft.check(transaction, key, None).await?;
    if kind.key == Key::Code {
        twins::must_have_none(transaction, kind, key).await?;
    }
    let row = draft.insert(transaction, parent, key).await?;
    recorded(transaction, &*row, "created", None).await?;
    let location = format!("{}/{key}", kind.path().replace("{code}", parent.unwrap_or_default()));
    let shown = writes.present(transaction, &*row).await?;
    Ok(answer(StatusCode::CREATED, request, &*shown).header("Location", &location))
}

/// Lets a write of a row pass only if the client has seen its present state. Otherwise the answer names the tag that reading it
/// gives, also of what is computed.
async fn must_match(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    preconditions: &Preconditions,
    row: &dyn Row,
) -> ApiResult<()> {
    match preconditions.must_match(&row.stamp().etag()) {
        Ok(()) => Ok(()),
        Err(_) => preconditions.must_match(&writes.present(transaction, row).await?.etag()),
    }
}

/// Writes members over a row, with its event.
async fn overwrite(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    request: &HttpRequest,
    row: &dyn Row,
    draft: &dyn Draft,
) -> ApiResult<Answer> {
    let current = writes.draft_of(row)?;
    if draft.owner() == current.owner() {
        must_own(transaction, draft).await?;
    } else {
        // Whoever leads the programme may change what another OPD hung on it, but hands nothing to another.
        must_own_new(transaction, draft).await?;
    }
    may_attach(transaction, draft, Some(&*current)).await?;
    // Where nothing changes there is nothing to record.
    if draft.value()? == current.value()? {
        return Ok(answer(StatusCode::OK, request, &*writes.present(transaction, row).await?));
    }
    draft.check(transaction, row.key(), Some(row)).await?;
    let after = draft.update(transaction, row).await?;
    recorded(transaction, &*after, "updated", Some(row.shown())).await?;
    Ok(answer(StatusCode::OK, request, &*writes.present(transaction, &*after).await?))
}

/// The answer to a write: the row with all its members.
pub fn answer(status: StatusCode, request: &HttpRequest, row: &dyn Row) -> Answer {
    let (selection, expansion) = (Selection::default(), Expansion::default());
    let language = Language::preferred(request.headers());
    let view = View::whole(row.kind(), &selection, &expansion, references::Found::new(), language);
    with_language(row.kind(), Answer::text(status, view.json(row)), language).etag(&tag_of(row, language))
}

/// The code and the members of a body whose shape has these errors, beside the row as it was; every error is told at once.
async fn read(
    writes: &'static dyn Writes,
    transaction: &WriteTransaction,
    mut value: Value,
    mut field_errors: Vec<FieldError>,
    before: Option<&dyn Row>,
) -> ApiResult<(String, Box<dyn Draft>)> {
    let has_shape = field_errors.is_empty();
    let rest = if has_shape { Vec::new() } else { errors_of_the_rest(writes, &value, &field_errors, before, transaction.today)? };
    field_errors.extend(references::field_errors(&transaction.db, writes.kind(), &value).await?);
    let code = value.as_object_mut().and_then(|object| object.remove("code"));
    if !has_shape {
        field_errors.extend(rest);
        return Err(ApiError::invalid(field_errors));
    }
    let draft = writes.parse(value).map_err(|field_error| ApiError::invalid(vec![field_error]))?;
    field_errors.extend(draft.field_errors(before, transaction.today)?);
    if field_errors.is_empty() {
        Ok((code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(), draft))
    } else {
        Err(ApiError::invalid(field_errors))
    }
}

/// Members that only the service writes may come back as they were read; a different value is an error.
fn strip_read_only(writes: &'static dyn Writes, value: &mut Value, row: Option<&dyn Row>) -> Vec<FieldError> {
    let Value::Object(body) = value else { return Vec::new() };
    let kind = writes.kind();
    let current = row.map(|row| collect(|sink| row.read_only(sink))).unwrap_or_else(|| writes.read_only_of_new());
    let mut current = current.as_object().cloned().unwrap_or_default();
    let stamp = row.map(Row::stamp);
    current.insert("version".into(), json!(stamp.map(|stamp| stamp.version)));
    current.insert("created_at".into(), json!(stamp.map(|stamp| stamp.created_at)));
    current.insert("updated_at".into(), json!(stamp.map(|stamp| stamp.updated_at)));
    if kind.key == Key::Id && row.is_none() {
        current.insert(kind.key.name().into(), Value::Null);
    }
    for member in kind.computed().iter().chain([&ETAG]) {
        // It may have changed since it was read, and whatever it says is not written.
        body.remove(member.name);
    }
    let differs = |name: &str, given: Value| (current[name] != given).then(|| read_only(name));
    let given = current.keys().filter_map(|name| Some((name.clone(), body.remove(name)?))).collect::<Vec<_>>();
    given.into_iter().filter_map(|(name, given)| differs(&name, given)).collect()
}

fn read_only(name: &str) -> FieldError {
    let text = Text::new("Only the service writes this member.", "Anggota ini hanya ditulis oleh layanan.");
    FieldError::at(format!("/{name}"), "read_only", text)
}

/// What the path says may stand in a body as well: the key, where it has one, and the parent. A different value is an error.
fn take_place(kind: &Kind, value: &mut Value, request: &HttpRequest, key: Option<Key>) -> Vec<FieldError> {
    let Value::Object(body) = value else { return Vec::new() };
    let names = key.map(|key| (key.name(), key.name())).into_iter();
    let names = names.chain(kind.parent.map(|parent| (parent.member, "code"))).collect::<Vec<_>>();
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

/// Reads `fields=`. The public picks among the members that it sees.
pub(super) fn selection(kind: &Kind, scope: Scope, parameters: &mut Parameters) -> Selection {
    let names = kind.members_in(scope).iter().map(|member| member.name).collect::<Vec<_>>();
    Selection::read(parameters, &names)
}

/// Mounts the seven operations of a resource. `stored` are all places where references stand.
pub fn mount<R: Resource>(table: &mut Table, stored: &'static LazyLock<Vec<Stored>>) {
    mount_of::<R::Write>(table, writes_of::<R>(), stored);
}

fn mount_of<P: Permission>(table: &mut Table, writes: &'static dyn Writes, stored: &'static LazyLock<Vec<Stored>>) {
    let kind = writes.kind();
    let describe = Arc::new(LazyLock::new(|| openapi::Describe::new(writes.described(), P::role_names())));
    let described = |operation: fn(&openapi::Describe) -> Operation| {
        let describe = Arc::clone(&describe);
        move || operation(&describe)
    };
    let (many, one) = (kind.path(), kind.path_of_one());
    if kind.is_listed_across {
        let list_all = described(openapi::Describe::list_across);
        table.lazily(Method::GET, &kind.path_across(), list_all, move |access: Access<ReadAll>, request, parameters| {
            list(kind, access, request, parameters)
        });
    }
    table
        .lazily(Method::GET, &many, described(openapi::Describe::list), move |access: Access<ReadAll>, request, parameters| {
            list(kind, access, request, parameters)
        })
        .lazily(
            Method::POST,
            &many,
            described(openapi::Describe::create),
            move |access: Access<P>, request, _: NoParameters, key, body| create(writes, access.into(), request, key, body),
        )
        .lazily(
            Method::GET,
            &one,
            described(openapi::Describe::get),
            move |access: Access<ReadAll>, request, preconditions, parameters| {
                get(kind, access, request, preconditions, parameters)
            },
        )
        .lazily(
            Method::PUT,
            &one,
            described(openapi::Describe::replace),
            move |access: Access<P>, request, _: NoParameters, preconditions, key, body| {
                replace(writes, access.into(), request, preconditions, key, body)
            },
        )
        .lazily(
            Method::PATCH,
            &one,
            described(openapi::Describe::update),
            move |access: Access<P>, request, _: NoParameters, preconditions, body| {
                update(writes, access.into(), request, preconditions, body)
            },
        )
        .lazily(
            Method::DELETE,
            &one,
            described(openapi::Describe::delete),
            move |access: Access<P>, request, _: NoParameters, preconditions| {
                delete(writes, stored, access.into(), request, preconditions)
            },
        )
        .lazily(
            Method::GET,
            &format!("{one}/history"),
            described(openapi::Describe::history),
            move |access: Access<ReadAll>, request: HttpRequest, parameters| async move {
                let part = kind.parent.zip(parent_in(kind, &request)).map(|(parent, code)| history::part_of(parent.member, code));
                history::answer_where(&access, &request, parameters, &kind.audited, &key_in(kind, &request), part).await
            },
        );
}
