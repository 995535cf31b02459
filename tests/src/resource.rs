//! The resources that share the conventions of the contract, each with what a generic test has to know.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::answer::Answer;
use crate::unique;

/// Makes a body.
type Body = fn() -> Value;

/// One kind of resource.
#[derive(Clone, Copy)]
pub struct Resource {
    /// Path of the collection.
    pub path: &'static str,
    /// What identifies one: the `code` that a client gives, or the `id` that the service makes.
    pub key: &'static str,
    /// What it is a part of, if it is one: the path of that, and its body. [`all`] makes it where it is missing.
    pub parent: Option<(&'static str, Body)>,
    /// A whole body with every optional text set, for a new code; where there are ids, without one.
    pub example: fn(&str) -> Value,
    /// A required text that may be changed.
    pub text: &'static str,
    /// A field to sort by, where that text is none.
    pub sort: Option<&'static str>,
    /// An optional member that may be cleared, where there is one.
    pub optional: Option<&'static str>,
    /// A filter that the example fits, and a value of the same field that it does not fit.
    pub filter: (&'static str, &'static str, &'static str),
    /// A reference that may be expanded.
    pub expand: Option<&'static str>,
    /// A row of the demo data that others refer to.
    pub referred_to: Option<&'static str>,
    /// The members that are computed when it is read: answers have them, the trail does not.
    pub computed: &'static [&'static str],
}

/// What is alike for most: they say where they differ.
const USUAL: Resource = Resource {
    path: "",
    key: "code",
    parent: None,
    example: |_| Value::Null,
    text: "name",
    sort: None,
    optional: None,
    filter: ("", "", ""),
    expand: None,
    referred_to: None,
    computed: &[],
};

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
    pub fn one(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }

    /// Whether clients give it a code.
    pub fn is_coded(&self) -> bool {
        self.key == "code"
    }

    /// Creates one out of a new body, and answers its code or id with what was said.
    pub async fn create(&self, actor: &Actor) -> (String, Answer) {
        self.create_as(actor, self.new_body().1).await
    }

    /// The same out of this body.
    pub async fn create_as(&self, actor: &Actor, body: Value) -> (String, Answer) {
        let created = actor.create(self.path, body).await;
        (created.text_at(self.key), created)
    }

    /// One as the trail has it: without what is computed.
    pub fn recorded(&self, mut shown: Value) -> Value {
        shown.as_object_mut().unwrap().retain(|member, _| member != "etag" && !self.computed.contains(&member.as_str()));
        shown
    }
}

const ALL: [Resource; 13] = [
    MASTERPLANS,
    DIMENSIONS,
    OPDS,
    REGIONS,
    PROGRAMMES,
    QUICK_WINS,
    KPIS,
    AWARDS,
    ACTIONS,
    COMMITMENTS,
    COUNCIL_MEMBERS,
    SURVEYS,
    FINDINGS,
];

/// Every resource; what some of them are parts of is there.
pub async fn all(admin: &Actor) -> [Resource; ALL.len()] {
    for (path, body) in ALL.iter().filter_map(|resource| resource.parent) {
        let made = admin.put(path, body()).if_none_match("*").await;
        assert!([201, 412].contains(&made.status()), "{made:?}");
    }
    ALL
}

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
    ..USUAL
};

/// Dimensions.
pub const DIMENSIONS: Resource = Resource {
    path: "/v1/dimensions",
    example: |code| json!({ "code": code, "name": "Dimensi uji", "name_en": "Test dimension", "position": 77, "description": "Uji" }),
    optional: Some("description"),
    filter: ("position[gte]", "77", "78"),
    referred_to: Some("governance"),
    ..USUAL
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
    optional: Some("short_name"),
    filter: ("parent", "DINKES", "DLH"),
    expand: Some("parent"),
    referred_to: Some("DINKES"),
    ..USUAL
};

