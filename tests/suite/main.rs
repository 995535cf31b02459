//! The suite: one file a capability, every story told on each database that can matter to it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod canary;
mod charts;
mod coverage;
mod evaluations;
mod figures;
mod findings;
mod kpi_standing;
mod past_days;
mod people;
mod publicity;
mod reconciliation;
mod replay;
mod scoreboard;
mod scorecard;
mod summary;
mod surveys;
mod transitions;
mod visible;

mod bad_input;
mod bodies;
mod changing;
mod creating;
mod decimals;
mod idempotency;
mod identifiers;
mod kept_answers;
mod lists;
mod patching;
mod problems;
mod reading;
mod sorting;
mod tags;

mod chain;
mod feed;
mod feed_storm;
mod stream;
mod webhook_guide;
mod webhooks;

mod action_reports;
mod actions;
mod guides;
mod obligations;
mod push;
mod push_action_reports;
mod push_dialects;
mod push_model;
mod push_mutations;
mod push_programmes;
mod push_rows;
mod push_storm;
mod reviews;

mod access;
mod associations;
mod auth;
mod clients;
mod four_eyes;
mod lockout;
mod outside;
mod private_files;
mod revoked_keys;
mod secrets;
mod tokens;
mod users;
mod writes_look_again;

mod backlog;
mod concurrency;
mod contract_document;
mod crash;
mod flood;
mod housekeeping;
mod readme;
mod running;
mod statements;
mod transfer;
mod upgrade;
