//! Bytes to a typed message, in this order: size and encoding; the scan (document type,
//! processing instructions, depth, numbers); the parser; the structure of CAP 1.2.

use balefire_domain::limits;
use roxmltree::{Document as Tree, Error, ParsingOptions};

use crate::alert::{self, Alert};
use crate::decode::{Source, decode};
use crate::finding::{Finding, Findings, shown};
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

/// Reads a document of any bytes. On failure the findings hold at least one error: one about the
/// bytes or the XML, or everything that is wrong with the structure.
pub fn read(bytes: &[u8]) -> Result<Document, Vec<Finding>> {
    let source = decode(bytes).map_err(|finding| vec![finding])?;
    let mut scan = scan(&source.text, source.lines_before)?;
    let tree = parse(&source).map_err(|finding| vec![finding])?;
    let root = tree.root_element();
    let mut findings = Findings::default();
    if let Some(finding) = scan.instruction.take() {
        findings.push(finding);
    }
    structure::check(root, &scan, &mut findings);
    if findings.errors() > 0 {
        return Err(findings.into_list());
    }
    let alert = alert::build(root);
    if !alert.signatures.is_empty() {
        let message = "the document is signed; its signature is kept but not verified";
        findings.warning("signature-not-verified", "alert/Signature", message);
    }
    Ok(Document {
        alert,
        warnings: findings.into_list(),
    })
}

fn parse<'a>(source: &'a Source<'_>) -> Result<Tree<'a>, Finding> {
    let options = ParsingOptions {
        nodes_limit: limits::XML_NODES_MAX,
        ..ParsingOptions::default()
    };
    Tree::parse_with_options(&source.text, options).map_err(|error| refuse(&error, source))
}

/// The parser's error in plain words, with the line in the document as it was sent.
fn refuse(error: &Error, source: &Source<'_>) -> Finding {
    let line = error.pos().row as usize + source.lines_before;
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
        Error::UnexpectedCloseTag(expected, actual, _) => format!(
            "line {line}: `{}` is closed by </{}>",
            shown(expected),
            shown(actual)
        ),
        Error::UnknownNamespace(prefix, _) => {
            format!(
                "line {line}: the prefix `{}` has no namespace",
                shown(prefix)
            )
        }
        Error::DuplicatedAttribute(name, _) => {
            format!(
                "line {line}: the attribute {} stands twice in one tag",
                shown(name)
            )
        }
        Error::NonXmlChar(c, _) => {
            format!(
                "line {line}: the character U+{:04X} is not allowed in XML",
                u32::from(*c)
            )
        }
        Error::InvalidComment(_) => format!("line {line}: a comment may not contain `--`"),
        Error::InvalidCharacterData(_) => {
            format!("line {line}: `]]>` may not stand in text; write `]]&gt;`")
        }
        Error::UnknownToken(_) => {
            format!("line {line}: only one element may be the outermost, and no text beside it")
        }
        _ => format!("line {line}: this is not well-formed XML"),
    };
    Finding::error("xml-syntax", "", message)
}
