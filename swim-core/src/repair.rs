//! The pace of repairs: when this node may compare or repair its view with a peer.
//!
//! Some differences last: two nodes of one name, a policy that keeps a member out on one side. Each
//! difference between two views is therefore tried at growing pauses, so that in the end it costs
//! no more than the periodic exchange does.

use alloc::collections::VecDeque;
use core::{net::SocketAddr, time::Duration};

use crate::time::Instant;

/// Differences remembered at most: one for each group of peers that see things alike.
const DIFFERENCES_MAX: usize = 16;
/// Comparisons remembered at most: those of two rounds, and more than wait for an answer.
const ASKED_MAX: usize = 8;
/// Of so many periodic exchanges and one more, one is made even if it seems to be needless.
const SPARED_MAX: u32 = 9;
/// The pause between tries doubles at most this often.
const DOUBLINGS_MAX: u32 = 12;

/// When this node may repair its view with a peer again.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// Since when our table differs from those of the peers we hear of, as far as acks tell.
    pub(crate) differs_since: Option<Instant>,
    /// Not before then a summary of broadcasts is sent again.
    pub(crate) broadcasts_after: Instant,
    /// When a peer's table was last found to be the same as ours.
    agreed_at: Option<Instant>,
    /// How many periodic exchanges in a row were spared.
    spared: u32,
    /// When the next comparison is due that is not left to a probe.
    pub(crate) compare_at: Option<Instant>,
    /// When the last comparison was made outside of storms.
    pub(crate) compared_at: Instant,
    /// The latest comparisons.
    asked: VecDeque<Asked>,
    /// Changes up to then were compared with somebody.
    pub(crate) compared_until: Instant,
    /// How much changed lately.
    pub(crate) tide: Tide,
    /// Not before then any table is repaired again.
    tables_after: Instant,
    differences: VecDeque<Difference>,
}

/// A comparison that was begun.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its number, which only those know to whom it went.
    pub(crate) nonce: u64,
    /// Where it went.
    pub(crate) addr: SocketAddr,
    /// An answer that comes later shows nothing.
    pub(crate) until: Instant,
}

/// A pair of views that differ, and were to be repaired.
#[derive(Debug)]
struct Difference {
    views: [u64; 2],
    tries: u32,
    after: Instant,
}

impl Repair {
    /// Whether our view is to be repaired with that of a peer now; notes the try. Between any two
    /// repairs lies `pause`, and more and more between those of one difference.
    pub(crate) fn begin(&mut self, views: [u64; 2], now: Instant, pause: Duration) -> bool {
        let known = self.differences.iter_mut().find(|difference| difference.views == views);
        if self.tables_after > now || known.as_ref().is_some_and(|known| known.after > now) {
            return false;
        }
        self.tables_after = now + pause;
        if let Some(known) = known {
            known.tries = (known.tries + 1).min(DOUBLINGS_MAX);
            known.after = now + pause * (1 << known.tries);
            return true;
        }
        if self.differences.len() >= DIFFERENCES_MAX {
            self.differences.pop_front();
        }
        self.differences.push_back(Difference { views, tries: 0, after: now + pause });
        true
    }

    /// Whoever is at this address is asked for its view.
    pub(crate) fn ask(&mut self, asked: Asked) {
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(asked);
    }

    /// Where somebody was asked for its view under this number, if an answer is still in time.
    pub(crate) fn asked(&self, nonce: u64, now: Instant) -> Option<SocketAddr> {
        let asked = self.asked.iter().find(|asked| asked.nonce == nonce);
        asked.filter(|asked| now <= asked.until).map(|asked| asked.addr)
    }

    /// A peer's table is the same as ours.
    pub(crate) fn agree(&mut self, now: Instant) {
        self.differs_since = None;
        self.agreed_at = Some(now);
    }

