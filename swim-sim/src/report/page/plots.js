// Drawing: a canvas with margins and a time axis, curves, distributions, the heat map.

const MARGIN = { left: 58, right: 14 };

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function rgb(name) {
  const hex = color(name);
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Prepares a canvas for sharp lines; returns its context and its size in CSS pixels. */
function prepare(canvas, height) {
  const width = canvas.parentElement.clientWidth;
  const scale = window.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  return { context, width, height, inner: Math.max(10, width - MARGIN.left - MARGIN.right) };
}

/** Round steps that divide a range into about so many parts. */
function steps(range, parts) {
  if (!(range > 0)) return 1;
  const rough = range / parts;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  return [1, 2, 5, 10].map((it) => it * power).find((it) => it >= rough);
}

function seconds(value) {
  if (value === 0) return "0 s";
  if (value < 0.001) return `${+(value * 1e6).toPrecision(3)} µs`;
  if (value < 1) return `${+(value * 1e3).toPrecision(3)} ms`;
  return `${+value.toFixed(value < 10 ? 2 : 1)} s`;
}

function bytes(value) {
  if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)} MB`;
  if (value >= 1e3) return `${+(value / 1e3).toPrecision(3)} KB`;
  return `${Math.round(value)} B`;
}

function timeAxis(frame, length, top, bottom) {
  const { context, inner } = frame;
  const step = steps(length, inner / 90);
  context.fillStyle = color("soft");
  context.strokeStyle = color("line");
  context.textAlign = "center";
  for (let at = 0; at <= length * 1.0001; at += step) {
    const x = MARGIN.left + at / length * inner;
    context.beginPath();
    context.moveTo(x, bottom);
    context.lineTo(x, bottom + 4);
    context.stroke();
    context.fillText(`${+at.toFixed(3)} s`, Math.min(x, frame.width - 18), bottom + 14);
  }
}

/** Thin lines where something was done to the world. */
function markLines(frame, data, top, bottom) {
  const { context, inner } = frame;
  context.save();
  context.strokeStyle = color("soft");
  context.globalAlpha = 0.45;
  context.setLineDash([3, 3]);
  for (const mark of data.marks.filter(isMajor).slice(0, 400)) {
    const x = MARGIN.left + mark.at / data.length * inner;
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
  }
  context.restore();
}

function isMajor(mark) {
  return mark.what !== "broadcast" && mark.what !== "update";
}

function crosshair(frame, fraction, top, bottom) {
  if (fraction === null) return;
  const { context, inner } = frame;
  const x = MARGIN.left + fraction * inner;
  context.strokeStyle = color("ink");
  context.globalAlpha = 0.6;
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, bottom);
  context.stroke();
  context.globalAlpha = 1;
}

function yAxis(frame, most, format, top, bottom) {
  const { context, inner } = frame;
  const step = steps(most, 4);
  context.textAlign = "right";
  context.fillStyle = color("soft");
  context.strokeStyle = color("line");
  for (let value = 0; value <= most * 1.0001; value += step) {
    const y = bottom - value / most * (bottom - top);
    context.beginPath();
    context.moveTo(MARGIN.left, y);
    context.lineTo(MARGIN.left + inner, y);
    context.stroke();
    context.fillText(format(value), MARGIN.left - 8, y);
  }
}

function key(frame, series) {
  const { context } = frame;
  let x = MARGIN.left;
  context.textAlign = "left";
  for (const { name, tint } of series) {
    context.fillStyle = color(tint);
    context.fillRect(x, 8, 14, 4);
    context.fillStyle = color("soft");
    context.fillText(name, x + 20, 10);
    x += context.measureText(name).width + 44;
  }
}

/** Curves over time. Each series: name, tint, values; `fill` for an area below. */
function curves(canvas, data, xs, series, options, fraction) {
  const frame = prepare(canvas, 210);
  const { context, inner } = frame;
  const [top, bottom] = [28, 182];
  const most = options.most || 1.08 * Math.max(1e-9, ...series.map(({ values }) =>
    values.reduce((a, b) => Math.max(a, b), 0)));
  yAxis(frame, most, options.format, top, bottom);
  timeAxis(frame, data.length, top, bottom);
  markLines(frame, data, top, bottom);
  const y = (value) => bottom - Math.min(value, most) / most * (bottom - top);
  const x = (at) => MARGIN.left + xs[at] / data.length * inner;
  for (const { values, tint, fill, dashed } of series) {
    if (!values.length) continue;
    context.strokeStyle = context.fillStyle = color(tint);
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    context.setLineDash(dashed ? [5, 4] : []);
    context.beginPath();
    values.forEach((value, at) => context.lineTo(x(at), y(value)));
    context.stroke();
    context.setLineDash([]);
    if (fill) {
      context.globalAlpha = 0.13;
      context.lineTo(x(values.length - 1), bottom);
      context.lineTo(x(0), bottom);
      context.fill();
      context.globalAlpha = 1;
    }
    context.lineWidth = 1;
  }
  key(frame, series);
  crosshair(frame, fraction, top, bottom);
}

/** Which share of some values was at most so large; the axis of values is logarithmic. */
function distribution(canvas, series, format, hoverX) {
  const frame = prepare(canvas, 230);
  const { context, inner } = frame;
  const [top, bottom] = [28, 196];
  const all = series.flatMap(({ sorted }) => [sorted[0], sorted[sorted.length - 1]]);
  const least = Math.log10(Math.max(1e-6, Math.min(...all) * 0.8));
  const most = Math.max(least + 0.3, Math.log10(Math.max(1e-6, ...all) * 1.2));
  const x = (span) =>
    MARGIN.left + (Math.log10(Math.max(span, 1e-6)) - least) / (most - least) * inner;
  yAxis(frame, 1, (value) => `${Math.round(value * 100)} %`, top, bottom);
  context.textAlign = "center";
  for (let power = Math.floor(least); power <= most; power++) {
    const digits = most - least > 3 ? [1] : most - least > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const digit of digits) {
      const span = digit * Math.pow(10, power);
      const at = x(span);
      if (at < MARGIN.left - 1 || at > MARGIN.left + inner + 1) continue;
      context.strokeStyle = color("line");
      context.beginPath();
      context.moveTo(at, top);
      context.lineTo(at, bottom + 4);
      context.stroke();
      context.fillStyle = color("soft");
      context.fillText(format(span), Math.min(at, frame.width - 22), bottom + 15);
    }
  }
  for (const { sorted, tint } of series) {
    context.strokeStyle = color(tint);
    context.lineWidth = 1.8;
    context.beginPath();
    context.moveTo(x(sorted[0]), bottom);
    const stride = Math.max(1, Math.floor(sorted.length / 2000));
    for (let at = 0; at < sorted.length; at += stride) {
      context.lineTo(x(sorted[at]), bottom - (at + 1) / sorted.length * (bottom - top));
    }
    context.lineTo(x(sorted[sorted.length - 1]), top);
    context.stroke();
    context.lineWidth = 1;
  }
  key(frame, series);
  crosshair(frame, hoverX === null ? null : (hoverX - MARGIN.left) / inner, top, bottom);
  return (at) => Math.pow(10, least + (at - MARGIN.left) / inner * (most - least));
}

/** Room for the names of what was done, in lines; as many are taken as are needed. */
const LANES = 4;

/** The heat map: a ruler of what was done, and rows of cells. Returns where the rows are. */
function heatMap(canvas, data, map, names, fraction, hoverRow) {
  const rowHeight = Math.max(1, Math.min(22, Math.floor(560 / map.rows)));
  const bins = Math.min(map.rows, 700);
  const plot = bins * rowHeight;
  const labels = layLabels(canvas, data);
  const top = 18 + 15 * labels.lanes;
  const frame = { ...prepare(canvas, top + plot + 26), rowsTop: top };
  const { context, inner } = frame;
  paintCells(frame, map, bins, rowHeight, plot);
  context.fillStyle = color("soft");
  context.textAlign = "right";
  const every = steps(bins, Math.max(1, plot / 16));
  for (let bin = 0; bin < bins; bin += Math.max(1, Math.round(every))) {
    const row = Math.floor(bin / bins * map.rows);
    context.fillText(names(row), MARGIN.left - 8, top + (bin + 0.5) * rowHeight);
  }
  timeAxis(frame, data.length, top, top + plot);
  ruler(frame, data, labels, plot);
  glyphs(frame, data, map, rowHeight, bins);
  if (hoverRow !== null) {
    const y = top + Math.floor(hoverRow / map.rows * bins) * rowHeight;
    context.strokeStyle = color("ink");
    context.strokeRect(MARGIN.left, y + 0.5, inner, Math.max(2, rowHeight - 1));
  }
  crosshair(frame, fraction, top, top + plot);
  return { top, height: plot, inner };
}

function paintCells(frame, map, bins, rowHeight, plot) {
  const { context, inner } = frame;
  const image = new ImageData(map.columns, plot);
  const tints = ["unknown", "alive", "suspect", "dead", "left", "down"].map(rgb);
  const counts = new Float64Array(STATES);
  const gap = rowHeight >= 8 ? 1 : 0;
  const card = rgb("card");
  for (let bin = 0; bin < bins; bin++) {
    const first = Math.floor(bin / bins * map.rows);
    const last = Math.max(first + 1, Math.floor((bin + 1) / bins * map.rows));
    for (let column = 0; column < map.columns; column++) {
      counts.fill(0);
      for (let row = first; row < last; row++) {
        const cell = (row * map.columns + column) * STATES;
        for (let state = 0; state < STATES; state++) counts[state] += map.cells[cell + state];
      }
      const layers = stack(counts, rowHeight - gap);
      for (let pixel = 0; pixel < rowHeight; pixel++) {
        const tint = pixel >= rowHeight - gap ? card : layers(pixel, tints);
        const at = ((bin * rowHeight + pixel) * map.columns + column) * 4;
        image.data[at] = tint[0];
        image.data[at + 1] = tint[1];
        image.data[at + 2] = tint[2];
        image.data[at + 3] = 255;
      }
    }
  }
  const sheet = document.createElement("canvas");
  sheet.width = map.columns;
  sheet.height = plot;
  sheet.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet, MARGIN.left, frame.rowsTop, inner, plot);
}

/** The colour of each pixel of a cell from its top: what is wrong stands at the bottom. */
function stack(counts, height) {
  const running = counts[0] + counts[1] + counts[2] + counts[3] + counts[4];
  if (running === 0) return (pixel, tints) => tints[DOWN];
  const others = [3, 2, 4, 0].filter((state) => counts[state] > 0);
  if (height < 6) {
    // Too low for a stack: a mixture, in which the few are seen.
    const weights = [3, 2, 4, 0].map((state) => Math.sqrt(counts[state] / running));
    const rest = Math.max(0, 1 - weights.reduce((a, b) => a + b, 0));
    const sum = rest + weights.reduce((a, b) => a + b, 0);
    return (pixel, tints) => [0, 1, 2].map((part) =>
      (rest * tints[1][part] + weights[0] * tints[3][part] + weights[1] * tints[2][part] +
        weights[2] * tints[4][part] + weights[3] * tints[0][part]) / sum);
  }
  const ends = [];
  let used = 0;
  for (const state of others) {
    const share = counts[state] / running;
    used += Math.max(share * height, 1.6);
    ends.push([used, state]);
  }
  const isAll = counts[1] === 0;
  return (pixel, tints) => {
    const fromBelow = height - pixel - 0.5;
    const found = ends.find(([end]) => fromBelow < end);
    return tints[found ? found[1] : isAll && others.length ? others[others.length - 1] : 1];
  };
}

/** Where the names of what was done stand: as far as there is room. */
function layLabels(canvas, data) {
  const frame = prepare(canvas, 10);
  const ends = new Array(LANES).fill(-Infinity);
  const labels = [];
  for (const mark of data.marks.filter(isMajor).slice(0, 5000)) {
    const x = MARGIN.left + mark.at / data.length * frame.inner;
    let text = mark.what + (mark.hosts.length ? ` ${hostList(mark.hosts)}` : "");
    if (text.length > 34) text = `${text.slice(0, 33)}…`;
    const width = frame.context.measureText(text).width;
    const start = Math.max(MARGIN.left, Math.min(x, frame.width - MARGIN.right - width));
    const lane = ends.findIndex((used) => used + 10 < start);
    if (lane >= 0) ends[lane] = start + width;
    labels.push({ mark, x, text, start, lane });
  }
  return { labels, lanes: ends.filter((end) => end > 0).length };
}

/** Above the rows, what was done. */
function ruler(frame, data, { labels }, plot) {
  const { context, inner, rowsTop } = frame;
  context.fillStyle = color("accent");
  for (const mark of data.marks.filter((it) => !isMajor(it)).slice(0, 5000)) {
    context.fillRect(MARGIN.left + mark.at / data.length * inner - 0.5, rowsTop - 7, 1, 6);
  }
  context.textAlign = "left";
  for (const { mark, x, lane } of labels) {
    context.strokeStyle = context.fillStyle = color("soft");
    context.globalAlpha = lane < 0 ? 0.25 : 0.6;
    context.beginPath();
    context.moveTo(x, lane < 0 ? rowsTop - 7 : 14 + lane * 15);
    context.lineTo(x, rowsTop + (mark.hosts.length ? 0 : plot));
    context.stroke();
    if (mark.until !== null) {
      const end = MARGIN.left + Math.min(1, mark.until / data.length) * inner;
      context.fillRect(x, rowsTop - 3, end - x, 2);
    }
    context.globalAlpha = 1;
  }
  for (const { text, start, lane } of labels.filter((it) => it.lane >= 0)) {
    const width = context.measureText(text).width;
    context.fillStyle = color("card");
    context.fillRect(start - 2, 1 + lane * 15, width + 4, 14);
    context.fillStyle = color("ink");
    context.fillText(text, start, 8 + lane * 15);
  }
}

/** In a node's own row, what was done to it. */
function glyphs(frame, data, map, rowHeight, bins) {
  const { context, inner, rowsTop } = frame;
  if (rowHeight < 3 || bins < map.rows) return;
  const size = Math.min(5, rowHeight / 2 - 1 || 1);
  for (const mark of data.marks.filter(isMajor).slice(0, 3000)) {
    for (const host of mark.hosts) {
      const x = MARGIN.left + mark.at / data.length * inner;
      const y = rowsTop + (host + 0.5) * rowHeight - 0.5;
      context.strokeStyle = context.fillStyle = color("ink");
      if (mark.until !== null) {
        const end = MARGIN.left + Math.min(1, mark.until / data.length) * inner;
        context.setLineDash([3, 2]);
        context.strokeRect(x, y - rowHeight / 2 + 1.5, end - x, Math.max(1, rowHeight - 3));
        context.setLineDash([]);
      } else if (mark.what === "crash") {
        context.lineWidth = 1.6;
        context.beginPath();
        context.moveTo(x - size, y - size);
        context.lineTo(x + size, y + size);
        context.moveTo(x + size, y - size);
        context.lineTo(x - size, y + size);
        context.stroke();
        context.lineWidth = 1;
      } else {
        const isStart = mark.what === "start" || mark.what === "join";
        context.beginPath();
        context.moveTo(x - size * 0.6, y - size);
        context.lineTo(x + size, y);
        context.lineTo(x - size * 0.6, y + size);
        context.closePath();
        if (isStart) context.fill();
        else context.stroke();
      }
    }
  }
}
