//! Which signatures are taken, and that nothing else is.

mod support;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSignatureEncoding,
};
use balefire_signature::algorithms::{C14n, Digest, ENVELOPED, Method};
use balefire_signature::{Refusal, canonicalise, verify};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use support::{ALERT, Identity, OTHER_RSA, P256, RSA, alert, signed, with_tree, xmlsec1};

/// What a forged signature says of itself.
#[derive(Clone)]
struct Claims {
    c14n: String,
    method: String,
    /// The elements inside `Transforms`.
    transforms: String,
    digest: String,
    uri: String,
}

impl Default for Claims {
    fn default() -> Self {
        let c14n = C14n::Inclusive11.uri().to_owned();
        Self {
            transforms: transform(ENVELOPED) + &transform(&c14n),
            c14n,
            method: Method::RsaSha256.uri().to_owned(),
            digest: Digest::Sha256.uri().to_owned(),
            uri: String::new(),
        }
    }
}

fn transform(uri: &str) -> String {
    format!("<Transform Algorithm=\"{uri}\"></Transform>")
}

fn key() -> RsaKeyPair {
    let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.key_pem.as_bytes()).expect("a key");
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key")
}

fn canonical(document: &str, method: C14n) -> Vec<u8> {
    with_tree(document.as_bytes(), |tree| {
        canonicalise(tree.root_element(), None, method)
    })
    .expect("it is XML")
}

/// Signs `document` with whatever is claimed, so that only the claims can be at fault.
fn forge(document: &str, claims: &Claims) -> String {
    let last = claims.transforms.rsplit('"').nth(1).unwrap_or_default();
    let c14n = C14n::from_uri(last).unwrap_or(C14n::Inclusive10);
    let body = canonical(document, c14n);
    let hash = match Digest::from_uri(&claims.digest) {
        Some(Digest::Sha384) => &digest::SHA384,
        Some(Digest::Sha512) => &digest::SHA512,
        Some(Digest::Sha256) => &digest::SHA256,
        None => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    };
    let value = STANDARD.encode(digest::digest(hash, &body));
    let Claims {
        c14n,
        method,
        transforms,
        digest: digest_uri,
        uri,
    } = claims;
    let inside = format!(
        "<CanonicalizationMethod Algorithm=\"{c14n}\"></CanonicalizationMethod>\
         <SignatureMethod Algorithm=\"{method}\"></SignatureMethod>\
         <Reference URI=\"{uri}\"><Transforms>{transforms}</Transforms>\
         <DigestMethod Algorithm=\"{digest_uri}\"></DigestMethod>\
         <DigestValue>{value}</DigestValue></Reference>"
    );
    wrap(document, &inside)
}

/// Signs what stands inside `SignedInfo` and puts the signature at the end of the document.
fn wrap(document: &str, inside: &str) -> String {
    let ds = "xmlns=\"http://www.w3.org/2000/09/xmldsig#\"";
    let signature = format!(
        "<Signature {ds}><SignedInfo>{inside}</SignedInfo>\
         <SignatureValue>(value)</SignatureValue></Signature></alert>"
    );
    let whole = document.trim_end().replace("</alert>", &signature);
    let method = inside.split('"').nth(1).unwrap_or_default();
    let method = C14n::from_uri(method).unwrap_or(C14n::Inclusive11);
    let text = with_tree(whole.as_bytes(), |tree| {
        let info = tree
            .descendants()
            .find(|node| node.tag_name().name() == "SignedInfo");
        canonicalise(info.expect("it is there"), None, method)
    });
    let encoding: &RsaSignatureEncoding = if inside.contains("#rsa-sha384\"") {
        &RSA_PKCS1_SHA384
    } else if inside.contains("#rsa-sha512\"") {
        &RSA_PKCS1_SHA512
    } else {
        &RSA_PKCS1_SHA256
    };
    let pair = key();
    let mut value = vec![0; pair.public_modulus_len()];
    let rng = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(encoding, &rng, &text.expect("it is XML"), &mut value)
        .expect("it signs");
    whole.replace("(value)", &STANDARD.encode(value))
}

fn unsigned() -> String {
    String::from_utf8(balefire_cap::write(&alert(ALERT))).expect("UTF-8")
}

