//! How many phones an alert reaches, in words; and how far beyond its area it is heard.
//!
//! Masts don't stop at a border: phones around an area receive its alert too. The fewer phones
//! there are, the larger the cells, and the farther the alert carries.

/// Square miles in a square metre, as the figures of the earlier system have it.
const SQUARE_MILES_PER_M2: f64 = 3.86e-7;
/// Phones per square mile below which the density says nothing.
const DENSITY_MIN: f64 = 1.0;
/// Metres of bleed where the density says nothing.
const BLEED_UNKNOWN_M: f64 = 1_500.0;
/// Metres of bleed at one phone per square mile.
const BLEED_SPARSE_M: f64 = 5_900.0;
/// Metres less for ten times the density.
const BLEED_PER_DECADE_M: f64 = 1_250.0;
/// The least and the most bleed, in metres.
const BLEED_RANGE_M: (f64, f64) = (500.0, 5_000.0);
/// Phones below which an alert reaches "less than", and below which "just under" a million.
const LESS_THAN_A_MILLION: f64 = 900_000.0;
const A_MILLION: f64 = 1_000_000.0;

/// Metres beyond its border at which an alert is still received, for so many phones on so much
/// ground. Told to people, never sent.
pub fn bleed_m(phones: f64, area_m2: f64) -> f64 {
    let density = phones / (area_m2 * SQUARE_MILES_PER_M2);
    // Also where there is no ground, or no number.
    if !density.is_finite() || density < DENSITY_MIN {
        return BLEED_UNKNOWN_M;
    }
    let (least, most) = BLEED_RANGE_M;
    (BLEED_SPARSE_M - BLEED_PER_DECADE_M * density.log10()).clamp(least, most)
}

/// The size of an alert in words that nobody misreads.
pub fn in_words(phones: f64) -> &'static str {
    if phones >= A_MILLION {
        "More than 1 million phones estimated"
    } else if phones >= LESS_THAN_A_MILLION {
        "Just under 1 million phones estimated"
    } else if phones > 0.0 {
        "Less than 1 million phones estimated"
    } else {
        "Unknown number of phones"
    }
}

/// The number to two figures with commas, as an estimate deserves: `about 12,000`. Below 10: `fewer
/// than 10`.
pub fn about(phones: f64) -> String {
    if phones.is_nan() || phones < 10.0 {
        return "fewer than 10".to_owned();
    }
    let unit = 10_f64.powf(phones.log10().floor() - 1.0).max(1.0);
    let digits = format!("{:.0}", (phones / unit).round() * unit);
    let mut grouped = String::from("about ");
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewer_phones_the_farther_an_alert_carries() {
        const MILE_2: f64 = 1.0 / 3.86e-7;
        // Phones, square metres, metres.
        for (phones, area_m2, want) in [
            (0.0, MILE_2, 1_500.0),
            (0.9, MILE_2, 1_500.0),
            (1.0, MILE_2, 5_000.0),
            (10.0, MILE_2, 4_650.0),
            (100.0, MILE_2, 3_400.0),
            (1_000.0, MILE_2, 2_150.0),
            (10_000.0, MILE_2, 900.0),
            (100_000.0, MILE_2, 500.0),
            (1_000.0, 10.0 * MILE_2, 3_400.0),
            (5.0, 0.0, 1_500.0),
            (0.0, 0.0, 1_500.0),
            (f64::NAN, MILE_2, 1_500.0),
        ] {
            let got = bleed_m(phones, area_m2);
            assert!((got - want).abs() < 1e-6, "{phones} {area_m2}: {got}");
        }
    }

    #[test]
    fn numbers_are_told_in_words_and_to_two_figures() {
        for (phones, words, number) in [
            (0.0, "Unknown number", "fewer than 10"),
            (0.4, "Less than 1 million", "fewer than 10"),
            (10.0, "Less than 1 million", "about 10"),
            (99.4, "Less than 1 million", "about 99"),
            (99.9, "Less than 1 million", "about 100"),
            (1_234.0, "Less than 1 million", "about 1,200"),
            (12_678.0, "Less than 1 million", "about 13,000"),
            (899_999.0, "Less than 1 million", "about 900,000"),
            (900_000.0, "Just under 1 million", "about 900,000"),
            (999_999.0, "Just under 1 million", "about 1,000,000"),
            (1_000_000.0, "More than 1 million", "about 1,000,000"),
            (67_596_281.0, "More than 1 million", "about 68,000,000"),
            (f64::NAN, "Unknown number", "fewer than 10"),
        ] {
            assert!(
                in_words(phones).starts_with(words),
                "{phones}: {}",
                in_words(phones)
            );
            assert_eq!(about(phones), number, "{phones}");
        }
    }
}
