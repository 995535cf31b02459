//! `renaksi audit`

use std::io::{BufWriter, Write, stdout};

use super::CommandResult;
use crate::config::{AuditCommand, AuditExport, AuditVerify, Database};
use crate::feed::export::export;
use crate::feed::seal::Head;
use crate::feed::verify::{Verdict, verify};
use crate::store::{connection, files};

/// Proves that the trail is whole, or says where it is not; or writes it.
pub async fn run(command: AuditCommand) -> CommandResult {
    match command {
        AuditCommand::Verify(asked) => run_verify(asked).await,
        AuditCommand::Export(asked) => run_export(asked).await,
    }
}

async fn run_verify(asked: AuditVerify) -> CommandResult {
    let db = open(&asked.database).await?;
    let kept = asked.head.map(|(position, hash)| Head { position, hash });
    match verify(&db, kept.as_ref()).await.map_err(|error| error.sentence())? {
        Verdict::Sound(head) => {
            println!("{} events, none altered or removed. Head: {}:{}", head.position, head.position, head.hash);
            Ok(())
        }
        Verdict::Broken { position, why } => Err(format!("the chain breaks at event {position}: {why}").into()),
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
