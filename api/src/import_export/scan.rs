//! Finds where the parts of a JSON text begin and end, without parsing them, where the text is too large for memory.
//!
//! The text was found to be JSON before, so that here brackets and quotation marks are all that has to be distinguished.

use std::io::{self, BufRead};

/// The most bytes of one part that is kept: a row, or what stands beside the lists.
pub(super) const LARGEST_PART: usize = 64 * 1024 * 1024;

/// A text that is gone through once.
pub(super) struct Scanner<R> {
    reader: R,
    /// How many bytes were gone through.
    pub(super) place: u64,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, place: 0 }
    }

    /// The next byte that is no white space, which is not gone through yet.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = buffer.get(blank).copied();
            self.consume(blank);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Goes through one byte if it is the next one.
    pub(super) fn take(&mut self, wanted: u8) -> io::Result<bool> {
        let is_next = self.next()? == Some(wanted);
        if is_next {
            self.consume(1);
        }
        Ok(is_next)
    }

    /// Goes through a value that begins here, and keeps it.
    pub(super) fn value(&mut self) -> io::Result<Vec<u8>> {
        let mut kept = Vec::new();
        self.go_through(|bytes| {
            kept.extend_from_slice(bytes);
            if kept.len() > LARGEST_PART {
                let message = format!("a row of more than {} MiB", LARGEST_PART / 1024 / 1024);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            Ok(())
        })?;
        Ok(kept)
    }

    /// Goes through a value that begins here.
    pub(super) fn skip(&mut self) -> io::Result<()> {
        self.go_through(|_| Ok(()))
    }

    fn go_through(&mut self, mut keep: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.next()?;
        let mut within = Within::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = within.end(buffer);
            let gone = end.unwrap_or(buffer.len());
            keep(&buffer[..gone])?;
            self.consume(gone);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.place += bytes as u64;
    }
}

/// Where in a value a text is cut.
#[derive(Default)]
struct Within {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
}

impl Within {
    /// How many of `bytes` belong to the value, if it ends among them.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return Some(index + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                // Of what the value stands in.
                b'}' | b']' | b',' | b':' if self.depth == 0 => return Some(index),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return Some(index),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::BufReader;

    use super::*;

    #[test]
    fn values_are_found_however_the_text_is_cut() {
        let text = br#" [ {"a":"}]\"\\", "b":[1,{}]} ,"x\\",-1.5e3, null,[] ] "#;
        for capacity in 1..20 {
            let mut scanner = Scanner::new(BufReader::with_capacity(capacity, &text[..]));
            assert!(scanner.take(b'[').unwrap());
            let mut values = Vec::new();
            while scanner.next().unwrap() != Some(b']') {
                values.push(String::from_utf8(scanner.value().unwrap()).unwrap());
                scanner.take(b',').unwrap();
            }
            assert_eq!(values, [r#"{"a":"}]\"\\", "b":[1,{}]}"#, r#""x\\""#, "-1.5e3", "null", "[]"]);
            assert!(scanner.take(b']').unwrap());
            assert_eq!((scanner.next().unwrap(), scanner.place), (None, text.len() as u64));
        }
    }
}
