//! Random tables through every dialect, whole and broken.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::Separator;
use super::column::{self, Column, escaped, unescaped};
use super::reader::{Reader, Row};
use super::refused::{Limits, Refused};
use super::writer::{Dialect, Writer};
use crate::http::problem::FieldError;

const LIMITS: Limits = Limits { row: 64 * 1024, columns: 64 };
const DIALECTS: [Dialect; 5] = [
    Dialect::PLAIN,
    Dialect { has_mark: true, line_end: "\n", ..Dialect::PLAIN },
    Dialect { separator: Separator::Semicolon, says_separator: true, has_decimal_comma: true, has_mark: true, ..Dialect::PLAIN },
    Dialect { separator: Separator::Semicolon, line_end: "\n", ..Dialect::PLAIN },
    Dialect { separator: Separator::Tab, line_end: "\r", ..Dialect::PLAIN },
];

fn schema() -> Value {
    let code = json!({ "type": "string", "pattern": entity::value::code::Code::PATTERN });
    json!({
        "required": ["kpi", "period", "value"],
        "properties": {
            "kpi": code,
            "period": { "type": "string", "pattern": entity::value::period::Period::PATTERN },
            "value": { "type": ["string", "number"], "format": "decimal", "pattern": entity::value::decimal::PATTERN },
            "name": { "type": ["string", "null"], "pattern": crate::http::schema::ANY_TEXT },
            "note": { "type": ["string", "null"] },
            "count": { "type": ["integer", "null"] },
            "published": { "type": "boolean" },
            "regions": { "type": "array", "items": code },
            "evidence": { "type": "array", "items": { "type": "object" } },
            "baseline": { "type": ["object", "null"], "properties": { "period": { "type": "string" }, "value": { "type": "string", "format": "decimal" } } },
            "reason": { "type": ["string", "null"] },
        },
    })
}

/// Made once: the reader takes a copy for each table.
static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(columns);
static WRITTEN: LazyLock<Vec<Column>> = LazyLock::new(|| column::of_schema(&schema()));

fn columns() -> Vec<Column> {
    let mut columns = column::of_schema(&schema());
    columns.extend(column::nested(&schema()));
    columns.push(Column::ignored("version"));
    columns
}

fn read(bytes: &[u8], at_once: usize) -> Result<Vec<Row>, Refused> {
    let (mut reader, mut rows) = (Reader::new(COLUMNS.clone(), LIMITS), Vec::new());
    let mut sink = |row| {
        rows.push(row);
        Ok::<(), Refused>(())
    };
    for chunk in bytes.chunks(at_once) {
        reader.take(chunk, &mut sink)?;
    }
    reader.finish(&mut sink)?;
    Ok(rows)
}

fn values(text: &str) -> Vec<Value> {
    read(text.as_bytes(), 1000).unwrap().into_iter().map(|row| row.value.unwrap()).collect()
}

fn refused(bytes: &[u8]) -> (Option<u64>, String) {
    let refused = read(bytes, 1000).unwrap_err();
    let line = if let Refused::Unreadable { line, .. } = refused { Some(line) } else { None };
    (line, refused.sentences())
}

fn written(dialect: Dialect, rows: &[Value]) -> String {
    let writer = Writer::new(dialect, WRITTEN.clone());
    let lines = rows.iter().map(|row| writer.row(row.as_object().unwrap()));
    [writer.header()].into_iter().chain(lines).collect()
}

/// A text of what is hard to write.
fn random_text(random: &mut StdRng, most: usize) -> String {
    const PIECES: [&str; 24] = [
        "a", "kata", " ", ",", ";", "\t", "\"", "\n", "\r", "\r\n", "'", "=", "+", "-", "@", "1", "2,5", "é", "＝", "🏛", "\\",
        "null", "[", "\u{a0}",
    ];
    (0..random.random_range(0..=most)).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect()
}

