//! A drawing: shapes and texts with their places, before they become SVG. What is drawn can so be tested: no text meets another.

use super::text::Font;
use super::words::Words;

/// A finished chart.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The name of the chart, unique among those of a page.
    pub name: String,
    /// The width in pixels.
    pub width: f64,
    /// The height in pixels.
    pub height: f64,
    /// What it is about, in one line.
    pub title: String,
    /// All that it shows, in words.
    pub description: String,
    /// What is drawn, from back to front.
    pub marks: Vec<Mark>,
}

/// Something that is drawn.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A text.
    Text(Label),
    /// A rectangle with slightly round corners.
    Rectangle(Look, Area),
    /// A line or an area, as the path data of SVG, and what it covers.
    Path(Look, String, Area),
}

/// One line of text.
#[derive(Clone, Debug)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Where it begins, has its middle or ends.
    pub x: f64,
    /// Its baseline.
    pub y: f64,
    /// What `x` is.
    pub anchor: Anchor,
    /// Its size and weight.
    pub font: Font,
    /// Its colour.
    pub look: Look,
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a mark looks; the themes give each look its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The ground.
    Ground,
    /// Text.
    Ink,
    /// Text that matters less.
    Faint,
    /// A thin line behind the data.
    Grid,
    /// The line on which data stands.
    Axis,
    /// The line that bars are to reach.
    Goal,
    /// What a bar could fill.
    Track,
    /// What runs, and values that were measured.
    Running,
    /// What is completed.
    Completed,
    /// What is suspended.
    Suspended,
    /// What has not started.
    Planned,
    /// What was cancelled.
    Cancelled,
    /// The line of values that were measured.
    Line,
    /// Text about values that were measured.
    LineText,
    /// The line to targets.
    TargetLine,
    /// A target.
    Target,
    /// Text about targets.
    TargetText,
    /// The value from which a KPI starts.
    Baseline,
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Area {
    /// A rectangle.
    pub fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    /// The right edge.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// The lower edge.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    /// Whether both share more than an edge.
    pub fn meets(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether the other is within this one.
    pub fn holds(self, other: Self) -> bool {
        self.x <= other.x && self.y <= other.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }

    /// With a margin on the left and on the right.
    pub fn wider(self, by: f64) -> Self {
        Self { x: self.x - by, width: self.width + 2.0 * by, ..self }
    }
}

impl Label {
    /// What it covers.
    pub fn area(&self) -> Area {
        let width = self.font.width(&self.text);
        let x = match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - width / 2.0,
            Anchor::End => self.x - width,
        };
        Area::new(x, self.y - self.font.ascent(), width, self.font.ascent() + self.font.descent())
    }
}

/// A drawing under way: what is drawn so far, and how far down it reaches.
pub struct Canvas {
    /// The words of the chart's language.
    pub words: Words,
    /// The lower end of what is drawn.
    pub y: f64,
    /// The left end of the content.
    pub left: f64,
    /// The right end of the content.
    pub right: f64,
    /// The size of ordinary text.
    pub size: f64,
    width: f64,
    marks: Vec<Mark>,
}

impl Canvas {
    /// Nothing yet, of a width in pixels. Wide charts have larger text, because they are seen from farther away.
    pub fn new(width: u16, words: Words) -> Self {
        let width = f64::from(width);
        let scale = (width / 760.0).clamp(1.0, 1.4);
        let margin = if width < 480.0 { 14.0 } else { 22.0 * scale };
        let size = if width < 480.0 { 13.0 } else { 14.0 * scale };
        Self { words, y: margin, left: margin, right: width - margin, size, width, marks: Vec::new() }
    }

    /// Whether there is no room for names beside the data.
    pub fn is_narrow(&self) -> bool {
        self.width < 560.0
    }

    /// The width of the content.
    pub fn inner(&self) -> f64 {
        self.right - self.left
    }

    /// The font of ordinary text.
    pub fn font(&self) -> Font {
        Font::regular(self.size)
    }

