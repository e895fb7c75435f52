//! The command line: what `swim` was asked to do.

use std::{ffi::OsString, path::PathBuf};

use swim_tokio::{Dialect, Key, Keyring, MemberlistOptions, Name, Profile, VersionRange};
use tracing::level_filters::LevelFilter;

use crate::{
    change::Change,
    failure::Failure,
    help, keys,
    reader::{Grammar, Reader, Token, unknown, wrong},
    seed::Seed,
};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Run an agent.
    Agent(Box<AgentArgs>),
    /// Explain what was captured.
    Decode(DecodeArgs),
    /// Print a new key of so many bits.
    Keygen { bits: usize },
    /// Print this text.
    Print(&'static str),
}

/// How the agent runs. `swim help agent` explains each field under its name. Keys are read at once,
/// so that whoever shows this shows no more than their ids. (X17)
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AgentArgs {
    pub(crate) node: Option<Name>,
    pub(crate) bind: String,
    pub(crate) advertise: Option<String>,
    pub(crate) join: Vec<Seed>,
    pub(crate) profile: Profile,
    pub(crate) settings: Vec<Change>,
    pub(crate) encrypt: Option<Key>,
    pub(crate) keyring: Option<PathBuf>,
    pub(crate) label: String,
    pub(crate) dialect: Dialect,
    pub(crate) application: VersionRange,
    pub(crate) meta: String,
    pub(crate) output: Format,
    pub(crate) events: Shown,
    pub(crate) log_level: LevelFilter,
    pub(crate) control: Option<Control>,
    pub(crate) insecure_plaintext: bool,
}

/// What is explained, and how. `swim help decode` explains each field under its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DecodeArgs {
    pub(crate) dialect: Dialect,
    pub(crate) label: String,
    pub(crate) keys: Option<Keyring>,
    pub(crate) keyring: Option<PathBuf>,
    pub(crate) stream: bool,
    pub(crate) port: Option<u16>,
    /// Digits, or the names of files.
    pub(crate) inputs: Vec<String>,
}

/// How lines on stdout look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people: time, event, node and address, then `key=value`.
    Text,
    /// For programs: one object per line.
    Json,
}

/// Which events have lines on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Those that applications act on.
    Members,
    /// All: for programs that mirror the members, or watch over the node.
    All,
}

/// Where commands come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Standard input.
    Stdin,
}

/// Reads the arguments of the process, its own name left out.
///
/// # Errors
///
/// [`Failure::Usage`] says what can't be understood, and what comes close to it.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let mut reader = Reader::new(args, &SWIM);
    match reader.next()? {
        Some(Token::Word(word)) => match word.as_str() {
            "agent" => agent(reader.of(&AGENT)),
            "decode" => decode(reader.of(&DECODE)),
            "keygen" => keygen(reader.of(&KEYGEN)),
            "help" => help(reader.of(&HELP)),
            _ => Err(unknown(&SWIM, "command", &word, &COMMANDS)),
        },
        Some(Token::Flag("version")) => Ok(Invocation::Print(VERSION)),
        Some(Token::Flag(_)) => Ok(Invocation::Print(help::SWIM)),
        None => Err(wrong(&SWIM, "say what to do: agent, decode, keygen or help")),
    }
}

