//! The command line: what `swim` was asked to do.
//!
//! Read by hand on top of a tokenizer. A parser that generates all this from types would take a
//! tenth of the memory that a running agent is allowed, for what is done once at its start.

use std::{ffi::OsString, fmt::Display, mem, path::PathBuf, str::FromStr};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use swim_tokio::{Name, Profile};
use tracing::level_filters::LevelFilter;

use crate::{change::Change, failure::Failure, help, seed::Seed};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Run an agent.
    Agent(Box<AgentArgs>),
    /// Print a new key of so many bits.
    Keygen { bits: usize },
    /// Print this text.
    Print(&'static str),
}

/// How the agent runs. `swim help agent` explains each field under its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AgentArgs {
    pub(crate) node: Option<Name>,
    pub(crate) bind: String,
    pub(crate) advertise: Option<String>,
    pub(crate) join: Vec<Seed>,
    pub(crate) profile: Profile,
    pub(crate) settings: Vec<Change>,
    pub(crate) encrypt: Option<String>,
    pub(crate) keyring: Option<PathBuf>,
    pub(crate) label: String,
    pub(crate) meta: String,
    pub(crate) output: Format,
    pub(crate) events: Shown,
    pub(crate) log_level: LevelFilter,
    pub(crate) control: Option<Control>,
    pub(crate) insecure_plaintext: bool,
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
    let mut reader = Reader { parser: Parser::from_args(args), command: &SWIM, given: Vec::new() };
    match reader.next()? {
        Some(Token::Word(word)) => match word.as_str() {
            "agent" => agent(reader.of(&AGENT)),
            "keygen" => keygen(reader.of(&KEYGEN)),
            "help" => help(reader.of(&HELP)),
            _ => Err(unknown(&SWIM, "command", &word, &COMMANDS)),
        },
        Some(Token::Flag("version")) => Ok(Invocation::Print(VERSION)),
        Some(Token::Flag(_)) => Ok(Invocation::Print(help::SWIM)),
        None => Err(wrong(&SWIM, "say what to do: agent, keygen or help")),
    }
}

fn agent(mut reader: Reader) -> Result<Invocation, Failure> {
    let mut args = AgentArgs::default();
    while let Some(flag) = reader.next_flag()? {
        match flag {
            "node" => args.node = Some(reader.parsed(flag)?),
            "bind" => args.bind = reader.address(flag)?,
            "advertise" => args.advertise = Some(reader.address(flag)?),
            "join" => args.join.push(reader.parsed(flag)?),
            "profile" => args.profile = reader.chosen(flag, &PROFILES)?,
            "set" => args.settings.push(reader.parsed(flag)?),
            "encrypt" => args.encrypt = Some(reader.text(flag)?),
            "keyring" => args.keyring = Some(reader.value(flag)?.into()),
            "label" => args.label = reader.text(flag)?,
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
    Ok(Invocation::Agent(Box::new(args)))
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
            meta: String::new(),
            output: Format::Text,
            events: Shown::Members,
            log_level: LevelFilter::INFO,
            control: None,
            insecure_plaintext: false,
        }
    }
}

/// A command and the flags it knows.
struct Grammar {
    name: &'static str,
    flags: &'static [&'static str],
}

const SWIM: Grammar = Grammar { name: "swim", flags: &["help", "version"] };
const HELP: Grammar = Grammar { name: "swim help", flags: &["help"] };
const KEYGEN: Grammar = Grammar { name: "swim keygen", flags: &["bits", "help"] };
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
        "meta",
        "output",
        "events",
        "log-level",
        "control",
        "insecure-plaintext",
        "help",
    ],
};
/// Flags that may be given more than once.
const REPEATABLE: [&str; 2] = ["join", "set"];
const COMMANDS: [&str; 3] = ["agent", "keygen", "help"];
const PROFILES: [(&str, Profile); 3] =
    [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];
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

/// Reads flags and their values.
struct Reader {
    parser: Parser,
    command: &'static Grammar,
    given: Vec<&'static str>,
}

enum Token {
    /// A flag that the command knows, without dashes.
    Flag(&'static str),
    /// Anything else.
    Word(String),
}

impl Reader {
    /// The same for the rest of the line, which belongs to `command`.
    fn of(self, command: &'static Grammar) -> Self {
        Self { command, ..self }
    }

    fn next(&mut self) -> Result<Option<Token>, Failure> {
        let command = self.command;
        let written = match self.parser.next().map_err(|error| wrong(command, error))? {
            None => return Ok(None),
            Some(Value(word)) => {
                let word = word.into_string().map_err(|_| wrong(command, "a word is no UTF-8"))?;
                return Ok(Some(Token::Word(word)));
            }
            Some(Short('h')) => "help".into(),
            Some(Short('V')) => "version".into(),
            Some(Short(letter)) => format!("-{letter}"),
            Some(Long(name)) => name.to_owned(),
        };
        let Some(flag) = command.flags.iter().copied().find(|flag| *flag == written) else {
            return Err(unknown(command, "flag", &written, command.flags));
        };
        if self.given.contains(&flag) && !REPEATABLE.contains(&flag) {
            return Err(wrong(command, format!("--{flag} is given twice")));
        }
        self.given.push(flag);
        Ok(Some(Token::Flag(flag)))
    }

