//! Where the rows of a run stand, and how they go away again.

use std::path::PathBuf;
use std::{env, fs, io, process};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr};

/// A temporary folder; removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    pub(crate) fn make() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("renaksi-bench-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// The URL of a database in it.
    pub(crate) fn sqlite_url(&self) -> String {
        format!("sqlite://{}", self.0.join("reads.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} was not removed: {error}", self.0.display());
        }
    }
}

/// A schema of its own in a PostgreSQL database.
pub(crate) struct Schema {
    db: DatabaseConnection,
    url: String,
    name: String,
}

impl Schema {
    /// Makes one in the database at `url`.
    pub(crate) async fn make(url: &str) -> Result<Self, DbErr> {
        let (db, name) = (Database::connect(url).await?, format!("renaksi_bench_{}", process::id()));
        db.execute_unprepared(&format!("CREATE SCHEMA {name}")).await?;
        Ok(Self { db, url: url.to_owned(), name })
    }

    /// The URL that leads into it.
    pub(crate) fn url(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options[search_path]={}", self.url, self.name)
    }

    /// Removes it.
    pub(crate) async fn remove(self) -> Result<(), DbErr> {
        self.db.execute_unprepared(&format!("DROP SCHEMA {} CASCADE", self.name)).await.map(drop)
    }
}
