//! Reading a scenario file: what is there, how large it is, and that it is text.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::mistakes::{Mistake, Mistakes, Span};

/// The most a scenario may weigh. A million services written out fit into some 50 bytes each only
/// if nothing is said of them, and nobody reads such a file; a larger file is a mistake.
pub(crate) const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A scenario's text and where it came from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path, or the name that the caller gave.
    pub(crate) name: String,
    /// The whole text, without a byte order mark. At most [`MOST_BYTES`] long.
    pub(crate) text: String,
}

impl Source {
    /// Reads a file. Never more than [`MOST_BYTES`] and one byte, never from a pipe or a device,
    /// which could keep the program waiting for ever.
    pub(crate) fn read(path: &Path) -> Result<Source, Mistakes> {
        let name = path.display().to_string();
        let bytes = read_bytes(path).map_err(|mistake| Mistakes::of_file(&name, mistake))?;
        Source::decode(&name, bytes)
    }

    /// Takes bytes that somebody else has read.
    pub(crate) fn decode(name: &str, bytes: Vec<u8>) -> Result<Source, Mistakes> {
        let refuse = |mistake| Err(Mistakes::of_file(name, mistake));
        if bytes.len() as u64 > MOST_BYTES {
            return refuse(too_large(None));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return refuse(Mistake::new("the file is UTF-16, not UTF-8").help("save it as UTF-8"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = match text.strip_prefix('\u{feff}') {
                    Some(rest) => rest.to_owned(),
                    None => text,
                };
                Ok(Source { name: name.to_owned(), text })
            }
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes();
                let (line, column) = line_and_column(&String::from_utf8_lossy(&bytes[..good]), good);
                refuse(
                    Mistake::new(format!("the file is not UTF-8: the byte 0x{:02x} cannot stand here", bytes[good]))
                        .at(line, column)
                        .help("a scenario is a text file; save it as UTF-8"),
                )
            }
        }
    }

    /// The line and the column, from 1, in characters, of a place in the text.
    pub(crate) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        line_and_column(&self.text, offset)
    }

    /// The place of a line and a column, both from 1, the column in characters.
    pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
        let start = match line.checked_sub(2) {
            None => 0,
            Some(breaks) => text.match_indices('\n').nth(breaks).map_or(text.len(), |(at, _)| at + 1),
        };
        let rest = &text[start..];
        start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
    }

    /// The text under a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        &self.text[span.start()..span.end()]
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

fn too_large(bytes: Option<u64>) -> Mistake {
    let size = bytes.map_or(String::new(), |n| format!(": {n} bytes"));
    Mistake::new(format!("the file is enormous{size}")).help(format!(
        "a scenario has at most {MOST_BYTES} bytes (16 MiB); large networks can be generated instead of listed"
    ))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Mistake> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Mistake::new("there is no such file"),
        io::ErrorKind::PermissionDenied => Mistake::new("the file may not be read").help("check its permissions"),
        _ => Mistake::new(format!("the file cannot be read: {error}")),
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Err(Mistake::new("this is a directory, not a scenario file").help("name a file in it"));
    }
    if !about.is_file() {
        return Err(Mistake::new("this is a pipe or a device, not a scenario file").help("write it to a file first"));
    }
    if about.len() > MOST_BYTES {
        return Err(too_large(Some(about.len())));
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    // The file may grow while it is read.
    File::open(path).map_err(unreadable)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "ab\n\u{e9}\u{e9}x\n";
        // Two bytes for each é: `x` is the third character of the second line and byte 7.
        assert_eq!(line_and_column(text, 7), (2, 3));
        assert_eq!(Source::offset(text, 2, 3), 7);
        assert_eq!(Source::offset(text, 1, 1), 0);
        assert_eq!(Source::offset(text, 9, 9), text.len());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let source = Source::decode("x", b"\xef\xbb\xbf()".to_vec()).expect("it is UTF-8");
        assert_eq!(source.text, "()");
    }

    #[test]
    fn one_byte_too_many_is_too_many() {
        let full = vec![b' '; MOST_BYTES as usize];
        assert!(Source::decode("x", full.clone()).is_ok());
        let more = [full, vec![b' ']].concat();
        let refused = Source::decode("x", more).expect_err("it is too large");
        assert!(refused.to_string().contains("enormous"), "{refused}");
    }
}
