// The page of one run: fills in the words, draws the pictures, answers the mouse.

const events = readEvents(data);
const state = { by: "subject", focus: null, fraction: null, row: null, spanX: null };
function words() {
  showHead(data);
  const wrong = data.failures.filter((it) => it[3]).length;
  const mean = sent();
  const tiles = [
    ["Nodes", data.hosts], ["Virtual time", seconds(data.length)], ["Seed", data.seed],
    ["Sent by a node", `${bytes(mean)}/s`], ["Failures declared", data.failures.length],
    ["of them false", wrong],
  ];
  showTiles(tiles);
  for (const it of data.verdicts) {
    const line = text("li", "", it.met ? "good" : "bad");
    line.append(text("span", it.met ? "✓" : "✗", "sign"), text("span", it.what), text("span", it.found, "found"));
    element("verdicts").append(line);
  }
  element("expectations").hidden = data.verdicts.length === 0;
  const head = document.createElement("tr");
  head.append(text("th", "at"), text("th", "what"), text("th", "hosts"), text("th", "until"));
  element("marks").append(head);
  for (const mark of data.marks.slice(0, 1000)) {
    const row = document.createElement("tr");
    row.append(
      text("td", seconds(mark.at)), text("td", mark.what), text("td", hostList(mark.hosts)),
      text("td", mark.until === null ? "" : seconds(mark.until)),
    );
    element("marks").append(row);
  }
  if (!data.marks.length) element("marks").append(text("caption", "Nothing: the cluster was left alone."));
  for (const name of ["alive", "suspect", "dead", "left", "unknown", "down"]) {
    const swatch = document.createElement("i");
    swatch.style.background = `var(--${name})`;
    const entry = document.createElement("span");
    entry.append(swatch, name === "down" ? "not running" : name);
    element("legend").append(entry);
  }
  for (let host = 0; host < Math.min(data.hosts, 2000); host++) {
    const option = text("option", `node ${host} only`);
    option.value = host;
    element("focus").append(option);
  }
  if (data.dropped) {
    element("views-note").textContent =
      `${data.dropped} further changes of views were too many to keep: the picture is incomplete.`;
  }
}

/** Bytes a second that one node sent, between samples. */
function traffic() {
  const it = data.samples;
  const made = { xs: [], packets: [], streams: [] };
  for (let at = 1; at < it.at_s.length; at++) {
    const span = it.at_s[at] - it.at_s[at - 1];
    if (span <= 0) continue;
    const nodes = Math.max(1, it.members[at]);
    made.xs.push(it.at_s[at]);
    made.packets.push(it.packet_bytes[at] / span / nodes);
    made.streams.push(it.stream_bytes[at] / span / nodes);
  }
  return made;
}

/** Bytes a second that a node sent on average: as the text of the run says it. */
function sent() {
  const it = data.samples;
  let [all, nodeSeconds] = [0, 0];
  for (let at = 1; at < it.at_s.length; at++) {
    all += it.packet_bytes[at] + it.stream_bytes[at];
    nodeSeconds += (it.at_s[at] - it.at_s[at - 1]) * it.members[at];
  }
  return nodeSeconds > 0 ? all / nodeSeconds : 0;
}

/** How long after a crash each node knew of the failure. */
function detections() {
  const crashes = data.marks.filter((mark) => mark.what === "crash");
  const found = [];
  for (const [at, , subject, isFalse] of data.failures) {
    if (isFalse) continue;
    const crash = crashes.filter((it) => it.at <= at && it.hosts.includes(subject)).pop();
    if (crash) found.push(at - crash.at);
  }
  return found;
}

const rates = traffic();
const sorted = (spans) => Float64Array.from(spans).sort();
const spans = [
  { name: "a crash is known to a node", tint: "two", sorted: sorted(detections()) },
  { name: "a broadcast arrives at a node", tint: "one", sorted: sorted(data.arrivals) },
  { name: "new metadata arrives at a node", tint: "three", sorted: sorted(data.updates) },
].filter((it) => it.sorted.length);
let map = null;
let place = null;
let spanAt = null;

function rebuild() {
  const columns = Math.max(60, Math.min(1100, element("views").parentElement.clientWidth - 72));
  map = grid(data, events, state.by, state.focus, columns);
  draw();
}

