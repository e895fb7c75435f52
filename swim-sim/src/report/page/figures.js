// Drawing for pages about many runs: bars, dots in a plane, figures beside what was published.

/** A number with as many figures as count. */
function figure(value) {
  const size = Math.abs(value);
  if (value === 0 || size >= 1000) return Math.round(value).toLocaleString("en-US");
  return size < 0.001 ? value.toExponential(1) : String(+value.toPrecision(3));
}

/** Lying bars with a name before and a number behind; of what differs a hundredfold, the logarithms. */
function bars(canvas, rows, hover) {
  const frame = prepare(canvas, rows.length * BAR + 8);
  const { context, width } = frame;
  const name = Math.min(width * 0.45, 10 + Math.max(...rows.map(([it]) => context.measureText(it).width)));
  const room = width - name - 90;
  const most = Math.max(1, ...rows.map(([, value]) => value));
  const least = Math.min(most, ...rows.map(([, value]) => value).filter((value) => value > 0));
  const share = (value) => most > 100 * least ? Math.log1p(value) / Math.log1p(most) : value / most;
  const length = (value) => value > 0 ? 2 + share(value) * (room - 2) : 0;
  rows.forEach(([what, value], at) => {
    const y = 4 + at * BAR;
    context.fillStyle = color(value > 0 ? "ink" : "bad");
    context.textAlign = "right";
    context.fillText(what, name - 8, y + BAR / 2, name - 8);
    context.fillStyle = color("one");
    context.globalAlpha = hover === at ? 1 : 0.75;
    context.fillRect(name, y + 3, length(value), BAR - 6);
    context.globalAlpha = 1;
    context.textAlign = "left";
    context.fillStyle = color(value > 0 ? "soft" : "bad");
    context.fillText(value > 0 ? figure(value) : "never", name + length(value) + 6, y + BAR / 2);
  });
  return (x, y) => {
    const at = Math.floor((y - 4) / BAR);
    return at >= 0 && at < rows.length ? at : null;
  };
}

/** Dots in a plane, upwards from zero. */
function plane(canvas, { x: xName, y: yName, points }, hover) {
  const frame = prepare(canvas, 320);
  const { context, inner } = frame;
  const [top, bottom] = [28, 276];
  const most = (of) => 1.12 * Math.max(1e-9, ...points.map(of));
  const yMost = most((it) => it.y);
  const xs = points.map((it) => it.x);
  const spare = Math.max(1e-9, (Math.max(...xs) - Math.min(...xs)) * 0.08, Math.max(...xs) * 0.02);
  const [xLeast, xMost] = [Math.max(0, Math.min(...xs) - spare), Math.max(...xs) + spare];
  const across = (x) => MARGIN.left + (x - xLeast) / (xMost - xLeast) * inner;
  yAxis(frame, yMost, figure, top, bottom);
  context.textAlign = "center";
  context.fillStyle = color("soft");
  const step = steps(xMost - xLeast, inner / 110);
  for (let value = Math.ceil(xLeast / step) * step; value <= xMost; value += step) {
    context.fillText(figure(value), across(value), bottom + 14);
  }
  context.fillText(xName, MARGIN.left + inner / 2, bottom + 32);
  context.textAlign = "left";
  context.fillText(yName, MARGIN.left, 10);
  const place = ({ x, y }) => [across(x), bottom - y / yMost * (bottom - top)];
  points.forEach((point, at) => {
    const [x, y] = place(point);
    context.fillStyle = color(point.best ? "good" : "one");
    context.globalAlpha = hover === null || hover === at ? 0.9 : 0.35;
    context.beginPath();
    context.arc(x, y, point.best ? 7 : 5, 0, 7);
    context.fill();
    if (point.best || hover === at) {
      const isRight = x > frame.width * 0.75;
      context.textAlign = isRight ? "right" : "left";
      context.fillStyle = color("ink");
      context.fillText(point.name, x + (isRight ? -10 : 10), y);
    }
    context.globalAlpha = 1;
  });
  return (x, y) => nearestOf(points.map(place), x, y);
}

