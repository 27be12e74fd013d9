//! What a signature says, read strictly: each element once, at its place, with the attributes that
//! it needs and no other, and nothing else anywhere.

use roxmltree::{Namespace, Node};

use crate::algorithms::{C14n, Digest, ENVELOPED, Method, XML_DSIG};
use crate::base64::decode;
use crate::verify::Refusal;

/// Certificates that a signature may bring along.
const CERTIFICATES_MAX: usize = 8;
/// Octets of one of them.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a namespace and of a prefix: the canonical form may repeat both at every element, and
/// compares them there. The three that such documents need have under 50.
const NAMESPACE_BYTES_MAX: usize = 256;

/// A signature whose structure is as it must be.
pub(crate) struct Signature<'a, 'input> {
    /// The element that is signed by the key.
    pub signed_info: Node<'a, 'input>,
    /// How it becomes bytes.
    pub c14n: C14n,
    /// How those are signed.
    pub method: Method,
    /// The signature itself.
    pub value: Vec<u8>,
    /// How the document becomes bytes.
    pub document_c14n: C14n,
    /// How those become a digest.
    pub digest: Digest,
    /// The digest.
    pub digest_value: Vec<u8>,
    /// The certificates that the signature brings along, in its order. Nothing vouches for them.
    pub certificates: Vec<Vec<u8>>,
}

fn malformed(what: impl Into<String>) -> Refusal {
    Refusal::Malformed(what.into())
}

/// The only signature of a document: the last child of its root, and nowhere is there another.
///
/// Beside it the root holds CAP alone, so nothing that is signed is of unknown structure or takes
/// more room in canonical form than a few times its own.
pub(crate) fn find<'a, 'input>(root: Node<'a, 'input>) -> Result<Node<'a, 'input>, Refusal> {
    let is_signature = |node: &Node<'_, '_>| node.has_tag_name((XML_DSIG, "Signature"));
    let mut all = root.descendants().filter(is_signature);
    let signature = all.next().ok_or(Refusal::Unsigned)?;
    if all.next().is_some() {
        return Err(Refusal::Several);
    }
    if root.children().rfind(Node::is_element) != Some(signature) {
        return Err(Refusal::Place);
    }
    let is_of_signatures = |node: &Node<'_, '_>| node.tag_name().namespace() == Some(XML_DSIG);
    if root.children().filter(is_of_signatures).count() > 1 {
        return Err(malformed("another element of its kind stands beside it"));
    }
    let declared = root.descendants().flat_map(|node| node.namespaces());
    let length = |n: &Namespace<'_>| n.uri().len().max(n.name().unwrap_or_default().len());
    if declared
        .map(length)
        .any(|bytes| bytes > NAMESPACE_BYTES_MAX)
    {
        return Err(malformed(format!(
            "the document declares a namespace of more than {NAMESPACE_BYTES_MAX} bytes"
        )));
    }
    Ok(signature)
}

/// Reads a signature.
pub(crate) fn read<'a, 'input>(node: Node<'a, 'input>) -> Result<Signature<'a, 'input>, Refusal> {
    if node.descendants().any(|inside| inside.is_comment()) {
        return Err(malformed("it has a comment inside"));
    }
    attributes(node, &[], &["Id"])?;
    let parts = children(node)?;
    let (signed_info, value, key_info) = match parts[..] {
        [info, value] => (info, value, None),
        [info, value, key] => (info, value, Some(key)),
        _ => {
            return Err(malformed(
                "it must have SignedInfo, SignatureValue and KeyInfo only",
            ));
        }
    };
    let info = read_info(named(signed_info, "SignedInfo")?)?;
    attributes(named(value, "SignatureValue")?, &[], &["Id"])?;
    let certificates = match key_info {
        Some(node) => read_certificates(named(node, "KeyInfo")?)?,
        None => Vec::new(),
    };
    Ok(Signature {
        signed_info,
        c14n: info.c14n,
        method: info.method,
        value: bytes(value)?,
        document_c14n: info.reference.c14n,
        digest: info.reference.digest,
        digest_value: info.reference.value,
        certificates,
    })
}

struct Info {
    c14n: C14n,
    method: Method,
    reference: Reference,
}

fn read_info(node: Node<'_, '_>) -> Result<Info, Refusal> {
    attributes(node, &[], &["Id"])?;
    let parts = children(node)?;
    let [c14n, method, reference] = parts[..] else {
        let references = parts.iter().filter(|p| p.tag_name().name() == "Reference");
        return Err(match references.count() {
            0 | 1 => {
                malformed("SignedInfo must name one canonicalisation, one method, one reference")
            }
            _ => Refusal::References,
        });
    };
    Ok(Info {
        c14n: algorithm(named(c14n, "CanonicalizationMethod")?, C14n::from_uri)?,
        method: algorithm(named(method, "SignatureMethod")?, Method::from_uri)?,
        reference: read_reference(named(reference, "Reference")?)?,
    })
}

