//! Charts: public figures as SVG pictures that embed in any page.
//!
//! A chart is drawn from the public answer of its figure, as it is kept, and from nothing else: it cannot show what that answer does
//! not. Each chart is a pure function of the figure and the options of the request that gives a [`drawing::Drawing`].

pub mod drawing;
pub mod figures;
pub mod options;
pub mod routes;
pub mod svg;
pub mod text;
pub mod words;

pub(crate) mod kpi;
pub(crate) mod scoreboard;
pub(crate) mod summary;
pub(crate) mod timeline;

mod axis;

#[cfg(test)]
mod tests;
