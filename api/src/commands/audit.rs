//! `renaksi audit`

use super::CommandResult;
use crate::config::AuditVerify;
use crate::feed::seal::Head;
use crate::feed::verify::{Verdict, verify};
use crate::store::connection;

/// Proves that the trail is whole, or says where it is not.
pub async fn run(asked: AuditVerify) -> CommandResult {
    let db = connection::open(&asked.database.database_url, asked.database.database_connections).await?;
    let kept = asked.head.map(|(position, hash)| Head { position, hash });
    match verify(&db, kept.as_ref()).await.map_err(|error| error.sentence())? {
        Verdict::Sound(head) => {
            println!("{} events, none altered or removed. Head: {}:{}", head.position, head.position, head.hash);
            Ok(())
        }
        Verdict::Broken { position, why } => Err(format!("the chain breaks at event {position}: {why}").into()),
    }
}
