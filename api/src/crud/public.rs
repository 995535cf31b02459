//! `/v1/public/{resource}` and one of them.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use chrono::NaiveDate;
use sea_orm::Condition;
use sea_orm::sea_query::Expr;

use super::handlers::{is_across, key_in, one, selection, within};
use super::hiding::hidden;
use super::openapi::Describe;
use super::references::{Expansion, Found};
use super::resource::Resource;
use super::typed::writes_of;
use super::view::View;
use super::whole::{self, day_of};
use super::writes::Writes;
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::operation::Allowed;
use crate::http::page::{LARGEST_LIMIT, Page};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::Public;
use crate::store::kind::Row;
use crate::store::kind::{Field, Kind, Member, Scope};
use crate::store::listing::{Listing, contains};
use crate::store::rows::Executor;
use crate::store::transaction::Store;
use crate::store::visible::{Named, public_among};

/// The members that refer to what may be hidden though the resource itself is seen: what it hangs on is not among them.
fn may_be_hidden(kind: &Kind) -> impl Iterator<Item = (&'static Member, &'static Kind)> {
    let hangs_on = kind.hangs_on().map(|(member, _)| member);
    kind.references().filter(move |(member, to)| to.can_be_hidden() && hangs_on != Some(member.name))
}

/// The filters of members that are shown. What may be shown as null instead is no order.
fn fields(kind: &Kind, is_across: bool) -> Vec<Field> {
    let is_shown = |field: &Field| kind.member(field.name).is_some_and(|member| member.is_public);
    let may_hide = |field: &Field| may_be_hidden(kind).any(|(member, _)| member.name == field.name);
    let all = if is_across { kind.fields_across() } else { kind.fields() };
    let shown = all.into_iter().filter(is_shown);
    shown.map(|field| Field { sortable: field.sortable && !may_hide(&field), ..field }).collect()
}

/// 404 unless the public sees the resource that the path says this is a part of.
async fn must_have_visible_parent(db: &Executor<'_>, kind: &Kind, request: &HttpRequest) -> ApiResult<()> {
    let (Some(parent), Some(code)) = (kind.parent, request.match_info().get("code")) else { return Ok(()) };
    let asked = Named::from([(parent.kind, code.to_owned())]);
    if public_among(db, asked).await?.is_empty() {
        return Err(ApiError::not_found(parent.kind, code));
    }
    Ok(())
}

async fn list(
    kind: &'static Kind,
    public: Public,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query) = (request.path(), request.query_string());
    let name = path.trim_start_matches("/v1/");
    let listing =
        Listing::read(&mut parameters, name, &fields(kind, is_across(kind, &request)), kind.default_sort, kind.key_field(), true);
    let listing = listing.only(kind.visible());
    let today = public.store.calendar().today();
    let (shape, day) = (Shape::read(kind, &mut parameters), day_of(kind, &mut parameters, today));
    parameters.finish()?;
    let listing = by_what_is_shown(kind, listing, query)?;
    let (db, language) = (public.store.executor(), Language::preferred(request.headers()));
    let listing = match whole::page(kind, &public.store, Scope::Published, &request, listing, day).await? {
        Ok(page) => {
            let Shape { selection, expansion } = &shape;
            let found = expansion.find(&db, &page.rows, Scope::Published, today).await?;
            let page = page.shown(kind, Scope::Published, selection, expansion, &found, language)?;
            let answer = shape.told(kind, page.answer(path, query)?, language);
            return Ok(answer.tagged().public().unless_known(&preconditions));
        }
        Err(listing) => listing,
    };
    let (rows, page) = listing.rows_of(kind, &db, within(kind, &request), Scope::Published, today).await?;
    if rows.is_empty() {
        must_have_visible_parent(&db, kind, &request).await?;
    }
    let page = Page { data: shape.show(&db, kind, &rows, today, language).await?, ..page };
    let answer = shape.told(kind, page.answer(path, query)?, language);
    Ok(answer.tagged().public().unless_known(&preconditions))
}

/// What the client wants to see of rows.
struct Shape {
    selection: Selection,
    expansion: Expansion,
}

impl Shape {
    /// Reads `fields` and `expand`.
    fn read(kind: &Kind, parameters: &mut Parameters) -> Self {
        let (scope, selection) = (Scope::Published, selection(kind, Scope::Published, parameters));
        Self { selection, expansion: Expansion::read(kind, scope, parameters) }
    }