    /// The font of what matters less.
    pub fn small(&self) -> Font {
        Font::regular(self.size - 1.0)
    }

    /// The font of values.
    pub fn strong(&self) -> Font {
        Font::bold(self.size)
    }

    /// Draws a line of text.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: impl Into<String>, font: Font, look: Look) {
        self.label(Label { text: text.into(), x, y, anchor, font, look });
    }

    /// Draws a line of text.
    pub fn label(&mut self, label: Label) {
        if !label.text.is_empty() {
            self.marks.push(Mark::Text(label));
        }
    }

    /// Draws lines of text below each other, the first with its upper edge at `y`; gives the lower edge of the last.
    pub fn lines(&mut self, x: f64, y: f64, lines: &[String], font: Font, look: Look) -> f64 {
        let mut at = y;
        for line in lines {
            self.text(x, at + font.line() * 0.77, Anchor::Start, line, font, look);
            at += font.line();
        }
        at
    }

    /// Draws a rectangle; nothing where it has no area.
    pub fn rectangle(&mut self, look: Look, area: Area) {
        if area.width > 0.05 && area.height > 0.05 {
            self.marks.push(Mark::Rectangle(look, area));
        }
    }

    /// Draws a line or an area.
    pub fn path(&mut self, look: Look, data: String, covers: Area) {
        self.marks.push(Mark::Path(look, data, covers));
    }

    /// Draws a straight line.
    pub fn stroke(&mut self, look: Look, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
        let covers = Area::new(x.min(to_x), y.min(to_y), (to_x - x).abs(), (to_y - y).abs());
        self.path(look, format!("M{} {}L{} {}", n(x), n(y), n(to_x), n(to_y)), covers);
    }

    /// Writes the heading: what the chart says, and what it is about.
    pub fn heading(&mut self, title: &str, about: &str) {
        let (large, inner) = (Font::bold((self.size * 1.35).round()), self.inner());
        self.y = self.lines(self.left, self.y, &large.wrap(title, inner, 4), large, Look::Ink);
        self.y += self.size * 0.25;
        let font = self.font();
        self.y = self.lines(self.left, self.y, &font.wrap(about, inner, 6), font, Look::Faint);
        self.y += self.size * 0.9;
    }

    /// Explains looks, each by a sample and a word, in as many lines as that takes.
    pub fn key(&mut self, entries: &[(Look, &str)]) {
        let (font, sample) = (self.small(), self.size * 0.85);
        let (mut x, mut y) = (self.left, self.y);
        for (look, text) in entries {
            let width = sample + 6.0 + font.width(text);
            if x + width > self.right && x > self.left {
                (x, y) = (self.left, y + font.line() * 1.15);
            }
            let text = font.fit(text, self.right - x - sample - 6.0);
            self.rectangle(*look, Area::new(x, y + font.line() * 0.5 - sample * 0.5, sample, sample));
            self.text(x + sample + 6.0, y + font.line() * 0.77, Anchor::Start, text, font, Look::Faint);
            x += width + self.size * 1.2;
        }
        self.y = y + font.line() + self.size * 0.8;
    }

    /// Says something in place of data that there are none of.
    pub fn note(&mut self, text: &str) {
        let font = self.font();
        self.y = self.lines(self.left, self.y, &font.wrap(text, self.inner(), 4), font, Look::Faint) + self.size * 0.6;
    }

    /// Ends the drawing with its source.
    pub fn finish(mut self, name: &str, title: String, description: String, source: &str) -> Drawing {
        let font = Font::regular(self.size - 1.5);
        self.y += self.size * 0.4;
        self.stroke(Look::Grid, (self.left, self.y), (self.right, self.y));
        self.y += self.size * 0.4;
        self.y = self.lines(self.left, self.y, &font.wrap(source, self.inner(), 4), font, Look::Faint);
        let height = (self.y + self.left * 0.7).ceil();
        Drawing { name: name.to_owned(), width: self.width, height, title, description, marks: self.marks }
    }
}

/// A number of pixels, with one decimal at most.
pub fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