/// The key of a row occurs nowhere else in its table.
fn random_row(random: &mut StdRng, number: usize) -> Value {
    let mut pick = |below: usize| random.random_range(0..below);
    let period = ["2022", "2022-Q3", "2022-09"][pick(3)];
    let value = format!("{}{}.{}", ["", "-"][pick(2)], pick(100), pick(100));
    let mut row = json!({ "kpi": format!("KEY-{number}"), "period": period, "value": value });
    let absent = [0; 8].map(|_| pick(3) == 0);
    let (count, published, depth) = (pick(2_000_000) as i64 - 1_000_000, pick(2) == 0, pick(4));
    let members = [
        ("name", json!(random_text(random, 6))),
        ("note", json!(random_text(random, 12))),
        ("count", json!(count)),
        ("published", json!(published)),
        ("regions", (0..depth).map(|number| json!(format!("52.0{number}"))).collect()),
        ("evidence", (0..depth / 2).map(|_| json!({ "title": random_text(random, 6), "url": null })).collect()),
        ("baseline", json!({ "period": "2020", "value": "1.5" })),
        ("reason", json!(random_text(random, 6))),
    ];
    for ((name, member), _) in members.into_iter().zip(absent).filter(|(_, absent)| !absent) {
        row[name] = member;
    }
    row
}

fn random_table(random: &mut StdRng) -> Vec<Value> {
    (0..random.random_range(1..5)).map(|number| random_row(random, number)).collect()
}

#[test]
fn ten_thousand_random_tables_come_back_equal_from_five_dialects() {
    let mut random = StdRng::seed_from_u64(20_221_004);
    for case in 0..10_000 {
        let rows = random_table(&mut random);
        for dialect in DIALECTS {
            let text = written(dialect, &rows);
            let back = read(text.as_bytes(), [1, 7, 1 << 20][case % 3]);
            let back = back.unwrap_or_else(|refused| panic!("case {case}: {}\n{text}", refused.sentences()));
            let back = back.into_iter().map(|row| row.value.unwrap()).collect::<Vec<_>>();
            assert_eq!(back, rows, "case {case}: {dialect:?}\n{text}");
        }
    }
}

/// Breaks a table in one place, or moves a quotation mark.
fn corrupted(mut text: Vec<u8>, random: &mut StdRng) -> Vec<u8> {
    let marks = |text: &[u8]| text.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at).collect::<Vec<_>>();
    let at = random.random_range(0..text.len());
    let known = marks(&text);
    match random.random_range(0..7) {
        0 => text.insert(at, b'"'),
        1 => text[at] = b'"',
        2 if !known.is_empty() => drop(text.remove(known[random.random_range(0..known.len())])),
        3 if !known.is_empty() => {
            text.remove(known[random.random_range(0..known.len())]);
            text.insert(random.random_range(0..=text.len()), b'"');
        }
        4 => text.truncate(at),
        5 => drop(text.remove(at)),
        _ => text.insert(at, [b',', b';', b'\n', b'\t', b'\r', b'\'', b' '][random.random_range(0..7)]),
    }
    text
}

#[test]
fn of_ten_thousand_broken_tables_none_is_taken_with_a_row_swallowed_or_invented() {
    let mut random = StdRng::seed_from_u64(20_221_005);
    let (mut taken, mut refused) = (0, 0);
    for case in 0..10_000 {
        let rows = random_table(&mut random);
        let broken = corrupted(written(DIALECTS[case % 5], &rows).into_bytes(), &mut random);
        let Ok(read) = read(&broken, 1 << 20) else {
            refused += 1;
            continue;
        };
        let what = || format!("case {case}\n{}", String::from_utf8_lossy(&broken));
        let good = read.iter().filter_map(|row| row.value.as_ref().ok()).collect::<Vec<_>>();
        // What was broken is in one row; all others are as they were, in their order.
        assert!(good.iter().filter(|row| !rows.contains(row)).count() <= 1, "{}", what());
        assert!(read.len() <= rows.len() + 1, "{}", what());
        for row in &good {
            let text = row.to_string();
            let keys = (0..rows.len()).filter(|number| text.contains(&format!("KEY-{number}"))).count();
            assert!(keys <= 1, "{row} swallowed another\n{}", what());
        }
        taken += 1;
    }
    assert!(taken > 500 && refused > 2000, "{taken} taken, {refused} refused");
}

