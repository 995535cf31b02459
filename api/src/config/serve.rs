//! The settings of `serve`, and what follows from them.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::Database;
use super::values::{Confidential, http_url, network, receiver, scale};
use crate::auth::{oidc, password};
use crate::demo::Fixed;
use crate::licence::Licence;
use crate::store::clock::Calendar;
use crate::store::standing::LoginPolicy;
use crate::telemetry::otlp;
use crate::webhooks::addresses::Addresses;
use crate::webhooks::courier;
use crate::webhooks::retries::Plan;

/// The settings of `serve`.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The settings of the database.
    #[command(flatten)]
    pub database: Database,
    /// The address and port to listen on; port 0 picks a free port.
    #[arg(long, env = "RENAKSI_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Load the North Lombok data set into an empty database, with accounts to try it. Browser apps of every origin on localhost and
    /// 127.0.0.1 may log in.
    #[arg(long, env = "RENAKSI_DEMO")]
    pub demo: bool,
    /// The password of all demo accounts; without it, each account gets a random password.
    #[arg(long, env = "RENAKSI_DEMO_PASSWORD", hide_env_values = true)]
    pub demo_password: Option<String>,
    /// The secret of all demo clients; without it, each client gets a random secret.
    #[arg(long, env = "RENAKSI_DEMO_CLIENT_SECRET", hide_env_values = true)]
    pub demo_client_secret: Option<String>,
    /// A file that says which day it is, such as 2023-01-31; it is read at each use. For rehearsals and tests, and only together
    /// with --demo.
    #[arg(long, env = "RENAKSI_REHEARSAL")]
    pub rehearsal: Option<PathBuf>,
    /// The address by which clients know the service. It is the issuer of the access tokens and must be the same on all replicas.
    #[arg(long, env = "RENAKSI_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_parser = http_url)]
    pub public_url: String,
    /// The origins of browser apps that may use the API with a login, separated by commas. The public part is open to every
    /// origin.
    #[arg(long, env = "RENAKSI_CORS_ORIGINS", value_delimiter = ',', value_parser = http_url)]
    pub cors_origins: Vec<String>,
    /// The issuer of an outside OpenID provider whose access tokens are accepted too, exactly as its tokens name it.
    #[arg(long, env = "RENAKSI_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// The audience by which the provider's tokens name this service.
    #[arg(long, env = "RENAKSI_OIDC_AUDIENCE", default_value = "renaksi")]
    pub oidc_audience: String,
    /// The address of the provider's keys; without it, the provider's metadata is asked for the address.
    #[arg(long, env = "RENAKSI_OIDC_JWKS_URL")]
    pub oidc_jwks_url: Option<String>,
    /// The claim that holds the roles, such as realm_access.roles.
    #[arg(long, env = "RENAKSI_OIDC_ROLE_CLAIM", default_value = "role")]
    pub oidc_role_claim: String,
    /// The prefix of the roles that are meant for this service, such as renaksi-.
    #[arg(long, env = "RENAKSI_OIDC_ROLE_PREFIX")]
    pub oidc_role_prefix: Option<String>,
    /// The claim that holds the OPD of an operator.
    #[arg(long, env = "RENAKSI_OIDC_OPD_CLAIM", default_value = "opd")]
    pub oidc_opd_claim: String,
    /// Whether people log in with a password at this service; `off` leaves people only the outside provider.
    #[arg(long, env = "RENAKSI_PASSWORD_LOGIN", value_enum, default_value_t = OnOff::On, hide_possible_values = true)]
    pub password_login: OnOff,
    /// Require one-time codes (TOTP) of admins and verifiers who log in with a password. Until they have set them up, they reach
    /// only their own account.
    #[arg(long, env = "RENAKSI_REQUIRE_TOTP")]
    pub require_totp: bool,
    /// Allow webhooks to have http: addresses too.
    #[arg(long, env = "RENAKSI_WEBHOOK_ALLOW_HTTP")]
    pub webhook_allow_http: bool,
    /// Networks that webhooks may reach although they are not on the public internet, separated by commas.
    #[arg(long, env = "RENAKSI_WEBHOOK_ALLOW_NETWORKS", value_delimiter = ',', value_parser = network)]
    pub webhook_allow_networks: Vec<IpNet>,
    /// The number of seconds that a receiver of a webhook may take to answer.
    #[arg(long, env = "RENAKSI_WEBHOOK_TIMEOUT_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub webhook_timeout_seconds: u64,
    /// The factor by which the pauses between the attempts to deliver a message, and the three days of attempts, are shortened;
    /// for rehearsals.
    #[arg(long, env = "RENAKSI_WEBHOOK_RETRY_SCALE", default_value_t = 1.0, value_parser = scale)]
    pub webhook_retry_scale: f64,
    /// A separate address for /metrics; without it, /metrics is on the main address and answers only this machine.
    #[arg(long, env = "RENAKSI_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// The licence under which the open data is given, as its descriptions tell: CC-BY-4.0, CC-BY-SA-4.0, CC0-1.0, ODC-By-1.0,
    /// ODbL-1.0 or PDDL-1.0.
    #[arg(long, env = "RENAKSI_DATA_LICENCE", value_enum, ignore_case = true, default_value_t = Licence::CcBy, hide_possible_values = true)]
    pub data_licence: Licence,
    /// The address of an OpenTelemetry receiver (OTLP over HTTP), such as http://127.0.0.1:4318, to which traces and metrics are sent;
    /// without it, nothing is sent. The other standard variables, such as OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER, hold as
    /// well.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = Confidential(receiver), hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// The name by which that receiver knows the service.
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "renaksi")]
    pub otlp_service_name: String,
    /// The number of event streams that may be open without a login.
    #[arg(long, env = "RENAKSI_PUBLIC_STREAMS", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..))]
    pub public_streams: u16,
    /// The number of these streams that one address may have open; an IPv6 /64 network counts as one address.
    #[arg(long, env = "RENAKSI_PUBLIC_STREAMS_PER_ADDRESS", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub public_streams_per_address: u16,
    /// The number of requests a minute that one address may make without a login; 0 for no limit. An IPv6 /64 network counts as one
    /// address, and each replica counts for itself. Without this setting it is 600, and requests from this machine do not count.
    #[arg(long, env = "RENAKSI_RATE_LIMIT")]
    pub rate_limit: Option<u32>,
    /// The number of figures a minute that are computed for one address without a login because no kept answer holds them; 0 for no
    /// limit. Without this setting it is 60, and requests from this machine do not count.
    #[arg(long, env = "RENAKSI_RATE_LIMIT_FIGURES")]
    pub rate_limit_figures: Option<u32>,
    /// The number of worker threads; without it, one for each processor.
    #[arg(long, env = "RENAKSI_WORKERS", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,
    /// The number of seconds that running requests may take to finish after SIGTERM.
    #[arg(long, env = "RENAKSI_SHUTDOWN_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub shutdown_seconds: u64,
    /// The number of seconds between SIGTERM and the end of listening, in which /health/ready answers 503 and a load balancer can
    /// switch over.
    #[arg(long, env = "RENAKSI_DRAIN_SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub drain_seconds: u64,
    /// Proxies in front of the service, as addresses or networks separated by commas. The client address that they send in
    /// X-Forwarded-For is believed. Without any, the address that connects is the client's.
    #[arg(long, env = "RENAKSI_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// What is logged: error, warn, info, debug, trace, or a filter such as `renaksi=debug`.
    #[arg(long, env = "RENAKSI_LOG", default_value = "info")]
    pub log: String,
}

