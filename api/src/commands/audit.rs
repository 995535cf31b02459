//! `renaksi audit`

use std::io::{BufWriter, Write, stdout};

use super::CommandResult;
use crate::config::{AuditCommand, AuditExport, AuditVerify, Database};
use crate::feed::export::export;
use crate::feed::seal::Head;
use crate::feed::verify::{Verdict, verify_telling};
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
    let verdict = verify_telling(&db, kept.as_ref(), Progress::of("audit verify")).await.map_err(|error| error.sentence())?;
    let webhooks = subscriptions::compare(&db).await.map_err(|error| error.sentence())?;
    match (verdict, webhooks) {
        (Verdict::Broken { position, why }, _) => Err(format!("the chain breaks at event {position}: {why}").into()),
        (Verdict::Differs(difference), _) | (_, Some(difference)) => {
            Err(format!("the data differs from its history: {difference}").into())
        }
        (Verdict::Sound(head), None) => {
            println!(
                "{} events, none altered or removed, and every row equals what its last event says. Head: {}:{}",
                head.position, head.position, head.hash
            );
            Ok(())
        }
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
