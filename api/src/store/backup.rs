//! Files of SQLite databases as a whole: a consistent copy while the service writes, and another file in the place of a database.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use rustix::fs::{FlockOperation, fcntl_lock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use super::progress::Progress;
use super::{connection, files};

/// How often the size of what is written is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The number of bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// Why a file cannot be written or taken; its text is for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A file.
    #[error("{}: {reason}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The database.
    #[error("{}", connection::reason(.0))]
    Database(#[from] DbErr),
    /// What was found wrong, as a sentence.
    #[error("{0}")]
    Refused(String),
}

/// Names the file that an error is about.
fn at(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    let path = path.to_owned();
    |reason| Failed::File { path, reason }
}

/// A file under a temporary name, in the folder in which it is to lie. It is removed unless it is put in its place.
pub struct Part {
    path: PathBuf,
    place: PathBuf,
}

impl Part {
    /// An empty one for its owner alone.
    pub fn of(place: &Path) -> Result<Self, Failed> {
        let name = place.file_name().ok_or_else(|| Failed::Refused(format!("{} is no file", place.display())))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        let path = place.with_file_name(hidden);
        let path = files::with_end(&path, &format!(".{}.part", uuid::Uuid::now_v7().simple()));
        files::create(&path).map_err(at(&path))?;
        Ok(Self { path, place: place.to_owned() })
    }

    /// Where it lies now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, for good, and over another file only with `force`.
    pub fn put(self, force: bool) -> Result<(), Failed> {
        sync(&self.path)?;
        if force {
            fs::rename(&self.path, &self.place).map_err(at(&self.place))?;
        } else {
            // A link is never made over a file, whoever else is at it.
            match fs::hard_link(&self.path, &self.place) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(is_there(&self.place)),
                Ok(()) => {}
                // Where there are no links.
                Err(_) if self.place.exists() => return Err(is_there(&self.place)),
                Err(_) => fs::rename(&self.path, &self.place).map_err(at(&self.place))?,
            }
        }
        sync(&folder_of(&self.place))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Nothing is left where it was put in its place.
        for path in [self.path.clone()].into_iter().chain(files::companions(&self.path)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Refuses a file that is there already.
pub fn is_there(path: &Path) -> Failed {
    Failed::Refused(format!("{} exists already; --force writes over it", path.display()))
}

/// What was written is on the disk, also after a power cut.
fn sync(path: &Path) -> Result<(), Failed> {
    File::open(path).and_then(|file| file.sync_all()).map_err(at(path))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writes the database as it is at one instant into an empty file, while others go on reading and writing.
pub async fn copy_online(db: &DatabaseConnection, into: &Path, progress: &mut Progress) -> Result<(), Failed> {
    let name = into.to_str().ok_or_else(|| Failed::Refused(format!("the name {} is no Unicode", into.display())))?;
    let size = db.query_one_raw(Statement::from_string(
        DbBackend::Sqlite,
        "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
    ));
    let size: i64 = size.await?.map_or(Ok(0), |row| row.try_get("", "bytes"))?;
    // It reads in one transaction, which in WAL mode no writer waits for.
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    let copying = db.execute_raw(statement);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            copied = &mut copying => {
                copied?;
                return Ok(());
            }
            () = tokio::time::sleep(LOOK_EVERY) => {
                let done = into.metadata().map_or(0, |file| file.len());
                progress.part("copying", done, size.unsigned_abs());
            }
        }
    }
}

/// Copies a file that nobody writes to.
pub fn copy_still(from: &Path, into: &Path, progress: &mut Progress) -> Result<(), Failed> {
    let mut source = File::open(from).map_err(at(from))?;
    let of = source.metadata().map_err(at(from))?.len();
    let mut target = files::create(into).map_err(at(into))?;
    let (mut piece, mut done) = (vec![0; PIECE], 0);
    loop {
        let some = source.read(&mut piece).map_err(at(from))?;
        let Some(bytes) = piece.get(..some).filter(|bytes| !bytes.is_empty()) else { break };
        target.write_all(bytes).map_err(at(into))?;
        done += some as u64;
        progress.part("copying", done, of);
    }
    target.sync_all().map_err(at(into))
}

/// A file whose pages and references hold, opened at the schema of this version: the file itself where it has that, else a copy
/// beside it that is brought up to it and goes when it is dropped.
pub struct Checked {
    /// The database, to read.
    pub db: DatabaseConnection,
    _upgraded: Option<Part>,
}

/// Checks a file of a SQLite database, and opens it for what else is to be verified.
pub async fn check(path: &Path, progress: &mut Progress) -> Result<Checked, Failed> {
    let db = connection::open_still(path).await?;
    progress.step("checking the pages");
    for (pragma, what) in
        [("integrity_check(1)", "is damaged"), ("foreign_key_check", "has a reference to a row that is not there")]
    {
        let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"))).await?;
        let found = rows.first().map(|row| row.try_get_by_index::<String>(0).unwrap_or_default());
        if let Some(found) = found.filter(|found| found != "ok") {
            return Err(Failed::Refused(format!("{} {what}: {found}", path.display())));
        }
    }
    let none = |_| Failed::Refused(format!("{} is no database of Renaksi", path.display()));
    let (taken, known) = (connection::steps_of(&db).await.map_err(none)?, connection::steps());
    if let Some(strange) = taken.difference(&known).next() {
        return Err(Failed::Refused(format!(
            "{} was made by another version: its schema has the step {strange}",
            path.display()
        )));
    }
    if taken == known {
        return Ok(Checked { db, _upgraded: None });
    }
    db.close().await?;
    progress.step("upgrading a copy to check it");
    let upgraded = Part::of(path)?;
    copy_still(path, upgraded.path(), &mut Progress::silent())?;
    let db = connection::open_file(upgraded.path()).await?;
    Migrator::up(&db, None).await?;
    Ok(Checked { db, _upgraded: Some(upgraded) })
}

/// A database that no other process has open, and that none can open until this is dropped.
pub struct Held {
    path: PathBuf,
    file: Option<File>,
}

/// Takes the place of a database, where there may be none.
pub fn hold(path: &Path) -> Result<Held, Failed> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        opened => Some(opened.map_err(at(path))?),
    };
    if let Some(file) = &file {
        // Whoever has the database open holds a lock of this kind on a part of the file, and only another process's lock refuses
        // this one. It ends when this process closes the file anywhere: nothing else here may open it.
        fcntl_lock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failed::Refused(format!("{} is in use: stop the service, and whatever else works with it, first", path.display()))
        })?;
    }
    Ok(Held { path: path.to_owned(), file })
}

impl Held {
    /// Whether there is a database.
    pub fn is_there(&self) -> bool {
        self.file.is_some()
    }

    /// Puts another file in its place, and keeps what was there under another name if there is one. At no moment is there none: a
    /// service that started then would begin with an empty one.
    pub fn replace(self, with: Part, keep: Option<&Path>) -> Result<(), Failed> {
        let beside = files::companions(&self.path);
        if let Some(keep) = keep {
            for (from, to) in
                [self.path.clone()].iter().chain(&beside).zip([keep.to_owned()].iter().chain(&files::companions(keep)))
            {
                match fs::hard_link(from, to) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    linked => linked.map_err(at(to))?,
                }
            }
        }
        sync(with.path())?;
        // What lies beside belongs to the old file: SQLite would play its log into the new one.
        for path in &beside {
            match fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(at(path))?,
            }
        }
        fs::rename(with.path(), &self.path).map_err(at(&self.path))?;
        sync(&folder_of(&self.path))
    }
}
