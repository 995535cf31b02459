//! Public lists of what belongs to a resource, such as the status histories of programmes: those of one, and those of all.
//!
//! A part is seen with what it belongs to, and not otherwise.

use std::future::ready;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{EntityName, EntityTrait, Select};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::crud::parameters::list_parameters;
use crate::crud::schemas;
use crate::http::operation::Operation;
use crate::http::page::{Page, texts};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::schema;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::store::access::Public;
use crate::store::days::read_as_of;
use crate::store::kind::{Field, Kind};
use crate::store::listing::Listing;
use crate::store::rows::Executor;
use crate::store::snapshots::AsOf;
use crate::store::visible::public_among;
use crate::tabular::asked::AskedCsv;
use crate::tabular::columns::{LazyTabular, Lines, Tabular, lazily_with_csv, with_csv};
use crate::tabular::stream::{Csv, Pages, ROWS_AT_ONCE};

/// What belongs to a resource, as the public sees it.
pub(crate) trait Part: Serialize + ToSchema + 'static {
    /// The table of its rows.
    type Entity: EntityTrait<Model: Send + Sync, Column: FromStr>;

    /// What it belongs to.
    const OF: &'static Kind;
    /// The column with the code of that, by which the list of all is sorted first.
    const COLUMN: Field;
    /// What tells the parts of one resource apart, by which they are sorted.
    const PLACE: Field;
    /// What lists can be filtered by beside these two.
    const FIELDS: &'static [Field];
    /// Whether lists can be asked for past days.
    const HAS_PAST: bool = false;
    /// The names and texts by which the document describes the lists.
    const WORDS: Words;

    /// The rows that count at the end of a day.
    fn rows(_day: NaiveDate) -> Select<Self::Entity> {
        Self::Entity::find()
    }

    /// A row as it is shown, but for what stands in other tables.
    fn show(row: <Self::Entity as EntityTrait>::Model) -> Self;

    /// Adds what stands in other tables, with a fixed number of statements.
    fn complete<'a>(_db: &'a Executor<'a>, shown: Vec<Self>) -> LocalBoxFuture<'a, ApiResult<Vec<Self>>>
    where
        Self: Sized,
    {
        Box::pin(ready(Ok(shown)))
    }

    /// Examples from the real case.
    fn example() -> Vec<Value>;
}

/// The names and texts of lists of parts.
pub(crate) struct Words {
    /// The path of the list of all: `transitions`.
    pub(crate) path: &'static str,
    /// The name of the schema of a row: `PublicTransition`.
    pub(crate) schema: &'static str,
    /// Where there is a list of the parts of one as well: its path, operation id, summary and description.
    pub(crate) of_one: Option<[&'static str; 4]>,
    /// The operation id of the list of all, its summary and its description.
    pub(crate) of_all: [&'static str; 3],
    /// What an answer is a page of.
    pub(crate) page: &'static str,
}

/// The fields of a list.
fn fields<P: Part>(is_of_one: bool) -> Vec<Field> {
    let belonging = (!is_of_one).then_some(P::COLUMN);
    belonging.into_iter().chain([P::PLACE]).chain(P::FIELDS.iter().copied()).collect()
}

fn default_sort<P: Part>(is_of_one: bool) -> String {
    if is_of_one { P::PLACE.name.to_owned() } else { format!("{},{}", P::COLUMN.name, P::PLACE.name) }
}

/// The condition under which what a row belongs to is public, and was at the end of the day.
fn belongs_to_public<P: Part>(as_of: AsOf) -> SimpleExpr {
    let (of, table, column) = (as_of.of(P::OF), P::Entity::default().table_name(), P::COLUMN.name);
    let is_public = if as_of.is_past() { P::OF.was_public("part_of", as_of) } else { P::OF.is_public("part_of") };
    Expr::cust(format!("EXISTS (SELECT 1 FROM {of} part_of WHERE part_of.code = {table}.{column} AND {is_public})"))
}

/// What a client asks of a list; `name` tells it from others.
fn listing<P: Part>(parameters: &mut Parameters, name: &str, is_of_one: bool) -> Listing {
    Listing::read(parameters, name, &fields::<P>(is_of_one), &default_sort::<P>(is_of_one), P::PLACE, false)
}

/// The pages of a list of parts.
pub(crate) struct PartPages<P> {
    listing: Listing,
    /// Of which resource; all if of none.
    of: Option<String>,
    as_of: AsOf,
    is_begun: bool,
    is_over: bool,
    part: PhantomData<P>,
}

impl<P: Part> PartPages<P> {
    /// All parts of all resources that the public sees, as of today.
    pub(crate) fn of_all(today: AsOf) -> ApiResult<Self> {
        let listing = listing::<P>(&mut Parameters::parse("")?, P::WORDS.path, false);
        Ok(Self::new(listing, None, today))
    }

    fn new(listing: Listing, of: Option<String>, as_of: AsOf) -> Self {
        let listing = match &of {
            Some(code) => listing.only(Expr::col(P::COLUMN.name).eq(code.as_str())),
            None => listing.then_by(P::COLUMN).only(belongs_to_public::<P>(as_of)),
        };
        Self { listing, of, as_of, is_begun: false, is_over: false, part: PhantomData }
    }

    /// The page that the listing asks for. What is a part of something hidden is answered like a part of nothing.
    async fn page(&self, db: &Executor<'_>) -> ApiResult<Page> {
        if let Some(code) = &self.of {
            let asked = [(P::OF, code.clone())].into();
            if public_among(db, asked).await?.is_empty() {
                return Err(ApiError::not_found(P::OF, code));
            }
        }
        let (rows, page) = self.listing.clone().rows(db, P::rows(self.as_of.day)).await?;
        let shown = rows.into_iter().map(P::show).collect();
        Ok(Page { data: texts(P::complete(db, shown).await?)?, ..page })
    }
}

impl<P: Part> Pages for PartPages<P> {
    fn next<'a>(&'a mut self, db: &'a Executor<'a>) -> LocalBoxFuture<'a, ApiResult<Vec<Vec<u8>>>> {
        Box::pin(async move {
            if self.is_over {
                return Ok(Vec::new());
            }
            if !std::mem::replace(&mut self.is_begun, true) {
                self.listing = self.listing.clone().pages_of(ROWS_AT_ONCE, None);
            }
            let page = self.page(db).await?;
            self.is_over = page.next_cursor.is_none();
            self.listing = self.listing.clone().pages_of(ROWS_AT_ONCE, page.next_cursor);
            Ok(page.data)
        })
    }
}