impl Serve {
    /// The settings of the outside provider, if one is configured.
    pub fn outside(&self) -> Result<Option<oidc::Settings>, String> {
        let Some(issuer) = self.oidc_issuer.clone() else { return Ok(None) };
        let is_url = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if !is_url(&issuer) || issuer == self.public_url {
            return Err("--oidc-issuer (RENAKSI_OIDC_ISSUER): expected a URL other than the service's own".into());
        }
        if self.oidc_jwks_url.as_ref().is_some_and(|url| !is_url(url)) {
            return Err("--oidc-jwks-url (RENAKSI_OIDC_JWKS_URL): expected a URL".into());
        }
        Ok(Some(oidc::Settings {
            issuer,
            audience: self.oidc_audience.clone(),
            jwks_url: self.oidc_jwks_url.clone(),
            role_claim: self.oidc_role_claim.clone(),
            role_prefix: self.oidc_role_prefix.clone().unwrap_or_default(),
            opd_claim: self.oidc_opd_claim.clone(),
        }))
    }

    /// How people may log in.
    pub fn logins(&self) -> LoginPolicy {
        LoginPolicy { password_login: self.password_login == OnOff::On, require_totp: self.require_totp }
    }

    /// The regency's calendar, or that of a rehearsal. Since a day that somebody chose would falsify real records, a rehearsal
    /// needs the demo data.
    pub fn calendar(&self) -> Result<Calendar, String> {
        let Some(file) = self.rehearsal.clone() else { return Ok(self.database.calendar()) };
        if !self.demo {
            return Err("--rehearsal (RENAKSI_REHEARSAL): only together with --demo (RENAKSI_DEMO)".into());
        }
        let wrong = format!("--rehearsal (RENAKSI_REHEARSAL) {}: expected a file with a day such as 2023-01-31", file.display());
        self.database.calendar().rehearsed(file).ok_or(wrong)
    }

