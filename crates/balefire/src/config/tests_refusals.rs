//! What a refusal says: the key and where it stands, in plain words, and never what stands there.

use super::keys::CONFIGURATION;
use super::parse;
use super::shape::Shape;

/// What must never be printed.
const SECRET: &str = "SECRETVALUE";
/// Words of a parser's or a deserializer's, which no reader knows.
const JARGON: [&str; 9] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "expected a",
    "u64",
    "u32",
    "variant",
    "missing field",
    "unknown field",
];

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let error = parse(text, variables).expect_err(text);
    let shown = format!("{error:#}\n{error:?}");
    assert!(!shown.contains(SECRET), "it shows a value: {shown}");
    for word in JARGON {
        assert!(!shown.contains(word), "`{word}` is no plain word: {shown}");
    }
    shown
}

/// Every key that holds no others, with the tables that lead to it.
fn leaves(shape: Shape, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Shape)>) {
    let inner = |name: &str, shape: Shape, path: &mut Vec<String>, found: &mut Vec<_>| {
        path.push(name.to_owned());
        leaves(shape, path, found);
        path.pop();
    };
    match shape {
        Shape::Section { keys, .. } => {
            for (key, shape) in keys {
                inner(key, *shape, path, found);
            }
        }
        Shape::Named(shape) => inner("somebody", *shape, path, found),
        // Its items are keys of a kind of their own, tried below.
        Shape::Sections(_) => {}
        leaf => found.push((path.clone(), leaf)),
    }
}

fn every_leaf() -> Vec<(Vec<String>, Shape)> {
    let mut found = Vec::new();
    leaves(CONFIGURATION, &mut Vec::new(), &mut found);
    found
}

/// A file of three lines whose third sets the key.
fn file(path: &[String], value: &str) -> String {
    let (key, section) = path.split_last().expect("a key");
    let section = section.join(".");
    match section.as_str() {
        "" => format!("\n\n{key} = {value}\n"),
        section => format!("\n[{section}]\n{key} = {value}\n"),
    }
}

/// Texts in TOML of values that do not fit.
fn misfits(shape: Shape) -> Vec<String> {
    let text = format!("\"{SECRET}\"");
    let mut misfits = vec![
        format!("{{ {} = {text} }}", "a"),
        format!("[{text}, 1]"),
        format!("[[{text}]]"),
        "1979-05-27".to_owned(),
    ];
    match shape {
        Shape::Text | Shape::TextThat { .. } => misfits.extend(["7".into(), "true".into()]),
        Shape::Word(_) => misfits.extend([text, "7".into()]),
        Shape::Flag => misfits.extend([text, "1".into(), "\"true\"".into()]),
        Shape::Count(_) => misfits.extend([text, "-1".into(), "1.5".into(), "true".into()]),
        Shape::List(_) | Shape::Named(_) | Shape::Section { .. } | Shape::Sections(_) => {
            misfits.extend([text, "7".into()]);
        }
    }
    misfits
}

#[test]
fn every_key_that_holds_the_wrong_thing_is_named_with_its_line_and_shown_by_no_word_of_it() {
    let leaves = every_leaf();
    assert!(leaves.len() > 40, "the walk found only {}", leaves.len());
    for (path, shape) in leaves {
        for value in misfits(shape) {
            let text = file(&path, &value);
            let shown = refusal(&text, &[]);
            let key = path.join(".");
            assert!(shown.contains(&key), "{text} should name {key}: {shown}");
            assert!(shown.contains("(line 3)"), "{text}: {shown}");
            assert!(shown.contains("must be"), "{text}: {shown}");
        }
    }
}

#[test]
fn every_key_takes_from_the_file_and_the_environment_what_it_says_it_takes() {
    for (path, shape) in every_leaf() {
        let value = match shape {
            Shape::Text | Shape::TextThat { .. } => "\"a\"".to_owned(),
            Shape::Word(words) => format!("\"{}\"", words[0]),
            Shape::Flag => "true".to_owned(),
            Shape::Count(max) => max.to_string(),
            _ => "[\"a\"]".to_owned(),
        };
        let text = file(&path, &value);
        parse(&text, std::iter::empty()).expect(&text);
        let name = format!("BALEFIRE__{}", path.join("__").to_uppercase());
        parse("", std::iter::once((name.clone(), value))).expect(&name);
    }
}

