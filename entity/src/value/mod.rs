//! Values with one fallible constructor each, so that nothing is checked again after it.

pub mod code;
pub mod decimal;
pub mod instant;
pub mod period;
