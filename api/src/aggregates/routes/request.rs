//! The request for a figure: for whom, about which day and in which language, and the answer from the cache or newly computed.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;

use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;
use crate::http::query::Parameters;
use crate::http::table::CSV;
use crate::resources::explanation::InLanguage;
use crate::store::days::read_as_of;
use crate::store::figure_cache::{FigureCache, Question};
use crate::store::kind::Scope;
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;

/// The request for a figure.
pub(crate) struct FigureRequest {
    pub(super) store: Store,
    scope: Scope,
    cache: Data<FigureCache>,
    path: String,
    /// The code in the path, if the path has one.
    pub(super) code: String,
    language: Language,
    preconditions: Preconditions,
}

impl FigureRequest {
    pub(in crate::aggregates) fn new(
        store: Store,
        scope: Scope,
        cache: Data<FigureCache>,
        request: &HttpRequest,
        preconditions: Preconditions,
    ) -> Self {
        let code = request.match_info().get("code").unwrap_or_default().to_owned();
        // A table is made from the same answer as JSON.
        let path = request.path().strip_suffix(CSV).unwrap_or(request.path()).to_owned();
        Self { store, scope, cache, path, code, language: Language::preferred(request.headers()), preconditions }
    }

    /// A request that the service makes itself, for what a public route gives. `code` is the one in its path, if it has one.
    pub(super) fn of_the_service(store: &Store, cache: &Data<FigureCache>, path: String, code: &str) -> Self {
        Self {
            store: store.clone(),
            scope: Scope::Published,
            cache: cache.clone(),
            path,
            code: code.to_owned(),
            // The service asks for figures, and for no texts.
            language: Language::English,
            preconditions: Preconditions::default(),
        }
    }

    /// The end of a day that was read with [`FigureRequest::read_as_of`], or of today if the request names none.
    pub(in crate::aggregates) async fn as_of(&self, day: Option<NaiveDate>) -> ApiResult<AsOf> {
        self.store.as_of(day, self.store.calendar().today()).await
    }

    /// Reads the parameter `as_of`.
    pub(in crate::aggregates) fn read_as_of(&self, parameters: &mut Parameters) -> Option<NaiveDate> {
        read_as_of(parameters, self.store.calendar().today())
    }

    /// Answers as of a day, from the response cache or by computing the figure.
    pub(super) async fn answer_as_of<T, F>(
        self,
        as_of: AsOf,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        self.answer(as_of.is_past(), (as_of.day, parameters), compute).await
    }

    /// The same for a figure that has texts, in the language of the request.
    pub(super) async fn answer_in_language<T, F>(
        self,
        as_of: AsOf,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize + InLanguage,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        let language = self.language;
        let answer = self.answer_as_of(as_of, (language, parameters), move |store, scope| {
            let computed = compute(store, scope);
            async move { Ok(computed.await?.in_language(language)) }
        });
        Ok(answer.await?.in_language(language))
    }

    /// Answers from the response cache, or by computing the figure.
    pub(super) async fn answer<T, F>(
        self,
        of_the_past: bool,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        self.answer_with(of_the_past, parameters, |store, scope| {
            let computed = compute(store, scope);
            async move { Answer::ok(&computed.await?) }
        })
        .await
    }

    /// The same for what makes its answer itself.
    pub(in crate::aggregates) async fn answer_with<F>(
        self,
        of_the_past: bool,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let Self { store, scope, cache, path, preconditions, .. } = self;
        let media = MediaType::Json;
        let question = Question { text: format!("{} {path} {parameters:?}", scope.name()), media, of_the_past };
        let own = store.clone();
        let compute = move || compute(own, scope);
        cache.figure(&store, scope, question, &preconditions, compute).await
    }
}
