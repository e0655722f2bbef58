// Decisions live in `decisions` by scan name, and in the browser's memory until another sheet is made.
"use strict";
const MARKS = { accepted: "\u2713 accepted", rejected: "\u2717 rejected" };
const FILTERS = ["all", "pending", "accepted", "rejected"];
const MEMORY = `brainuad-review-${CONTENT.key}`;
const cards = [...document.querySelectorAll("#sheet li")];
const element = (id) => document.getElementById(id);
const done = [];
let filter = "all";
let current = 0;
let unsaved = false;
let remembers = true;
const decisions = { ...CONTENT.decisions, ...recalled() };

function recalled() {
  try {
    const kept = JSON.parse(localStorage.getItem(MEMORY) || "{}");
    if (Object.keys(kept).length === 0) return {};
    // Decisions that were taken back are kept as empty strings.
    unsaved = true;
    return kept;
  } catch {
    remembers = false;
    return {};
  }
}

function remember() {
  try {
    localStorage.setItem(MEMORY, JSON.stringify(decisions));
  } catch {
    remembers = false;
  }
}

const nameOf = (number) => CONTENT.scans[number];
const stateOf = (number) => decisions[nameOf(number)] || "pending";
const visible = (number) => filter === "all" || stateOf(number) === filter;

function step(direction) {
  for (let number = current + direction; number >= 0 && number < cards.length; number += direction) {
    if (visible(number)) return show(number);
  }
  // Past the end of a filter: stay, or go back to the nearest card that is still shown.
  if (!visible(current)) {
    const left = cards.findIndex((_, number) => visible(number));
    if (left >= 0) show(left);
  }
  draw();
}

function decide(decision) {
  if (!cards.length || !visible(current)) return;
  done.push([current, decisions[nameOf(current)] || ""]);
  decisions[nameOf(current)] = decision;
  unsaved = true;
  remember();
  step(1);
}

function undo() {
  if (!done.length) return;
  const [number, before] = done.pop();
  decisions[nameOf(number)] = before;
  unsaved = true;
  remember();
  if (!visible(number)) filter = "all";
  show(number);
}

function choose(wanted) {
  filter = wanted;
  const first = cards.findIndex((_, number) => visible(number));
  show(visible(current) || first < 0 ? current : first);
}

function table() {
  const rows = CONTENT.scans.filter((name) => decisions[name]).map((name) => [name, decisions[name]]);
  const all = [["scan", "decision"], ...rows, ...Object.entries(CONTENT.others)];
  return all.map((row) => `${row.join("\t")}\n`).join("");
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/tab-separated-values" }));
  link.download = "review.tsv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  unsaved = false;
  draw();
}

function show(number) {
  current = number;
  draw();
  if (cards[current]) cards[current].scrollIntoView({ block: "nearest" });
}

function draw() {
  const counts = { accepted: 0, rejected: 0, pending: 0 };
  cards.forEach((card, number) => {
    const state = stateOf(number);
    counts[state] += 1;
    card.hidden = !visible(number);
    card.className = `${state}${number === current ? " current" : ""}`;
    card.querySelector(".state").textContent = MARKS[state] || "";
  });
  const reviewed = counts.accepted + counts.rejected;
  element("progress").textContent =
    `${reviewed} of ${cards.length} reviewed: ${counts.accepted} accepted, ${counts.rejected} rejected`;
  element("bar").max = Math.max(cards.length, 1);
  element("bar").value = reviewed;
  element("filter").value = filter;
  element("saved").textContent = (unsaved ? "Not saved to a file yet." : "") +
    (remembers ? "" : " This browser does not remember decisions: save before you close the page.");
  const shown = cards.length > 0 && visible(current);
  element("current").hidden = !shown;
  element("nothing").hidden = shown;
  if (shown) enlarge();
}

function enlarge() {
  const state = stateOf(current);
  element("name").textContent = `${current + 1} of ${cards.length} \u00b7 ${nameOf(current)}` +
    (MARKS[state] ? ` \u00b7 ${MARKS[state]}` : "");
  element("large").className = state;
  element("large").replaceChildren(cards[current].firstElementChild.cloneNode(true));
}

const ACTIONS = {
  accept: () => decide("accepted"),
  reject: () => decide("rejected"),
  next: () => step(1),
  previous: () => step(-1),
  undo,
  save,
  filter: () => choose(FILTERS[(FILTERS.indexOf(filter) + 1) % FILTERS.length]),
};
const KEYS = {
  a: "accept", r: "reject", u: "undo", s: "save", f: "filter", arrowright: "next", arrowleft: "previous",
};

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key.toLowerCase()];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  event.preventDefault();
  ACTIONS[action]();
});
document.querySelectorAll("button").forEach((button) =>
  button.addEventListener("click", () => {
    ACTIONS[button.dataset.do]();
    button.blur();
  }));
cards.forEach((card, number) => card.addEventListener("click", () => show(number)));
element("filter").addEventListener("change", (event) => {
  choose(event.target.value);
  event.target.blur();
});
window.addEventListener("beforeunload", (event) => {
  if (unsaved && !remembers) event.preventDefault();
});
show(Math.max(cards.findIndex((_, number) => stateOf(number) === "pending"), 0));
