//! How wide a text is, and how it is broken into lines.
//!
//! The font is that of the reader's system and is not known here, so widths are those of DejaVu Sans, one of the widest of the fonts that
//! systems take: a text in any other takes less room than is kept for it.

/// The advance widths of the characters from U+0020 to U+007E in DejaVu Sans, in thousandths of the size.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636,
    636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787,
    695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278,
    579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
/// The same of DejaVu Sans Bold.
const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696, 696, 696,
    696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850,
    770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343,
    665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
];
/// The width of a character that is in no table: letters with accents, and then everything else.
const ACCENTED: u16 = 800;
const UNKNOWN: u16 = 1300;

/// The size and weight of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Font {
    /// The size in pixels.
    pub size: f64,
    /// Whether it is bold.
    pub is_bold: bool,
}

impl Font {
    /// A regular one.
    pub fn regular(size: f64) -> Self {
        Self { size, is_bold: false }
    }

    /// A bold one.
    pub fn bold(size: f64) -> Self {
        Self { size, is_bold: true }
    }

    /// From one line to the next.
    pub fn line(self) -> f64 {
        self.size * 1.3
    }

    /// How far a text reaches above its baseline.
    pub fn ascent(self) -> f64 {
        self.size * 0.8
    }

    /// How far a text reaches below its baseline.
    pub fn descent(self) -> f64 {
        self.size * 0.25
    }

    fn advance(self, character: char) -> f64 {
        let table = if self.is_bold { &BOLD } else { &REGULAR };
        let thousandths = match u32::from(character) {
            code @ 0x20..=0x7e => usize::try_from(code - 0x20).ok().and_then(|at| table.get(at)).copied().unwrap_or(UNKNOWN),
            // No-break spaces, dots and dashes of the charts' own texts.
            0xa0 | 0xb7 | 0x2019 => 380,
            0x2013 => 500,
            0x2026 => 1000,
            0xc0..=0x24f => ACCENTED,
            _ => UNKNOWN,
        };
        f64::from(thousandths) / 1000.0 * self.size
    }

    /// The width of a text.
    pub fn width(self, text: &str) -> f64 {
        text.chars().map(|character| self.advance(character)).sum()
    }

    /// A text, or as much of it as fits with an ellipsis.
    pub fn fit(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let (mut left, mut kept) = (width - self.advance('…'), String::new());
        for character in text.chars() {
            left -= self.advance(character);
            if left < 0.0 {
                break;
            }
            kept.push(character);
        }
        format!("{}…", kept.trim_end())
    }

    /// The lines of a text, broken at its spaces; what does not fit into so many ends with an ellipsis.
    pub fn wrap(self, text: &str, width: f64, most: usize) -> Vec<String> {
        let (mut lines, mut rest): (Vec<String>, Vec<&str>) = (Vec::new(), words(text).collect());
        while !rest.is_empty() {
            if lines.len() + 1 >= most {
                lines.push(self.fit(&rest.join(" "), width));
                break;
            }
            let (mut line, mut taken) = (String::new(), 0);
            for word in &rest {
                let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
                if self.width(&longer) > width {
                    break;
                }
                (line, taken) = (longer, taken + 1);
            }
            // A word that is wider than a line stands alone in one.
            lines.push(if taken == 0 { self.fit(rest[0], width) } else { line });
            rest.drain(..taken.max(1));
        }
        lines
    }
}

/// The words of a text. A no-break space is a part of a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() && character != '\u{a0}').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_asked() {
        let font = Font::regular(14.0);
        let name = "Dinas Pengendalian Penduduk, Keluarga Berencana dan Pemberdayaan Masyarakat Desa";
        let lines = font.wrap(name, 200.0, 9);
        assert!(lines.len() > 2 && lines.iter().all(|line| font.width(line) <= 200.0), "{lines:?}");
        assert_eq!(lines.join(" "), name);
        let two = font.wrap(name, 200.0, 2);
        assert!(two.len() == 2 && two[1].ends_with('…') && font.width(&two[1]) <= 200.0, "{two:?}");
        assert!(font.width(&font.wrap(&"x".repeat(300), 200.0, 3)[0]) <= 200.0);
        assert!(font.wrap("  \n ", 200.0, 3).is_empty());
        assert_eq!(font.wrap("87,5\u{a0}%", 20.0, 3).len(), 1, "a number keeps its unit");
    }
}
