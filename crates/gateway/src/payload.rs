//! What the gateway adds to a stored payload (D27): at its end, with the stored bytes unchanged.

use balefire_domain::provider::{Capabilities, Route};
use balefire_domain::time::Timestamp;

use crate::invoke::Place;

/// The body that goes out: `stored` with `cbc_target` for a route with a site, then `not_after`,
/// `lane` and `seq` for proxies of ours. `None` when `stored` is no JSON object.
pub(crate) fn complete(
    stored: &str,
    route: &Route,
    capabilities: Capabilities,
    place: Option<&Place>,
    deadline_at: Timestamp,
) -> Option<String> {
    let open = stored.strip_suffix('}')?;
    let inner = open.strip_prefix('{')?;
    let mut fields = Vec::with_capacity(4);
    if let Some(site) = route.site {
        fields.push(format!("\"cbc_target\":\"{}\"", site.as_str()));
    }
    if capabilities.own_protocol {
        fields.push(format!(
            "\"not_after\":\"{}\"",
            deadline_at.to_millis_style()
        ));
        if let Some(Place { lane, seq }) = place {
            let lane = serde_json::Value::from(lane.as_str());
            fields.push(format!("\"lane\":{lane},\"seq\":{seq}"));
        }
    }
    let separator = if inner.is_empty() || fields.is_empty() {
        ""
    } else {
        ","
    };
    Some(format!("{open}{separator}{}}}", fields.join(",")))
}

#[cfg(test)]
mod tests {
    use balefire_domain::provider::Site;

    use super::*;

    const fn capabilities(own_protocol: bool) -> Capabilities {
        Capabilities {
            dedup: false,
            shared_sites: false,
            update: false,
            success_is_accepted: false,
            own_protocol,
            second_language: false,
        }
    }

    #[test]
    fn fields_are_added_at_the_end_and_the_stored_bytes_stay() {
        let place = Place {
            lane: "01a/ee".to_owned(),
            seq: 7,
        };
        let at = Timestamp::from_micros(1_795_406_943_123_999);
        let stored = r#"{"message_type":"alert","description":"a } \" , é"}"#;
        let own = r#""not_after":"2026-11-23T04:09:03.123Z","lane":"01a/ee","seq":7"#;
        let open = &stored[..stored.len() - 1];
        // site, own protocol, with a place in a lane, what goes out
        let rows = [
            (None, false, true, stored.to_owned()),
            (
                Some(Site::CbcA),
                false,
                true,
                format!(r#"{open},"cbc_target":"cbc_a"}}"#),
            ),
            (None, true, true, format!("{open},{own}}}")),
            (
                Some(Site::CbcB),
                true,
                true,
                format!(r#"{open},"cbc_target":"cbc_b",{own}}}"#),
            ),
            (
                None,
                true,
                false,
                format!(r#"{open},"not_after":"2026-11-23T04:09:03.123Z"}}"#),
            ),
        ];
        for (site, own_protocol, has_place, want) in rows {
            let route = Route {
                proxy: "ee-1-proxy".to_owned(),
                site,
            };
            let capabilities = capabilities(own_protocol);
            let place = has_place.then_some(&place);
            let sent = complete(stored, &route, capabilities, place, at);
            assert_eq!(sent.as_deref(), Some(want.as_str()));
            let value: serde_json::Value = serde_json::from_str(&want).unwrap();
            assert_eq!(value["description"], "a } \" , é");
        }
    }

    #[test]
    fn an_empty_object_gets_no_stray_comma_and_other_texts_are_no_payload() {
        let route = Route {
            proxy: "canary".to_owned(),
            site: Some(Site::CbcA),
        };
        let complete = |stored| {
            complete(
                stored,
                &route,
                capabilities(false),
                None,
                Timestamp::default(),
            )
        };
        assert_eq!(complete("{}").as_deref(), Some(r#"{"cbc_target":"cbc_a"}"#));
        for stored in ["", "{", "}", "[]", "null", "{} ", r#"{"a":1}]"#] {
            assert_eq!(complete(stored), None, "{stored}");
        }
    }
}
