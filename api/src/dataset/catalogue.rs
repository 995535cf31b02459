//! `GET /v1/public/catalog.jsonld`: every data set with its distributions, as a catalogue in the vocabulary DCAT (version 3), which other
//! portals harvest. CKAN's harvester reads it with the extension `dcat`.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use entity::region::{self, RegionLevel};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use serde_json::{Map, Value, json};

use super::list::{ABOUT, DATASETS, Dataset, TITLE, ZIP_PATH};
use crate::auth::keys::Keys;
use crate::http::answer::Answer;
use crate::http::language::Noun;
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::kinds;
use crate::licence::Licence;
use crate::store::access::Public;

/// Where it is.
pub const PATH: &str = "/v1/public/catalog.jsonld";
/// What the audit log calls the data sets that are the list of no kind.
const PARTS: [(&str, &str); 4] =
    [("transitions", "transition"), ("coverage", "coverage"), ("targets", "kpi_target"), ("measurements", "measurement")];
const MEDIA_TYPES: &str = "https://www.iana.org/assignments/media-types/";

/// What the catalogue is made of.
struct Known {
    address: String,
    licence: Licence,
    /// The regencies, with their Kemendagri codes.
    regions: Vec<region::Model>,
    /// The first day of which anything is recorded, and today.
    days: [NaiveDate; 2],
    /// The last public change, by the name of the resource in the audit log.
    changes: BTreeMap<String, DateTime<Utc>>,
}

async fn get_catalogue(
    public: Public,
    licence: Data<Licence>,
    keys: Data<Keys>,
    preconditions: Preconditions,
    _: NoParameters,
) -> ApiResult<Answer> {
    let (db, store) = (public.store.db(), &public.store);
    let regencies = region::Entity::find().filter(region::Column::Level.eq(RegionLevel::Regency));
    let known = Known {
        address: keys.issuer().to_owned(),
        licence: *licence.get_ref(),
        regions: regencies.order_by_asc(region::Column::Code).all(db).await?,
        days: [store.first_day().await?, store.calendar().today()],
        changes: last_changes(db).await?,
    };
    let text = serde_json::to_vec(&known.catalogue()).map_err(ApiError::unexpected)?;
    Ok(Answer::of(StatusCode::OK, MediaType::JsonLd, text).tagged().public().unless_known(&preconditions))
}

/// What the audit log calls the rows of a data set; nothing for a figure, which is made of several.
fn resource_of(dataset: &Dataset) -> Option<&'static str> {
    let of_kind = kinds::KINDS.iter().find(|kind| dataset.path.strip_prefix("/v1/public/") == Some(kind.names.many));
    let part = || PARTS.into_iter().find(|(name, _)| *name == dataset.name).map(|(_, resource)| resource);
    of_kind.map(|kind| kind.names.one).or_else(part)
}

/// The instant of the last public event about each kind of resource. Each is the end of an index.
async fn last_changes(db: &impl ConnectionTrait) -> ApiResult<BTreeMap<String, DateTime<Utc>>> {
    let parts = DATASETS.iter().filter_map(resource_of).map(|resource| {
        format!(
            "SELECT * FROM (SELECT '{resource}' AS resource, e.at AS at FROM event_seal s JOIN event e ON e.seq = s.seq \
             WHERE s.resource = '{resource}' AND s.public ORDER BY s.position DESC LIMIT 1) last_{resource}"
        )
    });
    let sql = parts.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "resource")?, row.try_get("", "at")?))).collect()
}

