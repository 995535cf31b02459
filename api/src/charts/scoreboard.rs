//! The scoreboard as a chart: a bar for each OPD, against what was to be reached by the end of the quarter.

use entity::value::period::Period;
use rust_decimal::Decimal;

use super::drawing::{Anchor, Area, Canvas, Drawing, Look};
use super::figures::{Opd, Scoreboard};
use super::words::{Words, near};

/// The most rows that are drawn.
const MOST: usize = 60;
/// The achievement, in percent, beyond which bars do not grow.
const FARTHEST: f64 = 200.0;

/// Draws the scoreboard.
pub(crate) fn draw(figure: &Scoreboard, width: u16, words: Words) -> Drawing {
    let mut canvas = Canvas::new(width, words);
    let measure = Measure::of(&figure.rows);
    let (title, about) = measure.heading(&words.period(Period::Quarter(figure.year, figure.quarter)), words);
    canvas.heading(&title, about);
    let (counted, others): (Vec<&Opd>, Vec<&Opd>) = figure.rows.iter().partition(|row| is_counted(row));
    let shown = &counted[..counted.len().min(MOST)];
    if shown.is_empty() {
        canvas.note(
            words.of("Belum ada program atau renaksi OPD yang tercatat.", "No programmes or actions of OPDs are recorded yet."),
        );
    }
    let layout = Layout::of(&mut canvas, measure, shown);
    let (top, mut bottom) = (canvas.y, canvas.y);
    let mut rows = Vec::new();
    for row in shown {
        rows.push(layout.row(&mut canvas, row));
        bottom = canvas.y - canvas.size * 0.9;
    }
    if !shown.is_empty() && measure == Measure::Achievement {
        layout.goal(&mut canvas, top, bottom, &rows);
    }
    let left = counted.len() - shown.len() + others.len();
    if left > 0 {
        let left = words.count(u32::try_from(left).unwrap_or(u32::MAX));
        let note = if counted.len() > shown.len() {
            words.of(format!("{left} OPD lain tidak ditampilkan."), format!("Other OPDs that are not shown: {left}."))
        } else {
            words.of(
                format!("{left} OPD tanpa program dan renaksi tidak ditampilkan."),
                format!("OPDs without programmes and actions, which are not shown: {left}."),
            )
        };
        canvas.note(&note);
    }
    let source = words.source(figure.as_of, figure.masterplan.as_deref());
    let description = described(shown, words, &source);
    canvas.finish("scoreboard", title, description, &source)
}

/// What the bars stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// The achievement of the actions, in percent.
    Achievement,
    /// The programmes that run, of those that the OPD leads: where no OPD has an achievement.
    Programmes,
}

impl Measure {
    fn of(rows: &[Opd]) -> Self {
        if rows.iter().any(|row| row.renaksi.achievement.is_some()) { Self::Achievement } else { Self::Programmes }
    }

    fn heading(self, quarter: &str, words: Words) -> (String, &'static str) {
        match self {
            Self::Achievement => (
                words.of(format!("Capaian renaksi OPD sampai {quarter}"), format!("Action plans of the OPDs up to {quarter}")),
                words.of(
                    "Realisasi terverifikasi terhadap target sampai akhir triwulan, dan kategorinya (Permendagri 86/2017)",
                    "Verified realisation against the targets up to the end of the quarter, and its band (Permendagri 86/2017)",
                ),
            ),
            Self::Programmes => (
                words.of("Program yang berjalan menurut OPD", "Running programmes by OPD").to_owned(),
                words.of(
                    "Dari program yang dipimpin setiap OPD. Belum ada capaian renaksi untuk triwulan ini.",
                    "Of the programmes that each OPD leads. There are no achievements of action plans for this quarter yet.",
                ),
            ),
        }
    }

    /// The length of a bar and of its track.
    fn lengths(self, row: &Opd) -> (f64, f64) {
        match self {
            Self::Achievement => (row.renaksi.achievement.map(near).unwrap_or_default(), 100.0),
            Self::Programmes => (row.programmes_led.running.into(), row.programmes_led.total.into()),
        }
    }

