//! What the words of enums are called in English and in Indonesian, for everybody who shows them to people.

/// What a word is called, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// In English.
    pub en: &'static str,
    /// In Indonesian.
    pub id: &'static str,
}

/// An enum whose words people read.
pub trait Labelled: Copy + Sized + 'static {
    /// Every value, in the order of the labels.
    const ALL: &'static [Self];

    /// What a value is called.
    fn label(self) -> Label;
}

/// Says what the words of an enum are called, beside the enum: `Variant: "in English", "in Indonesian"`. A variant without a label does
/// not compile.
#[macro_export]
macro_rules! labels {
    ($name:ident { $($variant:ident: $en:literal, $id:literal;)+ }) => {
        impl $crate::labels::Labelled for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn label(self) -> $crate::labels::Label {
                match self {
                    $(Self::$variant => $crate::labels::Label { en: $en, id: $id },)+
                }
            }
        }
    };
}
