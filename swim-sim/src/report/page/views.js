// What nodes believed of each other: from a list of changes to rows of cells over time.

const DOWN = 5;
const STATES = 6;

/** The changes and the comings and goings of processes, in one order: processes first. */
function readEvents(data) {
  const text = atob(data.changes);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  const ticks = new Float64Array(words.length / 2 + data.processes.length);
  const whats = new Float64Array(ticks.length);
  let at = 0, process = 0;
  const takeProcesses = (until) => {
    while (process < data.processes.length && data.processes[process][0] <= until) {
      const [tick, host, isUp] = data.processes[process++];
      ticks[at] = tick;
      // Negative: a process. Even: it went; odd: it came.
      whats[at++] = -1 - (host * 2 + isUp);
    }
  };
  for (let word = 0; word < words.length; word += 2) {
    takeProcesses(words[word]);
    ticks[at] = words[word];
    whats[at++] = words[word + 1];
  }
  takeProcesses(Infinity);
  return { ticks, whats, length: at };
}

/**
 * Rows of cells. Each cell counts in how many views a state was at the end of its time; for
 * suspect and dead, at the worst moment, so that nothing short goes unseen.
 *
 * `by` is "subject" or "observer": who has the rows. With `focus`, only what concerns that one
 * node is counted: the rows are then those at the other end.
 */
function grid(data, events, by, focus, columns) {
  const n = data.hosts;
  const views = new Uint8Array(n * n).fill(DOWN);
  const now = new Uint32Array(n * STATES);
  const cells = new Uint16Array(n * columns * STATES);
  const bySubject = focus === null ? by === "subject" : by === "observer";
  const counts = (observer, subject) =>
    focus === null ? observer !== subject || n === 1
      : (by === "subject" ? subject : observer) === focus;
  const rowOf = (observer, subject) => (bySubject ? subject : observer);
  for (let observer = 0; observer < n; observer++) {
    for (let subject = 0; subject < n; subject++) {
      if (counts(observer, subject)) now[rowOf(observer, subject) * STATES + DOWN]++;
    }
  }
  const first = firstUp(data);
  let column = 0;
  const open = (row) => {
    const cell = (row * columns + column) * STATES;
    for (let state = 0; state < STATES; state++) cells[cell + state] = now[row * STATES + state];
  };
  const close = (until) => {
    while (column < until) {
      for (let row = 0; row < n; row++) {
        const cell = (row * columns + column) * STATES;
        for (let state = 0; state < STATES; state++) {
          const count = now[row * STATES + state];
          const peaks = state === 2 || state === 3;
          cells[cell + state] = peaks ? Math.max(cells[cell + state], count) : count;
        }
      }
      column++;
      if (column < columns) for (let row = 0; row < n; row++) open(row);
    }
  };
  const set = (observer, subject, state) => {
    const view = observer * n + subject;
    const was = views[view];
    if (was === state) return;
    views[view] = state;
    if (!counts(observer, subject)) return;
    const row = rowOf(observer, subject);
    now[row * STATES + was]--;
    const count = ++now[row * STATES + state];
    if (state === 2 || state === 3) {
      const cell = (row * columns + column) * STATES + state;
      if (cells[cell] < count) cells[cell] = count;
    }
  };
  for (let event = 0; event < events.length; event++) {
    const due = Math.min(columns - 1, Math.floor(events.ticks[event] / 4294967296 * columns));
    if (due > column) close(due);
    const what = events.whats[event];
    if (what < 0) {
      const host = (-1 - what) >> 1;
      const isUp = (-1 - what) & 1;
      for (let subject = 0; subject < n; subject++) set(host, subject, isUp ? 0 : DOWN);
      if (isUp && first && events.ticks[event] === 0) {
        for (const subject of first) set(host, subject, 1);
      }
      if (isUp) set(host, host, 1);
    } else {
      set(what >>> 18, (what >>> 4) & 16383, what & 15);
    }
  }
  close(columns);
  return { cells, columns, rows: n };
}

/** The hosts that run from the beginning, if all of them know each other then. */
function firstUp(data) {
  if (!data.acquainted) return null;
  return data.processes.filter(([tick, , isUp]) => tick === 0 && isUp).map(([, host]) => host);
}

/** What was believed at a time in the views that a row is made of: lists of hosts by state. */
function viewsAt(data, events, by, focus, row, tick) {
  const n = data.hosts;
  const subject = focus === null ? (by === "subject" ? row : null) : by === "subject" ? focus : row;
  const observer = focus === null ? (by === "observer" ? row : null) : by === "observer" ? focus : row;
  const state = new Uint8Array(n).fill(DOWN);
  const first = firstUp(data);
  for (let event = 0; event < events.length && events.ticks[event] <= tick; event++) {
    const what = events.whats[event];
    if (what < 0) {
      const host = (-1 - what) >> 1;
      const isUp = (-1 - what) & 1;
      const known = isUp && first && events.ticks[event] === 0 ? first : [];
      if (observer === null) {
        state[host] = !isUp ? DOWN : host === subject || known.includes(subject) ? 1 : 0;
      } else if (observer === host) {
        state.fill(isUp ? 0 : DOWN);
        for (const other of known) state[other] = 1;
        if (isUp) state[host] = 1;
      }
      continue;
    }
    const by = what >>> 18, of = (what >>> 4) & 16383;
    if (observer === null) { if (of === subject) state[by] = what & 15; }
    else if (by === observer) state[of] = what & 15;
  }
  if (subject !== null && observer !== null) return [[state[subject], [subject]]];
  const lists = [[], [], [], [], [], []];
  for (let host = 0; host < n; host++) {
    const self = observer === null ? subject : observer;
    if (host !== self) lists[state[host]].push(host);
  }
  return lists.map((hosts, state) => [state, hosts]).filter(([, hosts]) => hosts.length);
}

/** Hosts as people write them: 0-3, 7. */
function hostList(hosts) {
  const parts = [];
  for (const host of hosts) {
    const last = parts[parts.length - 1];
    if (last && last[1] + 1 === host) last[1] = host;
    else parts.push([host, host]);
  }
  const text = parts.slice(0, 8).map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(", ");
  return parts.length > 8 ? `${text} …` : text;
}
