//! The page for people: what everybody may see, on one page that needs no login and no scripts.
//!
//! It is rendered from the public answers with figures and from what the public lists show, so that it tells what they tell. Like
//! them it is kept until something is written that it is made of.

mod look;
mod read;
mod view;
mod why;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, ResponseError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::auth::keys::Keys;
use crate::charts::options::read_language;
use crate::charts::words::Words;
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;
use crate::http::query::Parameters;
use crate::store::access::Public;
use crate::store::days::read_as_of;
use crate::store::figure_cache::FigureCache;

/// The page as of the end of a day. Whoever asks for what cannot be is told so on a page as well.
pub async fn page(
    public: Public,
    request: HttpRequest,
    kept: Data<FigureCache>,
    keys: Data<Keys>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let language = read_language(&mut parameters).or_else(|| Language::asked_for(request.headers()));
    let words = Words(language.unwrap_or(Language::Indonesian));
    let style = look::style();
    let answer = match of_day(&public, &kept, &keys, words, &style, parameters).await {
        Ok(html) => written(StatusCode::OK, words, &style, html).public().tagged().unless_known(&preconditions),
        Err(error) if error.status_code().is_client_error() => {
            let html = view::refusal(words, &style, &error.sentences(words.0));
            written(error.status_code(), words, &style, html).header("Cache-Control", "no-store")
        }
        Err(error) => return Err(error),
    };
    Ok(answer)
}

async fn of_day(
    public: &Public,
    kept: &Data<FigureCache>,
    keys: &Keys,
    words: Words,
    style: &str,
    mut parameters: Parameters,
) -> ApiResult<String> {
    let today = public.store.calendar().today();
    let day = read_as_of(&mut parameters, today).filter(|day| *day < today);
    parameters.finish()?;
    let seen = read::everything(&public.store, kept, day).await?;
    Ok(view::page(&view::Shown { words, today, day, address: keys.issuer(), style }, &seen))
}

fn written(status: StatusCode, words: Words, style: &str, html: String) -> Answer {
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    Answer::of(status, MediaType::Html, html)
        .header("Content-Language", words.0.tag())
        .header("Vary", "Accept, Accept-Language")
        .header("Content-Security-Policy", &policy)
}