    /// The rows, each as JSON text.
    async fn show(
        &self,
        db: &Executor<'_>,
        kind: &Kind,
        rows: &[Box<dyn Row>],
        today: NaiveDate,
        language: Language,
    ) -> ApiResult<Vec<Vec<u8>>> {
        let Self { selection, expansion } = self;
        let found = expansion.find(db, &expansion.members_of(rows), Scope::Published, today).await?;
        let view = View::public(kind, selection, expansion, found, hidden(db, kind, rows).await?, language);
        Ok(rows.iter().map(|row| view.json(&**row)).collect())
    }

    /// The answer with its language, if it has any texts of the service.
    fn told(&self, kind: &Kind, answer: Answer, language: Language) -> Answer {
        if kind.has_texts() { answer.in_language(language) } else { answer }
    }
}

/// What the public sees of the resources of a kind that is no part of another: the first of its list, as JSON texts.
pub async fn shown(kind: &'static Kind, store: &Store, language: Language) -> ApiResult<Vec<Vec<u8>>> {
    let mut parameters = Parameters::parse(&format!("limit={LARGEST_LIMIT}"))?;
    let listing = Listing::read(&mut parameters, kind.table(), &fields(kind, false), kind.default_sort, kind.key_field(), true);
    let (db, today) = (store.executor(), store.calendar().today());
    let listing = listing.only(kind.visible());
    let (rows, _) = listing.rows_of(kind, &db, Condition::all(), Scope::Published, today).await?;
    let (selection, expansion) = (Selection::default(), Expansion::default());
    let view = View::public(kind, &selection, &expansion, Found::new(), hidden(&db, kind, &rows).await?, language);
    Ok(rows.iter().map(|row| view.json(&**row)).collect())
}

/// Filters and `q=` work on what is shown: one by something hidden finds what one by something that does not exist finds.
fn by_what_is_shown(kind: &Kind, mut listing: Listing, query: &str) -> ApiResult<Listing> {
    let mut given = Parameters::parse(query)?;
    for (member, to) in may_be_hidden(kind).filter(|(member, _)| given.text(member.name).is_some()) {
        let (from, member, name, is_public) = (kind.table(), member.name, to.table(), to.is_public("named"));
        let is_shown = format!("EXISTS (SELECT 1 FROM {name} named WHERE named.code = {from}.{member} AND {is_public})");
        listing = listing.only(Expr::cust(is_shown));
    }
    let Some(text) = given.text("q") else { return Ok(listing) };
    let pattern = || contains(&text.trim().to_lowercase());
    Ok(match kind.publication.and_then(|publication| publication.found_in_shown) {
        Some(found_in_shown) => listing.only(found_in_shown(pattern())),
        None => listing,
    })
}

async fn get(
    kind: &'static Kind,
    public: Public,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let shape = Shape::read(kind, &mut parameters);
    parameters.finish()?;
    let (db, today) = (public.store.executor(), public.store.calendar().today());
    let visible = Condition::all().add(kind.visible());
    let rows = one(kind, &db, &request, visible, Scope::Published, today).await?;
    let language = Language::preferred(request.headers());
    let Some(shown) = shape.show(&db, kind, &rows, today, language).await?.pop() else {
        return Err(ApiError::not_found(kind, &key_in(kind, &request)));
    };
    let answer = shape.told(kind, Answer::text(StatusCode::OK, shown), language);
    Ok(answer.tagged().public().unless_known(&preconditions))
}

/// Mounts what the public sees of a resource.
pub fn mount<R: Resource>(table: &mut Table) {
    mount_of(table, writes_of::<R>());
}

fn mount_of(table: &mut Table, writes: &'static dyn Writes) {
    let kind = writes.kind();
    let describe = Describe::new(writes.described(), Allowed::default());
    if kind.is_listed_across {
        let described = describe.public_list_across(&fields(kind, true));
        table.on(described, move |public: Public, request, preconditions, parameters| {
            list(kind, public, request, preconditions, parameters)
        });
    }
    let describe = Describe::new(writes.described(), Allowed::default());
    table
        .on(describe.public_list(&fields(kind, false)), move |public: Public, request, preconditions, parameters| {
            list(kind, public, request, preconditions, parameters)
        })
        .on(describe.public_get(), move |public: Public, request, preconditions, parameters| {
            get(kind, public, request, preconditions, parameters)
        });
}
