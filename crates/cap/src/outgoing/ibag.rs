//! IBAG 1.0, the interface of one maker's centres. It is close to the US interface C (J-STD-101):
//! messages are known by a number, and the signature stands in an element of its own at the end.
//!
//! The element is written empty; a signature is made over the document with the empty element and
//! then put into it.

use balefire_domain::channel::Channel;
use balefire_domain::time::Timestamp;

use super::{Body, Content, Earlier, Message, Sender, Unwritable, area_name, polygon};
use crate::canonical::Canonical;

/// The namespace of IBAG 1.0.
const NAMESPACE: &str = "ibag:1.0";
/// The root of every IBAG document.
const ROOT: &str = "IBAG_Alert_Attributes";
/// The element that ends a document and takes its signature.
pub(crate) const SIGNATURE_PLACE: &str = "IBAG_Digital_Signature";

impl Message {
    /// The message as an IBAG 1.0 document in canonical form, with an empty place for its
    /// signature.
    pub fn to_ibag(&self, sender: &Sender<'_>, now: Timestamp) -> Result<Vec<u8>, Unwritable> {
        self.check(sender)?;
        let number = self.message_number.as_deref();
        let number = number.ok_or(Unwritable::NoMessageNumber)?;
        let sent = self.sent.unwrap_or(now).to_cap();
        let (word, content, earlier) = match &self.body {
            Body::Alert(content) => ("Alert", Some(content), None),
            Body::Update(content, earlier) => ("Update", Some(content), earlier.last()),
            Body::Cancel(earlier) => ("Cancel", None, earlier.last()),
            Body::Test => ("Link Test", None, None),
        };
        let mut xml = Canonical::begin(ROOT, NAMESPACE);
        xml.element("IBAG_protocol_version", "1.0");
        xml.element("IBAG_sending_gateway_id", sender.sender);
        xml.element("IBAG_message_number", number);
        if let Some(earlier) = earlier {
            write_reference(&mut xml, earlier)?;
        }
        if self.body == Body::Test {
            xml.element("IBAG_sent_date_time", &sent);
            xml.element("IBAG_status", "System");
            xml.element("IBAG_message_type", word);
        } else {
            xml.element("IBAG_sender", sender.sender);
            xml.element("IBAG_sent_date_time", &sent);
            xml.element("IBAG_status", "Actual");
            xml.element("IBAG_message_type", word);
            xml.element("IBAG_cap_alert_uri", sender.public_page);
            xml.element("IBAG_cap_identifier", &self.identifier);
            xml.element("IBAG_cap_sent_date_time", &sent);
        }
        if let Some(content) = content {
            let [(language, text)] = &content.texts[..] else {
                return Err(Unwritable::SecondLanguage);
            };
            write_info(&mut xml, content, language, text);
        }
        xml.element(SIGNATURE_PLACE, "");
        Ok(xml.end(ROOT))
    }
}

/// The latest earlier message: IBAG has room for one.
fn write_reference(xml: &mut Canonical, earlier: &Earlier) -> Result<(), Unwritable> {
    let number = earlier.message_number.as_deref();
    let number = number.ok_or(Unwritable::NoMessageNumber)?;
    xml.element("IBAG_referenced_message_number", number);
    xml.element(
        "IBAG_referenced_message_cap_identifier",
        &earlier.identifier,
    );
    Ok(())
}

/// What the public is told; IBAG has room for one language.
fn write_info(xml: &mut Canonical, content: &Content, language: &str, text: &str) {
    xml.open("IBAG_alert_info");
    xml.element("IBAG_category", "Safety");
    xml.element("IBAG_event_code", "LAE");
    xml.element("IBAG_severity", "Severe");
    xml.element("IBAG_urgency", "Expected");
    xml.element("IBAG_certainty", "Likely");
    xml.element("IBAG_expires_date_time", &content.expires.to_cap());
    xml.element("IBAG_text_language", language);
    // Octets of UTF-8, not characters.
    xml.element("IBAG_text_alert_message_length", &text.len().to_string());
    xml.element("IBAG_text_alert_message", text);
    xml.element("IBAG_channel_category", category(content.channel));
    for (index, ring) in content.polygons.iter().enumerate() {
        xml.open("IBAG_Alert_Area");
        xml.element("IBAG_area_description", &area_name(index));
        xml.element("IBAG_polygon", &polygon(ring));
        xml.close("IBAG_Alert_Area");
    }
    xml.close("IBAG_alert_info");
}

/// The category by which a centre knows the channel, with its message identifier in front.
fn category(channel: Channel) -> &'static str {
    match channel {
        Channel::Operator => "4382-CAT7-ENGLISH",
        Channel::Test => "4380-CAT5-ENGLISH",
        Channel::Severe => "4378-CAT3-ENGLISH",
        Channel::Government => "4370-CAT1-ENGLISH",
    }
}
