//! A drawing as SVG: one self-contained file without scripts, fonts or references to anything outside of it.

use std::fmt::Write;

use super::drawing::{Anchor, Area, Drawing, Label, Look, Mark, n};
use super::options::Theme;
use crate::http::language::Language;

/// The fonts of the systems that people have.
const FONTS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','DejaVu Sans',Arial,sans-serif";

/// A rule of the style sheet: the look it is for, what it says for both themes, and the colours of each.
struct Rule {
    look: Look,
    both: &'static str,
    colour: &'static str,
    light: &'static str,
    dark: &'static str,
}

const fn rule(look: Look, both: &'static str, colour: &'static str, light: &'static str, dark: &'static str) -> Rule {
    Rule { look, both, colour, light, dark }
}

/// The colours. Texts have a contrast of at least 4.5 to 1 with the ground, and marks of 3 to 1. Blue and orange are told apart by
/// everybody; besides, every status has a pattern of its own, and every line its dashes and points.
const RULES: &[Rule] = &[
    rule(Look::Ground, "", "fill", "#fff", "#12171d"),
    rule(Look::Ink, "", "fill", "#19212a", "#edf1f5"),
    rule(Look::Faint, "", "fill", "#54606c", "#a7b3bf"),
    rule(Look::Grid, "stroke-width:1", "stroke", "#dde2e7", "#2b343e"),
    rule(Look::Axis, "stroke-width:1", "stroke", "#7d8893", "#7f8b97"),
    rule(Look::Goal, "stroke-width:1.5", "stroke", "#19212a", "#edf1f5"),
    rule(Look::Track, "", "fill", "#e9edf1", "#232c35"),
    rule(Look::Running, "", "fill", "#2166ac", "#5aa3e0"),
    rule(Look::Completed, "", "fill", "#0b3157", "#c2e0f8"),
    rule(Look::Suspended, "", "stroke", "#b8560b", "#f0a04b"),
    rule(Look::Cancelled, "", "stroke", "#5d6873", "#98a4b0"),
    rule(Look::Planned, "stroke-width:1.2", "stroke", "#7d8893", "#7f8b97"),
    rule(Look::Line, "fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round", "stroke", "#2166ac", "#5aa3e0"),
    rule(Look::LineText, "", "fill", "#1d5c9c", "#79b8ec"),
    rule(Look::TargetLine, "fill:none;stroke-width:1.8;stroke-dasharray:6 5", "stroke", "#b8560b", "#f0a04b"),
    rule(Look::Target, "stroke-width:2", "stroke", "#b8560b", "#f0a04b"),
    rule(Look::TargetText, "", "fill", "#9a4506", "#f3b06a"),
    rule(Look::Baseline, "stroke-width:2", "stroke", "#54606c", "#a7b3bf"),
];

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Ground => "g",
            Self::Ink => "i",
            Self::Faint => "f",
            Self::Grid => "gr",
            Self::Axis => "ax",
            Self::Goal => "go",
            Self::Track => "tr",
            Self::Running => "r",
            Self::Completed => "c",
            Self::Suspended => "su",
            Self::Planned => "p g",
            Self::Cancelled => "ca",
            Self::Line => "l",
            Self::LineText => "lt",
            Self::TargetLine => "tl",
            Self::Target => "ta g",
            Self::TargetText => "tt",
            Self::Baseline => "b g",
        }
    }

    /// The pattern that fills it, if it is more than a colour.
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Completed => Some("completed"),
            Self::Suspended => Some("suspended"),
            Self::Cancelled => Some("cancelled"),
            _ => None,
        }
    }
}

/// A drawing in a theme, as an SVG document.
pub fn write(drawing: &Drawing, theme: Theme, language: Language) -> String {
    element(drawing, Some(theme), language) + "\n"
}

/// A drawing as an element of a page that has the style sheet of a theme. Its ids begin with its name, and its classes are its own.
pub fn inline(drawing: &Drawing, language: Language) -> String {
    element(drawing, None, language)
}

