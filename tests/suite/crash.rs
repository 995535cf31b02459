//! `kill -9` in the middle of many writers: what was acknowledged is there, with its event, and nothing half.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use renaksi_tests::resource::PROGRAMMES;
use renaksi_tests::{Actor, on_both_databases, tier};
use serde_json::{Value, json};

const WRITERS: usize = 32;

fn crashes() -> usize {
    tier::size(2, 20)
}

on_both_databases! {
    async fn an_acknowledged_write_outlives_a_crash(app) {
        let (crashes, mut acknowledged) = (crashes(), 0);
        for round in 0..crashes {
            let written = Arc::new(Written::default());
            let admin = app.admin().await;
            let writers = (0..WRITERS).map(|writer| tokio::spawn(write(writer, admin.clone(), Arc::clone(&written)))).collect::<Vec<_>>();
            // In the middle of it, and never at the same point.
            while written.acknowledged() < WRITERS + 37 * round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            app.server().kill9();
            written.over.store(true, Ordering::Relaxed);
            for ended in join_all(writers).await {
                ended.unwrap();
            }
            app.server().restart();
            acknowledged += is_all_there(&app.admin().await, &written).await;
        }
        assert!(acknowledged >= WRITERS * crashes, "{acknowledged} writes were acknowledged before {crashes} crashes");
    }
}

/// What the service said yes to: the version of each row.
#[derive(Default)]
struct Written {
    versions: Mutex<HashMap<String, u64>>,
    over: AtomicBool,
}

impl Written {
    fn acknowledged(&self) -> usize {
        self.versions.lock().unwrap().values().sum::<u64>() as usize
    }
}

/// Creates programmes and changes each a few times, until the service is gone.
async fn write(writer: usize, admin: Actor, written: Arc<Written>) {
    while !written.over.load(Ordering::Relaxed) {
        let (code, mut body) = PROGRAMMES.new_body();
        body["lead_opd"] = json!("DINKES");
        let Ok(answer) = admin.put(PROGRAMMES.one(&code), body).attempt().await else { return };
        let mut etag = answer.is(201).etag();
        written.versions.lock().unwrap().insert(code.clone(), 1);
        for version in 2..=(2 + writer as u64 % 3) {
            let change = admin.patch(PROGRAMMES.one(&code), json!({ "name": format!("Versi {version}") })).if_match(&etag);
            let Ok(answer) = change.attempt().await else { return };
            etag = answer.is(200).etag();
            written.versions.lock().unwrap().insert(code.clone(), version);
        }
    }
}

/// Each acknowledged version is there with exactly one event; a write whose answer was lost is there whole or not at all.
async fn is_all_there(admin: &Actor, written: &Written) -> usize {
    let versions = written.versions.lock().unwrap().clone();
    for (code, version) in &versions {
        let row = admin.get(PROGRAMMES.one(code)).await.is(200).json();
        let stored = row["version"].as_u64().unwrap();
        assert!((*version..=version + 1).contains(&stored), "{code}: version {version} was acknowledged, {stored} is stored");
        let mut events = admin.get(format!("{}/history", PROGRAMMES.one(code))).await.is(200).rows();
        events.sort_by_key(|event| event["version"].as_u64());
        let recorded = events.iter().map(|event| event["version"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(recorded, (1..=stored).collect::<Vec<_>>(), "one event for each version of {code}");
        assert_eq!(
            without_time(&events[events.len() - 1]["after"]),
            without_time(&PROGRAMMES.recorded(row)),
            "the last event of {code} is what is stored"
        );
    }
    written.acknowledged()
}

fn without_time(value: &Value) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().retain(|member, _| !["created_at", "updated_at"].contains(&member.as_str()));
    value
}
