//! The published formulas, computed the same on every machine: integers where they do, `libm`
//! where a logarithm is needed. Nothing else in the core touches floats. (D2)

use core::time::Duration;

/// How often one node sends one update. SWIM 4.1: lambda log n; memberlist util.go:
/// `retransmitLimit`: mult * ceil(log10(n + 1)), at least one.
pub(crate) fn retransmit_limit(mult: u32, members: usize) -> u32 {
    (mult * decimal_digits(members)).max(1)
}

/// memberlist util.go: `pushPullScale`: doubling the cluster beyond 32 members adds one interval,
/// so that the load of whole-table exchanges stays bounded.
pub(crate) fn push_pull_factor(members: usize) -> u32 {
    const THRESHOLD_LOG2: u32 = 5;
    let ceil_log2 = usize::BITS - members.saturating_sub(1).leading_zeros();
    ceil_log2.saturating_sub(THRESHOLD_LOG2) + 1
}

/// How long gossip takes to reach everybody but for bad luck: after it, a difference between two
/// members is a hole. The first round reaches 94 % within some hops (three fresh peers each), the
/// next ones divide the rest by twenty each.
pub(crate) fn dissemination_window(gossip_interval: Duration, members: usize) -> Duration {
    gossip_interval * decimal_digits(members).saturating_sub(1).max(2)
}

/// The least and the longest suspicion timeout. memberlist util.go: `suspicionTimeout`.
pub(crate) fn suspicion_bounds(
    mult: u32,
    max_mult: u32,
    members: usize,
    probe_interval: Duration,
) -> (Duration, Duration) {
    let members = u32::try_from(members.max(1)).unwrap_or(u32::MAX);
    let scale = libm::log10(f64::from(members)).max(1.0);
    let scale_permille = libm::floor(scale * 1000.0) as u32;
    // At most 32 * 9,633 * 1 h: far from overflow.
    let min = probe_interval * mult * scale_permille / 1000;
    (min, min * max_mult)
}

/// The timeout after `confirmations` of `needed` independent confirmations.
/// Lifeguard, LHA-Suspicion: max(Min, Max - (Max - Min) * log(C + 1) / log(K + 1)).
/// memberlist suspicion.go floors it to whole milliseconds; so do we, but never below `min`.
pub(crate) fn suspicion_timeout(
    confirmations: u32,
    needed: u32,
    min: Duration,
    max: Duration,
) -> Duration {
    if confirmations >= needed {
        return min;
    }
    if confirmations == 0 {
        return max;
    }
    let fraction = libm::log(f64::from(confirmations) + 1.0) / libm::log(f64::from(needed) + 1.0);
    // Both spans are below 2^53 microseconds (285 years), so the product is exact enough.
    let shrinkable = (max - min).as_micros() as f64;
    let shrunk_micros = libm::ceil(shrinkable * fraction) as u64;
    let timeout = max.saturating_sub(Duration::from_micros(shrunk_micros));
    Duration::from_millis(timeout.as_millis() as u64).max(min)
}

