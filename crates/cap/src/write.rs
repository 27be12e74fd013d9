//! A typed message to bytes: the way back from [`read`](fn@crate::read).
//!
//! Promised: the bytes are canonical XML 1.1 as they stand, valid by the OASIS schema where the
//! message is one that `read` gives, and the same at every call; reading them again gives the same
//! message, byte for byte in every text, as long as the document stays within the size that `read`
//! takes (a `>` takes four bytes here).
//!
//! Deliberately not done: signatures are not written. They are about the bytes in which they stood,
//! not about these; the signature crate signs anew.

use crate::alert::{Alert, Area, Info, NamedValue, Resource};
use crate::canonical::Canonical;
use crate::date::DateTime;
use crate::structure::CAP_1_2;

/// Writes a message as a CAP 1.2 document in canonical form, UTF-8, without its signatures.
pub fn write(alert: &Alert) -> Vec<u8> {
    let mut xml = Canonical::begin("alert", CAP_1_2);
    xml.element("identifier", &alert.identifier);
    xml.element("sender", &alert.sender);
    xml.element("sent", &alert.sent.written);
    xml.element("status", alert.status.word());
    xml.element("msgType", alert.msg_type.word());
    xml.optional("source", alert.source.as_deref());
    xml.element("scope", alert.scope.word());
    xml.optional("restriction", alert.restriction.as_deref());
    xml.optional("addresses", alert.addresses.as_deref());
    for code in &alert.codes {
        xml.element("code", code);
    }
    xml.optional("note", alert.note.as_deref());
    xml.optional("references", alert.references.as_deref());
    xml.optional("incidents", alert.incidents.as_deref());
    for info in &alert.infos {
        write_info(&mut xml, info);
    }
    xml.end("alert")
}

fn write_info(xml: &mut Canonical, info: &Info) {
    xml.open("info");
    xml.optional("language", info.language.as_deref());
    for category in &info.categories {
        xml.element("category", category.word());
    }
    xml.element("event", &info.event);
    for response in &info.response_types {
        xml.element("responseType", response.word());
    }
    xml.element("urgency", info.urgency.word());
    xml.element("severity", info.severity.word());
    xml.element("certainty", info.certainty.word());
    xml.optional("audience", info.audience.as_deref());
    write_named_values(xml, "eventCode", &info.event_codes);
    xml.optional("effective", written(info.effective.as_ref()));
    xml.optional("onset", written(info.onset.as_ref()));
    xml.optional("expires", written(info.expires.as_ref()));
    xml.optional("senderName", info.sender_name.as_deref());
    xml.optional("headline", info.headline.as_deref());
    xml.optional("description", info.description.as_deref());
    xml.optional("instruction", info.instruction.as_deref());
    xml.optional("web", info.web.as_deref());
    xml.optional("contact", info.contact.as_deref());
    write_named_values(xml, "parameter", &info.parameters);
    for resource in &info.resources {
        write_resource(xml, resource);
    }
    for area in &info.areas {
        write_area(xml, area);
    }
    xml.close("info");
}

fn written(date: Option<&DateTime>) -> Option<&str> {
    date.map(|date| date.written.as_str())
}

fn write_named_values(xml: &mut Canonical, element: &str, values: &[NamedValue]) {
    for NamedValue { name, value } in values {
        xml.open(element);
        xml.element("valueName", name);
        xml.element("value", value);
        xml.close(element);
    }
}

fn write_resource(xml: &mut Canonical, resource: &Resource) {
    xml.open("resource");
    xml.element("resourceDesc", &resource.description);
    xml.element("mimeType", &resource.mime_type);
    xml.optional("size", resource.size.as_deref());
    xml.optional("uri", resource.uri.as_deref());
    xml.optional("derefUri", resource.deref_uri.as_deref());
    xml.optional("digest", resource.digest.as_deref());
    xml.close("resource");
}

fn write_area(xml: &mut Canonical, area: &Area) {
    xml.open("area");
    xml.element("areaDesc", &area.description);
    for polygon in &area.polygons {
        xml.element("polygon", polygon);
    }
    for circle in &area.circles {
        xml.element("circle", circle);
    }
    write_named_values(xml, "geocode", &area.geocodes);
    xml.optional("altitude", area.altitude.as_deref());
    xml.optional("ceiling", area.ceiling.as_deref());
    xml.close("area");
}
