//! What `swim-sim` says about itself. Every flag that is understood is explained here.

/// Printed by `swim-sim --help`.
pub(crate) const SWIM_SIM: &str = "\
Clusters in virtual time: the real membership machine, real packets, any fault.

Usage: swim-sim <COMMAND>

Commands:
  run FILE       Run a scenario: what happens to a cluster, and what must be so
  list [TOPIC]   Say which actions, assertions and settings there are
  help [COMMAND] Print this, or all about a command

Options:
  -h, --help     Print this
  -V, --version  Print the version

Examples:
  swim-sim run swim-sim/scenarios/crash.toml
  swim-sim run my.toml --seeds 0..100 --json
  swim-sim list actions

Exit status: 0 when all was as expected, 1 when not, 2 when the command line or a file is wrong.
";

/// Printed by `swim-sim help run`.
pub(crate) const RUN: &str = "\
Run a scenario: what happens to a cluster, and what must be so.

Usage: swim-sim run FILE [OPTIONS]

Options:
      --seed N         Where luck comes from [default: 0]
      --seeds A..B     Run with each seed from A until before B, on all cores
      --set NAME=VALUE Change a setting of all nodes; may be repeated
      --json           Print what came of it as JSON
      --columns        Print a log with a column for each node (one seed, at most 40 nodes)
      --report FILE    Write a page for the browser: who believed what about whom, when. Of the
                       first seed that failed, or else of the first
      --trace FILE     Write every input and output of every node (one seed)
  -h, --help           Print this

The same file, seed and settings give the same run, on every machine.

Examples:
  swim-sim run swim-sim/scenarios/crash.toml
  swim-sim run swim-sim/scenarios/partition.toml --report partition.html
  swim-sim run my.toml --seeds 0..1000
  swim-sim run my.toml --seed 17 --columns | less -S
  swim-sim run my.toml --set gossip_interval=100ms --set gossip_nodes=4

Exit status: 0 when all was as expected, 1 when not, 2 when the command line or the file is wrong.
";

/// Printed by `swim-sim help list`.
pub(crate) const LIST: &str = "\
Say what can stand in a scenario.

Usage: swim-sim list [actions|assertions|settings]

Options:
  -h, --help  Print this

Examples:
  swim-sim list
  swim-sim list assertions
";
