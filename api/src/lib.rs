//! Renaksi: the API service with which a regency runs and shows its smart-city masterplan.
//!
//! Modules in reading order. Dependencies flow one way:
//! `telemetry ← http ← csv, auth ← store ← tabular ← crud ← resources ← aggregates, public, push ← charts, kinds ← dataset ← import_export ← feed ← webhooks ← routes
//! ← openapi, portal ← app ← commands`.

pub mod telemetry;

pub mod http;

pub mod csv;

pub mod auth;
pub mod store;

pub mod tabular;

pub mod crud;

pub mod resources;

pub mod aggregates;
pub mod charts;
pub mod feed;
pub mod import_export;
pub mod public;
pub mod push;
pub mod webhooks;

pub mod kinds;

pub mod dataset;

pub mod health;
pub mod problems;
pub mod routes;

pub mod openapi;
pub mod pages;
pub mod portal;
pub mod reference;

pub mod cache;
pub mod limited;

pub mod app;
pub mod config;
pub mod demo;
pub mod housekeeping;
pub mod licence;
pub mod vitals;

pub mod commands;
