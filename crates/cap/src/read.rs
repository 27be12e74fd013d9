//! Bytes to a typed message, in this order: size and encoding; the scan (document type,
//! processing instructions, depth, numbers); the parser; the structure of CAP 1.2.

use balefire_domain::limits;
use roxmltree::{Document as Tree, Error, Node, ParsingOptions};

use crate::alert::{self, Alert};
use crate::decode::{Source, decode};
use crate::finding::{Finding, Findings, shown};
use crate::place;
use crate::scan::scan;
use crate::structure;

/// A document whose structure is that of CAP 1.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its message.
    pub alert: Alert,
    /// What its sender should know, though it is no reason to refuse it.
    pub warnings: Vec<Finding>,
}

/// A document between reading and letting go of its tree, so that places can still be looked up.
pub(crate) struct Opened<'a> {
    source: &'a Source<'a>,
    root: Node<'a, 'a>,
    /// Its message.
    pub alert: Alert,
    /// What its sender should know.
    pub warnings: Vec<Finding>,
}

impl Opened<'_> {
    /// Gives every finding the line and column of its place.
    pub fn locate(&self, findings: &mut [Finding]) {
        place::locate(self.source, Some(self.root), findings);
    }
}

/// Reads a document of any bytes. On failure the findings hold at least one error: one about the
/// bytes or the XML, or everything that is wrong with the structure.
pub fn read(bytes: &[u8]) -> Result<Document, Vec<Finding>> {
    read_and_look(bytes, |_, _| ()).map(|(document, ())| document)
}

/// Reads a document like [`read`], and shows `look` its message and the root of the very tree that
/// the message was read from. For what has to see the document itself, as a signature's check has.
pub fn read_and_look<T>(
    bytes: &[u8],
    look: impl FnOnce(&Alert, Node<'_, '_>) -> T,
) -> Result<(Document, T), Vec<Finding>> {
    open(bytes, |opened| {
        let looked = look(&opened.alert, opened.root);
        let document = Document {
            alert: opened.alert,
            warnings: opened.warnings,
        };
        (document, looked)
    })
}

/// Reads a document like [`read`] and hands it to `then` while its tree is still there.
pub(crate) fn open<T>(bytes: &[u8], then: impl FnOnce(Opened<'_>) -> T) -> Result<T, Vec<Finding>> {
    let source = decode(bytes).map_err(|finding| vec![finding])?;
    let located = |mut findings: Vec<Finding>, root: Option<Node<'_, '_>>| {
        place::locate(&source, root, &mut findings);
        findings
    };
    let mut scan = scan(&source.text).map_err(|findings| located(findings, None))?;
    check_marks(&source.text).map_err(|finding| vec![finding])?;
    let tree = parse(&source).map_err(|finding| located(vec![finding], None))?;
    let root = tree.root_element();
    let mut findings = Findings::default();
    if let Some(finding) = scan.instruction.take() {
        findings.push(finding);
    }
    structure::check(root, &scan, &mut findings);
    if findings.errors() > 0 {
        return Err(located(findings.into_list(), Some(root)));
    }
    let alert = alert::build(root);
    if !alert.signatures.is_empty() {
        let message = "the document is signed; its signature is kept but not verified";
        findings.warning("signature-not-verified", "alert/Signature", message);
    }
    Ok(then(Opened {
        source: &source,
        root,
        alert,
        warnings: located(findings.into_list(), Some(root)),
    }))
}

/// Bounds what the parser reserves: it counts these two characters also where they mean nothing.
fn check_marks(text: &str) -> Result<(), Finding> {
    for mark in [b'<', b'='] {
        let count = memchr::memchr_iter(mark, text.as_bytes()).count();
        if count > limits::XML_MARKS_MAX {
            let (mark, max) = (char::from(mark), limits::XML_MARKS_MAX);
            let message = format!("the document has `{mark}` {count} times; the limit is {max}");
            return Err(Finding::error("too-much-markup", "", message));
        }
    }
    Ok(())
}

fn parse<'a>(source: &'a Source<'_>) -> Result<Tree<'a>, Finding> {
    let options = ParsingOptions {
        nodes_limit: limits::XML_NODES_MAX,
        ..ParsingOptions::default()
    };
    Tree::parse_with_options(&source.text, options).map_err(|error| {
        let at = match error {
            Error::UnclosedRootNode => source.text.trim_end().len(),
            _ => place::offset(&source.text, error.pos()),
        };
        refuse(&error).at(at)
    })
}

/// The parser's error in plain words.
fn refuse(error: &Error) -> Finding {
    let message = match error {
        Error::DtdDetected => {
            let message = "document type declarations are not allowed";
            return Finding::error("doctype", "", message);
        }
        Error::NodesLimitReached => {
            let max = limits::XML_NODES_MAX;
            let message = format!("the document has more than {max} elements, texts and comments");
            return Finding::error("too-many-elements", "", message);
        }
        Error::NoRootNode => "the document has no element; it must be a CAP 1.2 `alert`".to_owned(),
        Error::UnclosedRootNode => "the document ends before its elements are closed".to_owned(),
        Error::UnexpectedCloseTag(expected, actual, _) => {
            let (expected, actual) = (shown(expected), shown(actual));
            format!("`{expected}` is closed by </{actual}>")
        }
        Error::UnknownNamespace(prefix, _) => {
            format!("the prefix `{}` has no namespace", shown(prefix))
        }
        Error::DuplicatedAttribute(name, _) => {
            format!("the attribute {} stands twice in one tag", shown(name))
        }
        Error::NonXmlChar(c, _) => {
            let number = u32::from(*c);
            format!("the character U+{number:04X} is not allowed in XML")
        }
        Error::InvalidComment(_) => "a comment may not contain `--`".to_owned(),
        Error::InvalidCharacterData(_) => "`]]>` may not stand in text; write `]]&gt;`".to_owned(),
        Error::UnknownToken(_) => {
            "only one element may be the outermost, and no text beside it".to_owned()
        }
        _ => "this is not well-formed XML".to_owned(),
    };
    Finding::error("xml-syntax", "", message)
}
