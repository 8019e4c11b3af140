// What scrolls can be reached with the keyboard, and says that it scrolls, as phones show no bar: now, after equations are
// drawn, a phone is turned, a part is unfolded.
const SCROLLING = ".drawing, .plot, .table, .pst-scrollable-table-container, .bd-article div.math, .highlight pre, .bd-article mjx-container[display='true']";

function reach() {
  document.querySelectorAll(SCROLLING).forEach((box) => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    box.toggleAttribute("data-wide", wide);
    if (wide && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  });
}

reach();
addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
addEventListener("load", () => window.MathJax?.startup?.promise.then(reach));

// A column of sentences is no narrower on a phone than a few words; what does not fit then scrolls.
for (const cell of document.querySelectorAll(".bd-article :is(td, th)")) cell.classList.toggle("long", cell.textContent.trim().length > 30);

// Who chose a section in the contents of a phone wants to read it, not the contents.
document.addEventListener("click", (event) => event.target.closest?.("dialog a[href^='#']")?.closest("dialog").close());

// Who comes from the search to a page, not to a section of it, comes to where the words stand: together if they do, best as
// a heading or in bold, as a term is where it is explained.
const sought = new URLSearchParams(location.search).get("words")?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
if (sought.length) addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  if (location.hash || scrollY > 0) return;
  const held = (part) => sought.filter((word) => part.textContent.toLowerCase().includes(word)).length;
  const named = (part) => [part.matches("h2, h3") ? part : null, ...part.querySelectorAll("strong")].some((each) => each && held(each) === sought.length);
  const parts = [...document.querySelectorAll(".bd-article :is(p, li, td, h2, h3, pre)")].filter((part) => held(part) && part.checkVisibility?.() !== false);
  const values = parts.map((part) => held(part) + named(part) / 2), best = parts[values.indexOf(Math.max(...values))];
  best?.classList.add("sought");
  best?.scrollIntoView({ block: "center" });
});

// A dark page is printed as a light one.
const root = document.documentElement;
let theme;
addEventListener("beforeprint", () => { theme = root.dataset.theme; root.dataset.theme = "light"; });
addEventListener("afterprint", () => { root.dataset.theme = theme; });

// The theme's sidebar is no landmark of its own.
const sidebar = document.querySelector(".bd-sidebar-primary");
sidebar?.setAttribute("role", "complementary");
sidebar?.setAttribute("aria-label", "The course");

// The search knows titles and words, but fetches no page to show a line of it; what is called exactly so comes first.
const results = document.querySelector("#search-results");
if (results) {
  const note = "The search lists pages and sections by title. A page opens where your words stand.";
  const line = Object.assign(document.createElement("p"), { className: "search-note", textContent: note });
  results.before(line);
  const asked = new URLSearchParams(location.search).get("q")?.trim().toLowerCase();
  const named = (title) => title.split(" > ").pop().toLowerCase() === asked;
  results.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && !link.hash) link.search = new URLSearchParams({ words: asked ?? "" });
  });
  if (typeof Scorer !== "undefined") Scorer.score = ([, title, , , score]) => score + 100 * named(title);
}