/// ceil(log10(n + 1)), which is how many decimal digits `n` has.
fn decimal_digits(n: usize) -> u32 {
    n.checked_ilog10().map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn retransmit_limits_match_memberlist() {
        let table =
            [(0, 1), (1, 4), (9, 4), (10, 8), (32, 8), (100, 12), (1_000, 16), (10_000, 20)];
        for (members, limit) in table {
            assert_eq!(retransmit_limit(4, members), limit, "{members} members");
        }
        // The definition, by floats.
        for n in [1, 5, 9, 10, 11, 99, 100, 101, 999, 1_000, 99_999, 100_000] {
            assert_eq!(decimal_digits(n), libm::ceil(libm::log10(n as f64 + 1.0)) as u32, "{n}");
        }
    }

    #[test]
    fn push_pull_factors_match_memberlist() {
        let table = [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3), (100, 3), (128, 3), (129, 4)];
        for (members, factor) in table {
            assert_eq!(push_pull_factor(members), factor, "{members} members");
        }
        assert_eq!(push_pull_factor(1_000), 6);
        assert_eq!(push_pull_factor(10_000), 10);
    }

    #[test]
    fn suspicion_bounds_match_memberlist() {
        let second = Duration::from_secs(1);
        let table = [
            (1, 4_000, 24_000),
            (9, 4_000, 24_000),
            (10, 4_000, 24_000),
            (32, 6_020, 36_120),
            (100, 8_000, 48_000),
            (1_000, 12_000, 72_000),
            (10_000, 16_000, 96_000),
        ];
        for (members, min, max) in table {
            let bounds = suspicion_bounds(4, 6, members, second);
            let expected = (Duration::from_millis(min), Duration::from_millis(max));
            assert_eq!(bounds, expected, "{members} members");
        }
        let wan = suspicion_bounds(6, 6, 32, second * 5);
        assert_eq!(wan.0, Duration::from_millis(45_150));
    }

    #[test]
    fn p3_timeouts_match_lifeguard_and_never_grow() {
        let (min, max) = (Duration::from_millis(500), Duration::from_secs(2));
        let steps: [u128; 4] = [2000, 1250, 811, 500];
        for (confirmations, expected) in (0..).zip(steps) {
            assert_eq!(suspicion_timeout(confirmations, 3, min, max).as_millis(), expected);
        }
        let (min, max) = (Duration::from_secs(2), Duration::from_secs(30));
        let steps: [u128; 4] = [30_000, 16_000, 7_810, 2_000];
        for (confirmations, expected) in (0..).zip(steps) {
            assert_eq!(suspicion_timeout(confirmations, 3, min, max).as_millis(), expected);
        }
    }

    #[test]
    fn p3_p8_timeouts_stay_within_bounds_for_every_legal_setting() {
        let intervals = [Duration::from_millis(10), Duration::from_secs(3600)];
        for probe_interval in intervals {
            for (mult, max_mult) in [(1, 1), (1, 32), (32, 1), (32, 32), (4, 6)] {
                for members in [0, 1, 2, 1 << 20, usize::MAX] {
                    let (min, max) = suspicion_bounds(mult, max_mult, members, probe_interval);
                    assert!(min > Duration::ZERO && min <= max);
                    for needed in 0..31 {
                        let mut last = Duration::MAX;
                        for confirmations in 0..=needed {
                            let timeout = suspicion_timeout(confirmations, needed, min, max);
                            assert!(min <= timeout && timeout <= max && timeout <= last);
                            last = timeout;
                        }
                    }
                }
            }
        }
    }

    /// For every number of members there can be: no formula shrinks where the cluster grows, each
    /// stays within its bounds, and none overflows with the largest settings. (P3, P8)
    #[test]
    fn c3_p3_no_formula_shrinks_as_the_cluster_grows() {
        let hour = Duration::from_secs(3600);
        let settings = [(1, 1, Duration::from_millis(10)), (4, 6, hour / 3600), (32, 32, hour)];
        for (mult, max_mult, interval) in settings {
            let bounds = |n| suspicion_bounds(mult, max_mult, n, interval);
            let all = |n: usize| {
                let (min, max) = bounds(n);
                let window = dissemination_window(interval, n);
                (min, max, retransmit_limit(mult.min(16), n), push_pull_factor(n), window)
            };
            let mut last = all(0);
            let sizes = (1..=limits::MEMBERS_MAX).chain([usize::MAX - 1, usize::MAX]);
            for n in sizes {
                let (min, max, sends, pushes, window) = all(n);
                assert!(min >= last.0 && max >= last.1 && max == min * max_mult, "{n}");
                assert!(min >= interval * mult && max <= interval * (mult * max_mult * 20));
                assert!(sends >= last.2 && (1..=16 * 20).contains(&sends), "{n}");
                assert!(pushes >= last.3 && (1..=60).contains(&pushes), "{n}");
                assert!(window >= last.4 && window <= interval * 20, "{n}");
                last = (min, max, sends, pushes, window);
            }
        }
    }

    /// For all settings in whole numbers: more confirmations never lengthen the time, and it stays
    /// within its bounds, at the most and at the least of which it begins and ends. (P3, P8)
    #[test]
    fn c3_p3_timeouts_keep_their_bounds_for_every_setting() {
        let intervals = [1, 7, 999, 60_000, 3_600_000].map(Duration::from_millis);
        let mut looks = 0;
        for (mult, max_mult) in (1..=32).flat_map(|mult| (1..=32).map(move |max| (mult, max))) {
            for (interval, members) in
                intervals.iter().flat_map(|&i| [1, 999, 1 << 20].map(|n| (i, n)))
            {
                let (min, max) = suspicion_bounds(mult, max_mult, members, interval);
                let needed = mult.saturating_sub(2);
                let timeout = |confirmed| suspicion_timeout(confirmed, needed, min, max);
                assert_eq!(timeout(0), if needed == 0 { min } else { max });
                assert_eq!((timeout(needed), timeout(u32::MAX)), (min, min));
                for confirmed in 0..=needed {
                    let now = timeout(confirmed);
                    assert!(min <= now && now <= max && timeout(confirmed + 1) <= now);
                    looks += 1;
                }
            }
        }
        assert_eq!(looks, 15 * 32 * (1 + 1 + (2..=31).sum::<u32>()));
    }
}
