//! How long things take on the way.

use std::time::Duration;

use crate::chance::{mix, unit};

/// The distribution of a one-way delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Evenly between the two.
    Uniform(Duration, Duration),
    /// Never less than `least`; on top an exponential part: a few packets take very long.
    Exponential {
        /// The least delay.
        least: Duration,
        /// The mean of what comes on top.
        mean: Duration,
    },
    /// A log-normal delay, as measured between data centres: half take less than `median`, 84 %
    /// less than `median` times e to the `sigma`. Never more than 100 times the median.
    LogNormal {
        /// The median.
        median: Duration,
        /// How wide it is: 0 is fixed, 0.5 is wide.
        sigma: f64,
    },
}

impl Latency {
    /// Within one data centre: 80 to 200 microseconds.
    pub const LAN: Self = Self::Uniform(Duration::from_micros(80), Duration::from_micros(200));

    /// The delay that these random bits stand for.
    #[must_use]
    pub fn draw(&self, word: u64) -> Duration {
        match *self {
            Self::Fixed(span) => span,
            Self::Uniform(least, most) => least + scale(most.saturating_sub(least), unit(word)),
            Self::Exponential { least, mean } => least + scale(mean, -libm::log(1.0 - unit(word))),
            Self::LogNormal { median, sigma } => {
                // Box and Muller.
                let radius = libm::sqrt(-2.0 * libm::log(1.0 - unit(word)));
                let normal = radius * libm::cos(core::f64::consts::TAU * unit(mix(word, 1)));
                scale(median, libm::exp(sigma * normal).min(100.0))
            }
        }
    }
}

fn scale(span: Duration, factor: f64) -> Duration {
    Duration::from_nanos((span.as_nanos() as f64 * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Chance, Purpose};

    #[test]
    fn delays_are_distributed_as_said() {
        let ms = Duration::from_millis;
        let cases = [
            (Latency::Fixed(ms(10)), 10.0, 10.0),
            (Latency::Uniform(ms(10), ms(30)), 20.0, 20.0),
            (Latency::Exponential { least: ms(10), mean: ms(10) }, 16.9, 20.0),
            (Latency::LogNormal { median: ms(10), sigma: 0.5 }, 10.0, 11.3),
        ];
        for (latency, median, mean) in cases {
            let mut chance = Chance::new(1, Purpose::Link);
            let mut spans: Vec<f64> =
                (0..20_000).map(|_| latency.draw(chance.word()).as_secs_f64() * 1e3).collect();
            spans.sort_by(f64::total_cmp);
            let (got_median, got_mean) = (spans[10_000], spans.iter().sum::<f64>() / 2e4);
            assert!((got_median - median).abs() < 0.3, "{latency:?}: median {got_median}");
            assert!((got_mean - mean).abs() < 0.3, "{latency:?}: mean {got_mean}");
        }
    }
}