function draw() {
  const hoverRow = state.row !== null && state.row < map.rows ? state.row : null;
  place = heatMap(element("views"), data, map, (row) => `n${row}`, state.fraction, hoverRow);
  const it = data.samples;
  const percent = (value) => `${Math.round(value * 100)} %`;
  const most = Math.max(1, ...it.members);
  curves(element("convergence"), data, it.at_s, [
    { name: "nodes that see exactly the members", tint: "one", fill: true,
      values: it.settled.map((value, at) => value / Math.max(1, it.members[at])) },
    { name: "members known, on average", tint: "three", dashed: true, values: it.known },
    { name: `members (of ${most})`, tint: "soft", values: it.members.map((value) => value / most) },
  ], { most: 1.02, format: percent }, state.fraction);
  curves(element("traffic"), data, rates.xs, [
    { name: "packets", tint: "one", fill: true, values: rates.packets },
    { name: "streams", tint: "three", fill: true, values: rates.streams },
  ], { format: (value) => `${bytes(value)}/s` }, state.fraction);
  element("spans-section").hidden = spans.length === 0;
  if (spans.length) spanAt = distribution(element("spans"), spans, seconds, state.spanX);
}

function fractionOf(event, canvas) {
  const box = canvas.getBoundingClientRect();
  const inner = box.width - MARGIN.left - MARGIN.right;
  const fraction = (event.clientX - box.left - MARGIN.left) / inner;
  return fraction < 0 || fraction > 1 ? null : fraction;
}

function marksNear(fraction) {
  const reach = data.length / 200;
  const at = fraction * data.length;
  const near = data.marks.filter((it) => Math.abs(it.at - at) < reach).slice(0, 4);
  return near.map((it) => `▸ ${it.what} ${hostList(it.hosts)} at ${seconds(it.at)}`);
}

function onViews(event) {
  const box = element("views").getBoundingClientRect();
  state.fraction = fractionOf(event, element("views"));
  const y = event.clientY - box.top - place.top;
  const inside = state.fraction !== null && y >= 0 && y < place.height;
  state.row = inside ? Math.floor(y / place.height * map.rows) : null;
  draw();
  if (state.fraction === null) return hush();
  const lines = [seconds(state.fraction * data.length)];
  if (state.row !== null) {
    const tick = state.fraction * 4294967295;
    const isAboutRow = (state.by === "subject") === (state.focus === null);
    lines[0] += isAboutRow ? ` · of n${state.row}` : ` · n${state.row} on others`;
    const names = data.beliefs.concat("not running");
    for (const [believed, hosts] of viewsAt(data, events, state.by, state.focus, state.row, tick)) {
      lines.push(state.focus === null ? `${names[believed]}: ${hosts.length} (${hostList(hosts)})` : names[believed]);
    }
  }
  tell(event, lines.concat(marksNear(state.fraction)));
}

function onCurve(canvas, describe) {
  canvas.addEventListener("mousemove", (event) => {
    state.fraction = fractionOf(event, canvas);
    state.row = null;
    draw();
    if (state.fraction === null) return hush();
    const at = state.fraction * data.length;
    tell(event, [seconds(at), ...describe(at), ...marksNear(state.fraction)]);
  });
  canvas.addEventListener("mouseleave", hush);
}

function hush() {
  hideTip();
  state.fraction = state.row = state.spanX = null;
  draw();
}

function nearest(xs, at) {
  const found = xs.findIndex((x) => x >= at);
  return found < 0 ? xs.length - 1 : found;
}

function listen() {
  element("views").addEventListener("mousemove", onViews);
  element("views").addEventListener("mouseleave", hush);
  element("views").addEventListener("click", () => {
    if (state.row === null) return;
    state.focus = state.focus === null ? state.row : null;
    element("focus").value = state.focus === null ? "" : state.focus;
    rebuild();
  });
  element("rows").addEventListener("change", (event) => { state.by = event.target.value; rebuild(); });
  element("focus").addEventListener("change", (event) => {
    state.focus = event.target.value === "" ? null : Number(event.target.value);
    rebuild();
  });
  onCurve(element("convergence"), (at) => {
    const it = data.samples, place = nearest(it.at_s, at);
    return [`${it.settled[place]} of ${it.members[place]} see exactly the members`,
      `${(it.known[place] * 100).toFixed(1)} % known, ${it.suspicions[place]} suspicions open`];
  });
  onCurve(element("traffic"), (at) => {
    const place = nearest(rates.xs, at);
    return place < 0 ? [] : [`packets ${bytes(rates.packets[place])}/s`, `streams ${bytes(rates.streams[place])}/s`];
  });
  element("spans").addEventListener("mousemove", (event) => {
    state.spanX = event.clientX - element("spans").getBoundingClientRect().left;
    draw();
    const span = spanAt(state.spanX);
    const share = (it) => it.sorted.filter((one) => one <= span).length / it.sorted.length;
    tell(event, [`within ${seconds(span)}`, ...spans.map((it) =>
      `${(share(it) * 100).toFixed(1)} %: ${it.name} (${it.sorted.length})`)]);
  });
  element("spans").addEventListener("mouseleave", hush);
  window.addEventListener("resize", rebuild);
}

words();
onTheme(() => { if (map) draw(); });
rebuild();
listen();
document.documentElement.dataset.state = "drawn";