fn code(document: &str, trusted: &Identity) -> &'static str {
    match verify(document.as_bytes(), &trusted.certificates()) {
        Ok(_) => "verified",
        Err(refusal) => refusal.code(),
    }
}

#[test]
fn every_algorithm_on_the_list_is_taken_here_and_by_xmlsec1() {
    let ways = [C14n::Inclusive10, C14n::Inclusive11, C14n::Exclusive10];
    let methods = [Method::RsaSha256, Method::RsaSha384, Method::RsaSha512];
    let digests = [Digest::Sha256, Digest::Sha384, Digest::Sha512];
    let mut rows = vec![];
    for way in ways {
        for (method, digest) in methods.into_iter().zip(digests) {
            rows.push(Claims {
                c14n: way.uri().to_owned(),
                method: method.uri().to_owned(),
                transforms: transform(ENVELOPED) + &transform(way.uri()),
                digest: digest.uri().to_owned(),
                uri: String::new(),
            });
        }
        rows.push(Claims {
            c14n: way.uri().to_owned(),
            transforms: transform(ENVELOPED),
            ..Claims::default()
        });
    }
    for document in [unsigned(), ALERT.to_owned(), with_prefixes()] {
        for claims in &rows {
            let forged = forge(&document, claims);
            assert_eq!(code(&forged, &RSA), "verified", "{forged}");
            let output = support::xmlsec1(forged.as_bytes(), &RSA.certificate_pem);
            assert!(output.status.success(), "{forged}");
            let changed = forged.replace("Actual", "System");
            assert_eq!(code(&changed, &RSA), "signature-digest");
        }
    }
}

/// A document whose declarations and attributes make the ways of canonicalising differ.
fn with_prefixes() -> String {
    let plain = unsigned();
    let hint = "http://www.w3.org/2001/XMLSchema-instance";
    let more =
        format!("<alert xmlns:z=\"urn:x:z\" xmlns:xsi=\"{hint}\" xsi:schemaLocation=\"a b\" ");
    plain.replacen("<alert ", &more, 1)
}

#[test]
fn every_algorithm_off_the_list_is_refused_by_name() {
    let base = "http://www.w3.org";
    let refused_methods = [
        format!("{base}/2000/09/xmldsig#rsa-sha1"),
        format!("{base}/2000/09/xmldsig#dsa-sha1"),
        format!("{base}/2000/09/xmldsig#hmac-sha1"),
        format!("{base}/2001/04/xmldsig-more#hmac-sha256"),
        format!("{base}/2001/04/xmldsig-more#rsa-md5"),
        format!("{base}/2001/04/xmldsig-more#ecdsa-sha1"),
        format!("{base}/2001/04/xmldsig-more#ecdsa-sha512"),
        format!("{base}/2007/05/xmldsig-more#sha256-rsa-MGF1"),
        String::new(),
        "rsa-sha256".to_owned(),
    ];
    for method in refused_methods {
        let claims = Claims {
            method,
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            "signature-algorithm"
        );
    }
    for digest in [
        "/2000/09/xmldsig#sha1",
        "/2001/04/xmldsig-more#md5",
        "/2001/04/xmlenc#ripemd160",
    ] {
        let claims = Claims {
            digest: format!("{base}{digest}"),
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            "signature-algorithm"
        );
    }
    let ways = [
        "/TR/2001/REC-xml-c14n-20010315#WithComments",
        "/2006/12/xml-c14n11#WithComments",
        "/2001/10/xml-exc-c14n#WithComments",
        "/2010/xml-c14n2",
    ];
    for way in ways.map(|way| format!("{base}{way}")) {
        let claims = Claims {
            c14n: way.clone(),
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            "signature-algorithm"
        );
        let transforms = transform(ENVELOPED) + &transform(&way);
        let claims = Claims {
            transforms,
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            "signature-algorithm"
        );
    }
}

