// The rules of audit.py, as a browser is asked them: each function returns the faults of the page it runs in, as sentences.
({
  async ready() {
    await window.MathJax?.startup?.promise;
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    await Promise.all([...document.images].map(picture => {
      picture.loading = "eager";
      return picture.decode().catch(() => {});  // one that cannot be loaded is a fault which pictures() finds
    }));
  },

  overflow() {
    const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
    if (wide <= room) return [];
    const scrolls = element => element && (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const reach = element => element.getBoundingClientRect().left + Math.max(element.scrollWidth ?? 0, element.getBoundingClientRect().width);
    const beyond = [...document.body.querySelectorAll("*")].filter(element => reach(element) > room + 1 && !scrolls(element));
    const named = beyond.slice(-5).map(element =>
      `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} ${element.textContent.trim().slice(0, 40)}`);
    return [`the page is ${wide} px wide, the window ${room}: ${named.join(" | ")}`];
  },

  pictures() {
    const faults = [];
    for (const picture of document.querySelectorAll("img, svg")) {
      // Of an icon in a control the control has the name, which axe asks for.
      if (picture.closest("mjx-container, [aria-hidden=true], button, a, summary") || picture.parentElement.closest("svg")) continue;
      const image = picture.tagName === "IMG";
      const words = picture.getAttribute(image ? "alt" : "aria-label");
      if (!words?.trim() || (!image && picture.getAttribute("role") !== "img")) {
        faults.push("a picture without words: " + picture.outerHTML.slice(0, 120));
      }
      if (image && !picture.naturalWidth) faults.push("a picture that does not load: " + picture.src);
    }
    return faults;
  },

  equations() {
    const wrong = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")];
    const faults = wrong.map(error => "an equation with an error: " + error.textContent);
    for (const place of document.querySelectorAll(".math")) {
      const equation = place.querySelector("mjx-container");
      if (!equation) faults.push("an equation that is not typeset: " + place.textContent.slice(0, 80));
      else if (!equation.querySelector("mjx-assistive-mml") && !equation.getAttribute("aria-label")) {
        faults.push("an equation that a screen reader cannot read: " + place.textContent.slice(0, 80));
      }
    }
    return faults;
  },

  // Letters of at least twelve pixels; and what is wider than its box can be scrolled to, with the keyboard too.
  code() {
    const faults = [];
    for (const code of document.querySelectorAll("pre, table, .drawing")) {
      if (!code.checkVisibility()) continue;
      const size = parseFloat(getComputedStyle(code).fontSize), name = `${code.tagName.toLowerCase()}.${code.className}`;
      if (size < 12) faults.push(`${name}: letters of ${size.toFixed(1)} px`);
      if (code.tagName === "TABLE" || code.scrollWidth <= code.clientWidth + 1) continue;
      if (!/auto|scroll/.test(getComputedStyle(code).overflowX)) faults.push(`${name}: wider than its box, and does not scroll`);
      else if (code.tabIndex < 0) faults.push(`${name}: scrolls, but not with the keyboard`);
    }
    return faults;
  },

  // Asked on a phone: what is too small there to be read or touched, and what lies outside the window.
  phone() {
    const faults = [], text = document.createRange();
    for (const figure of document.querySelectorAll(".plot img")) {
      const width = figure.getBoundingClientRect().width;
      if (width < 600) faults.push(`a figure of ${Math.round(width)} px, whose letters cannot be read: ${figure.alt.slice(0, 60)}`);
    }
    for (const cell of document.querySelectorAll(".bd-article :is(td, th)")) {
      if (cell.textContent.trim().length <= 30) continue;
      text.selectNodeContents(cell);
      const width = cell.getBoundingClientRect().width, lines = text.getBoundingClientRect().height / parseFloat(getComputedStyle(cell).lineHeight);
      if (width < 150 && lines > 3.5) faults.push(`a column of ${Math.round(width)} px, in ${Math.round(lines)} lines: ${cell.textContent.trim().slice(0, 60)}`);
    }
    for (const control of document.querySelectorAll("button, input, select, summary")) {
      const { width, height } = control.getBoundingClientRect();
      if (width && control.checkVisibility({ visibilityProperty: true }) && Math.min(width, height) < 24) {
        faults.push(`a control of ${Math.round(width)} × ${Math.round(height)} px: ${control.outerHTML.slice(0, 80)}`);
      }
    }
    for (const arrow of document.querySelectorAll(".prev-next-area :is(p, svg)")) {
      const { left, right } = arrow.getBoundingClientRect();
      if (left < 0 || right > document.documentElement.clientWidth) faults.push(`outside the window: ${arrow.closest("a").textContent.trim().slice(-60)}`);
    }
    return faults;
  },
})
