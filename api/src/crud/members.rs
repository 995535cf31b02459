//! THE TABLE OF MEMBERS of a kind, written once as its struct: `members!` makes the struct with its schema, the table that
//! generic code reads, and what carries a row into the struct and back. The compiler holds the columns to the members.

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Period;
use sea_orm::EntityTrait;
use serde::Serialize;
use serde_json::{Value, json};

use crate::store::kind::{Member, PartColumn, Sink, Stamp, ValueType};

/// What values of a type are, for the table of members.
pub trait MemberType {
    /// What they are.
    const TYPE: ValueType;
    /// Whether there may be none.
    const IS_NULLABLE: bool = false;
}

/// A value that one column stores.
pub trait MemberValue: MemberType + Sized {
    /// What the column holds.
    type Column;
    /// The value as answers show it, out of the column.
    type Shown<'a>: Serialize
    where
        Self::Column: 'a;

    /// Out of the column.
    fn load(column: &Self::Column) -> Self;

    /// Into the column.
    fn store(self) -> Self::Column;

    /// As answers show it.
    fn shown(column: &Self::Column) -> Self::Shown<'_>;
}

/// A value that several columns store, or one together with others.
pub trait Parts<E: EntityTrait>: Serialize + Sized {
    /// What it is.
    const TYPE: ValueType = ValueType::Json;
    /// Whether there may be none.
    const IS_NULLABLE: bool = false;
    /// The columns.
    const COLUMNS: &'static [PartColumn];

    /// Out of a row.
    fn load(row: &E::Model) -> Self;

    /// Into a row.
    fn store(self, row: &mut E::ActiveModel);
}

/// The members of a kind that clients write.
pub trait Written: Sized {
    /// Its table.
    type Entity: EntityTrait;
    /// The table of members.
    const MEMBERS: &'static [Member];

    /// Out of a row.
    fn load(row: &<Self::Entity as EntityTrait>::Model) -> Self;

    /// The row of these members; key, version, instants and search text are set elsewhere.
    fn store(self) -> <Self::Entity as EntityTrait>::ActiveModel;

    /// Tells the members of a row, as answers show them.
    fn tell(row: &<Self::Entity as EntityTrait>::Model, sink: &mut dyn Sink);

    /// The code or id of a row.
    fn key(row: &<Self::Entity as EntityTrait>::Model) -> &str;

    /// What every row carries.
    fn stamp(row: &<Self::Entity as EntityTrait>::Model) -> Stamp;

    /// Sets key and time of creation of a new row.
    fn set_key(row: &mut <Self::Entity as EntityTrait>::ActiveModel, key: &str);

    /// Sets what changes with every write.
    fn set_stamp(row: &mut <Self::Entity as EntityTrait>::ActiveModel, version: i32, updated_at: DateTime<Utc>);

    /// Sets when the row was made.
    fn set_created(row: &mut <Self::Entity as EntityTrait>::ActiveModel, created_at: DateTime<Utc>);

    /// Sets what `q=` looks through.
    fn set_search(row: &mut <Self::Entity as EntityTrait>::ActiveModel, search: String);
}

/// Members that only the service writes: they stand in the row, or are computed.
pub trait ReadMembers {
    /// The table of members.
    const MEMBERS: &'static [Member];

    /// Tells them, as answers show them.
    fn tell(&self, sink: &mut dyn Sink);
}

impl ReadMembers for () {
    const MEMBERS: &'static [Member] = &[];

    fn tell(&self, _: &mut dyn Sink) {}
}

/// Read out of a row.
pub trait FromRow<M> {
    /// Out of a row.
    fn from_row(row: &M) -> Self;
}

impl<M> FromRow<M> for () {
    fn from_row(_: &M) {}
}

