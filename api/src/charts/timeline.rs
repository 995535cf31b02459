//! The timeline as a chart: a column for each period, with the programmes in each status on top of each other.

use std::fmt::Write;

use entity::rules::programme_status::ProgrammeStatus;

use super::axis::{self, Place};
use super::drawing::{Anchor, Area, Canvas, Drawing, Look, n};
use super::figures::{Statuses, Step, Timeline};
use super::words::Words;

/// The least width of a column: of more periods than that leaves room for, every second, third and so on is drawn.
const LEAST_COLUMN: f64 = 4.0;
/// The least width of a column that has space beside it; narrower ones are one area.
const LEAST_SPACED: f64 = 14.0;
/// The most periods that are told in words: those in which something changed, the last ones first.
const MOST_TOLD: usize = 40;

/// Draws the timeline.
pub(crate) fn draw(figure: &Timeline, width: u16, words: Words) -> Drawing {
    let mut canvas = Canvas::new(width, words);
    let (title, about) = (title(figure, words), about(figure, words));
    canvas.heading(&title, &about);
    if figure.steps.is_empty() {
        canvas.note(words.of("Belum ada perubahan yang tercatat.", "No changes are recorded yet."));
    } else {
        columns(&mut canvas, &figure.steps);
    }
    let source = words.source(figure.as_of, figure.masterplan.as_deref());
    let description = described(figure, words, &source);
    canvas.finish("timeline", title, description, &source)
}

fn title(figure: &Timeline, words: Words) -> String {
    match figure.steps.last() {
        Some(last) if last.total > 0 => format!("{}: {}", words.programmes(last.total), words.statuses(last.by_status)),
        _ => words.of("Belum ada program", "No programmes yet").to_owned(),
    }
}

fn about(figure: &Timeline, words: Words) -> String {
    let what = words.of("Jumlah program menurut status pada ", "Programmes by status at ");
    let (Some(first), Some(last)) = (figure.steps.first(), figure.steps.last()) else { return what.trim_end().to_owned() };
    let each = words.end_of_each(first.period.frequency());
    let [from, to] = [first, last].map(|step| words.period(step.period));
    if from == to { format!("{what}{each}, {from}") } else { format!("{what}{each}, {from} – {to}") }
}

fn columns(canvas: &mut Canvas, steps: &[Step]) {
    let (words, small, strong) = (canvas.words, canvas.small(), canvas.strong());
    let most = steps.iter().map(|step| step.total).max().unwrap_or_default().max(1);
    let ticks = axis::ticks(0.0, f64::from(most), 4, true);
    let top = ticks.last().copied().unwrap_or(1.0).max(1.0);
    let named = ticks.iter().map(|tick| (*tick, words.number(rust_decimal::Decimal::from(*tick as i64)))).collect::<Vec<_>>();
    let numbers = named.iter().map(|(_, text)| small.width(text)).fold(0.0, f64::max);
    let labels = labels(steps, words);
    let sample = canvas.size * 0.85;
    let label_width = |(_, number, name): &(ProgrammeStatus, String, &str)| {
        sample + 6.0 + strong.width(number) + small.width(name) + canvas.size * 0.35
    };
    let beside = labels.iter().map(label_width).fold(0.0, f64::max);
    let plot_left = canvas.left + numbers + 7.0;
    let plot = Area::new(
        plot_left,
        canvas.y + small.size * 0.5,
        canvas.right - beside - canvas.size * 0.8 - plot_left,
        (canvas.inner() * 0.4).clamp(170.0, 460.0),
    );
    let y_of = |value: f64| plot.bottom() - value / top * plot.height;
    for (tick, text) in &named {
        let look = if *tick == 0.0 { Look::Axis } else { Look::Grid };
        canvas.stroke(look, (plot.x, y_of(*tick)), (plot.right(), y_of(*tick)));
        canvas.text(plot.x - 7.0, y_of(*tick) + small.size * 0.35, Anchor::End, text, small, Look::Faint);
    }
    let shown = shown(steps, plot.width);
    let column = plot.width / shown.len().max(1) as f64;
    let space = if column < LEAST_SPACED { 0.0 } else { (column * 0.18).min(8.0) };
    let x_of = |index: usize| plot.x + index as f64 * column + space / 2.0;
    for status in Statuses::ORDER {
        let mut data = String::new();
        let parts = shown.iter().map(|step| part_of(step, status)).collect::<Vec<_>>();
        let mut index = 0;
        while let Some(part) = parts.get(index) {
            // Equal columns without space between them are one.
            let same = if space > 0.0 { 1 } else { parts[index..].iter().take_while(|other| *other == part).count() };
            let (below, number) = *part;
            if number > 0 {
                let (upper, lower) = (y_of(f64::from(below + number)), y_of(f64::from(below)));
                // A thin line of the ground between two statuses.
                let lower = if below > 0 { (lower - 1.0).max(upper + 0.4) } else { lower };
                let (x, wide) = (n(x_of(index)), n(column * same as f64 - space));
                let _ = write!(data, "M{x} {}h{wide}v{}h-{wide}z", n(upper), n(lower - upper));
            }
            index += same;
        }
        if !data.is_empty() {
            canvas.path(Look::of(status), data, plot);
        }
    }
    canvas.stroke(Look::Axis, (plot.x, plot.bottom()), (plot.right(), plot.bottom()));
    beside_columns(canvas, steps, &labels, plot, y_of);
    let places = shown.iter().enumerate();
    let places = places.map(|(index, step)| Place { period: step.period, x: x_of(index) + (column - space) / 2.0 });
    let places = places.collect::<Vec<_>>();
    canvas.y = axis::periods(canvas, &places, plot.bottom()) + canvas.size * 0.5;
}

