//! A fair choice of the numbers of a column: what quantiles and histograms are made of.
//!
//! A digest of all values (t-digest) costs a sort of every batch, ten times what the rest of a profile does. A reservoir
//! costs nothing once it is full: it knows how many values to leave out before it takes the next one (Li's algorithm L).
//! 4096 values put a quantile off by a rank of 0.8 % (one standard error, in the middle; less in the tails). As long as
//! there are no more values than that it has all of them.

/// Values that are chosen.
pub(super) const SIZE: usize = 4096;

/// A value and how many values of the column it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) value: f64,
    pub(super) weight: f64,
}

/// See the module. What is chosen depends on the values alone: the same rows give the same choice.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    chosen: Vec<f64>,
    seen: u64,
    /// Values to leave out before the next one is taken.
    skip: u64,
    weight: f64,
    random: u64,
    /// Choices of others.
    merged: Vec<Point>,
}

impl Sample {
    pub(super) fn new() -> Sample {
        Sample { chosen: Vec::new(), seen: 0, skip: 0, weight: 1.0, random: 0x2545_f491_4f6c_dd1d, merged: Vec::new() }
    }

    /// Chooses among `values`.
    pub(super) fn offer<V: Copy>(&mut self, values: &[V], number: impl Fn(V) -> f64) {
        let filling = values.len().min(SIZE - self.chosen.len());
        let (first, mut rest) = values.split_at(filling);
        self.seen += values.len() as u64;
        self.chosen.extend(first.iter().map(|value| number(*value)));
        if filling > 0 && self.chosen.len() == SIZE {
            self.leap();
        }
        if self.chosen.len() < SIZE {
            return;
        }
        while let Some(value) = usize::try_from(self.skip).ok().and_then(|skip| rest.get(skip)) {
            rest = &rest[self.skip as usize + 1..];
            let place = (self.uniform() * SIZE as f64) as usize % SIZE;
            self.chosen[place] = number(*value);
            self.leap();
        }
        self.skip -= rest.len() as u64;
    }

    /// Decides how many values are left out.
    fn leap(&mut self) {
        self.weight *= (self.uniform().ln() / SIZE as f64).exp();
        let skip = (self.uniform().ln() / (1.0 - self.weight).ln()).floor();
        // A cast saturates: of a column without end nothing more would be taken.
        self.skip = skip as u64;
    }

    /// A number above 0 and up to 1 (xorshift64*).
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (bits + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Adds what another one has chosen.
    pub(super) fn merge(&mut self, other: Sample) {
        self.merged.extend(other.points());
    }

    /// Adds points of a profile that was kept.
    pub(super) fn add_points(&mut self, points: impl IntoIterator<Item = Point>) {
        self.merged.extend(points);
    }

    /// What was chosen, each with its weight.
    pub(super) fn points(self) -> impl Iterator<Item = Point> {
        let weight = self.seen as f64 / self.chosen.len().max(1) as f64;
        self.chosen.into_iter().map(move |value| Point { value, weight }).chain(self.merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_all_there() {
        let mut sample = Sample::new();
        sample.offer(&[1, 2, 3], f64::from);
        sample.offer(&[0_i32; 0], f64::from);
        sample.offer(&[4], f64::from);
        let points: Vec<Point> = sample.points().collect();
        assert_eq!(points.iter().map(|point| point.value).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0]);
        assert!(points.iter().all(|point| point.weight == 1.0));
    }

    /// Every tenth of the values has about a tenth of the choice, however the values came in batches.
    #[test]
    fn the_choice_is_fair() {
        let values: Vec<u32> = (0..1_000_000).collect();
        for size in [1, 100, 8192, 1_000_000] {
            let mut sample = Sample::new();
            values.chunks(size).for_each(|batch| sample.offer(batch, f64::from));
            let mut tenths = [0_u32; 10];
            sample.points().for_each(|point| tenths[(point.value / 100_000.0) as usize] += 1);
            assert_eq!(tenths.iter().sum::<u32>(), SIZE as u32);
            // Four standard errors of a binomial with n = 4096, p = 0.1 are 77.
            assert!(tenths.iter().all(|tenth| tenth.abs_diff(410) < 77), "{size}: {tenths:?}");
        }
    }
}
