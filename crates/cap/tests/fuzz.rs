//! Fuzz targets: each is a test that looks at some thousands of inputs, and runs as long as it is
//! told to by `cargo xtask fuzz`. An input that fails is made smaller, printed, and comes back with
//! the seed that is printed beside it (`BOLERO_RANDOM_SEED`).
//!
//! Promised for all of them: nothing panics, whatever is refused has an error, a report is bounded,
//! every place lies in the document; and a document that reads is written and read again as the
//! same message.

#[path = "oracle/mutate.rs"]
mod mutate;

use std::cell::Cell;

use balefire_cap::{Finding, check, check_structure, read, write};
use balefire_domain::limits;
use bolero::check as fuzz;
use mutate::{Dice, Tree};

const FIXTURES: [&str; 3] = [
    include_str!("fixtures/flood-alert.xml"),
    include_str!("fixtures/flood-cancel.xml"),
    include_str!("fixtures/every-element.xml"),
];

/// Inputs of one target when it runs as a test.
const INPUTS: usize = 20_000;
/// Bytes of one input: with them it chooses its own damage.
const INPUT_BYTES_MAX: usize = 512;

/// The declaration of an encoding in which every byte is a character.
const LATIN_1: &str = "<?xml version='1.0' encoding='ISO-8859-1'?>";

/// Pieces that a parser must keep apart.
const TOKENS: [&str; 25] = [
    "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>",
    "</alert>",
    "<info>",
    "</info>",
    "<language/>",
    "<?xml version='1.0'?>",
    LATIN_1,
    "<?p?>",
    "<!DOCTYPE a>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<a b='",
    "'/>",
    " xmlns:c='u'",
    "<c:d",
    ">",
    "&amp;",
    "&#0;",
    "\u{feff}",
    "\r\n",
    "é",
    "1,2 ",
    "x",
];

/// Counts documents, so that a long run can say what it looked at.
#[derive(Default)]
struct Count {
    documents: Cell<u64>,
    taken: Cell<u64>,
}

impl Count {
    fn add(&self, is_taken: bool) {
        self.documents.set(self.documents.get() + 1);
        self.taken.set(self.taken.get() + u64::from(is_taken));
    }
}

