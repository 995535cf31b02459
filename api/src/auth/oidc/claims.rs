//! The actor whom the claims of an outside token describe.

use entity::user::Role;
use entity::value::code::Code;
use sea_orm::ActiveEnum;
use serde_json::Value;

use super::Settings;
use crate::auth::actor::{Actor, ActorKind, Login};
use crate::auth::keys::Refusal;

/// The greatest number of characters of a name in the audit log.
const LONGEST_NAME: usize = 254;
/// The greatest number of characters of a subject (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;
/// The roles in order of precedence: a token with several roles gets the first of these.
const MOST_POWERFUL_FIRST: [Role; 4] = [Role::Admin, Role::Verifier, Role::Operator, Role::Viewer];

const NO_ACCESS_TOKEN: Refusal = ("The token is no access token.", "Token ini bukan token akses.");
const NO_SUBJECT: Refusal =
    ("The token does not say whom it speaks for.", "Token tidak menyebutkan atas nama siapa token ini diterbitkan.");
const NO_ROLE: Refusal = ("The token carries no role of this service.", "Token tidak memuat peran di layanan ini.");
const NO_OPD: Refusal = ("The token of an operator carries no OPD.", "Token operator tidak memuat OPD.");

impl Settings {
    /// The name of somebody in the audit log. An address that the provider did not verify may belong to somebody else, and so may
    /// any name that looks like an address.
    fn name(&self, claims: &Value, subject: &str) -> String {
        let is_verified = claims["email_verified"] == true || claims["email_verified"] == "true";
        let chosen = text(&claims["preferred_username"]).filter(|name| !name.contains('@'));
        let email = text(&claims["email"]).filter(|_| is_verified);
        let own = || if subject.contains('@') { format!("{}#{subject}", self.issuer) } else { subject.to_owned() };
        email.or(chosen).map_or_else(own, str::to_owned)
    }

    /// The actor for whom a token with these claims was issued.
    pub(super) fn actor(&self, claims: &Value) -> Result<Actor, Refusal> {
        if is_for_something_else(claims) {
            return Err(NO_ACCESS_TOKEN);
        }
        let subject = text(&claims["sub"]).filter(|text| text.chars().count() <= LONGEST_SUBJECT).ok_or(NO_SUBJECT)?;
        let name = self.name(claims, subject);
        let role = find(claims, &self.role_claim).and_then(|claim| role_in(claim, &self.role_prefix)).ok_or(NO_ROLE)?;
        let opd = match role {
            Role::Operator => Some(find(claims, &self.opd_claim).and_then(opd_in).ok_or(NO_OPD)?),
            _ => None,
        };
        Ok(Actor {
            kind: ActorKind::User,
            id: format!("{}#{subject}", self.issuer),
            name: name.chars().take(LONGEST_NAME).collect(),
            is_outside: true,
            role,
            opd,
            scopes: None,
            login: Login::default(),
        })
    }
}

/// Whether a token was signed with the provider's keys but is no access token: it says so itself (as Keycloak's tokens do), or it
/// holds what only an ID token holds (OpenID Connect Core §2 and §3). Some providers put the nonce into access tokens too; those
/// tokens then say that they are access tokens.
fn is_for_something_else(claims: &Value) -> bool {
    let says = claims["typ"].as_str();
    let has = |name: &str| claims.get(name).is_some_and(|claim| !claim.is_null());
    matches!(says, Some("ID" | "Refresh" | "Offline" | "Logout"))
        || ["at_hash", "c_hash", "s_hash"].into_iter().any(has)
        || (has("nonce") && says != Some("Bearer"))
}

/// The claim at a path. The name of a claim may contain dots itself, as the names that are URLs do.
fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |claim, name| claim.get(name)))
}

/// The most powerful role of this service in a claim.
fn role_in(claim: &Value, prefix: &str) -> Option<Role> {
    let own = texts(claim).filter_map(|text| text.strip_prefix(prefix)).collect::<Vec<_>>();
    MOST_POWERFUL_FIRST.into_iter().find(|role| own.contains(&role.to_value().as_str()))
}

/// The OPD in a claim. If there are several, none is taken, since no one of them is meant more than the others.
fn opd_in(claim: &Value) -> Option<String> {
    let mut codes = texts(claim);
    let (code, None) = (codes.next()?, codes.next()) else { return None };
    Code::parse(code).is_ok().then(|| code.to_owned())
}

/// The texts of a claim that holds one text or a list of texts.
fn texts(claim: &Value) -> impl Iterator<Item = &str> {
    let list = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}

