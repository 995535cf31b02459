//! Clients that hang up: before a push is whole, before it is answered, and while its transaction begins.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use futures_util::future::join_all;
use renaksi_tests::{Actor, Backend, Service, on_both_databases, on_shared_servers, unique};
use serde_json::json;

use super::push::{CSV, JSON, NDJSON, PUSH, counted, measurements, new_kpi, one, whole_year, written};

on_shared_servers! {
    async fn a_push_whose_answer_was_lost_is_answered_from_the_record(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let (path, key, body) = (one(&kpi, "2023-12"), unique::word(), written(NDJSON, &whole_year(&kpi)));
        let headers = format!("Idempotency-Key: {key}\r\nContent-Length: {}", body.len());
        let connection = send(app, &client, NDJSON, &headers, &body);
        let mut is_stored = false;
        for _ in 0..400 {
            is_stored = client.get(&path).await.status() == 200;
            if is_stored {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(is_stored, "the push was never stored");
        drop(connection);
        for _ in 0..2 {
            let retry = client.push(format!("{PUSH}?mode=partial"), NDJSON, body.clone()).idempotency_key(&key).await.is(200);
            counted(&retry.has_header("idempotent-replayed", "true"), [12, 12, 0, 0, 0, 0]);
        }
        assert_eq!(client.get(format!("{path}/history")).await.is(200).rows().len(), 1);
    }

    async fn a_push_that_breaks_off_writes_nothing(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let rows = whole_year(&kpi);
        for format in [NDJSON, CSV] {
            // Whole rows as far as they go: only the announced length, or the missing last chunk, tells that more was meant.
            let part = format!("{}\n", written(format, &rows));
            let chunk = format!("{:x}\r\n{part}\r\n", part.len());
            cut_off(app, &client, format, &format!("Content-Length: {}", part.len() + 5000), &part);
            cut_off(app, &client, format, "Transfer-Encoding: chunked", &chunk);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(measurements(&client, &kpi).await.is_empty());
        app.anyone().get("/health/ready").await.is(200);
        counted(&client.push(PUSH, NDJSON, written(NDJSON, &rows)).await.is(200), [12, 12, 0, 0, 0, 0]);
    }
}

on_both_databases! {
    async fn a_client_that_goes_away_leaves_no_transaction(app) {
        if app.backend() == Backend::Sqlite {
            return; // There the pool undoes what a connection comes back with.
        }
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = json!([{ "kpi": kpi, "period": "2023-01", "value": "4" }]).to_string();
        client.push(PUSH, JSON, row.clone()).await.is(200);
        let headers = format!("Content-Length: {}", row.len());
        // Each goes away a little later than the one before, at every moment that a push takes.
        for after in (0..600).map(|round| Duration::from_micros(round % 120 * 50)) {
            let connection = send(&app, &client, JSON, &headers, &row);
            std::thread::sleep(after);
            drop(connection);
        }
        // A connection that went back to the others within a transaction would be found by the next who begin one.
        let pushes = join_all((0..40).map(|_| client.push(PUSH, JSON, row.clone()).into_future())).await;
        pushes.into_iter().for_each(|answer| counted(&answer.is(200), [1, 0, 0, 1, 0, 0]));
        assert!(!app.server().log().contains("already a transaction"), "{}", app.server().log());
    }
}

/// Sends the start of a push over a connection of its own and hangs up.
fn cut_off(app: &Service, client: &Actor, content_type: &str, length: &str, part: &str) {
    let _connection = send(app, client, content_type, length, part);
    std::thread::sleep(Duration::from_millis(300));
}

/// Sends a partial push over a connection of its own and reads no answer.
fn send(app: &Service, client: &Actor, content_type: &str, headers: &str, body: &str) -> TcpStream {
    let address = app.address();
    let mut connection = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST {PUSH}?mode=partial HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\n{headers}\r\n\r\n",
        client.token()
    );
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body.as_bytes())).unwrap();
    connection
}
