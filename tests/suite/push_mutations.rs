//! Pushes that were broken at random: whatever arrives, what is stored is what was told.

use renaksi_tests::dice::Dice;
use renaksi_tests::{on_shared_servers, tier};
use serde_json::{Value, json};

use super::push::{FORMATS, PUSH, measurements, new_kpi, written};

/// Broken pushes that are sent to each database.
fn mutations() -> u64 {
    tier::size(100, 100_000)
}

on_shared_servers! {
    async fn mutated_bodies_break_nothing(app) {
        let mut client = app.client_dinkes().await;
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let mut before = measurements(&client, &kpi).await;
        for case in 0..mutations() {
            if case % 2_000 == 1_999 {
                // A token lasts 15 minutes.
                client = app.client_dinkes().await;
            }
            let mut dice = Dice::new(case);
            let (format, mode) = (FORMATS[dice.below(3)], ["atomic", "partial"][dice.below(2)]);
            let rows = (0..1 + dice.below(5)).map(|_| random_row(&kpi, &mut dice)).collect::<Vec<_>>();
            let mut body = written(format, &rows).into_bytes();
            for _ in 0..dice.below(4) {
                mutate(&mut body, &mut dice);
            }
            let what = || format!("case {case}, {format}, {mode}: {}", String::from_utf8_lossy(&body));
            let answer = client.push(format!("{PUSH}?mode={mode}"), format, body.clone()).await;
            assert!([200, 400, 413, 422].contains(&answer.status()), "{}\n{answer:?}", what());
            let status = answer.status();
            let answer = answer.is(status);
            let after = measurements(&client, &kpi).await;
            let written = after.iter().filter(|row| !before.contains(row)).count() as u64;
            let told = match status {
                200 => answer.at("created").as_u64().unwrap() + answer.at("updated").as_u64().unwrap(),
                _ => 0,
            };
            assert_eq!(written, told, "{}\n{answer:?}", what());
            assert!(status != 200 || mode == "partial" || answer.at("rejected") == 0, "{}\n{answer:?}", what());
            assert!(after.len() >= before.len(), "{}", what());
            before = after;
        }
    }
}

/// A row of one of a few periods, so that many repeat what is there.
fn random_row(kpi: &str, dice: &mut Dice) -> Value {
    let period = format!("200{}-{:02}", dice.below(3), 1 + dice.below(12));
    let mut row = json!({ "kpi": kpi, "period": period, "value": dice.below(4).to_string() });
    if dice.below(2) == 0 {
        row["note"] = json!("Catatan, dengan \"kutip\"");
    }
    if dice.below(3) == 0 {
        row["source_updated_at"] = json!(format!("2024-05-0{}T00:00:00Z", 1 + dice.below(3)));
    }
    row
}

/// Changes a body in one place.
fn mutate(body: &mut Vec<u8>, dice: &mut Dice) {
    const STRANGE: [&[u8]; 14] = [
        b"\0",
        b"\xff",
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"{",
        b"]",
        b"null",
        b"1e999",
        b"\\u0000",
        b"-",
        "\u{202e}".as_bytes(),
        b"99999999999999999999",
    ];
    let start = dice.below(body.len());
    let end = (start + dice.below(12)).min(body.len());
    match dice.below(6) {
        0 if start < body.len() => body[start] ^= 1 << dice.below(8),
        1 => drop(body.drain(start..end)),
        2 => {
            let copy = body[start..end].to_vec();
            drop(body.splice(end..end, copy));
        }
        3 => body.truncate(start),
        4 => body.reverse(),
        _ => drop(body.splice(start..end, STRANGE[dice.below(STRANGE.len())].iter().copied())),
    }
}