#[test]
fn the_transforms_are_the_enveloped_one_and_at_most_one_canonicalisation() {
    let c14n = transform(C14n::Inclusive11.uri());
    let enveloped = transform(ENVELOPED);
    let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    let xslt = "http://www.w3.org/TR/1999/REC-xslt-19991116";
    let base64 = "http://www.w3.org/2000/09/xmldsig#base64";
    let filter = "http://www.w3.org/2002/06/xmldsig-filter2";
    let inclusive = "<InclusiveNamespaces xmlns=\"http://www.w3.org/2001/10/xml-exc-c14n#\" \
                     PrefixList=\"z\"></InclusiveNamespaces>";
    let rows = [
        (String::new(), "signature-transforms"),
        (c14n.clone(), "signature-algorithm"),
        (format!("{c14n}{enveloped}"), "signature-algorithm"),
        (format!("{enveloped}{enveloped}"), "signature-algorithm"),
        (format!("{enveloped}{c14n}{c14n}"), "signature-transforms"),
        (
            format!("{enveloped}{}", transform(xslt)),
            "signature-algorithm",
        ),
        (
            format!("{enveloped}{}", transform(xpath)),
            "signature-algorithm",
        ),
        (
            format!("{enveloped}{}", transform(filter)),
            "signature-algorithm",
        ),
        (
            format!("{enveloped}{}", transform(base64)),
            "signature-algorithm",
        ),
        (
            format!(
                "{enveloped}<Transform Algorithm=\"{}\">{inclusive}</Transform>",
                C14n::Exclusive10.uri()
            ),
            "signature-malformed",
        ),
        (
            format!("<Transform Algorithm=\"{ENVELOPED}\"><XPath>x</XPath></Transform>{c14n}"),
            "signature-malformed",
        ),
        (format!("{enveloped}text{c14n}"), "signature-malformed"),
        (
            enveloped.replace("Transform", "Transforn"),
            "signature-malformed",
        ),
    ];
    for (transforms, want) in rows {
        let claims = Claims {
            transforms: transforms.clone(),
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            want,
            "{transforms}"
        );
    }
}

#[test]
fn the_one_reference_is_to_the_whole_document() {
    for uri in [
        "#x",
        "#xpointer(/)",
        "https://rivers.example/",
        " ",
        "signed.xml",
    ] {
        let claims = Claims {
            uri: uri.to_owned(),
            ..Claims::default()
        };
        assert_eq!(
            code(&forge(&unsigned(), &claims), &RSA),
            "signature-reference",
            "{uri}"
        );
    }
    let whole = forge(&unsigned(), &Claims::default());
    let start = whole.find("<Reference").expect("a reference");
    let end = whole.find("</SignedInfo>").expect("an end");
    let reference = &whole[start..end];
    let inside = &whole[whole.find("<SignedInfo>").expect("it") + 12..end];
    for (with, want) in [
        (format!("{inside}{reference}"), "signature-reference"),
        (inside.replace(reference, ""), "signature-malformed"),
        (inside.replace(" URI=\"\"", ""), "signature-malformed"),
        (
            inside.replace("URI=\"\"", "URI=\"\" Type=\"http://x.example/\""),
            "signature-malformed",
        ),
        (
            inside.replace("<Reference", "<Reference xml:base=\"x\""),
            "signature-malformed",
        ),
        (
            inside.replace("<DigestValue>", "<DigestValue xml:lang=\"en\">"),
            "signature-malformed",
        ),
    ] {
        assert_eq!(code(&wrap(&unsigned(), &with), &RSA), want, "{with}");
    }
    let with_id = inside.replace("<Reference URI=\"\"", "<Reference Id=\"a\" URI=\"\"");
    assert_eq!(code(&wrap(&unsigned(), &with_id), &RSA), "verified");
}

