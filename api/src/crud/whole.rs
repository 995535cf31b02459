//! Lists that the database cannot cut into pages: those of a past day, and those in the order of something that is computed. Like
//! figures they are computed few at a time, once for all who ask the same, and cached.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hiding::{hide, public_view};
use super::references::{Expansion, Found, put};
use crate::http::answer::Answer;
use crate::http::language::{Language, speak};
use crate::http::media::MediaType;
use crate::http::page::{LARGEST_LIMIT, Page, texts};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::store::days::read_as_of;
use crate::store::figure_cache::{FigureCache, Question};
use crate::store::kind::{BeforeFirst, Kind, Scope};
use crate::store::listing::Listing;
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;
use crate::store::visible::{Named, public_among};

/// A page of such a list, with whole rows.
#[derive(Serialize, Deserialize)]
pub(super) struct WholePage {
    /// The rows.
    pub(super) rows: Vec<Value>,
    next_cursor: Option<String>,
    limit: u64,
    total: Option<u64>,
}

/// Reads `as_of`, if lists of the kind can be asked for past days.
pub(super) fn day_of(kind: &Kind, parameters: &mut Parameters, today: NaiveDate) -> Option<NaiveDate> {
    kind.whole.filter(|whole| whole.has_past()).and_then(|_| read_as_of(parameters, today))
}

/// The page, where the list is one that the database cannot cut; otherwise the listing again.
pub(super) async fn page(
    kind: &'static Kind,
    store: &Store,
    scope: Scope,
    request: &HttpRequest,
    listing: Listing,
    day: Option<NaiveDate>,
) -> ApiResult<Result<WholePage, Listing>> {
    let today = store.calendar().today();
    let is_past = day.is_some_and(|day| day < today);
    let Some(whole) = kind.whole.filter(|_| is_past || listing.sorts_by_computed()) else { return Ok(Err(listing)) };
    let as_of = store.as_of(day, today).await?;
    let day = as_of.day;
    let cache = request.app_data::<Data<FigureCache>>().ok_or_else(|| ApiError::unexpected("no figures"))?;
    let text = format!("rows {} {}?{} {day}", scope.name(), request.path(), request.query_string());
    let question = Question { text, media: MediaType::of(request), of_the_past: as_of.is_past() };
    let own = store.clone();
    let compute = move || async move {
        let mut rows = whole.rows(own.db(), scope, day, today, listing.narrowing(today)).await?;
        if scope == Scope::Published {
            hide_in(&own, kind, &mut rows).await?;
        }
        let (rows, page) =
            listing.page_of(&rows, |row, field| row.get(field.name).unwrap_or(&Value::Null), |row| whole.text(row))?;
        let Page { next_cursor, limit, total, .. } = page;
        Answer::ok(&WholePage { rows: rows.into_iter().cloned().collect(), next_cursor, limit, total })
    };
    let answer = cache.figure(store, scope, question, &Preconditions::default(), compute).await?;
    serde_json::from_slice(answer.parts().2).map(Ok).map_err(ApiError::unexpected)
}

/// What the public saw of a kind at the end of a past day and sees still, as it was then; what was recorded later, as it was first
/// recorded. Only of kinds of which every day is kept; at most as many as a page has, in the order of their keys.
pub async fn shown_then(kind: &'static Kind, store: &Store, as_of: AsOf) -> ApiResult<Vec<Value>> {
    let (table, key, day) = (kind.table(), kind.key.name(), as_of.day);
    let (then, was_public) = (as_of.counting(kind, BeforeFirst::AsMade), kind.was_public("known", as_of));
    let sql = format!(
        "SELECT kept.content FROM past kept WHERE kept.resource = '{table}' AND (kept.since <= '{day}' OR kept.is_first) \
         AND kept.until > '{day}' AND kept.\"key\" IN (SELECT known.{key} FROM {then} known WHERE {was_public}) \
         ORDER BY kept.\"key\" LIMIT {LARGEST_LIMIT}"
    );
    let rows = store.db().query_all_raw(Statement::from_string(store.db().get_database_backend(), sql)).await?;
    let rows = rows.iter().map(|row| row.try_get::<Value>("", "content")).collect::<Result<Vec<_>, _>>()?;
    let hidden = hidden_in(store, kind, &rows).await?;
    Ok(rows.into_iter().map(|row| public_view(kind, row, &hidden)).collect())
}

/// What rows name and the public does not see, or what is gone.
async fn hidden_in(store: &Store, kind: &Kind, rows: &[Value]) -> ApiResult<Named> {
    let named = rows.iter().flat_map(|row| kind.named_by(row)).map(|(_, kind, key)| (kind, key)).collect::<Named>();
    let public = public_among(store.db(), named.clone()).await?;
    Ok(named.difference(&public).cloned().collect())
}

/// Puts null where rows name what the public does not see, or what is gone.
async fn hide_in(store: &Store, kind: &Kind, rows: &mut [Value]) -> ApiResult<()> {
    let hidden = hidden_in(store, kind, rows).await?;
    for row in rows {
        for member in kind.written() {
            if let Some(value) = row.get_mut(member.name) {
                hide(member, value, &hidden);
            }
        }
    }
    Ok(())
}

impl WholePage {
    /// The page with its rows as an answer shows them.
    pub(super) fn shown(
        self,
        kind: &Kind,
        scope: Scope,
        selection: &Selection,
        expansion: &Expansion,
        found: &Found,
        language: Language,
    ) -> ApiResult<Page> {
        let members = kind.members_in(scope);
        let Self { rows, next_cursor, limit, total } = self;
        let rows = rows.into_iter().map(|mut row| {
            let shown = members.iter().filter(|member| selection.has(member.name)).filter_map(|member| {
                let mut value = row.get_mut(member.name)?.take();
                if let Some(found) = member.target().filter(|_| expansion.has(member.name)).and_then(|kind| found.get(kind)) {
                    put(&mut value, found);
                }
                Some((member.name.to_owned(), value))
            });
            let mut shown = Value::Object(shown.collect());
            speak(&mut shown, language);
            shown
        });
        Ok(Page { data: texts(rows)?, next_cursor, limit, total })
    }
}
