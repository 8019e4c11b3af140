// What scrolls can be reached with the keyboard.
document.querySelectorAll(".drawing, .table, .bd-article div.math, .highlight pre").forEach((box) => {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
});
