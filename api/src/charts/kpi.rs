//! The series of a KPI as a chart: its verified values as a line, its baseline, and its targets as a dashed line.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};
use entity::kpi::UnitKind;
use entity::rules::kpi::Standing;
use entity::value::period::{Frequency, Period};
use rust_decimal::Decimal;

use super::axis::{self, Place, Placer};
use super::drawing::{Anchor, Area, Canvas, Drawing, Label, Look, n};
use super::figures::{KpiSeries, KpiStanding, Point};
use super::text::Font;
use super::words::{Words, near};

/// The most values that each get a point; of more, only the last has one.
const MOST_POINTS: usize = 40;
/// The most values of each kind that are told in words, the last ones.
const MOST_TOLD: usize = 60;
/// The distance at which the lines are looked at when texts are placed.
const STEP: f64 = 6.0;
/// The height above the axis that is kept for labels, in sizes of a small text.
const ROOM_ABOVE: f64 = 2.0;
/// The radius of a point.
const RADIUS: f64 = 4.5;

/// Draws the series of a KPI.
pub(crate) fn draw(code: &str, standing: &KpiStanding, series: &KpiSeries, width: u16, words: Words) -> Drawing {
    let mut canvas = Canvas::new(width, words);
    canvas.heading(&standing.name, &about(standing, series, words));
    if series.baseline.is_none() && series.targets.is_empty() && series.actuals.is_empty() {
        let note =
            words.of("Tidak ada nilai dan target dalam periode ini.", "There are no values and no targets in these periods.");
        canvas.note(note);
    } else {
        Plot::of(&mut canvas, standing, series).draw(&mut canvas, series);
    }
    let source = words.source(standing.as_of, None);
    let description = described(standing, series, words, &source);
    canvas.finish(&format!("kpi-{code}"), standing.name.clone(), description, &source)
}

/// What the values say, in one or two sentences.
fn about(standing: &KpiStanding, series: &KpiSeries, words: Words) -> String {
    let said = |point: &Point| {
        let (value, period) = (words.value_in_full(point.value, &series.unit), words.period(point.period));
        words.of(format!("{value} pada {period}"), format!("{value} in {period}"))
    };
    let mut parts = Vec::new();
    match series.actuals.last() {
        Some(last) => parts.push(said(last)),
        None => parts.push(words.of("Belum ada nilai terverifikasi", "No verified values yet").to_owned()),
    }
    parts.extend(series.baseline.as_ref().map(|base| format!("{} {}", words.of("awalnya", "starting from"), said(base))));
    parts.extend(series.targets.last().map(|last| format!("target {}", said(last))));
    let mut text = parts.join(", ");
    let judged = (standing.standing != Standing::NoData && !series.actuals.is_empty()).then(|| words.standing(standing.standing));
    let last = judged.into_iter().chain([words.direction(standing.direction)]).collect::<Vec<_>>().join("; ");
    let _ = write!(text, ". {}.", capital(&last));
    text
}

/// A text that begins with a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Where values and periods are.
struct Plot {
    area: Area,
    low: f64,
    high: f64,
    first: f64,
    last: f64,
    frequency: Frequency,
    ticks: Vec<(f64, String)>,
    words: Words,
}

fn days(day: NaiveDate) -> f64 {
    f64::from(day.num_days_from_ce())
}

