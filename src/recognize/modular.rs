//! Powers of large numbers modulo an odd one: all that it takes to find the public half of a DSA key.
//!
//! Never here: time that is independent of the numbers. The key stands in clear in a file; who can measure can read it.
//! Serves FIPS 186-4 §4.1: y = g^x mod p.

use zeroize::Zeroizing;

/// The most bytes of a modulus and of an exponent.
const MOST_MODULUS: usize = 512;
const MOST_EXPONENT: usize = 64;

/// Returns `base ^ exponent mod modulus` in big-endian bytes; none for numbers that no key has.
pub(super) fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let is_odd = modulus.last().is_some_and(|last| last & 1 == 1);
    if !is_odd || modulus.len() > MOST_MODULUS || base.len() > modulus.len() || exponent.len() > MOST_EXPONENT {
        return None;
    }
    let field = Field::new(modulus);
    let base = field.to_form(base);
    let mut result = Zeroizing::new(field.to_form(&[1]));
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1)) {
        *result = field.multiply(&result, &result);
        if bit == 1 {
            *result = field.multiply(&result, &base);
        }
    }
    let one = limbs(&[1], field.modulus.len());
    let plain = field.multiply(&result, &one);
    Some(plain.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect())
}

/// Montgomery's arithmetic over limbs, least significant first.
struct Field {
    modulus: Vec<u32>,
    /// The negated inverse of the modulus, modulo one limb.
    inverse: u32,
}

impl Field {
    fn new(modulus: &[u8]) -> Self {
        let modulus = limbs(modulus, modulus.len().div_ceil(4));
        let lowest = modulus.first().copied().unwrap_or(1);
        // Newton's iteration: each round doubles the bits that are right.
        let inverse = (0..5).fold(1_u32, |found, _| found.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(found))));
        Self { inverse: inverse.wrapping_neg(), modulus }
    }

    /// Multiplies by the radix: shifts the number in bit by bit, and then as many zeros as the modulus has places.
    fn to_form(&self, number: &[u8]) -> Vec<u32> {
        let mut value = vec![0; self.modulus.len()];
        let bits = number.iter().flat_map(|byte| (0..8).rev().map(move |shift| u32::from(byte >> shift & 1)));
        for bit in bits.chain(std::iter::repeat_n(0, self.modulus.len() * 32)) {
            let mut carry = bit;
            for limb in &mut value {
                (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
            }
            if self.is_reducible(&value, carry) {
                self.subtract(&mut value);
            }
        }
        value
    }

    fn multiply(&self, left: &[u32], right: &[u32]) -> Vec<u32> {
        let mut sum = vec![0_u32; self.modulus.len()];
        let mut above = 0_u64;
        for digit in left {
            let low = u64::from(sum.first().copied().unwrap_or_default())
                + u64::from(*digit) * u64::from(right.first().copied().unwrap_or_default());
            let factor = lower(low).wrapping_mul(self.inverse);
            let (mut first, mut second) = (0_u64, 0_u64);
            let mut shifted = Vec::with_capacity(sum.len());
            for ((limb, other), modulus) in sum.iter().zip(right).zip(&self.modulus) {
                first += u64::from(*limb) + u64::from(*digit) * u64::from(*other);
                second += u64::from(lower(first)) + u64::from(factor) * u64::from(*modulus);
                first >>= 32;
                shifted.push(lower(second));
                second >>= 32;
            }
            above += first + second;
            shifted.push(lower(above));
            above >>= 32;
            sum.clear();
            // The lowest limb is zero by the choice of the factor.
            sum.extend(shifted.into_iter().skip(1));
        }
        if self.is_reducible(&sum, lower(above)) {
            self.subtract(&mut sum);
        }
        sum
    }

    fn is_reducible(&self, value: &[u32], above: u32) -> bool {
        above > 0 || value.iter().rev().ge(self.modulus.iter().rev())
    }

    fn subtract(&self, value: &mut [u32]) {
        let mut borrow = false;
        for (limb, modulus) in value.iter_mut().zip(&self.modulus) {
            let (once, under) = limb.overflowing_sub(*modulus);
            let (twice, again) = once.overflowing_sub(u32::from(borrow));
            (*limb, borrow) = (twice, under || again);
        }
    }
}

fn limbs(bytes: &[u8], count: usize) -> Vec<u32> {
    let mut limbs: Vec<u32> =
        bytes.rchunks(4).map(|limb| limb.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))).collect();
    limbs.resize(count, 0);
    limbs
}

/// Returns the lower half.
fn lower(wide: u64) -> u32 {
    u32::try_from(wide & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> u128 {
        bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    }

    #[test]
    fn powers_are_those_of_plain_arithmetic() {
        for modulus in [3_u64, 0xffff_fffb, 0x1_0000_000f, 0xffff_ffff_ffff_ffc5] {
            for base in [0_u64, 1, 2, 0xdead_beef, modulus - 1] {
                for exponent in [0_u64, 1, 2, 65_537, u64::MAX] {
                    let bytes = modulus.to_be_bytes();
                    let found = power(&base.to_be_bytes(), &exponent.to_be_bytes(), &bytes).unwrap();
                    let mut expected = 1 % u128::from(modulus);
                    for bit in (0..64).rev() {
                        expected = expected * expected % u128::from(modulus);
                        if exponent >> bit & 1 == 1 {
                            expected = expected * (u128::from(base) % u128::from(modulus)) % u128::from(modulus);
                        }
                    }
                    assert_eq!(number(&found), expected, "{base} ^ {exponent} mod {modulus}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_no_key_has_are_refused() {
        assert_eq!(power(&[2], &[1], &[4]), None);
        assert_eq!(power(&[2], &[1], &[]), None);
        assert_eq!(power(&[2], &[1; 65], &[7]), None);
        assert_eq!(power(&[2], &[1], &[7; 513]), None);
    }
}
