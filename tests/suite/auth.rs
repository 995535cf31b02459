//! Logging in: passwords, refresh tokens, revocation, and slowing down who guesses.

use std::time::Duration;

use renaksi_tests::dice::Dice;
use renaksi_tests::person::refresh;
use renaksi_tests::server::PASSWORD;
use renaksi_tests::{Actor, Answer, App, Backend, on_both_databases, on_shared_servers, unique};

const VIEWER: &str = "viewer@demo.invalid";

on_shared_servers! {
    async fn a_password_gives_a_token(app) {
        let anyone = app.anyone();
        let granted = anyone.log_in(VIEWER, PASSWORD).await.is(200).has("token_type", "Bearer").has("expires_in", 900);
        assert!(granted.header("cache-control").is_some_and(|value| value.contains("no-store")));
        let viewer = anyone.with_token(&granted.text_at("access_token"));
        viewer.get("/v1/me").await.is(200).has("email", VIEWER).has("role", "viewer");
        app.operator_dinkes().await.get("/v1/me").await.is(200).has("role", "operator").has("opd/code", "DINKES");
        anyone.get("/v1/me").await.is(401);
        // The user name is an address: its case does not matter.
        anyone.log_in("Viewer@Demo.invalid", PASSWORD).await.is(200);
    }
}

on_both_databases! {
    async fn refusals_are_oauth_errors(app) {
        let anyone = app.anyone();
        anyone.log_in(VIEWER, "kata-sandi-yang-salah").await.is(400).has("error", "invalid_grant");
        anyone.log_in("nobody@demo.invalid", "kata-sandi-yang-salah").await.is(400).has("error", "invalid_grant");
        let token = "/v1/auth/token";
        anyone.post_form(token, &[("grant_type", "magic")]).await.is(400).has("error", "unsupported_grant_type");
        anyone.post_form(token, &[]).await.is(400).has("error", "invalid_request");
        anyone.post_form(token, &[("grant_type", "password"), ("username", VIEWER)]).await.is(400).has("error", "invalid_request");
        anyone.post_form(token, &[("grant_type", "refresh_token"), ("refresh_token", "made-up")]).await.is(400).has("error", "invalid_grant");
        anyone.post_form(token, &[("grant_type", "refresh_token")]).await.is(400).has("error", "invalid_request");
        for body in ["grant_type=password&username=%00&password=x", "grant_type=password&grant_type=password&username=a&password=b"] {
            let answer = anyone.post_form(token, &[]).body(body, "application/x-www-form-urlencoded").await.is(400);
            assert!(["invalid_request", "invalid_grant"].contains(&answer.text_at("error").as_str()));
        }
    }

    async fn a_refresh_token_is_used_once_and_shortly_after(app) {
        let anyone = app.anyone();
        let first = anyone.log_in(VIEWER, PASSWORD).await.is(200);
        let second = refresh(&anyone, &first).await.is(200);
        assert_ne!(second.text_at("refresh_token"), first.text_at("refresh_token"));
        anyone.with_token(&second.text_at("access_token")).get("/v1/me").await.is(200).has("email", VIEWER);
        // Another tab has the same token, or the answer was lost: both go on.
        let again = refresh(&anyone, &first).await.is(200);
        assert_ne!(again.text_at("refresh_token"), second.text_at("refresh_token"));
        let third = refresh(&anyone, &second).await.is(200);
        refresh(&anyone, &again).await.is(200);

        // 20 seconds after its first use it is still good, whenever it was used in between.
        age(&app, 20);
        refresh(&anyone, &first).await.is(200);
        // After 31 seconds somebody may have a copy: thief or owner, the whole family ends.
        age(&app, 11);
        refresh(&anyone, &first).await.is(400).has("error", "invalid_grant");
        refresh(&anyone, &third).await.is(400).has("error", "invalid_grant");
        app.server().logged(&["\"target\":\"security\"", "\"event\":\"refresh_token_reused\""]);
        // Another login is another family.
        let other = anyone.log_in(VIEWER, PASSWORD).await.is(200);
        refresh(&anyone, &other).await.is(200);
        let refused = refresh(&anyone, &first).await.is(400);
        assert_eq!(refused.header("content-language"), Some("en"));
    }

    async fn two_tabs_that_lose_answers_stay_logged_in(app) {
        let replica = app.replica();
        let mut dice = Dice::new(8);
        let tabs = [app.anyone(), replica.anyone()];
        let granted = tabs[0].log_in(VIEWER, PASSWORD).await.is(200);
        // The tabs share what the browser keeps: the last answer that arrived.
        let (mut kept, mut since) = (granted.text_at("refresh_token"), 0);
        for round in 0..50 {
            let (one, other) = tokio::join!(exchange(&tabs[0], &kept), exchange(&tabs[1], &kept));
            assert_eq!((one.status(), other.status()), (200, 200), "round {round}: {one:?} {other:?}");
            let answers = [one.is(200), other.is(200)];
            // Either answer may be lost, and so may both: then the old token is sent again, within half a minute.
            let which = dice.below(4);
            if which > 0 || since > 8 {
                (kept, since) = (answers[usize::from(which == 1)].text_at("refresh_token"), 0);
            } else {
                since += 5;
            }
            age(&app, 5);
        }
        exchange(&tabs[1], &kept).await.is(200);
    }

    async fn of_many_who_refresh_at_once_nobody_is_logged_out(app) {
        let anyone = app.anyone();
        let first = anyone.log_in(VIEWER, PASSWORD).await.is(200);
        let answers = futures_util::future::join_all((0..8).map(|_| refresh(&anyone, &first))).await;
        for answer in answers {
            refresh(&anyone, &answer.is(200)).await.is(200);
        }
    }

    async fn a_revoked_family_refreshes_no_more(app) {
        let anyone = app.anyone();
        let first = anyone.log_in(VIEWER, PASSWORD).await.is(200);
        let second = refresh(&anyone, &first).await.is(200);
        anyone.post_form("/v1/auth/revoke", &[("token", &second.text_at("refresh_token"))]).await.is(200);
        refresh(&anyone, &second).await.is(400).has("error", "invalid_grant");
        // RFC 7009: an unknown token is as good as revoked.
        anyone.post_form("/v1/auth/revoke", &[("token", "made-up")]).await.is(200);
        anyone.post_form("/v1/auth/revoke", &[]).await.is(400).has("error", "invalid_request");
    }

    async fn guessing_slows_down_alike_for_everybody(app) {
        let anyone = app.anyone();
        let known = attempts_until_slowed(&anyone, "verifier@demo.invalid").await;
        // The address is slowed down as well, so the second account starts on a service of its own.
        let fresh = renaksi_tests::App::start(app.backend());
        let unknown = attempts_until_slowed(&fresh.anyone(), &unique::email()).await;
        assert_eq!(known, unknown, "attempts before a known and an unknown account are slowed down");
    }

    async fn a_slowed_account_refuses_the_right_password_too(app) {
        let anyone = app.anyone();
        attempts_until_slowed(&anyone, VIEWER).await;
        // Whoever goes on waits longer each time: long enough in the end to see it after a restart.
        let mut waits = Vec::new();
        while waits.last().is_none_or(|wait| *wait < 8) {
            let slowed = anyone.log_in(VIEWER, "kata-sandi-yang-salah").await.is(429);
            let wait = slowed.header("retry-after").unwrap().parse::<u64>().unwrap();
            waits.push(wait);
            if wait < 8 {
                tokio::time::sleep(Duration::from_secs(wait)).await;
                anyone.log_in(VIEWER, "kata-sandi-yang-salah").await.is(400);
            }
        }
        assert!(waits.is_sorted() && waits.len() > 1, "{waits:?}");
        anyone.log_in(VIEWER, PASSWORD).await.is(429);
        app.server().kill9();
        app.server().restart();
        app.anyone().log_in(VIEWER, PASSWORD).await.is(429);
    }

    async fn a_failed_login_takes_one_hash_whether_the_account_exists(app) {
        let anyone = app.anyone();
        for email in [VIEWER, "nobody@demo.invalid", VIEWER, "somebody@demo.invalid"] {
            let before = hashes(&anyone).await;
            anyone.log_in(email, "kata-sandi-yang-salah").await.is(400);
            assert_eq!(hashes(&anyone).await, before + 1, "{email}");
        }
    }

    async fn guessing_all_at_once_is_slowed_down_too(app) {
        let anyone = app.anyone();
        let guesses = (0..40).map(|_| anyone.log_in(VIEWER, "kata-sandi-yang-salah").into_future());
        let answers = futures_util::future::join_all(guesses).await;
        let tried = answers.iter().filter(|answer| answer.status() == 400).count();
        assert!(tried <= 10, "{tried} of 40 guesses sent at once were tried");
    }
}

