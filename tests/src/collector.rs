//! An OpenTelemetry receiver on this machine, which decodes what it is sent and behaves as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::header::HeaderMap;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::receiver::{PATIENCE, read_request};

/// How a receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Takes everything.
    Accepts,
    /// Takes nothing: 503.
    Refuses,
    /// Never answers.
    Hangs,
}

/// What a receiver was sent.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The spans.
    pub spans: Vec<Span>,
    /// The metrics, of which the later ones replace the earlier ones.
    pub metrics: BTreeMap<String, Metric>,
    /// The attributes of whoever sent it.
    pub resource: BTreeMap<String, String>,
    /// The headers of the last message.
    pub headers: HeaderMap,
    /// How many messages there were, whatever became of them.
    pub messages: usize,
}

/// A real receiver on this machine.
pub struct Collector {
    /// Its address, without a path.
    pub url: String,
    conduct: Arc<Mutex<Conduct>>,
    told: Arc<Mutex<Told>>,
}

impl Collector {
    /// Starts one.
    pub async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (conduct, told) = (Arc::new(Mutex::new(conduct)), Arc::<Mutex<Told>>::default());
        let (behaves, hears) = (Arc::clone(&conduct), Arc::clone(&told));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&behaves), Arc::clone(&hears)));
            }
        });
        Self { url, conduct, told }
    }

    /// Makes it behave otherwise from now on.
    pub fn change(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    /// What it was sent so far.
    pub fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    /// What `find` finds in what it was sent, once it is there.
    ///
    /// # Panics
    ///
    /// When it does not come.
    pub async fn until<T>(&self, what: &str, find: impl Fn(&Told) -> Option<T>) -> T {
        for _ in 0..PATIENCE.as_millis() / 50 {
            if let Some(found) = find(&self.told()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let told = self.told();
        let names = told.spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>();
        panic!("no {what} within {PATIENCE:?}; spans: {names:?}; metrics: {:?}", told.metrics.keys().collect::<Vec<_>>());
    }
}

/// The attributes of a span as texts.
pub fn attributes(span: &Span) -> BTreeMap<String, String> {
    texts(&span.attributes)
}

/// The numbers of a counter or gauge, by their attributes.
pub fn numbers(metric: &Metric) -> BTreeMap<Vec<(String, String)>, f64> {
    let points = match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        _ => return BTreeMap::new(),
    };
    let value = |value: &Option<number_data_point::Value>| match value {
        Some(number_data_point::Value::AsDouble(value)) => *value,
        Some(number_data_point::Value::AsInt(value)) => *value as f64,
        None => f64::NAN,
    };
    points.iter().map(|point| (texts(&point.attributes).into_iter().collect(), value(&point.value))).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &any_value::Value| match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |attribute: &KeyValue| attribute.value.as_ref()?.value.as_ref().map(text);
    attributes.iter().filter_map(|attribute| Some((attribute.key.clone(), value(attribute)?))).collect()
}

async fn serve(connection: TcpStream, conduct: Arc<Mutex<Conduct>>, told: Arc<Mutex<Told>>) {
    let mut connection = BufReader::new(connection);
    let Some((path, headers, body)) = read_request(&mut connection).await else { return };
    let conduct = *conduct.lock().unwrap();
    {
        let mut told = told.lock().unwrap();
        told.messages += 1;
        if conduct == Conduct::Accepts {
            keep(&mut told, &path, &body);
            told.headers = headers;
        }
    }
    let status = match conduct {
        Conduct::Accepts => "200 OK",
        Conduct::Refuses => "503 Service Unavailable",
        Conduct::Hangs => return tokio::time::sleep(Duration::from_secs(600)).await,
    };
    // An empty message of protobuf has no bytes.
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = connection.write_all(head.as_bytes()).await;
}

fn keep(told: &mut Told, path: &str, body: &[u8]) {
    match path {
        "/v1/traces" => {
            for part in ExportTraceServiceRequest::decode(body).expect("a message of traces").resource_spans {
                told.resource = texts(&part.resource.unwrap_or_default().attributes);
                told.spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        "/v1/metrics" => {
            for part in ExportMetricsServiceRequest::decode(body).expect("a message of metrics").resource_metrics {
                told.resource = texts(&part.resource.unwrap_or_default().attributes);
                let metrics = part.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
                told.metrics.extend(metrics.map(|metric| (metric.name.clone(), metric)));
            }
        }
        other => panic!("a message to {other}"),
    }
}