impl Plot {
    fn of(canvas: &mut Canvas, standing: &KpiStanding, series: &KpiSeries) -> Self {
        let words = canvas.words;
        let points = series.baseline.iter().chain(&series.targets).chain(&series.actuals).collect::<Vec<_>>();
        let values = points.iter().map(|point| near(point.value));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        // The axis begins at zero unless that would flatten how values change.
        let is_one_period = points.windows(2).all(|pair| pair[0].period == pair[1].period);
        let low = if low >= 0.0 && (low < high * 0.6 || is_one_period) { 0.0 } else { low };
        let (low, high) = if high - low < f64::EPSILON * high.abs().max(1.0) { (low - 1.0, high + 1.0) } else { (low, high) };
        let low = if low < 0.0 && points.iter().all(|point| !point.value.is_sign_negative()) { 0.0 } else { low };
        let is_whole = series.unit.kind == UnitKind::Count && points.iter().all(|point| point.value.fract().is_zero());
        let ticks = axis::ticks(low, high, 5, is_whole);
        let named = ticks.iter().map(|tick| {
            let tick_value = Decimal::from_f64_retain(*tick).unwrap_or_default().round_dp(6);
            (*tick, words.value(tick_value, &series.unit))
        });
        let named = named.collect::<Vec<_>>();
        let small = canvas.small();
        let numbers = named.iter().map(|(_, text)| small.width(text)).fold(0.0, f64::max);
        let ends = points.iter().map(|point| days(point.period.end()));
        let (first, last) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), end| (first.min(end), last.max(end)));
        let left = canvas.left + numbers + 8.0;
        // Room for a label above the highest value.
        let area =
            Area::new(left, canvas.y + small.size * ROOM_ABOVE, canvas.right - left, (canvas.inner() * 0.42).clamp(180.0, 480.0));
        Self {
            area,
            low: ticks.first().copied().unwrap_or(low),
            high: ticks.last().copied().unwrap_or(high),
            first,
            last,
            frequency: standing.frequency,
            ticks: named,
            words,
        }
    }

    fn y_of(&self, value: f64) -> f64 {
        self.area.bottom() - (value - self.low) / (self.high - self.low) * self.area.height
    }

    fn x_of(&self, period: Period) -> f64 {
        // Room for a label at both ends.
        let margin = (self.area.width * 0.1).clamp(30.0, 90.0);
        let (from, wide) = (self.area.x + margin, self.area.width - 2.0 * margin);
        if self.last - self.first < 1.0 {
            return from + wide / 2.0;
        }
        from + (days(period.end()) - self.first) / (self.last - self.first) * wide
    }

    fn at(&self, point: &Point) -> (f64, f64) {
        (self.x_of(point.period), self.y_of(near(point.value)))
    }

    fn draw(&self, canvas: &mut Canvas, series: &KpiSeries) {
        let small = canvas.small();
        for (tick, text) in &self.ticks {
            let y = self.y_of(*tick);
            canvas.stroke(Look::Grid, (self.area.x, y), (self.area.right(), y));
            canvas.text(self.area.x - 8.0, y + small.size * 0.35, Anchor::End, text, small, Look::Faint);
        }
        canvas.stroke(Look::Axis, (self.area.x, self.area.bottom()), (self.area.right(), self.area.bottom()));
        let [targets, actuals] = [&series.targets, &series.actuals].map(|points| {
            series
                .baseline
                .iter()
                .filter(|base| points.first().is_some_and(|first| base.period.end() < first.period.end()))
                .chain(points)
                .collect::<Vec<_>>()
        });
        let mut placer = Placer::default();
        self.line(canvas, &mut placer, Look::TargetLine, &targets);
        self.line(canvas, &mut placer, Look::Line, &actuals);
        self.points(canvas, &mut placer, series);
        self.labels(canvas, &mut placer, series);
        canvas.y = self.periods(canvas, series) + canvas.size * 0.4;
        // The shapes are named where there was no room beside them; and always, for whoever sees no colours.
        self.key(canvas, series);
    }

    fn line(&self, canvas: &mut Canvas, placer: &mut Placer, look: Look, points: &[&Point]) {
        if points.len() < 2 {
            return;
        }
        for pair in points.windows(2) {
            let ((x, y), (to_x, to_y)) = (self.at(pair[0]), self.at(pair[1]));
            let parts = ((to_x - x).abs().max((to_y - y).abs()) / STEP).ceil().max(1.0);
            let mut part = 0.0;
            while part <= parts {
                let (at_x, at_y) = (x + (to_x - x) * part / parts, y + (to_y - y) * part / parts);
                placer.avoid(Area::new(at_x - 1.0, at_y - 1.0, 2.0, 2.0));
                part += 1.0;
            }
        }
        let mut data = String::new();
        for (index, point) in points.iter().enumerate() {
            let (x, y) = self.at(point);
            let _ = write!(data, "{}{} {}", if index == 0 { 'M' } else { 'L' }, n(x), n(y));
        }
        canvas.path(look, data, self.area);
    }

    fn points(&self, canvas: &mut Canvas, placer: &mut Placer, series: &KpiSeries) {
        let mut mark = |canvas: &mut Canvas, shape: Shape, point: &Point| {
            let (x, y) = self.at(point);
            placer.keep(shape.draw(canvas, x, y));
        };
        for point in last_or_all(&series.targets) {
            mark(canvas, Shape::Diamond, point);
        }
        if let Some(point) = &series.baseline {
            mark(canvas, Shape::Ring, point);
        }
        for point in last_or_all(&series.actuals) {
            mark(canvas, Shape::Disc, point);
        }
    }

    fn labels(&self, canvas: &mut Canvas, placer: &mut Placer, series: &KpiSeries) {
        let (strong, small) = (canvas.strong(), canvas.small());
        let mut place = |canvas: &mut Canvas, point: &Point, name: &str, font: Font, look: Look| {
            let (x, y) = self.at(point);
            let value = self.words.value(point.value, &series.unit);
            let above = small.size * (ROOM_ABOVE - 0.5);
            let bounds = Area::new(self.area.x, self.area.y - above, self.area.width, self.area.height + above);
            let label = |text: String| Label { text, x, y, anchor: Anchor::Middle, font, look };
            let is_named = !name.is_empty() && placer.place(canvas, label(format!("{name}\u{a0}{value}")), bounds);
            if !is_named {
                placer.place(canvas, label(value), bounds);
            }
        };
        if let Some(last) = series.actuals.last() {
            place(canvas, last, "", strong, Look::LineText);
        }
        if let Some(last) = series.targets.last() {
            place(canvas, last, "target", small, Look::TargetText);
        }
        if let Some(base) = &series.baseline {
            place(canvas, base, self.words.of("awal", "baseline"), small, Look::Faint);
        }
        let others = |points: &[Point]| points.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default();
        let most = if canvas.is_narrow() { 6 } else { 16 };
        if series.actuals.len() + series.targets.len() <= most {
            for point in others(&series.actuals).iter().rev() {
                place(canvas, point, "", small, Look::LineText);
            }
            for point in others(&series.targets).iter().rev() {
                place(canvas, point, "", small, Look::TargetText);
            }
        }
    }

    /// Names the periods; gives the lower edge of their names.
    fn periods(&self, canvas: &mut Canvas, series: &KpiSeries) -> f64 {
        let all = series.baseline.iter().chain(&series.targets).chain(&series.actuals).map(|point| point.period);
        let ends = all.clone().map(|period| period.index_in(self.frequency));
        let (Some(first), Some(last)) = (ends.clone().min(), ends.max()) else { return self.area.bottom() };
        let places = (first..=last).filter_map(|index| Period::from_index(self.frequency, index));
        let places = places.map(|period| Place { period, x: self.x_of(period) }).collect::<Vec<_>>();
        let y = self.area.bottom();
        if places.len() <= MOST_POINTS {
            for place in &places {
                canvas.stroke(Look::Axis, (place.x, y), (place.x, y + 4.0));
            }
        }
        axis::periods(canvas, &places, y)
    }

    fn key(&self, canvas: &mut Canvas, series: &KpiSeries) {
        let words = self.words;
        let entries = [
            (Shape::Disc, words.of("nilai terverifikasi", "verified value"), !series.actuals.is_empty()),
            (Shape::Diamond, "target", !series.targets.is_empty()),
            (Shape::Ring, words.of("nilai awal", "baseline"), series.baseline.is_some()),
        ];
        let (font, mut x, mut y) = (canvas.small(), canvas.left, canvas.y);
        for (shape, name, _) in entries.into_iter().filter(|(.., is_there)| *is_there) {
            let width = 2.0 * RADIUS + 8.0 + font.width(name);
            if x + width > canvas.right && x > canvas.left {
                (x, y) = (canvas.left, y + font.line() * 1.15);
            }
            shape.draw(canvas, x + RADIUS + 1.0, y + font.line() * 0.5);
            canvas.text(x + 2.0 * RADIUS + 8.0, y + font.line() * 0.77, Anchor::Start, name, font, Look::Faint);
            x += width + canvas.size * 1.2;
        }
        canvas.y = y + font.line() + canvas.size * 0.5;
    }
}

