//! `/v1/public/{resource}` and one of them.

use std::sync::{Arc, LazyLock};

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use sea_orm::Condition;
use sea_orm::sea_query::Expr;

use super::handlers::{is_across, key_in, one, selection, with_language, within};
use super::hiding::hidden;
use super::openapi::{Describe, public_path};
use super::references::{Expansion, Found};
use super::resource::Resource;
use super::typed::writes_of;
use super::view::View;
use super::whole::{self, day_of};
use super::writes::Writes;
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::operation::{Allowed, Operation};
use crate::http::page::{LARGEST_LIMIT, Page};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::Public;
use crate::store::kind::{Field, Kind, Member, Row, Scope};
use crate::store::listing::{Listing, contains};
use crate::store::rows::Executor;
use crate::store::transaction::Store;
use crate::store::visible::{Named, public_among};
use crate::tabular::asked::AskedCsv;
use crate::tabular::columns::{LazyTabular, Lines, Tabular, lazily_with_csv, with_csv};
use crate::tabular::stream::{ALL_ROWS, Csv, InMemory, Pages, ROWS_AT_ONCE};

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
async fn must_have_visible_parent(db: &Executor<'_>, kind: &Kind, code: Option<&str>) -> ApiResult<()> {
    let (Some(parent), Some(code)) = (kind.parent, code) else { return Ok(()) };
    let asked = Named::from([(parent.kind, code.to_owned())]);
    if public_among(db, asked).await?.is_empty() {
        return Err(ApiError::not_found(parent.kind, code));
    }
    Ok(())
}

async fn list(
    kind: &'static Kind,
    table: &LazyTabular,
    public: Public,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<HttpResponse> {
    let (path, query) = (request.path(), request.query_string());
    let name = path.trim_start_matches("/v1/");
    let asked_csv = AskedCsv::read(&mut parameters, &request);
    let listing =
        Listing::read(&mut parameters, name, &fields(kind, is_across(kind, &request)), kind.default_sort, kind.key_field(), true);
    let listing = listing.only(kind.visible());
    let today = public.store.calendar().today();
    let (shape, day) = (Shape::read(kind, &mut parameters), day_of(kind, &mut parameters, today));
    parameters.finish()?;
    let listing = by_what_is_shown(kind, listing, query)?;
    let listing = if asked_csv.is_some() { listing.pages_of(ALL_ROWS, None) } else { listing };
    let (db, language) = (public.store.executor(), Language::preferred(request.headers()));
    let code = request.match_info().get("code");
    let listed = match whole::page(kind, &public.store, Scope::Published, &request, listing, day).await? {
        Ok(page) => {
            let Shape { selection, expansion } = &shape;
            let found = expansion.find(&db, &page.rows, Scope::Published, today).await?;
            Ok(page.shown(kind, Scope::Published, selection, expansion, &found, language)?)
        }
        Err(listing) => Err(KindPages {
            kind,
            listing,
            within: within(kind, &request),
            shape,
            today,
            language,
            code: code.map(str::to_owned),
            next: Next::First,
        }),
    };
    if let Some(asked) = asked_csv {
        let selection = selection(kind, Scope::Published, &mut Parameters::parse(query)?);
        let pages: Box<dyn Pages> = match listed {
            Ok(page) => Box::new(InMemory(page.data)),
            Err(pages) => Box::new(pages),
        };
        let language = kind.has_texts().then_some(language);
        let csv = Csv { table, asked, selection: &selection, pages, language };
        return csv.answer(&request, &public.store, &preconditions).await;
    }
    let page = match listed {
        Ok(page) => page,
        Err(mut pages) => pages.page(&db).await?,
    };
    let answer = with_language(kind, page.answer(path, query)?, language).header("Vary", "Accept");
    Ok(answer.tagged().public().unless_known(&preconditions).respond_to(&request))
}

/// A list that the database cuts into pages.
struct KindPages {
    kind: &'static Kind,
    listing: Listing,
    within: Condition,
    shape: Shape,
    today: NaiveDate,
    language: Language,
    /// The code of what the rows are parts of.
    code: Option<String>,
    next: Next,
}

/// Which page of a list comes next.
enum Next {
    First,
    After(String),
    None,
}

impl KindPages {
    /// The page that the listing asks for.
    async fn page(&mut self, db: &Executor<'_>) -> ApiResult<Page> {
        let Self { kind, listing, within, shape, today, language, code, .. } = self;
        let (rows, page) = listing.clone().rows_of(kind, db, within.clone(), Scope::Published, *today).await?;
        if rows.is_empty() {
            must_have_visible_parent(db, kind, code.as_deref()).await?;
        }
        Ok(Page { data: shape.show(db, kind, &rows, *today, *language).await?, ..page })
    }
}

impl Pages for KindPages {
    fn next<'a>(&'a mut self, db: &'a Executor<'a>) -> LocalBoxFuture<'a, ApiResult<Vec<Vec<u8>>>> {
        Box::pin(async move {
            let cursor = match std::mem::replace(&mut self.next, Next::None) {
                Next::First => None,
                Next::After(cursor) => Some(cursor),
                Next::None => return Ok(Vec::new()),
            };
            self.listing = self.listing.clone().pages_of(ROWS_AT_ONCE, cursor);
            let page = self.page(db).await?;
            self.next = page.next_cursor.map_or(Next::None, Next::After);
            Ok(page.data)
        })
    }
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
    let answer = with_language(kind, Answer::text(StatusCode::OK, shown), language);
    Ok(answer.tagged().public().unless_known(&preconditions))
}

