//! Figures that the service computes from rows. Each figure has one route for those who log in and one for the public.

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
pub mod standings;
pub mod summary;
pub mod timeline;
