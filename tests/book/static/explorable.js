// Moves an explorable of the book: a control chooses a frame, whose picture is put together from its parts, and whose words
// stand in a live region. The frames come from explorables/NAME.js, which calls this.
function explorable(name, { order, frames, words, parts }) {
  const box = document.querySelector(`[data-frames="${name}"]`);
  const controls = [...box.querySelectorAll("input, select")];
  const drawing = box.querySelector(".drawing");
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
  const place = (control) =>
    control.type === "checkbox" ? [+control.checked, 2]
      : control.type === "range" ? [control.value - 1, +control.max]
        : [control.selectedIndex, control.options.length];

  function show() {
    let number = 0;
    for (const control of controls) {
      const [at, count] = place(control);
      number = number * count + at;
      if (control.type === "range") {
        const setting = JSON.parse(control.dataset.settings)[at];
        control.setAttribute("aria-valuetext", setting);
        control.nextElementSibling.textContent = setting;
      }
    }
    const [said, ...numbers] = frames[order[number]];
    const label = words[said].replace(/[&<>"']/g, (sign) => signs[sign]);
    const svg = numbers.map((part) => (part < 0 ? label : parts[part])).join("");
    drawing.innerHTML = svg.replace(/(\bid="|\burl\(#|\bhref="#)/g, `$1${box.id}-`);
    box.querySelector(".words").textContent = words[said];
    const here = drawing.querySelector("[data-here]")?.getBoundingClientRect(), seen = drawing.getBoundingClientRect();
    if (here) drawing.scrollLeft += (here.left + here.right - seen.left - seen.right) / 2;  // what was chosen comes into view
  }

  box.addEventListener("input", show);
  // Space moves no slider, and would scroll the picture away.
  box.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.type === "range") event.preventDefault();
  });
  box.querySelector(".controls").hidden = false;
}
