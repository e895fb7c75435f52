// The page about many runs: puts its parts one below the other, and answers the mouse.

/** What draws each kind of picture, and what to say of one thing in it. */
const PICTURES = {
  bars: {
    draw: (canvas, part, hover) => bars(canvas, part.bars, hover),
    say: (part, at) => [part.bars[at][0], part.bars[at][1].toLocaleString("en-US")],
  },
  points: {
    draw: plane,
    say: (part, at) => [part.points[at].name, ...part.points[at].more],
  },
  strips: {
    draw: (canvas, part, hover) => strips(canvas, part.rows, hover),
    say: (part, at) => [part.rows[at].cell, ...part.rows[at].more],
  },
};

const redraws = [];

function section(part) {
  const made = document.createElement("section");
  made.append(text("h2", part.title));
  if (part.kind === "table") made.append(tableOf(part));
  else if (part.kind === "spread") made.append(spreadOf(part));
  else made.append(pictureOf(part));
  if (part.note) made.append(text("p", part.note, "note"));
  return made;
}

function tableOf({ head, rows, good }) {
  if (!rows.length) return text("p", "Nothing.", "note");
  const box = document.createElement("div");
  box.className = "scroll tall";
  const made = document.createElement("table");
  const first = document.createElement("tr");
  first.append(...head.map((name) => text("th", name)));
  made.append(first);
  rows.forEach((cells, at) => {
    const row = document.createElement("tr");
    if (good[at] !== null) row.className = good[at] ? "good" : "bad";
    row.append(...cells.map((cell) => text("td", cell)));
    made.append(row);
  });
  box.append(made);
  return box;
}

function canvasOf(part) {
  const box = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-label", part.title);
  box.append(canvas);
  return [box, canvas];
}

function pictureOf(part) {
  const [box, canvas] = canvasOf(part);
  const { draw, say } = PICTURES[part.kind];
  let [hover, find] = [null, () => null];
  const redraw = () => { find = draw(canvas, part, hover); };
  redraws.push(redraw);
  canvas.addEventListener("mousemove", (event) => {
    const place = canvas.getBoundingClientRect();
    hover = find(event.clientX - place.left, event.clientY - place.top);
    redraw();
    if (hover === null) hideTip();
    else tell(event, say(part, hover));
  });
  canvas.addEventListener("mouseleave", () => { hover = null; hideTip(); redraw(); });
  return box;
}

function spreadOf(part) {
  const [box, canvas] = canvasOf(part);
  const format = part.in_seconds ? seconds : figure;
  const series = part.series.map(([name, values], at) => ({
    name, tint: ["one", "two", "three", "good", "soft"][at % 5], sorted: Float64Array.from(values).sort(),
  }));
  let [hover, valueAt] = [null, null];
  const redraw = () => { valueAt = distribution(canvas, series, format, hover); };
  redraws.push(redraw);
  canvas.addEventListener("mousemove", (event) => {
    hover = event.clientX - canvas.getBoundingClientRect().left;
    redraw();
    const value = valueAt(hover);
    const share = (it) => it.sorted.filter((one) => one <= value).length / it.sorted.length;
    tell(event, [`at most ${format(value)}`, ...series.map((it) =>
      `${(share(it) * 100).toFixed(1)} %: ${it.name} (${it.sorted.length})`)]);
  });
  canvas.addEventListener("mouseleave", () => { hover = null; hideTip(); redraw(); });
  return box;
}

const redrawAll = () => redraws.forEach((redraw) => redraw());
showHead(data);
showTiles(data.tiles);
element("parts").append(...data.parts.map(section));
onTheme(redrawAll);
window.addEventListener("resize", redrawAll);
document.documentElement.dataset.state = "drawn";
