//! Somebody who holds a lock of a database for as long as a story wants.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Begins to write in a file, and waits until its standard input closes.
const WRITER: &str = "import sqlite3, sys; file = sqlite3.connect(sys.argv[1], isolation_level=None); \
                      file.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()";

/// A session that holds a lock until this is dropped.
pub struct Holder(Child);

impl Holder {
    /// Takes the lock with `statement` in a transaction of `psql`, and returns when it is held.
    pub fn of(mut psql: Command, statement: &str) -> Self {
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(psql.stdin.as_mut().unwrap(), "BEGIN; {statement};\n\\echo held").unwrap();
        Self(psql).once_held()
    }

    /// Is the one writer of a file of SQLite.
    pub fn of_file(file: &Path) -> Self {
        let mut python = Command::new("python3");
        let python = python.args(["-c", WRITER]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(python.spawn().expect("python3 starts")).once_held()
    }

    fn once_held(mut self) -> Self {
        let mut printed = BufReader::new(self.0.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
        assert!(printed.any(|line| line == "held"), "the lock is not held");
        self
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
