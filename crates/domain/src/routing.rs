//! Which route next. What is known of a route only re-orders; none is ever left out (D17).

use std::collections::BTreeSet;

use crate::provider::Route;

/// The routes' names in the order in which to try them: as configured, those whose latest test or
/// send failed last.
pub fn order(routes: &[Route], failing: &BTreeSet<String>) -> Vec<String> {
    let (bad, good): (Vec<String>, Vec<String>) = routes
        .iter()
        .map(Route::name)
        .partition(|name| failing.contains(name));
    good.into_iter().chain(bad).collect()
}

/// The CBC site that a route leads to, read from the route's name as
/// [`Route::name`](crate::provider::Route::name) makes it: the part after the slash, or the proxy
/// itself where it serves one site. History names routes that the configuration forgot.
pub fn site_of(route: &str) -> &str {
    route.split_once('/').map_or(route, |(_, site)| site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_proxies_of_one_site_lead_to_the_same_place() {
        for (route, want) in [
            ("ee-1-proxy/cbc_a", "cbc_a"),
            ("ee-2-proxy/cbc_a", "cbc_a"),
            ("ee-2-proxy/cbc_b", "cbc_b"),
            ("ee-2-proxy", "ee-2-proxy"),
        ] {
            assert_eq!(site_of(route), want);
        }
    }

    #[test]
    fn failing_routes_go_last_and_none_is_left_out() {
        let routes: Vec<Route> = ["a", "b", "c"]
            .map(|proxy| Route {
                proxy: proxy.to_owned(),
                site: None,
            })
            .to_vec();
        for (failing, want) in [
            (vec![], ["a", "b", "c"]),
            (vec!["a"], ["b", "c", "a"]),
            (vec!["a", "b"], ["c", "a", "b"]),
            (vec!["a", "b", "c", "gone"], ["a", "b", "c"]),
        ] {
            let failing = failing.into_iter().map(str::to_owned).collect();
            assert_eq!(order(&routes, &failing), want, "{failing:?}");
        }
    }
}