async fn list<P: Part>(
    table: &LazyTabular,
    public: Public,
    request: HttpRequest,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<HttpResponse> {
    let asked_csv = AskedCsv::read(&mut parameters, &request);
    let today = public.store.calendar().today();
    let day = if P::HAS_PAST { read_as_of(&mut parameters, today) } else { None };
    let of = request.match_info().get("code").map(str::to_owned);
    // A cursor of today goes on after midnight.
    let name = day.map_or_else(|| request.path().to_owned(), |day| format!("{} as of {day}", request.path()));
    let listing = listing::<P>(&mut parameters, &name, of.is_some());
    parameters.finish()?;
    let pages = PartPages::<P>::new(listing, of, public.store.as_of(day, today).await?);
    if let Some(asked) = asked_csv {
        let csv = Csv { table, asked, selection: &Selection::default(), pages: Box::new(pages), language: None };
        return csv.answer(&request, &public.store, &preconditions).await;
    }
    let page = pages.page(&public.store.executor()).await?;
    let answer = page.answer(request.path(), request.query_string())?.header("Vary", "Accept");
    Ok(answer.tagged().public().unless_known(&preconditions).respond_to(&request))
}

fn described<P: Part>(path: &str, [id, summary, about]: [&str; 3], is_of_one: bool) -> Operation {
    let Words { schema: name, page: of, .. } = P::WORDS;
    let page = format!("{name}Page");
    let list = Operation::get(path, id, "public", summary, &format!("{about} No login."));
    let list = if P::HAS_PAST {
        let day = json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" });
        list.query("as_of", day, "The day as of whose end the rows are shown, not after today; without it, today.")
    } else {
        list
    };
    let list = list_parameters(list.public(), &fields::<P>(is_of_one), &default_sort::<P>(is_of_one), false);
    let example = json!({ "data": P::example(), "page": { "next_cursor": null, "limit": 50 } });
    list.conditional()
        .problems(if is_of_one { &[404] } else { &[] })
        .with_schemas(schema::components::<P>())
        .with_schemas(Map::from_iter([(page.clone(), schemas::page(reference(name)))]))
        .answers_schema(200, &format!("A page of {of}."), reference(&page), Some(example), &["ETag", "Link"])
}

/// The list of all, with its table.
pub(crate) fn described_all<P: Part>() -> (Operation, Tabular) {
    with_csv(describe_all::<P>(), Lines::Rows)
}

fn describe_all<P: Part>() -> Operation {
    described::<P>(&path_of_all::<P>(), P::WORDS.of_all, false)
}

fn path_of_all<P: Part>() -> String {
    format!("/v1/public/{}", P::WORDS.path)
}

/// Mounts the lists of a part.
pub(crate) fn mount<P: Part>(table: &mut Table) {
    if let Some([path, id, summary, about]) = P::WORDS.of_one {
        mount_list::<P>(table, path, move || described::<P>(path, [id, summary, about], true));
    }
    mount_list::<P>(table, &path_of_all::<P>(), describe_all::<P>);
}

fn mount_list<P: Part>(table: &mut Table, path: &str, describe: impl Fn() -> Operation + Clone + Send + 'static) {
    let (describe, tabular) = lazily_with_csv(describe, Lines::Rows);
    table.lazily(Method::GET, path, describe, move |public: Public, request, preconditions, parameters| {
        let tabular = Arc::clone(&tabular);
        async move { list::<P>(&tabular, public, request, preconditions, parameters).await }
    });
}
