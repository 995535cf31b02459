//! `/docs/`: the interactive reference of the API, which needs no internet.

use std::io::Read;
use std::sync::OnceLock;

use actix_web::http::header::{AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG, Encoding, Header};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::table::{Table, nothing_here};

/// Swagger UI needs its own scripts and styles, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
                      frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Renaksi API</title>
<link rel="icon" type="image/png" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
<style>
/* So that words in code do not cover the lines above and below them. */
.swagger-ui .markdown code, .swagger-ui .renderedMarkdown code { padding: 0 4px; }
/* No operation has links. */
.swagger-ui .response-col_links { display: none; }
/* On a phone what a group is about stands below its name. */
@media (max-width: 640px) {
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui .opblock-tag > a { flex: 1; }
  .swagger-ui .opblock-tag small { flex: 1 0 100%; order: 1; padding: 0; }
}
</style>
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
"##;

/// The page is light or dark as the reader's system is. Operations are closed until somebody opens their group, so that the page is
/// there at once; what is typed into the field opens the groups that have operations with all of its words.
const START: &str = r##"const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
const isSearch = (phrase) => typeof phrase === "string" && phrase.trim().length > 1;
const search = ({ React }) => ({
  fn: {
    opsFilter: (groups, phrase) => {
      if (!isSearch(phrase)) return groups;
      const words = phrase.toLowerCase().trim().split(/\s+/);
      const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
      const text = (name, operation) =>
        [name, operation.get("method"), operation.get("path"), ...["operationId", "summary"].map((member) => operation.getIn(["operation", member]))].join(" ");
      const filtered = groups.map((group, name) => group.update("operations", (all) => all.filter((operation) => fits(text(name, operation)))));
      return filtered.filter((group) => group.get("operations").size > 0);
    },
  },
  statePlugins: {
    layout: {
      wrapSelectors: {
        isShown: (original) => (state, thing, ...rest) => {
          const isGroup = thing && thing[0] === "operations-tag" && thing.length === 2;
          return (isGroup && isSearch(state.get("filter"))) || original(thing, ...rest);
        },
      },
    },
  },
  components: {
    FilterContainer: ({ layoutSelectors, layoutActions }) => {
      const phrase = layoutSelectors.currentFilter();
      return React.createElement("div", { className: "filter-container" }, React.createElement("section", { className: "filter wrapper" },
        React.createElement("input", {
          className: "operation-filter-input", type: "search", placeholder: "Search operations", "aria-label": "Search operations",
          value: typeof phrase === "string" && phrase !== "true" ? phrase : "",
          onChange: (event) => layoutActions.updateFilter(event.target.value),
        })));
    },
  },
});
window.ui = SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, docExpansion: "none", filter: true, validatorUrl: null,
  persistAuthorization: false, presets: [SwaggerUIBundle.presets.apis], plugins: [search], layout: "BaseLayout",
});
"##;

/// A file of the reference.
struct File {
    name: &'static str,
    media_type: &'static str,
    content: Content,
}

/// What a file holds.
enum Content {
    Plain(&'static str),
    Compressed(&'static [u8]),
}

const FILES: [File; 5] = [
    File { name: "", media_type: "text/html; charset=utf-8", content: Content::Plain(PAGE) },
    File { name: "start.js", media_type: "text/javascript; charset=utf-8", content: Content::Plain(START) },
    File {
        name: "swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        content: Content::Compressed(include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"))),
    },
    File {
        name: "swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        content: Content::Compressed(include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"))),
    },
    File {
        name: "favicon-32x32.png",
        media_type: "image/png",
        content: Content::Compressed(include_bytes!(concat!(env!("OUT_DIR"), "/favicon-32x32.png.gz"))),
    },
];

/// The entity tags of [`FILES`].
fn tags() -> &'static [String] {
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    TAGS.get_or_init(|| {
        let bytes = |file: &File| match file.content {
            Content::Plain(text) => text.as_bytes(),
            Content::Compressed(bytes) => bytes,
        };
        FILES.iter().map(|file| format!("\"{}\"", &hex::encode(Sha256::digest(bytes(file)))[..32])).collect()
    })
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let known = [ContentEncoding::Gzip, ContentEncoding::Identity].map(Encoding::Known);
    let wanted = AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(known.iter()));
    wanted == Some(Encoding::Known(ContentEncoding::Gzip))
}

async fn file(request: HttpRequest, name: Path<String>, preconditions: Preconditions) -> ApiResult<HttpResponse> {
    file_called(request, &name, preconditions).await
}

async fn file_called(request: HttpRequest, name: &str, preconditions: Preconditions) -> ApiResult<HttpResponse> {
    let found = FILES.iter().zip(tags()).find(|(file, _)| file.name == name);
    let Some((file, tag)) = found else { return Err(nothing_here()) };
    let is_known = preconditions.is_known(tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(("Content-Security-Policy", POLICY));
    response.insert_header((ETAG, tag.as_str())).insert_header(("Cache-Control", "public, max-age=0, must-revalidate"));
    if is_known {
        return Ok(response.finish());
    }
    response.insert_header((CONTENT_TYPE, file.media_type));
    Ok(match file.content {
        Content::Plain(text) => response.body(text),
        Content::Compressed(bytes) => {
            response.insert_header(("Vary", "Accept-Encoding"));
            if accepts_gzip(&request) {
                response.insert_header((CONTENT_ENCODING, "gzip")).body(bytes)
            } else {
                let mut plain = Vec::new();
                GzDecoder::new(bytes).read_to_end(&mut plain).map_err(ApiError::unexpected)?;
                response.insert_header((CONTENT_ENCODING, "identity")).body(plain)
            }
        }
    })
}

async fn to_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}

/// Adds the reference.
pub fn mount(table: &mut Table) {
    let page = |request, preconditions| file_called(request, "", preconditions);
    table.page("/docs", to_folder).page("/docs/", page).page("/docs/{file}", file);
}
