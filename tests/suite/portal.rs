//! The page for people: what the figures say, for whoever has a browser.

use renaksi_tests::actor::Request;
use renaksi_tests::rehearsal::Today;
use renaksi_tests::{Actor, Answer, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

/// What browsers send.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

fn page(actor: &Actor, path: &str) -> Request {
    actor.get(path).header("Accept", BROWSER)
}

/// What a page says: its text without markup, with plain spaces.
fn said(answer: &Answer) -> String {
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("text/html; charset=utf-8")), "{answer:?}");
    let html = answer.text();
    let (_, body) = html.split_once("<body>").expect("a body");
    let text = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let text = text.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
    let plain =
        text.replace('\u{a0}', " ").replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

on_both_databases! {
    async fn the_page_tells_what_the_figures_say(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        admin.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": "2023-03-01" })).await;
        for (day, headline) in [("", "36 dari 40 program berjalan (90 %)"), ("?as_of=2022-10-20", "35 dari 40 program berjalan (87,5 %)")] {
            let text = said(&page(&anyone, &format!("/{day}")).await);
            let told = |words: &str| assert!(text.contains(words), "`{words}` is not in {text}");
            told(headline);
            let summary = anyone.get(format!("/v1/public/summary{day}")).await.is(200).json();
            for row in rows(&summary["dimensions"]) {
                told(row["name"].as_str().unwrap());
                told(&format!("{} dari {}", row["running"], row["planned"]));
            }
            for programme in anyone.all("/v1/public/programmes").await {
                told(programme["name"].as_str().unwrap());
            }
            // Each with its status history, up to the day.
            assert_eq!(text.contains("berjalan sejak 1 Maret 2023"), day.is_empty(), "{text}");
            assert_eq!(text.contains("Riwayat status") && text.contains("1 Maret 2023: berjalan"), day.is_empty(), "{text}");
            let board = anyone.get(format!("/v1/public/scoreboard{day}")).await.is(200).json();
            // Without any action of the year, nothing is told of actions.
            let has_actions = rows(&board["rows"]).iter().any(|row| row["renaksi"]["actions"]["total"] != 0);
            for row in rows(&board["rows"]).iter().filter(|row| row["programmes_led"]["total"] != 0) {
                let next = if has_actions { &row["renaksi"]["actions"]["total"] } else { &row["findings_open"] };
                let led = &row["programmes_led"];
                told(&format!("{} {} / {} {}", row["name"].as_str().unwrap(), led["running"], led["total"], next));
            }
            told("Prevalensi stunting");
            told("Capaian 102,69 % dari target yang berlaku, 23,53 % pada 2022.");
            // Why it stands as it does, by the reasons of the standing.
            told("Sesuai jalur. Tidak ada target khusus untuk 2022: di garis lurus dari 28,3 % (2021) ke 14 % (2024), yang berlaku adalah 23,53 %.");
            told("Itu 113 % dari yang semestinya; sesuai jalur berarti paling sedikit 95 %.");
        }
        let english = said(&page(&anyone, "/?lang=en").await);
        assert!(english.contains("On track. There is no target for 2022 itself") && english.contains("That is 113% of what it should be"), "{english}");
        // What has no past is shown of today.
        let [now, then] = [said(&page(&anyone, "/").await), said(&page(&anyone, "/?as_of=2022-10-20").await)];
        let mut names = vec!["Evaluasi 4 Oktober 2022".to_owned(), "Smart Governance 8 dari 10 8 dari 10 sama".to_owned(), "Seluruhnya 35 dari 40 35 dari 40 sama".to_owned()];
        names.extend(anyone.all("/v1/public/masterplans").await.iter().map(|row| row["title"].as_str().unwrap().to_owned()));
        for name in &names {
            assert!(now.contains(name) && then.contains(name), "`{name}` is not in {now}\nor\n{then}");
        }
        let programmes = anyone.all("/v1/public/programmes").await.iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
        for list in ["quick-wins", "awards"] {
            for row in anyone.all(&format!("/v1/public/{list}")).await {
                let name = row["name"].as_str().unwrap();
                // Some Quick Wins are called as their programmes.
                assert!(now.contains(name) && (!then.contains(name) || programmes.contains(&row["name"])), "`{name}`");
            }
        }
        assert!(then.contains("lihat keadaan hari ini") && !now.contains("lihat keadaan hari ini"));
        // A programme is shown with the status of the day.
        let status = |text: &str| text.split("Program Smart Governance 09").nth(1).unwrap().trim_start_matches(" (nama tidak disebut dalam sumber)").chars().take(30).collect::<String>();
        assert!(status(&now).contains("berjalan") && status(&then).contains("belum dimulai"), "{} / {}", status(&now), status(&then));
        // What is withdrawn is gone at once.
        for path in ["/v1/kpis/SPBE", "/v1/awards/BKN-2022", "/v1/programmes/SG-05"] {
            let name = admin.get(path).await.is(200).text_at("name");
            assert!(said(&page(&anyone, "/").await).contains(&name), "{name}");
            let etag = admin.etag_of(path).await;
            admin.patch(path, json!({ "published": false })).if_match(&etag).await.is(200);
            assert!(!said(&page(&anyone, "/").await).contains(&name), "{name}");
        }
        assert!(said(&page(&anyone, "/").await).contains("35 dari 39 program berjalan"));
    }

    async fn a_past_day_names_no_evaluation_that_is_hidden_or_was(app) {
        let today = Today::starting("2023-01-20".parse().unwrap());
        let app = app.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]);
        let (admin, anyone) = (app.admin().await, app.anyone());
        for (code, held_on, venue, published) in
            [("E-1", "2022-12-01", "Aula Terbuka", true), ("E-2", "2022-12-02", "Aula Terlambat", false), ("E-3", "2022-12-03", "Aula Ditarik", true)]
        {
            let body = json!({ "code": code, "masterplan": "KLU-SC", "held_on": held_on, "venue": venue, "published": published });
            admin.create("/v1/evaluations", body).await;
        }
        let named = async |day: &str| {
            let text = said(&page(&anyone, &format!("/{day}")).await);
            ["Terbuka", "Terlambat", "Ditarik"].map(|word| text.contains(&format!("Aula {word}")))
        };
        assert_eq!(named("").await, [true, false, true]);
        today.is("2023-02-20".parse().unwrap());
        for (path, published) in [("/v1/evaluations/E-2", true), ("/v1/evaluations/E-3", false)] {
            let etag = admin.etag_of(path).await;
            admin.patch(path, json!({ "published": published })).if_match(&etag).await.is(200);
        }
        assert_eq!(named("").await, [true, true, false]);
        assert_eq!(named("?as_of=2023-01-20").await, [true, false, false]);
        // It was held by then, and recorded later.
        assert_eq!(named("?as_of=2022-12-31").await, [true, false, false]);
        assert_eq!(named("?as_of=2022-11-30").await, [false; 3]);
    }

    async fn before_the_first_day_the_page_says_that_there_is_nothing(app) {
        let text = said(&page(&app.anyone(), "/?as_of=1999-01-01&lang=en").await);
        assert!(text.contains("No programmes yet") && text.contains("see the state of today"), "{text}");
    }
}