/// How many programmes lie below those in a status, and how many are in it.
fn part_of(step: &Step, status: ProgrammeStatus) -> (u32, u32) {
    let below = Statuses::ORDER.into_iter().take_while(|other| *other != status).map(|other| step.by_status.of(other));
    (below.sum(), step.by_status.of(status))
}

/// The periods that are drawn: all, or at even distances back from the last one.
fn shown(steps: &[Step], width: f64) -> Vec<&Step> {
    let most = ((width / LEAST_COLUMN) as usize).max(1);
    let stride = steps.len().div_ceil(most).max(1);
    let mut shown = steps.iter().rev().step_by(stride).collect::<Vec<_>>();
    shown.reverse();
    shown
}

/// The statuses that any programme ever had, the last of the stack first, with their number at the end.
fn labels(steps: &[Step], words: Words) -> Vec<(ProgrammeStatus, String, &'static str)> {
    let last = steps.last().map(|step| step.by_status).unwrap_or_default();
    let known = Statuses::ORDER.into_iter().rev();
    let known = known.filter(|status| steps.iter().any(|step| step.by_status.of(*status) > 0));
    known.map(|status| (status, words.count(last.of(status)), words.status(status))).collect()
}

/// Names the statuses at the right, each beside its part of the last column as far as that leaves room for the others.
fn beside_columns(
    canvas: &mut Canvas,
    steps: &[Step],
    labels: &[(ProgrammeStatus, String, &str)],
    plot: Area,
    y_of: impl Fn(f64) -> f64,
) {
    let (small, strong, sample) = (canvas.small(), canvas.strong(), canvas.size * 0.85);
    let middle = |status: ProgrammeStatus| {
        let (below, number) = steps.last().map(|last| part_of(last, status)).unwrap_or_default();
        y_of(f64::from(below) + f64::from(number) / 2.0)
    };
    let distance = strong.line();
    let mut at = labels.iter().map(|(status, ..)| middle(*status)).collect::<Vec<_>>();
    // Down from above, then up from the bottom.
    for index in 0..at.len() {
        let least = if index == 0 { plot.y + distance / 2.0 } else { at[index - 1] + distance };
        at[index] = at[index].max(least);
    }
    for index in (0..at.len()).rev() {
        let most = if index + 1 == at.len() { plot.bottom() - distance / 2.0 } else { at[index + 1] - distance };
        at[index] = at[index].min(most);
    }
    let x = plot.right() + canvas.size * 0.8;
    for ((status, number, name), y) in labels.iter().zip(at) {
        canvas.rectangle(Look::of(*status), Area::new(x, y - sample / 2.0, sample, sample));
        let text_x = x + sample + 6.0;
        canvas.text(text_x, y + strong.size * 0.35, Anchor::Start, number, strong, Look::Ink);
        let name_x = text_x + strong.width(number) + canvas.size * 0.35;
        canvas.text(name_x, y + strong.size * 0.35, Anchor::Start, *name, small, Look::Faint);
    }
}

fn described(figure: &Timeline, words: Words, source: &str) -> String {
    let mut told = Vec::new();
    let mut before = None;
    for step in &figure.steps {
        let now = (step.total, words.statuses(step.by_status));
        if before.as_ref() != Some(&now) {
            let counts = if now.1.is_empty() { String::new() } else { format!(": {}", now.1) };
            told.push(format!("{}: {}{counts}.", words.period(step.period), words.programmes(step.total)));
            before = Some(now);
        }
    }
    let left = told.len().saturating_sub(MOST_TOLD);
    let mut parts = told.split_off(left);
    if !figure.steps.is_empty() {
        let unsaid = words.of(
            "Periode yang tidak disebut sama dengan periode sebelumnya.",
            "A period that is not named is like the one before it.",
        );
        parts.push(unsaid.to_owned());
    }
    parts.push(source.to_owned());
    parts.join(" ")
}
