//! What `swim-sim` says about itself. Every flag that is understood is explained here.

/// Printed by `swim-sim --help`.
pub(crate) const SWIM_SIM: &str = "\
Clusters in virtual time: the real membership machine, real packets, any fault.

Usage: swim-sim <COMMAND>

Commands:
  run FILE       Run a scenario: what happens to a cluster, and what must be so
  tune           Measure gossip settings on a cluster of yours, and recommend one
  explore        Draw settings and faults at random, and check what must always hold
  replay         Repeat a run that exploration drew, or make it smaller
  experiment ID  Run an experiment of the papers, with the published figures beside ours
  list [TOPIC]   Say which actions, assertions, settings and experiments there are
  help [COMMAND] Print this, or all about a command

Options:
  -h, --help     Print this
  -V, --version  Print the version

Examples:
  swim-sim run swim-sim/scenarios/crash.toml
  swim-sim run my.toml --seeds 0..100 --json
  swim-sim tune --nodes 50 --latency 10ms --loss 1%
  swim-sim explore --seeds 0..256
  swim-sim experiment sw1
  swim-sim list actions

Exit status: 0 when all was as expected, 1 when not, 2 when the command line or a file is wrong.
Experiments end with 0 whatever they find, unless --strict is given.
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

/// Printed by `swim-sim help tune`.
pub(crate) const TUNE: &str = "\
Measure gossip settings on a cluster of yours, and recommend one.

Usage: swim-sim tune [OPTIONS]

