//! Damage for documents: the kinds of mistakes that senders make, and those that attackers make.

use roxmltree::Node;

/// A small generator of numbers (xorshift), so that every run sees the same documents.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below a usize")
    }

    pub fn one_of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// A value for an element: mostly one of its kind, right or nearly right.
fn value(name: &str, dice: &mut Dice) -> Tree {
    let pools: [&[&'static str]; 5] = [&WORDS, &DATES, &LANGUAGES, &NUMBERS, &ADDRESSES];
    let kind = match name {
        "sent" | "effective" | "onset" | "expires" => 1,
        "language" => 2,
        "size" | "altitude" | "ceiling" => 3,
        "web" | "uri" => 4,
        _ => 0,
    };
    let kind = if dice.below(4) == 0 {
        dice.below(pools.len())
    } else {
        kind
    };
    Tree::Text(dice.one_of(pools[kind]).to_owned())
}

/// A document that can be changed and written.
#[derive(Clone)]
pub enum Tree {
    Element {
        name: String,
        attributes: String,
        children: Vec<Tree>,
    },
    /// Source text: references, CDATA and comments stand in it as they are.
    Text(String),
}

const CAP: &str = "urn:oasis:names:tc:emergency:cap:1.2";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

const NAMES: [&str; 46] = [
    "alert",
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "source",
    "scope",
    "restriction",
    "addresses",
    "code",
    "note",
    "references",
    "incidents",
    "info",
    "language",
    "category",
    "event",
    "responseType",
    "urgency",
    "severity",
    "certainty",
    "audience",
    "eventCode",
    "effective",
    "onset",
    "expires",
    "senderName",
    "headline",
    "description",
    "instruction",
    "web",
    "contact",
    "parameter",
    "resource",
    "resourceDesc",
    "mimeType",
    "size",
    "uri",
    "area",
    "areaDesc",
    "polygon",
    "geocode",
    "altitude",
    "valueName",
    "other",
];

const WORDS: [&str; 20] = [
    "",
    " ",
    "x",
    "Actual",
    "actual",
    " Actual",
    "Actual ",
    "Act<!-- -->ual",
    "<![CDATA[Actual]]>",
    "Test",
    "Alert",
    "Update",
    "Public",
    "Very Likely",
    "Likely",
    "Met",
    "CBRNE",
    "None",
    "AllClear",
    "Unknown",
];

const DATES: [&str; 24] = [
    "2026-11-23T04:09:03-00:00",
    "2026-11-23T04:09:03+00:00",
    " 2026-11-23T04:09:03-00:00\n",
    "2026-11-23T04:09:03Z",
    "2026-11-23T04:09:03",
    "2026-11-23T04:09:03,00:00",
    "2026-11-23T04:09:03.5-00:00",
    "2026-13-23T04:09:03-00:00",
    "2026-02-30T04:09:03-00:00",
    "2024-02-29T04:09:03-00:00",
    "1900-02-29T04:09:03-00:00",
    "2026-11-23T24:00:00-00:00",
    "2026-11-23T24:00:01-00:00",
    "2026-11-23T29:00:00-00:00",
    "2026-11-23T04:60:03-00:00",
    "2026-11-23T04:09:60-00:00",
    "2026-11-23T04:09:03-14:00",
    "2026-11-23T04:09:03+14:01",
    "2026-11-23T04:09:03-99:99",
    "2026-11-23T04:09:03+13:60",
    "0000-11-23T04:09:03-00:00",
    "-2026-11-23T04:09:03-00:00",
    "12026-11-23T04:09:03-00:00",
    "2026-11-23 04:09:03-00:00",
];

const LANGUAGES: [&str; 13] = [
    "en",
    "en-GB",
    "en_GB",
    "i-klingon",
    "x-a",
    "123",
    "en-",
    "abcdefghi",
    "en-abcdefgh",
    " cy ",
    "<![CDATA[]]>",
    "<!-- -->",
    "&#32;",
];

const NUMBERS: [&str; 21] = [
    "111111111111111111111111.",
    "1",
    "+1",
    "-1",
    "01",
    "1.0",
    "1.",
    ".5",
    "-.5",
    ".",
    "1e5",
    "NaN",
    "INF",
    "1 1",
    "111111111111111111111111",
    "1111111111111111111111111",
    "0.111111111111111111111111",
    "1.000000000000000000000000",
    "0000000000000000000000000000001",
    "+",
    "-",
];

const ADDRESSES: [&str; 21] = [
    "http://a",
    "http://a b/",
    "%zz",
    "%41",
    "#a#b",
    "::",
    "a:b",
    ":a",
    "1a:b",
    "http://[::1]:8/",
    "http://[::1",
    "http://a:",
    "http://a:8x",
    "mailto:x@y",
    "http://u@h@i",
    "[x]",
    "?[",
    "#[",
    "é",
    "&lt;b&gt;",
    "https://\u{e9}.example/?q#f",
];

const ATTRIBUTES: [&str; 15] = [
    " a='b'",
    " xml:lang='en'",
    " xml:space='preserve'",
    " id='x'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='a b'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:noNamespaceSchemaLocation='a'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='false'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:other='true'",
    " xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:x='http://www.w3.org/2001/XMLSchema' i:type='x:string'",
    " xmlns:unused='urn:x'",
    " xmlns=''",
    " xmlns='http://www.w3.org/2000/09/xmldsig#'",
    " u:a='b' xmlns:u='urn:u'",
    " u:xmlns='urn:oasis:names:tc:emergency:cap:1.2' xmlns:u='urn:u'",
];

const PIECES: [&str; 24] = [
    "<",
    ">",
    "&",
    "&amp;",
    "&#65;",
    "&#0;",
    "&#xD800;",
    "&nbsp;",
    "]]>",
    "<!--",
    "-->",
    "<!-- -->",
    "<![CDATA[",
    "<![CDATA[ ]]>",
    "<?pi x?>",
    "</info>",
    "<info>",
    "'",
    "\"",
    "\u{1}",
    "\u{fffe}",
    "<x:y/>",
    "\r\n",
    "<!DOCTYPE alert>",
];

impl Tree {
    /// Reads a document; comments are dropped, signatures keep their shape.
    pub fn parse(text: &str) -> Self {
        let tree = roxmltree::Document::parse(text).expect("the base documents are XML");
        Self::from_node(tree.root_element(), "")
    }

    fn from_node(node: Node<'_, '_>, inherited: &str) -> Self {
        let namespace = node.tag_name().namespace().unwrap_or_default();
        let attributes = if namespace == inherited {
            String::new()
        } else {
            format!(" xmlns='{namespace}'")
        };
        let children = node.children().filter_map(|child| {
            if child.is_element() {
                Some(Self::from_node(child, namespace))
            } else {
                child
                    .text()
                    .filter(|_| child.is_text())
                    .map(|text| Self::Text(escape(text)))
            }
        });
        let name = node.tag_name().name().to_owned();
        Self::Element {
            name,
            attributes,
            children: children.collect(),
        }
    }

    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Element {
                name,
                attributes,
                children,
            } => {
                let inner: String = children.iter().map(Self::to_text).collect();
                format!("<{name}{attributes}>{inner}</{name}>")
            }
        }
    }

    /// One change somewhere.
    pub fn damage(&mut self, dice: &mut Dice) {
        let count = self.count_elements();
        let mut number = dice.below(count);
        if let Some(target) = self.element(&mut number) {
            target.change(dice);
        }
    }

    fn count_elements(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::Element { children, .. } => {
                1 + children.iter().map(Self::count_elements).sum::<usize>()
            }
        }
    }

    /// The element with this number in the order of the document.
    fn element(&mut self, number: &mut usize) -> Option<&mut Self> {
        let Self::Element { .. } = self else {
            return None;
        };
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        let Self::Element { children, .. } = self else {
            return None;
        };
        children.iter_mut().find_map(|child| child.element(number))
    }

    fn change(&mut self, dice: &mut Dice) {
        let Self::Element {
            name,
            attributes,
            children,
        } = self
        else {
            return;
        };
        let at = dice.below(children.len() + 1);
        match dice.below(14) {
            0..=4 if children.iter().all(|child| matches!(child, Self::Text(_))) => {
                *children = vec![value(name, dice)];
            }
            0 | 5 if at < children.len() => {
                children.remove(at);
            }
            1 | 6 if at < children.len() => {
                let copy = children[at].clone();
                children.insert(at, copy);
            }
            2 | 7 if children.len() > 1 => {
                let other = dice.below(children.len());
                children.swap(at.min(other), other);
            }
            3 | 8 => {
                let name = dice.one_of(&NAMES).to_owned();
                let children_of_it = vec![value(&name, dice)];
                let moved = Self::Element {
                    name,
                    attributes: String::new(),
                    children: children_of_it,
                };
                children.insert(at, moved);
            }
            4 | 9 => dice.one_of(&NAMES).clone_into(name),
            10 => *attributes = format!("{attributes}{}", dice.one_of(&ATTRIBUTES)),
            11 => children.insert(at, value("", dice)),
            12 => children.push(signature(dice)),
            _ => {
                children.clear();
            }
        }
    }
}