fn agent(mut reader: Reader) -> Result<Invocation, Failure> {
    let mut args = AgentArgs::default();
    let (mut is_memberlist, mut memberlist) = (false, MemberlistOptions::default());
    while let Some(flag) = reader.next_flag()? {
        match flag {
            "node" => args.node = Some(reader.parsed(flag)?),
            "bind" => args.bind = reader.address(flag)?,
            "advertise" => args.advertise = Some(reader.address(flag)?),
            "join" => args.join.push(reader.parsed(flag)?),
            "profile" => args.profile = reader.chosen(flag, &PROFILES)?,
            "set" => args.settings.push(reader.parsed(flag)?),
            "encrypt" => args.encrypt = Some(reader.secret(flag, keys::key)?),
            "keyring" => args.keyring = Some(reader.value(flag)?.into()),
            "label" => args.label = reader.text(flag)?,
            "application" => args.application = reader.read(flag, version_range)?,
            "dialect" => is_memberlist = reader.chosen(flag, &DIALECTS)?,
            "protocol" => memberlist.protocol.current = reader.chosen(flag, &PROTOCOLS)?,
            "compression" => memberlist.compression = reader.chosen(flag, &SWITCH)?,
            "gossip-verify-incoming" => {
                memberlist.verify_incoming = reader.chosen(flag, &SWITCH)?;
            }
            "gossip-verify-outgoing" => {
                memberlist.verify_outgoing = reader.chosen(flag, &SWITCH)?;
            }
            "skip-inbound-label-check" => memberlist.skip_inbound_label_check = true,
            "accept-padded" => memberlist.accept_padded = true,
            "meta" => args.meta = reader.text(flag)?,
            "output" => args.output = reader.chosen(flag, &FORMATS)?,
            "events" => args.events = reader.chosen(flag, &SHOWN)?,
            "log-level" => args.log_level = reader.chosen(flag, &LEVELS)?,
            "control" => args.control = Some(reader.chosen(flag, &CONTROLS)?),
            "insecure-plaintext" => args.insecure_plaintext = true,
            _ => return Ok(Invocation::Print(help::AGENT)),
        }
    }
    if args.encrypt.is_some() && args.keyring.is_some() {
        return Err(wrong(&AGENT, "--encrypt and --keyring can't be given both"));
    }
    if is_memberlist {
        args.dialect = Dialect::Memberlist(memberlist);
    } else if let Some(flag) = reader.given_of(&OF_MEMBERLIST) {
        return Err(wrong(&AGENT, of_memberlist(flag)));
    }
    Ok(Invocation::Agent(Box::new(args)))
}

fn of_memberlist(flag: &str) -> String {
    format!("--{flag} is for --dialect memberlist: give that too, or leave it out")
}

/// The versions of an application, as Serf's `2,5,5`.
fn version_range(text: &str) -> Result<VersionRange, &'static str> {
    let numbers: Result<Vec<u8>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[min, max, current]) if min <= current && current <= max => {
            Ok(VersionRange { min, max, current })
        }
        _ => Err("write the lowest, the highest and the spoken version, each 0 to 255, as 2,5,5"),
    }
}

fn decode(mut reader: Reader) -> Result<Invocation, Failure> {
    let mut args = DecodeArgs::default();
    let (mut is_memberlist, mut skip_inbound_label_check) = (false, false);
    while let Some(token) = reader.next()? {
        match token {
            Token::Word(word) => args.inputs.push(word),
            Token::Flag(flag) => match flag {
                "dialect" => is_memberlist = reader.chosen(flag, &DIALECTS)?,
                "skip-inbound-label-check" => skip_inbound_label_check = true,
                "label" => args.label = reader.text(flag)?,
                "key" => {
                    reader.secret(flag, |text| keys::add(&mut args.keys, keys::key(text)?))?;
                }
                "keyring" => args.keyring = Some(reader.value(flag)?.into()),
                "stream" => args.stream = true,
                "port" => args.port = Some(reader.parsed(flag)?),
                _ => return Ok(Invocation::Print(help::DECODE)),
            },
        }
    }
    if is_memberlist {
        // Whatever was captured is to be explained, whichever protocol it was, and whether or not
        // all of the cluster had keys already.
        args.dialect = Dialect::Memberlist(MemberlistOptions {
            accept_padded: true,
            verify_incoming: false,
            skip_inbound_label_check,
            ..Default::default()
        });
    } else if let Some(flag) = reader.given_of(&OF_MEMBERLIST) {
        return Err(wrong(&DECODE, of_memberlist(flag)));
    }
    if args.keys.is_some() && args.keyring.is_some() {
        return Err(wrong(&DECODE, "--key and --keyring can't be given both"));
    }
    let most = if args.stream { 2 } else { 1 };
    match args.inputs.len() {
        0 => Err(wrong(&DECODE, "say what to decode: hexadecimal digits, a file, or - for stdin")),
        given if given > most => Err(wrong(
            &DECODE,
            "there is a word too many: decode takes one packet, or with --stream a request and its \
             answer; digits with spaces must be quoted",
        )),
        _ => Ok(Invocation::Decode(args)),
    }
}

