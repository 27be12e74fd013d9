//! Seven bits in eight: how a page packs the GSM-7 alphabet (3GPP TS 23.038 §6.1.2.2.1).
//!
//! The first septet begins at bit 0 of the first octet. 93 septets are 651 bits of a page's 656;
//! the 5 that are left are zero.

/// Septets of one page (3GPP TS 23.041 §9.4.2.2.5: 82 octets).
pub const PAGE_SEPTETS: usize = 93;
/// Octets of a page's content.
pub const CONTENT_OCTETS: usize = 82;

/// Packs up to 93 septets; the bits after the last one are zero. Bit 7 of each is ignored.
///
/// # Panics
/// With more septets than a page holds.
pub fn pack(septets: &[u8]) -> [u8; CONTENT_OCTETS] {
    assert!(septets.len() <= PAGE_SEPTETS, "a page holds 93 septets");
    let mut octets = [0; CONTENT_OCTETS];
    for (index, septet) in septets.iter().enumerate() {
        let (octet, shift) = (index * 7 / 8, index * 7 % 8);
        let bits = u16::from(septet & 0x7F) << shift;
        let [low, high] = bits.to_le_bytes();
        octets[octet] |= low;
        if high != 0 {
            octets[octet + 1] |= high;
        }
    }
    octets
}

/// The `count` septets that `octets` begin with, or as many as there are.
pub fn unpack(octets: &[u8], count: usize) -> Vec<u8> {
    let count = count.min(octets.len() * 8 / 7);
    let septet = |index: usize| {
        let (octet, shift) = (index * 7 / 8, index * 7 % 8);
        let high = octets.get(octet + 1).copied().unwrap_or(0);
        let [low, _] = (u16::from_le_bytes([octets[octet], high]) >> shift).to_le_bytes();
        low & 0x7F
    };
    (0..count).map(septet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_page_are_packed_as_the_standard_draws_them() {
        // `hellohello` is the worked example that every text on this packing has.
        let hello: Vec<u8> = b"hellohello".to_vec();
        let packed = pack(&hello);
        assert_eq!(
            packed[..9],
            [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]
        );
        let full = pack(&[0x7F; PAGE_SEPTETS]);
        assert_eq!(full[..81], [0xFF; 81]);
        assert_eq!(full[81], 0b111, "5 bits are spare");
        assert_eq!(unpack(&full, 200), [0x7F; PAGE_SEPTETS]);
    }
}
