//! Under which licence the open data is given.

use clap::ValueEnum;

/// A licence for open data, by its SPDX identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Licence {
    /// Anybody may use it who names the source.
    #[default]
    #[value(name = "CC-BY-4.0")]
    CcBy,
    /// The same, and what is made from it has the same licence.
    #[value(name = "CC-BY-SA-4.0")]
    CcBySa,
    /// No rights are reserved.
    #[value(name = "CC0-1.0")]
    Cc0,
    /// Anybody may use the database who names the source.
    #[value(name = "ODC-By-1.0")]
    OdcBy,
    /// The same, and databases made from it have the same licence.
    #[value(name = "ODbL-1.0")]
    Odbl,
    /// The database is in the public domain.
    #[value(name = "PDDL-1.0")]
    Pddl,
}

impl Licence {
    /// Its SPDX identifier.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CcBy => "CC-BY-4.0",
            Self::CcBySa => "CC-BY-SA-4.0",
            Self::Cc0 => "CC0-1.0",
            Self::OdcBy => "ODC-By-1.0",
            Self::Odbl => "ODbL-1.0",
            Self::Pddl => "PDDL-1.0",
        }
    }

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::CcBy => "Creative Commons Attribution 4.0 International",
            Self::CcBySa => "Creative Commons Attribution-ShareAlike 4.0 International",
            Self::Cc0 => "Creative Commons Zero 1.0 Universal",
            Self::OdcBy => "Open Data Commons Attribution License 1.0",
            Self::Odbl => "Open Data Commons Open Database License 1.0",
            Self::Pddl => "Open Data Commons Public Domain Dedication and License 1.0",
        }
    }

    /// Where it can be read.
    pub const fn url(self) -> &'static str {
        match self {
            Self::CcBy => "https://creativecommons.org/licenses/by/4.0/",
            Self::CcBySa => "https://creativecommons.org/licenses/by-sa/4.0/",
            Self::Cc0 => "https://creativecommons.org/publicdomain/zero/1.0/",
            Self::OdcBy => "https://opendatacommons.org/licenses/by/1-0/",
            Self::Odbl => "https://opendatacommons.org/licenses/odbl/1-0/",
            Self::Pddl => "https://opendatacommons.org/licenses/pddl/1-0/",
        }
    }
}