/// Makes the struct of what clients write of a kind, and its table of members:
///
/// ```ignore
/// members! {
///     /// A dimension of the smart city.
///     pub struct Dimension of dimension by code {
///         /// Name in Indonesian.
///         #[schema(max_length = 200)]
///         pub name: String = column.sort().public().label("Name", "Nama", "Nama dalam bahasa Indonesia."),
///     }
/// }
/// ```
///
/// `column` is a member with a column of its name, see [`MemberValue`]; `parts` one that several columns hold, see [`Parts`]. What
/// follows are the builders of [`Member`].
macro_rules! members {
    (
        $(#[$meta:meta])*
        pub struct $name:ident of $row:ident by $key:ident {
            $( $(#[$attribute:meta])* pub $member:ident: $type:ty = $how:ident $(.$flag:ident($($argument:expr),* $(,)?))* ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[$attribute])* pub $member: $type, )*
        }

        impl $crate::crud::members::Written for $name {
            type Entity = ::entity::$row::Entity;
            const MEMBERS: &'static [$crate::store::kind::Member] = &[
                $( $crate::crud::members::members!(@member $how $row $member $type) $(.$flag($($argument),*))* ),*
            ];

            fn load(row: &::entity::$row::Model) -> Self {
                Self { $( $member: $crate::crud::members::members!(@load $how $row row $member $type) ),* }
            }

            fn store(self) -> ::entity::$row::ActiveModel {
                let mut row = ::entity::$row::ActiveModel::default();
                let members = self;
                $( $crate::crud::members::members!(@store $how $row row members $member $type); )*
                row
            }

            fn tell(row: &::entity::$row::Model, sink: &mut dyn $crate::store::kind::Sink) {
                $( $crate::crud::members::members!(@tell $how $row row sink $member $type); )*
            }

            fn key(row: &::entity::$row::Model) -> &str {
                &row.$key
            }

            fn stamp(row: &::entity::$row::Model) -> $crate::store::kind::Stamp {
                $crate::store::kind::Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at }
            }

            fn set_key(row: &mut ::entity::$row::ActiveModel, key: &str) {
                row.$key = ::sea_orm::ActiveValue::Set(key.to_owned());
            }

            fn set_stamp(row: &mut ::entity::$row::ActiveModel, version: i32, updated_at: ::chrono::DateTime<::chrono::Utc>) {
                row.version = ::sea_orm::ActiveValue::Set(version);
                row.updated_at = ::sea_orm::ActiveValue::Set(updated_at);
            }

            fn set_created(row: &mut ::entity::$row::ActiveModel, created_at: ::chrono::DateTime<::chrono::Utc>) {
                row.created_at = ::sea_orm::ActiveValue::Set(created_at);
            }

            fn set_search(row: &mut ::entity::$row::ActiveModel, search: String) {
                row.search = ::sea_orm::ActiveValue::Set(search);
            }
        }
    };
    (@member column $row:ident $member:ident $type:ty) => {
        $crate::store::kind::Member::new(
            stringify!($member),
            <$type as $crate::crud::members::MemberType>::TYPE,
            <$type as $crate::crud::members::MemberType>::IS_NULLABLE,
            &[],
        )
    };
    (@member parts $row:ident $member:ident $type:ty) => {
        $crate::store::kind::Member::new(
            stringify!($member),
            <$type as $crate::crud::members::Parts<::entity::$row::Entity>>::TYPE,
            <$type as $crate::crud::members::Parts<::entity::$row::Entity>>::IS_NULLABLE,
            <$type as $crate::crud::members::Parts<::entity::$row::Entity>>::COLUMNS,
        )
    };
    (@load column $row:ident $from:ident $member:ident $type:ty) => {
        <$type as $crate::crud::members::MemberValue>::load(&$from.$member)
    };
    (@load parts $row:ident $from:ident $member:ident $type:ty) => {
        <$type as $crate::crud::members::Parts<::entity::$row::Entity>>::load($from)
    };
    (@store column $row:ident $into:ident $members:ident $member:ident $type:ty) => {
        $into.$member = ::sea_orm::ActiveValue::Set(<$type as $crate::crud::members::MemberValue>::store($members.$member))
    };
    (@store parts $row:ident $into:ident $members:ident $member:ident $type:ty) => {
        <$type as $crate::crud::members::Parts<::entity::$row::Entity>>::store($members.$member, &mut $into)
    };
    (@tell column $row:ident $from:ident $sink:ident $member:ident $type:ty) => {
        $sink.member(stringify!($member), &<$type as $crate::crud::members::MemberValue>::shown(&$from.$member))
    };
    (@tell parts $row:ident $from:ident $sink:ident $member:ident $type:ty) => {
        $sink.member(stringify!($member), &<$type as $crate::crud::members::Parts<::entity::$row::Entity>>::load($from))
    };
}
pub(crate) use members;

/// Makes the struct of members that only the service writes, and their table. `value` is a member whose type is known to
/// [`MemberType`]; `json` any other.
macro_rules! read_members {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$attribute:meta])* pub $member:ident: $type:ty = $how:ident $(.$flag:ident($($argument:expr),* $(,)?))* ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, serde::Serialize, utoipa::ToSchema)]
        pub struct $name {
            $( $(#[$attribute])* pub $member: $type, )*
        }

        impl $crate::crud::members::ReadMembers for $name {
            const MEMBERS: &'static [$crate::store::kind::Member] = &[
                $( $crate::crud::members::read_members!(@member $how $member $type) $(.$flag($($argument),*))* ),*
            ];

            fn tell(&self, sink: &mut dyn $crate::store::kind::Sink) {
                $( sink.member(stringify!($member), &self.$member); )*
            }
        }
    };
    (@member value $member:ident $type:ty) => {
        $crate::store::kind::Member::new(
            stringify!($member),
            <$type as $crate::crud::members::MemberType>::TYPE,
            <$type as $crate::crud::members::MemberType>::IS_NULLABLE,
            &[],
        )
    };
    (@member json $member:ident $type:ty) => {
        $crate::store::kind::Member::new(stringify!($member), $crate::store::kind::ValueType::Json, false, &[])
    };
}
pub(crate) use read_members;

