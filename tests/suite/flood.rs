//! Nobody without a login can stop the service: what they make up fills no memory, what they ask is bounded, and those who log in and
//! write go on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{Days, NaiveDate};
use futures_util::future::join_all;
use renaksi_tests::dice::Dice;
use renaksi_tests::stream::Stream;
use renaksi_tests::{App, on_both_databases, on_sqlite, tier};
use serde_json::json;

/// Megabytes of memory that the server held at most.
fn peak_memory(app: &App) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.server().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// Sends bytes and gives the status of the answer.
fn raw(app: &App, head: &str) -> u16 {
    let mut connection = TcpStream::connect(app.address()).unwrap();
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).map_or(0, |()| std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap())
}

/// The day before or after another by so many days.
fn day(from: NaiveDate, days: i64) -> NaiveDate {
    if days < 0 { from - Days::new(days.unsigned_abs()) } else { from + Days::new(days.unsigned_abs()) }
}

on_both_databases! {
    async fn figures_are_asked_about_days_that_are_recorded(app) {
        let anyone = app.anyone();
        let figures = ["summary?", "timeline?", "scoreboard?year=2022&", "opds/DINKES/scorecard?", "kpis/STUNTING/standing?"];
        let today = anyone.get("/v1/public/summary").await.is(200).text_at("as_of").parse::<NaiveDate>().unwrap();
        for figure in figures {
            let path = format!("/v1/public/{figure}as_of=");
            anyone.get(format!("{path}{}", day(today, 1))).await.is(400).has_fault_in_parameter("as_of");
            anyone.get(format!("{path}{today}")).await.is(200);
            // All days before the first record answer alike.
            let earliest = anyone.get(format!("{path}1900-01-01")).await.is(200);
            let earlier = anyone.get(format!("{path}1950-06-01")).await.is(200);
            assert_eq!(earliest.text(), earlier.text(), "{figure}");
        }
        anyone.get(format!("/v1/public/programmes/SL-01/coverage?as_of={}", day(today, 1))).await.is(400).has_fault_in_parameter("as_of");
    }

    async fn what_is_kept_of_the_past_goes_when_the_past_changes(app) {
        let (admin, anyone, verifier) = (app.admin().await, app.anyone(), app.verifier().await);
        let summary = async || anyone.get("/v1/public/summary?as_of=2022-12-01").await.is(200);
        let before = summary().await.at("totals/running").as_i64().unwrap();
        // What is written today leaves it alone, and what is dated back does not.
        admin.put("/v1/kpis/SPBE/measurements/2023", json!({ "value": "2.5" })).await;
        assert_eq!(summary().await.at("totals/running"), before);
        let planned = anyone.get("/v1/public/programmes?status=planned&limit=1").await.is(200).text_at("data/0/code");
        let body = json!({ "to": "running", "effective_on": "2022-11-15" });
        admin.post(format!("/v1/programmes/{planned}/transitions"), body).await.is(201);
        assert_eq!(summary().await.at("totals/running"), before + 1);
        // On another replica within a moment.
        let replica = app.replica();
        let elsewhere = async || replica.anyone().get("/v1/public/summary?as_of=2022-12-01").await.is(200).at("totals/running");
        assert_eq!(elsewhere().await, before + 1);
        let etag = admin.etag_of(&format!("/v1/programmes/{planned}")).await;
        admin.patch(format!("/v1/programmes/{planned}"), json!({ "published": false })).if_match(&etag).await.is(200);
        let mut seen = json!(null);
        for _ in 0..100 {
            seen = elsewhere().await;
            if seen == before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(seen, before, "withdrawn, so no longer counted for any day");
        drop(verifier);
    }

    async fn those_who_log_in_go_on_while_others_ask_for_all_there_is(app) {
        let stop = Arc::new(AtomicBool::new(false));
        let mut asking = Vec::new();
        for number in 0..24 {
            let (anyone, stop) = (app.anyone(), Arc::clone(&stop));
            asking.push(tokio::spawn(async move {
                let mut dice = Dice::new(number);
                let mut statuses = [0_u32; 6];
                while !stop.load(Ordering::Relaxed) {
                    let figure = dice.pick(&["summary?", "timeline?interval=year&", "scoreboard?year=2022&", "opds/DLH/scorecard?", "kpis/STUNTING/standing?"]);
                    let as_of = day("2022-06-01".parse().unwrap(), i64::try_from(dice.below(1_500)).unwrap());
                    let status = anyone.get(format!("/v1/public/{figure}as_of={as_of}")).await.status();
                    statuses[usize::from(status / 100)] += 1;
                    assert!([200, 503].contains(&status), "{status}");
                }
                statuses
            }));
        }
        // Streams that replay everything and are not read.
        let streams = (0..24).map(|_| {
            let mut connection = TcpStream::connect(app.address()).unwrap();
            write!(connection, "GET /v1/public/events/stream?after=0 HTTP/1.1\r\nHost: tests\r\n\r\n").unwrap();
            connection
        });
        let streams = streams.collect::<Vec<_>>();
        let admin = app.admin().await;
        for number in 0..tier::size(10, 200) {
            app.anyone().get("/health/ready").await.is(200);
            let etag = admin.etag_of("/v1/opds/DLH").await;
            admin.patch("/v1/opds/DLH", json!({ "head_title": format!("Kepala {number}") })).if_match(&etag).await.is(200);
            admin.get("/v1/programmes?limit=5").await.is(200);
        }
        app.anyone().log_in("viewer@demo.invalid", renaksi_tests::server::PASSWORD).await.is(200);
        stop.store(true, Ordering::Relaxed);
        let answered = join_all(asking).await.into_iter().map(|statuses| statuses.unwrap()[2]).sum::<u32>();
        assert!(answered > 0, "figures were answered too");
        drop(streams);
        let peak = peak_memory(&app);
        assert!(peak < 250, "{peak} MB");
    }
}

on_sqlite! {
    async fn what_clients_make_up_becomes_no_label_and_no_long_line(app) {
        let word = "QMADEUPMETHOD";
        let before = app.anyone().get("/metrics").await.is_status(200).text().len();
        for number in 0..100 {
            let method = format!("{word}{number}{}", "Q".repeat(100_000));
            let status = raw(&app, &format!("{method} /v1/public/summary HTTP/1.1\r\nHost: tests\r\nConnection: close\r\n\r\n"));
            assert!([400, 405].contains(&status), "{status}");
            let status = raw(&app, &format!("{word}{number} /v1/opds HTTP/1.1\r\nHost: tests\r\nConnection: close\r\n\r\n"));
            assert_eq!(status, 405);
            let path = format!("/v1/{word}{number}/{}", "a".repeat(7_000));
            assert_eq!(raw(&app, &format!("GET {path} HTTP/1.1\r\nHost: tests\r\nConnection: close\r\n\r\n")), 404);
        }
        let long = format!("GET /v1/{} HTTP/1.1\r\nHost: tests\r\nConnection: close\r\n\r\n", "a".repeat(20_000));
        assert_eq!(raw(&app, &long), 400);
        let metrics = app.anyone().get("/metrics").await.is_status(200).text();
        assert!(!metrics.contains(word), "a label that a client made up");
        assert!(metrics.len() < before + 20_000, "{} bytes of metrics, {before} before", metrics.len());
        let longest = app.server().log().lines().map(str::len).max().unwrap();
        assert!(longest < 2_500, "a line of {longest} bytes in the log");
        assert!(!app.server().log().contains(word) || !app.server().log().contains(&format!("{word}1{}", "Q".repeat(100))));
    }

    async fn metrics_are_for_this_machine_only(app) {
        app.anyone().get("/metrics").await.is_status(200);
        // A proxy that nobody trusts passes it on: whoever asks may be anywhere.
        app.anyone().get("/metrics").header("X-Forwarded-For", "203.0.113.7").await.is_status(404);
        let behind = app.replica_with(&[("RENAKSI_TRUSTED_PROXIES", "127.0.0.0/8"), ("RENAKSI_METRICS_LISTEN", "127.0.0.1:0")]);
        behind.anyone().get("/metrics").header("X-Forwarded-For", "203.0.113.7").await.is_status(404);
        let log = behind.server().log();
        let line = log.lines().find(|line| line.contains("\"message\":\"metrics\"")).expect("the address of the metrics is logged");
        let address = serde_json::from_str::<serde_json::Value>(line).unwrap()["address"].as_str().unwrap().to_owned();
        let metrics = renaksi_tests::Actor::new(format!("http://{address}"), None);
        assert!(metrics.get("/metrics").await.is_status(200).text().contains("http_requests_total"));
        metrics.get("/v1/public/summary").await.is_status(404);
    }

    async fn one_address_has_its_share_of_streams(app) {
        let server = app.replica_with(&[("RENAKSI_PUBLIC_STREAMS", "6"), ("RENAKSI_PUBLIC_STREAMS_PER_ADDRESS", "4"), ("RENAKSI_TRUSTED_PROXIES", "127.0.0.0/8")]);
        let open = |address: &str| {
            let mut connection = TcpStream::connect(server.server().url().trim_start_matches("http://")).unwrap();
            write!(connection, "GET /v1/public/events/stream HTTP/1.1\r\nHost: tests\r\nX-Forwarded-For: {address}\r\n\r\n").unwrap();
            let mut head = [0; 12];
            connection.read_exact(&mut head).unwrap();
            (std::str::from_utf8(&head[9..12]).unwrap().parse::<u16>().unwrap(), connection)
        };
        let first = (0..4).map(|_| open("2001:db8:1:1::1")).collect::<Vec<_>>();
        assert!(first.iter().all(|(status, _)| *status == 200));
        // The same subscriber with another address of the same /64.
        assert_eq!(open("2001:db8:1:1::2").0, 429);
        let second = (0..2).map(|_| open("203.0.113.9")).collect::<Vec<_>>();
        assert!(second.iter().all(|(status, _)| *status == 200));
        assert_eq!(open("203.0.113.10").0, 503, "all places are taken");
        // With a login there are others.
        let admin = server.admin().await;
        let mut stream = Stream::open(&server, "/v1/events/stream", Some(admin.token()), Some(0));
        assert!(stream.next(Duration::from_secs(30)).is_some());
        drop(first);
        let mut status = 0;
        for _ in 0..200 {
            status = open("2001:db8:1:1::3").0;
            if status == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(status, 200, "a closed stream gives its place back");
    }
}
