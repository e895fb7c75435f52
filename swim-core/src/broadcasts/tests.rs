//! Broadcasts: once each, in time, and a digest that two logs agree on.

use super::*;
use crate::name::named;
use crate::table::MemberIndex;

const LIFETIME: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_millis(400);

fn at(millis: u64) -> Instant {
    Instant::from_millis(1_000_000 + millis)
}

fn broadcast(id: u64, age_millis: u32) -> Broadcast<'static> {
    Broadcast { origin: named("a"), life: 1, id, age_millis, payload: b"hello" }
}

fn member(n: u32) -> MemberIndex {
    MemberIndex::new(n)
}

#[test]
fn e4_a_broadcast_is_new_once_and_never_past_its_lifetime() {
    let mut log = Broadcasts::new(LIFETIME);
    assert_eq!(log.hear(&broadcast(1, 10), 0, at(0)), Heard::New);
    assert_eq!(log.hear(&broadcast(1, 10), 0, at(5)), Heard::Repeated);
    assert_eq!(log.hear(&broadcast(2, 30_001), 0, at(5)), Heard::Stale);
    log.expire(at(50_000));
    assert_eq!(log.hear(&broadcast(1, 29_000), 0, at(50_000)), Heard::Repeated);
}

#[test]
fn e4_a_node_that_has_just_begun_passes_the_old_on_as_old_as_they_are() {
    let mut log = Broadcasts::new(LIFETIME);
    let now = Instant::from_millis(2_000);
    assert_eq!(log.hear(&broadcast(1, 20_000), 0, now), Heard::New);
    assert_eq!(log.at(0, now + Duration::from_secs(1)).age_millis, 21_000);
    assert_ne!(log.digest(now, WINDOW), 0, "it is as old as with the others");
    assert_eq!(log.digest(now + Duration::from_millis(2_500), WINDOW), 0);
    assert_eq!(log.changed_at(), Instant::ORIGIN, "and nothing new");
}

#[test]
fn m2_what_is_past_repair_keeps_no_payload() {
    let mut log = Broadcasts::new(LIFETIME);
    log.hear(&broadcast(1, 0), 0, at(0));
    log.hear(&broadcast(2, 25_000), 0, at(0));
    log.digest(at(23_000), WINDOW);
    let audience = Audience { to: member(1), everybody: None, limit: 1 };
    log.fill(audience, at(23_000), |_| Offer::Taken, |_, _| {});
    assert!(log.log.iter().all(|entry| entry.payload.is_empty() && !entry.waiting));
}

#[test]
fn e4_what_was_forgotten_for_lack_of_room_does_not_come_back() {
    let mut log = Broadcasts::new(LIFETIME);
    for id in 0..=BROADCASTS_MAX as u64 {
        assert_eq!(log.hear(&broadcast(id, 0), 0, at(id * 2)), Heard::New);
    }
    assert_eq!((log.log.len(), log.dropped()), (BROADCASTS_MAX, 1));
    let age = u32::try_from(BROADCASTS_MAX * 2).unwrap();
    assert_eq!(log.hear(&broadcast(0, age), 0, at(u64::from(age))), Heard::Stale);
}

#[test]
fn digests_agree_whatever_the_order_and_differ_by_a_hole() {
    let mut one = Broadcasts::new(LIFETIME);
    let mut other = Broadcasts::new(LIFETIME);
    for id in 0..20 {
        one.hear(&broadcast(id, 0), 0, at(id * 10));
    }
    for id in (0..20).rev().filter(|&id| id != 7) {
        other.hear(&broadcast(id, u32::try_from(200 - id * 10).unwrap()), 0, at(200));
    }
    let now = at(2_000);
    assert_ne!(one.digest(now, WINDOW), other.digest(now, WINDOW));
    let (missing, unknown) = one.missing_from(&other.summary(1000), now);
    assert!(!unknown);
    let ids: Vec<u64> = missing.iter().map(|&place| one.at(place, now).id).collect();
    assert_eq!(ids, [7]);
    assert!(other.missing_from(&one.summary(1000), now).1);
    other.hear(&one.at(missing[0], now), 0, now);
    assert_eq!(one.digest(now, WINDOW), other.digest(now, WINDOW));
    for seconds in [20, 23, 25, 61, 70] {
        let now = at(seconds * 1000);
        assert_eq!(one.digest(now, WINDOW), other.digest(now, WINDOW), "after {seconds} s");
    }
    assert_eq!(one.digest(at(70_000), WINDOW), 0);
}

