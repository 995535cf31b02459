//! What one address may ask without a login is limited, is told in headers, and harms no other address.

use renaksi_tests::actor::Request;
use renaksi_tests::server::PASSWORD;
use renaksi_tests::{App, on_both_databases};

/// Addresses of the documentation's networks.
const GREEDY: &str = "203.0.113.7";
const MODEST: &str = "198.51.100.9";
const SUMMARY: &str = "/v1/public/summary";

on_both_databases! {
    async fn whoever_asks_ten_times_too_much_is_refused_and_nobody_else(app) {
        let app = behind_a_proxy(&app, &[("RENAKSI_RATE_LIMIT", "30"), ("RENAKSI_RATE_LIMIT_FIGURES", "0")]);
        let first = ask(&app, GREEDY, SUMMARY).await.is(200);
        assert_eq!(first.header("ratelimit-policy"), Some("\"requests\";q=30;w=60"));
        assert_eq!(first.header("ratelimit"), Some("\"requests\";r=29;t=2"));
        let mut refused = 0;
        for _ in 0..300 {
            let answer = ask(&app, GREEDY, SUMMARY).await;
            if answer.status() == 429 {
                refused += 1;
                assert_eq!(answer.json()["code"], "too_many_requests");
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
                assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
                assert!(answer.header("x-request-id").is_some());
                assert!(answer.header("ratelimit").unwrap().starts_with("\"requests\";r=0;t="), "{answer:?}");
                let wait = answer.header("retry-after").unwrap().parse::<u64>().unwrap();
                assert!((1..=3).contains(&wait), "one request comes back every two seconds, not in {wait} s");
            }
        }
        assert!(refused >= 200, "only {refused} of 300 were refused");
        ask(&app, MODEST, SUMMARY).await.is(200);
        // All paths are refused alike, with a made-up token too, but for what watches over the service.
        ask(&app, GREEDY, "/docs/").await.is(429);
        ask(&app, GREEDY, "/nowhere").await.is(429);
        ask(&app, GREEDY, SUMMARY).header("Authorization", "Bearer made-up").await.is(429);
        ask(&app, GREEDY, "/health/ready").await.is(200);
        // Of IPv6, a /64 is one address.
        for host in 0..30 {
            ask(&app, &format!("2001:db8:1:2::{host:x}"), SUMMARY).await.is(200);
        }
        ask(&app, "2001:db8:1:2:ffff::9", SUMMARY).await.is(429);
        ask(&app, "2001:db8:1:3::9", SUMMARY).await.is(200);
    }

    async fn who_is_logged_in_is_not_counted(app) {
        let app = behind_a_proxy(&app, &[("RENAKSI_RATE_LIMIT", "5")]);
        let login = app.anyone().log_in("viewer@demo.invalid", PASSWORD).header("X-Forwarded-For", GREEDY).await.is(200);
        let token = format!("Bearer {}", login.json()["access_token"].as_str().unwrap());
        for _ in 0..30 {
            let answer = ask(&app, GREEDY, "/v1/programmes?limit=1").header("Authorization", &token).await.is(200);
            assert!(answer.header("ratelimit").is_none() || answer.header("ratelimit").unwrap().contains("\"requests\""));
        }
        while ask(&app, GREEDY, SUMMARY).await.status() != 429 {}
        ask(&app, GREEDY, "/v1/programmes?limit=1").header("Authorization", &token).await.is(200);
    }

    async fn figures_that_must_be_computed_have_a_limit_of_their_own(app) {
        let app = behind_a_proxy(&app, &[("RENAKSI_RATE_LIMIT", "0"), ("RENAKSI_RATE_LIMIT_FIGURES", "3")]);
        let day = |day: u32| format!("{SUMMARY}?as_of=2022-09-{day:02}");
        for number in 1..=3 {
            let answer = ask(&app, GREEDY, &day(number)).await.is(200);
            assert_eq!(answer.header("ratelimit-policy"), Some("\"figures\";q=3;w=60"), "{answer:?}");
        }
        let refused = ask(&app, GREEDY, &day(4)).await.is(429);
        assert!(refused.header("ratelimit").unwrap().starts_with("\"figures\";r=0;"));
        // What is kept goes on, and others compute what they ask for.
        for _ in 0..20 {
            ask(&app, GREEDY, &day(1)).await.is(200);
        }
        ask(&app, MODEST, &day(4)).await.is(200);
        ask(&app, GREEDY, &day(4)).await.is(200);
    }

    async fn without_a_setting_this_machine_is_not_counted(app) {
        let app = behind_a_proxy(&app, &[]);
        for _ in 0..3 {
            assert_eq!(app.anyone().get(SUMMARY).await.is(200).header("ratelimit"), None);
        }
        assert_eq!(ask(&app, GREEDY, SUMMARY).await.is(200).header("ratelimit-policy"), Some("\"requests\";q=600;w=60"));
    }
}

fn behind_a_proxy(app: &App, settings: &[(&str, &str)]) -> App {
    let proxy = [("RENAKSI_TRUSTED_PROXIES", "127.0.0.1")];
    app.replica_with(&proxy.iter().chain(settings).copied().collect::<Vec<_>>())
}

/// Reads without a login, from an address that the proxy names.
fn ask(app: &App, address: &str, path: &str) -> Request {
    app.anyone().get(path).header("X-Forwarded-For", address).header("Origin", "https://portal.example")
}