    /// What is written beside a bar.
    fn value(self, row: &Opd, words: Words) -> String {
        match (self, row.renaksi.achievement) {
            (Self::Programmes, _) => {
                let [running, total] = [row.programmes_led.running, row.programmes_led.total].map(|number| words.count(number));
                words.of(format!("{running} dari {total}"), format!("{running} of {total}"))
            }
            (_, Some(achievement)) => words.percent(achievement),
            (_, None) if row.renaksi.actions.total == 0 => words.of("tanpa renaksi", "no actions").to_owned(),
            (_, None) => words.of("belum ada target", "nothing due yet").to_owned(),
        }
    }

    /// Whether the value is a number.
    fn is_known(self, row: &Opd) -> bool {
        self == Self::Programmes || row.renaksi.achievement.is_some()
    }
}

/// Whether there is anything to show of an OPD.
fn is_counted(row: &Opd) -> bool {
    row.renaksi.achievement.is_some() || row.renaksi.actions.total > 0 || row.programmes_led.total > 0
}

/// Where the parts of a row are, alike for all rows.
struct Layout {
    measure: Measure,
    ranks: f64,
    names: f64,
    bar_left: f64,
    bar_width: f64,
    /// What the whole width of a bar stands for.
    scale: f64,
}

impl Layout {
    fn of(canvas: &mut Canvas, measure: Measure, rows: &[&Opd]) -> Self {
        let (strong, small, words, gap) = (canvas.strong(), canvas.small(), canvas.words, canvas.size);
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let ranks = widest(&mut rows.iter().map(|row| small.width(&rank(row, words))));
        let values =
            widest(&mut rows.iter().map(|row| strong.width(&measure.value(row, words)).max(small.width(band(row, words)))));
        let text_left = canvas.left + ranks + if ranks > 0.0 { gap * 0.6 } else { 0.0 };
        let names = if canvas.is_narrow() { canvas.right - text_left } else { (canvas.inner() * 0.36).min(430.0) };
        let bar_left = if canvas.is_narrow() { text_left } else { text_left + names + gap };
        let bar_width = canvas.right - values - gap - bar_left;
        let longest = rows.iter().map(|row| measure.lengths(row)).map(|(bar, track)| bar.max(track)).fold(1.0, f64::max);
        let scale = if measure == Measure::Achievement { longest.min(FARTHEST) } else { longest };
        let layout = Self { measure, ranks, names, bar_left, bar_width, scale };
        if !rows.is_empty() && measure == Measure::Achievement {
            layout.name_goal(canvas);
        }
        layout
    }

    /// Names the line that all bars are to reach.
    fn name_goal(&self, canvas: &mut Canvas) {
        let font = canvas.small();
        let text = format!("{} = {}", canvas.words.of("target", "target"), canvas.words.percent(Decimal::ONE_HUNDRED));
        let half = font.width(&text) / 2.0;
        let x = self.x_of(100.0).clamp(canvas.left + half, canvas.right - half);
        canvas.text(x, canvas.y + font.ascent(), Anchor::Middle, text, font, Look::Faint);
        canvas.y += font.line() + canvas.size * 0.3;
    }

    fn x_of(&self, length: f64) -> f64 {
        self.bar_left + length.clamp(0.0, self.scale) / self.scale * self.bar_width
    }