#[test]
fn a_signature_stands_once_and_last() {
    let whole = signed();
    let start = whole.find("<Signature ").expect("it");
    let end = whole.find("</alert>").expect("it");
    let signature = &whole[start..end];
    let bare = whole.replace(signature, "");
    let before = |tag: &str| bare.replacen(tag, &format!("{signature}{tag}"), 1);
    let inside_info = bare.replacen("</info>", &format!("{signature}</info>"), 1);
    let nested = whole.replacen("</KeyInfo>", &format!("{signature}</KeyInfo>"), 1);
    let rows = [
        (bare.clone(), "unsigned"),
        (
            whole.replace("</alert>", &format!("{signature}</alert>")),
            "several-signatures",
        ),
        (nested, "several-signatures"),
        (before("<info>"), "signature-place"),
        (before("<identifier>"), "document"),
        (inside_info, "document"),
        // The wrapping attacks: the signed document inside one that says something else.
        (
            format!("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">{whole}</alert>"),
            "document",
        ),
        (
            whole.replacen("<KeyInfo>", &format!("<Object>{bare}</Object><KeyInfo>"), 1),
            "signature-malformed",
        ),
        (
            whole.replacen(
                "</Signature>",
                &format!("<Object>{bare}</Object></Signature>"),
                1,
            ),
            "signature-malformed",
        ),
        (
            whole.replacen("<KeyInfo>", "<KeyInfo/><KeyInfo>", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<SignatureValue>", "<SignatureValue/><SignatureValue>", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<SignedInfo>", "<SignedInfo/><SignedInfo>", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<SignedInfo>", "<SignedInfo><!-- x -->", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<SignedInfo>", "stray<SignedInfo>", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<Signature ", "<Signature xml:lang=\"en\" ", 1),
            "signature-malformed",
        ),
        (
            whole.replacen("<Signature ", "<Signature Id=\"NAADS Signature\" ", 1),
            "verified",
        ),
    ];
    for (document, want) in rows {
        assert_eq!(code(&document, &RSA), want, "{document}");
    }
}

#[test]
fn what_canonicalisation_drops_changes_nothing_that_is_read() {
    let whole = signed();
    let was = verify(whole.as_bytes(), &RSA.certificates()).expect("it verifies");
    let rows = [
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{whole}\n"),
        format!("\u{FEFF}{whole}<!-- after -->"),
        whole.replace("<status>", "<status ><!-- x -->"),
        whole.replace("Actual", "<![CDATA[Act]]>ual"),
        whole.replace("Actual", "&#65;ctual"),
        whole.replace("URI=\"\"", "URI = ''"),
        whole.replace("</SignatureValue>", "\n </SignatureValue>"),
    ];
    for document in rows {
        let is = verify(document.as_bytes(), &RSA.certificates());
        let is = is.unwrap_or_else(|refusal| panic!("{refusal}: {document}"));
        let unsigned = |mut alert: balefire_cap::alert::Alert| {
            alert.signatures.clear();
            alert
        };
        assert_eq!(
            unsigned(is.document.alert),
            unsigned(was.document.alert.clone())
        );
    }
    for document in [
        format!("<?xml version=\"1.1\"?>{whole}"),
        format!("<!DOCTYPE alert>{whole}"),
        format!("<?xml-stylesheet href=\"x\"?>{whole}"),
        whole.replacen("<alert ", "<alert xmlns:unused=\"urn:x:u\" ", 1),
    ] {
        assert!(
            verify(document.as_bytes(), &RSA.certificates()).is_err(),
            "{document}"
        );
    }
}

#[test]
fn what_is_verified_is_what_is_parsed_in_every_encoding() {
    let signed_over = |name: &str| {
        let mut alert = alert(ALERT);
        name.clone_into(alert.infos[0].headline.get_or_insert_default());
        let signed = RSA.signer().sign_cap(&alert).expect("it is signed");
        String::from_utf8(signed).expect("UTF-8")
    };
    let declared = |name: &str, bytes: Vec<u8>| {
        let declaration = format!("<?xml version='1.0' encoding='{name}'?>");
        [declaration.into_bytes(), bytes].concat()
    };
    let latin_1 = |text: &str| -> Vec<u8> {
        let byte = |c| u8::try_from(c).expect("a character of ISO-8859-1");
        text.chars().map(byte).collect()
    };
    let (e, twice) = (signed_over("é"), signed_over("Ã©"));
    // The document, and the headline that is verified and read; none: it is refused.
    let rows = [
        (e.clone().into_bytes(), Some("é")),
        (declared("ISO-8859-1", latin_1(&e)), Some("é")),
        (declared("iso-8859-1", latin_1(&twice)), Some("Ã©")),
        // The very bytes of the first, which say something else under this declaration.
        (declared("ISO-8859-1", e.clone().into_bytes()), None),
        (declared("UTF-8", latin_1(&twice)), None),
    ];
    for (document, want) in rows {
        let ours = verify(&document, &RSA.certificates());
        let theirs = xmlsec1(&document, &RSA.certificate_pem).status.success();
        let shown = String::from_utf8_lossy(&document);
        assert_eq!(theirs, want.is_some(), "xmlsec1: {shown}");
        match (ours, want) {
            (Ok(is), Some(want)) => {
                let headline = is.document.alert.infos[0].headline.as_deref();
                assert_eq!(headline, Some(want));
            }
            (Err(refusal), None) => assert_eq!(refusal.code(), "signature-digest", "{shown}"),
            (ours, _) => panic!("{ours:?}: {shown}"),
        }
    }
}

#[test]
fn base64_is_taken_in_its_one_spelling_only() {
    let whole = signed();
    for element in ["SignatureValue", "DigestValue", "X509Certificate"] {
        let start = whole.find(&format!("<{element}>")).expect("it") + element.len() + 2;
        let end = start + whole[start..].find('<').expect("its end");
        let value = &whole[start..end];
        let put = |new: &str| format!("{}{new}{}", &whole[..start], &whole[end..]);
        let spoilt = [
            value.trim_end_matches('=').to_owned(),
            format!("{value}="),
            format!("{value}AAAA="),
            format!("\u{A0}{value}"),
            format!("{value}."),
            value.replacen(|c: char| c.is_ascii_alphanumeric(), "-", 1),
            format!("<!-- -->{value}"),
        ];
        for spelling in spoilt.iter().chain(&other_padding_bits(value)) {
            if spelling == value {
                continue;
            }
            let is = code(&put(spelling), &RSA);
            let want = ["signature-base64", "signature-malformed"];
            assert!(want.contains(&is), "{element}: {is} for {spelling}");
        }
    }
}

/// The same bytes with other unused bits in the last character, where there are such bits.
fn other_padding_bits(value: &str) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = value.trim_end_matches('=');
    let unused = [0, 2, 4][value.len() - digits.len()];
    let last = *digits.as_bytes().last().expect("it is not empty");
    let at = ALPHABET.iter().position(|b| *b == last).expect("base64");
    let head = &digits[..digits.len() - 1];
    let tail = &value[digits.len()..];
    (1..1_usize << unused)
        .map(|bits| format!("{head}{}{tail}", char::from(ALPHABET[at | bits])))
        .collect()
}

