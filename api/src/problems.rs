//! `/problems`: every code that a problem or a field error can have, and a page for each kind of problem, to which its `type` leads.

use std::sync::OnceLock;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::http::answer::Answer;
use crate::http::error_codes::{FaultCode, ProblemCode};
use crate::http::faults::{self, Fault};
use crate::http::language::{Language, Noun};
use crate::http::media::{MediaType, prefers};
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, Code, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;

/// The pages have a style sheet of their own, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// Every code that problems and field errors can have.
#[derive(Serialize, ToSchema)]
struct ProblemList {
    /// The kinds of problems.
    #[schema(max_items = 200)]
    problems: Vec<ProblemKind>,
    /// The kinds of field errors. A rejected row of a push may also have the code of a problem.
    #[schema(max_items = 200)]
    errors: Vec<FaultKind>,
}

/// A kind of problem.
#[derive(Serialize, ToSchema)]
struct ProblemKind {
    /// The code, a stable word to branch on.
    #[schema(value_type = ProblemCode, example = "invalid")]
    code: &'static str,
    /// The HTTP status code.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// The title in English.
    #[schema(max_length = 200)]
    title: &'static str,
    /// The title in Indonesian.
    #[schema(max_length = 200)]
    title_id: &'static str,
    /// What a client can do, in English.
    #[schema(max_length = 1000)]
    advice: &'static str,
    /// What a client can do, in Indonesian.
    #[schema(max_length = 1000)]
    advice_id: &'static str,
}

/// A kind of field error.
#[derive(Serialize, ToSchema)]
struct FaultKind {
    /// The code, a stable word to branch on.
    #[schema(value_type = FaultCode, example = "required")]
    code: &'static str,
    /// What it means, in English. The `detail` of a field error says more.
    #[schema(max_length = 200)]
    text: &'static str,
    /// What it means, in Indonesian.
    #[schema(max_length = 200)]
    text_id: &'static str,
}

impl From<&Code> for ProblemKind {
    fn from(code: &Code) -> Self {
        let Code { status, name, title, title_id, advice, advice_id } = *code;
        Self { code: name, status, title, title_id, advice, advice_id }
    }
}

impl From<&Fault> for FaultKind {
    fn from(fault: &Fault) -> Self {
        let Fault { code, text, text_id } = *fault;
        Self { code, text, text_id }
    }
}

fn list() -> ProblemList {
    ProblemList {
        problems: codes::ALL.iter().map(ProblemKind::from).collect(),
        errors: faults::ALL.iter().map(FaultKind::from).collect(),
    }
}

/// The entity tag of the list. The list changes only with the program.
fn tag() -> &'static str {
    static TAG: OnceLock<String> = OnceLock::new();
    TAG.get_or_init(|| {
        let text = serde_json::to_vec(&list()).unwrap_or_default();
        format!("\"{}\"", &hex::encode(Sha256::digest(text))[..32])
    })
}

async fn list_problems(_: NoParameters, preconditions: Preconditions) -> ApiResult<Answer> {
    Ok(Answer::ok(&list())?.etag(tag()).header("Cache-Control", "public, max-age=300").unless_known(&preconditions))
}

/// The page to which a problem's `type` leads: HTML for a browser, otherwise JSON.
async fn problem(request: HttpRequest, name: Path<String>) -> ApiResult<HttpResponse> {
    let code = codes::ALL
        .iter()
        .find(|code| code.name == *name)
        .ok_or_else(|| ApiError::not_found(Noun::new("problem", "jenis masalah"), &name))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Vary", "Accept, Accept-Language")).insert_header(("Cache-Control", "public, max-age=300"));
    if prefers(request.headers(), MediaType::Html, MediaType::Json) {
        let language = Language::preferred(request.headers());
        answer.insert_header(("Content-Security-Policy", POLICY)).insert_header(("Content-Language", language.tag()));
        return Ok(answer.content_type(MediaType::Html.content_type()).body(page(code, language)));
    }
    Ok(answer.json(ProblemKind::from(code)))
}

fn page(code: &Code, language: Language) -> String {
    let Code { status, name, title, title_id, advice, advice_id } = code;
    let is_indonesian = language == Language::Indonesian;
    let (first, second, advice) = if is_indonesian { (title_id, title, advice_id) } else { (title, title_id, advice) };
    let reference = if is_indonesian { "Referensi" } else { "Reference" };
    // Text between backticks is shown as code. The texts are the service's own and hold no markup.
    let advice = advice
        .split('`')
        .enumerate()
        .map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    let advice = advice.collect::<String>();
    format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title>\
         <style>body{{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}}code{{font-size:1em}}</style>\
         <p>HTTP {status} · <code>{name}</code></p><h1>{first}</h1><p>{second}</p><p>{advice}</p><p><a href=\"/docs/\">{reference}</a></p></html>",
        language.tag()
    )
}

/// Adds the list.
pub fn mount(table: &mut Table) {
    let about = "Every code that a problem (`code`) and a field error (`errors[].code`) can have, with its texts in both languages, for \
        clients that show texts of their own. `/problems/{code}` is a page about one kind of problem.";
    let example = json!({
        "problems": [ProblemKind::from(&codes::INVALID)],
        "errors": faults::ALL.iter().filter(|fault| fault.code == "required").map(FaultKind::from).collect::<Vec<_>>(),
    });
    let list = Operation::get("/problems", "list_problems", "problems", "List the kinds of problems", about);
    table.on(
        list.public().conditional().answers::<ProblemList>(
            200,
            "The kinds of problems and of field errors.",
            Some(example),
            &["ETag"],
        ),
        list_problems,
    );
}

/// Adds the pages.
pub fn mount_pages(table: &mut Table) {
    table.page("/problems/{problem}", problem);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_problem_has_texts_of_its_own_in_each_language() {
        let names = codes::ALL.iter().map(|code| code.name).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), codes::ALL.len());
        for code in codes::ALL {
            for (en, id) in [(code.title, code.title_id), (code.advice, code.advice_id)] {
                assert!(!en.is_empty() && !id.is_empty() && en != id, "{}", code.name);
            }
            assert!(code.advice.ends_with('.') && code.advice_id.ends_with('.'), "{}", code.name);
        }
    }
}
