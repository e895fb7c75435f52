"use strict";

// What every page does: read its data, show its head, tell details, be light or dark.

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);

function text(tag, content, name) {
  const made = document.createElement(tag);
  made.textContent = content;
  if (name) made.className = name;
  return made;
}

function showHead({ title, about, passed, again }) {
  element("title").textContent = title;
  element("about").textContent = about.replace(/([^\n])\n(?!\n)/g, "$1 ");
  element("verdict").textContent = passed ? "passed" : "failed";
  element("verdict").classList.add(passed ? "good" : "bad");
  element("again").textContent = again;
}

function showTiles(tiles) {
  for (const [name, value] of tiles) {
    const tile = document.createElement("div");
    tile.append(text("dt", name), text("dd", value));
    element("tiles").append(tile);
  }
}

/** Shows lines beside the mouse. */
function tell(event, lines) {
  const tip = element("tip");
  tip.textContent = lines.join("\n");
  tip.style.display = "block";
  const left = Math.min(event.clientX + 16, window.innerWidth - tip.offsetWidth - 8);
  const above = event.clientY + 18 + tip.offsetHeight > window.innerHeight;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${above ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18}px`;
}

function hideTip() {
  element("tip").style.display = "none";
}

/** Light or dark as the address, the system or the button says; `draw` is called at changes. */
function onTheme(draw) {
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    draw();
  };
  const wishes = location.hash.slice(1).split(",");
  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  set(wishes.includes("dark") || (isDark.matches && !wishes.includes("light")) ? "dark" : "light");
  isDark.addEventListener("change", (event) => set(event.matches ? "dark" : "light"));
  element("theme").addEventListener("click", () => {
    set(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  });
}
