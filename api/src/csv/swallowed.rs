//! Finds cells that swallowed rows: a quotation mark that was lost or added, and another one further on that closes the cell
//! again, make a text out of whole rows.

use regex::Regex;

use super::Separator;
use super::column::{Cells, Column};
use super::refused::Refused;
use crate::http::language::Text;

/// The refusal of a line break in a column of one-line texts.
pub(super) fn short(opened: u64, name: &str) -> Refused {
    Refused::Unreadable {
        line: opened,
        text: Text::new(
            format!(
                "The cell of `{name}` whose quotation mark opens on line {opened} goes over several lines, which only long texts do: \
                 a quotation mark was lost or added there."
            ),
            format!(
                "Sel `{name}` yang tanda kutipnya dibuka di baris {opened} mencakup beberapa baris, padahal hanya teks panjang yang \
                 boleh: ada tanda kutip yang hilang atau berlebih."
            ),
        ),
    }
}

/// The refusal of a long text that holds what reads as rows of the table.
pub(super) fn long(opened: u64) -> Refused {
    Refused::Unreadable {
        line: opened,
        text: Text::new(
            format!(
                "The cell whose quotation mark opens on line {opened} holds what reads as rows of this table: a quotation mark was \
                 lost or added there."
            ),
            format!(
                "Sel yang tanda kutipnya dibuka di baris {opened} memuat isi yang terbaca sebagai baris tabel ini: ada tanda kutip \
                 yang hilang atau berlebih."
            ),
        ),
    }
}

/// What the rows of a table look like.
pub(super) struct Shape {
    separator: char,
    columns: Vec<Look>,
}

/// What the cells of a column look like.
struct Look {
    /// `None` where the column has no name.
    cells: Option<Cells>,
    is_required: bool,
    form: Option<Regex>,
}

impl Shape {
    pub(super) fn of(header: &[Option<Column>], separator: Separator) -> Self {
        let look = |column: &Option<Column>| Look {
            cells: column.as_ref().map(|column| column.cells),
            is_required: column.as_ref().is_some_and(|column| column.is_required),
            form: column.as_ref().and_then(|column| Regex::new(column.form.as_deref()?).ok()),
        };
        Self { separator: char::from(separator.byte()), columns: header.iter().map(look).collect() }
    }

    /// Whether a line break of a long text reads as the end of a row and the beginning of another: what stands after the cell
    /// and before it in a row stands there, too, each cell as its column wants it, and of two of them it is certain.
    pub(super) fn is_in(&self, text: &str, index: usize) -> bool {
        let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        lines.windows(2).any(|pair| self.is_between(pair[0], pair[1], index))
    }

    fn is_between(&self, one: &str, next: &str, index: usize) -> bool {
        let (before, after) = (&self.columns[..index], &self.columns[index + 1..]);
        let tail = one.rsplitn(after.len() + 1, self.separator).take(after.len()).collect::<Vec<_>>();
        let head = next.splitn(before.len() + 1, self.separator).take(before.len()).collect::<Vec<_>>();
        if tail.len() < after.len() || next.matches(self.separator).count() < before.len() {
            return false;
        }
        let mut certain = 0;
        let looks = before.iter().zip(&head).chain(after.iter().rev().zip(&tail)).all(|(look, cell)| {
            let fits = look.fits(cell);
            certain += usize::from(fits == Some(true));
            fits.is_some()
        });
        looks && certain > 1
    }
}

impl Look {
    /// Whether a cell is as its column wants it: `None` where it is not, `true` where hardly any text would be.
    fn fits(&self, cell: &str) -> Option<bool> {
        let bare = cell.trim_matches('"');
        if bare.is_empty() {
            return (!self.is_required).then_some(false);
        }
        let has_digit = bare.bytes().any(|byte| byte.is_ascii_digit());
        let has_form = |text: &str| self.form.as_ref().is_none_or(|form| form.is_match(text));
        match self.cells? {
            Cells::Decimal => (has_digit && has_form(&bare.replace(',', "."))).then_some(true),
            Cells::Integer => bare.parse::<i64>().is_ok().then_some(true),
            Cells::Word => (has_form(bare) && !bare.contains(char::is_whitespace)).then_some(has_digit),
            Cells::Flag => (!bare.contains(char::is_whitespace)).then_some(false),
            // A blank follows the commas of a text for people.
            _ => (!cell.starts_with(' ')).then_some(false),
        }
    }
}
