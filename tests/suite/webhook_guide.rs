//! The receivers of the guide to webhooks are run as they stand.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use renaksi_tests::guide::{self, Guide};
use renaksi_tests::receiver::PATIENCE;
use renaksi_tests::{App, on_sqlite};
use reqwest::Client;
use serde_json::json;

use crate::webhooks::{SETTINGS, delivery, instead_of, subscribe};

on_sqlite! {
    async fn the_python_receiver_accepts_what_is_genuine(app) {
        a_receiver_receives(&app, "python").await;
    }

    async fn the_node_receiver_accepts_what_is_genuine(app) {
        a_receiver_receives(&app, "js").await;
    }
}

async fn a_receiver_receives(app: &App, kind: &str) {
    let app = instead_of(app, SETTINGS);
    let admin = app.admin().await;
    // It has to know its secret before it starts, and the webhook its port: it gets the port by a change afterwards.
    let (id, secret) = subscribe(&admin, "http://127.0.0.1:1024/hook", &["opd.*"]).await;
    let receiver = Running::start(kind, &secret);
    let url = format!("http://127.0.0.1:{}/hook", receiver.port());
    let path = format!("/v1/webhooks/{id}");
    let etag = admin.etag_of(&path).await;
    admin.patch(&path, json!({ "url": url })).if_match(&etag).await.is(200);
    admin.post(format!("{path}/ping"), json!({})).await.is(202);
    assert_eq!(receiver.line(), "webhook.ping");
    delivery(&admin, &id, "delivered").await.as_object().filter(|log| log["response_status"] == 204).expect("204");

    let etag = admin.etag_of("/v1/opds/DLH").await;
    admin.patch("/v1/opds/DLH", json!({ "head_title": "Kepala Dinas" })).if_match(&etag).await.is(200);
    assert_eq!(receiver.line(), "opd.updated DLH");
    // After a rotation there are two signatures, of which it knows the older.
    admin.post(format!("{path}/rotate-secret"), json!({})).await.is(200);
    admin.post(format!("{path}/ping"), json!({})).await.is(202);
    assert_eq!(receiver.line(), "webhook.ping");

    let now = chrono::Utc::now().timestamp();
    let forged = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (sent, signature) in
        [(now.to_string(), forged), (now.to_string(), ""), ((now - 3600).to_string(), forged), ("soon".into(), forged)]
    {
        let request = Client::new()
            .post(&url)
            .header("webhook-id", "m")
            .header("webhook-timestamp", sent)
            .header("webhook-signature", signature);
        assert_eq!(request.body("{}").send().await.unwrap().status(), 401);
    }
}

/// A receiver that runs until it is dropped.
struct Running {
    process: Child,
    said: Receiver<String>,
}

impl Running {
    fn start(kind: &str, secret: &str) -> Self {
        let mut program = guide::runs(kind, &Guide("webhooks.md").program(kind));
        let mut process = program.env("RENAKSI_WEBHOOK_SECRET", secret).env("PORT", "0").stdout(Stdio::piped()).spawn().unwrap();
        let (lines, (says, said)) = (BufReader::new(process.stdout.take().unwrap()).lines(), channel());
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| says.send(line)));
        Self { process, said }
    }

    fn port(&self) -> String {
        self.line().rsplit(' ').next().unwrap().to_owned()
    }

    /// The next line that it says.
    fn line(&self) -> String {
        self.said.recv_timeout(PATIENCE).expect("the receiver says nothing").trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
