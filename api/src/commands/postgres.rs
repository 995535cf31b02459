//! The command lines of PostgreSQL's own programs for what they do better than this one, without any password.

use std::path::Path;
use std::str::FromStr;

use sea_orm::sqlx::postgres::PgConnectOptions;

/// Where a database is, as the programs of PostgreSQL take it.
struct Place {
    host: String,
    port: u16,
    user: String,
    name: String,
}

impl Place {
    fn of(url: &str) -> Result<Self, String> {
        if url.starts_with("sqlite:") {
            return Err("a database in memory has no backups".to_owned());
        }
        // What it says about a URL that it cannot read might hold a part of it.
        let options =
            PgConnectOptions::from_str(url).map_err(|_| "--database-url (DATABASE_URL): this is no URL of a database")?;
        let socket = options.get_socket().map(|folder| folder.display().to_string());
        Ok(Self {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            user: options.get_username().to_owned(),
            name: options.get_database().unwrap_or_else(|| options.get_username()).to_owned(),
        })
    }

    /// The flags that say to which server.
    fn server(&self) -> String {
        format!("--host={} --port={} --username={}", quoted(&self.host), self.port, quoted(&self.user))
    }
}

/// Text as one word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+=".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// How a backup is written.
pub fn backup(url: &str, file: &Path) -> Result<String, String> {
    let place = Place::of(url)?;
    let (server, name, file) = (place.server(), quoted(&place.name), quoted(&file.display().to_string()));
    Ok(format!(
        "# One database as it is at one instant, while the service goes on. The password comes from ~/.pgpass or PGPASSWORD.\n\
         umask 077 && pg_dump {server} --dbname={name} --format=custom --file={file}.part && mv {file}.part {file}\n\
         # Or the whole server, from which it can be brought to any later instant: see docs/operations/backup.md.\n\
         # umask 077 && pg_basebackup {server} --pgdata={file}.base --checkpoint=fast --wal-method=stream\n"
    ))
}

/// How a backup is restored.
pub fn restore(url: &str, file: &Path) -> Result<String, String> {
    let place = Place::of(url)?;
    let (server, name, file) = (place.server(), quoted(&place.name), quoted(&file.display().to_string()));
    Ok(format!(
        "# Into an empty database, while no service uses it. The password comes from ~/.pgpass or PGPASSWORD.\n\
         createdb {server} --template=template0 {name}\n\
         pg_restore {server} --dbname={name} --no-owner --exit-on-error --single-transaction {file}\n\
         # With the same DATABASE_URL: the feed goes on on this server, and nothing was lost or altered.\n\
         renaksi migrate && renaksi audit verify\n"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_lines_hold_all_but_the_password() {
        let url = "postgres://app%20user:s3cr%27et@db.example.go.id:6432/smart_city?sslmode=require&password=other-s3cret";
        for lines in [backup(url, Path::new("a b.dump")).unwrap(), restore(url, Path::new("a b.dump")).unwrap()] {
            assert!(!lines.contains("s3cr") && !lines.contains("password="), "{lines}");
            for part in ["--host=db.example.go.id", "--port=6432", "--username='app user'", "smart_city", "'a b.dump'"] {
                assert!(lines.contains(part), "{part}: {lines}");
            }
        }
        let wrong = backup("postgres://user:s3cret@[host/name", Path::new("x")).unwrap_err();
        assert!(!wrong.contains("s3cret"), "{wrong}");
    }

    #[test]
    fn a_word_for_a_shell_stays_one_word() {
        assert_eq!(quoted("plain-1.2"), "plain-1.2");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
        assert_eq!(quoted(""), "''");
    }
}
