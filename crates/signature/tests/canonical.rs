//! Our canonical form against libxml2's, in all three ways of canonicalising.

mod support;

use std::process::Command;

use balefire_signature::algorithms::C14n;
use balefire_signature::canonicalise;

const DOCUMENTS: [&str; 14] = [
    "<a/>",
    "<a xmlns=\"urn:x:u\"><b xmlns=\"\"><c xmlns=\"\"/><d xmlns=\"urn:x:u\"/></b></a>",
    "<p:a xmlns:p=\"urn:x:u\" xmlns:q=\"urn:x:v\"><p:b q:c='1' d=\"2\" p:a='3'/></p:a>",
    "<p:a xmlns:p=\"urn:x:u\"><p:b xmlns:p=\"urn:x:v\"><p:c xmlns:p=\"urn:x:u\"/></p:b><p:d/></p:a>",
    "<a xmlns:z=\"urn:x:z\" xmlns:b=\"urn:x:b\" xmlns=\"urn:x:n\" z:x='1' b:x='2' x='3' a='4'/>",
    "<a b=' x&#10;&#9;&#13;&lt;&amp;&quot;&apos;> \n\ty' >t &lt;&gt;&amp;&quot;&#13;\r\n\t</a>",
    "<a><!-- gone --><![CDATA[<&>]]>]]&gt;<b >\u{85}\u{2028}\u{10348}</b\n></a>",
    "<a xmlns:p=\"urn:x:u\"><b><p:c/></b><b><p:c/></b></a>",
    "<a xmlns=\"urn:x:u\"><b xmlns:p=\"urn:x:u\"><p:c xmlns=\"urn:x:u\" p:d='1'/></b></a>",
    "<p:a xmlns:p='urn:x:uv' xmlns:unused='urn:x:w'><b xmlns='urn:x:x'><p:c/><c xmlns=''/></b></p:a>",
    "<a xmlns:a='urn:x:1' xmlns:B='urn:x:2' xmlns:\u{e9}='urn:x:3'><a:x/><B:x/><\u{e9}:x/></a>",
    "<a\n  xmlns = 'urn:x:u'\n  b\t=\t'c'\n/>",
    "<a xmlns='urn:x:u'><p:b xmlns:p='urn:x:v'><c xmlns='urn:x:w' p:d=''/></p:b></a>",
    "<a>\n <b> </b>\n</a>",
];

fn ours(document: &str, method: C14n) -> Vec<u8> {
    support::with_tree(document.as_bytes(), |tree| {
        canonicalise(tree.root_element(), None, method)
    })
    .unwrap_or_else(|findings| panic!("{findings:?}: {document}"))
}

/// xmllint keeps comments and writes what stands outside the root, so neither is in the documents
/// that it gets.
fn theirs(document: &str, option: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("document.xml");
    std::fs::write(&file, document).expect("the folder is writable");
    let output = Command::new("xmllint")
        .args(["--nonet", option])
        .arg(&file)
        .output();
    let output = output.expect("xmllint is needed: cargo xtask setup installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn documents_have_the_canonical_form_that_libxml2_gives_them() {
    let mut documents: Vec<String> = DOCUMENTS.map(str::to_owned).to_vec();
    documents.extend([support::ALERT, support::EVERY_ELEMENT].map(str::to_owned));
    documents.push(support::signed());
    documents.extend(support::ipaws().into_iter().map(|(_, text)| text));
    let ways = [
        (C14n::Inclusive10, "--c14n"),
        (C14n::Inclusive11, "--c14n11"),
        (C14n::Exclusive10, "--exc-c14n"),
    ];
    for document in &documents {
        let without_comments = strip_comments(document);
        for (method, option) in ways {
            let (is, want) = (ours(document, method), theirs(&without_comments, option));
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&is), text(want.trim_ascii_end()), "{option}");
        }
    }
}

fn strip_comments(document: &str) -> String {
    let mut out = String::new();
    let mut rest = document;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").expect("it ends").1;
    }
    out + rest
}
