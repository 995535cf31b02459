//! Somebody who holds a lock of PostgreSQL for as long as a story wants.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// A session of `psql` that holds a lock until this is dropped.
pub struct Holder(Child);

impl Holder {
    /// Takes the lock with `statement` in a transaction of `psql`, and returns when it is held.
    pub fn of(mut psql: Command, statement: &str) -> Self {
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(psql.stdin.as_mut().unwrap(), "BEGIN; {statement};\n\\echo held").unwrap();
        let mut printed = BufReader::new(psql.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
        assert!(printed.any(|line| line == "held"), "`{statement}` takes no lock");
        Self(psql)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
