//! A loop on a plain thread, with nothing but `std::net`. It sleeps in one call: reading a
//! datagram, with a time limit that is the node's next deadline. Streams have threads of their own,
//! which wake it with an empty datagram.

use std::{
    io,
    net::{TcpListener, TcpStream},
    ops::ControlFlow,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use swim_core::{Event, Input, Node, Output};

use crate::{
    ground::{Clock, Ports, Wall},
    threads::{Said, Streams, Teller},
};

/// Runs `node` until `look`, which sees it in every turn and with every event, has seen enough.
///
/// # Errors
///
/// The sockets break.
pub fn run(
    mut node: Node,
    clock: Clock,
    ports: Ports,
    mut look: impl FnMut(&Node, Option<&Event>) -> ControlFlow<()>,
) -> io::Result<()> {
    let Ports { udp, tcp, addr } = ports;
    let udp = Arc::new(udp);
    let (sender, reports) = sync_channel(REPORTS_MAX);
    let teller = Teller { sender, bell: Arc::clone(&udp), addr };
    let mut streams = Streams::new(teller.clone());
    thread::spawn(move || accept(&tcp, &teller));
    let (mut wall, mut tick_at, mut buffer) = (Wall::default(), None, vec![0; 65_536]);
    loop {
        let mut is_over = look(&node, None).is_break();
        while let Some(output) = node.poll_output() {
            match output {
                Output::SendPacket { to, data } => drop(udp.send_to(&data, to)), // Or it is lost.
                Output::ScheduleTimer { at, why: _ } => tick_at = Some(at),
                Output::Event(event) => is_over |= look(&node, Some(&event)).is_break(),
                Output::Dial { id, to } => streams.dial(id, to),
                Output::Write { id, data } => streams.write(id, data),
                Output::Close { id } => streams.close(id, clock.now()),
                Output::Abort { id } => streams.abort(id),
            }
        }
        if is_over {
            drop((reports, streams)); // Nobody is told anything any more: so all threads end.
            drop(TcpStream::connect(addr)); // The one that listens has to notice.
            return Ok(());
        }
        let due_at = tick_at.into_iter().chain(streams.due_at()).min();
        udp.set_read_timeout(due_at.map(|at| clock.until(at)))?;
        match udp.recv_from(&mut buffer) {
            Ok((0, _)) => {}
            Ok((len, from)) => {
                node.handle(clock.now(), Input::Packet { from, data: &buffer[..len] });
            }
            // The time is over, or it is about a datagram that could not be delivered.
            Err(_) => {}
        }
        let now = clock.now();
        reports.try_iter().take(REPORTS_MAX).for_each(|said| streams.hear(said, &mut node, now));
        streams.tidy(now);
        if tick_at.is_some_and(|at| now >= at) {
            tick_at = None;
            wall.tell(&mut node, now);
            node.handle(now, Input::Tick);
        }
    }
}

/// Takes what peers open. An error passes by, as when there is no file descriptor left.
fn accept(tcp: &TcpListener, teller: &Teller) {
    loop {
        let accepted = tcp.accept();
        let pause = if accepted.is_ok() { Duration::ZERO } else { PAUSE };
        if !teller.tell(Said::Accepted(accepted)) {
            return;
        }
        thread::sleep(pause);
    }
}

/// How long to wait after an error before streams are taken again.
const PAUSE: Duration = Duration::from_millis(100);

/// What the streams have to say beyond this has to wait.
const REPORTS_MAX: usize = 64;
