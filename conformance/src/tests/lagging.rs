//! A reader that falls behind, and finds its way back to an exact mirror of the members.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use swim_driver::surface::{Event, EventKind, Events, Handle, Member, MemberChange, Name, Notice};

use crate::{
    nodes::{change, cluster, quick, start},
    platform::Platform,
    waiting::{until, within},
};

/// The recipe: events fold into the mirror; after a lag the snapshot replaces it, and events that
/// are part of the snapshot are skipped.
struct Mirror {
    members: BTreeMap<Name, Arc<Member>>,
    next_seq: u64,
    lags: u32,
}

impl Mirror {
    fn read(&mut self, handle: &Handle, notice: Notice) {
        match notice {
            Notice::Event(Event { seq, .. }) if seq < self.next_seq => {}
            Notice::Event(event) => {
                assert_eq!(event.seq, self.next_seq, "no hole but an announced one");
                self.next_seq = event.seq + 1;
                self.fold(event.kind);
            }
            Notice::Lagged { missed } => {
                assert!(missed > 0);
                self.lags += 1;
                let snapshot = handle.snapshot();
                self.next_seq = snapshot.next_seq;
                let members = snapshot.members.into_iter();
                self.members = members.map(|member| (member.name.clone(), member)).collect();
            }
        }
    }

    fn fold(&mut self, kind: EventKind) {
        match kind {
            EventKind::Member { change: MemberChange::Reaped, member } => {
                self.members.remove(&member.name);
            }
            EventKind::Member { member, .. } => {
                self.members.insert(member.name.clone(), member);
            }
            _ => {}
        }
    }

    /// Whether everything was read; then mirror and members are the same.
    fn check(&self, handle: &Handle) -> bool {
        let snapshot = handle.snapshot();
        if snapshot.next_seq != self.next_seq {
            return false;
        }
        assert_eq!(snapshot.members.len(), self.members.len());
        assert!(snapshot.members.iter().eq(self.members.values()));
        true
    }
}

async fn read_all(mirror: &mut Mirror, handle: &Handle, events: &mut Events) {
    while !mirror.check(handle) {
        mirror.read(handle, events.next().await.unwrap());
    }
}

pub async fn a_reader_that_lags_is_told_once_and_resumes_exactly<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a").events_capacity(4)).await;
    let mut mirror = Mirror { members: BTreeMap::new(), next_seq: 0, lags: 0 };
    read_all(&mut mirror, &a, &mut events).await;
    assert_eq!((mirror.members.len(), mirror.lags), (1, 0));

    let mut others = Vec::new();
    for n in 0..6 {
        let (other, events) = start(quick::<P>(&format!("b{n}"))).await;
        other.join([a.addr().to_string()]).await.unwrap();
        others.push((other, events));
    }
    until::<P>("they are there", || a.members().len() == 7).await;
    assert!(a.io_stats().events_missed > 0);
    read_all(&mut mirror, &a, &mut events).await;
    assert_eq!((mirror.members.len(), mirror.lags), (7, 1), "once per overflow");

    drop(others.split_off(3));
    until::<P>("they are gone", || a.members().len() == 4).await;
    read_all(&mut mirror, &a, &mut events).await;
    assert_eq!(mirror.members.values().filter(|member| member.state.is_live()).count(), 4);

    // From then on, a reader that keeps up misses nothing.
    let (lags, c) = (mirror.lags, start(quick::<P>("c")).await);
    let joined = P::spawn({
        let addr = a.addr().to_string();
        async move {
            c.0.join([addr]).await.unwrap();
            c
        }
    });
    while a.member("c").is_none() || !mirror.check(&a) {
        let notice = within::<P, _>(Duration::from_millis(5), events.next()).await;
        if let Some(notice) = notice {
            mirror.read(&a, notice.unwrap());
        }
    }
    let _c = joined.await;
    assert_eq!(mirror.lags, lags);
}

pub async fn a_reader_that_is_gone_holds_nobody_up<P: Platform>() {
    let mut nodes = cluster::<P>(2).await;
    let (b, events) = nodes.pop().unwrap();
    drop(events);
    for n in 0..100_u8 {
        b.update_meta([n].to_vec()).await.unwrap();
    }
    change::<P>(&mut nodes[0].1, "b", MemberChange::Updated).await;
    assert_eq!(b.io_stats().events_missed, 0);
}
