//! What the guide for systems tells is true: each of its programs is run as it stands, also where the network is bad.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Output;
use std::thread;

use renaksi_tests::guide::{self, Guide};
use renaksi_tests::resource::ACTIONS;
use renaksi_tests::server::CLIENT_SECRET;
use renaksi_tests::{App, on_both_databases, on_sqlite};
use serde_json::{Value, json};

const GUIDE: Guide = Guide("push.md");

on_both_databases! {
    async fn the_curl_program_pushes(app) {
        a_program_pushes(&app, "sh").await;
    }

    async fn the_python_program_pushes(app) {
        a_program_pushes(&app, "python").await;
    }

    async fn the_node_program_pushes(app) {
        a_program_pushes(&app, "js").await;
    }

    async fn the_reports_on_actions_are_pushed_as_shown(app) {
        let admin = app.admin().await;
        let (_, mut action) = ACTIONS.new_body();
        action["year"] = json!(2022);
        let (id, _) = ACTIONS.create_as(&admin, action).await;
        let mut command = guide::runs("sh", &GUIDE.program("bash"));
        let rows = GUIDE.program("csv").replace("0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", &id);
        fs::write(command.get_current_dir().unwrap().join("reports.csv"), rows).unwrap();
        command.env("RENAKSI_URL", app.server().url()).env("token", app.client_dinkes().await.token());
        let pushed = succeeded(&command.output().unwrap());
        assert_eq!((&pushed["received"], &pushed["created"]), (&json!(2), &json!(2)), "{pushed}");
        let stored = app.viewer().await.get(format!("{}/reports/2", ACTIONS.one(&id))).await.is(200);
        stored.has("state", "submitted").has("realisation", "2").has("submitted_by", "demo-dinkes");
    }
}

on_sqlite! {
    async fn the_curl_program_tries_again(app) {
        a_program_tries_again(&app, "sh");
    }

    async fn the_python_program_tries_again(app) {
        a_program_tries_again(&app, "python");
    }

    async fn the_node_program_tries_again(app) {
        a_program_tries_again(&app, "js");
    }
}

#[test]
fn the_guide_has_one_program_a_language() {
    let mut kinds = GUIDE.blocks().into_iter().map(|(kind, _)| kind).filter(|kind| kind != "json").collect::<Vec<_>>();
    kinds.sort();
    assert_eq!(kinds, ["bash", "csv", "js", "python", "sh"]);
}

async fn a_program_pushes(app: &App, kind: &str) {
    let (program, url) = (GUIDE.program(kind), app.server().url());
    let first = succeeded(&run(kind, &program, &url, CLIENT_SECRET));
    assert_eq!((&first["received"], &first["rejected"]), (&json!(2), &json!(0)), "{first}");
    assert_eq!(first["created"].as_u64().unwrap() + first["unchanged"].as_u64().unwrap(), 2, "{first}");
    let again = succeeded(&run(kind, &program, &url, CLIENT_SECRET));
    assert_eq!((&again["unchanged"], &again["rejected"]), (&json!(2), &json!(0)), "{again}");
    for period in ["2023", "2024"] {
        let stored = app.viewer().await.get(format!("/v1/kpis/STUNTING/measurements/{period}")).await.is(200);
        stored.has("state", "submitted").has("submitted_by", "demo-dinkes");
    }

    // A value that no percentage can have.
    let wrong = program.replace("16.4", "164");
    assert_ne!(wrong, program, "the guide pushes 16.4 for 2024");
    let refused = run(kind, &wrong, &url, CLIENT_SECRET);
    assert!(!refused.status.success(), "{}", told(&refused));
    assert_eq!(printed(&refused)["rejected"], 1, "{}", told(&refused));
    let refused = run(kind, &program, &url, "rahasia-yang-salah");
    assert!(!refused.status.success(), "{}", told(&refused));
}

/// The first request is refused for a moment, and the answer to the first push is lost.
fn a_program_tries_again(app: &App, kind: &str) {
    let url = flaky(app.address());
    let answer = succeeded(&run(kind, &GUIDE.program(kind), &url, CLIENT_SECRET));
    // The push whose answer was lost was done: the retry gets its answer, not that of a repeat.
    assert_eq!((&answer["received"], &answer["created"]), (&json!(2), &json!(2)), "{answer}");
}

fn run(kind: &str, program: &str, url: &str, secret: &str) -> Output {
    let mut command = guide::runs(kind, program);
    command.env("RENAKSI_URL", url).env("RENAKSI_CLIENT_ID", "demo-dinkes").env("RENAKSI_CLIENT_SECRET", secret);
    command.output().unwrap_or_else(|error| panic!("{command:?} is missing ({error}): the guide's programs are run with it"))
}

#[track_caller]
fn succeeded(output: &Output) -> Value {
    assert!(output.status.success(), "{}", told(output));
    printed(output)
}

#[track_caller]
fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {}", told(output)))
}

fn told(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}\n{stdout}\n{stderr}", output.status)
}

/// A bad network before a service: the address of one that refuses the first request and loses the answer to the first push.
fn flaky(service: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut turn, mut is_lost) = (0, false);
        for connection in listener.incoming().map_while(Result::ok) {
            let _ = pass_on(connection, &service, turn, &mut is_lost);
            turn += 1;
        }
    });
    format!("http://{address}")
}

fn pass_on(mut connection: TcpStream, service: &str, turn: u32, is_lost: &mut bool) -> io::Result<()> {
    let request = read_request(&mut connection)?;
    if turn == 0 {
        let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return connection.write_all(busy.as_bytes());
    }
    let is_push = request.starts_with(b"POST /v1/push/");
    let (mut behind, mut answer) = (TcpStream::connect(service)?, Vec::new());
    behind.write_all(&request)?;
    behind.read_to_end(&mut answer)?;
    if is_push && !*is_lost {
        *is_lost = true;
        return connection.shutdown(Shutdown::Both);
    }
    connection.write_all(&answer)
}

/// A whole request, changed so that the service hangs up after its answer.
fn read_request(connection: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let named = |line: &&str, name: &str| line.to_ascii_lowercase().starts_with(name);
            let length = head.lines().find(|line| named(line, "content-length:")).and_then(|line| line.split(':').nth(1));
            let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
            let body = &request[end + 4..];
            if body.len() >= length {
                let kept = head.lines().filter(|line| !named(line, "connection:")).collect::<Vec<_>>().join("\r\n");
                return Ok([kept.as_bytes(), &b"\r\nConnection: close\r\n\r\n"[..], body].concat());
            }
        }
        match connection.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
}