    /// The settings by which webhooks are delivered.
    pub fn webhooks(&self) -> courier::Settings {
        let addresses = Addresses { allow_http: self.webhook_allow_http, allowed: self.webhook_allow_networks.clone() };
        courier::Settings {
            addresses: Arc::new(addresses),
            timeout: Duration::from_secs(self.webhook_timeout_seconds),
            plan: Plan { scale: self.webhook_retry_scale },
        }
    }

    /// Where traces and metrics are sent, if anywhere: by the settings, and by what the standard's other variables switch off.
    pub fn telemetry(&self) -> Result<Option<otlp::Settings>, String> {
        let Some(endpoint) = self.otlp_endpoint.clone().filter(|endpoint| !endpoint.is_empty()) else { return Ok(None) };
        let text = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        for name in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] {
            if text(name).is_some_and(|protocol| protocol != "http/protobuf") {
                return Err(format!("{name}: only http/protobuf is spoken"));
            }
        }
        let is_sent = |name: &str| match text(name).as_deref() {
            None | Some("otlp") => Ok(true),
            Some("none") => Ok(false),
            Some(_) => Err(format!("{name}: expected otlp or none")),
        };
        let (traces, metrics) = (is_sent("OTEL_TRACES_EXPORTER")?, is_sent("OTEL_METRICS_EXPORTER")?);
        let is_off = text("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let settings = otlp::Settings { endpoint, service_name: self.otlp_service_name.clone(), traces, metrics };
        Ok((!is_off && (traces || metrics)).then_some(settings))
    }

    /// Checks what the values of single settings cannot show.
    pub fn check(&self) -> Result<(), String> {
        let is_short = |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() < password::SHORTEST);
        let least = password::SHORTEST;
        if is_short(&self.demo_password) {
            return Err(format!("--demo-password (RENAKSI_DEMO_PASSWORD): expected at least {least} characters"));
        }
        if is_short(&self.demo_client_secret) {
            return Err(format!("--demo-client-secret (RENAKSI_DEMO_CLIENT_SECRET): expected at least {least} characters"));
        }
        Ok(())
    }

    /// The passwords and secrets of the demo accounts, if they are configured.
    pub fn fixed(&self) -> Fixed<'_> {
        Fixed { password: self.demo_password.as_deref(), client_secret: self.demo_client_secret.as_deref() }
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    /// It is done.
    On,
    /// It is not done.
    Off,
}
