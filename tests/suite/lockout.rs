//! Guessing slows down who guesses, and nobody else. The clients of these stories come through a proxy that is trusted.

use renaksi_tests::server::{CLIENT_SECRET, PASSWORD};
use renaksi_tests::{Answer, App, on_both_databases, tier, unique};

const WRONG: &str = "kata-sandi-yang-salah";
const VIEWER: &str = "viewer@demo.invalid";
const VERIFIER: &str = "verifier@demo.invalid";
/// Addresses of the documentation's networks.
const OFFICE: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.9";

on_both_databases! {
    async fn a_stranger_locks_nobody_out(app) {
        let app = behind_a_proxy(&app);
        while log_in(&app, ELSEWHERE, VIEWER, WRONG).await.status() != 429 {}
        log_in(&app, ELSEWHERE, VIEWER, PASSWORD).await.is(429);
        log_in(&app, OFFICE, VIEWER, PASSWORD).await.is(200);
        // Of IPv6 a client holds a /64: another address of it is the same client.
        while log_in(&app, "2001:db8:1:2::1", VERIFIER, WRONG).await.status() != 429 {}
        log_in(&app, "2001:db8:1:2:ffff::9", VERIFIER, PASSWORD).await.is(429);
        log_in(&app, "2001:db8:1:3::1", VERIFIER, PASSWORD).await.is(200);
    }

    async fn who_logged_in_lately_is_not_held_up_by_neighbours(app) {
        let app = behind_a_proxy(&app);
        log_in(&app, OFFICE, VIEWER, PASSWORD).await.is(200);
        client(&app, OFFICE, "demo-dinkes", CLIENT_SECRET).await.is(200);
        // Somebody in the same office tries many names, more than any of them may have.
        let mut held_up = 0;
        for _ in 0..70 {
            held_up += u32::from(log_in(&app, OFFICE, &unique::email(), WRONG).await.status() == 429);
        }
        assert!(held_up > 0, "strangers of that address are slowed down");
        log_in(&app, OFFICE, VIEWER, PASSWORD).await.is(200);
        client(&app, OFFICE, "demo-dinkes", CLIENT_SECRET).await.is(200);
        // Who never logged in from there waits seconds, not minutes.
        let answer = log_in(&app, OFFICE, VERIFIER, PASSWORD).await;
        if answer.status() == 429 {
            assert!(wait(&answer) <= 5, "{answer:?}");
        }
        // People and clients are counted apart.
        client(&app, OFFICE, "demo-dlh", CLIENT_SECRET).await.is(200);
        // A colleague's guesses do not keep the owner of the account out either.
        for _ in 0..15 {
            log_in(&app, OFFICE, VIEWER, WRONG).await.is(400);
        }
        log_in(&app, OFFICE, VIEWER, PASSWORD).await.is(200);
    }

    async fn accounts_that_do_not_exist_are_alike(app) {
        let app = behind_a_proxy(&app);
        let mut courses = Vec::new();
        for (address, email) in [(OFFICE, VERIFIER.to_owned()), (ELSEWHERE, unique::email())] {
            let mut course = Vec::new();
            for _ in 0..7 {
                let answer = log_in(&app, address, &email, WRONG).await;
                course.push((answer.status(), answer.header("retry-after").is_some()));
            }
            courses.push(course);
        }
        assert_eq!(courses[0], courses[1]);
        let mut courses = Vec::new();
        for (address, id) in [(OFFICE, "demo-dlh".to_owned()), (ELSEWHERE, unique::code("sys"))] {
            let mut course = Vec::new();
            for _ in 0..7 {
                course.push(client(&app, address, &id, WRONG).await.status());
            }
            courses.push(course);
        }
        assert_eq!(courses[0], courses[1]);
    }

    async fn a_flood_costs_little_and_starves_nobody(app) {
        let app = behind_a_proxy(&app);
        let stranger = app.anyone();
        log_in(&app, OFFICE, VIEWER, PASSWORD).await.is(200);
        let rounds = tier::size(2, 10);
        for _ in 0..rounds {
            let flood = (0..200).map(|_| {
                stranger.log_in(&unique::email(), WRONG).header("X-Forwarded-For", ELSEWHERE).into_future()
            });
            let (answers, known) = tokio::join!(futures_util::future::join_all(flood), log_in(&app, OFFICE, VIEWER, PASSWORD));
            assert!(answers.iter().all(|answer| [400, 429].contains(&answer.status())));
            known.is(200);
        }
        let rows = app.database().query("SELECT COUNT(*) FROM login_failure").parse::<u64>().unwrap();
        assert!(rows < 200, "{rows} rows for {} failed logins from one address", 200 * rounds);
        // And of clients that were made up.
        let flood = (0..200).map(|_| {
            stranger.client_token(&unique::code("sys"), WRONG).header("X-Forwarded-For", ELSEWHERE).into_future()
        });
        futures_util::future::join_all(flood).await;
        let more = app.database().query("SELECT COUNT(*) FROM login_failure").parse::<u64>().unwrap();
        assert!(more < rows + 100, "{more} rows");
    }

    async fn what_happens_is_a_security_event(app) {
        let replica = behind_a_proxy(&app);
        log_in(&replica, ELSEWHERE, VIEWER, WRONG).await.is(400);
        let line = replica.server().logged(&["\"event\":\"login_failed\"", VIEWER]);
        assert!(line.contains(ELSEWHERE) && line.contains("\"target\":\"security\""), "{line}");
        while log_in(&replica, ELSEWHERE, VIEWER, WRONG).await.status() != 429 {}
        security(&replica, "login_held_up", VIEWER);
        client(&replica, ELSEWHERE, "demo-dlh", WRONG).await.is(401);
        security(&replica, "login_failed", "demo-dlh");
        let granted = log_in(&replica, OFFICE, VIEWER, PASSWORD).await.is(200);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", &granted.text_at("refresh_token"))];
        replica.anyone().post_form("/v1/auth/token", &refresh).await.is(200);
        app.database().tamper("UPDATE refresh_token SET used_at = '2020-01-01 00:00:00+00:00' WHERE used_at IS NOT NULL");
        replica.anyone().post_form("/v1/auth/token", &refresh).await.is(400);
        assert_eq!(security(&replica, "refresh_token_reused", ""), 1);
        assert!(!replica.server().log().contains(WRONG), "a password in the log");
        // A proxy that nobody named is not believed, and that is said once.
        let last = unique::email();
        for email in [unique::email(), unique::email(), last.clone()] {
            app.anyone().get("/v1/public/summary").header("X-Forwarded-For", OFFICE).await.is(200);
            log_in(&app, OFFICE, &email, WRONG).await.is(400);
        }
        let line = app.server().logged(&["\"event\":\"login_failed\"", &last]);
        assert!(line.contains("127.0.0.1") && !line.contains(OFFICE), "{line}");
        assert_eq!(security(&app, "untrusted_proxy", ""), 1);
    }
}

/// How many lines of the log are about an event, once one names something.
fn security(app: &App, event: &str, name: &str) -> usize {
    let event = format!("\"event\":\"{event}\"");
    app.server().logged(&["\"target\":\"security\"", &event, name]);
    app.server().log().matches(&event).count()
}

fn behind_a_proxy(app: &App) -> App {
    app.replica_with(&[("RENAKSI_TRUSTED_PROXIES", "127.0.0.1"), ("RENAKSI_RATE_LIMIT", "0")])
}

async fn log_in(app: &App, address: &str, email: &str, password: &str) -> Answer {
    app.anyone().log_in(email, password).header("X-Forwarded-For", address).await
}

async fn client(app: &App, address: &str, id: &str, secret: &str) -> Answer {
    app.anyone().client_token(id, secret).header("X-Forwarded-For", address).await
}

fn wait(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}
