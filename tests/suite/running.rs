//! Running the service: starting, stopping, health, metrics, settings.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use futures_util::future::join_all;
use renaksi_tests::rehearsal::Today;
use renaksi_tests::resource::OPDS;
use renaksi_tests::server::{Server, command};
use renaksi_tests::{App, Database, on_both_databases, on_sqlite};
use serde_json::json;

on_both_databases! {
    async fn a_second_start_changes_nothing(app) {
        let before = footprint(&app).await;
        app.server().terminate();
        assert!(app.server().wait().success());
        app.server().restart();
        app.server().kill9();
        app.server().restart();
        assert_eq!(footprint(&app).await, before);
    }

    async fn a_running_request_is_finished(app) {
        let admin = app.admin().await;
        app.server().greet();
        // Both workers have used the database: what one of them opened ends with it.
        join_all((0..40).map(|_| async { admin.get("/v1/opds").await.is(200) })).await;
        let (code, body) = OPDS.new_body();
        let body = body.to_string();
        let address = app.address();
        let mut connection = TcpStream::connect(&address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = format!(
            "POST /v1/opds HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            admin.token(), body.len()
        );
        let (first, rest) = body.split_at(body.len() / 2);
        connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(first.as_bytes())).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;

        app.server().terminate();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(TcpStream::connect(&address).is_err(), "new requests are not taken any more");
        connection.write_all(rest.as_bytes()).unwrap();
        let mut status = String::new();
        BufReader::new(&connection).read_line(&mut status).unwrap();
        assert!(status.starts_with("HTTP/1.1 201"), "{status}");
        let _ = (&connection).read(&mut [0; 65536]);
        drop(connection);
        assert_eq!(app.server().wait().code(), Some(0), "{}", app.server().log());
        app.server().restart();
        app.admin().await.get(OPDS.one(&code)).await.is(200);
    }

    async fn a_stopped_server_leaves_one_file(app) {
        app.admin().await.create("/v1/opds", OPDS.new_body().1).await;
        app.server().terminate();
        assert_eq!(app.server().wait().code(), Some(0));
        assert!(!app.has_write_ahead_log(), "a copy of the file would miss the last changes");
    }

    async fn a_rehearsal_takes_its_day_from_a_file(app) {
        let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
        let today = Today::starting(day("2023-01-31"));
        let rehearsed = app.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]);
        let (admin, anyone) = (rehearsed.admin().await, rehearsed.anyone());
        assert!(rehearsed.server().log().contains("a rehearsal"), "{}", rehearsed.server().log());
        anyone.get("/v1/public/summary").await.is(200).has("as_of", "2023-01-31");
        let tomorrow = json!({ "to": "running", "effective_on": "2023-02-01" });
        admin.post("/v1/programmes/SG-09/transitions", tomorrow.clone()).await.is(422);
        today.is(day("2023-02-01"));
        anyone.get("/v1/public/summary").await.is(200).has("as_of", "2023-02-01").has("totals/running", 35);
        admin.create("/v1/programmes/SG-09/transitions", tomorrow).await;
        // Time does not go back, and a file that holds no day changes nothing.
        today.is(day("2023-01-01"));
        anyone.get("/v1/public/summary").await.is(200).has("as_of", "2023-02-01").has("totals/running", 36);
        std::fs::write(today.setting(), "soon").unwrap();
        anyone.get("/v1/public/summary").await.is(200).has("as_of", "2023-02-01");
    }

    async fn who_reads_that_it_listens_may_stop_it(app) {
        // The line on standard output is the sign for whoever started it: from then on SIGTERM is obeyed.
        for _ in 0..5 {
            app.server().restart();
            app.server().terminate();
            assert_eq!(app.server().wait().code(), Some(0));
        }
    }

    async fn three_may_fill_one_empty_database(app) {
        let database = Database::empty(app.backend());
        let url = database.url();
        let starting = (0..3).map(|_| { let url = url.clone(); std::thread::spawn(move || Server::start(&url)) }).collect::<Vec<_>>();
        let servers = starting.into_iter().map(|server| server.join().expect("it starts")).collect::<Vec<_>>();
        for server in &servers {
            let anyone = renaksi_tests::Actor::new(server.url(), None);
            anyone.get("/v1/public/summary?as_of=2022-10-04").await.is(200).has("totals/planned", 40).has("totals/running", 35);
        }
    }

    async fn migrate_and_people_from_the_command_line(app) {
        let database = Database::empty(app.backend());
        let url = database.url();
        for _ in 0..2 {
            let migrated = command(&["migrate", "--database-url", &url]).output().unwrap();
            assert!(migrated.status.success(), "{migrated:?}");
        }
        let password = "sepeda-biru-di-pelabuhan-9";
        let add = |email: &str, password: &str, more: &[&str]| {
            let arguments = [&["user", "add", email, "--database-url", url.as_str()], more].concat();
            let mut command = command(&arguments).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
            command.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
            command.wait_with_output().unwrap()
        };
        let added = add("kepala@tests.invalid", password, &["--role", "admin"]);
        assert!(added.status.success(), "{added:?}");
        assert!(!add("lain@tests.invalid", "short", &["--role", "viewer"]).status.success(), "a short password");
        assert!(!add("lain@tests.invalid", password, &["--role", "emperor"]).status.success(), "an unknown role");
        assert!(!add("lain@tests.invalid", password, &["--role", "operator", "--opd", "NO-SUCH"]).status.success(), "an unknown OPD");
        let server = Server::start(&url);
        let anyone = renaksi_tests::Actor::new(server.url(), None);
        let token = anyone.log_in("kepala@tests.invalid", password).await.is(200).text_at("access_token");
        anyone.with_token(&token).get("/v1/me").await.is(200).has("role", "admin");
        // `--demo` fills an empty database only: this one has a user of its own, so it may stay without demo data.
        let created = anyone.with_token(&token).get("/v1/opds?count=true").await.is(200);
        assert!(created.json()["page"]["total"].is_u64());
    }
}

