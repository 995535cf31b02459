//! Statements in SQLite's files behind the service's back. Python brings SQLite along; one process of it serves all tests, as
//! its start takes longer than a statement.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

/// Answers a line with a file and a statement by a line with what it printed, or with an error.
const SCRIPT: &str = r#"
import contextlib, json, sqlite3, sys
for line in sys.stdin:
    file, statement = json.loads(line)
    try:
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            answer = {"rows": ["|".join(map(str, row)) for row in database.execute(statement)]}
    except sqlite3.Error as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"#;

struct Python {
    // It ends when this process does, as its standard input closes.
    _process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let mut python = Command::new("python3");
        let mut process =
            python.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 starts");
        let (asks, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { _process: process, asks, answers: BufReader::new(answers) }
    }

    fn ask(&mut self, file: &Path, statement: &str) -> Value {
        writeln!(self.asks, "{}", json!([file, statement])).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Runs a statement in a file and answers its rows: a line each, columns separated by `|`.
///
/// # Panics
///
/// When the statement fails.
pub fn query(file: &Path, statement: &str) -> String {
    static PYTHON: LazyLock<Mutex<Python>> = LazyLock::new(|| Mutex::new(Python::start()));
    let answer = PYTHON.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).ask(file, statement);
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{statement}: {}", answer["error"]));
    rows.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}
