//! What `/metrics` shows, read as Prometheus reads it.

use std::collections::BTreeMap;

/// All families by their names.
#[derive(Debug, Default)]
pub struct Metrics(pub BTreeMap<String, Family>);

/// The time series of one name.
#[derive(Debug, Default)]
pub struct Family {
    /// The sentence that explains it.
    pub help: String,
    /// What it is: counter, gauge or histogram.
    pub kind: String,
    /// The names of its series, which a histogram has three of.
    pub series: Vec<Series>,
}

/// One time series as it is now.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Metrics {
    /// Reads the text format.
    ///
    /// # Panics
    ///
    /// When a line is none of that format, or has no family before it.
    pub fn read(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                help.clone_into(&mut all.0.entry(name.to_owned()).or_default().help);
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                kind.clone_into(&mut all.0.entry(name.to_owned()).or_default().kind);
            } else {
                let series = series(line);
                let family =
                    |suffix: &str| series.name.strip_suffix(suffix).map(str::to_owned).filter(|name| all.0.contains_key(name));
                let name = [family(""), family("_bucket"), family("_sum"), family("_count")].into_iter().flatten().next();
                let name = name.unwrap_or_else(|| panic!("no family for {line}"));
                all.0.entry(name).or_default().series.push(series);
            }
        }
        all
    }

    /// The value of the series with these labels, and no others.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
        self.series().find(|series| series.name == name && series.labels == wanted).map(|series| series.value)
    }

    /// All series.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.0.values().flat_map(|family| &family.series)
    }
}

fn series(line: &str) -> Series {
    let (head, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value in {line}"));
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    let pairs = labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty());
    let labels = pairs.map(|pair| pair.split_once("=\"").unwrap_or_else(|| panic!("no label in {line}")));
    let labels = labels.map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned())).collect();
    Series { name: name.to_owned(), labels, value: value.parse().unwrap_or_else(|_| panic!("no number in {line}")) }
}