    fn next_flag(&mut self) -> Result<Option<&'static str>, Failure> {
        match self.next()? {
            None => Ok(None),
            Some(Token::Flag(flag)) => Ok(Some(flag)),
            // Not quoted: it may be a key whose flag was forgotten.
            Some(Token::Word(_)) => {
                let after =
                    self.given.last().map_or(String::new(), |flag| format!(" after --{flag}"));
                Err(wrong(self.command, format!("there is a word too many{after}")))
            }
        }
    }

    /// The value of `flag`. One that looks like a flag is more likely a value forgotten.
    fn value(&mut self, flag: &str) -> Result<OsString, Failure> {
        let value = match self.parser.optional_value() {
            Some(value) => Some(value),
            None => {
                let value = self.parser.value().ok();
                value.filter(|value| !value.as_encoded_bytes().starts_with(b"--"))
            }
        };
        value.ok_or_else(|| wrong(self.command, format!("--{flag} needs a value")))
    }

    fn text(&mut self, flag: &str) -> Result<String, Failure> {
        let value = self.value(flag)?.into_string();
        value.map_err(|_| wrong(self.command, format!("the value of --{flag} is no UTF-8")))
    }

    /// What it means is found out where the interfaces are known; nothing means nothing.
    fn address(&mut self, flag: &str) -> Result<String, Failure> {
        let text = self.text(flag)?;
        if text.trim().is_empty() {
            return Err(wrong(self.command, format!("--{flag} needs an address")));
        }
        Ok(text)
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, flag: &str) -> Result<T, Failure> {
        let text = self.text(flag)?;
        text.parse().map_err(|error| wrong(self.command, format!("--{flag} {text:?}: {error}")))
    }

    fn chosen<T: Copy>(&mut self, flag: &str, choices: &[(&str, T)]) -> Result<T, Failure> {
        let text = self.text(flag)?;
        let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            wrong(self.command, format!("--{flag} {text:?}: expected one of {}", names()))
        })
    }
}

fn wrong(command: &Grammar, what: impl Display) -> Failure {
    let topic = command.name.replacen("swim", "swim help", 1).replace("help help", "help");
    Failure::Usage(format!("{what}; see `{topic}`"))
}

fn unknown(command: &Grammar, what: &str, written: &str, known: &[&str]) -> Failure {
    let dashes = if what == "flag" { "--" } else { "" };
    let shown =
        if written.starts_with('-') { written.into() } else { format!("{dashes}{written}") };
    let closest = known.iter().map(|known| (distance(written, known), known)).min();
    let hint = match closest {
        Some((distance, closest)) if distance <= 2 => format!("; did you mean {dashes}{closest}?"),
        _ => String::new(),
    };
    wrong(command, format!("there is no {what} {shown:?}{hint}"))
}

/// How many letters must be added, taken away or changed to turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in (1..).zip(a.chars()) {
        let mut diagonal = mem::replace(&mut row[0], i);
        for (j, to) in (1..).zip(b.chars()) {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j];
            row[j] = changed.min(diagonal + 1).min(row[j - 1] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(of(line), Ok(Invocation::Print(expected)), "{line}");
        }
    }

    #[test]
    fn every_flag_is_explained() {
        for (grammar, text) in
            [(SWIM, help::SWIM), (AGENT, help::AGENT), (KEYGEN, help::KEYGEN), (HELP, help::SWIM)]
        {
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
            (help::AGENT, SHOWN.map(|(name, _)| name).to_vec()),
            (help::AGENT, LEVELS.map(|(name, _)| name).to_vec()),
            (help::KEYGEN, BITS.map(|(name, _)| name).to_vec()),
        ] {
            assert!(choices.iter().all(|name| command.contains(name)), "{choices:?}");
        }
    }

    #[test]
    fn mistakes_are_named_and_mended() {
        let cases = [
            ("", "say what to do: agent, keygen or help; see `swim help`"),
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
            ("agent --encrypt a --keyring b", "--encrypt and --keyring can't be given both"),
            ("agent --insecure-plaintext=no", "insecure-plaintext"),
            ("keygen --bits 100", "expected one of 128, 192, 256"),
            ("help agnt", "did you mean agent?"),
        ];
        for (line, expected) in cases {
            let failure = of(line).unwrap_err();
            assert_eq!(failure.status(), 2);
            assert!(failure.to_string().contains(expected), "{line}: {failure}");
        }
    }

    #[test]
    fn distances_count_letters() {
        for (a, b, expected) in
            [("", "", 0), ("bind", "bnd", 1), ("agent", "agnet", 2), ("", "ab", 2)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
