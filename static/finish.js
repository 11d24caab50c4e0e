// The completion code, copied with one press where the browser allows it.
"use strict";

const button = document.getElementById("copy");
if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("completion-code").textContent.trim());
    button.textContent = button.dataset.done;
  });
}