/// Mounts what the public sees of a resource.
pub fn mount<R: Resource>(table: &mut Table) {
    mount_of(table, writes_of::<R>());
}

/// The list of all of a kind that the public sees, with its table.
pub fn table_of_all<R: Resource>() -> (&'static Kind, Operation, Tabular) {
    let writes = writes_of::<R>();
    let (kind, describe) = (writes.kind(), Describe::new(writes.described(), Allowed::default()));
    let list = if kind.is_listed_across {
        describe.public_list_across(&fields(kind, true))
    } else {
        describe.public_list(&fields(kind, false))
    };
    let (operation, tabular) = with_csv(list, Lines::Rows);
    (kind, operation, tabular)
}

/// The rows of that list, in its order.
pub fn pages_of_all(kind: &'static Kind, store: &Store, language: Language) -> ApiResult<impl Pages + use<>> {
    let mut none = Parameters::parse("")?;
    let fields = fields(kind, kind.is_listed_across);
    let listing = Listing::read(&mut none, kind.table(), &fields, kind.default_sort, kind.key_field(), true);
    let listing = listing.only(kind.visible());
    let (shape, today) = (Shape::read(kind, &mut none), store.calendar().today());
    Ok(KindPages { kind, listing, within: Condition::all(), shape, today, language, code: None, next: Next::First })
}

fn mount_of(table: &mut Table, writes: &'static dyn Writes) {
    let kind = writes.kind();
    let describe = Arc::new(LazyLock::new(|| Describe::new(writes.described(), Allowed::default())));
    if kind.is_listed_across {
        let describe = Arc::clone(&describe);
        mount_list(table, kind, &kind.path_across(), move || describe.public_list_across(&fields(kind, true)));
    }
    let list = Arc::clone(&describe);
    mount_list(table, kind, &kind.path(), move || list.public_list(&fields(kind, false)));
    let one = public_path(&kind.path_of_one());
    table.lazily(
        Method::GET,
        &one,
        move || describe.public_get(),
        move |public: Public, request, preconditions, parameters| get(kind, public, request, preconditions, parameters),
    );
}

fn mount_list(table: &mut Table, kind: &'static Kind, path: &str, describe: impl Fn() -> Operation + Clone + Send + 'static) {
    let (describe, tabular) = lazily_with_csv(describe, Lines::Rows);
    table.lazily(Method::GET, &public_path(path), describe, move |public: Public, request, preconditions, parameters| {
        let tabular = Arc::clone(&tabular);
        async move { list(kind, &tabular, public, request, preconditions, parameters).await }
    });
}
