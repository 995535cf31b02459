//! The summary as a chart: a row for each dimension, with a cell for each programme.

use entity::rules::programme_status::ProgrammeStatus;

use super::drawing::{Anchor, Area, Canvas, Drawing, Look};
use super::figures::{Counts, Dimension, Statuses, Summary};
use super::words::Words;
use crate::http::language::Language;

/// The most rows that are drawn.
const MOST: usize = 60;
/// The least width of a cell: with more programmes than that leaves room for, rows are plain bars.
const LEAST_CELL: f64 = 6.0;

impl Look {
    /// The look of programmes in a status.
    pub(super) fn of(status: ProgrammeStatus) -> Self {
        match status {
            ProgrammeStatus::Planned => Self::Planned,
            ProgrammeStatus::Running => Self::Running,
            ProgrammeStatus::Suspended => Self::Suspended,
            ProgrammeStatus::Completed => Self::Completed,
            ProgrammeStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// Draws the summary.
pub(crate) fn draw(figure: &Summary, width: u16, words: Words) -> Drawing {
    let mut canvas = Canvas::new(width, words);
    let (title, about) = (
        title(&figure.totals, words),
        words.of("Program masterplan menurut dimensi", "Programmes of the masterplan by dimension"),
    );
    canvas.heading(&title, about);
    let statuses = Statuses::ORDER.into_iter().filter(|status| figure.totals.by_status.of(*status) > 0);
    let key = statuses.map(|status| (Look::of(status), words.status(status))).collect::<Vec<_>>();
    if key.is_empty() {
        canvas.note(words.of("Belum ada program yang tercatat.", "No programmes are recorded yet."));
    } else {
        canvas.key(&key);
    }
    let shown = &figure.dimensions[..figure.dimensions.len().min(MOST)];
    let most = shown.iter().map(|row| row.counts.planned).max().unwrap_or_default().max(1);
    let layout = Layout::of(&canvas, shown, most);
    for row in shown {
        layout.row(&mut canvas, row);
    }
    if shown.len() < figure.dimensions.len() {
        let left = u32::try_from(figure.dimensions.len() - shown.len()).unwrap_or(u32::MAX);
        let left = words.count(left);
        canvas.note(&words.of(format!("… dan {left} dimensi lain"), format!("… and {left} other dimensions")));
    }
    let source = words.source(figure.as_of, figure.masterplan.as_deref());
    let description = described(figure, words, &source);
    canvas.finish("summary", title, description, &source)
}

fn title(totals: &Counts, words: Words) -> String {
    let Counts { planned, running, .. } = totals;
    if *planned == 0 {
        return words.of("Belum ada program", "No programmes yet").to_owned();
    }
    let percent = totals.running_percent.map(|percent| format!(" ({})", words.percent(percent))).unwrap_or_default();
    let are = if *planned == 1 { "is" } else { "are" };
    let [of, running] = [words.programmes(*planned), words.count(*running)];
    words.of(format!("{running} dari {of} berjalan{percent}"), format!("{running} of {of} {are} running{percent}"))
}

fn name(row: &Dimension, words: Words) -> &str {
    match words.0 {
        Language::English => row.name_en.as_deref().unwrap_or(&row.name),
        Language::Indonesian => &row.name,
    }
}

/// How many of a dimension run, and their share.
fn value(counts: &Counts, words: Words) -> (String, String) {
    if counts.planned == 0 {
        return (words.count(0), String::new());
    }
    let [running, planned] = [counts.running, counts.planned].map(|number| words.count(number));
    let share = counts.running_percent.map(|percent| words.percent(percent.round_dp(1))).unwrap_or_default();
    (words.of(format!("{running} dari {planned}"), format!("{running} of {planned}")), share)
}

/// Where the parts of a row are, alike for all rows.
struct Layout {
    names: f64,
    values: f64,
    shares: f64,
    most: u32,
}

impl Layout {
    fn of(canvas: &Canvas, rows: &[Dimension], most: u32) -> Self {
        let (font, strong, words) = (canvas.font(), canvas.strong(), canvas.words);
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let names = widest(&mut rows.iter().map(|row| font.width(name(row, words)))).min(canvas.inner() * 0.32);
        let values = widest(&mut rows.iter().map(|row| strong.width(&value(&row.counts, words).0)));
        let shares = widest(&mut rows.iter().map(|row| font.width(&value(&row.counts, words).1)));
        Self { names, values, shares, most }
    }

    fn row(&self, canvas: &mut Canvas, row: &Dimension) {
        let (gap, words, size) = (canvas.size, canvas.words, canvas.size);
        let (font, strong, right) = (canvas.font(), canvas.strong(), canvas.right);
        let (value, share) = value(&row.counts, words);
        let values_at = right - self.shares - gap * 0.75 - self.values;
        if canvas.is_narrow() {
            // The name above the bar, and the value at its right.
            let lines = font.wrap(name(row, words), values_at - gap - canvas.left, 3);
            let y = canvas.y + font.line() * 0.77;
            self.value(canvas, y, value, share);
            canvas.y = canvas.lines(canvas.left, canvas.y, &lines, font, Look::Ink) + size * 0.3;
            let bar = Area::new(canvas.left, canvas.y, canvas.inner(), size);
            self.bar(canvas, row, bar);
            canvas.y = bar.bottom() + size;
        } else {
            let lines = font.wrap(name(row, words), self.names + 1.0, 3);
            let height = size * 1.5;
            let text = lines.len().max(1) as f64 * font.line();
            let whole = height.max(text);
            let bar_left = canvas.left + self.names + gap * 1.2;
            let bar = Area::new(bar_left, canvas.y + (whole - height) / 2.0, values_at - gap * 1.2 - bar_left, height);
            canvas.lines(canvas.left, canvas.y + (whole - text) / 2.0, &lines, font, Look::Ink);
            self.bar(canvas, row, bar);
            self.value(canvas, canvas.y + whole / 2.0 + strong.size * 0.36, value, share);
            canvas.y += whole + size * 0.75;
        }
    }

    fn value(&self, canvas: &mut Canvas, y: f64, value: String, share: String) {
        let (font, strong, right) = (canvas.font(), canvas.strong(), canvas.right);
        canvas.text(right - self.shares - canvas.size * 0.75, y, Anchor::End, value, strong, Look::Ink);
        canvas.text(right, y, Anchor::End, share, font, Look::Faint);
    }

    fn bar(&self, canvas: &mut Canvas, row: &Dimension, bar: Area) {
        let unit = bar.width / f64::from(self.most);
        if row.counts.planned == 0 {
            canvas.stroke(Look::Axis, (bar.x, bar.y + bar.height / 2.0), (bar.x + unit.min(12.0), bar.y + bar.height / 2.0));
        }
        let mut before = 0;
        for (status, number) in row.counts.by_status.in_order() {
            let look = Look::of(status);
            if unit >= LEAST_CELL {
                let space = if unit < 12.0 { 1.5 } else { 2.5 };
                for cell in before..before + number {
                    let x = bar.x + f64::from(cell) * unit;
                    canvas.rectangle(look, Area::new(x, bar.y, unit - space, bar.height));
                }
            } else {
                let x = bar.x + f64::from(before) * unit;
                canvas.rectangle(look, Area::new(x, bar.y, f64::from(number) * unit, bar.height));
            }
            before += number;
        }
    }
}

fn described(figure: &Summary, words: Words, source: &str) -> String {
    let rows = figure.dimensions.iter().take(MOST).map(|row| {
        let Counts { planned, running, running_percent, by_status } = &row.counts;
        let share = running_percent.map(|percent| format!(" ({})", words.percent(percent))).unwrap_or_default();
        let [of, running, name] = [words.programmes(*planned), words.count(*running), name(row, words).to_owned()];
        let each = if *planned == 0 { String::new() } else { format!(": {}", words.statuses(*by_status)) };
        words.of(
            format!("{name}: {running} dari {of} berjalan{share}{each}."),
            format!("{name}: {running} of {of} running{share}{each}."),
        )
    });
    let totals = words.statuses(figure.totals.by_status);
    let all = words.of(format!("Seluruhnya: {totals}."), format!("In all: {totals}."));
    std::iter::once(all).filter(|_| !totals.is_empty()).chain(rows).chain([source.to_owned()]).collect::<Vec<_>>().join(" ")
}
