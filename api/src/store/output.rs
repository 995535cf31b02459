//! The errors of commands that write the database into files.

use std::io;

use crate::http::problem::ApiError;

/// Why an output ended early; its text is for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The file.
    #[error("the output cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The database.
    #[error("{}", .0.sentence())]
    Database(#[from] ApiError),
}

impl From<sea_orm::DbErr> for Failed {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Database(error.into())
    }
}
