// What scrolls can be reached with the keyboard: now, after equations are drawn, a phone is turned, a part is unfolded.
const SCROLLING = ".drawing, .plot, .table, .bd-article div.math, .highlight pre, .bd-article mjx-container[display='true']";

function reach() {
  document.querySelectorAll(SCROLLING).forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1 && !box.hasAttribute("tabindex")) box.tabIndex = 0;
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