#[test]
fn any_text_comes_back_from_its_cell() {
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..20_000 {
        let text = random_text(&mut random, 8);
        for is_long in [true, false] {
            let cell = escaped(&text, is_long);
            assert_eq!(unescaped(&cell), text, "{cell}");
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?} is run by a spreadsheet");
            assert!(!cell.is_empty() && (is_long || !cell.contains(['\r', '\n'])), "{cell:?}");
        }
    }
}

#[test]
fn tables_come_as_spreadsheets_leave_them() {
    let expected = json!({ "kpi": "UQ", "period": "2010", "value": "1.5" });
    for text in [
        "kpi,period,value\nUQ,2010,1.5\n",
        "kpi;period;value\nUQ;2010;1,5\n",
        "kpi;period;value\nUQ;2010;1.5\n",
        "kpi\tperiod\tvalue\r\nUQ\t2010\t1.5",
        "\u{feff}sep=;\r\nkpi;period;value\r\nUQ;2010;\"1,5\"\r\n",
        "SEP=;\nkpi;period;value\nUQ;2010;1,5",
        "KPI, Period ,VALUE\nUQ, 2010 , 1.5 \n",
        "\n,,\nkpi,period,value\n\nUQ,2010,1.5\n,,\n \n\"\",\"\",\"\"\n",
        "kpi,period,value,\nUQ,2010,1.5,\n",
        "kpi,period,value\nUQ,2010,1.5,,\n",
        "kpi,period,value,note,version\nUQ,2010,1.5,,7\n",
        "\"kpi\",\"period\",\"value\"\n\" UQ \", \"2010\",\"1.5\"\n",
    ] {
        assert_eq!(values(text), std::slice::from_ref(&expected), "{text:?}");
    }
    assert_eq!(values("kpi,period,value\n\n\n"), [] as [Value; 0]);
    let row =
        values("kpi,period,value,published,count,regions,baseline.value,evidence,name\nA,2010,-3,TRUE,3,A; B,1.5,[],\" x \"\n");
    let rest = json!({ "published": true, "count": 3, "regions": ["A", "B"], "baseline": { "value": "1.5" }, "evidence": [], "name": " x " });
    let mut expected = json!({ "kpi": "A", "period": "2010", "value": "-3" });
    expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    assert_eq!(row, [expected]);
    for (cell, flag) in [("true", true), ("1", true), ("Ya", true), ("FALSE", false), ("0", false), ("tidak", false)] {
        let text = format!("kpi,period,value,published\nA,2010,1,{cell}\n");
        assert_eq!(values(&text)[0]["published"], flag, "{cell}");
    }
}

#[test]
fn quotation_marks_are_taken_strictly() {
    for (text, line, expected) in [
        ("kpi,period,value,note\nUQ,2021,1,\"belum ditutup\nUQ,2022,2,ok\nUQ,2023,3,ok\n", 2, "never closed"),
        ("kpi,period,value,name\nA,2021,1,x\nUQ,2021,1,\"belum\nUQ,2022,2,ok\n", 3, "never closed"),
        ("kpi,period,value,note\nUQ,2024,1,\"terpotong di te", 2, "never closed"),
        ("kpi,period,value,note\nUQ,2024,1,a \"b\" c\n", 2, "within a cell"),
        ("kpi,period,value,note\nUQ,2024,1,\"a\" b\n", 2, "goes on"),
        ("kpi,period,value,note\nUQ,2024,1,\"a\nb\"c\n", 2, "goes on"),
        ("kpi,period,value,name\nUQ,2024,1,\"a\nb\"\n", 2, "over several lines"),
        ("kpi,period,value,note,reason\nA,2021,1,\"a,\nB,2022,2,b\",c\n", 2, "reads as rows"),
        ("kpi,\"period\nUQ,2021\n", 1, "never closed"),
    ] {
        let (found, sentence) = refused(text.as_bytes());
        assert_eq!(found, Some(line), "{text:?}: {sentence}");
        assert!(sentence.contains(expected), "{text:?}: {sentence}");
    }
    let mut long = b"kpi,period,value,note\nUQ,2024,1,\"".to_vec();
    long.resize(100_000, b'x');
    assert_eq!(refused(&long).0, Some(2));
}

