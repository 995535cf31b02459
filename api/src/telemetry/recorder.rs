//! Where metrics go: to Prometheus alone, or to an OpenTelemetry receiver as well. Both get the same numbers under the same names.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::PrometheusRecorder;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use super::metrics::{BUCKETS, named};

/// Gives every metric to both.
pub(super) struct Both {
    prometheus: PrometheusRecorder,
    meter: Meter,
    counters: Handles<Counter>,
    gauges: Handles<Gauge>,
    histograms: Handles<Histogram>,
}

/// What was registered: many places in the code register a metric each time they use it.
type Handles<T> = RwLock<HashMap<Key, T>>;

impl Both {
    pub(super) fn new(prometheus: PrometheusRecorder, meter: Meter) -> Self {
        let (counters, gauges, histograms) = (Handles::default(), Handles::default(), Handles::default());
        Self { prometheus, meter, counters, gauges, histograms }
    }
}

/// The handle of a key, which is made where there is none yet.
fn handle<T: Clone>(handles: &Handles<T>, key: &Key, make: impl FnOnce() -> T) -> T {
    if let Some(known) = handles.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return known.clone();
    }
    handles.write().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_insert_with(make).clone()
}

fn name_of(key: &Key) -> String {
    key.name().to_owned()
}

fn help_of(key: &Key) -> &'static str {
    named(key.name()).map_or("", |metric| metric.help)
}

/// The unit in the words of OpenTelemetry (UCUM).
fn unit_of(key: &Key) -> &'static str {
    match named(key.name()).map(|metric| metric.unit) {
        Some(Unit::Seconds) => "s",
        Some(Unit::Bytes) => "By",
        _ => "1",
    }
}

fn labels_of(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

impl Recorder for Both {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        handle(&self.counters, key, || {
            let exported = self.meter.u64_counter(name_of(key)).with_description(help_of(key)).with_unit(unit_of(key)).build();
            let here = self.prometheus.register_counter(key, metadata);
            Counter::from_arc(Arc::new(BothCounters { here, exported, labels: labels_of(key), total: AtomicU64::new(0) }))
        })
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        handle(&self.gauges, key, || {
            let exported = self.meter.f64_gauge(name_of(key)).with_description(help_of(key)).with_unit(unit_of(key)).build();
            let here = self.prometheus.register_gauge(key, metadata);
            Gauge::from_arc(Arc::new(BothGauges { here, exported, labels: labels_of(key), value: Mutex::default() }))
        })
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        handle(&self.histograms, key, || {
            let exported = self.meter.f64_histogram(name_of(key)).with_description(help_of(key)).with_unit(unit_of(key));
            let exported = exported.with_boundaries(BUCKETS.to_vec()).build();
            let here = self.prometheus.register_histogram(key, metadata);
            Histogram::from_arc(Arc::new(BothHistograms { here, exported, labels: labels_of(key) }))
        })
    }
}

struct BothCounters {
    here: Counter,
    exported: opentelemetry::metrics::Counter<u64>,
    labels: Vec<KeyValue>,
    total: AtomicU64,
}

impl CounterFn for BothCounters {
    fn increment(&self, value: u64) {
        self.here.increment(value);
        self.exported.add(value, &self.labels);
        self.total.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.here.absolute(value);
        let before = self.total.fetch_max(value, Ordering::Relaxed);
        self.exported.add(value.saturating_sub(before), &self.labels);
    }
}

struct BothGauges {
    here: Gauge,
    exported: opentelemetry::metrics::Gauge<f64>,
    labels: Vec<KeyValue>,
    value: Mutex<f64>,
}

impl BothGauges {
    fn change(&self, how: impl FnOnce(f64) -> f64) {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *value = how(*value);
        self.here.set(*value);
        self.exported.record(*value, &self.labels);
    }
}

impl GaugeFn for BothGauges {
    fn increment(&self, more: f64) {
        self.change(|value| value + more);
    }

    fn decrement(&self, less: f64) {
        self.change(|value| value - less);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

struct BothHistograms {
    here: Histogram,
    exported: opentelemetry::metrics::Histogram<f64>,
    labels: Vec<KeyValue>,
}

impl HistogramFn for BothHistograms {
    fn record(&self, value: f64) {
        self.here.record(value);
        self.exported.record(value, &self.labels);
    }
}
