//! Decimals survive unchanged: written, stored and read, digit for digit.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};
use renaksi_tests::dice::Dice;
use renaksi_tests::resource::{KPIS, PROGRAMMES};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers, tier};
use serde_json::{Value, json};

/// So many values, of up to 15 significant digits and 12 decimal places.
fn many() -> usize {
    tier::size(600, 20_000)
}

const WRITERS: usize = 64;
/// Months of 100 years: what one monthly KPI holds.
const MONTHS: usize = 1200;

on_shared_servers! {
    async fn every_decimal_of_the_api_is_exact(app) {
        let (admin, mut dice) = (app.admin().await, Dice::new(tier::seed(20221004)));
        let some = (0..tier::size(10, 100)).map(|_| random_decimal(&mut dice).trim_start_matches('-').to_owned());
        let hard = ["0.000000000001", "999999999999999", "4441839.23471", "0.1", "0.3", "1.10", "100.00", "0", "123456789012.345", "9007199254740.99"];
        for value in hard.into_iter().map(str::to_owned).chain(some) {
            let (code, mut body) = PROGRAMMES.new_body();
            body["budget"] = json!(value);
            admin.create(PROGRAMMES.path, body).await.has("budget", canonical(&value));
            admin.get(PROGRAMMES.one(&code)).await.is(200).has("budget", canonical(&value));

            let (code, mut body) = KPIS.new_body();
            (body["minimum"], body["maximum"]) = (json!(null), json!(null));
            body["baseline"]["value"] = json!(format!("-{value}"));
            admin.create(KPIS.path, body).await.has("baseline/value", canonical(&format!("-{value}")));
            let path = format!("{}/measurements/2022", KPIS.one(&code));
            admin.put(&path, json!({ "value": value })).await.is(201).has("value", canonical(&value));
            admin.get(&path).await.is(200).has("value", canonical(&value));
        }
    }

    async fn a_number_is_taken_as_it_was_written(app) {
        let admin = app.admin().await;
        for (number, text) in [("0.1", "0.1"), ("28.30", "28.3"), ("1e3", "1000"), ("1.5E-3", "0.0015"), ("-0", "0"), ("123456789.012345", "123456789.012345"), ("12", "12")] {
            let (code, body) = KPIS.new_body();
            admin.create(KPIS.path, body).await;
            let body = format!("{{\"value\":{number}}}");
            let path = format!("{}/measurements/2022", KPIS.one(&code));
            admin.request(reqwest::Method::PUT, &path).body(body, "application/json").await.is(201).has("value", text);
            admin.get(&path).await.is(200).has("value", text);
        }
    }
}

on_both_databases! {
    async fn many_values_come_back_unchanged(app) {
        // Its own service, which does not log each of them.
        let quiet = app.replica_with(&[("RENAKSI_LOG", "warn")]);
        let admin = quiet.admin().await;
        let (values, mut dice) = (many(), Dice::new(tier::seed(20221004)));
        let mut expected = HashMap::new();
        for _ in 0..values.div_ceil(MONTHS) {
            let (code, mut body) = KPIS.new_body();
            body["frequency"] = json!("monthly");
            body["baseline"] = Value::Null;
            (body["minimum"], body["maximum"]) = (Value::Null, Value::Null);
            admin.create(KPIS.path, body).await;
            for month in 0..MONTHS.min(values - expected.len()) {
                expected.insert(format!("/v1/kpis/{code}/targets/{}-{:02}", 1950 + month / 12, month % 12 + 1), random_decimal(&mut dice));
            }
        }
        assert_eq!(expected.len(), values);
        let writes = stream::iter(expected.iter()).map(|(path, value)| put(&admin, path, value));
        writes.buffer_unordered(WRITERS).for_each(|()| async {}).await;

        let codes = expected.keys().map(|path| path.split('/').nth(3).unwrap()).collect::<std::collections::HashSet<_>>();
        let mut read = 0;
        for code in codes {
            for row in admin.all(&format!("/v1/kpis/{code}/targets?limit=200")).await {
                let path = format!("/v1/kpis/{code}/targets/{}", row["period"].as_str().unwrap());
                assert_eq!(row["value"], json!(canonical(&expected[&path])), "{path} was written as {}", expected[&path]);
                read += 1;
            }
        }
        assert_eq!(read, values);
    }
}

async fn put(admin: &Actor, path: &str, value: &str) {
    let answer = admin.put(path, json!({ "value": value })).await;
    assert_eq!(answer.status(), 201, "{value}: {answer:?}");
}

/// A decimal of 1 to 15 significant digits and at most 12 places, either sign.
fn random_decimal(dice: &mut Dice) -> String {
    let digits = 1 + dice.below(15) as u32;
    let number = (dice.roll() % 10_u64.pow(digits)).to_string();
    let places = dice.below(13);
    let padded = format!("{number:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    let sign = if dice.flip() && number != "0" { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The one way to write a number: no zeros that say nothing.
fn canonical(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if digits == "0" { "0".to_owned() } else { format!("{sign}{digits}") }
}