fn keygen(mut reader: Reader) -> Result<Invocation, Failure> {
    let mut bits = 256;
    while let Some(flag) = reader.next_flag()? {
        match flag {
            "bits" => bits = reader.chosen(flag, &BITS)?,
            _ => return Ok(Invocation::Print(help::KEYGEN)),
        }
    }
    Ok(Invocation::Keygen { bits })
}

fn help(mut reader: Reader) -> Result<Invocation, Failure> {
    let about = match reader.next()? {
        Some(Token::Word(word)) => match word.as_str() {
            "agent" => help::AGENT,
            "decode" => help::DECODE,
            "keygen" => help::KEYGEN,
            "help" => help::SWIM,
            _ => return Err(unknown(&HELP, "command", &word, &COMMANDS)),
        },
        Some(Token::Flag(_)) | None => help::SWIM,
    };
    Ok(Invocation::Print(about))
}

impl Default for AgentArgs {
    fn default() -> Self {
        Self {
            node: None,
            // The very first agent just runs, and bothers nobody.
            bind: "127.0.0.1:7946".into(),
            advertise: None,
            join: Vec::new(),
            profile: Profile::Lan,
            settings: Vec::new(),
            encrypt: None,
            keyring: None,
            label: String::new(),
            dialect: Dialect::Native,
            application: VersionRange::default(),
            meta: String::new(),
            output: Format::Text,
            events: Shown::Members,
            log_level: LevelFilter::INFO,
            control: None,
            insecure_plaintext: false,
        }
    }
}

const SWIM: Grammar = Grammar { name: "swim", flags: &["help", "version"], repeatable: &[] };
const HELP: Grammar = Grammar { name: "swim help", flags: &["help"], repeatable: &[] };
const KEYGEN: Grammar = Grammar { name: "swim keygen", flags: &["bits", "help"], repeatable: &[] };
const DECODE: Grammar = Grammar {
    name: "swim decode",
    flags: &[
        "dialect",
        "label",
        "skip-inbound-label-check",
        "key",
        "keyring",
        "stream",
        "port",
        "help",
    ],
    repeatable: &["key"],
};
const AGENT: Grammar = Grammar {
    name: "swim agent",
    flags: &[
        "node",
        "bind",
        "advertise",
        "join",
        "profile",
        "set",
        "encrypt",
        "keyring",
        "label",
        "application",
        "dialect",
        "protocol",
        "compression",
        "gossip-verify-incoming",
        "gossip-verify-outgoing",
        "skip-inbound-label-check",
        "accept-padded",
        "meta",
        "output",
        "events",
        "log-level",
        "control",
        "insecure-plaintext",
        "help",
    ],
    repeatable: &["join", "set"],
};
/// Flags that say how memberlist's dialect is spoken.
const OF_MEMBERLIST: [&str; 6] = [
    "protocol",
    "compression",
    "gossip-verify-incoming",
    "gossip-verify-outgoing",
    "skip-inbound-label-check",
    "accept-padded",
];
const COMMANDS: [&str; 4] = ["agent", "decode", "keygen", "help"];
const PROFILES: [(&str, Profile); 3] =
    [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];
