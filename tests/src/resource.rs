//! The resources that share the conventions of the contract, each with what a generic test has to know.

use serde_json::{Value, json};

use crate::unique;

/// One kind of resource.
#[derive(Clone, Copy)]
pub struct Resource {
    /// Path of the collection.
    pub path: &'static str,
    /// A whole body with every optional text set, for a new code.
    pub example: fn(&str) -> Value,
    /// A required text that may be changed.
    pub text: &'static str,
    /// An optional text that may be cleared, where there is one.
    pub optional: Option<&'static str>,
    /// A filter that the example fits, and a value of the same field that it does not fit.
    pub filter: (&'static str, &'static str, &'static str),
    /// A reference that may be expanded.
    pub expand: Option<&'static str>,
    /// A row of the demo data that others refer to.
    pub referred_to: Option<&'static str>,
}

impl Resource {
    /// A code that nothing has yet.
    pub fn new_code(&self) -> String {
        unique::code("T")
    }

    /// A new body with a new code.
    pub fn new_body(&self) -> (String, Value) {
        let code = self.new_code();
        let body = (self.example)(&code);
        (code, body)
    }

    /// The path of one.
    pub fn one(&self, code: &str) -> String {
        format!("{}/{code}", self.path)
    }
}

/// Every coded resource.
pub const ALL: [Resource; 8] = [MASTERPLANS, DIMENSIONS, OPDS, REGIONS, PROGRAMMES, QUICK_WINS, KPIS, AWARDS];

/// Masterplans.
pub const MASTERPLANS: Resource = Resource {
    path: "/v1/masterplans",
    example: |code| {
        json!({
            "code": code, "title": "Masterplan uji", "region": "52.08", "legal_basis": "Perbup 1/2022",
            "start_year": 2022, "end_year": 2026, "status": "draft", "description": "Untuk uji coba"
        })
    },
    text: "title",
    optional: Some("description"),
    filter: ("status", "draft", "closed"),
    expand: Some("region"),
    referred_to: Some("KLU-SC"),
};

/// Dimensions.
pub const DIMENSIONS: Resource = Resource {
    path: "/v1/dimensions",
    example: |code| json!({ "code": code, "name": "Dimensi uji", "name_en": "Test dimension", "position": 77, "description": "Uji" }),
    text: "name",
    optional: Some("description"),
    filter: ("position[gte]", "77", "78"),
    expand: None,
    referred_to: Some("governance"),
};

/// OPDs.
pub const OPDS: Resource = Resource {
    path: "/v1/opds",
    example: |code| {
        json!({
            "code": code, "name": "Dinas Uji", "short_name": "DU", "parent": "DINKES", "head_name": "Siti", "head_title": "Kepala",
            "email": "du@tests.invalid", "phone": "+62 370 000000", "website": "https://du.tests.invalid/", "active": true
        })
    },
    text: "name",
    optional: Some("short_name"),
    filter: ("parent", "DINKES", "DLH"),
    expand: Some("parent"),
    referred_to: Some("DINKES"),
};

/// Regions.
pub const REGIONS: Resource = Resource {
    path: "/v1/regions",
    example: |code| json!({ "code": code, "name": "Desa Uji", "level": "village", "parent": "52.08.01" }),
    text: "name",
    optional: None,
    filter: ("level", "village", "regency"),
    expand: Some("parent"),
    referred_to: Some("52.08.01"),
};

/// Programmes.
pub const PROGRAMMES: Resource = Resource {
    path: "/v1/programmes",
    example: |code| {
        json!({
            "code": code, "masterplan": "KLU-SC", "dimension": "governance", "name": "Program uji", "description": "Untuk uji coba",
            "lead_opd": "DINKES", "supporting_opds": ["DLH"], "start_date": "2022-01-01", "end_date": "2024-12-31",
            "budget": "1250000000.5", "funding_source": "APBD", "regions": ["52.08.01"], "published": false,
            "provenance": { "publisher": "Uji", "title": "Naskah uji", "url": "https://tests.invalid/a", "date": "2022-10-04", "quote": "…", "basis": "stated" }
        })
    },
    text: "name",
    optional: Some("description"),
    filter: ("lead_opd", "DINKES", "DLH"),
    expand: Some("lead_opd"),
    referred_to: Some("SL-01"),
};

/// Quick Wins.
pub const QUICK_WINS: Resource = Resource {
    path: "/v1/quick-wins",
    example: |code| {
        json!({
            "code": code, "dimension": "society", "programme": "SS-02", "opd": "DINKES", "name": "Quick Win uji", "description": "Uji",
            "status": "planned", "started_on": "2022-02-01", "outcome": "Belum", "published": false
        })
    },
    text: "name",
    optional: Some("outcome"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    referred_to: None,
};

/// KPIs.
pub const KPIS: Resource = Resource {
    path: "/v1/kpis",
    example: |code| {
        json!({
            "code": code, "masterplan": "KLU-SC", "dimension": "living", "programme": "SL-01", "opd": "DINKES", "name": "KPI uji",
            "description": "Uji", "unit": { "kind": "other", "label": "kasus" }, "direction": "decrease", "frequency": "yearly",
            "decimals": 2, "baseline": { "period": "2021", "value": "28.3", "provenance": null }, "source": "Dinas", "method": "Survei", "published": false
        })
    },
    text: "name",
    optional: Some("description"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    referred_to: Some("STUNTING"),
};

/// Awards.
pub const AWARDS: Resource = Resource {
    path: "/v1/awards",
    example: |code| {
        json!({
            "code": code, "name": "Penghargaan uji", "issuer": "Lembaga uji", "category": "Uji", "year": 2022,
            "recipient": { "kind": "opd", "ref": "DINKES", "name": "Dinas Kesehatan" }, "published": false
        })
    },
    text: "name",
    optional: Some("category"),
    filter: ("year", "2022", "1999"),
    expand: None,
    referred_to: None,
};
