//! `swim decode`: captured packets and streams in words, one line of JSON for each message.

mod input;
mod origin;
mod record;

use std::{
    io::{self, BufWriter, StdoutLock, Write},
    process::ExitCode,
};

use swim_tokio::{
    Keyring, Label,
    inspect::{Conversation, Explanation, Inspector},
};

use self::origin::Origin;
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
    let mut inspector = Inspector::new(args.dialect, &label, keyring(args)?);
    let inputs = args.inputs.iter().map(|word| input::read(word)).collect::<Result<Vec<_>, _>>()?;
    let mut report = Report::new();
    match &inputs[..] {
        [request] if args.stream => report.conversation(&inspector.stream(request, &[])),
        [request, answer] => report.conversation(&inspector.stream(request, answer)),
        _ => inputs.iter().try_for_each(|data| report.said(&inspector.packet(data), None)),
    }?;
    report.end()
}

/// The keys of the command line; without any, those of a file or the environment.
fn keyring(args: &DecodeArgs) -> Result<Option<Keyring>, Failure> {
    let mut ring: Option<Keyring> = None;
    for text in &args.keys {
        let usage = |why: &dyn std::fmt::Display| Failure::Usage(format!("--key: {why}"));
        let key = keys::key(text).map_err(|why| usage(&why))?;
        match &mut ring {
            None => ring = Some(Keyring::new(key)),
            Some(ring) => {
                ring.add(key).map_err(|why| usage(&why))?;
            }
        }
    }
    match ring {
        Some(ring) => Ok(Some(ring)),
        None => keys::keyring(None, args.keyring.as_deref()),
    }
}

/// What was said so far, and whether all of it was understood.
struct Report {
    out: BufWriter<StdoutLock<'static>>,
    is_understood: bool,
}

impl Report {
    fn new() -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), is_understood: true }
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

fn printed(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| Failure::Runtime(format!("cannot print: {error}")))
}
