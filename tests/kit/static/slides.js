// Starts the deck: equations first, while all slides can be measured, then reveal.js. Both lie beside this file.
window.MathJax = {
  tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]] },
  svg: { fontCache: "none" },
  options: {
    enableMenu: false,
    enableAssistiveMml: false,
    ignoreHtmlClass: "reveal",
    processHtmlClass: "math",
  },
  startup: {
    pageReady() {
      const sources = [...document.querySelectorAll(".math")].map((one) => one.textContent);
      return MathJax.startup.defaultPageReady().then(() => {
        document.querySelectorAll(".math").forEach((one, index) => {
          const picture = one.querySelector("svg");
          if (!picture) return;
          picture.setAttribute("role", "img");
          picture.setAttribute("aria-label", sources[index].replace(/^\\[([]|\\[)\]]$/g, ""));
        });
        start();
      });
    },
  },
};

function start() {
  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    minScale: 0.1,
    maxScale: 4,
    center: false,
    hash: true,
    transition: "none",
    slideNumber: "c/t",
    showSlideNumber: "all",
    pdfMaxPagesPerSlide: 1,
    pdfSeparateFragments: false,
    // What is moved on a slide has the keys while it has the focus.
    keyboardCondition: () => !document.activeElement.closest(".explorable"),
    plugins: [RevealNotes],
  }).then(() => document.documentElement.classList.add("ready"));
}