/// A type whose values a column holds as they are.
macro_rules! stored_as_is {
    ($($type:ty: $value:expr),* $(,)?) => {$(
        impl $crate::crud::members::MemberType for $type {
            const TYPE: $crate::store::kind::ValueType = $value;
        }

        impl $crate::crud::members::MemberValue for $type {
            type Column = $type;
            type Shown<'a> = $type;

            fn load(column: &Self) -> Self {
                *column
            }

            fn store(self) -> Self {
                self
            }

            fn shown(column: &Self) -> Self {
                *column
            }
        }
    )*};
}

/// Words of an enum of the entities.
macro_rules! choices {
    ($($type:ty),* $(,)?) => {
        stored_as_is! { $($type: ValueType::Choice(<$type>::WORDS)),* }
    };
}

/// A type whose values a column holds as JSON.
macro_rules! stored_as_json {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::crud::members::MemberType for $type {
            const TYPE: $crate::store::kind::ValueType = $crate::store::kind::ValueType::Json;
        }

        impl $crate::crud::members::MemberValue for Option<$type> {
            type Column = Option<serde_json::Value>;
            type Shown<'a> = Self;

            // What stands in a row was checked when it was written.
            fn load(column: &Self::Column) -> Self {
                column.as_ref().and_then(|value| serde::Deserialize::deserialize(value).ok())
            }

            fn store(self) -> Self::Column {
                self.and_then(|value| serde_json::to_value(value).ok())
            }

            fn shown(column: &Self::Column) -> Self {
                Self::load(column)
            }
        }
    )*};
}
pub(crate) use stored_as_json;

stored_as_is! {
    bool: ValueType::Flag,
    i32: ValueType::Integer,
    Decimal: ValueType::Decimal,
    NaiveDate: ValueType::Date,
    DateTime<Utc>: ValueType::Instant,
}

choices! {
    entity::rules::renaksi::ActionState,
    entity::council_member::CouncilRole,
    entity::rules::kpi::Direction,
    entity::masterplan::MasterplanStatus,
    entity::region::RegionLevel,
    entity::rules::finding::FindingState,
    entity::rules::programme_status::ProgrammeStatus,
    entity::value::period::Frequency,
}

/// A type whose values texts hold.
macro_rules! stored_as_text {
    ($type:ty, $value:expr, |$text:ident| $load:expr) => {
        impl MemberType for $type {
            const TYPE: ValueType = $value;
        }

        impl MemberValue for $type {
            type Column = String;
            type Shown<'a> = &'a str;

            fn load($text: &String) -> Self {
                $load
            }

            fn store(self) -> String {
                self.to_string()
            }

            fn shown(column: &String) -> &str {
                column
            }
        }
    };
}

/// A code that stands in the database.
pub fn code(stored: &str) -> Code {
    Code::parse(stored).unwrap_or_else(|_| unreachable!("codes are checked before they are written, and `{stored}` is none"))
}

stored_as_text!(String, ValueType::Text, |text| text.clone());
stored_as_text!(Code, ValueType::Code, |text| code(text));

impl MemberType for Vec<Code> {
    const TYPE: ValueType = ValueType::Codes;
}

impl MemberValue for Vec<Code> {
    type Column = Value;
    type Shown<'a> = &'a Value;

    fn load(column: &Value) -> Self {
        column.as_array().into_iter().flatten().filter_map(|text| Code::parse(text.as_str()?).ok()).collect()
    }

    fn store(self) -> Value {
        json!(self)
    }

    fn shown(column: &Value) -> &Value {
        column
    }
}

impl MemberType for Percent {
    const TYPE: ValueType = ValueType::Decimal;
}

impl MemberType for Period {
    const TYPE: ValueType = ValueType::Text;
}

impl<T: MemberType> MemberType for Option<T> {
    const TYPE: ValueType = T::TYPE;
    const IS_NULLABLE: bool = true;
}

/// Values that may be absent. (Not for every type: JSON in a nullable column is one of its own.)
macro_rules! nullable {
    ($($type:ty),* $(,)?) => {$(
        impl MemberValue for Option<$type> {
            type Column = Option<<$type as MemberValue>::Column>;
            type Shown<'a> = Option<<$type as MemberValue>::Shown<'a>>;

            fn load(column: &Self::Column) -> Self {
                column.as_ref().map(<$type as MemberValue>::load)
            }

            fn store(self) -> Self::Column {
                self.map(<$type as MemberValue>::store)
            }

            fn shown(column: &Self::Column) -> Self::Shown<'_> {
                column.as_ref().map(<$type as MemberValue>::shown)
            }
        }
    )*};
}

nullable!(String, Code, i32, Decimal, NaiveDate, DateTime<Utc>);