struct Reference {
    c14n: C14n,
    digest: Digest,
    value: Vec<u8>,
}

fn read_reference(node: Node<'_, '_>) -> Result<Reference, Refusal> {
    attributes(node, &["URI"], &["Id"])?;
    if node.attribute("URI") != Some("") {
        return Err(Refusal::References);
    }
    let parts = children(node)?;
    let [transforms, method, value] = parts[..] else {
        return Err(malformed(
            "Reference must have Transforms, DigestMethod and DigestValue",
        ));
    };
    attributes(named(value, "DigestValue")?, &[], &[])?;
    Ok(Reference {
        c14n: read_transforms(named(transforms, "Transforms")?)?,
        digest: algorithm(named(method, "DigestMethod")?, Digest::from_uri)?,
        value: bytes(value)?,
    })
}

/// The enveloped transform, and then at most one canonicalisation; without one it is Canonical XML
/// 1.0.
fn read_transforms(node: Node<'_, '_>) -> Result<C14n, Refusal> {
    attributes(node, &[], &[])?;
    let transforms = children(node)?;
    let (first, second) = match transforms[..] {
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        _ => return Err(Refusal::Transforms),
    };
    let is_enveloped = |uri: &str| (uri == ENVELOPED).then_some(());
    algorithm(named(first, "Transform")?, is_enveloped)?;
    match second {
        None => Ok(C14n::Inclusive10),
        Some(second) => algorithm(named(second, "Transform")?, C14n::from_uri),
    }
}

/// The certificates in `X509Data`. Whatever else `KeyInfo` says is not signed, and not used.
fn read_certificates(node: Node<'_, '_>) -> Result<Vec<Vec<u8>>, Refusal> {
    let is_certificate = |n: &Node<'_, '_>| n.has_tag_name((XML_DSIG, "X509Certificate"));
    let found: Vec<Node<'_, '_>> = node.descendants().filter(is_certificate).collect();
    if found.len() > CERTIFICATES_MAX {
        return Err(malformed(format!(
            "it brings more than {CERTIFICATES_MAX} certificates"
        )));
    }
    let certificates: Vec<Vec<u8>> = found.into_iter().map(bytes).collect::<Result<_, _>>()?;
    if certificates.iter().any(|c| c.len() > CERTIFICATE_BYTES_MAX) {
        return Err(malformed("it brings a certificate of more than 16 KiB"));
    }
    Ok(certificates)
}

/// The algorithm of an element that has nothing but its name.
fn algorithm<T>(node: Node<'_, '_>, known: fn(&str) -> Option<T>) -> Result<T, Refusal> {
    attributes(node, &["Algorithm"], &[])?;
    let name = node.tag_name().name();
    if !children(node)?.is_empty() {
        return Err(malformed(format!(
            "{name} has parameters, and none are taken"
        )));
    }
    let uri = node.attribute("Algorithm").unwrap_or_default();
    known(uri).ok_or_else(|| Refusal::algorithm(name, uri))
}

/// Child elements of a node that may hold nothing else but white space.
fn children<'a, 'input>(node: Node<'a, 'input>) -> Result<Vec<Node<'a, 'input>>, Refusal> {
    let is_stray = |n: &Node<'_, '_>| n.is_text() && !is_blank(n.text().unwrap_or_default());
    if node.children().any(|n| is_stray(&n)) {
        let name = node.tag_name().name();
        return Err(malformed(format!("{name} has text beside its elements")));
    }
    Ok(node.children().filter(Node::is_element).collect())
}

fn named<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> Result<Node<'a, 'input>, Refusal> {
    if node.has_tag_name((XML_DSIG, name)) {
        Ok(node)
    } else {
        Err(malformed(format!("{name} is not at its place")))
    }
}

/// Refuses every attribute that is not known, and what must be there and is not. None is in a
/// namespace.
fn attributes(node: Node<'_, '_>, needed: &[&str], allowed: &[&str]) -> Result<(), Refusal> {
    let name = node.tag_name().name();
    for attribute in node.attributes() {
        let is_known = needed.contains(&attribute.name()) || allowed.contains(&attribute.name());
        if attribute.namespace().is_some() || !is_known {
            return Err(malformed(format!(
                "{name} has an attribute that it may not have"
            )));
        }
    }
    match needed.iter().find(|name| node.attribute(**name).is_none()) {
        None => Ok(()),
        Some(missing) => Err(malformed(format!("{name} has no {missing}"))),
    }
}

/// The bytes of an element that holds base64 and nothing else.
fn bytes(node: Node<'_, '_>) -> Result<Vec<u8>, Refusal> {
    let name = node.tag_name().name();
    if node.children().any(|child| !child.is_text()) {
        return Err(malformed(format!("{name} may hold only text")));
    }
    let text: String = node.children().filter_map(|child| child.text()).collect();
    decode(&text).ok_or_else(|| Refusal::Base64(name.to_owned()))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
}
