// Keeps the reader's place when a researchers' page renews itself: what is open stays open, what is scrolled stays
// scrolled, and focus returns to where it was. Without script the page is whole, and renewed by loading it again.
(() => {
  "use strict";

  let place = null;

  const withId = (root, selector) => [...root.querySelectorAll(selector)].filter((each) => each.id);

  function remember(root) {
    return {
      open: new Map(withId(root, "details").map((each) => [each.id, each.open])),
      scrolled: withId(root, ".scroll-x").map((each) => [each.id, each.scrollLeft]),
      focus: pathTo(document.activeElement, root),
      top: window.scrollY,
    };
  }

  // A summary or a link has no id of its own: its address, or the details it belongs to, finds it again.
  function pathTo(element, root) {
    if (!element || !root.contains(element)) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (element.matches("summary") && element.parentElement.id) return `#${CSS.escape(element.parentElement.id)} > summary`;
    if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
    return null;
  }

  function restore(root, was) {
    for (const each of withId(root, "details")) if (was.open.has(each.id)) each.open = was.open.get(each.id);
    for (const [id, left] of was.scrolled) {
      const region = document.getElementById(id);
      if (region) region.scrollLeft = left;
    }
    const found = was.focus && root.querySelector(was.focus);
    if (found && document.activeElement !== found) found.focus({ preventScroll: true });
    window.scrollTo({ top: was.top, behavior: "instant" });
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    place = event.detail.shouldSwap ? remember(event.detail.target) : null;
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!place) return;
    restore(document.getElementById(event.detail.elt.id) || event.detail.elt, place);
    place = null;
  });

  // A closed <details> is not printed by every browser: open them for the paper, and close them again. Pairs of
  // several that are folded away stay so: whoever wants all of them opens them first.
  const opened = [];
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details:not([open], .all, .filters, .act)")) {
      each.open = true;
      opened.push(each);
    }
  });
  window.addEventListener("afterprint", () => {
    while (opened.length) opened.pop().open = false;
  });
})();
