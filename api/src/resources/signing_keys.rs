//! What the audit log tells of the keys that access tokens are signed with. The command line rotates and revokes them.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::language::Noun;
use crate::store::kind::{Audited, Recorded};

/// What the audit log tells of them.
pub static AUDITED: Audited = Audited::new("signing_key", Noun::new("signing key", "kunci penanda tangan"))
    .about_accounts(&["created", "revoked"])
    .recorded(|| Recorded::of::<SigningKey>(example()));

/// The public half of a key, as a JSON Web Key (RFC 7517).
#[derive(Serialize, ToSchema)]
struct SigningKey {
    /// The identifier of the key: its thumbprint (RFC 7638).
    #[schema(max_length = 64)]
    kid: String,
    /// The type of the key.
    #[schema(max_length = 8)]
    kty: String,
    /// The curve of the key.
    #[schema(max_length = 16)]
    crv: String,
    /// The algorithm that the key signs with.
    #[schema(max_length = 16)]
    alg: String,
    /// What the key is for.
    #[schema(max_length = 8)]
    r#use: String,
    /// The first coordinate of the public point.
    #[schema(max_length = 64)]
    x: String,
    /// The second coordinate of the public point.
    #[schema(max_length = 64)]
    y: String,
}

fn example() -> Value {
    json!({
        "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}