/// Passwords that the service hashed so far.
async fn hashes(anyone: &Actor) -> u64 {
    let metrics = anyone.get("/metrics").await;
    let line = metrics.text().lines().find_map(|line| line.strip_prefix("password_hashes_total ").map(str::to_owned));
    line.map_or(0, |number| number.parse().expect("a number"))
}

async fn exchange(anyone: &Actor, token: &str) -> Answer {
    anyone.post_form("/v1/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// Moves the clock: refresh tokens were first used so many seconds earlier.
fn age(app: &App, seconds: u32) {
    let earlier = match app.backend() {
        Backend::Postgres => format!("used_at - interval '{seconds} seconds'"),
        Backend::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', used_at, '-{seconds} seconds') || '+00:00'"),
    };
    app.database().tamper(&format!("UPDATE refresh_token SET used_at = {earlier} WHERE used_at IS NOT NULL"));
}

async fn attempts_until_slowed(anyone: &Actor, email: &str) -> usize {
    for attempt in 0..30 {
        let answer = anyone.log_in(email, "kata-sandi-yang-salah").await;
        if answer.status() == 429 {
            let answer = answer.is(429);
            let wait = answer.header("retry-after").expect("Retry-After").parse::<u64>().expect("seconds");
            assert!(wait >= 1);
            return attempt;
        }
        answer.is(400).has("error", "invalid_grant");
    }
    panic!("30 wrong passwords for {email} and no 429");
}