on_shared_servers! {
    async fn programs_are_given_json_and_browsers_a_page(app) {
        let anyone = app.anyone();
        for accepted in [None, Some("*/*"), Some("application/json"), Some("application/json, text/html;q=0.5")] {
            let request = anyone.get("/");
            let answer = match accepted {
                Some(accepted) => request.header("Accept", accepted).await,
                None => request.await,
            };
            assert_eq!((answer.status(), answer.media_type()), (200, "application/json"), "{accepted:?}");
            assert_eq!(answer.at("openapi"), "/openapi.json");
            assert!(answer.headers("vary").to_lowercase().contains("accept"), "{answer:?}");
        }
        for accepted in [BROWSER, "text/html", "text/*;q=0.9, application/json;q=0.5"] {
            said(&anyone.get("/").header("Accept", accepted).await);
        }
    }

    async fn the_page_is_small_kept_and_lets_nothing_else_in(app) {
        let anyone = app.anyone();
        let answer = page(&anyone, "/").await;
        let html = answer.text();
        assert!(html.len() < 100_000, "{} bytes", html.len());
        for other in ["<script", "javascript:", "<iframe", "<img", " style=\"", " onclick", "src=", "@import", "url(http"] {
            assert!(!html.contains(other), "{other}");
        }
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        // One style sheet, which the policy names.
        assert_eq!(html.matches("<style").count(), 1);
        let (_, rest) = html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        use base64::Engine;
        use sha2::{Digest, Sha256};
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
        let ids = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>();
        let own = ids.iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(ids.len(), own.len(), "an id stands twice: {ids:?}");
        for link in html.split(" href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(own.contains(&link), "nothing is called {link}");
        }
        for link in ["/v1/public/catalog.jsonld", "/v1/public/kpis/STUNTING/metadata", "/v1/public/dataset.zip"] {
            assert!(html.contains(&format!(" href=\"{link}\"")), "{link}");
        }
        let etag = answer.etag();
        assert_eq!(page(&anyone, "/").if_none_match(&etag).await.status(), 304);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=0, must-revalidate"));
        // Every link of its own leads somewhere.
        for path in html.split(" href=\"/").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&")) {
            let status = anyone.get(format!("/{path}")).await.status();
            assert_eq!(status, 200, "/{path}");
        }
    }

    async fn the_page_speaks_both_languages_and_names_bad_parameters(app) {
        let anyone = app.anyone();
        for (path, accepted, language) in [("/", "", "id"), ("/", "fr", "id"), ("/", "en", "en"), ("/?lang=en", "id", "en"), ("/?lang=id", "en", "id")] {
            let answer = page(&anyone, path).header("Accept-Language", accepted).await;
            assert!(answer.text().contains(&format!("<html lang=\"{language}\">")), "{path} {accepted}");
            assert_eq!(answer.header("content-language"), Some(language));
        }
        for (path, name) in [("/?as_of=x", "as_of"), ("/?as_of=2190-01-01", "as_of"), ("/?lang=fr", "lang"), ("/?tpyo=<b>", "tpyo")] {
            let answer = page(&anyone, path).await;
            assert_eq!((answer.status(), answer.header("content-type")), (400, Some("text/html; charset=utf-8")), "{path}");
            let html = answer.text();
            assert!(html.contains(&format!(">{name}: ")) && html.contains("Lihat keadaan hari ini") && !html.contains("<b>"), "{html}");
        }
    }
}
