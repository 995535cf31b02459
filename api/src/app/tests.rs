//! How many statements a read takes: a fixed number, whatever the rows.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::header::AUTHORIZATION;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use entity::user::{self, Role};
use metrics_exporter_prometheus::PrometheusBuilder;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::runtime::Handle;

use super::{State, all_routes, app};
use crate::auth::actor::{Actor, ActorKind};
use crate::auth::keys::Keys;
use crate::cache::ResponseCache;
use crate::demo;
use crate::feed::limits::StreamLimits;
use crate::feed::tail::Tail;
use crate::store::clock::Calendar;
use crate::store::connection;
use crate::store::dependencies;
use crate::store::figure_cache::FigureCache;
use crate::store::transaction::Store;

/// What is read, and how many statements it takes: the rows, their number where it is asked for, and one for
/// each kind of thing that is expanded.
const READS: &[(&str, u32)] = &[
    ("/v1/masterplans", 1),
    ("/v1/dimensions", 1),
    ("/v1/opds?limit=200", 1),
    ("/v1/regions?limit=200", 1),
    ("/v1/programmes?limit=1", 3),
    ("/v1/programmes?limit=200", 3),
    ("/v1/programmes?limit=200&count=true", 4),
    ("/v1/programmes?limit=200&expand=lead_opd,supporting_opds,dimension", 5),
    ("/v1/programmes?supporting_opds=DLH&status=running&q=a&sort=-updated_at", 1),
    ("/v1/programmes/SG-01", 3),
    ("/v1/programmes/SG-01/transitions", 1),
    ("/v1/programmes/SG-01/history", 1),
    ("/v1/quick-wins", 1),
    ("/v1/kpis", 1),
    ("/v1/kpis/STUNTING/targets", 1),
    ("/v1/kpis/STUNTING/measurements", 1),
    ("/v1/awards", 1),
    ("/v1/users", 2),
    ("/v1/me", 2),
    ("/v1/summary", 8),
    ("/v1/timeline", 1),
    ("/v1/kpis/STUNTING/standing", 2),
    ("/v1/kpis/STUNTING/series", 3),
    ("/v1/public/programmes?limit=200", 3),
    ("/v1/public/programmes/SG-01", 3),
    ("/v1/public/programmes/SG-01?expand=lead_opd,dimension", 5),
    ("/v1/standings", 2),
    ("/v1/public/standings?sort=-progress", 2),
    ("/v1/findings", 1),
    ("/v1/public/findings?overdue=true", 1),
    ("/v1/public/programmes/SG-01/transitions", 2),
    // One of them finds the first day of which anything is recorded.
    ("/v1/public/summary?as_of=2022-10-04", 10),
];

/// An application on the demo data, a counter of its statements, and a token of an admin.
async fn counted(folder: &std::path::Path) -> (State, Arc<AtomicU32>, String) {
    let url = format!("sqlite://{}", folder.join("statements.db").display());
    let mut db = connection::open(&url, 4).await.unwrap();
    connection::migrate(&db).await.unwrap();
    let calendar = Calendar::new(chrono::FixedOffset::east_opt(8 * 3600).unwrap());
    demo::load(
        &Store::new(db.clone(), calendar.clone()),
        demo::Fixed { password: Some("kopi tubruk tanpa gula"), client_secret: None },
    )
    .await
    .unwrap();
    let keys = Keys::load(db.clone(), "http://127.0.0.1:8080".into()).await.unwrap();
    let admin = user::Entity::find().filter(user::Column::Role.eq(Role::Admin)).one(&db).await.unwrap().unwrap();
    let actor = Actor { kind: ActorKind::User, id: admin.id.to_string(), ..Actor::system(&admin.email) };
    let token = keys.issue(&actor).unwrap();
    let counter = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&counter);
    db.set_metric_callback(move |info| {
        dependencies::note_statement(&info.statement.sql);
        counting.fetch_add(1, Ordering::SeqCst);
    });
    let store = Store::new(db, calendar);
    let state = State {
        routes: all_routes(),
        store: Data::new(store.clone()),
        keys: Data::new(keys),
        outside: None,
        tail: Data::new(Tail::new(store.clone())),
        streams: Data::new(StreamLimits::new(10, 10)),
        addresses: Data::default(),
        answers: Data::new(ResponseCache::new(store.generation().clone(), store.calendar().clone())),
        repeats: Data::default(),
        figures: Data::new(FigureCache::new(Handle::current())),
        document: Data::default(),
        stopping: Data::default(),
        metrics: Data::new(PrometheusBuilder::new().build_recorder().handle()),
        licence: Data::default(),
        exports: Data::default(),
        limits: Data::default(),
        proxies: Data::default(),
        origins: Data::default(),
    };
    (state, counter, token)
}

fn request(path: &str, token: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header((AUTHORIZATION, format!("Bearer {token}")))
}

#[actix_web::test]
async fn a_read_takes_a_fixed_number_of_statements_and_a_kept_one_none() {
    let folder = std::env::temp_dir().join(format!("renaksi-statements-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let (state, counter, token) = counted(&folder).await;
    let app = init_service(app(state)).await;
    let mut field_errors = Vec::new();
    for (path, number) in READS {
        counter.store(0, Ordering::SeqCst);
        assert_eq!(call_service(&app, request(path, &token).to_request()).await.status(), 200, "{path}");
        let first = counter.swap(0, Ordering::SeqCst);
        if first != *number {
            field_errors.push(format!("{path}: {first} instead of {number}"));
        }
        call_service(&app, request(path, &token).to_request()).await;
        let is_for_one_person = ["/v1/users", "/v1/me", "/v1/programmes/SG-01/history"].contains(path);
        assert_eq!(counter.load(Ordering::SeqCst) > 0, is_for_one_person, "{path} is kept in memory for all who may read it");
    }
    assert!(field_errors.is_empty(), "{}", field_errors.join("\n"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[actix_web::test]
async fn a_failed_login_does_the_same_work_whether_the_account_exists() {
    let folder = std::env::temp_dir().join(format!("renaksi-logins-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let (state, counter, _) = counted(&folder).await;
    let app = init_service(app(state)).await;
    let forms = [
        [
            "grant_type=password&password=salah-sekali-lagi&username=admin@demo.invalid",
            "grant_type=password&password=salah-sekali-lagi&username=nobody@demo.invalid",
        ],
        [
            "grant_type=client_credentials&client_secret=salah&client_id=demo-dinkes",
            "grant_type=client_credentials&client_secret=salah&client_id=nobody",
        ],
    ];
    for pair in forms {
        let mut statements = Vec::new();
        for form in pair {
            counter.store(0, Ordering::SeqCst);
            let request =
                TestRequest::post().uri("/v1/auth/token").insert_header(("Content-Type", "application/x-www-form-urlencoded"));
            let answer = call_service(&app, request.set_payload(form).to_request()).await;
            assert!([400, 401].contains(&answer.status().as_u16()), "{form}");
            statements.push(counter.swap(0, Ordering::SeqCst));
        }
        assert_eq!(statements[0], statements[1], "{pair:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
