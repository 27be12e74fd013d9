//! CAP documents of our own writing.

/// The sender of every document here.
const SENDER: &str = "floods@example.org";
/// When every alert here says it was sent.
const SENT: &str = "2026-11-23T04:00:00-00:00";

/// The text of every alert here.
pub(crate) const TEXT: &str = "The river floods the low streets within the hour. Go to high \
                               ground now, and stay out of the water.";

/// An alert.
pub(crate) fn alert(identifier: &str) -> String {
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>{identifier}</identifier><sender>{SENDER}</sender><sent>{SENT}</sent>\
         <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         <info><language>en-GB</language><category>Met</category><event>Flood</event>\
         <urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>\
         <description>{TEXT}</description>\
         <area><areaDesc>The low streets</areaDesc>\
         <polygon>53.1056,0.2445 53.1070,0.2435 53.1081,0.2432 53.1058,0.2413 53.1056,0.2445\
         </polygon></area></info></alert>"
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
