// j and k, or the arrows, follow the links that are on the page anyway.
"use strict";
(() => {
  const STEPS = {j: "next", ArrowRight: "next", k: "prev", ArrowLeft: "prev"};
  const takesKeys = (element) => element.closest("input, select, textarea, [contenteditable], [tabindex='0']") !== null;
  document.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || takesKeys(event.target)) return;
    const link = document.querySelector(`[data-browse] a[rel="${step}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
})();
