//! The metadata of indicators, as Peraturan BPS 5/2020 has them.

use renaksi_tests::{on_both_databases, unique};
use serde_json::{Value, json};

on_both_databases! {
    async fn what_is_known_of_an_indicator_is_told_and_nothing_else(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let code = unique::code("IND");
        let metadata = json!({
            "concept": "Kemiskinan", "composite": true, "level_of_estimation": "Desa",
            "components": [{ "kind": "indicator", "name": "Angka melek huruf", "source": "BPS" }, { "kind": "variable", "name": "Umur" }],
        });
        let body = json!({
            "code": code, "masterplan": "KLU-SC", "dimension": "living", "opd": "DINKES", "name": "Indeks uji", "unit": { "kind": "index" },
            "direction": "increase", "frequency": "yearly", "method": "Rata-rata tertimbang.", "published": true,
            "statistical_metadata": metadata,
        });
        let created = admin.create("/v1/kpis", body).await;
        assert_eq!(created.at("statistical_metadata/components/1"), json!({ "kind": "variable", "name": "Umur", "source": null }));
        let path = format!("/v1/public/kpis/{code}/metadata");
        let told = anyone.get(&path).await.is(200);
        assert_eq!(told.json(), json!({
            "kpi": code, "name": "Indeks uji", "concept": "Kemiskinan", "definition": null, "interpretation": null,
            "formula": "Rata-rata tertimbang.", "measure": "Indeks", "unit": "Indeks", "presentation": null, "composite": true,
            "components": [{ "kind": "indicator", "name": "Angka melek huruf", "source": "BPS" }, { "kind": "variable", "name": "Umur", "source": null }],
            "level_of_estimation": "Desa", "public_access": true,
        }));
        assert_eq!(anyone.get(&path).if_none_match(&told.etag()).await.status(), 304);
        // What the KPI says itself gives way to what is said for this purpose.
        let change = json!({ "statistical_metadata": { "formula": "Rata-rata.", "measure": "Rasio", "composite": null } });
        let etag = admin.etag_of(&format!("/v1/kpis/{code}")).await;
        admin.patch(format!("/v1/kpis/{code}"), change).if_match(&etag).await.is(200).has("statistical_metadata/concept", "Kemiskinan");
        anyone.get(&path).await.is(200).has("formula", "Rata-rata.").has("measure", "Rasio").has("composite", Value::Null);
        let wrong = json!({ "statistical_metadata": { "components": [{ "kind": "magic", "name": "x" }], "level": 3 } });
        let etag = admin.etag_of(&format!("/v1/kpis/{code}")).await;
        let refused = admin.patch(format!("/v1/kpis/{code}"), wrong).if_match(&etag).await.is(422);
        refused.has_fault_at("/statistical_metadata/components/0/kind").has_fault_at("/statistical_metadata/level");
        // With the KPI its metadata are withdrawn.
        admin.patch(format!("/v1/kpis/{code}"), json!({ "published": false })).if_match(&etag).await.is(200);
        anyone.get(&path).await.is(404);
    }

    async fn of_the_demo_only_what_its_source_says_is_told(app) {
        let anyone = app.anyone();
        let told = anyone.get("/v1/public/kpis/TPS3R-DESA/metadata").await.is(200);
        let told = told.has("measure", "Jumlah").has("unit", "desa").has("formula", "Hitungan desa yang memiliki TPS3R.");
        told.has("concept", Value::Null).has("composite", Value::Null).has("components", json!([]));
        anyone.get("/v1/public/kpis/STUNTING/metadata").await.is(200).has("measure", "Persentase").has("definition", Value::Null);
        anyone.get("/v1/public/kpis/NONE/metadata").await.is(404);
    }
}