#[test]
fn only_a_trusted_key_counts_whatever_the_signature_brings_along() {
    let whole = signed();
    assert_eq!(code(&whole, &RSA), "verified");
    assert_eq!(code(&whole, &P256), "signature-chain");
    assert_eq!(code(&whole, &OTHER_RSA), "signature-chain");
    assert!(verify(whole.as_bytes(), &[]).is_err());
    let strange = OTHER_RSA
        .signer()
        .sign_cap(&alert(ALERT))
        .expect("it is signed");
    let strange = String::from_utf8(strange).expect("UTF-8");
    assert_eq!(code(&strange, &RSA), "signature-chain");
    // The trusted certificate beside a stranger's signature.
    let key_info = |document: &str| {
        let (_, after) = document.split_once("<KeyInfo>").expect("it");
        after.split_once("</KeyInfo>").expect("it").0.to_owned()
    };
    let borrowed = strange.replace(&key_info(&strange), &key_info(&whole));
    assert_eq!(code(&borrowed, &RSA), "signature-untrusted");
    // Without KeyInfo, and with a stranger's, the pinned key alone decides.
    let bare = whole.replace(&format!("<KeyInfo>{}</KeyInfo>", key_info(&whole)), "");
    assert_eq!(code(&bare, &RSA), "verified");
    let other = whole.replace(&key_info(&whole), &key_info(&strange));
    assert_eq!(code(&other, &RSA), "verified");
}

#[test]
fn sent_lies_within_the_validity_of_the_certificate() {
    let mut message = alert(ALERT);
    let rows = [
        ("2026-01-01T00:00:00-00:00", true),
        ("2028-01-01T00:00:00-00:00", true),
        ("2025-12-31T23:59:59-00:00", false),
        ("2028-01-01T00:00:01-00:00", false),
        ("2028-01-01T00:30:00+01:00", true),
    ];
    for (sent, want) in rows {
        message.sent = balefire_cap::DateTime::parse(sent).expect("a date");
        let body = String::from_utf8(balefire_cap::write(&message)).expect("UTF-8");
        let is = verify(
            forge(&body, &Claims::default()).as_bytes(),
            &RSA.certificates(),
        );
        assert_eq!(is.is_ok(), want, "{sent}");
        if let Err(refusal) = is {
            assert!(matches!(refusal, Refusal::NotValid { .. }), "{refusal}");
        }
    }
}
