/* The frame on a worker's page: asks now and then whether the work in the other tab has ended, and then draws itself anew. */
"use strict";
const place = document.getElementById("hit");
if (place) {
  const ask = async () => {
    try {
      const answer = await fetch(place.dataset.asks, { cache: "no-store" });
      if (answer.ok && (await answer.json()).ended) location.reload();
    } catch {
      // Without a connection the next turn asks again.
    }
  };
  setInterval(ask, 5000);
}