    /// Whether the periodic exchange of tables would bring nothing: since `last` somebody had the
    /// same table, and nobody was found whose table differed afterwards. One in a few is made all
    /// the same: digests tell nothing of the dead, and may be equal by accident.
    pub(crate) fn may_spare(&mut self, last: Instant) -> bool {
        let agrees = self.differs_since.is_none() && self.agreed_at.is_some_and(|at| at >= last);
        self.spared = if agrees && self.spared < SPARED_MAX { self.spared + 1 } else { 0 };
        self.spared > 0
    }
}

/// How many members came or came back in the last window of gossip or two. What is only said anew
/// of those that are there is no tide, however much of it one peer says.
#[derive(Debug, Default)]
pub(crate) struct Tide {
    /// When the present window began.
    since: Instant,
    /// How many came in the window before.
    previous: u64,
    /// How many came in this one.
    present: u64,
    /// How many came since time was last looked at.
    arriving: u64,
}

impl Tide {
    /// A member came.
    pub(crate) fn rise(&mut self) {
        self.arriving += 1;
    }

    /// Takes in what time it is. Those who came since the last call came now.
    pub(crate) fn note(&mut self, now: Instant, window: Duration) {
        if self.since + window <= now {
            let is_fresh = now < self.since + window * 2;
            self.previous = if is_fresh { self.present } else { 0 };
            self.since = now;
            self.present = 0;
        }
        self.present += core::mem::take(&mut self.arriving);
    }

    /// How many came in this window and the one before.
    pub(crate) fn lately(&self, now: Instant, window: Duration) -> u64 {
        if self.since + window * 2 <= now { 0 } else { self.previous + self.present }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    #[test]
    fn a_lasting_difference_is_tried_less_and_less_often() {
        let mut repair = Repair::default();
        let tries = |repair: &mut Repair, minutes: core::ops::Range<u64>| {
            let seconds = minutes.start * 60..minutes.end * 60;
            let at = |second: u64| Instant::from_millis(second * 1000);
            seconds.filter(|&second| repair.begin([1, 2], at(second), PAUSE)).count()
        };
        assert_eq!(tries(&mut repair, 0..1), 6, "after 0, 1, 3, 7, 15, 31 seconds");
        assert!(tries(&mut repair, 1..61) <= 16);
    }

    #[test]
    fn a_new_difference_is_tried_after_one_pause() {
        let mut repair = Repair::default();
        let at = Instant::from_millis;
        assert!(repair.begin([1, 2], at(0), PAUSE));
        assert!(!repair.begin([1, 3], at(999), PAUSE));
        assert!(repair.begin([1, 3], at(1000), PAUSE));
    }

    #[test]
    fn m3_of_ten_exchanges_between_those_who_agree_nine_are_spared() {
        let mut repair = Repair::default();
        let at = Instant::from_millis;
        assert!(!repair.may_spare(at(0)), "nobody was compared with yet");
        repair.agree(at(5));
        assert_eq!((0..30).filter(|_| repair.may_spare(at(5))).count(), 27);
        assert!(!repair.may_spare(at(6)), "too long ago");
        repair.agree(at(7));
        repair.differs_since = Some(at(8));
        assert!(!repair.may_spare(at(6)), "somebody differs");
    }

    #[test]
    fn m1_only_so_many_differences_are_remembered() {
        let mut repair = Repair::default();
        for view in 0..100 {
            repair.begin([0, view], Instant::from_millis(view * 1000), PAUSE);
        }
        assert_eq!(repair.differences.len(), DIFFERENCES_MAX);
    }

    #[test]
    fn the_tide_counts_who_came_lately() {
        let mut tide = Tide::default();
        let come = |tide: &mut Tide, count: u32, second: u64| {
            let now = Instant::from_millis(second * 1000);
            (0..count).for_each(|_| tide.rise());
            tide.note(now, PAUSE);
            tide.lately(now, PAUSE)
        };
        assert_eq!(come(&mut tide, 50, 10), 50, "all of them came at once, just now");
        assert_eq!(come(&mut tide, 3, 11), 53);
        assert_eq!(come(&mut tide, 1, 12), 4, "the first window is over for long");
        assert_eq!(tide.lately(Instant::from_millis(14_000), PAUSE), 0);
        assert_eq!(come(&mut tide, 1, 20), 1);
    }
}
