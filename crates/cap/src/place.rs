//! Lines and columns of findings, in the document as it was sent.
//!
//! Nothing is looked up before a finding is made, and then the text is gone through once, whatever
//! the number of findings. Lines end as XML 1.0 §2.11 says: at `\n`, `\r\n` and a lone `\r`.
//! Columns count characters from 1; a byte order mark is none, as in an editor.

use roxmltree::{Node, TextPos};

use crate::decode::Source;
use crate::finding::Finding;

/// Gives every finding its line and column: from its offset, or from its path.
pub(crate) fn locate(source: &Source<'_>, root: Option<Node<'_, '_>>, findings: &mut [Finding]) {
    let mut offsets: Vec<(usize, usize)> = Vec::with_capacity(findings.len());
    for (n, finding) in findings.iter().enumerate() {
        let by_path = || root.and_then(|root| find(root, &finding.path));
        offsets.extend(finding.at.or_else(by_path).map(|offset| (offset, n)));
    }
    offsets.sort_unstable();
    let text = source.text.as_bytes();
    let (mut line, mut column) = after(source.declaration.as_bytes());
    let mut from = 0;
    for (offset, n) in offsets {
        let (lines, columns) = after(&text[from..offset]);
        column = if lines == 1 {
            column + columns - 1
        } else {
            columns
        };
        line += lines - 1;
        from = offset;
        (findings[n].line, findings[n].column) = (line, column);
    }
}

/// Line and column of what follows these bytes, which begin a document.
pub(crate) fn after(bytes: &[u8]) -> (usize, usize) {
    let (line, line_start) = if memchr::memchr(b'\r', bytes).is_some() {
        let is_end = |at: &usize| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
        let ends = || memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_end);
        (ends().count(), ends().next_back())
    } else {
        let ends = memchr::memchr_iter(b'\n', bytes).count();
        (ends, memchr::memrchr(b'\n', bytes))
    };
    let (line, line_start) = (line + 1, line_start.map_or(0, |at| at + 1));
    let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let last = &bytes[line_start..];
    (line, last.len() - last.iter().filter(continues).count() + 1)
}

/// The byte offset of a place that the parser names by row and column.
pub(crate) fn offset(text: &str, place: TextPos) -> usize {
    let rows = usize::try_from(place.row).unwrap_or(1) - 1;
    let mut start = 0;
    for _ in 0..rows {
        let Some(length) = text[start..].find('\n') else {
            break;
        };
        start += length + 1;
    }
    let columns = usize::try_from(place.col).unwrap_or(1) - 1;
    let rest = &text[start..];
    start
        + rest
            .char_indices()
            .nth(columns)
            .map_or(rest.len(), |(at, _)| at)
}

/// The byte offset of the element that a path such as `alert/info[1]/area[2]` names, or of the
/// nearest element above it that is there. A name without number is the first of its kind. A path
/// that is empty is about the document as a whole.
fn find(root: Node<'_, '_>, path: &str) -> Option<usize> {
    let mut steps = path.split('/');
    if steps.next()? != root.tag_name().name() {
        return None;
    }
    let mut node = root;
    for step in steps {
        let (name, number) = match step.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(1)),
            None => (step, 1_usize),
        };
        let mut named = node
            .children()
            .filter(|child| child.is_element() && child.tag_name().name() == name);
        match named.nth(number.max(1) - 1) {
            Some(child) => node = child,
            None => break,
        }
    }
    Some(node.range().start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_xml_says_and_columns_count_characters() {
        let cases: [(&str, (usize, usize)); 9] = [
            ("", (1, 1)),
            ("ab", (1, 3)),
            ("é€😀", (1, 4)),
            ("a\n", (2, 1)),
            ("a\r\nb", (2, 2)),
            ("a\rb\r\rc", (4, 2)),
            ("a\r", (2, 1)),
            ("\n\n\n", (4, 1)),
            ("\r\n\n\r", (4, 1)),
        ];
        for (text, want) in cases {
            assert_eq!(after(text.as_bytes()), want, "{text:?}");
        }
    }

    #[test]
    fn the_parsers_rows_and_columns_are_offsets() {
        let text = "aé\nb€c\n";
        for (row, col, want) in [(1, 1, 0), (1, 3, 3), (2, 1, 4), (2, 3, 8), (9, 9, 10)] {
            assert_eq!(offset(text, TextPos::new(row, col)), want, "{row}:{col}");
        }
    }
}
