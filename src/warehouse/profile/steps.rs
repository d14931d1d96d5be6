//! Widths of the bars of a histogram: numbers and times that people count in.

/// Bars that a histogram has, at most (one more if the first starts before the smallest value).
const BARS: f64 = 20.0;

/// What the numbers of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole numbers: no bar is narrower than one.
    Whole,
    /// Any number.
    Real,
    /// Days.
    Days,
    /// Microseconds.
    Micros,
}

const SECOND: f64 = 1e6;
const DAY: f64 = 86_400.0 * SECOND;
const YEAR_DAYS: f64 = 365.0;
const CLOCK: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0,
    43_200.0,
];
const DAYS: &[f64] = &[1.0, 2.0, 7.0, 14.0, 30.0, 91.0, 182.0, YEAR_DAYS];

/// The width of the bars between `low` and `high`; none if there is none (the difference is no number).
pub(super) fn step(unit: Unit, low: f64, high: f64) -> Option<f64> {
    let width = (high - low) / BARS;
    let step = match unit {
        _ if !width.is_finite() => return None,
        Unit::Real if width == 0.0 => return Some(1.0),
        Unit::Real => round(width, &[1.0, 2.0, 2.5, 5.0, 10.0]),
        Unit::Whole if width <= 1.0 => 1.0,
        Unit::Whole => round(width, &[1.0, 2.0, 5.0, 10.0]),
        Unit::Days => days(width),
        Unit::Micros if width < SECOND => round(width.max(1.0), &[1.0, 2.0, 5.0, 10.0]),
        Unit::Micros => {
            let clock = CLOCK.iter().map(|seconds| seconds * SECOND).find(|step| *step >= width);
            clock.unwrap_or_else(|| days(width / DAY) * DAY)
        }
    };
    (step.is_finite() && step > 0.0).then_some(step)
}

fn days(width: f64) -> f64 {
    let step = DAYS.iter().copied().find(|days| *days >= width);
    step.unwrap_or_else(|| round(width / YEAR_DAYS, &[1.0, 2.0, 5.0, 10.0]) * YEAR_DAYS)
}

/// The first of `steps` times a power of ten that is not below `width`.
fn round(width: f64, steps: &[f64]) -> f64 {
    let power = 10.0_f64.powi(width.log10().floor() as i32);
    steps.iter().map(|step| step * power).find(|step| *step >= width).unwrap_or(10.0 * power)
}

/// `index` steps, without the noise of a product: 3 steps of 0.1 are 0.3.
pub(super) fn edge(step: f64, index: f64) -> f64 {
    match step < 1.0 {
        true => index / (1.0 / step).round(),
        false => index * step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(step(Unit::Real, 0.13, 97.2), Some(5.0));
        assert_eq!(step(Unit::Real, 0.0, 0.9), Some(0.05));
        assert_eq!(step(Unit::Real, 3.0, 3.0), Some(1.0));
        assert_eq!(step(Unit::Real, -f64::MAX, f64::MAX), None);
        assert_eq!(step(Unit::Whole, 0.0, 7.0), Some(1.0));
        assert_eq!(step(Unit::Whole, 0.0, 30.0), Some(2.0));
        assert_eq!(step(Unit::Days, 19_083.0, 19_112.0), Some(2.0));
        assert_eq!(step(Unit::Days, 0.0, 36_500.0), Some(5.0 * 365.0));
        assert_eq!(step(Unit::Micros, 0.0, 20.0 * DAY), Some(DAY));
        assert_eq!(step(Unit::Micros, 0.0, 3_600.0 * SECOND), Some(300.0 * SECOND));
        assert_eq!(step(Unit::Micros, 7.0, 7.0), Some(1.0));
    }

    #[test]
    fn edges_have_no_noise() {
        assert_eq!([1.0, 2.0, 3.0].map(|index| edge(0.1, index)), [0.1, 0.2, 0.3]);
        assert_eq!(edge(0.05, -3.0), -0.15);
        assert_eq!(edge(2.5, 3.0), 7.5);
    }
}