#[test]
fn every_word_of_the_table_is_known_behind_it() {
    for (path, shape) in every_leaf() {
        let Shape::Word(words) = shape else { continue };
        for word in words {
            let text = file(&path, &format!("\"{word}\""));
            parse(&text, std::iter::empty()).expect(&text);
        }
    }
}

#[test]
fn a_secret_is_in_no_refusal_of_a_file() {
    // the file, what must be named
    let cases = [
        (
            "[clients]\nnotify-admin = \"SECRETVALUE\"\n",
            "clients.notify-admin (line 2)",
        ),
        (
            "[clients]\na = [\"x\", 7]\n",
            "clients.a[2] (line 2) must be a text",
        ),
        ("clients = \"SECRETVALUE\"\n", "clients (line 1)"),
        ("[tickets]\nkey = \"SECRETVALUE\" oops\n", "line 2"),
        ("[tickets]\n\nkey = SECRETVALUE\n", "line 3"),
        ("[tickets]\nkey = \"SECRETVALUE\n", "line 2"),
        ("key = \"\"\"SECRETVALUE\n\n", "line"),
        (
            "[pages]\nrouting_key = 'a'\nrouting_key = 'SECRETVALUE'\n",
            "line 3",
        ),
        (
            "[database]\nurl = [\"SECRETVALUE\"]\n",
            "database.url (line 2)",
        ),
        (
            "[database]\nuri = \"SECRETVALUE\"\n",
            "database.uri (line 2)",
        ),
        ("provider = \"SECRETVALUE\"\n", "provider (line 1)"),
        (
            "\n[[provider]]\nname = \"SECRETVALUE\"\n",
            "provider[1].name (line 3)",
        ),
        (
            "\n[[provider]]\nname = \"ee\"\n",
            "provider[1] (line 2) lacks the key format",
        ),
        (
            "[[provider]]\nname = \"ee\"\nformat = \"cap\"\nroutes = [{ proxy = 7 }]\n",
            "provider[1].routes[1].proxy (line 4)",
        ),
        (
            "[[provider]]\nname = \"ee\"\nformat = \"cap\"\n\
             routes = [{ proxy = \"a\", site = \"SECRETVALUE\" }]\n",
            "site (line 4) must be one of \"cbc_a\", \"cbc_b\"",
        ),
        (
            "[http]\nrequests_per_minute_per_key = 4294967296\n",
            "from 0 to 4294967295",
        ),
    ];
    for (text, wanted) in cases {
        let shown = refusal(text, &[]);
        assert!(shown.contains(wanted), "{text}: {shown}");
    }
}

#[test]
fn a_secret_is_in_no_refusal_of_a_variable() {
    let cases = [
        ("BALEFIRE__CLIENTS", "SECRETVALUE"),
        ("BALEFIRE__CLIENTS__NOTIFY_ADMIN", "SECRETVALUE"),
        ("BALEFIRE__CLIENTS__NOTIFY_ADMIN", "[\"SECRETVALUE\""),
        ("BALEFIRE__TICKETS", "SECRETVALUE"),
        ("BALEFIRE__TICKETS__KYE", "SECRETVALUE"),
        ("BALEFIRE__TICKETS__KEY__MORE", "SECRETVALUE"),
        ("BALEFIRE__CBC__ENABLED", "SECRETVALUE"),
        ("BALEFIRE__DISPATCH__EARLY_MINUTES", "SECRETVALUE"),
        ("BALEFIRE__ENVIRONMENT", "SECRETVALUE"),
        ("BALEFIRE__PROVIDER", "[{ name = \"SECRETVALUE\" }]"),
    ];
    for (name, value) in cases {
        let shown = refusal("", &[(name, value)]);
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

#[test]
fn a_text_in_a_variable_needs_no_quotes_whatever_it_looks_like() {
    let key = |text: &str| {
        let variable = ("BALEFIRE__TICKETS__KEY".to_owned(), text.to_owned());
        let config = parse("", std::iter::once(variable)).expect("read");
        config.tickets.key.expect("set").reveal().to_owned()
    };
    assert_eq!(key("12345678"), "12345678");
    assert_eq!(key("true"), "true");
    assert_eq!(key("[\"x\"]"), "[\"x\"]");
    assert_eq!(key("\"quoted\""), "quoted");
}