#[test]
fn what_is_not_utf8_is_named() {
    let utf16 = "kpi,period,value\n".encode_utf16();
    let little = utf16.clone().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let big = [0xfe, 0xff].into_iter().chain(utf16.flat_map(u16::to_be_bytes)).collect::<Vec<_>>();
    for (bytes, expected) in [
        (little.as_slice(), "UTF-16, not UTF-8"),
        (&big, "UTF-16, not UTF-8"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"kpi,period,value,note\nA,2021,1,x\nA,2022,1,caf\xe9\n", "Line 3 is not UTF-8"),
    ] {
        assert!(refused(bytes).1.contains(expected), "{}", refused(bytes).1);
    }
}

#[test]
fn a_wrong_header_refuses_the_whole_and_says_what_is_meant() {
    for (text, expected) in [
        ("", "no column `kpi`"),
        ("kpi,period\n", "no column `value`"),
        ("kpi,period,value,published on\n", "No column `published on`"),
        ("kpi,periode,value\n", "Did you mean `period`?"),
        ("kpi,period,value,Base-line\n", "Did you mean `baseline`?"),
        ("kpi,period,value,VALUE\n", "said by the column `value`"),
        ("kpi,period,value,baseline,baseline.value\n", "said by the column `baseline`"),
        ("kpi|period|value\n", "separated by `|`, this reads `,`, `;` or a tab"),
        ("sep=,\nkpi;period;value\n", "separated by `;`, this reads `,`"),
        ("sep=|\nkpi|period|value\n", "separated by `|`"),
    ] {
        let (line, sentence) = refused(text.as_bytes());
        assert_eq!(line, None, "{text:?}");
        assert!(sentence.contains(expected), "{text:?}: {sentence}");
    }
}

#[test]
fn a_row_with_a_wrong_cell_is_refused_alone() {
    let rows = read(b"kpi,period,value,evidence\nA,2021\nB,2021,1,[{\nC,2021,1,\nD,2021,1,,x\n", 3).unwrap();
    let good = rows.iter().map(|row| (row.line, row.value.is_ok())).collect::<Vec<_>>();
    assert_eq!(good, [(2, false), (3, false), (4, true), (5, false)]);
    let field_errors = |row: &Row| {
        row.value.as_ref().err().map(|field_errors| field_errors.iter().map(FieldError::sentence).collect::<String>())
    };
    assert!(field_errors(&rows[1]).unwrap().starts_with("/evidence: "));
}

#[test]
fn a_cell_goes_where_its_pointer_says() {
    let mut row = Value::Object(Map::new());
    let text = json!({ "type": "string" });
    for (pointer, value) in
        [("/value", "22.9"), ("/evidence/0/title", "Laporan"), ("/evidence/0/url", "https://a.example"), ("/a/b", "c")]
    {
        Column::of("any", pointer.to_owned(), &text).put(&mut row, json!(value));
    }
    let evidence = json!([{ "title": "Laporan", "url": "https://a.example" }]);
    assert_eq!(row, json!({ "value": "22.9", "evidence": evidence, "a": { "b": "c" } }));
}
