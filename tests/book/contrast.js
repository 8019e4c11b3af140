// Every text of a page with the colors a reader sees: its ink and what lies below it, both after all opacities.
// Evaluated in a page by contrast.py; returns as JSON
// [{kind, text, size, bold, place, colors: [[ink, ground], …]}, …].
// An element that a browser paints in a way which is not computed here (a filter, a blend mode, a picture below a text)
// comes back with the kind "unknown" and its reason as text.
() => {
  const found = [];
  const clear = [0, 0, 0, 0];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches && /dark/.test(getComputedStyle(document.documentElement).colorScheme);
  const CANVAS = dark ? [18, 18, 18, 1] : [255, 255, 255, 1];  // what a browser paints below a page

  // --- colors: [red, green, blue, opacity], all but the opacity from 0 to 255 --------------------------------------
  const brush = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const known = new Map();
  function color(text) {  // any CSS color, also the spaces that a browser does not turn into rgb()
    if (known.has(text)) return known.get(text);
    const plain = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(text);
    let parts = plain && [+plain[1], +plain[2], +plain[3], plain[4] === undefined ? 1 : +plain[4]];
    if (!parts) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = text;
      brush.fillRect(0, 0, 1, 1);
      const pixel = brush.getImageData(0, 0, 1, 1).data;
      parts = [pixel[0], pixel[1], pixel[2], pixel[3] / 255];
    }
    known.set(text, parts);
    return parts;
  }
  function over(front, back) {
    const opacity = front[3] + back[3] * (1 - front[3]);
    if (!opacity) return clear;
    const mixed = i => (front[i] * front[3] + back[i] * back[3] * (1 - front[3])) / opacity;
    return [mixed(0), mixed(1), mixed(2), opacity];
  }
  const thinner = (layer, opacity) => (opacity === 1 ? layer : [layer[0], layer[1], layer[2], layer[3] * opacity]);
  const hex = layer => "#" + layer.slice(0, 3).map(v => Math.round(v).toString(16).padStart(2, "0")).join("");

  // --- elements ------------------------------------------------------------------------------------------------------
  const styles = new Map();
  function style(element) {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  }
  function place(element) {
    const name = element.tagName.toLowerCase();
    const names = typeof element.className === "string" ? element.className : element.getAttribute("class") || "";
    return name + (element.id ? "#" + element.id : names ? "." + names.trim().split(/\s+/).join(".") : "");
  }
  // What an element and all around it say together. `ground` is the color below its texts, null where one of them is not
  // opaque as a whole: then the layers are composed one after the other.
  const about = new Map();
  function around(element) {
    if (about.has(element)) return about.get(element);
    const how = style(element), outer = element.parentElement ? around(element.parentElement) : null;
    const own = color(how.backgroundColor), solid = +how.opacity === 1 && (!outer || outer.ground !== null);
    const here = {
      ground: solid ? over(own, outer ? outer.ground : CANVAS) : null,
      clipped: outer?.clipped || (how.overflow !== "visible" && element.offsetWidth <= 1) || /rect\(0px, 0px, 0px, 0px\)|rect\(1px/.test(how.clip) || /^inset\((50|100)%/.test(how.clipPath),
      strange: how.filter !== "none" ? `filter: ${how.filter}`
        : how.mixBlendMode !== "normal" ? `mix-blend-mode: ${how.mixBlendMode}` : outer?.strange ?? "",
      // A picture or a gradient between the text and the first opaque ground.
      picture: how.backgroundImage !== "none" ? `background-image: ${how.backgroundImage.slice(0, 80)}`
        : own[3] === 1 ? "" : outer?.picture ?? "",
      shown: element.checkVisibility({opacityProperty: true, visibilityProperty: true}),
    };
    about.set(element, here);
    return here;
  }
  function visible(element, box) {
    const here = around(element);
    if (here.clipped || !here.shown || box.width <= 1.5 || box.height <= 1.5) return false;  // or made for screen readers alone
    return box.right + scrollX > 0 && box.bottom + scrollY > 0;  // a skip link waits off the page until it has the focus
  }
  // What a reader sees where `top` is painted inside an element.
  function seen(element, top) {
    const {ground} = around(element);
    if (ground) return over(top, ground);
    let layer = top;
    for (let at = element; at; at = at.parentElement) layer = thinner(over(layer, color(style(at).backgroundColor)), +style(at).opacity);
    return over(layer, CANVAS);
  }
  function note(kind, text, size, bold, element, colors) {
    const distinct = [...new Map(colors.map(pair => [pair.join(), pair])).values()];
    found.push({kind, text: text.trim().replace(/\s+/g, " ").slice(0, 60), size, bold, place: place(element), colors: distinct});
  }
  function html(element, text, kind, how) {
    const reason = around(element).strange || around(element).picture;
    if (reason) return note("unknown", reason, 0, false, element, []);
    const pair = [hex(seen(element, color(how.color))), hex(seen(element, clear))];
    note(kind, text, parseFloat(how.fontSize), +how.fontWeight >= 700, element, [pair]);
  }

  // --- texts of HTML ---------------------------------------------------------------------------------------------------
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), colored = new Map();
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.data.trim() || element.namespaceURI.endsWith("svg") || element.closest("script, style, noscript, template, option")) continue;
    if (element.closest(":disabled, [aria-disabled=true]")) continue;
    const code = element.parentElement.closest("pre");
    if (code) {  // of all words of one color in a piece of code, the first
      if (!colored.has(code)) colored.set(code, new Set());
      if (colored.get(code).has(element.className)) continue;
      colored.get(code).add(element.className);
    }
    range.selectNodeContents(node);
    if (visible(element, range.getBoundingClientRect())) html(element, node.data, "text", style(element));
  }
  for (const field of document.querySelectorAll("input, textarea, select")) {
    if (field.disabled || /hidden|range|checkbox|radio/.test(field.type) || !visible(field, field.getBoundingClientRect())) continue;
    const shown = field.tagName === "SELECT" ? field.selectedOptions[0]?.text ?? "" : field.value;
    if (shown.trim()) html(field, shown, "text", style(field));
    if (field.placeholder) html(field, field.placeholder, "text", getComputedStyle(field, "::placeholder"));
  }
  // Letters and icons that a style sheet writes.
  for (const element of document.body.querySelectorAll(":not(svg, svg *, pre *, mjx-container *)")) {
    for (const where of ["::before", "::after"]) {
      const how = getComputedStyle(element, where);
      const text = /^"(.+)"$/.exec(how.content)?.[1];
      if (!text?.trim() || how.display === "none" || +how.opacity === 0 || how.visibility !== "visible") continue;
      if (!visible(element, element.getBoundingClientRect()) || element.closest(":disabled")) continue;
      html(element, text, /\p{L}|\p{N}/u.test(text) && !/[\ue000-\uf8ff]/.test(text) ? "text" : "mark", how);
    }
  }

  // --- texts of SVG ----------------------------------------------------------------------------------------------------
  const SHAPES = "rect, path, circle, ellipse, line, polyline, polygon";
  const meets = (shape, box) => shape.left < box.right && shape.right > box.left && shape.top < box.bottom && shape.bottom > box.top;
  const covers = ({plain, left, right, top, bottom, wide}, box) =>
    plain && left + 1.5 * wide < box.left && right - 1.5 * wide > box.right && top + 1.5 * wide < box.top && bottom - 1.5 * wide > box.bottom;
  function paint(text, opacity) {
    return text === "none" ? clear : text.startsWith("url(") ? null : thinner(color(text), +opacity);
  }
  function shapes(svg) {  // in the order in which they are painted, each with the box it lies in and its own coordinates
    return [...svg.querySelectorAll(SHAPES)].flatMap(element => {
      if (element.closest("defs, clipPath, mask, pattern, symbol, marker") || !element.checkVisibility({visibilityProperty: true})) return [];
      const how = style(element), matrix = element.getScreenCTM();
      const fill = paint(how.fill, how.fillOpacity), stroke = paint(how.stroke, how.strokeOpacity);
      if (!matrix || (fill && !fill[3] && stroke && !stroke[3])) return [];
      const wide = how.stroke === "none" ? 0 : parseFloat(how.strokeWidth) * Math.hypot(matrix.a, matrix.b);
      const box = element.getBoundingClientRect();
      const plain = element.tagName === "rect" && !matrix.b && !matrix.c;  // its box is its shape
      return [{element, fill, stroke, wide, plain, back: matrix.inverse(),
               left: box.left - wide, right: box.right + wide, top: box.top - wide, bottom: box.bottom + wide}];
    });
  }
  function painted(shape, x, y) {  // the color that this shape leaves at a point of the screen, null where it is a pattern
    if (x < shape.left || x > shape.right || y < shape.top || y > shape.bottom) return clear;
    const edge = shape.wide * 1.5;
    if (shape.plain && x > shape.left + edge && x < shape.right - edge && y > shape.top + edge && y < shape.bottom - edge) return shape.fill;
    const point = new DOMPoint(x, y).matrixTransform(shape.back);
    const inner = !shape.fill || shape.fill[3] ? shape.element.isPointInFill(point) : false;
    const line = shape.wide && (!shape.stroke || shape.stroke[3]) ? shape.element.isPointInStroke(point) : false;
    if ((inner && !shape.fill) || (line && !shape.stroke)) return null;
    return over(line ? shape.stroke : clear, inner ? shape.fill : clear);
  }
  // The color at a point: all shapes, and `ink` where the text stands in the order of painting. Groups are layers.
  function compose(svg, layersOf, shapesHere, text, ink, x, y) {
    const stack = [{group: svg, layer: clear}];
    function close() {
      const done = stack.pop();
      const last = stack[stack.length - 1];
      last.layer = over(thinner(done.layer, +style(done.group).opacity), last.layer);
    }
    function add(element, layer) {
      const groups = layersOf(element);
      while (stack.length > 1 && !groups.includes(stack[stack.length - 1].group)) close();
      for (const group of groups.slice(stack.length - 1)) stack.push({group, layer: clear});
      const last = stack[stack.length - 1];
      last.layer = over(layer, last.layer);
    }
    let written = false;
    for (const shape of shapesHere) {
      if (!written && text.compareDocumentPosition(shape.element) & Node.DOCUMENT_POSITION_FOLLOWING) {
        if (ink) add(text, ink);
        written = true;
      }
      const layer = painted(shape, x, y);
      if (layer === null) return null;
      if (layer[3]) add(shape.element, layer);
    }
    if (!written && ink) add(text, ink);
    while (stack.length > 1) close();
    return thinner(stack[0].layer, +style(svg).opacity);
  }
  function drawing(svg) {
    const box = svg.getBoundingClientRect();
    if (!visible(svg, box)) return;
    const all = shapes(svg), memory = new Map();
    const layersOf = element => {  // elements that are not opaque, from the outermost in, the text or shape itself included
      if (element === svg) return [];
      if (!memory.has(element)) {
        const outer = layersOf(element.parentElement);
        memory.set(element, +style(element).opacity === 1 ? outer : [...outer, element]);
      }
      return memory.get(element);
    };
    for (const text of svg.querySelectorAll("text")) {
      const area = text.getBoundingClientRect();
      if (!text.textContent.trim() || !visible(text, area)) continue;
      const reason = around(text).strange || around(svg).picture;
      if (reason) { note("unknown", reason, 0, false, text, []); continue; }
      const near = all.filter(shape => meets(shape, area));
      const matrix = text.getScreenCTM(), scale = Math.hypot(matrix.a, matrix.b);
      let at = 0;
      const pens = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
      while (pens.nextNode()) {
        const node = pens.currentNode, pen = node.parentElement, how = style(pen);
        if (pen.tagName === "title") continue;
        const ink = paint(how.fill, how.fillOpacity), colors = [];
        const letters = Math.min(node.data.length, text.getNumberOfChars() - at);
        let pattern = !ink;
        for (let i = at; i < at + letters && !pattern; i++) {
          if (!node.data[i - at].trim()) continue;
          const pair = letter(svg, layersOf, near, text, ink, text.getExtentOfChar(i), matrix);
          if (pair) colors.push(pair); else pattern = true;
          if (near.every(shape => covers(shape, area))) break;  // one ground below the whole text
        }
        at += letters;
        if (pattern) note("unknown", "a pattern as ink or as ground: " + node.data, 0, false, text, []);
        else if (colors.length) note("drawing", node.data, parseFloat(how.fontSize) * scale, +how.fontWeight >= 700, pen, colors);
      }
    }
  }
  const PLACES = [[0.5, 0.55], [0.2, 0.35], [0.5, 0.35], [0.8, 0.35], [0.2, 0.55], [0.8, 0.55], [0.2, 0.75], [0.5, 0.75], [0.8, 0.75]];
  function letter(svg, layersOf, near, text, ink, extent, matrix) {
    const counts = new Map();
    const at = (right, down) => new DOMPoint(extent.x + right * extent.width, extent.y + down * extent.height).matrixTransform(matrix);
    const one = at(0, 0), two = at(1, 1);
    const box = {left: Math.min(one.x, two.x), right: Math.max(one.x, two.x), top: Math.min(one.y, two.y), bottom: Math.max(one.y, two.y)};
    const here = near.filter(shape => meets(shape, box)), even = here.every(shape => covers(shape, box));
    for (const [right, down] of even ? PLACES.slice(0, 1) : PLACES) {  // where small letters have their ink
      const point = at(right, down);
      const ground = compose(svg, layersOf, here, text, null, point.x, point.y);
      if (ground === null) return null;
      const front = compose(svg, layersOf, here, text, ink, point.x, point.y);
      const pair = [front, ground].map(layer => hex(seen(svg.parentElement, over(layer, color(style(svg).backgroundColor)))));
      const key = pair.join();
      counts.set(key, {pair, count: (counts.get(key)?.count ?? 0) + 1});
    }
    // A thin line behind a letter leaves it legible: what counts is the color below most of it.
    return [...counts.values()].sort((a, b) => b.count - a.count)[0].pair;
  }
  for (const svg of document.querySelectorAll("svg")) {
    if (svg.parentElement?.closest("svg")) continue;
    if (svg.querySelector("text")) drawing(svg);
    else if (svg.closest("mjx-container") && visible(svg, svg.getBoundingClientRect())) {
      html(svg.parentElement, "equation", "text", style(svg.parentElement));  // its glyphs are paths in the text's color
    } else if (/currentcolor/i.test(svg.outerHTML) && visible(svg, svg.getBoundingClientRect())) html(svg.parentElement, "icon", "mark", style(svg));
  }
  return JSON.stringify(found);  // as one text: thousands of objects one by one take the way to Python many seconds
}
