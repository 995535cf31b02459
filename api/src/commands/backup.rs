//! `renaksi backup` and `renaksi restore`

use std::fs;
use std::path::Path;

use chrono::Utc;
use sea_orm::DatabaseConnection;

use super::audit::{self, describe};
use super::{CommandResult, RunInstead, postgres};
use crate::config::data::{Backup, Restore};
use crate::feed::seal::{Head, head};
use crate::store::backup::{Failed, Part, check, copy_online, copy_still, hold, is_there};
use crate::store::progress::Progress;
use crate::store::{connection, files};

/// Writes a backup of a SQLite database, also while the service writes; for PostgreSQL it says which programs do that.
pub async fn run_backup(asked: Backup) -> CommandResult {
    let url = &asked.database.database_url;
    let Some(path) = connection::file_of(url)? else {
        return Err(RunInstead { commands: postgres::backup(url, &asked.file)? }.into());
    };
    if !path.is_file() {
        return Err(format!("there is no database at {}", path.display()).into());
    }
    if asked.file.exists() {
        if !asked.force {
            return Err(is_there(&asked.file).into());
        }
        if fs::canonicalize(&asked.file)? == fs::canonicalize(&path)? {
            return Err("the backup would be written over the database itself".into());
        }
    }
    let mut progress = Progress::of("backup");
    let db = connection::open(url, 1).await?;
    let part = Part::of(&asked.file)?;
    let copied = copied(&db, &part, &mut progress).await;
    db.close().await?;
    let head = verified(part.path(), Some(&copied?), &mut progress).await?;
    part.put(asked.force)?;
    drop(progress);
    println!("{} holds {}", asked.file.display(), describe(&head));
    Ok(())
}

/// Copies the database, and returns the head that it had before, through which the chain of the copy must go.
async fn copied(db: &DatabaseConnection, part: &Part, progress: &mut Progress) -> Result<Head, Box<dyn std::error::Error>> {
    let before = head(db).await.map_err(|error| error.sentence())?;
    copy_online(db, part.path(), progress).await?;
    Ok(before)
}

/// Puts a backup in the place of a SQLite database that nobody uses; for PostgreSQL it says which programs do that.
pub async fn run_restore(asked: Restore) -> CommandResult {
    let url = &asked.database.database_url;
    let Some(path) = connection::file_of(url)? else {
        return Err(RunInstead { commands: postgres::restore(url, &asked.file)? }.into());
    };
    let mut progress = Progress::of("restore");
    let held = hold(&path)?;
    let part = Part::of(&path)?;
    copy_still(&asked.file, part.path(), &mut progress)?;
    let kept = asked.head.map(|(position, hash)| Head { position, hash });
    let head = verified(part.path(), kept.as_ref(), &mut progress).await?;
    let keep = (held.is_there() && !asked.discard)
        .then(|| files::with_end(&path, &format!(".replaced-{}", Utc::now().format("%Y%m%dT%H%M%S%3fZ"))));
    held.replace(part, keep.as_deref())?;
    drop(progress);
    if let Some(keep) = keep {
        eprintln!("the database that was replaced is now {}", keep.display());
    }
    println!("{} holds {}", path.display(), describe(&head));
    Ok(())
}

/// The head of a file that holds whole pages, all that its rows refer to, and an audit log that nothing was done to.
async fn verified(path: &Path, kept: Option<&Head>, progress: &mut Progress) -> Result<Head, Failed> {
    let checked = check(path, progress).await?;
    progress.step("verifying the audit log");
    let verified = audit::verified(&checked.db, kept, Progress::silent()).await.map_err(Failed::Refused);
    checked.db.close().await?;
    verified
}
