//! What is explained is what a node reads: of real traffic, and of whatever becomes of it when it
//! is changed or cut.

use rand_core::Rng as _;

use super::{
    super::leaf::{self, Leaf},
    samples::{Place, Run, Sample, runs},
    *,
};
use crate::explanation::Explanation;

/// What a sample's file calls the layers.
fn layer_names(sample: &Sample) -> Vec<&'static str> {
    let name = |layer: &&'static str| match layer.split(':').next() {
        Some("label") => Some("label"),
        Some("encrypt") => Some("envelope"),
        Some("crc") => Some("checksum"),
        Some("compress") => Some("compression"),
        Some("compound") => Some("compound"),
        _ => None,
    };
    sample.layers.iter().filter_map(name).collect()
}

fn explained(run: &Run, sample: &Sample, bytes: &[u8]) -> Explanation {
    let wire = run.reader_of(sample);
    match sample.place {
        Place::Packet => wire.explain_packet(bytes),
        Place::Request | Place::Response => {
            let mut said = wire.explain_stream(bytes, sample.place == Place::Request);
            said.pop().unwrap_or_default()
        }
    }
}

/// What a node would refuse of it, one thing after the other.
fn refused(run: &Run, sample: &Sample, mut bytes: &[u8]) -> (Vec<Reject>, Option<Reject>) {
    let (mut wire, mut scratch) = (run.reader_of(sample), Vec::new());
    let mut channel = match sample.place {
        Place::Packet => {
            return match wire.open_packet(None, bytes, &mut scratch) {
                Ok(opened) => (opened.refused.to_vec(), None),
                Err(reject) => (Vec::new(), Some(reject)),
            };
        }
        Place::Request => Channel::listener(),
        Place::Response => Channel::dialer(),
    };
    let mut refused = Vec::new();
    loop {
        match wire.open_frame(None, &mut channel, &mut bytes, &mut scratch) {
            Ok(Some(opened)) => refused.extend_from_slice(&opened.refused),
            Ok(None) => break,
            Err(reject) => return (refused, Some(reject)),
        }
    }
    (refused, (!channel.has_received_all()).then_some(Reject::Truncated))
}

#[test]
fn real_traffic_is_explained_as_a_whole() {
    let mut count = 0;
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            let about = alloc::format!("{} {at} {:?}", run.name, sample.layers);
            let said = explained(&run, sample, &sample.bytes);
            assert!(said.is_understood(), "{about}: {said:?}");
            let is_around = |name: &&str| *name != "frame" && *name != "compound";
            let layers: Vec<&str> =
                said.layers.iter().map(|layer| layer.name).filter(is_around).collect();
            let expected: Vec<&str> =
                layer_names(sample).into_iter().filter(|name| *name != "compound").collect();
            assert_eq!(layers, expected, "{about}");
            if sample.place == Place::Packet {
                assert_eq!(said.messages.len(), sample.says.len(), "{about}");
            }
            for (message, line) in said.messages.iter().zip(&sample.says) {
                let kind = line.split(' ').next().unwrap().replace('-', "_");
                let kind = if kind == "state" { "user_state".into() } else { kind };
                assert_eq!(message.kind, kind, "{about}");
            }
            count += 1;
        }
    }
    assert_eq!(count, 574 + 176);
}

#[test]
fn what_is_changed_or_cut_is_refused_as_a_node_does_it() {
    let mut luck = ChaCha8Rng::from_seed([9; 32]);
    let mut refusals = 0;
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            for round in 0..6 {
                let mut bytes = sample.bytes.clone();
                let place = luck.next_u32() as usize % bytes.len();
                if round == 0 {
                    bytes.truncate(place);
                } else {
                    bytes[place] ^= 1 << (luck.next_u32() % 8);
                }
                if bytes.is_empty() {
                    continue;
                }
                let (left_out, verdict) = refused(&run, sample, &bytes);
                if left_out.contains(&Reject::NotForUs) || verdict == Some(Reject::NotForUs) {
                    continue; // Whom it is for does not matter here.
                }
                let said = explained(&run, sample, &bytes);
                let why: Vec<Reject> = said.refused.iter().map(|refusal| refusal.reject).collect();
                let about = alloc::format!("{} {at}: {}: {said:?}", run.name, hex(&bytes));
                match verdict {
                    Some(reject) => assert!(why.contains(&reject), "{reject}: {about}"),
                    None => assert_eq!(why, left_out, "{about}"),
                }
                refusals += usize::from(!why.is_empty());
            }
        }
    }
    assert!(refusals > 2000, "{refusals} refusals");
}

