//! The villages a programme reaches, and the KPI that counts them.

use renaksi_tests::resource::{KPIS, PROGRAMMES};
use renaksi_tests::{Actor, Answer, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

/// Villages of the real case.
const VILLAGES: [&str; 14] = [
    "52.08.01.2001",
    "52.08.01.2002",
    "52.08.01.2003",
    "52.08.01.2004",
    "52.08.01.2005",
    "52.08.01.2006",
    "52.08.01.2007",
    "52.08.02.2001",
    "52.08.02.2002",
    "52.08.02.2003",
    "52.08.02.2004",
    "52.08.02.2005",
    "52.08.03.2001",
    "52.08.03.2002",
];

on_shared_servers! {
    async fn a_verified_count_is_revised_with_a_reason(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let (programme, kpi) = counted(&admin, "yearly").await;
        built(&admin, &programme, VILLAGES[0], "2022-03-01").await.is(201);
        verify(&verifier, &kpi, "2022").await;
        built(&admin, &programme, VILLAGES[1], "2022-04-01").await.is(201);
        let revised = measurement(&admin, &kpi, "2022").await.has("value", "2").has("revision", 2).has("state", "submitted");
        assert!(revised.text_at("reason").contains(VILLAGES[1]), "{revised:?}");
        let standing = admin.get(format!("/v1/kpis/{kpi}/standing")).await.is(200);
        standing.has("latest/value", "1");
        verify(&verifier, &kpi, "2022").await;
        admin.get(format!("/v1/kpis/{kpi}/standing")).await.is(200).has("latest/value", "2");
    }

    async fn each_period_counts_what_was_built_at_its_end(app) {
        let admin = app.admin().await;
        let (programme, kpi) = counted(&admin, "quarterly").await;
        record(&admin, &programme, VILLAGES[0], "planned", "2022-01-15").await.is(201);
        built(&admin, &programme, VILLAGES[0], "2022-05-01").await.is(201);
        built(&admin, &programme, VILLAGES[1], "2022-06-30").await.is(201);
        record(&admin, &programme, VILLAGES[0], "planned", "2022-10-01").await.is(201);
        for (period, count) in [("2022-Q1", "0"), ("2022-Q2", "2"), ("2022-Q3", "2"), ("2022-Q4", "1")] {
            measurement(&admin, &kpi, period).await.has("value", count);
        }
        admin.get(format!("/v1/kpis/{kpi}/measurements/2021-Q4")).await.is(404);
        let last = admin.all(&format!("/v1/kpis/{kpi}/measurements?limit=200")).await.pop().unwrap();
        let today = admin.get(format!("/v1/kpis/{kpi}/standing")).await.text_at("as_of");
        assert_eq!(last["period"], json!(format!("{}-Q{}", &today[..4], today[5..7].parse::<u32>().unwrap().div_ceil(3))));
    }

    async fn other_kpis_of_the_programme_are_not_counted(app) {
        let admin = app.admin().await;
        let (programme, _) = counted(&admin, "yearly").await;
        let (code, mut body) = KPIS.new_body();
        body["programme"] = json!(programme);
        admin.create(KPIS.path, body).await;
        built(&admin, &programme, VILLAGES[0], "2022-03-01").await.is(201);
        assert!(admin.all(&format!("/v1/kpis/{code}/measurements")).await.is_empty());
    }

    async fn what_is_recorded_is_only_followed(app) {
        let admin = app.admin().await;
        let (programme, _) = PROGRAMMES.create(&admin).await;
        let path = format!("/v1/programmes/{programme}/coverage");
        let first = record(&admin, &programme, VILLAGES[0], "planned", "2022-01-01").await.is(201).has("region_name", "Tanjung");
        assert!(first.header("location").is_some_and(|place| place.ends_with(&format!("{path}?region={}", VILLAGES[0]))));
        built(&admin, &programme, VILLAGES[0], "2022-06-30").await.is(201);
        // The same again, in whatever order, changes nothing.
        record(&admin, &programme, VILLAGES[0], "planned", "2022-01-01").await.is(200).has("status", "planned");
        built(&admin, &programme, VILLAGES[0], "2022-06-30").await.is(200).has("effective_on", "2022-06-30");
        built(&admin, &programme, VILLAGES[0], "2022-07-01").await.is(200).has("effective_on", "2022-06-30");
        // What was so stays so.
        for (status, day) in [("built", "2022-06-29"), ("planned", "2022-06-30"), ("built", "2999-01-01"), ("built", "1899-12-31")] {
            record(&admin, &programme, VILLAGES[0], status, day).await.is(422).has_fault_at("/effective_on");
        }
        for (day, expected) in [("2021-12-31", None), ("2022-01-01", Some("planned")), ("2022-06-30", Some("built"))] {
            let rows = admin.all(&format!("{path}?as_of={day}")).await;
            assert_eq!(rows.first().map(|row| row["status"].as_str().unwrap()), expected, "{day}");
        }
        record(&admin, &programme, VILLAGES[0], "planned", "2022-07-01").await.is(201);
        admin.get(&path).await.is(200).has("data/0/status", "planned").has("data/0/effective_on", "2022-07-01");
        assert!(admin.all(&format!("{path}?status=built")).await.is_empty());
        assert_eq!(admin.all(&format!("{path}?status=built&as_of=2022-06-30")).await.len(), 1);
    }

    async fn only_villages_are_covered(app) {
        let admin = app.admin().await;
        let (programme, _) = PROGRAMMES.create(&admin).await;
        for region in ["52.08", "52.08.01", "NO-SUCH"] {
            built(&admin, &programme, region, "2022-01-01").await.is(422).has_fault_at("/region");
        }
        built(&admin, "NO-SUCH", VILLAGES[0], "2022-01-01").await.is(404).has_problem("not_found");
        admin.get("/v1/programmes/NO-SUCH/coverage").await.is(404).has_problem("not_found");
        let body = json!({ "region": VILLAGES[0], "status": "finished", "tpyo": 1 });
        let refused = admin.put(format!("/v1/programmes/{programme}/coverage"), body).await.is(422);
        refused.has_fault_at("/status").has_fault_at("/tpyo");
    }

    async fn a_covered_village_stays(app) {
        let admin = app.admin().await;
        let (programme, _) = PROGRAMMES.create(&admin).await;
        built(&admin, &programme, VILLAGES[13], "2022-01-01").await.is(201);
        let path = format!("/v1/regions/{}", VILLAGES[13]);
        let etag = admin.etag_of(&path).await;
        let refused = admin.delete(&path).if_match(&etag).await.is(409).has_problem("still_referenced");
        assert!(refused.at("referenced_by").to_string().contains(&programme), "{refused:?}");
    }

    async fn the_lead_opd_records_and_the_public_reads(app) {
        let (operator, stranger, anyone) = (app.operator_dinkes().await, app.operator_dlh().await, app.anyone());
        let (programme, created) = PROGRAMMES.create(&operator).await;
        built(&stranger, &programme, VILLAGES[0], "2022-01-01").await.is(403).has_problem("outside_own_opd");
        built(&app.viewer().await, &programme, VILLAGES[0], "2022-01-01").await.is(403).has_problem("forbidden");
        built(&operator, &programme, VILLAGES[0], "2022-01-01").await.is(201);
        let public = format!("/v1/public/programmes/{programme}/coverage");
        anyone.get(&public).await.is(404).has_problem("not_found");
        operator.patch(PROGRAMMES.one(&programme), json!({ "published": true })).if_match(&created.etag()).await.is(200);
        let shown = anyone.get(&public).await.is(200);
        let village = json!({
            "programme": programme, "region": VILLAGES[0], "region_name": "Tanjung", "status": "built", "effective_on": "2022-01-01",
        });
        assert_eq!(shown.at("data/0"), village);
        anyone.get(format!("{public}?as_of=2021-12-31")).await.is(200).has("data", json!([]));
    }

    async fn pages_cover_all_villages_once(app) {
        let admin = app.admin().await;
        let (programme, _) = PROGRAMMES.create(&admin).await;
        for village in VILLAGES {
            record(&admin, &programme, village, "planned", "2022-01-01").await.is(201);
            built(&admin, &programme, village, "2022-02-01").await.is(201);
        }
        let rows = admin.all(&format!("/v1/programmes/{programme}/coverage?limit=3&sort=-region")).await;
        let mut regions = rows.iter().map(|row| row["region"].as_str().unwrap()).collect::<Vec<_>>();
        regions.reverse();
        assert_eq!(regions, VILLAGES);
        assert!(rows.iter().all(|row| row["status"] == "built"));
    }
}

on_both_databases! {
    async fn eight_villages_and_six_more_reach_the_target_of_2022(app) {
        let (admin, operator, verifier) = (app.admin().await, app.operator_dlh().await, app.verifier().await);
        let etag = admin.etag_of("/v1/kpis/TPS3R-DESA").await;
        admin.patch("/v1/kpis/TPS3R-DESA", json!({ "method": "coverage" })).if_match(&etag).await.is(200);

        for village in &VILLAGES[..8] {
            built(&operator, "SV-01", village, "2021-12-31").await.is(201);
        }
        let measured = measurement(&admin, "TPS3R-DESA", "2021").await.has("value", "8").has("state", "submitted");
        measured.has("submitted_by", "operator.dlh@demo.invalid");
        measurement(&admin, "TPS3R-DESA", "2022").await.has("value", "8").has("state", "submitted");
        for village in &VILLAGES[8..] {
            built(&operator, "SV-01", village, "2022-11-30").await.is(201);
        }
        measurement(&admin, "TPS3R-DESA", "2021").await.has("value", "8");
        measurement(&admin, "TPS3R-DESA", "2022").await.has("value", "14").has("state", "submitted").has("revision", 1);

        // It counts once somebody else has verified it.
        app.anyone().get("/v1/public/kpis/TPS3R-DESA/standing").await.is(200).has("latest", json!(null));
        verify(&verifier, "TPS3R-DESA", "2022").await;
        let standing = app.anyone().get("/v1/public/kpis/TPS3R-DESA/standing").await.is(200);
        let standing = standing.has("latest/value", "14").has("latest/period", "2022").has("target/value", "14");
        standing.has("achievement", "100.00").has("standing", "on_track");
    }
}

/// A new programme with a KPI that counts its coverage.
async fn counted(admin: &Actor, frequency: &str) -> (String, String) {
    let (programme, _) = PROGRAMMES.create(admin).await;
    let (kpi, mut body) = KPIS.new_body();
    body["programme"] = json!(programme);
    body["method"] = json!("coverage");
    body["unit"] = json!({ "kind": "count", "label": "desa" });
    body["frequency"] = json!(frequency);
    body["direction"] = json!("increase");
    body["baseline"] = Value::Null;
    admin.create(KPIS.path, body).await;
    (programme, kpi)
}

async fn built(actor: &Actor, programme: &str, village: &str, day: &str) -> Answer {
    record(actor, programme, village, "built", day).await
}

async fn record(actor: &Actor, programme: &str, village: &str, status: &str, day: &str) -> Answer {
    let entry = json!({ "region": village, "status": status, "effective_on": day });
    actor.put(format!("/v1/programmes/{programme}/coverage"), entry).await
}

async fn measurement(actor: &Actor, kpi: &str, period: &str) -> Answer {
    actor.get(format!("/v1/kpis/{kpi}/measurements/{period}")).await.is(200)
}

async fn verify(verifier: &Actor, kpi: &str, period: &str) {
    verifier.post(format!("/v1/kpis/{kpi}/measurements/{period}/verify"), json!({})).await.is(200).has("state", "verified");
}