fn last_or_all(points: &[Point]) -> &[Point] {
    if points.len() <= MOST_POINTS { points } else { &points[points.len() - 1..] }
}

/// The shape of a point, which tells its kind without colours.
#[derive(Clone, Copy)]
enum Shape {
    /// A verified value.
    Disc,
    /// A target.
    Diamond,
    /// A baseline.
    Ring,
}

impl Shape {
    /// Draws it; gives what it covers.
    fn draw(self, canvas: &mut Canvas, x: f64, y: f64) -> Area {
        let radius = RADIUS;
        let circle = |radius: f64| {
            let (left, across) = (n(x - radius), n(radius * 2.0));
            let arc = n(radius);
            format!("M{left} {}a{arc} {arc} 0 1 0 {across} 0a{arc} {arc} 0 1 0 -{across} 0z", n(y))
        };
        let (look, data) = match self {
            Self::Disc => (Look::Running, circle(radius)),
            Self::Ring => (Look::Baseline, circle(radius - 0.5)),
            Self::Diamond => {
                let side = n(radius + 0.5);
                (Look::Target, format!("M{} {}l{side} {side}l-{side} {side}l-{side} -{side}z", n(x), n(y - radius - 0.5)))
            }
        };
        let covers = Area::new(x - radius, y - radius, 2.0 * radius, 2.0 * radius);
        canvas.path(look, data, covers);
        covers
    }
}

fn described(standing: &KpiStanding, series: &KpiSeries, words: Words, source: &str) -> String {
    let told = |points: &[Point]| {
        let last = &points[points.len().saturating_sub(MOST_TOLD)..];
        let each = last
            .iter()
            .map(|point| format!("{}: {}", words.period(point.period), words.value_in_full(point.value, &series.unit)));
        each.collect::<Vec<_>>().join("; ")
    };
    let mut parts = vec![about(standing, series, words)];
    let mut add = |name: &str, points: &[Point]| {
        if !points.is_empty() {
            parts.push(format!("{name}: {}.", told(points)));
        }
    };
    add(words.of("Nilai awal", "Baseline"), series.baseline.as_slice());
    add(words.of("Nilai terverifikasi", "Verified values"), &series.actuals);
    add(words.of("Target", "Targets"), &series.targets);
    parts.push(source.to_owned());
    parts.join(" ")
}
