//! Ways to choose: with weights, by rank with a long tail, and in a shuffled order that needs no memory.

use crate::rng::{Rng, hash};

/// Chooses an index with the probability of its weight.
pub(crate) struct Weighted(Vec<f64>);

impl Weighted {
    /// `weights` need not add up to anything; there must be one.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Weighted {
        let mut total = 0.0;
        let sums = weights.into_iter().map(|w| {
            total += w;
            total
        });
        Weighted(sums.collect())
    }

    /// The index that `u`, uniform in `[0, 1)`, stands for.
    pub(crate) fn at(&self, u: f64) -> usize {
        let total = self.0.last().copied().unwrap_or(0.0);
        let x = u * total;
        let i = if self.0.len() <= 32 {
            self.0.iter().position(|sum| *sum > x)
        } else {
            Some(self.0.partition_point(|sum| *sum <= x))
        };
        i.unwrap_or(0).min(self.0.len().saturating_sub(1))
    }

    /// A random index.
    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        self.at(rng.unit())
    }
}

/// Ranks `0..n` with weights `(rank + 1) ^ -s`, by inverting the integral of the continuous curve: no table, however
/// many ranks there are. `s` must not be 1.
pub(crate) struct Zipf {
    n: u64,
    span: f64,
    exponent: f64,
}

impl Zipf {
    /// A long tail over `n` ranks (at least one).
    pub(crate) fn new(n: u64, s: f64) -> Zipf {
        let exponent = 1.0 - s;
        Zipf { n: n.max(1), span: ((n.max(1) + 1) as f64).powf(exponent) - 1.0, exponent }
    }

    /// A random rank.
    pub(crate) fn draw(&self, rng: &mut Rng) -> u64 {
        let x = (rng.unit() * self.span + 1.0).powf(1.0 / self.exponent);
        (x as u64).saturating_sub(1).min(self.n - 1)
    }
}

/// A one-to-one map of `0..n` onto itself that looks shuffled: `x -> a x + b (mod n)`.
#[derive(Clone, Copy)]
pub(crate) struct Shuffle {
    n: u64,
    a: u64,
    b: u64,
}

impl Shuffle {
    /// The map for a seed and a purpose; `n` is at least one.
    pub(crate) fn new(n: u64, seed: u64, purpose: u64) -> Shuffle {
        let n = n.max(1);
        let mut a = hash(seed, purpose, 1) % n;
        while gcd(a, n) != 1 {
            a = (a + 1) % n;
        }
        Shuffle { n, a, b: hash(seed, purpose, 2) % n }
    }

    /// Where `x` goes. Numbers from `n` on are mapped within their own stretch of `n`: still one to one.
    pub(crate) fn at(&self, x: u64) -> u64 {
        let (stretch, x) = (x / self.n, x % self.n);
        let y = (u128::from(self.a) * u128::from(x) + u128::from(self.b)) % u128::from(self.n);
        stretch * self.n + y as u64
    }
}

/// The greatest common divisor. `gcd(0, 1)` is 1, so the shuffle of a single number exists.
fn gcd(a: u64, b: u64) -> u64 {
    if a == 0 { b } else { gcd(b % a, a) }
}