impl Drop for Count {
    #[expect(clippy::print_stdout, reason = "`cargo xtask fuzz` reads this line")]
    fn drop(&mut self) {
        let (documents, taken) = (self.documents.get(), self.taken.get());
        println!("fuzz: {documents} documents, {taken} of them read");
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let count = std::panic::AssertUnwindSafe(Count::default());
    fuzz!()
        .with_iterations(INPUTS)
        .with_max_len(INPUT_BYTES_MAX)
        .for_each(|bytes| count.add(look(&pieced(bytes))));
}

#[test]
fn damaged_documents_are_read_or_refused() {
    let count = std::panic::AssertUnwindSafe(Count::default());
    fuzz!()
        .with_iterations(INPUTS)
        .with_max_len(INPUT_BYTES_MAX)
        .for_each(|bytes| count.add(look(&damaged(bytes))));
}

#[test]
fn what_reads_is_written_and_reads_the_same() {
    let count = std::panic::AssertUnwindSafe(Count::default());
    fuzz!()
        .with_iterations(INPUTS)
        .with_max_len(INPUT_BYTES_MAX)
        .for_each(|bytes| count.add(round_trip(&changed(bytes))));
}

/// Reads a document in every way there is; whether its structure is right.
fn look(document: &[u8]) -> bool {
    let (rules, structure) = (check(document), check_structure(document));
    for report in [&rules, &structure] {
        let has_error = report.findings.iter().any(Finding::is_error);
        assert_eq!(report.is_accepted, !has_error, "{:?}", report.findings);
        assert!(report.findings.len() <= 2 * limits::CAP_FINDINGS_MAX + 1);
        for finding in &report.findings {
            assert_is_inside(finding, document);
        }
    }
    assert_eq!(structure.is_accepted, read(document).is_ok());
    assert!(structure.is_accepted || !rules.is_accepted);
    structure.is_accepted
}

/// Line and column are those of a character, or of the end.
fn assert_is_inside(finding: &Finding, document: &[u8]) {
    assert!(!finding.message.is_empty());
    let text = String::from_utf8_lossy(document).replace("\r\n", "\n");
    let line = text.split(['\n', '\r']).nth(finding.line - 1);
    let line = line.unwrap_or_else(|| panic!("no line for {finding:?}"));
    // A lossy character stands for up to 3 bytes that are none; one of UTF-8 for 4 of ISO-8859-1.
    let columns = line.chars().count() * 4 + 1;
    assert!((1..=columns).contains(&finding.column), "{finding:?}");
}

fn round_trip(document: &[u8]) -> bool {
    let Ok(read_once) = read(document) else {
        return false;
    };
    let mut alert = read_once.alert;
    alert.signatures.clear();
    let written = write(&alert);
    if written.len() > limits::BODY_BYTES_MAX {
        return false;
    }
    let again = read(&written).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert_eq!(again.alert, alert);
    assert_eq!(write(&again.alert), written);
    true
}

/// The input as it is, inside an `alert`, or as pieces of markup, one for each byte.
fn pieced(input: &[u8]) -> Vec<u8> {
    let (first, rest) = input.split_first().unwrap_or((&0, &[]));
    let open = b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>".as_slice();
    match first % 5 {
        0 => rest.to_vec(),
        3 => [LATIN_1.as_bytes(), open, rest, b"</alert>"].concat(),
        1 => [open, rest, b"</alert>"].concat(),
        2 => [open, b"<info><area>", rest, b"</area></info></alert>"].concat(),
        _ => {
            let token = |byte: &u8| TOKENS[usize::from(*byte) % TOKENS.len()];
            rest.iter().map(token).collect::<String>().into_bytes()
        }
    }
}

/// A fixture with bytes of the input put into it. Each 4 bytes say where, how much goes, and how
/// much of what follows them comes instead.
fn damaged(input: &[u8]) -> Vec<u8> {
    let (first, mut rest) = input.split_first().unwrap_or((&0, &[]));
    let mut document = FIXTURES[usize::from(*first) % FIXTURES.len()]
        .as_bytes()
        .to_vec();
    if *first >= 0xC0 {
        let text = String::from_utf8(document).expect("the fixtures are UTF-8");
        document = text.replacen("UTF-8", "ISO-8859-1", 1).into_bytes();
    }
    while let [high, low, cut, length, after @ ..] = rest {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % document.len().max(1);
        let end = (at + usize::from(cut % 16)).min(document.len());
        let (new, after) = after.split_at(usize::from(length % 8).min(after.len()));
        document.splice(at..end, new.iter().copied());
        rest = after;
    }
    document
}

/// A fixture changed as senders change documents, with texts of the input in two of its elements.
fn changed(input: &[u8]) -> Vec<u8> {
    let (head, text) = input.split_at(input.len().min(8));
    let mut seed = [1; 8];
    seed[..head.len()].copy_from_slice(head);
    // The generator of numbers must not start at zero.
    let mut dice = Dice::new(u64::from_le_bytes(seed).max(1));
    let mut tree = Tree::parse(FIXTURES[dice.below(FIXTURES.len())]);
    for _ in 0..dice.below(3) {
        tree.damage(&mut dice);
    }
    if dice.below(4) == 0 {
        tree.revalue(&mut dice);
    }
    let text: String = String::from_utf8_lossy(text)
        .chars()
        .filter(|c| is_xml(*c))
        .collect();
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace("]]>", "]]&gt;");
    let document = tree.to_text();
    let document = document.replacen("<senderName>", &format!("<senderName>{escaped}"), 1);
    let note = format!("<sender><![CDATA[{}]]>", text.replace("]]>", ""));
    let mut document = document.replacen("<sender>", &note, 1);
    if dice.below(4) == 0 {
        mutate::damage_text(&mut document, &mut dice);
    }
    if dice.below(4) == 0 {
        return mutate::encode(&document, &mut dice);
    }
    document.into_bytes()
}

/// XML 1.0 §2.2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}
