//! How numbers are spread: quantiles and histograms of points with weights.

use super::sample::Point;
use super::steps::{Unit, edge, step};

/// Points that are kept beside a table.
pub(super) const KEPT: usize = 48;

/// The bars of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bars {
    /// One more than there are bars.
    pub(super) edges: Vec<f64>,
    pub(super) counts: Vec<u64>,
}

fn weight(points: &[Point]) -> f64 {
    points.iter().map(|point| point.weight).sum()
}

/// The value below which the share `q` of the weight lies; `points` are sorted. None if there is no point.
pub(super) fn quantile(points: &[Point], q: f64) -> Option<f64> {
    let wanted = q * weight(points);
    let mut below = 0.0;
    for point in points {
        below += point.weight;
        if below >= wanted {
            return Some(point.value);
        }
    }
    points.last().map(|point| point.value)
}

/// A histogram of sorted `points` whose counts add up to `count`; none if no bars can be drawn.
pub(super) fn histogram(points: &[Point], unit: Unit, low: f64, high: f64, count: u64) -> Option<Bars> {
    let step = step(unit, low, high)?;
    let first = (low / step).floor();
    let bars = (high / step).floor() - first + 1.0;
    if !(bars.is_finite() && (1.0..=64.0).contains(&bars)) || first.abs() > 9e15 {
        return None;
    }
    let bars = bars as usize;
    let mut weights = vec![0.0; bars];
    for point in points {
        let bar = ((point.value / step).floor() - first).max(0.0) as usize;
        weights[bar.min(bars - 1)] += point.weight;
    }
    let edges = (0..=bars).map(|bar| edge(step, first + bar as f64)).collect();
    Some(Bars { edges, counts: share(&weights, count) })
}

/// Whole numbers that are nearly in the proportions of `weights` and add up to `count`.
fn share(weights: &[f64], count: u64) -> Vec<u64> {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return vec![0; weights.len()];
    }
    let mut sum = 0.0;
    let mut given = 0;
    let part = |weight: &f64| {
        sum += weight;
        let until = ((sum / total) * count as f64).round() as u64;
        let part = until.saturating_sub(given);
        given += part;
        part
    };
    weights.iter().map(part).collect()
}

/// The ranks (from 0 to 1) between which each of the kept points stands for the others: denser towards the ends.
fn border(index: usize) -> f64 {
    (1.0 - (std::f64::consts::PI * index as f64 / KEPT as f64).cos()) / 2.0
}

/// [`KEPT`] values of sorted `points`; all of them if there are no more, which is what the weights are needed for then.
pub(super) fn thin(points: &[Point]) -> Vec<f64> {
    let middle = |index: usize| quantile(points, (border(index) + border(index + 1)) / 2.0);
    (0..KEPT).filter_map(middle).collect()
}

/// The points behind [`thin`], for `count` values.
pub(super) fn thicken(values: &[f64], count: u64) -> Vec<Point> {
    if values.len() != KEPT {
        return Vec::new();
    }
    let weight = |index: usize| (border(index + 1) - border(index)) * count as f64;
    values.iter().enumerate().map(|(index, value)| Point { value: *value, weight: weight(index) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        values.into_iter().map(|value| Point { value, weight: 1.0 }).collect()
    }

    #[test]
    fn quantiles_are_values_that_are_there() {
        let points = points((1..=100).map(f64::from));
        assert_eq!(
            [0.05, 0.25, 0.5, 0.95].map(|q| quantile(&points, q)),
            [Some(5.0), Some(25.0), Some(50.0), Some(95.0)]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn histograms_count_every_value_once() {
        let points = points((0..=99).map(f64::from));
        let bars = histogram(&points, Unit::Whole, 0.0, 99.0, 1_000).expect("bars");
        assert_eq!(bars.edges.first().zip(bars.edges.last()), Some((&0.0, &100.0)));
        assert_eq!(bars.counts, vec![50; 20]);
        let one = histogram(&points[..1], Unit::Real, 0.0, 0.0, 7).expect("bars");
        assert_eq!((one.edges, one.counts), (vec![0.0, 1.0], vec![7]));
    }

    /// What is kept gives quantiles that are off by less than half a border.
    #[test]
    fn kept_points_tell_the_quantiles() {
        let all = points((0..10_000).map(|value| (f64::from(value) / 100.0).exp2()));
        let kept = thicken(&thin(&all), 10_000);
        assert_eq!(kept.len(), KEPT);
        assert!((weight(&kept) - 10_000.0).abs() < 1e-6);
        for q in [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] {
            let value = quantile(&kept, q).expect("a value");
            let rank = all.iter().filter(|point| point.value <= value).count() as f64 / 10_000.0;
            assert!((rank - q).abs() < 0.02, "{q}: {rank}");
        }
    }
}
