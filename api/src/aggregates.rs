//! Figures that the service computes from rows. Each is shared by a route for those who log in and a public one.

pub mod close;
pub mod counts;
pub mod examples;
pub mod reconciliation;
pub mod record;
pub mod routes;
pub mod scoreboard;
pub mod scorecard;
pub mod series;
pub mod standing;
pub mod summary;
pub mod timeline;
