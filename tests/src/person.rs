//! People whom an admin invites, and who set their passwords themselves.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::actor::Actor;
use crate::answer::Answer;
use crate::service::Service;
use crate::unique;

/// A person with a password.
pub struct Person {
    /// The e-mail address, which is the user name.
    pub email: String,
    /// The path of the account.
    pub path: String,
    /// The password.
    pub password: String,
    /// The person with a token of the first login.
    pub actor: Actor,
    /// The answer to the first login.
    pub granted: Answer,
}

impl Person {
    /// An admin invites somebody, who sets a password and logs in.
    pub async fn invited(service: &Service, role: &str, opd: Option<&str>, password: &str) -> Self {
        let body = json!({ "email": unique::email(), "role": role, "opd": opd });
        Self::created(service, body, password).await
    }

    /// The same for the body of `POST /v1/users`.
    pub async fn created(service: &Service, body: Value, password: &str) -> Self {
        let created = service.admin().await.create("/v1/users", body).await;
        let anyone = service.anyone();
        accept(&anyone, &created.text_at("invitation"), password).await.is(204);
        let email = created.text_at("email");
        let granted = anyone.log_in(&email, password).await.is(200);
        let actor = anyone.with_token(&granted.text_at("access_token"));
        Self { email, path: format!("/v1/users/{}", created.text_at("id")), password: password.to_owned(), actor, granted }
    }

    /// Sets up one-time codes with the present code; gives the secret and the recovery codes.
    pub async fn set_up_totp(&self) -> (String, Vec<String>) {
        let secret = self.actor.post("/v1/me/totp", json!({})).await.is(200).text_at("secret");
        let confirmed = self.actor.put("/v1/me/totp", json!({ "code": code(&secret, 0) })).await.is(200);
        let codes = confirmed.at("recovery_codes").as_array().unwrap().clone();
        (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
    }

    /// Asks for a token with a one-time code.
    pub async fn log_in_with(&self, anyone: &Actor, totp: &str) -> Answer {
        let fields = [("grant_type", "password"), ("username", &self.email), ("password", &self.password), ("totp", totp)];
        anyone.post_form("/v1/auth/token", &fields).await
    }
}

/// Sets a password with an invitation.
pub async fn accept(anyone: &Actor, invitation: &str, password: &str) -> Answer {
    anyone.post("/v1/auth/password", json!({ "invitation": invitation, "new": password })).await
}

/// Exchanges the refresh token of an answer.
pub async fn refresh(anyone: &Actor, granted: &Answer) -> Answer {
    let token = granted.text_at("refresh_token");
    anyone.post_form("/v1/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await
}

/// The code that an authenticator app shows, or showed or will show so many steps of 30 seconds away.
pub fn code(secret: &str, steps: i64) -> String {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let secret = Secret::try_from_base32(secret).unwrap();
    let codes = Builder::new().with_secret(secret).with_account_name("a").build().unwrap();
    codes.generate(second.saturating_add_signed(steps * 30)).to_string()
}
