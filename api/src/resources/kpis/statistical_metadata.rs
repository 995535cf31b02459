//! The metadata of an indicator: the standard MS-Ind of Peraturan Badan Pusat Statistik 5/2020 (statistical metadata standard), which the
//! portals of Satu Data Indonesia ask for.

use entity::kpi;
use entity::labels::Labelled;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::crud::members::{MemberValue, stored_as_json};

/// What Peraturan BPS 5/2020 wants to be known of an indicator beside its name and unit. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatisticalMetadata {
    /// The concept behind the indicator (konsep).
    #[schema(max_length = 5000)]
    pub concept: Option<String>,
    /// What the indicator is (definisi).
    #[schema(max_length = 5000)]
    pub definition: Option<String>,
    /// How to read its values (interpretasi).
    #[schema(max_length = 5000)]
    pub interpretation: Option<String>,
    /// How its values are computed (metode atau rumus penghitungan). Where it is absent, the `method` of the KPI holds.
    #[schema(max_length = 5000)]
    pub formula: Option<String>,
    /// What kind of number it is (ukuran), such as `Rasio`. Where it is absent, the kind of unit tells it, if it can.
    #[schema(max_length = 200)]
    pub measure: Option<String>,
    /// By what its values are broken down where they are published (klasifikasi penyajian).
    #[schema(max_length = 1000)]
    pub presentation: Option<String>,
    /// Whether it is made of other indicators (indikator komposit).
    pub composite: Option<bool>,
    /// The indicators or variables that it is made of (indikator atau variabel pembangun).
    #[serde(default)]
    #[schema(max_items = 100)]
    pub components: Vec<IndicatorComponent>,
    /// The smallest area for which it is estimated (level estimasi), such as `Kabupaten`.
    #[schema(max_length = 200)]
    pub level_of_estimation: Option<String>,
}

/// An indicator or a variable that an indicator is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorComponent {
    /// Whether it is an indicator or a variable.
    pub kind: ComponentKind,
    /// The name of the indicator or variable.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// Where it is found: the publication of an indicator, the statistical activity that produces a variable.
    #[schema(max_length = 1000)]
    pub source: Option<String>,
}

/// What an indicator is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// Another indicator.
    Indicator,
    /// A variable.
    Variable,
}

entity::labels! { ComponentKind {
    Indicator: "Indicator", "Indikator";
    Variable: "Variable", "Variabel";
} }

stored_as_json!(StatisticalMetadata);

/// The metadata of a published KPI, with the members of MS-Ind. What is not known is null.
#[derive(Serialize, ToSchema)]
pub struct IndicatorMetadata {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// The name of the indicator (nama indikator).
    #[schema(max_length = 300)]
    name: String,
    /// The concept behind it (konsep).
    #[schema(max_length = 5000)]
    concept: Option<String>,
    /// What it is (definisi).
    #[schema(max_length = 5000)]
    definition: Option<String>,
    /// How to read its values (interpretasi).
    #[schema(max_length = 5000)]
    interpretation: Option<String>,
    /// How its values are computed (metode atau rumus penghitungan).
    #[schema(max_length = 5000)]
    formula: Option<String>,
    /// What kind of number it is (ukuran).
    #[schema(max_length = 200)]
    measure: Option<String>,
    /// The unit of its values (satuan).
    #[schema(max_length = 64)]
    unit: String,
    /// By what its values are broken down (klasifikasi penyajian).
    #[schema(max_length = 1000)]
    presentation: Option<String>,
    /// Whether it is made of other indicators (indikator komposit).
    composite: Option<bool>,
    /// What it is made of (indikator atau variabel pembangun).
    #[schema(max_items = 100)]
    components: Vec<IndicatorComponent>,
    /// The smallest area for which it is estimated (level estimasi).
    #[schema(max_length = 200)]
    level_of_estimation: Option<String>,
    /// Whether everybody may have its values (dapat diakses umum): those of a published KPI.
    public_access: bool,
}

impl IndicatorMetadata {
    /// That of a KPI.
    pub fn of(kpi: &kpi::Model) -> Self {
        let known = Option::<StatisticalMetadata>::load(&kpi.statistical_metadata).unwrap_or_default();
        Self {
            kpi: kpi.code.clone(),
            name: kpi.name.clone(),
            concept: known.concept,
            definition: known.definition,
            interpretation: known.interpretation,
            formula: known.formula.or_else(|| kpi.method.clone()),
            measure: known.measure.or_else(|| kpi.unit_kind.measure().map(str::to_owned)),
            unit: kpi.unit_label.clone().unwrap_or_else(|| kpi.unit_kind.label().id.to_owned()),
            presentation: known.presentation,
            composite: known.composite,
            components: known.components,
            level_of_estimation: known.level_of_estimation,
            public_access: kpi.published,
        }
    }
}
