//! Every computed figure, as a pure function of decimals and periods that needs neither a database nor a clock.

pub mod age;
pub mod bands;
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
pub mod renaksi;
pub mod review;
pub mod spbe;
pub mod timeliness;
