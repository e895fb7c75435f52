//! Every sample of real traffic, read and written again by us, is taken by one of Go's nodes and by
//! one of ours: what it asks for is done, what it tells is known, and nobody complains.

use std::collections::BTreeMap;

use swim_core::inspect::Explained;

use crate::{
    samples::{Place, Run, Sample, runs, text},
    stand::{Agents, Stand},
};

/// How many samples of each place are sent.
const SENT: [(Place, usize); 3] =
    [(Place::Packet, 501), (Place::Request, 75), (Place::Response, 49)];

/// How many are not, by why.
const LEFT_OUT: [(&str, usize); 2] = [(LABEL, 101), (ANSWER, 24)];

/// Why a sample can't be sent to Go's library as Debian has it. How either kind reads the other's
/// acks on streams is tested in `fallback.rs`.
const LABEL: &str = "memberlist 0.2.2 knows no labels";
const ANSWER: &str = "an ack on a stream must have the number of the ping before it";

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn o2_every_sample_written_again_is_taken() {
    let runs = runs();
    let agents = Agents::all();
    let (mut sent, mut left_out) = (BTreeMap::new(), BTreeMap::new());
    for run in &runs {
        let mut stand: Option<Stand<'_>> = None;
        for sample in &run.samples {
            let said = sample.said(run);
            if let Some(why) = why_not(run, sample, &said) {
                *left_out.entry(why).or_default() += 1;
                continue;
            }
            let (again, name) = (sample.again(run), &reader(&said));
            if sample.place == Place::Response {
                Stand::response(run, &agents, name, &again, &said).finish();
            } else {
                let fits = stand.take_if(|stand| !stand.is_news(name, &said));
                fits.into_iter().for_each(Stand::finish);
                let stand = stand.get_or_insert_with(|| Stand::start(run, &agents, name));
                match sample.place {
                    Place::Packet => stand.packet(&again, &said),
                    _ => stand.request(&again, &said),
                }
            }
            *sent.entry(sample.place).or_default() += 1;
        }
        stand.into_iter().for_each(Stand::finish);
        println!("{}: {sent:?}, {left_out:?}", run.name);
    }
    assert_eq!((sent, left_out), (SENT.into(), LEFT_OUT.into()));
}

fn why_not(run: &Run, sample: &Sample, said: &[Explained]) -> Option<&'static str> {
    if !run.label.is_empty() {
        Some(LABEL)
    } else if sample.place == Place::Response && said[0].kind == "ack" {
        Some(ANSWER)
    } else {
        None
    }
}

/// Who must read it to be meant.
fn reader(said: &[Explained]) -> String {
    let ping = said.iter().find(|it| it.kind == "ping");
    ping.map_or("nobody".into(), |ping| text(ping, "node"))
}
