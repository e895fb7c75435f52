//! Figures from samples: means, percentiles, and how far to trust them.
//!
//! Every figure carries its 95 % interval and its number of samples, because a mean alone invites
//! to read noise as news. (experiments.md 1)

use serde::Serialize;

/// A measured figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The value: a mean, a percentile, a sum or a ratio.
    pub value: f64,
    /// Half the width of the 95 % interval around the value.
    pub margin: f64,
    /// How many samples it rests on.
    pub samples: usize,
}

impl Figure {
    /// The mean of samples. Of none it is not a number, which lies outside every band.
    #[must_use]
    pub fn mean(samples: &[f64]) -> Self {
        let (mean, margin) = mean_and_margin(samples);
        Self { value: mean, margin, samples: samples.len() }
    }

    /// The sum of samples.
    #[must_use]
    pub fn sum(samples: &[f64]) -> Self {
        if samples.is_empty() {
            return Self { value: 0.0, margin: 0.0, samples: 0 };
        }
        Self::mean(samples).scaled(samples.len() as f64)
    }

    /// The sum of samples that come in strata of so many each, one after the other. Only what
    /// differs within a stratum is chance; with one sample in each, nothing tells chance from
    /// design, and the margin is that of a plain sum: too wide, never too narrow.
    #[must_use]
    pub fn stratified_sum(samples: &[f64], each: usize) -> Self {
        if each < 2 {
            return Self::sum(samples);
        }
        let strata = samples.chunks(each).map(Self::sum);
        let (value, squares) = strata.fold((0.0, 0.0), |(value, squares), stratum| {
            (value + stratum.value, squares + stratum.margin * stratum.margin)
        });
        Self { value, margin: squares.sqrt(), samples: samples.len() }
    }

    /// A percentile, `at` from 0 to 1, of samples in any order. The interval is that of the order
    /// statistics, so that it holds for whatever distribution.
    #[must_use]
    pub fn percentile(samples: &[f64], at: f64) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let spread = 1.96 * (at * (1.0 - at) / samples.len().max(1) as f64).sqrt();
        let low = percentile(&sorted, (at - spread).max(0.0));
        let high = percentile(&sorted, (at + spread).min(1.0));
        let value = percentile(&sorted, at);
        Self { value, margin: (high - low) / 2.0, samples: samples.len() }
    }

    /// A share: so many hits among so many tries.
    #[must_use]
    pub fn share(hits: u64, tries: u64) -> Self {
        let share = hits as f64 / tries as f64;
        // Hits are rare, so they are counted as a Poisson variable, never by their own variance
        // alone: none among many is not certainty.
        let margin = 1.96 * (hits.max(1) as f64).sqrt() / tries as f64;
        Self { value: share, margin, samples: tries as usize }
    }

    /// This in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { value: self.value * factor, margin: self.margin * factor.abs(), ..self }
    }

    /// This in percent of another.
    #[must_use]
    pub fn percent_of(self, other: Self) -> Self {
        let ratio = self.value / other.value;
        let relative = (self.margin / self.value).hypot_or_zero(other.margin / other.value);
        Self { value: 100.0 * ratio, margin: (100.0 * ratio * relative).abs(), ..self }
    }
}

/// The percentile `at`, from 0 to 1, of ascending values, straight lines between them. Of none it
/// is not a number.
#[must_use]
pub fn percentile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = at.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// The mean and half the width of its 95 % interval, by the normal approximation.
#[must_use]
pub fn mean_and_margin(samples: &[f64]) -> (f64, f64) {
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    if samples.len() < 2 {
        return (mean, 0.0);
    }
    let squares: f64 = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum();
    (mean, 1.96 * (squares / (count - 1.0) / count).sqrt())
}

trait HypotOrZero {
    /// The root of the sum of squares (exact on every platform, unlike `hypot`); 0 where a ratio
    /// to zero is not a number.
    fn hypot_or_zero(self, other: f64) -> f64;
}

impl HypotOrZero for f64 {
    fn hypot_or_zero(self, other: f64) -> f64 {
        let sum = (self * self + other * other).sqrt();
        if sum.is_finite() { sum } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let figure = Figure::percentile(&[3.0, 1.0, 2.0, 5.0, 4.0], 0.5);
        assert_eq!((figure.value, figure.samples), (3.0, 5));
        assert_eq!(percentile(&[1.0, 2.0], 0.25), 1.25);
        assert_eq!(percentile(&[1.0, 2.0], 1.0), 2.0);
        assert!(percentile(&[], 0.5).is_nan());
    }

    #[test]
    fn means_know_their_margin() {
        let samples: Vec<f64> = (0..100).map(|number| f64::from(number % 2)).collect();
        let figure = Figure::mean(&samples);
        assert_eq!(figure.value, 0.5);
        assert!((figure.margin - 1.96 * 0.050_251_89).abs() < 1e-6, "{figure:?}");
        assert_eq!(Figure::sum(&samples).value, 50.0);
        assert!(Figure::mean(&[]).value.is_nan());
    }

    #[test]
    fn strata_keep_design_apart_from_chance() {
        let samples = [1.0, 1.0, 9.0, 9.0];
        assert_eq!(Figure::stratified_sum(&samples, 2).margin, 0.0);
        assert_eq!(Figure::stratified_sum(&samples, 2).value, 20.0);
        assert_eq!(Figure::stratified_sum(&samples, 1), Figure::sum(&samples));
    }

    #[test]
    fn percentages_carry_both_margins() {
        let one = Figure { value: 3.0, margin: 0.3, samples: 9 };
        let all = Figure { value: 4.0, margin: 0.0, samples: 9 };
        let percent = one.percent_of(all);
        assert!((percent.value - 75.0).abs() < 1e-9 && (percent.margin - 7.5).abs() < 1e-9);
        assert_eq!(Figure { value: 0.0, margin: 0.0, samples: 1 }.percent_of(all).margin, 0.0);
    }
}