/** For each row: the band, what was published, what the model gave, what we give, and the bar. */
function strips(canvas, rows, hover) {
  const frame = prepare(canvas, rows.length * STRIP + 46);
  const { context, width } = frame;
  const name = Math.min(width * 0.4, 12 + Math.max(...rows.map((it) => context.measureText(it.cell).width)));
  const room = width - name - 16;
  const values = rows.flatMap((it) => [it.published, it.plain, it.shipped, it.low, it.high, it.bar])
    .filter((value) => value !== null && Number.isFinite(value));
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive, 1), Math.max(...values, 1e-9)];
  const isWide = positive.length === values.length && most / Math.min(...positive) > 30;
  const [low, high] = isWide
    ? [Math.log10(Math.min(...positive)) - 0.05, Math.log10(most) + 0.05] : [Math.min(0, ...values), most * 1.06];
  const x = (value) => name + ((isWide ? Math.log10(Math.max(value, least)) : value) - low) / (high - low) * room;
  const bottom = 26 + rows.length * STRIP;
  axis(frame, isWide, [low, high], x, bottom);
  rows.forEach((row, at) => {
    const y = 26 + at * STRIP + STRIP / 2;
    context.globalAlpha = hover === at ? 0.35 : 0.18;
    if (row.low !== null) {
      context.fillStyle = color("one");
      const [from, to] = [x(row.low), x(row.high)];
      context.fillRect(from, y - 7, Math.max(2, to - from), 14);
    }
    context.globalAlpha = 1;
    context.fillStyle = color("ink");
    context.textAlign = "right";
    context.fillText(row.cell, name - 10, y, name - 10);
    if (row.bar !== null) tick(context, x(row.bar), y, "soft");
    if (row.published !== null) ring(context, x(row.published), y, "soft");
    if (row.plain !== null) dot(context, x(row.plain), y, row.inside === false ? "bad" : "one");
    if (row.shipped !== null) diamond(context, x(row.shipped), y, row.met === false ? "bad" : "good");
  });
  stripKey(frame, rows);
  return (_, y) => {
    const at = Math.floor((y - 26) / STRIP);
    return at >= 0 && at < rows.length ? at : null;
  };
}

function axis(frame, isWide, [low, high], x, bottom) {
  const { context } = frame;
  context.textAlign = "center";
  context.strokeStyle = color("line");
  const values = [];
  if (isWide) {
    for (let power = Math.ceil(low); power <= high; power++) values.push(Math.pow(10, power));
  } else {
    const step = steps(high - low, 6);
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) values.push(value);
  }
  for (const value of values) {
    context.beginPath();
    context.moveTo(x(value), 24);
    context.lineTo(x(value), bottom + 3);
    context.stroke();
    context.fillStyle = color("soft");
    context.fillText(figure(+value.toPrecision(6)), x(value), bottom + 12);
  }
}

function stripKey(frame, rows) {
  const { context } = frame;
  const has = (field) => rows.some((row) => row[field] !== null);
  const signs = [
    ["published", "published", (x) => ring(context, x, 10, "soft")],
    ["plain", "the published algorithm, here", (x) => dot(context, x, 10, "one")],
    ["low", "its band", (x) => {
      context.fillStyle = color("one");
      context.globalAlpha = 0.25;
      context.fillRect(x - 7, 4, 14, 12);
      context.globalAlpha = 1;
    }],
    ["shipped", "ours", (x) => diamond(context, x, 10, "good")],
    ["bar", "the bar for ours", (x) => tick(context, x, 10, "soft")],
  ];
  let x = 12;
  context.textAlign = "left";
  for (const [, name, draw] of signs.filter(([field]) => has(field))) {
    draw(x);
    context.fillStyle = color("soft");
    context.fillText(name, x + 12, 10);
    x += context.measureText(name).width + 42;
  }
}

function ring(context, x, y, tint) {
  context.strokeStyle = color(tint);
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 5, 0, 7);
  context.stroke();
  context.lineWidth = 1;
}

function dot(context, x, y, tint) {
  context.fillStyle = color(tint);
  context.beginPath();
  context.arc(x, y, 4, 0, 7);
  context.fill();
}

function diamond(context, x, y, tint) {
  context.fillStyle = color(tint);
  context.beginPath();
  context.moveTo(x, y - 6);
  context.lineTo(x + 6, y);
  context.lineTo(x, y + 6);
  context.lineTo(x - 6, y);
  context.fill();
}

function tick(context, x, y, tint) {
  context.fillStyle = color(tint);
  context.fillRect(x - 1, y - 9, 2, 18);
}

function nearestOf(places, x, y) {
  let [best, found] = [REACH * REACH, null];
  places.forEach(([px, py], at) => {
    const distance = (px - x) * (px - x) + (py - y) * (py - y);
    if (distance < best) [best, found] = [distance, at];
  });
  return found;
}

const BAR = 20;
const STRIP = 22;
/** How near the mouse must come, in pixels. */
const REACH = 30;
