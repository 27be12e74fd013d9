//! CAP documents to send: a good one, and what is done to it.

/// Closed, and far from any other.
pub const RING: &str = "51.996,-2.168 51.999,-2.161 51.997,-2.153 51.991,-2.152 51.996,-2.168";

const ALERT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>IDENTIFIER</identifier>
  <sender>flood-desk@rivers.example</sender>
  <sent>2026-11-23T04:00:00-00:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <source>Flood desk</source>
  <scope>Public</scope>
  <info>
    <language>en-GB</language>
    <category>Met</category>
    <event>Severe flood</event>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <expires>2026-11-23T16:00:00-00:00</expires>
    <senderName>Flood desk</senderName>
    <description>The river is over its banks. Go uphill now. </description>
    <instruction>Go to the school on the hill.</instruction>
    <area>
      <areaDesc>Low streets</areaDesc>
      <polygon>RING</polygon>
      <geocode>
        <valueName>RiverReach</valueName>
        <value>031-LOWER</value>
      </geocode>
    </area>
  </info>
</alert>
"#;

const CANCEL: &str = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>the-cancel</identifier>
  <sender>flood-desk@rivers.example</sender>
  <sent>2026-11-23T04:05:00-00:00</sent>
  <status>Actual</status>
  <msgType>Cancel</msgType>
  <scope>Public</scope>
  <references>REFERENCES</references>
</alert>
"#;

/// A good Alert.
pub fn alert(identifier: &str) -> String {
    ALERT
        .replace("IDENTIFIER", identifier)
        .replace("RING", RING)
}

/// A good Alert with one thing changed, which must be there.
#[track_caller]
pub fn changed(from: &str, to: &str) -> String {
    let document = alert("changed");
    assert!(document.contains(from), "the document has no {from}");
    document.replace(from, to)
}

/// A good Alert with these polygons in one area.
pub fn with_polygons(rings: &[&str]) -> String {
    let old = format!("<polygon>{RING}</polygon>");
    let polygons: Vec<String> = rings
        .iter()
        .map(|ring| format!("<polygon>{ring}</polygon>"))
        .collect();
    changed(&old, &polygons.concat())
}

/// A good Alert with this description.
pub fn with_text(text: &str) -> String {
    changed("The river is over its banks. Go uphill now. ", text)
}

/// A good Alert that says the same in these languages, with the same area in each: the first text
/// is as it was, those after it are `text in LANGUAGE`.
pub fn in_languages(languages: &[&str]) -> String {
    let document = alert("changed");
    let from = document.find("<info>").unwrap();
    let to = document.find("</info>").unwrap() + "</info>".len();
    let info = &document[from..to];
    let (first, others) = languages.split_first().unwrap();
    let mut infos = info.replace("en-GB", first);
    for language in others {
        let said = info.replace("en-GB", language).replace(
            "The river is over its banks. Go uphill now. ",
            &format!("text in {language}"),
        );
        infos.push_str(&said);
    }
    document.replace(info, &infos)
}

/// The triple of a document that [`alert`] made.
pub fn triple(identifier: &str) -> String {
    format!("flood-desk@rivers.example,{identifier},2026-11-23T04:00:00-00:00")
}

/// A Cancel with these references.
pub fn cancel(references: &str) -> String {
    CANCEL.replace("REFERENCES", references)
}

/// A good Update of what `references` names, with this text, sent five minutes after [`alert`].
pub fn update(identifier: &str, references: &str, text: &str) -> String {
    let scope = "<scope>Public</scope>";
    alert(identifier)
        .replace("<msgType>Alert", "<msgType>Update")
        .replace("<sent>2026-11-23T04:00", "<sent>2026-11-23T04:05")
        .replace(
            scope,
            &format!("{scope}<references>{references}</references>"),
        )
        .replace("The river is over its banks. Go uphill now. ", text)
}

/// The triple of a document that [`update`] made.
pub fn update_triple(identifier: &str) -> String {
    format!("flood-desk@rivers.example,{identifier},2026-11-23T04:05:00-00:00")
}

/// A closed ring of this many points, the closing one included, around a point.
pub fn circle(points: u32, lat: f64, lon: f64) -> String {
    let step = std::f64::consts::TAU / f64::from(points - 1);
    let pairs: Vec<String> = (0..points)
        .map(|n| {
            let angle = f64::from(n % (points - 1)) * step;
            let (sin, cos) = angle.sin_cos();
            format!("{:.5},{:.5}", lat + 0.1 * sin, lon + 0.1 * cos)
        })
        .collect();
    pairs.join(" ")
}
