//! Who may attach something to a programme, and what the OPD that leads it may do with what hangs on it.

use renaksi_tests::resource::{ACTIONS, QUICK_WINS, Resource};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

/// A programme that DLH leads.
const OF_DLH: &str = "SV-01";
/// A programme that DINKES leads.
const OF_DINKES: &str = "SL-01";

on_shared_servers! {
    async fn who_neither_leads_nor_supports_attaches_nothing(app) {
        let admin = app.admin().await;
        for stranger in [app.operator_dinkes().await, app.client_dinkes().await] {
            for resource in [ACTIONS, QUICK_WINS] {
                let (code, foreign) = body(&resource, OF_DLH, "DINKES");
                let refused = stranger.post(resource.path, foreign.clone()).await.is(403).has_problem("outside_own_opd");
                assert!(refused.text_at("detail").contains("DLH"), "{refused:?}");
                // Nor by another door: moved there later, as a whole or in part.
                let (key, _) = resource.create_as(&stranger, body(&resource, OF_DINKES, "DINKES").1).await;
                let one = resource.one(&key);
                let patch = json!({ "programme": OF_DLH });
                stranger.patch(&one, patch).if_match(&admin.etag_of(&one).await).await.is(403).has_problem("outside_own_opd");
                let mut moved = foreign.clone();
                moved["code"] = if resource.is_coded() { json!(key) } else { Value::Null };
                moved.as_object_mut().unwrap().retain(|_, value| !value.is_null());
                stranger.put(&one, moved).if_match(&admin.etag_of(&one).await).await.is(403);
                if resource.is_coded() {
                    stranger.put(resource.one(&code), foreign).await.is(403);
                    admin.get(resource.one(&code)).await.is(404);
                }
                admin.get(&one).await.is(200).has("programme", OF_DINKES);
            }
        }
        // An admin is free to.
        ACTIONS.create_as(&admin, body(&ACTIONS, OF_DLH, "DINKES").1).await;
    }

    async fn who_leads_changes_and_removes_what_hangs_on_it(app) {
        let (admin, lead, owner) = (app.admin().await, app.operator_dlh().await, app.operator_dinkes().await);
        for resource in [ACTIONS, QUICK_WINS] {
            let (key, _) = resource.create_as(&admin, body(&resource, OF_DLH, "DINKES").1).await;
            let one = resource.one(&key);
            change(&lead, &one, json!({ resource.text: "Diubah pemimpin program" })).await.is(200).has("opd", "DINKES");
            change(&owner, &one, json!({ resource.text: "Diubah pemiliknya" })).await.is(200);
            // Not what hangs on the programme of another, nor for another.
            let (other, _) = resource.create_as(&admin, body(&resource, OF_DINKES, "DINKES").1).await;
            let other = resource.one(&other);
            change(&lead, &other, json!({ resource.text: "Bukan miliknya" })).await.is(403).has_problem("outside_own_opd");
            lead.delete(&other).if_match(&admin.etag_of(&other).await).await.is(403);
            lead.post(resource.path, body(&resource, OF_DLH, "DINKES").1).await.is(403);
            change(&lead, &one, json!({ "programme": OF_DINKES })).await.is(403);
            lead.delete(&one).if_match(&admin.etag_of(&one).await).await.is(204);
        }
    }
}

on_both_databases! {
    async fn who_supports_attaches_its_own(app) {
        let (admin, operator) = (app.admin().await, app.operator_dinkes().await);
        let programme = format!("/v1/programmes/{OF_DLH}");
        // Supported by an OPD below: what it may do, the one above may too.
        let etag = admin.etag_of(&programme).await;
        admin.patch(&programme, json!({ "supporting_opds": ["PKM-KAYANGAN"] })).if_match(&etag).await.is(200);
        let (id, _) = ACTIONS.create_as(&operator, body(&ACTIONS, OF_DLH, "PKM-KAYANGAN").1).await;
        QUICK_WINS.create_as(&operator, body(&QUICK_WINS, OF_DLH, "DINKES").1).await;
        // What hangs there stays its own when the support ends; nothing new comes.
        let etag = admin.etag_of(&programme).await;
        admin.patch(&programme, json!({ "supporting_opds": [] })).if_match(&etag).await.is(200);
        change(&operator, &ACTIONS.one(&id), json!({ "title": "Judul baru" })).await.is(200);
        operator.post(ACTIONS.path, body(&ACTIONS, OF_DLH, "DINKES").1).await.is(403);
    }
}

fn body(resource: &Resource, programme: &str, opd: &str) -> (String, Value) {
    let (code, mut body) = resource.new_body();
    body["programme"] = json!(programme);
    body["opd"] = json!(opd);
    (code, body)
}

async fn change(actor: &Actor, path: &str, patch: Value) -> renaksi_tests::Answer {
    let etag = actor.etag_of(path).await;
    actor.patch(path, patch).if_match(&etag).await
}