/// Whether it is memberlist's.
const DIALECTS: [(&str, bool); 2] = [("native", false), ("memberlist", true)];
const PROTOCOLS: [(&str, u8); 5] = [("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5)];
const SWITCH: [(&str, bool); 2] = [("on", true), ("off", false)];
const FORMATS: [(&str, Format); 2] = [("text", Format::Text), ("json", Format::Json)];
const SHOWN: [(&str, Shown); 2] = [("members", Shown::Members), ("all", Shown::All)];
const CONTROLS: [(&str, Control); 1] = [("stdin", Control::Stdin)];
const BITS: [(&str, usize); 3] = [("128", 128), ("192", 192), ("256", 256)];
const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];
const VERSION: &str = concat!("swim ", env!("CARGO_PKG_VERSION"), "\n");

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

    fn of(line: &str) -> Result<Invocation, Failure> {
        parse(line.split_whitespace().map(Into::into))
    }

    fn agent_of(line: &str) -> AgentArgs {
        match of(line) {
            Ok(Invocation::Agent(args)) => *args,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn an_agent_needs_no_flags() {
        assert_eq!(agent_of("agent"), AgentArgs::default());
    }

    #[test]
    fn flags_are_read_in_any_order_and_both_forms() {
        let args = agent_of("agent --join=a --profile LOCAL --meta=--x --join [::1]:1 --bind lo:0");
        let join = vec!["a".parse().unwrap(), "[::1]:1".parse().unwrap()];
        let expected = AgentArgs {
            join,
            profile: Profile::Local,
            meta: "--x".into(),
            bind: "lo:0".into(),
            ..AgentArgs::default()
        };
        assert_eq!(args, expected);
    }

    #[test]
    fn what_memberlist_calls_its_settings_are_flags() {
        let options = MemberlistOptions::default();
        let args = agent_of("agent --dialect memberlist");
        assert_eq!(args.dialect, Dialect::Memberlist(options));
        let args = agent_of(
            "agent --gossip-verify-incoming off --dialect memberlist --protocol 1 \
             --compression=off --gossip-verify-outgoing off --skip-inbound-label-check \
             --accept-padded --application 2,5,4",
        );
        let protocol = VersionRange { current: 1, ..options.protocol };
        let changed = MemberlistOptions {
            protocol,
            verify_incoming: false,
            verify_outgoing: false,
            compression: false,
            skip_inbound_label_check: true,
            accept_padded: true,
            bind_port: None,
        };
        assert_eq!(args.dialect, Dialect::Memberlist(changed));
        assert_eq!(args.application, VersionRange { min: 2, max: 5, current: 4 });
        assert_eq!(agent_of("agent --dialect NATIVE").dialect, Dialect::Native);
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        for (line, expected) in [
            ("--version", VERSION),
            ("-V", VERSION),
            ("-h", help::SWIM),
            ("help", help::SWIM),
            ("help help", help::SWIM),
            ("help agent", help::AGENT),
            ("agent --bind x --help", help::AGENT),
            ("keygen -h", help::KEYGEN),
            ("decode 00 -h", help::DECODE),
        ] {
            assert_eq!(of(line), Ok(Invocation::Print(expected)), "{line}");
        }
    }

    #[test]
    fn every_flag_is_explained() {
        for (grammar, text) in [
            (SWIM, help::SWIM),
            (AGENT, help::AGENT),
            (DECODE, help::DECODE),
            (KEYGEN, help::KEYGEN),
            (HELP, help::SWIM),
        ] {
            let words: Vec<_> = text.split_whitespace().collect();
            for flag in grammar.flags {
                let shown = format!("--{flag}");
                assert!(words.contains(&&*shown), "{}: {shown}", grammar.name);
            }
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{}", grammar.name);
        }
        for (command, choices) in [
            (help::AGENT, PROFILES.map(|(name, _)| name).to_vec()),
            (help::AGENT, FORMATS.map(|(name, _)| name).to_vec()),
            (help::AGENT, DIALECTS.map(|(name, _)| name).to_vec()),
            (help::AGENT, SHOWN.map(|(name, _)| name).to_vec()),
            (help::AGENT, LEVELS.map(|(name, _)| name).to_vec()),
            (help::KEYGEN, BITS.map(|(name, _)| name).to_vec()),
        ] {
            assert!(choices.iter().all(|name| command.contains(name)), "{choices:?}");
        }
    }

    #[test]
    fn mistakes_are_named_and_mended() {
        let both = |flag| format!("{flag} {KEY} --keyring b");
        let cases = [
            ("", "say what to do: agent, decode, keygen or help; see `swim help`"),
            ("agnt", r#"there is no command "agnt"; did you mean agent?; see `swim help`"#),
            ("agent --bnd x", r#"no flag "--bnd"; did you mean --bind?; see `swim help agent`"#),
            ("agent --frobnicate", r#"there is no flag "--frobnicate"; see"#),
            ("agent -x", r#"there is no flag "-x"; see"#),
            ("agent --bind", "--bind needs a value"),
            ("agent --bind --join a", "--bind needs a value"),
            ("agent --bind=", "--bind needs an address; see `swim help agent`"),
            ("agent --advertise=", "--advertise needs an address"),
            ("agent --bind a --bind b", "--bind is given twice"),
            ("agent --label x c2VjcmV0", "there is a word too many after --label;"),
            ("agent --output xml", r#"--output "xml": expected one of text, json"#),
            ("agent --join host:x", r#"--join "host:x": "x" is no port number"#),
            (&both("agent --encrypt"), "--encrypt and --keyring can't be given both"),
            ("agent --encrypt=", "--encrypt: is empty; leave it out"),
            ("agent --encrypt c2VjcmV0", "--encrypt: a key has 16, 24 or 32 bytes, not 6;"),
            ("agent --insecure-plaintext=no", "insecure-plaintext"),
            ("agent --dialect serf", r#"--dialect "serf": expected one of native, memberlist"#),
            ("agent --compression off", "--compression is for --dialect memberlist: give that too"),
            ("agent --dialect native --protocol 2", "--protocol is for --dialect memberlist"),
            ("agent --dialect memberlist --protocol 6", "expected one of 1, 2, 3, 4, 5"),
            ("agent --application 2,5", r#"--application "2,5": write the lowest"#),
            ("agent --application 2,5,6", "the spoken version"),
            ("keygen --bits 100", "expected one of 128, 192, 256"),
            ("decode", "say what to decode"),
            ("decode 00 11", "there is a word too many: decode takes one packet"),
            ("decode --stream 00 11 22", "a word too many"),
            (&both("decode 00 --key"), "--key and --keyring can't be given both"),
            (&format!("decode 00 --key {KEY} --key c2VjcmV0"), "--key: a key has 16, 24 or 32"),
            ("decode --stream --stream 00", "--stream is given twice"),
            ("help agnt", "did you mean agent?"),
        ];
        for (line, expected) in cases {
            let failure = of(line).unwrap_err();
            assert_eq!(failure.status(), 2);
            let failure = failure.to_string();
            assert!(failure.contains(expected), "{line}: {failure}");
            assert!(!failure.contains("c2VjcmV0") && !failure.contains(KEY), "{failure}");
        }
    }

    #[test]
    fn x17_a_command_line_shows_no_key() {
        let former = "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=";
        for line in [
            format!("agent --encrypt {KEY}"),
            format!("agent --encrypt={KEY}"),
            format!("decode --key {KEY} --key={former} 00"),
        ] {
            let invocation = of(&line).unwrap();
            for shown in [format!("{invocation:?}"), format!("{invocation:#?}")] {
                // As they were given, as lists of bytes, and as digits.
                let spelt = [&KEY[..8], &former[..8], "1, 2, 3", "16, 17, 18", "010203", "101112"];
                assert!(spelt.iter().all(|spelt| !shown.contains(spelt)), "{shown}");
                assert!(shown.contains("Key {"), "it shows that there is one: {shown}");
            }
        }
    }
}