/// A text in a form that the audit log can keep.
fn text(claim: &Value) -> Option<&str> {
    claim.as_str().filter(|text| !text.trim().is_empty() && !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn settings() -> Settings {
        Settings {
            issuer: "https://login.tests.invalid".into(),
            audience: "renaksi".into(),
            jwks_url: None,
            role_claim: "realm_access.roles".into(),
            role_prefix: "renaksi-".into(),
            opd_claim: "opd".into(),
        }
    }

    #[test]
    fn a_claim_is_found_by_its_path() {
        let claims = json!({ "role": "admin", "a": { "b": { "c": ["x"] }, "d": [1] }, "https://a.invalid/role": "viewer" });
        for (path, found) in
            [("role", json!("admin")), ("a.b.c", json!(["x"])), ("a.d", json!([1])), ("https://a.invalid/role", json!("viewer"))]
        {
            assert_eq!(find(&claims, path), Some(&found), "{path}");
        }
        for path in ["", "b", "a.c", "role.x", "a.d.0", "a..b", "a.b.c.x"] {
            assert_eq!(find(&claims, path), None, "{path}");
        }
    }

    #[test]
    fn the_most_powerful_role_counts() {
        for (claim, prefix, role) in [
            (json!("admin"), "", Some(Role::Admin)),
            (json!(["viewer", "operator", "other"]), "", Some(Role::Operator)),
            (json!(["viewer", "verifier"]), "", Some(Role::Verifier)),
            (json!(["renaksi-viewer", "admin"]), "renaksi-", Some(Role::Viewer)),
            (json!(["Admin", "administrator", 1, null]), "", None),
            (json!("admin viewer"), "", None),
            (json!({ "admin": true }), "", None),
            (json!([]), "", None),
        ] {
            assert_eq!(role_in(&claim, prefix), role, "{claim} {prefix}");
        }
    }

    #[test]
    fn an_actor_is_named() {
        let mut claims = json!({
            "sub": "7", "email": "ani@tests.invalid", "email_verified": true, "preferred_username": "ani",
            "realm_access": { "roles": ["offline_access", "renaksi-operator"] }, "opd": ["DINKES"],
        });
        let actor = settings().actor(&claims).unwrap();
        assert_eq!((actor.id.as_str(), actor.name.as_str()), ("https://login.tests.invalid#7", "ani@tests.invalid"));
        assert_eq!((actor.role, actor.opd.as_deref()), (Role::Operator, Some("DINKES")));
        assert!(actor.kind == ActorKind::User && actor.scopes.is_none());
        for unverified in [json!(false), json!(null), json!("false"), json!(1)] {
            claims["email_verified"] = unverified;
            assert_eq!(settings().actor(&claims).unwrap().name, "ani");
        }
        // Neither a name nor a subject that was chosen makes anybody somebody else.
        claims["preferred_username"] = json!("admin@demo.invalid");
        assert_eq!(settings().actor(&claims).unwrap().name, "7");
        claims["sub"] = json!("admin@demo.invalid");
        assert_eq!(settings().actor(&claims).unwrap().name, "https://login.tests.invalid#admin@demo.invalid");

        let mut viewer = json!({ "sub": "7", "realm_access": { "roles": "renaksi-viewer" }, "opd": "DINKES" });
        let actor = settings().actor(&viewer).unwrap();
        assert_eq!((actor.name.as_str(), actor.opd), ("7", None));
        viewer["email_verified"] = json!(true);
        viewer["email"] = json!("a\u{0}b");
        viewer["preferred_username"] = json!("é".repeat(300));
        assert_eq!(settings().actor(&viewer).unwrap().name, "é".repeat(254));
    }

    #[test]
    fn a_token_that_says_too_little_is_refused() {
        let sound = json!({ "sub": "7", "realm_access": { "roles": ["renaksi-operator"] }, "opd": "DINKES", "typ": "Bearer" });
        assert!(settings().actor(&sound).is_ok());
        for (claim, value, refusal) in [
            ("typ", json!("ID"), NO_ACCESS_TOKEN),
            ("typ", json!("Refresh"), NO_ACCESS_TOKEN),
            ("at_hash", json!("x"), NO_ACCESS_TOKEN),
            ("c_hash", json!("x"), NO_ACCESS_TOKEN),
            ("sub", json!(null), NO_SUBJECT),
            ("sub", json!(""), NO_SUBJECT),
            ("sub", json!("x".repeat(256)), NO_SUBJECT),
            ("realm_access", json!({}), NO_ROLE),
            ("realm_access", json!({ "roles": ["operator"] }), NO_ROLE),
            ("opd", json!(null), NO_OPD),
            ("opd", json!(["DINKES", "DLH"]), NO_OPD),
            ("opd", json!("DIN KES"), NO_OPD),
        ] {
            let mut claims = sound.clone();
            claims[claim] = value.clone();
            assert_eq!(settings().actor(&claims).err(), Some(refusal), "{claim} {value}");
        }
        let mut with_nonce = sound.clone();
        with_nonce["nonce"] = json!("x");
        assert!(settings().actor(&with_nonce).is_ok(), "it says that it is an access token");
        with_nonce["typ"] = json!(null);
        assert_eq!(settings().actor(&with_nonce).err(), Some(NO_ACCESS_TOKEN));
    }
}
