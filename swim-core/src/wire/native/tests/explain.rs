//! What is explained is what a node reads, but for whom, how old, and how often.

use super::*;
use crate::{explanation::Explanation, name::named};

const NACK: Message<'static> = Message::Nack(Nack { nonce: 5 });
const DIRECT: Message<'static> = Message::Direct(b"hello");

fn kinds(said: &Explanation) -> Vec<(&'static str, Option<usize>)> {
    said.messages.iter().map(|message| (message.kind, message.at)).collect()
}

fn layers(said: &Explanation) -> Vec<(&'static str, Option<usize>)> {
    said.layers.iter().map(|layer| (layer.name, layer.at)).collect()
}

fn refusals(said: &[Explanation]) -> Vec<(&'static str, Option<usize>, Reject)> {
    let all = said.iter().flat_map(|said| &said.refused);
    all.map(|refusal| (refusal.layer, refusal.at, refusal.reject)).collect()
}

#[test]
fn a_packet_is_explained_whoever_it_is_for_and_however_often_it_comes() {
    for (setup, header_len) in [(PLAIN, 10), (SEALED, 22)] {
        let (mut alice, mut eve) = (node(setup, "alice"), node(setup, "eve"));
        let data = packet(&mut alice, &[NACK, DIRECT]);
        assert_eq!(outcome(&mut eve, &data), Err(Reject::NotForUs));
        for _ in 0..2 {
            let said = eve.explain_packet(&data);
            assert!(said.is_understood(), "{said:?}");
            assert_eq!(layers(&said), [("header", Some(0)), ("preamble", Some(header_len))]);
            let sender = &said.layers[1].fields[4];
            assert_eq!(*sender, ("sender", "alice".into()));
            let begin = said.messages[0].at.unwrap();
            assert_eq!(data[..begin].len(), header_len + 28, "behind the preamble");
            assert_eq!(kinds(&said), [("nack", Some(begin)), ("direct", Some(begin + 11))]);
            assert_eq!(said.messages[1].fields, [("payload", (&b"hello"[..]).into())]);
        }
    }
}

#[test]
fn what_is_changed_or_cut_is_refused_as_a_node_does_it() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        let data = packet(&mut alice, &[NACK, DIRECT]);
        let changed = (0..data.len() * 8).map(|bit| {
            let mut changed = data.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        });
        let cut = (0..data.len()).map(|len| data[..len].to_vec());
        for bytes in changed.chain(cut) {
            let expected = outcome(&mut bob, &bytes).unwrap_err();
            let said = bob.explain_packet(&bytes);
            let rejects: Vec<_> = said.refused.iter().map(|refusal| refusal.reject).collect();
            assert_eq!(rejects, [expected], "{said:?}");
        }
    }
}

#[test]
fn bad_parts_are_refused_at_their_place_and_unknown_ones_shown() {
    let parts = [forged_part(200, b"new"), forged_part(5, &[0; 8]), forged_part(5, &[0; 7])];
    let body = forged_body(1, &parts.concat());
    let said = node(PLAIN, "eve").explain_packet(&forged_packet("prod", &body));
    let begin = 10 + forged_body(1, &[]).len();
    assert_eq!(kinds(&said), [("unknown", Some(begin)), ("nack", Some(begin + 6))]);
    let refused = [("message", Some(begin + 17), Reject::Malformed)];
    assert_eq!(refusals(&[said]), refused);
}

#[test]
fn a_stream_is_explained_frame_by_frame_and_so_is_its_answer() {
    for (setup, broken) in [(PLAIN, "checksum"), (SEALED, "seal")] {
        let (mut alice, mut bob) = pair(setup);
        let (mut asks, mut hears) = (Channel::dialer(), Channel::listener());
        let long = [7; 300];
        let head = frame(&mut alice, &mut asks, &[Message::StatePiece(&long)], false);
        let tail = frame(&mut alice, &mut asks, &[Message::Delivered], true);
        assert_eq!(frame_outcome(&mut bob, &mut hears, &head), Ok(1));
        let mut writer =
            bob.begin_frame(NOON, Sender { name: named("bob"), ..ALICE }, Some(TO_ALICE));
        assert!(writer.push(&Message::Delivered));
        let answer = bob.finish_frame(writer, &mut hears, true);
        let request = [&head[..], &tail].concat();

        let mut eve = node(setup, "eve");
        let mut listener = Channel::listener();
        let said = eve.explain_stream(&mut listener, &request);
        assert_eq!(refusals(&said), []);
        let names: Vec<Vec<_>> = said.iter().map(kinds).collect();
        let second = said[1].messages[0].at;
        assert_eq!(names, [[("state_piece", None)], [("delivered", second)]]);
        assert!(second > Some(head.len()), "counted from the start of the stream");
        assert_eq!(said[0].layers[1].name, "compression");
        let said = eve.explain_stream(&mut listener.other_end(), &answer);
        assert_eq!((refusals(&said), said[0].messages.len()), (Vec::new(), 1));

        let cut = eve.explain_stream(&mut Channel::listener(), &request[..request.len() - 1]);
        assert_eq!(refusals(&cut), [("frame", Some(head.len()), Reject::Truncated)]);
        let half = eve.explain_stream(&mut Channel::listener(), &head);
        assert_eq!(refusals(&half), [("stream", Some(head.len()), Reject::Truncated)]);
        let swapped = eve.explain_stream(&mut Channel::listener(), &tail);
        assert_eq!(refusals(&swapped)[0].0, broken);
        let more = eve.explain_stream(&mut Channel::listener(), &[&request[..], &[0]].concat());
        assert_eq!(refusals(&more), [("frame", Some(request.len()), Reject::Misplaced)]);
    }
}