impl Known {
    fn catalogue(&self) -> Value {
        let address = &self.address;
        let datasets = DATASETS.iter().map(|dataset| self.dataset(dataset)).chain([self.whole()]).collect::<Vec<_>>();
        json!({
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
                "skos": "http://www.w3.org/2004/02/skos/core#", "xsd": "http://www.w3.org/2001/XMLSchema#",
            },
            "@id": format!("{address}{PATH}"),
            "@type": "dcat:Catalog",
            "dct:title": texts(TITLE),
            "dct:description": texts(ABOUT),
            "dct:publisher": self.publisher(),
            "dct:license": { "@id": self.licence.url() },
            "dct:language": ["id", "en"],
            "dct:modified": self.modified(None),
            "dct:spatial": self.spatial(),
            "foaf:homepage": { "@id": format!("{address}/") },
            "dcat:dataset": datasets,
            "dcat:service": {
                "@id": format!("{address}/#api"), "@type": "dcat:DataService", "dct:title": "Renaksi API",
                "dcat:endpointURL": { "@id": format!("{address}/v1/public") },
                "dcat:endpointDescription": { "@id": format!("{address}/openapi.json") },
                "dct:license": { "@id": self.licence.url() },
            },
        })
    }

    fn dataset(&self, dataset: &Dataset) -> Value {
        let Self { address, .. } = self;
        let distributions = json!([
            self.distribution("CSV", MediaType::Csv, &dataset.csv_path()),
            self.distribution("JSON", MediaType::Json, dataset.path),
        ]);
        let modified = self.modified(resource_of(dataset));
        self.described(
            &format!("{address}{PATH}#{}", dataset.name),
            dataset.name,
            [dataset.title, dataset.about],
            modified,
            distributions,
        )
    }

    /// All of them in one file.
    fn whole(&self) -> Value {
        let distributions = json!([self.distribution("ZIP", MediaType::Zip, ZIP_PATH)]);
        self.described(&format!("{}{PATH}#dataset", self.address), "dataset", [TITLE, ABOUT], self.modified(None), distributions)
    }

    fn described(&self, id: &str, name: &str, [title, about]: [Noun; 2], modified: Value, distributions: Value) -> Value {
        let [first, today] = self.days;
        json!({
            "@id": id, "@type": "dcat:Dataset", "dct:identifier": name, "dct:title": texts(title), "dct:description": texts(about),
            "dcat:keyword": ["smart city", "masterplan", "renaksi"], "dct:language": ["id", "en"], "dct:publisher": self.publisher(),
            "dct:license": { "@id": self.licence.url() }, "dct:modified": modified, "dct:spatial": self.spatial(),
            "dct:temporal": {
                "@type": "dct:PeriodOfTime",
                "dcat:startDate": { "@type": "xsd:date", "@value": first }, "dcat:endDate": { "@type": "xsd:date", "@value": today },
            },
            "dct:accrualPeriodicity": { "@id": "http://purl.org/cld/freq/continuous" },
            "dcat:landingPage": { "@id": format!("{}/", self.address) },
            "dcat:distribution": distributions,
        })
    }

    fn distribution(&self, format: &str, media: MediaType, path: &str) -> Value {
        let address = format!("{}{path}", self.address);
        json!({
            "@id": format!("{address}#{}", format.to_ascii_lowercase()), "@type": "dcat:Distribution", "dct:title": format,
            "dct:format": format, "dcat:mediaType": { "@id": format!("{MEDIA_TYPES}{}", media.name()) },
            "dcat:accessURL": { "@id": address }, "dcat:downloadURL": { "@id": address },
            "dct:license": { "@id": self.licence.url() },
        })
    }

    /// The regency; who runs this for several is named after none of them.
    fn publisher(&self) -> Value {
        let name = match self.regions.as_slice() {
            [one] => format!("Pemerintah {}", one.name),
            _ => TITLE.id.to_owned(),
        };
        json!({ "@id": format!("{}/#publisher", self.address), "@type": "foaf:Organization", "foaf:name": name })
    }

    fn spatial(&self) -> Value {
        let places = self.regions.iter().map(|region| {
            json!({
                "@id": format!("{}/v1/public/regions/{}", self.address, region.code), "@type": "dct:Location",
                "skos:prefLabel": region.name, "dct:identifier": region.code,
            })
        });
        places.collect()
    }

    /// The last change, of one kind of resource or of all.
    fn modified(&self, resource: Option<&str>) -> Value {
        let last = match resource {
            Some(resource) => self.changes.get(resource),
            None => self.changes.values().max(),
        };
        last.map_or(Value::Null, |last| json!({ "@type": "xsd:dateTime", "@value": last }))
    }
}

/// A text in both languages.
fn texts(text: Noun) -> Value {
    json!([{ "@language": "en", "@value": text.en }, { "@language": "id", "@value": text.id }])
}

/// Mounts the route.
pub fn mount(table: &mut Table) {
    let about = "Every data set with its files, licence, publisher, days and last change, in the vocabulary DCAT (version 3), for portals that \
                 harvest catalogues, such as CKAN with the extension `dcat`. No login is needed.";
    let operation = Operation::get(PATH, "get_public_catalogue", "public", "Catalogue of the open data (DCAT)", about);
    let schema = json!({
        "type": "object", "additionalProperties": true, "description": "A catalogue in JSON-LD 1.1, with its context inline.",
    });
    let example = json!({
        "@context": { "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/" },
        "@id": "https://renaksi.example.go.id/v1/public/catalog.jsonld", "@type": "dcat:Catalog",
        "dct:title": texts(TITLE),
        "dcat:dataset": [{
            "@id": "https://renaksi.example.go.id/v1/public/catalog.jsonld#programmes", "@type": "dcat:Dataset", "dct:identifier": "programmes",
        }],
    });
    let reference = json!({ "$ref": "#/components/schemas/Catalogue" });
    let schemas = Map::from_iter([("Catalogue".to_owned(), schema)]);
    let operation = operation.public().conditional().with_schemas(schemas).answers_in(
        MediaType::JsonLd,
        200,
        "The catalogue with all data sets.",
        reference,
        Some(example),
        &["ETag"],
    );
    table.on(operation, get_catalogue);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_known_to_the_audit_log() {
        let figures = DATASETS.iter().filter(|dataset| resource_of(dataset).is_none()).map(|dataset| dataset.name);
        assert_eq!(figures.collect::<Vec<_>>(), ["standings", "summary", "timeline", "scoreboard"]);
        for resource in DATASETS.iter().filter_map(resource_of) {
            assert!(kinds::audited(resource).is_some(), "{resource}");
        }
    }
}
