//! Columns that mean the same on SQLite and PostgreSQL.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes columns for one kind of database.
pub(crate) struct Columns {
    backend: DbBackend,
}

impl Columns {
    pub(crate) fn of(manager: &SchemaManager<'_>) -> Self {
        Self { backend: manager.get_database_backend() }
    }

    /// Text that may be absent, compared byte by byte: a page continues at the same row on every database.
    pub(crate) fn text(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.text();
        if self.backend == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        column
    }

    /// Text that must be there.
    pub(crate) fn required_text(&self, name: &'static str) -> ColumnDef {
        self.text(name).not_null().take()
    }

    /// The identifier of a coded resource.
    pub(crate) fn code(&self) -> ColumnDef {
        self.required_text("code").primary_key().take()
    }

    /// An exact decimal: `numeric` on PostgreSQL; on SQLite a REAL, which keeps 15 significant digits.
    pub(crate) fn decimal(&self, name: &'static str) -> ColumnDef {
        let kind = if self.backend == DbBackend::Postgres { "numeric" } else { "real" };
        ColumnDef::new(name).custom(kind).take()
    }

    pub(crate) fn integer(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).integer().take()
    }

    pub(crate) fn boolean(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).boolean().not_null().take()
    }

    pub(crate) fn date(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).date().take()
    }

    pub(crate) fn instant(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).timestamp_with_time_zone().take()
    }

    pub(crate) fn json(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).json_binary().take()
    }

    pub(crate) fn uuid(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).uuid().not_null().take()
    }

    /// A table of coded rows: `code`, the given columns, and what every row carries.
    pub(crate) fn coded_table(&self, name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
        self.table(name, self.code(), columns)
    }

    /// A table of rows without a code: an `id` made by the service, the given columns, and what every row carries.
    pub(crate) fn identified_table(&self, name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
        self.table(name, self.required_text("id").primary_key().take(), columns)
    }

    fn table(&self, name: &'static str, key: ColumnDef, columns: Vec<ColumnDef>) -> TableCreateStatement {
        let mut table = Table::create().table(name).col(key).take();
        for column in columns {
            table.col(column);
        }
        table.col(self.required_text("search"));
        self.versioned(&mut table);
        table
    }

    /// Adds the columns of a row that is written again.
    pub(crate) fn versioned(&self, table: &mut TableCreateStatement) {
        table
            .col(self.integer("version").not_null().take())
            .col(self.instant("created_at").not_null().take())
            .col(self.instant("updated_at").not_null().take());
    }
}

/// A reference that keeps the row it points to from being deleted.
pub(crate) fn refers(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    key(table, column, to, "code", ForeignKeyAction::Restrict)
}

/// The same, to a row without a code.
pub(crate) fn refers_to_id(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    key(table, column, to, "id", ForeignKeyAction::Restrict)
}

/// A reference from a part to its whole: the part goes with it.
pub(crate) fn part_of(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    key(table, column, to, "code", ForeignKeyAction::Cascade)
}

/// The same, of a whole without a code.
pub(crate) fn part_of_id(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    key(table, column, to, "id", ForeignKeyAction::Cascade)
}

fn key(
    table: &'static str,
    column: &'static str,
    to: &'static str,
    to_column: &'static str,
    action: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{table}_{column}")).from(table, column).to(to, to_column).on_delete(action).to_owned()
}

/// Creates one index over `columns`, named after them.
pub(crate) async fn index(manager: &SchemaManager<'_>, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
    let mut index = Index::create().name(format!("ix_{table}_{}", columns.join("_"))).table(table).take();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}
