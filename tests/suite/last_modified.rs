//! `Last-Modified` and `If-Modified-Since`: what everybody may read says since when it is as it is, and is not sent again to whom has it.

use chrono::{DateTime, TimeDelta};
use renaksi_tests::actor::Request;
use renaksi_tests::resource::AWARDS;
use renaksi_tests::{Actor, Answer, on_both_databases};
use serde_json::json;

/// One of each kind of answer.
const PATHS: [&str; 10] = [
    "/",
    "/v1/public/awards",
    "/v1/public/awards.csv?separator=semicolon",
    "/v1/public/awards/BKN-2022",
    "/v1/public/summary",
    "/v1/public/summary?as_of=2022-10-04",
    "/v1/public/transitions",
    "/v1/public/kpis/STUNTING/metadata",
    "/v1/public/charts/summary.svg",
    "/v1/public/catalog.jsonld",
];

fn accepted(path: &str) -> &'static str {
    if path == "/" { "text/html" } else { "*/*" }
}

fn get(anyone: &Actor, path: &str) -> Request {
    anyone.get(path).header("Accept", accepted(path))
}

fn since(anyone: &Actor, path: &str, date: &str) -> Request {
    get(anyone, path).header("If-Modified-Since", date)
}

fn date(answer: &Answer) -> String {
    answer.header("last-modified").unwrap_or_else(|| panic!("{answer:?} has no date")).to_owned()
}

/// A date some seconds later.
fn later(date: &str, seconds: i64) -> String {
    let moved = DateTime::parse_from_rfc2822(date).unwrap() + TimeDelta::seconds(seconds);
    moved.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

on_both_databases! {
    async fn a_date_stands_for_the_answer_that_had_it(app) {
        let anyone = app.anyone();
        for path in PATHS {
            let first = get(&anyone, path).await.is(200);
            let (date, tag) = (date(&first), first.etag());
            let order = [date.as_str(), first.header("date").unwrap()].map(|date| DateTime::parse_from_rfc2822(date).unwrap());
            assert!(order[0] <= order[1], "{first:?} comes from the future");
            assert_eq!(get(&anyone, path).await.header("last-modified"), Some(date.as_str()), "{path}");
            for asked in [date.clone(), later(&date, 3_600)] {
                let known = since(&anyone, path, &asked).await;
                assert_eq!((known.status(), known.bytes().len(), known.etag()), (304, 0, tag.clone()), "{path} {asked}");
                assert!(known.header("content-type").is_none() && known.header("cache-control") == first.header("cache-control"));
                let head = anyone.head(path).header("Accept", accepted(path)).header("If-Modified-Since", &asked).await;
                assert_eq!((head.status(), head.etag()), (304, tag.clone()), "{path} {asked}");
            }
            for asked in [later(&date, -1), "yesterday".to_owned(), "2022-10-04".to_owned()] {
                assert_eq!(since(&anyone, path, &asked).await.status(), 200, "{path} {asked}");
            }
            // The tag says more, whatever the date.
            assert_eq!(since(&anyone, path, &date).if_none_match("\"0-0\"").await.status(), 200, "{path}");
            assert_eq!(since(&anyone, path, &later(&date, -3_600)).if_none_match(&tag).await.status(), 304, "{path}");
        }
        let admin = app.admin().await;
        assert_eq!(admin.get("/v1/programmes").await.is(200).header("last-modified"), None, "it is not for everybody");
    }

    async fn what_changed_is_sent_even_within_a_second(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let path = "/v1/public/awards";
        let mut last = get(&anyone, path).await.is(200);
        let first = date(&last);
        for turn in 0..4 {
            let etag = admin.etag_of("/v1/awards/BKN-2022").await;
            admin.patch("/v1/awards/BKN-2022", json!({ "issuer": format!("BKN {turn}") })).if_match(&etag).await.is(200);
            let now = since(&anyone, path, last.header("last-modified").unwrap_or(&first)).await;
            assert_eq!(now.status(), 200, "turn {turn}");
            assert_ne!(now.etag(), last.etag());
            last = now;
        }
        // As soon as it can be told apart from those before, it has a date.
        let mut told = get(&anyone, path).await;
        for _ in 0..100 {
            if told.header("last-modified").is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            told = get(&anyone, path).await;
        }
        let second = date(&told);
        assert!(DateTime::parse_from_rfc2822(&second).unwrap() > DateTime::parse_from_rfc2822(&first).unwrap(), "{first} {second}");
        since(&anyone, path, &second).await.is(304);
        since(&anyone, path, &first).await.is(200);
    }

    async fn what_nobody_sees_changes_no_date(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let path = "/v1/public/awards";
        let first = get(&anyone, path).await.is(200);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let (_, hidden) = AWARDS.new_body();
        admin.create("/v1/awards", hidden).await;
        let again = get(&anyone, path).await.is(200);
        assert_eq!((again.etag(), date(&again)), (first.etag(), date(&first)));
        since(&anyone, path, &date(&first)).await.is(304);
    }
}
