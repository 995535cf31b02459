//! Axes: which values get a line, and which periods a name.

use chrono::Datelike;
use entity::value::period::{Frequency, Period};

use super::drawing::{Anchor, Area, Canvas, Label, Look};

/// Values at even distances that hold a range, at most so many.
pub(super) fn ticks(low: f64, high: f64, most: u32, is_whole: bool) -> Vec<f64> {
    let range = (high - low).max(f64::MIN_POSITIVE);
    let rough = range / f64::from(most.max(1));
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * magnitude).find(|step| rough <= *step * 1.000_001);
    let mut step = step.unwrap_or(10.0 * magnitude);
    if is_whole {
        step = step.ceil().max(1.0);
    }
    let (first, last) = ((low / step).floor(), (high / step).ceil());
    let mut values = Vec::new();
    let mut at = first;
    while at <= last && values.len() < 20 {
        values.push(at * step);
        at += 1.0;
    }
    values
}

/// A place on a time axis.
pub(super) struct Place {
    /// Its period.
    pub(super) period: Period,
    /// Where it is.
    pub(super) x: f64,
}

/// Names periods below an axis: as many as there is room for, at even distances. Where that is a year or more, the first period of a
/// year has the number of the year. Gives the lower edge of the names.
pub(super) fn periods(canvas: &mut Canvas, places: &[Place], axis: f64) -> f64 {
    let font = canvas.small();
    // Below the number that stands at the end of the axis.
    let baseline = axis + font.size * 1.55;
    let (left, right, words) = (canvas.left, canvas.right, canvas.words);
    let label = |place: &Place, is_year: bool| {
        let text = if is_year { place.period.start().year().to_string() } else { words.short_period(place.period) };
        let half = font.width(&text) / 2.0;
        let x = place.x.clamp(left + half, (right - half).max(left + half));
        Label { text, x, y: baseline, anchor: Anchor::Middle, font, look: Look::Faint }
    };
    let (within, a_year): (&[i64], i64) = match places.first().map(|place| place.period.frequency()) {
        Some(Frequency::Monthly) => (&[1, 3, 6], 12),
        Some(Frequency::Quarterly) => (&[1, 2], 4),
        Some(Frequency::Semesterly) => (&[1], 2),
        _ => (&[], 1),
    };
    let at_every = |step: i64| {
        let chosen = places.iter().filter(|place| place.period.index().rem_euclid(step) == 0);
        chosen.map(|place| label(place, step >= a_year)).collect::<Vec<_>>()
    };
    let steps = within.iter().copied().chain([1, 2, 5, 10, 20, 50, 100].map(|years| years * a_year));
    let found = steps.map(at_every).find(|labels| fit(labels, font.size));
    let mut labels = found.unwrap_or_default();
    if labels.len() < 2 {
        let ends = [places.first(), places.last()].into_iter().flatten().map(|place| label(place, false)).collect::<Vec<_>>();
        let is_one = places.len() < 2;
        labels = if !is_one && fit(&ends, font.size) { ends } else { ends.into_iter().next_back().into_iter().collect() };
    }
    labels.into_iter().for_each(|label| canvas.label(label));
    baseline + font.descent()
}

/// Whether labels keep a distance.
fn fit(labels: &[Label], distance: f64) -> bool {
    let areas = labels.iter().map(Label::area).collect::<Vec<_>>();
    areas.windows(2).all(|pair| pair[0].right() + distance <= pair[1].x)
}

/// Finds places for texts beside what they are about.
#[derive(Default)]
pub(super) struct Placer {
    taken: Vec<Area>,
    avoided: Vec<Area>,
}

impl Placer {
    /// Keeps a place free.
    pub(super) fn keep(&mut self, area: Area) {
        self.taken.push(area);
    }

    /// Leaves a place free as long as there are others.
    pub(super) fn avoid(&mut self, area: Area) {
        self.avoided.push(area);
    }

    /// Places a text where it is free and within `bounds`, beside a point; gives whether there was room.
    pub(super) fn place(&mut self, canvas: &mut Canvas, mut label: Label, bounds: Area) -> bool {
        let (x, y, gap) = (label.x, label.y, 9.0);
        let (ascent, descent) = (label.font.ascent(), label.font.descent());
        let middle = y + (ascent - descent) / 2.0;
        let (above, below) = (y - gap - descent, y + gap + ascent);
        let around = [
            (x, above, Anchor::Middle),
            (x, below, Anchor::Middle),
            (x + gap + 2.0, middle, Anchor::Start),
            (x - gap - 2.0, middle, Anchor::End),
            (x, above, Anchor::Start),
            (x, above, Anchor::End),
            (x, below, Anchor::Start),
            (x, below, Anchor::End),
            (x, above - label.font.size, Anchor::Middle),
            (x, below + label.font.size, Anchor::Middle),
        ];
        let mut second_best = None;
        for (x, y, anchor) in around {
            (label.x, label.y, label.anchor) = (x, y, anchor);
            let area = label.area().wider(3.0);
            if !bounds.holds(area) || self.taken.iter().any(|taken| taken.meets(area)) {
                continue;
            }
            if !self.avoided.iter().any(|avoided| avoided.meets(area)) {
                second_best = Some((label.clone(), area));
                break;
            }
            second_best.get_or_insert((label.clone(), area));
        }
        let Some((label, area)) = second_best else { return false };
        self.taken.push(area);
        canvas.label(label);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_hold_the_range_at_even_distances() {
        assert_eq!(ticks(0.0, 40.0, 4, true), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(0.0, 1.0, 4, true), [0.0, 1.0]);
        let named = ticks(2.01, 2.8, 4, false).into_iter().map(|tick| format!("{tick:.1}"));
        assert_eq!(named.collect::<Vec<_>>(), ["2.0", "2.2", "2.4", "2.6", "2.8"]);
        assert!(ticks(-3.0, 17.0, 5, false).first().is_some_and(|first| *first <= -3.0));
    }
}