on_sqlite! {
    async fn health_and_metrics_are_told(app) {
        let anyone = app.anyone();
        anyone.get("/health/live").await.is(200);
        anyone.get("/health/ready").await.is(200);
        anyone.get("/v1/public/summary").await.is(200);
        let metrics = anyone.get("/metrics").await;
        assert_eq!(metrics.status(), 200);
        assert!(metrics.text().contains("http_requests_total"), "{metrics:?}");
        assert!(!metrics.text().contains("SL-01"), "a label for each code would fill the memory");
        let port = app.server().url().rsplit(':').next().unwrap().to_owned();
        let check = command(&["healthcheck", "--listen", &format!("127.0.0.1:{port}")]).output().unwrap();
        assert!(check.status.success(), "{check:?}");
        app.server().kill9();
        let check = command(&["healthcheck", "--listen", &format!("127.0.0.1:{port}")]).output().unwrap();
        assert!(!check.status.success(), "nobody listens any more");
    }

    async fn logs_are_json_and_name_the_request(app) {
        app.anyone().get("/v1/public/summary").header("X-Request-Id", "log-test-77").await.is(200);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let log = app.server().log();
        let line = log.lines().find(|line| line.contains("log-test-77")).unwrap_or_else(|| panic!("no line for the request: {log}"));
        let line = serde_json::from_str::<serde_json::Value>(line).expect("a line of the log is JSON");
        assert!(line.is_object());
        let token = app.viewer().await.token().to_owned();
        app.viewer().await.get("/v1/me").await.is(200);
        for secret in [token.as_str(), renaksi_tests::server::PASSWORD] {
            assert!(!app.server().log().contains(secret), "a secret in the log");
        }
    }

    async fn readiness_ends_before_listening_does(app) {
        let replica = app.replica_with(&[("RENAKSI_DRAIN_SECONDS", "3600")]);
        replica.anyone().get("/health/ready").await.is(200);
        replica.server().terminate();
        // A balancer that asks again learns of it, and requests that are on their way are still answered.
        let mut told = false;
        for _ in 0..200 {
            told = replica.anyone().get("/health/ready").await.status() == 503;
            if told {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(told, "{}", replica.server().log());
        replica.anyone().get("/v1/public/summary").await.is(200);
    }

    async fn a_trusted_proxy_names_the_client(app) {
        let behind = app.replica_with(&[("RENAKSI_TRUSTED_PROXIES", "127.0.0.0/8, 10.1.2.3")]);
        for (server, address) in [(&behind, "203.0.113.9"), (&app, "127.0.0.1")] {
            let (code, body) = OPDS.new_body();
            let admin = server.admin().await;
            admin.post("/v1/opds", body).header("X-Forwarded-For", "1.1.1.1, 203.0.113.9").await.is(201);
            admin.get(format!("{}/history", OPDS.one(&code))).await.is(200).has("data/0/address", address);
        }
    }

    async fn an_idle_server_stops_at_once(app) {
        app.anyone().get("/health/live").await.is(200);
        let since = std::time::Instant::now();
        app.server().terminate();
        assert_eq!(app.server().wait().code(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(10), "an idle connection held it for {:?}", since.elapsed());
    }
}

#[test]
fn a_wrong_setting_is_named() {
    let sqlite = "sqlite://unused.db";
    let by_flag: [(&[&str], &str); 7] = [
        (&["serve", "--listen", "nonsense", "--database-url", sqlite], "listen"),
        (&["serve", "--listen", "127.0.0.1:99999", "--database-url", sqlite], "listen"),
        (&["serve", "--listen", "127.0.0.1:0", "--database-url", "mysql://nowhere/x"], "database-url"),
        (&["serve", "--trusted-proxies", "proxy.example", "--database-url", sqlite], "trusted-proxies"),
        (&["serve", "--rehearsal", "day", "--database-url", sqlite], "--demo"),
        (&["serve", "--demo", "--rehearsal", "no-such-file", "--database-url", sqlite], "no-such-file"),
        (&["serve", "--tpyo"], "tpyo"),
    ];
    for (arguments, name) in by_flag {
        let output = command(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?} started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(name), "{arguments:?}: {said}");
    }
    // What may hold a password is not repeated.
    let confidential: [(&[&str], &str); 4] = [
        (&["migrate", "--database-url", "mysql://renaksi:kata-sandi@db/renaksi"], "--database-url"),
        (&["migrate", "--database-url", "postgres://renaksi:kata-sandi@db:99999/renaksi"], "--database-url"),
        (&["move", "--from", sqlite, "--to", "renaksi:kata-sandi@db/renaksi"], "--to"),
        (&["serve", "--database-url", sqlite, "--otlp-endpoint", "renaksi:kata-sandi@collector"], "--otlp-endpoint"),
    ];
    for (arguments, name) in confidential {
        let output = command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(name) && !said.contains("kata-sandi"), "{arguments:?}: {said}");
    }
    for (name, value) in [("RENAKSI_LISTEN", "nonsense"), ("DATABASE_URL", "mysql://nowhere/x")] {
        let output = command(&["serve"]).env(name, value).output().unwrap();
        assert!(!output.status.success(), "{name}={value} started");
        let said = String::from_utf8_lossy(&output.stderr);
        let flag = name.trim_start_matches("RENAKSI_").to_lowercase().replace('_', "-");
        assert!(said.contains(name) || said.contains(&flag), "{name}={value}: {said}");
    }
}

#[test]
fn the_url_of_the_database_may_stand_in_a_file() {
    let database = Database::empty(renaksi_tests::Backend::Sqlite);
    let file = renaksi_tests::workplace::Workplace::get().join(renaksi_tests::unique::word());
    let named = format!("@{}", file.display());
    let migrate = || command(&["migrate"]).env("DATABASE_URL", &named).output().unwrap();
    let missing = migrate();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(!missing.status.success() && said.contains(file.to_str().unwrap()), "{said}");
    // A wrong one is not shown: it may hold a password.
    std::fs::write(&file, "mysql://renaksi:kata-sandi-basis-data@db/renaksi\n").unwrap();
    let wrong = migrate();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("expected sqlite://FILE") && !said.contains("kata-sandi"), "{said}");
    std::fs::write(&file, format!("{}\n", database.url())).unwrap();
    let migrated = migrate();
    assert!(migrated.status.success(), "{migrated:?}");
    assert!(String::from_utf8_lossy(&migrated.stderr).contains("m0001_create_catalogue"), "each step is told: {migrated:?}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let database = Database::empty(renaksi_tests::Backend::Sqlite);
    let output = command(&["serve", "--listen", &address, "--database-url", &database.url()]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Rows and events of the demo data that a second start must not touch.
async fn footprint(app: &App) -> Vec<serde_json::Value> {
    let admin = app.admin().await;
    let mut print = Vec::new();
    for path in [
        "/v1/masterplans",
        "/v1/dimensions",
        "/v1/opds",
        "/v1/regions",
        "/v1/programmes",
        "/v1/quick-wins",
        "/v1/kpis",
        "/v1/awards",
        "/v1/users",
    ] {
        print.push(json!(admin.all(&format!("{path}?limit=200")).await.iter().map(without_login).collect::<Vec<_>>()));
    }
    for path in ["/v1/programmes/SL-01", "/v1/kpis/STUNTING", "/v1/opds/DINKES", "/v1/masterplans/KLU-SC"] {
        print.push(json!(admin.all(&format!("{path}/history?limit=200")).await));
    }
    print
}

fn without_login(row: &serde_json::Value) -> serde_json::Value {
    let mut row = row.clone();
    row.as_object_mut().unwrap().remove("last_login_at");
    row
}
