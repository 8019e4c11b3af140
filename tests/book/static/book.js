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

// The theme's sidebar is no landmark of its own.
const sidebar = document.querySelector(".bd-sidebar-primary");
sidebar?.setAttribute("role", "complementary");
sidebar?.setAttribute("aria-label", "The course");

// The search knows titles and words, but fetches no page to show a line of it; what is called exactly so comes first.
const results = document.querySelector("#search-results");
if (results) {
  const note = "The search lists pages and sections by title. To find the words on a page, open it and use your browser’s “Find in page”.";
  const line = Object.assign(document.createElement("p"), { className: "search-note", textContent: note });
  results.before(line);
  const asked = new URLSearchParams(location.search).get("q")?.trim().toLowerCase();
  const named = (title) => title.split(" > ").pop().toLowerCase() === asked;
  if (typeof Scorer !== "undefined") Scorer.score = ([, title, , , score]) => score + 100 * named(title);
}
