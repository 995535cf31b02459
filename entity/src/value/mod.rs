//! Values with one fallible constructor each: past it, nothing is checked twice.

pub mod code;
pub mod decimal;
pub mod period;
