//! How the page looks: one style sheet, with that of the charts.

use crate::charts::options::Theme;
use crate::charts::svg;

/// The style sheet.
pub(super) fn style() -> String {
    let own = include_str!("look.css").lines().map(str::trim).collect::<String>();
    own + &svg::style(Theme::Auto)
}
