//! `renaksi audit`

use std::io::{BufWriter, Write, stdout};

use sea_orm::ConnectionTrait;

use super::CommandResult;
use crate::config::Database;
use crate::config::data::{AuditCommand, AuditExport, AuditVerify};
use crate::feed::export::export;
use crate::feed::seal::Head;
use crate::feed::verify::{Verdict, verify};
use crate::store::progress::Progress;
use crate::store::{connection, files};
use crate::webhooks::subscriptions;

/// Verifies the audit log and says where it does not hold, or exports it.
pub async fn run(command: AuditCommand) -> CommandResult {
    match command {
        AuditCommand::Verify(asked) => run_verify(asked).await,
        AuditCommand::Export(asked) => run_export(asked).await,
    }
}

async fn run_verify(asked: AuditVerify) -> CommandResult {
    let db = open(&asked.database).await?;
    let kept = asked.head.map(|(position, hash)| Head { position, hash });
    // The service may be writing at the same time.
    let db = connection::snapshot(&db).await?;
    println!("{}", describe(&verified(&db, kept.as_ref(), Progress::of("audit verify")).await?));
    Ok(())
}

/// What holds of a database with this head, in words.
pub fn describe(head: &Head) -> String {
    format!(
        "{} events, none altered or removed, and every row equals what its last event says. Head: {}:{}",
        head.position, head.position, head.hash
    )
}

/// The head of a database that nothing was done to behind the service's back. Call it with one snapshot of the database.
pub async fn verified(db: &impl ConnectionTrait, kept: Option<&Head>, progress: Progress) -> Result<Head, String> {
    let verdict = verify(db, kept, progress).await.map_err(|error| error.sentence())?;
    let webhooks = subscriptions::compare(db).await.map_err(|error| error.sentence())?;
    match (verdict, webhooks) {
        (Verdict::Broken { position, why }, _) => Err(format!("the chain breaks at event {position}: {why}")),
        (Verdict::Differs(difference), _) | (_, Some(difference)) => {
            Err(format!("the data differs from its history: {difference}"))
        }
        (Verdict::Sound(head), None) => Ok(head),
    }
}

async fn run_export(asked: AuditExport) -> CommandResult {
    let db = open(&asked.database).await?;
    let out: Box<dyn Write> = match &asked.output {
        Some(path) => Box::new(files::create(path).map_err(|error| format!("{}: {error}", path.display()))?),
        None => Box::new(stdout()),
    };
    let head = export(&db, asked.after, &mut BufWriter::new(out)).await?;
    eprintln!("{} events. Head: {}:{}", (head.position - asked.after).max(0), head.position, head.hash);
    Ok(())
}

async fn open(database: &Database) -> Result<sea_orm::DatabaseConnection, sea_orm::DbErr> {
    connection::open(&database.database_url, database.database_connections).await
}
