//! CAP documents of our own writing.

/// The sender of every document here.
const SENDER: &str = "floods@example.org";
/// When every alert here says it was sent.
const SENT: &str = "2026-11-23T04:00:00-00:00";

/// The text of every alert here.
pub(crate) const TEXT: &str = "The river floods the low streets within the hour. Go to high \
                               ground now, and stay out of the water.";

/// The text of every update here.
pub(crate) const NEW_TEXT: &str = "The bridge is closed too. Stay on the high ground until \
                                   somebody fetches you.";

/// An update of that alert, with another text.
pub(crate) fn update(identifier: &str) -> String {
    alert(identifier)
        .replace(
            &format!("<identifier>{identifier}<"),
            &format!("<identifier>{identifier}-update<"),
        )
        .replace(SENT, "2026-11-23T04:15:00-00:00")
        .replace("<msgType>Alert<", "<msgType>Update<")
        .replace(
            "</scope>",
            &format!("</scope><references>{SENDER},{identifier},{SENT}</references>"),
        )
        .replace(TEXT, NEW_TEXT)
}

/// An alert.
pub(crate) fn alert(identifier: &str) -> String {
    let ring = "53.1056,0.2445 53.1070,0.2435 53.1081,0.2432 53.1058,0.2413 53.1056,0.2445";
    alert_in(identifier, ring)
}

/// An alert for a round area with so many corners.
pub(crate) fn large_alert(identifier: &str, corners: u32) -> String {
    let corner = |n: u32| {
        let angle = f64::from(n % corners) / f64::from(corners) * std::f64::consts::TAU;
        let (lat, lon) = (54.4 + 0.05 * angle.sin(), -2.9 + 0.08 * angle.cos());
        format!("{lat:.6},{lon:.6}")
    };
    let ring: Vec<String> = (0..=corners).map(corner).collect();
    alert_in(identifier, &ring.join(" "))
}

fn alert_in(identifier: &str, ring: &str) -> String {
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>{identifier}</identifier><sender>{SENDER}</sender><sent>{SENT}</sent>\
         <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         <info><language>en-GB</language><category>Met</category><event>Flood</event>\
         <urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>\
         <description>{TEXT}</description>\
         <area><areaDesc>The low streets</areaDesc>\
         <polygon>{ring}</polygon></area></info></alert>"
    )
}

/// A cancel of that alert, with nothing but what a cancel needs.
pub(crate) fn cancel(identifier: &str) -> String {
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>{identifier}-cancel</identifier><sender>{SENDER}</sender>\
         <sent>2026-11-23T04:30:00-00:00</sent><status>Actual</status><msgType>Cancel</msgType>\
         <scope>Public</scope><references>{SENDER},{identifier},{SENT}</references></alert>"
    )
}