fn element(drawing: &Drawing, theme: Option<Theme>, language: Language) -> String {
    let Drawing { name, width, height, title, description, marks } = drawing;
    let (width, height, name) = (n(*width), n(*height), escaped(name));
    let mut svg = String::with_capacity(4096 + marks.len() * 90);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"rk\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"{name}-title\" aria-describedby=\"{name}-desc\" lang=\"{}\" font-family=\"{FONTS}\">",
        language.tag()
    );
    let _ = write!(
        svg,
        "<title id=\"{name}-title\">{}</title><desc id=\"{name}-desc\">{}</desc>",
        escaped(title),
        escaped(description)
    );
    if let Some(theme) = theme {
        let _ = write!(svg, "<style>{}</style>", style(theme));
    }
    let used =
        |look: Look| marks.iter().any(|mark| matches!(mark, Mark::Rectangle(own, _) | Mark::Path(own, ..) if *own == look));
    let patterns = [Look::Completed, Look::Suspended, Look::Cancelled].into_iter().filter(|look| used(*look));
    let patterns = patterns.map(|look| pattern(look, &name)).collect::<String>();
    if !patterns.is_empty() {
        let _ = write!(svg, "<defs>{patterns}</defs>");
    }
    let _ = write!(svg, "<rect class=\"g\" width=\"{width}\" height=\"{height}\"/>");
    for mark in marks {
        match mark {
            Mark::Text(label) => text(&mut svg, label),
            Mark::Rectangle(look, area) => rectangle(&mut svg, *look, *area, &name),
            Mark::Path(look, data, _) => {
                let _ = write!(svg, "<path {} d=\"{data}\"/>", paint(*look, &name));
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// The style sheet of a theme.
pub fn style(theme: Theme) -> String {
    let mut both =
        String::from(".rk{font-variant-numeric:tabular-nums}.rk .h{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}");
    let (mut light, mut dark) = (String::new(), String::new());
    for rule in RULES {
        let Rule { look, colour, .. } = rule;
        // The ground, which a hollow shape has as well, has a rule of its own.
        let class = look.class().split(' ').next().unwrap_or_default();
        if !rule.both.is_empty() {
            let _ = write!(both, ".rk .{class}{{{}}}", rule.both);
        }
        let _ = write!(light, ".rk .{class}{{{colour}:{}}}", rule.light);
        let _ = write!(dark, ".rk .{class}{{{colour}:{}}}", rule.dark);
    }
    light.push_str(".rk .h{stroke:#fff}");
    dark.push_str(".rk .h{stroke:#12171d}");
    match theme {
        Theme::Light => both + &light,
        Theme::Dark => both + &dark,
        Theme::Auto => format!("{both}{light}@media (prefers-color-scheme:dark){{{dark}}}"),
    }
}

/// The colours of a theme.
#[cfg(test)]
pub(super) fn colours(theme: Theme) -> Vec<(Look, &'static str)> {
    RULES.iter().map(|rule| (rule.look, if theme == Theme::Dark { rule.dark } else { rule.light })).collect()
}

fn pattern(look: Look, name: &str) -> String {
    let Some(id) = look.pattern() else { return String::new() };
    let class = look.class();
    let (size, turned, content) = match look {
        Look::Completed => (
            6,
            "",
            format!("<rect class=\"{class}\" width=\"6\" height=\"6\"/><circle class=\"g\" cx=\"3\" cy=\"3\" r=\"1.1\"/>"),
        ),
        Look::Suspended => (
            6,
            " patternTransform=\"rotate(45)\"",
            format!("<rect class=\"g\" width=\"6\" height=\"6\"/><path class=\"{class}\" stroke-width=\"5\" d=\"M0 0V6\"/>"),
        ),
        _ => (
            7,
            " patternTransform=\"rotate(45)\"",
            format!(
                "<rect class=\"g\" width=\"7\" height=\"7\"/><path class=\"{class}\" d=\"M0 0V7M0 0H7\" stroke-width=\"1.6\"/>"
            ),
        ),
    };
    format!(
        "<pattern id=\"{name}-{id}\" width=\"{size}\" height=\"{size}\" patternUnits=\"userSpaceOnUse\"{turned}>{content}</pattern>"
    )
}

/// The class of a look, and its pattern.
fn paint(look: Look, name: &str) -> String {
    match look.pattern() {
        // A thin line around it, so that it ends where it ends.
        Some(pattern) if look == Look::Completed => format!("fill=\"url(#{name}-{pattern})\""),
        Some(pattern) => format!("class=\"{}\" fill=\"url(#{name}-{pattern})\"", look.class()),
        None => format!("class=\"{}\"", look.class()),
    }
}

fn rectangle(svg: &mut String, look: Look, area: Area, name: &str) {
    // The line around a shape lies within it.
    let inset = if matches!(look, Look::Planned | Look::Suspended | Look::Cancelled) { 0.6 } else { 0.0 };
    let [x, y] = [area.x + inset, area.y + inset].map(n);
    let [width, height] = [area.width - 2.0 * inset, area.height - 2.0 * inset].map(|length| n(length.max(0.1)));
    let paint = paint(look, name);
    let round = if look == Look::Grid { "" } else { " rx=\"1.5\"" };
    let _ = write!(svg, "<rect {paint} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{round}/>");
}

fn text(svg: &mut String, label: &Label) {
    let Label { text, x, y, anchor, font, look } = label;
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let bold = if font.is_bold { " font-weight=\"700\"" } else { "" };
    // A halo keeps a text readable where a line passes behind it.
    let class = if matches!(look, Look::LineText | Look::TargetText | Look::Faint) {
        format!("{} h", look.class())
    } else {
        look.class().into()
    };
    let _ = write!(
        svg,
        "<text class=\"{class}\" x=\"{}\" y=\"{}\" font-size=\"{}\"{bold}{anchor}>{}</text>",
        n(*x),
        n(*y),
        n(font.size),
        escaped(text)
    );
}

/// A text as XML has it. What no XML document may contain becomes a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}
