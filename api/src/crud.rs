//! The same operations for every kind of resource: list, create, get, replace, update, delete, history, and the public
//! counterparts of list and get. Nothing here names a kind: each brings its members as data (`members`), and what is particular to it as rules
//! and hooks (`resource`). What is alike for all kinds exists once in the binary, behind `store::rows::Rows` and `writes::Writes`.

pub mod members;
pub mod resource;
pub mod typed;
pub mod writes;

pub mod hiding;
pub mod links;
pub mod references;
pub mod view;

mod partial;

pub mod handlers;
pub mod history;
pub mod public;
pub mod twins;
pub mod whole;

pub mod openapi;
pub mod parameters;
pub mod recorded;
pub mod schemas;