/// Regions.
pub const REGIONS: Resource = Resource {
    path: "/v1/regions",
    example: |code| json!({ "code": code, "name": "Desa Uji", "level": "village", "parent": "52.08.01" }),
    filter: ("level", "village", "regency"),
    expand: Some("parent"),
    referred_to: Some("52.08.01"),
    ..USUAL
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
    optional: Some("description"),
    filter: ("lead_opd", "DINKES", "DLH"),
    expand: Some("lead_opd"),
    referred_to: Some("SL-01"),
    computed: &["progress"],
    ..USUAL
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
    optional: Some("outcome"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    ..USUAL
};

/// KPIs.
pub const KPIS: Resource = Resource {
    path: "/v1/kpis",
    example: |code| {
        json!({
            "code": code, "masterplan": "KLU-SC", "dimension": "living", "programme": "SL-01", "opd": "DINKES", "name": "KPI uji",
            "description": "Uji", "unit": { "kind": "other", "label": "kasus" }, "direction": "decrease", "frequency": "yearly",
            "decimals": 2, "minimum": null, "maximum": null, "baseline": { "period": "2021", "value": "28.3", "provenance": null }, "source": "Dinas", "method": "Survei", "published": false
        })
    },
    optional: Some("description"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    referred_to: Some("STUNTING"),
    ..USUAL
};

/// Actions.
pub const ACTIONS: Resource = Resource {
    path: "/v1/actions",
    key: "id",
    example: |_| {
        json!({
            "programme": "SL-01", "opd": "DINKES", "title": "Renaksi uji", "output_unit": "desa", "year": 2022, "weight": "2.5",
            "due_on": "2022-12-31", "targets": { "q1": "0", "q2": "2", "q3": "4", "q4": "6" }, "published": false,
            "provenance": { "publisher": "Uji", "title": "Naskah uji", "url": "https://tests.invalid/a", "date": "2022-10-04", "quote": "…", "basis": "stated" }
        })
    },
    text: "title",
    optional: Some("output_unit"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("programme"),
    computed: &["realisation", "progress", "state"],
    ..USUAL
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
    optional: Some("category"),
    filter: ("year", "2022", "1999"),
    ..USUAL
};

/// Commitments.
pub const COMMITMENTS: Resource = Resource {
    path: "/v1/commitments",
    key: "id",
    example: |_| {
        json!({
            "title": "Komitmen uji", "signed_on": "2022-10-04", "document_url": "https://tests.invalid/komitmen.pdf",
            "signatories": ["DINKES", "DLH"]
        })
    },
    text: "title",
    optional: Some("document_url"),
    filter: ("signed_on", "2022-10-04", "2022-10-05"),
    ..USUAL
};

/// Council members.
pub const COUNCIL_MEMBERS: Resource = Resource {
    path: "/v1/council-members",
    key: "id",
    example: |_| json!({ "name": "Siti", "position": "Akademisi", "role": "member", "since": "2022-01-01", "until": "2026-12-31" }),
    optional: Some("position"),
    filter: ("role", "member", "chair"),
    ..USUAL
};

/// Surveys.
pub const SURVEYS: Resource = Resource {
    path: "/v1/surveys",
    key: "id",
    example: |code| {
        json!({
            "opd": "DINKES", "service": format!("Layanan uji {code}"), "period": "2022-Q3", "respondents": 150, "published": false,
            "scores": { "u1": "3.2", "u2": "3.2", "u3": "3.2", "u4": "3.2", "u5": "3.2", "u6": "3.2", "u7": "3.2", "u8": "3.2", "u9": "3.2" }
        })
    },
    text: "service",
    optional: Some("respondents"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    computed: &["explanation"],
    ..USUAL
};

/// Findings of one evaluation.
pub const FINDINGS: Resource = Resource {
    path: "/v1/evaluations/EVAL-UJI/findings",
    key: "id",
    parent: Some(("/v1/evaluations/EVAL-UJI", || json!({ "masterplan": "KLU-SC", "held_on": "2022-10-04" }))),
    example: |_| {
        json!({
            "programme": "SL-01", "opd": "DINKES", "text": "Temuan uji", "recommendation": "Lakukan uji", "due_on": "2022-12-31"
        })
    },
    text: "text",
    sort: Some("state"),
    optional: Some("recommendation"),
    filter: ("opd", "DINKES", "DLH"),
    expand: Some("opd"),
    computed: &["overdue"],
    ..USUAL
};
