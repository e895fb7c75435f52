//! `swim decode`: captured packets and streams in words, one line of JSON for each message.

mod input;
mod origin;
mod pcap;
mod record;
mod tcp;

use std::{
    io::{self, BufWriter, Write},
    net::{IpAddr, SocketAddr},
    process::ExitCode,
};

use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use swim_tokio::{
    Dialect, Label,
    inspect::{Conversation, Explanation, Inspector},
};

use self::{
    origin::Origin,
    pcap::Capture,
    tcp::{Connection, Connections},
};
use crate::{args::DecodeArgs, failure::Failure, keys};

/// Explains what was captured.
///
/// # Errors
///
/// When there is nothing to explain, or nowhere to write it.
pub(crate) fn run(args: &DecodeArgs) -> Result<ExitCode, Failure> {
    let label = Label::new(&args.label).map_err(|error| {
        Failure::Usage(format!("--label {:?}: {error}; see `swim help decode`", args.label))
    })?;
    let keyring = keys::keyring(args.keys.clone(), args.keyring.as_deref())?;
    let mut inspector = Inspector::new(args.dialect, &label, keyring);
    let inputs = args.inputs.iter().map(|word| input::read(word)).collect::<Result<Vec<_>, _>>()?;
    let mut report = Report::new(BufWriter::new(io::stdout().lock()));
    let capture = match &inputs[..] {
        [file] => Capture::open(file)
            .map_err(|problem| Failure::Runtime(format!("{}: {problem}", args.inputs[0])))?,
        _ => None,
    };
    if capture.is_some() && args.stream {
        let problem = "--stream: a pcap file says by itself what is a stream: leave it out";
        return Err(Failure::Usage(format!("{problem}; see `swim help decode`")));
    }
    if let Some(capture) = capture {
        let left_out = report.capture(&mut inspector, capture, args.port)?;
        if left_out > 0 {
            let text = "were cut when captured, or came in fragments, and are left out";
            let _ = writeln!(io::stderr(), "swim: {left_out} frames {text}");
        }
        return report.end();
    }
    match &inputs[..] {
        [request] if args.stream => report.conversation(&inspector.stream(request, &[])),
        [request, answer] => report.conversation(&inspector.stream(request, answer)),
        _ => inputs.iter().try_for_each(|data| report.said(&inspector.packet(data), None)),
    }?;
    report.end()
}

/// The lines about a capture without keys; none if `file` is no pcap file.
///
/// # Errors
///
/// What to do with a capture that can't be read here.
pub(crate) fn lines_of(file: &[u8], dialect: Dialect) -> Result<Option<Vec<u8>>, String> {
    let Some(capture) = Capture::open(file)? else { return Ok(None) };
    let mut inspector = Inspector::new(dialect, &Label::default(), None);
    let mut report = Report::new(Vec::new());
    report.capture(&mut inspector, capture, None).map_err(|failure| failure.to_string())?;
    Ok(Some(report.out))
}

/// What was said so far, and whether all of it was understood.
struct Report<W> {
    out: W,
    is_understood: bool,
}

impl<W: Write> Report<W> {
    fn new(out: W) -> Self {
        Self { out, is_understood: true }
    }

    /// Explains what UDP carried as it came, and then what TCP did, connection by connection.
    /// Returns how many frames are left out.
    fn capture(
        &mut self,
        inspector: &mut Inspector,
        capture: Capture<'_>,
        port: Option<u16>,
    ) -> Result<u64, Failure> {
        let (mut connections, mut left_out) = (Connections::default(), 0_u64);
        for frame in capture {
            let Ok(sliced) = frame.slice() else {
                left_out += 1;
                continue;
            };
            let Some((ends, transport)) = sliced.as_ref().and_then(transport_of) else {
                let is_fragment = sliced.is_some_and(|packet| packet.is_ip_payload_fragmented());
                left_out += u64::from(is_fragment);
                continue;
            };
            if port.is_some_and(|port| ends.iter().all(|end| end.port() != port)) {
                continue;
            }
            if frame.is_cut {
                left_out += 1;
                continue;
            }
            match transport {
                Transport::Udp(data) => {
                    let origin = Origin::new(frame.time, "udp", ends);
                    self.said(&inspector.packet(data), Some(&origin))?;
                }
                Transport::Tcp(segment) => connections.add(frame.time, ends, segment),
            }
        }
        connections.finish().try_for_each(|connection| self.connection(inspector, &connection))?;
        self.is_understood &= left_out == 0;
        Ok(left_out)
    }

    fn connection(
        &mut self,
        inspector: &mut Inspector,
        connection: &Connection,
    ) -> Result<(), Failure> {
        let Connection { dialer, listener } = connection;
        let Conversation { request, answer } = inspector.stream(&dialer.bytes(), &listener.bytes());
        for (frames, from, to) in [(request, dialer, listener), (answer, listener, dialer)] {
            let Some(time) = from.time else { continue };
            let origin = Origin::new(time, "tcp", [from.addr, to.addr]);
            frames.iter().try_for_each(|frame| self.said(frame, Some(&origin)))?;
        }
        Ok(())
    }

    fn conversation(&mut self, said: &Conversation) -> Result<(), Failure> {
        let Conversation { request, answer } = said;
        request.iter().chain(answer).try_for_each(|frame| self.said(frame, None))
    }

    fn said(&mut self, said: &Explanation, origin: Option<&Origin>) -> Result<(), Failure> {
        self.is_understood &= said.is_understood();
        for line in record::lines(said, origin) {
            printed(writeln!(self.out, "{line}"))?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<ExitCode, Failure> {
        printed(self.out.flush())?;
        Ok(if self.is_understood { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What is in a packet of IP, and between whom.
enum Transport<'p> {
    Udp(&'p [u8]),
    Tcp(&'p TcpSlice<'p>),
}

fn transport_of<'p>(packet: &'p SlicedPacket<'_>) -> Option<([SocketAddr; 2], Transport<'p>)> {
    let [from, to]: [IpAddr; 2] = match packet.net.as_ref()? {
        NetSlice::Ipv4(ip) => {
            [ip.header().source_addr().into(), ip.header().destination_addr().into()]
        }
        NetSlice::Ipv6(ip) => {
            [ip.header().source_addr().into(), ip.header().destination_addr().into()]
        }
        NetSlice::Arp(_) => return None,
    };
    let (ports, transport) = match packet.transport.as_ref()? {
        TransportSlice::Udp(udp) => {
            ([udp.source_port(), udp.destination_port()], Transport::Udp(udp.payload()))
        }
        TransportSlice::Tcp(tcp) => {
            ([tcp.source_port(), tcp.destination_port()], Transport::Tcp(tcp))
        }
        TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_) | TransportSlice::Igmp(_) => {
            return None;
        }
    };
    Some(([SocketAddr::new(from, ports[0]), SocketAddr::new(to, ports[1])], transport))
}

fn printed(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| Failure::Runtime(format!("cannot print: {error}")))
}