The cluster:
      --nodes N            How many nodes [default: 50]
      --latency SPAN       How long packets take, a fifth more or less [default: a data centre]
      --loss SHARE         How many packets are lost, as 1% or 0.01 [default: 0]
      --profile PROFILE    Where settings begin: lan, wan or local [default: lan]
      --set NAME=VALUE     Change a further setting of all nodes; may be repeated
      --dialect DIALECT    Whose bytes they speak: native or memberlist [default: native]
      --encrypted          With a key: packets and streams are sealed
      --label LABEL        The label of the cluster [default: none]
      --broadcasts N       Broadcasts a second in the whole cluster when it is busy [default: 1;
                           with memberlist's dialect, in which nobody passes them on, 0]

What is tried, each with each:
      --gossip-intervals LIST  [default: 100ms,200ms,500ms]
      --gossip-nodes LIST      Fan-outs [default: 2,3,5]
      --probe-intervals LIST   [default: that of the profile]
      --seed N             One run of each, with this luck
      --seeds A..B         A run of each for every seed [default: 0..10]

Output:
      --goal GOAL          fast, quiet or balanced [default: balanced]
      --json               Print the table as JSON
      --report FILE        Write a page for the browser: times against traffic
      --trace FILE         Write a line for each run, separated by tabs
  -h, --help               Print this

Every run idles for half a minute, lets a node join, broadcasts for half a minute, and lets a node
crash. A time is that of the middle run. What is recommended is chosen from those settings with
the fewest false failures:
  fast      the lowest product of the times of join, broadcast and detection
  quiet     the least traffic when busy, of those that find a failure at most half again as slowly
            as the fastest
  balanced  the lowest product of the traffic when busy and the times of join, broadcast and
            detection

Examples:
  swim-sim tune --nodes 50 --latency 10ms --loss 1%
  swim-sim tune --nodes 200 --profile wan --latency 80ms --goal quiet
  swim-sim tune --probe-intervals 500ms,1s,2s --gossip-nodes 3 --json
";

/// Printed by `swim-sim help list`.
pub(crate) const LIST: &str = "\
Say what can stand in a scenario.

Usage: swim-sim list [actions|assertions|settings|experiments] [OPTIONS]

Options:
      --json  Print it as JSON
  -h, --help  Print this

Examples:
  swim-sim list
  swim-sim list assertions
  swim-sim list experiments --json
";

/// Printed by `swim-sim help explore`.
pub(crate) const EXPLORE: &str = "\
Draw settings and faults at random, and check what must always hold, after every step.

Usage: swim-sim explore [OPTIONS]

Options:
      --seed N         One run
      --seeds A..B     A run for each seed from A until before B, on all cores [default: 0..256]
      --mask KINDS     Kinds of faults that are left out, as loss,crash; the rest stays the same
      --nodes-min N    The fewest nodes of a run [default: 1]
      --nodes-max N    The most nodes of a run [default: 64]
      --chaos-max SPAN How long things go wrong at most [default: 2m]
      --json           Print verdicts and counters as JSON
      --report FILE    Write a page for the browser: what failed, and what was exercised
      --trace FILE     Write a line for each run, separated by tabs
  -h, --help           Print this

Things go wrong for a while, then all is mended, and all must agree within a time computed from
the settings. With 256 seeds or more, what was never exercised makes the campaign fail: a check of
nothing is none. A fault counts where it took effect. What --mask makes impossible is excused, and
named. Each failure comes with the one line that repeats it, and the one that makes it smaller.

Examples:
  swim-sim explore
  swim-sim explore --seeds 0..10000 --nodes-max 16
  swim-sim explore --mask flips,truncation

Exit status: 0 when all held, 1 when not, 2 when the command line is wrong.
";

/// Printed by `swim-sim help replay`.
pub(crate) const REPLAY: &str = "\
Repeat a run that exploration drew, or make it smaller.

Usage: swim-sim replay --seed N [OPTIONS]
       swim-sim replay --plan FILE [OPTIONS]

Options:
      --seed N         The seed of the run
      --seeds A..B     The same as a range, of one seed
      --plan FILE      A plan as --save or --shrink writes it (JSON), or as TOML
      --mask KINDS     As it was explored with
      --nodes-min N    As it was explored with
      --nodes-max N    As it was explored with
      --chaos-max SPAN As it was explored with
      --save FILE      Write the plan of the run (JSON), to change it or to keep it
      --shrink         Leave out faults, nodes and time as long as it fails; print the plan
      --json           Print the verdict as JSON
      --columns        Print a log with a column for each node (at most 40 nodes)
      --report FILE    Write a page for the browser: who believed what about whom, when
      --trace FILE     Write every input and output of every node
  -h, --help           Print this

Examples:
  swim-sim replay --seed 17
  swim-sim replay --seed 17 --shrink > plan.json
  swim-sim replay --plan plan.json --report run.html --trace run.txt

Exit status: 0 when all held, 1 when not, 2 when the command line or the file is wrong. It is the
run that counts, also with --shrink: 1 when it fails and a smaller plan was printed, 0 when it does
not fail and there is nothing to make smaller.
";

/// Printed by `swim-sim help experiment`.
pub(crate) const EXPERIMENT: &str = "\
Run an experiment of the papers, with the published figures beside ours, or one of our own (l3).

Usage: swim-sim experiment ID [OPTIONS]

Options:
      --full           As published, which may take hours; otherwise a sample in some minutes
      --strict         Exit with 1 when a band or a bar is missed
      --seed N         All cells once, with this luck, instead of a sample; may take hours too
      --seeds A..B     All cells with each of these; 1..11 are the ten repetitions that were
                       published for lg1 to lg3
      --json           Print the outcome as JSON
      --report FILE    Write a page for the browser: figures beside the published ones
      --trace FILE     Write a line for each run, separated by tabs
  -h, --help           Print this

`swim-sim list experiments` says which there are. *Plain* is the published algorithm on a model of
its own, which shows that the simulation is honest: its figures must lie in their *bands*. *Shipped*
is our core, whose figures must reach their *bars*. A bar is met vacuously where the published
algorithm does no harm either. The last line says how many were missed.

Examples:
  swim-sim experiment sw1
  swim-sim experiment sw4 --strict
  swim-sim experiment lg1 --full --report lg1.html

Exit status: 0 when the experiment was run, whatever it found; with --strict 1 when a band or a bar
was missed; 2 when the command line is wrong.
";
