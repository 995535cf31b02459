//! Every computed figure and every decision, as a pure function of plain values that needs neither a database nor a clock.

pub mod age;
pub mod bands;
pub mod batch;
pub mod chain;
pub mod coverage;
pub mod explanation;
pub mod finding;
pub mod ikm;
pub mod kpi;
pub mod obligations;
pub mod programme_status;
pub mod projection;
pub mod ranking;
pub mod reason;
pub mod refresh_token;
pub mod renaksi;
pub mod review;
pub mod spbe;
pub mod timeliness;