#[test]
fn one_probe_of_a_packet_is_explained_and_the_others_refused() {
    let ping = bytes("0081a55365714e6f05");
    let mut parts = Vec::new();
    let lengths = [9; 3];
    for _ in lengths {
        parts.extend_from_slice(&ping);
    }
    let mut packet = Vec::new();
    compound::put(&lengths, &parts, &mut packet);
    let said = PLAIN.wire().explain_packet(&packet);
    let messages: Vec<_> = said.messages.iter().map(|message| (message.kind, message.at)).collect();
    assert_eq!(messages, [("ping", Some(8))]);
    let refused: Vec<_> = said.refused.iter().map(|refusal| (refusal.at, refusal.reject)).collect();
    assert_eq!(refused, [(Some(17), Reject::Excess), (Some(26), Reject::Excess)]);
}

/// What a node refuses is told with the reason: to see what was wrong is what people decode for.
#[test]
fn what_a_node_refuses_is_told_with_the_reason() {
    let said_of = |leaf: leaf::Alive<'_>| {
        let mut packet = Vec::new();
        Leaf::Alive(leaf).put(&mut packet);
        PLAIN.wire().explain_packet(&packet)
    };
    let meta = [b'm'; 513];
    let good = leaf::Alive {
        incarnation: 1,
        node: b"k",
        addr: &[10, 0, 0, 1],
        port: 1,
        meta: None,
        vsn: &[1, 5, 2, 0, 0, 0],
    };
    for (alive, reject) in [
        (leaf::Alive { vsn: &[1, 5], ..good }, Reject::Version),
        (leaf::Alive { incarnation: 0, ..good }, Reject::Implausible),
        (leaf::Alive { meta: Some(&meta), ..good }, Reject::Oversize),
    ] {
        let said = said_of(alive);
        let [message] = &said.messages[..] else { panic!("{said:?}") };
        assert_eq!((message.kind, message.fields[1].0), ("alive", "node"));
        let [refusal] = said.refused[..] else { panic!("{said:?}") };
        assert_eq!((refusal.layer, refusal.reject), ("message", reject));
        assert!(!said.is_understood());
    }
    assert!(said_of(good).is_understood());
    let table = "0681a54e6f6465730182a44e616d65a16ba5537461746509";
    let said = PLAIN.wire().explain_stream(&bytes(table), true);
    let kinds: Vec<_> = said[0].messages.iter().map(|message| message.kind).collect();
    assert_eq!(kinds, ["push_pull", "node"]);
    assert_eq!(said[0].refused[0].reject, Reject::Malformed);
}

/// While keys are being handed out, some packets are plain.
#[test]
fn with_a_key_at_hand_plain_packets_are_told_too() {
    let options = MemberlistOptions { verify_incoming: false, ..PLAIN.options };
    let wire = Setup { keys: &[&[9; 32]], options, ..PLAIN }.wire();
    let ping = bytes("0081a55365714e6f05");
    let said = wire.explain_packet(&ping);
    assert!(said.is_understood() && said.layers.is_empty(), "{said:?}");
    assert_eq!(said.messages[0].kind, "ping");
    // What is sealed with another key is no plain message.
    let mut other = Setup { keys: &[&[8; 32]], ..PLAIN }.wire();
    let mut writer = other.begin_packet(None);
    assert!(writer.push(&Message::Ping(Ping { nonce: 5, digest: Digest::default() })));
    let said = wire.explain_packet(&other.finish_packet(writer));
    let refused: Vec<_> = said.refused.iter().map(|it| (it.layer, it.reject)).collect();
    assert_eq!(refused, [("envelope", Reject::Decrypt)]);
    assert!(said.messages.is_empty());
    // And where all must be sealed, a plain one is no message.
    let strict = Setup { keys: &[&[9; 32]], ..PLAIN }.wire();
    assert!(strict.explain_packet(&ping).messages.is_empty());
}