#[test]
fn the_fresh_are_not_in_the_digest_yet() {
    let mut log = Broadcasts::new(LIFETIME);
    log.hear(&broadcast(1, 0), 0, at(0));
    assert_eq!(log.digest(at(399), WINDOW), 0);
    assert_ne!(log.digest(at(400), WINDOW), 0);
}

#[test]
fn sends_go_to_distinct_peers_fewest_first_and_stop_at_the_limit() {
    let mut log = Broadcasts::new(LIFETIME);
    let name = Name::new("a").unwrap();
    log.issue(&name, 1, 1, Bytes::from_static(b"x"), at(0));
    log.issue(&name, 1, 2, Bytes::from_static(b"y"), at(1));
    let mut done = Vec::new();
    let mut fetch = |log: &mut Broadcasts, to: u32, room: usize| {
        let mut ids = Vec::new();
        let offer = |b: &Broadcast<'_>| {
            let fits = ids.len() < room;
            if fits {
                ids.push(b.id);
            }
            if fits { Offer::Taken } else { Offer::TooLarge }
        };
        let audience = Audience { to: member(to), limit: 2, everybody: None };
        log.fill(audience, at(5), offer, |id, sends| done.push((id, sends)));
        ids
    };
    assert_eq!(fetch(&mut log, 3, 1), [2]);
    assert_eq!(fetch(&mut log, 3, 9), [1]);
    assert_eq!(fetch(&mut log, 3, 9), [0; 0]);
    assert_eq!(fetch(&mut log, 4, 9), [2, 1]);
    assert!(!log.is_waiting());
    assert_eq!(done, [(2, 2), (1, 2)]);
}

#[test]
fn what_crosses_an_edge_of_the_digest_is_no_hole() {
    let mut one = Broadcasts::new(LIFETIME);
    let mut other = Broadcasts::new(LIFETIME);
    for id in 0..2_000 {
        let now = at(id * 20);
        one.hear(&broadcast(id, 0), 0, now);
        other.hear(&broadcast(id, 1), 0, now);
        let theirs = other.digest(now, WINDOW);
        assert!(one.agrees(theirs, now, WINDOW), "{id}");
        let late = now + Duration::from_millis(45);
        assert!(one.agrees(theirs, late, WINDOW), "{id}, after a journey");
    }
}

#[test]
fn a_hole_is_no_matter_of_edges() {
    let mut one = Broadcasts::new(LIFETIME);
    let mut other = Broadcasts::new(LIFETIME);
    for id in 0..100 {
        let now = at(id * 20);
        one.hear(&broadcast(id, 0), 0, now);
        if id != 50 {
            other.hear(&broadcast(id, 0), 0, now);
        }
    }
    let now = at(2_000);
    let theirs = other.digest(now, WINDOW);
    assert!(!one.agrees(theirs, now, WINDOW));
    let ours = one.digest(now, WINDOW);
    assert!(!other.agrees(ours, now, WINDOW));
}

/// Whoever names himself by the beginning of another's name can't have the same bytes hashed.
#[test]
fn x4_no_two_broadcasts_are_told_apart_by_the_same_bytes() {
    let (life, id) = (0x0102_0304_0506_0708_u64, 0x1112_1314_1516_1718_u64);
    let bytes = [&b"b"[..], &life.to_le_bytes(), &id.to_le_bytes(), b"words"].concat();
    let (first, rest) = bytes.split_at(8);
    let (second, payload) = rest.split_at(8);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let twin = hash(named("we"), number(first), number(second), payload);
    assert_ne!(hash(named("web"), life, id, b"words"), twin);
}
