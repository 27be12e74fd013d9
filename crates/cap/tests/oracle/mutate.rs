//! Damage for documents: the kinds of mistakes that senders make, and those that attackers make.

use roxmltree::Node;

#[path = "pools.rs"]
mod pools;
use pools::{ADDRESSES, ATTRIBUTES, DATES, LANGUAGES, NAMES, NUMBERS, PIECES, SCRAPS, WORDS};

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

/// What an element's value is: a date, a language, a number, an address (1 to 4), or words.
fn kind_of(name: &str) -> usize {
    match name {
        "sent" | "effective" | "onset" | "expires" => 1,
        "language" => 2,
        "size" | "altitude" | "ceiling" => 3,
        "web" | "uri" => 4,
        _ => 0,
    }
}

/// A value for an element: mostly one of its kind, right or nearly right.
fn value(name: &str, dice: &mut Dice) -> Tree {
    let pools: [&[&'static str]; 5] = [WORDS, DATES, LANGUAGES, NUMBERS, ADDRESSES];
    let kind = kind_of(name);
    let kind = if dice.below(4) == 0 {
        dice.below(pools.len())
    } else {
        kind
    };
    let mut text = dice.one_of(pools[kind]).to_owned();
    for _ in 0..dice.below(6).saturating_sub(3) {
        text = scrambled(&text, dice);
    }
    Tree::Text(text)
}

/// The source text of a value with one of its characters replaced, or something put between them.
/// What is a reference, a comment or CDATA stays whole, so that the document stays XML.
fn scrambled(text: &str, dice: &mut Dice) -> String {
    let mut units: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match rest {
            _ if rest.starts_with("<![CDATA[") => rest.find("]]>").map(|at| at + 3),
            _ if rest.starts_with("<!--") => rest.find("-->").map(|at| at + 3),
            _ if first == '&' => rest.find(';').map(|at| at + 1),
            _ => None,
        };
        let (unit, after) = rest.split_at(end.unwrap_or(first.len_utf8()));
        units.push(unit);
        rest = after;
    }
    let scrap = dice.one_of(SCRAPS);
    let at = dice.below(units.len() + 1);
    if at < units.len() && dice.below(2) == 0 {
        units[at] = scrap;
    } else {
        units.insert(at, scrap);
    }
    units.concat()
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

    /// The element inside another one: a copy of itself, or any that CAP knows.
    fn wrapped(&self, dice: &mut Dice) -> Self {
        let mut outer = self.clone();
        if let Self::Element { name, children, .. } = &mut outer {
            if dice.below(2) == 0 {
                dice.one_of(NAMES).clone_into(name);
                *children = vec![self.clone()];
            } else {
                children.insert(dice.below(children.len() + 1), self.clone());
            }
        }
        outer
    }

    /// The element under a prefix of its own, for CAP's namespace or for one that is wrong. Its
    /// children keep theirs.
    fn put_under_prefix(&mut self, dice: &mut Dice) {
        let Self::Element {
            name, attributes, ..
        } = self
        else {
            return;
        };
        let namespace = dice.one_of(&[CAP, CAP, CAP, DSIG, "urn:other", ""]);
        if !name.contains(':') {
            *attributes = format!("{attributes} xmlns:p='{namespace}'");
            *name = format!("p:{name}");
        }
    }

    /// One change somewhere.
    pub fn damage(&mut self, dice: &mut Dice) {
        let any = |_: &str| true;
        let mut number = dice.below(self.count_elements(any));
        if let Some(target) = self.element(&mut number, any) {
            target.change(dice);
        }
    }

    /// How many elements have such a name.
    fn count_elements(&self, fits: fn(&str) -> bool) -> usize {
        let Self::Element { name, children, .. } = self else {
            return 0;
        };
        let inside = children.iter().map(|child| child.count_elements(fits));
        usize::from(fits(name)) + inside.sum::<usize>()
    }

    /// The element with this number among those with such a name, in the order of the document.
    fn element(&mut self, number: &mut usize, fits: fn(&str) -> bool) -> Option<&mut Self> {
        let Self::Element { name, .. } = self else {
            return None;
        };
        if fits(name) {
            if *number == 0 {
                return Some(self);
            }
            *number -= 1;
        }
        let Self::Element { children, .. } = self else {
            return None;
        };
        let mut children = children.iter_mut();
        children.find_map(|child| child.element(number, fits))
    }

    /// Another value for one of the elements whose values are of a kind, and nothing else: a fault
    /// in judging values shows only where the rest of a document is in order.
    pub fn revalue(&mut self, dice: &mut Dice) {
        let is_of_a_kind = |name: &str| kind_of(name) > 0;
        let count = self.count_elements(is_of_a_kind);
        let mut number = dice.below(count.max(1));
        if let Some(Self::Element { name, children, .. }) = self.element(&mut number, is_of_a_kind)
        {
            let new = value(name, dice);
            *children = vec![match dice.below(4) {
                0 => Self::Text(dressed(&new.to_text(), dice)),
                _ => new,
            }];
        }
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
        let is_value = children.iter().all(|child| matches!(child, Self::Text(_)));
        match dice.below(18) {
            0..=2 if is_value => *children = vec![value(name, dice)],
            3 | 4 if is_value => {
                let text: String = children.iter().map(Self::to_text).collect();
                *children = vec![Self::Text(dressed(&text, dice))];
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
                let name = dice.one_of(NAMES).to_owned();
                let children_of_it = vec![value(&name, dice)];
                let moved = Self::Element {
                    name,
                    attributes: String::new(),
                    children: children_of_it,
                };
                children.insert(at, moved);
            }
            4 | 9 => dice.one_of(NAMES).clone_into(name),
            10 => *attributes = format!("{attributes}{}", dice.one_of(ATTRIBUTES)),
            11 => children.insert(at, value("", dice)),
            12 => children.push(signature(dice)),
            13 => children.insert(at, signature(dice)),
            14 => *self = self.wrapped(dice),
            15 => self.put_under_prefix(dice),
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

/// A value as other writers might write it: white space around it, in CDATA, split by a comment.
fn dressed(text: &str, dice: &mut Dice) -> String {
    let space = dice.one_of(&[
        " ", "\n    ", "\t", "\r\n", "&#9;", "&#xA;", "&#13;", "\u{a0}", "\u{2003}",
    ]);
    match dice.below(8) {
        0 => format!("{space}{text}"),
        1 => format!("{text}{space}"),
        2 => format!("{space}{text}{space}"),
        3 if !text.contains(['<', '&']) => format!("<![CDATA[{text}]]>"),
        4 => format!("<!-- a -->{text}<!-- b -->"),
        5 => format!("{space}<![CDATA[]]>{text}<![CDATA[ ]]>"),
        6 => text.chars().next().map_or_else(String::new, |first| {
            // A character written as its number, where it is no markup.
            if first == '<' || first == '&' {
                text.to_owned()
            } else {
                format!("&#{};{}", u32::from(first), &text[first.len_utf8()..])
            }
        }),
        _ => scrambled(text, dice),
    }
}

/// A change that knows nothing of elements.
pub fn damage_text(text: &mut String, dice: &mut Dice) {
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = dice.below(boundaries.len());
    match dice.below(5) {
        0 => {
            text.remove(boundaries[at]);
        }
        1 => {
            let declaration = [
                "<?xml version='1.0'?>",
                "<?xml version=\"1.0\" encoding='utf-8' standalone='yes' ?>\n",
                "<?xml version='1.0' encoding=\"utf-8\"?>\r\n",
                "<?xml version='1.0' standalone='no'?><!-- -->",
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
        3 => text.push_str(dice.one_of(&[
            "x",
            "\n<!-- -->\n",
            "<alert/>",
            "<?pi?>",
            "&#32;",
            "<![CDATA[]]>",
        ])),
        _ => text.insert_str(boundaries[at], dice.one_of(PIECES)),
    }
}

/// The text in another encoding than UTF-8, which its declaration names: what the encoding lacks is
/// written as its number, now and then wrongly as it is.
pub fn encode(text: &str, dice: &mut Dice) -> Vec<u8> {
    let (name, last) = match dice.below(3) {
        0 => (dice.one_of(&["US-ASCII", "us-ascii"]), '\x7F'),
        _ => (
            dice.one_of(&["ISO-8859-1", "iso-8859-1", "Iso-8859-1"]),
            '\u{FF}',
        ),
    };
    let quote = dice.one_of(&["'", "\""]);
    let mut bytes = format!("<?xml version='1.0' encoding={quote}{name}{quote}?>").into_bytes();
    let mut is_wrong = dice.below(4) == 0;
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(byte) if c <= last || std::mem::take(&mut is_wrong) => bytes.push(byte),
            _ => bytes.extend(format!("&#{};", u32::from(c)).bytes()),
        }
    }
    if dice.below(4) == 0 {
        // Any byte at all somewhere: each is a character of ISO-8859-1.
        let at = bytes.len() - dice.below(text.len());
        let byte = u8::try_from(dice.below(256)).expect("it is below 256");
        bytes.insert(at, byte);
    }
    bytes
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
