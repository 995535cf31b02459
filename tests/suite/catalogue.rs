//! The catalogue that other portals harvest.

use renaksi_tests::on_both_databases;
use renaksi_tests::resource::AWARDS;
use serde_json::{Value, json};

/// The path of an address of the service.
fn path_of(address: &Value) -> String {
    let address = address["@id"].as_str().expect("an address");
    let (_, path) = address.split_once("/v1/").expect("an address of the service");
    format!("/v1/{path}")
}

on_both_databases! {
    async fn every_data_set_is_listed_with_files_that_are_there(app) {
        let anyone = app.anyone();
        let answer = anyone.get("/v1/public/catalog.jsonld").await.is(200);
        assert_eq!(answer.header("content-type"), Some("application/ld+json"));
        assert_eq!(anyone.get("/v1/public/catalog.jsonld").if_none_match(&answer.etag()).await.status(), 304);
        let catalogue = answer.json();
        assert_eq!(catalogue["dct:publisher"]["foaf:name"], "Pemerintah Kabupaten Lombok Utara");
        assert_eq!(catalogue["dct:spatial"][0]["dct:identifier"], "52.08");
        let datasets = catalogue["dcat:dataset"].as_array().unwrap();
        assert!(datasets.len() > 20, "{} data sets", datasets.len());
        for dataset in datasets {
            assert!(dataset["dct:temporal"]["dcat:startDate"]["@value"].as_str() <= Some("2022-10-04"), "{dataset}");
            for member in ["dct:title", "dct:description"] {
                let languages = dataset[member].as_array().unwrap().iter().map(|text| text["@language"].as_str().unwrap());
                assert_eq!(languages.collect::<Vec<_>>(), ["en", "id"]);
            }
            for distribution in dataset["dcat:distribution"].as_array().unwrap() {
                let media = distribution["dcat:mediaType"]["@id"].as_str().unwrap();
                let file = anyone.get(path_of(&distribution["dcat:downloadURL"])).await.is(200);
                assert!(media.ends_with(&format!("/{}", file.media_type())), "{distribution}");
            }
        }
    }

    async fn a_change_that_everybody_sees_is_the_last_one(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let last = async |name: &str| {
            let catalogue = anyone.get("/v1/public/catalog.jsonld").await.is(200).json();
            let of = |dataset: &&Value| dataset["dct:identifier"] == name;
            let dataset = catalogue["dcat:dataset"].as_array().unwrap().iter().find(of).cloned().unwrap();
            dataset["dct:modified"]["@value"].as_str().unwrap_or_default().to_owned()
        };
        let before = [last("awards").await, last("kpis").await, last("dataset").await];
        // It is not published.
        let (_, hidden) = AWARDS.new_body();
        admin.create("/v1/awards", hidden).await;
        let etag = admin.etag_of("/v1/kpis/SPBE").await;
        admin.patch("/v1/kpis/SPBE", json!({ "name": "Indeks SPBE kabupaten" })).if_match(&etag).await.is(200);
        let mut after = before.clone();
        for _ in 0..100 {
            after = [last("awards").await, last("kpis").await, last("dataset").await];
            if after[1] > before[1] {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(after[0] == before[0] && after[1] > before[1] && after[2] == after[1], "{before:?} {after:?}");
    }
}
