//! Sixty-four bytes of a row at a glance: where in them something may begin or end, one bit a byte.

/// How many bytes one glance takes in.
pub(super) const WIDTH: usize = 64;

/// The lowest bit is the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// `'`
    quotes: u64,
    /// `\`
    pub(super) backslashes: u64,
    /// What means something outside of such quotes: `(`, `)`, `-`, `/`, `#`, `"`, `` ` ``
    pub(super) others: u64,
}

impl Marks {
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of(bytes: &[u8; WIDTH]) -> Self {
        #[allow(unsafe_code)]
        // SAFETY: every x86-64 has SSE2.
        unsafe {
            Self::by_vectors(bytes)
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn of(bytes: &[u8; WIDTH]) -> Self {
        Self::by_words(bytes)
    }

    /// The bytes that are in quotes, with the quote that opens and without the one that closes, where a text begins outside of them and
    /// has no backslash.
    pub(super) fn quoted(self) -> u64 {
        // Each bit becomes the parity of those up to it.
        [1, 2, 4, 8, 16, 32].into_iter().fold(self.quotes, |bits, distance| bits ^ (bits << distance))
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse2")]
    #[inline]
    fn by_vectors(bytes: &[u8; WIDTH]) -> Self {
        use std::arch::x86_64::{__m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8};

        let every = |byte: u8| _mm_set1_epi8(byte.cast_signed());
        let are = |vector: __m128i, byte: u8| _mm_cmpeq_epi8(vector, every(byte));
        let bits = |found: __m128i| u64::from(_mm_movemask_epi8(found).cast_unsigned());
        let mut marks = Marks { quotes: 0, backslashes: 0, others: 0 };
        for sixteen in bytes.as_chunks::<16>().0.iter().rev() {
            let [low, high] = [0, 1].map(|half| i64::from_le_bytes(sixteen.as_chunks().0[half]));
            let vector = _mm_set_epi64x(high, low);
            // Those that differ in one bit are found together.
            let brackets = are(_mm_and_si128(vector, every(!1)), b'(');
            let signs = are(_mm_or_si128(vector, every(2)), b'/');
            let hash_or_quote = are(_mm_or_si128(vector, every(1)), b'#');
            let others = _mm_or_si128(_mm_or_si128(brackets, signs), _mm_or_si128(hash_or_quote, are(vector, b'`')));
            marks = Marks {
                quotes: marks.quotes << 16 | bits(are(vector, b'\'')),
                backslashes: marks.backslashes << 16 | bits(are(vector, b'\\')),
                others: marks.others << 16 | bits(others),
            };
        }
        marks
    }

    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn by_words(bytes: &[u8; WIDTH]) -> Self {
        Marks {
            quotes: bits(bytes, |byte| byte == b'\''),
            backslashes: bits(bytes, |byte| byte == b'\\'),
            others: bits(bytes, |byte| matches!(byte, b'(' | b')' | b'-' | b'/' | b'#' | b'"' | b'`')),
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn bits(bytes: &[u8; WIDTH], is: impl Fn(u8) -> bool) -> u64 {
    let eights = bytes.as_chunks::<8>().0.iter().rev().map(|eight| u64::from_le_bytes(eight.map(|byte| u8::from(is(byte)))));
    // The product's highest byte has the lowest bit of each of the eight.
    eights.fold(0, |bits, eight| bits << 8 | eight.wrapping_mul(0x0102_0408_1020_4080) >> 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_marked_as_what_it_is_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..WIDTH {
                let mut bytes = [b'x'; WIDTH];
                bytes[at] = byte;
                let bit = |is: bool| u64::from(is) << at;
                let expected =
                    Marks { quotes: bit(byte == b'\''), backslashes: bit(byte == b'\\'), others: bit(b"()-/#\"`".contains(&byte)) };
                assert_eq!(Marks::of(&bytes), expected, "{byte} at {at}");
                assert_eq!(Marks::by_words(&bytes), expected, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn quoted_is_from_each_opening_quote_to_before_the_closing_one() {
        let mut bytes = [b' '; WIDTH];
        let text = b"1,'ab','','c''d',(5),'open";
        bytes[..text.len()].copy_from_slice(text);
        let quoted = Marks::of(&bytes).quoted();
        let shown: String = (0..text.len()).map(|at| if quoted >> at & 1 == 1 { '#' } else { '.' }).collect();
        assert_eq!(shown, "..###..#..##.##......#####");
        assert_eq!(quoted >> 63, 1, "still open");
    }
}