/// An element in the namespace of signatures, with something inside.
fn signature(dice: &mut Dice) -> Tree {
    let inside = [
        String::new(),
        "text<a xmlns='' b='c'/>".to_owned(),
        format!("<value xmlns='{CAP}'>x</value>"),
        format!("<value xmlns='{CAP}'><b/></value>"),
        format!("<value xmlns='{CAP}' a='b'/>"),
        format!("<info xmlns='{CAP}'>x</info>"),
        format!("<alert xmlns='{CAP}'/>"),
        format!("<a><valueName xmlns='{CAP}'/><![CDATA[]]></a>"),
    ];
    Tree::Element {
        name: "Signature".to_owned(),
        attributes: format!(" xmlns='{DSIG}'"),
        children: vec![Tree::Text(inside[dice.below(inside.len())].clone())],
    }
}

/// A change that knows nothing of elements.
pub fn damage_text(text: &mut String, dice: &mut Dice) {
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = dice.below(boundaries.len());
    match dice.below(4) {
        0 => {
            text.remove(boundaries[at]);
        }
        1 => {
            let declaration = [
                "<?xml version='1.0'?>",
                "<?xml version=\"1.0\" encoding='utf-8' standalone='yes' ?>\n",
                "<?xml version='1.1'?>",
                "<?xml version='1.0' encoding='us-ascii'?>",
                "<?xml encoding='utf-8'?>",
                "\u{feff}",
                "\u{feff}\u{feff}",
                "<!-- a -->\n",
                "\n<?xml version='1.0'?>",
                "<!DOCTYPE alert>",
                "<?style a?>",
                "x",
            ];
            text.insert_str(0, dice.one_of(&declaration));
        }
        2 => {
            let end = boundaries
                .get(at + dice.below(30))
                .copied()
                .unwrap_or(text.len());
            text.replace_range(boundaries[at]..end, "");
        }
        _ => text.insert_str(boundaries[at], dice.one_of(&PIECES)),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