    /// Draws a row; gives the area of its bar.
    fn row(&self, canvas: &mut Canvas, row: &Opd) -> Area {
        let (font, small, words, size) = (canvas.font(), canvas.small(), canvas.words, canvas.size);
        let text_left = canvas.left + self.ranks + if self.ranks > 0.0 { size * 0.6 } else { 0.0 };
        let lines = font.wrap(&row.name, self.names, 3);
        let beside = if canvas.is_narrow() { canvas.strong().width(&self.measure.value(row, words)) + size * 0.6 } else { 0.0 };
        let led =
            led(row, words).filter(|_| self.measure == Measure::Achievement).map(|led| small.fit(&led, self.names - beside));
        let has_second = led.is_some() || (canvas.is_narrow() && self.measure == Measure::Achievement);
        let text = lines.len() as f64 * font.line() + if has_second { small.line() } else { 0.0 };
        let height = if canvas.is_narrow() { size * 1.1 } else { size * 1.5 };
        let whole = if canvas.is_narrow() { text } else { text.max(font.line() + small.line()) };
        let top = canvas.y + if canvas.is_narrow() { 0.0 } else { (whole - text) / 2.0 };
        canvas.text(canvas.left + self.ranks, top + font.line() * 0.77, Anchor::End, rank(row, words), small, Look::Faint);
        let below = canvas.lines(text_left, top, &lines, font, Look::Ink);
        canvas.lines(text_left, below, led.as_slice(), small, Look::Faint);
        let bar = if canvas.is_narrow() {
            let at = canvas.y + text + size * 0.2;
            canvas.y = at + small.line();
            Area::new(self.bar_left, at + (small.line() - height) / 2.0, self.bar_width, height)
        } else {
            let at = canvas.y + (whole - height) / 2.0;
            canvas.y += whole;
            Area::new(self.bar_left, at, self.bar_width, height)
        };
        let (length, track) = self.measure.lengths(row);
        for (look, length) in [(Look::Track, track), (Look::Running, length)] {
            canvas.rectangle(look, Area::new(bar.x, bar.y, self.x_of(length) - bar.x, bar.height));
        }
        let (middle, strong) = (bar.y + bar.height / 2.0, canvas.strong());
        let band = band(row, words);
        if canvas.is_narrow() && !band.is_empty() {
            // The value above the bar, and its band beside it.
            canvas.text(
                canvas.right,
                below + small.line() * 0.77,
                Anchor::End,
                self.measure.value(row, words),
                strong,
                Look::Ink,
            );
            canvas.text(canvas.right, middle + small.size * 0.35, Anchor::End, band, small, Look::Faint);
        } else if band.is_empty() {
            let (font, look) = if self.measure.is_known(row) { (strong, Look::Ink) } else { (small, Look::Faint) };
            canvas.text(canvas.right, middle + font.size * 0.35, Anchor::End, self.measure.value(row, words), font, look);
        } else {
            canvas.text(canvas.right, middle - size * 0.08, Anchor::End, self.measure.value(row, words), strong, Look::Ink);
            canvas.text(canvas.right, middle - size * 0.08 + small.line(), Anchor::End, band, small, Look::Faint);
        }
        canvas.y += size * 0.9;
        bar
    }

    /// Draws the line that all bars are to reach.
    fn goal(&self, canvas: &mut Canvas, top: f64, bottom: f64, bars: &[Area]) {
        let x = self.x_of(100.0);
        if canvas.is_narrow() {
            // Names cross its way, so that it stands at each bar alone.
            for bar in bars {
                canvas.stroke(Look::Goal, (x, bar.y - 3.0), (x, bar.bottom() + 3.0));
            }
        } else {
            canvas.stroke(Look::Goal, (x, top - canvas.size * 0.2), (x, bottom));
        }
    }
}

fn rank(row: &Opd, words: Words) -> String {
    row.rank.map(|rank| format!("{}.", words.count(rank))).unwrap_or_default()
}

fn band(row: &Opd, words: Words) -> &'static str {
    row.renaksi.band.map(|band| words.band(band)).unwrap_or_default()
}

fn led(row: &Opd, words: Words) -> Option<String> {
    let led = &row.programmes_led;
    let [running, of] = [words.count(led.running), words.programmes(led.total)];
    (led.total > 0).then(|| words.of(format!("{running} dari {of} berjalan"), format!("{running} of {of} running")))
}

fn described(rows: &[&Opd], words: Words, source: &str) -> String {
    let rows = rows.iter().map(|row| {
        let name = row.rank.map_or_else(|| row.name.clone(), |rank| format!("{}. {}", words.count(rank), row.name));
        let mut said = vec![Measure::Achievement.value(row, words)];
        said.extend(row.renaksi.band.map(|band| words.band(band).to_owned()));
        let realised = row.renaksi.progress.zip(row.renaksi.expected).map(|(progress, expected)| {
            let [progress, expected] = [progress, expected].map(|percent| words.percent(percent));
            words.of(
                format!("terealisasi {progress} dari target setahun, seharusnya {expected}"),
                format!("{progress} of the year's targets realised, {expected} expected"),
            )
        });
        said.extend(realised);
        said.extend(led(row, words));
        format!("{name}: {}.", said.join("; "))
    });
    rows.chain([source.to_owned()]).collect::<Vec<_>>().join(" ")
}
