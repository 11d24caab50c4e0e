// The rating page made quick: keys, drafts, focus, time. Everything works without this file, only slower.
"use strict";

const byId = (id) => document.getElementById(id);
const form = () => byId("rate");
const words = () => byId("words").dataset;

/* ---------- drafts: kept on the server as answers are made, sent again until they arrive ---------- */

const draft = { timer: 0, wait: 1000, waiting: false };

function say(text) {
  const saved = byId("saved");
  if (saved) saved.textContent = text;
}

function countAnswers() {
  const answered = byId("answered");
  if (answered && form()) answered.textContent = form().querySelectorAll("input[type=radio]:checked").length;
}

function keepDraftSoon(delay = 300) {
  if (!form() || "change" in form().dataset) return;
  clearTimeout(draft.timer);
  draft.timer = setTimeout(keepDraft, delay);
}

async function send(name, page) {
  const answer = await fetch(page.dataset.home + name + "/", {
    method: "POST",
    body: new FormData(page),
    credentials: "same-origin",
    keepalive: true,
  });
  if (answer.status >= 500) throw new Error(String(answer.status));
  return answer;
}

async function keepDraft() {
  const page = form();
  if (!page) return;
  if (!draft.waiting) say(words().saving);
  try {
    const answer = await send("draft", page);
    if (page !== form()) return;
    if (answer.ok) {
      noteLease((await answer.json()).seconds);
      say(draft.waiting ? words().back : words().saved);
    }
    draft.waiting = false;
    draft.wait = 1000;
  } catch {
    if (page !== form()) return;
    draft.waiting = true;
    say(words().offline);
    keepDraftSoon(draft.wait + Math.random() * 500);
    draft.wait = Math.min(draft.wait * 2, 15000);
  }
}

/* ---------- submitting: htmx swaps in the next comparison; a lost connection is tried again ---------- */

const submit = { timer: 0, wait: 1000 };

function submitAgain() {
  say(words().offline);
  clearTimeout(submit.timer);
  const page = form();
  submit.timer = setTimeout(() => {
    if (page === form()) page.requestSubmit();
  }, submit.wait + Math.random() * 500);
  submit.wait = Math.min(submit.wait * 2, 15000);
}

function isRating(event) {
  return event.detail.elt === form();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isRating(event)) return;
  clearTimeout(draft.timer);
  say(words().sending);
});
document.addEventListener("htmx:configRequest", (event) => {
  if (!isRating(event)) return;
  event.detail.parameters.set("active_ms", String(time.activeMs()));
  event.detail.parameters.set("blurs", String(time.blurs));
});
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (!isRating(event)) return;
    if (status === 0 || status >= 500) submitAgain();
    else window.location.reload();
  });
}

/* ---------- time: how long the page was in view, how often it was left ---------- */

const time = {
  since: 0,
  total: 0,
  blurs: 0,
  start() {
    this.since = document.hasFocus() ? performance.now() : 0;
    this.total = 0;
    this.blurs = 0;
  },
  pause() {
    if (!this.since) return;
    this.total += performance.now() - this.since;
    this.since = 0;
    this.blurs += 1;
  },
  resume() {
    if (!this.since) this.since = performance.now();
  },
  activeMs() {
    return Math.round(this.total + (this.since ? performance.now() - this.since : 0));
  },
};
window.addEventListener("blur", () => time.pause());
window.addEventListener("focus", () => time.resume());

/* ---------- the lease: renewed while somebody is at the page, with a warning before it ends ---------- */

const lease = { ends: 0, lastAction: Date.now(), renewed: 0 };
const WARN_MS = 2 * 60 * 1000;
const RENEW_MS = 60 * 1000;

function noteLease(seconds) {
  lease.ends = Date.now() + seconds * 1000;
  lease.renewed = Date.now();
  byId("lease").hidden = true;
}

async function renewLease() {
  const page = form();
  if (!page) return;
  lease.renewed = Date.now();
  try {
    const answer = await send("active", page);
    if (page === form() && answer.ok) noteLease((await answer.json()).seconds);
  } catch {
    lease.renewed = 0;
  }
}

function watchLease() {
  const page = form();
  if (!page || "change" in page.dataset) return;
  const now = Date.now();
  const isActive = lease.lastAction > lease.renewed && document.visibilityState === "visible";
  if (isActive && now - lease.renewed > RENEW_MS) renewLease();
  else if (lease.ends - now < WARN_MS) byId("lease").hidden = false;
}
setInterval(watchLease, 5000);
for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  document.addEventListener(name, () => (lease.lastAction = Date.now()), { passive: true });
}
byId("stay").addEventListener("click", renewLease);

/* ---------- keys ---------- */

const KEYS_OFF = "duologue-single-keys-off";
const criteria = () => [...document.querySelectorAll(".criterion")];
const isAnswered = (criterion) => criterion.querySelector("input:checked") !== null;

function currentCriterion() {
  const focused = document.activeElement ? document.activeElement.closest(".criterion") : null;
  return focused || criteria().find((criterion) => !isAnswered(criterion)) || criteria()[0];
}

function focusOn(criterion) {
  (criterion.querySelector("input:checked") || criterion.querySelector("input")).focus();
  criterion.scrollIntoView({ block: "nearest" });
}

function choose(key) {
  const criterion = currentCriterion();
  const option = criterion && criterion.querySelector(`input[data-key="${key}"]`);
  if (!option) return false;
  option.checked = true;
  option.dispatchEvent(new Event("change", { bubbles: true }));
  const all = criteria();
  const open = [...all.slice(all.indexOf(criterion) + 1), ...all].find((other) => !isAnswered(other));
  if (open) focusOn(open);
  else option.focus();
  return true;
}

function openDialog(id) {
  const dialog = byId(id);
  if (dialog && !dialog.open) dialog.showModal();
}

function toDialogue() {
  const pane = document.querySelector(".pane");
  if (pane) pane.focus();
}

function singleKey(event) {
  if (event.key === "?") openDialog("keys");
  else if (/^\d$/.test(event.key)) return choose(event.key);
  else if (event.key === "g") openDialog("guidelines");
  else if (event.key === "r") document.querySelector("a[aria-keyshortcuts=r]").click();
  else if (event.key === "d") toDialogue();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !form()) return;
  if (document.querySelector("dialog[open]") || event.target.closest("textarea, input:not([type=radio])")) return;
  if (event.key === "Enter" && event.target.matches("body, h1, input[type=radio]")) {
    event.preventDefault();
    if (!event.repeat) form().requestSubmit();
  } else if (!localStorage.getItem(KEYS_OFF) && !event.repeat && singleKey(event)) {
    event.preventDefault();
  }
});

byId("single-keys").addEventListener("change", (event) => {
  if (event.target.checked) localStorage.removeItem(KEYS_OFF);
  else localStorage.setItem(KEYS_OFF, "1");
  showKeys();
});

function showKeys() {
  byId("single-keys").checked = !localStorage.getItem(KEYS_OFF);
  for (const button of document.querySelectorAll(".keys-button")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(opener.dataset.dialog);
});
document.addEventListener("change", (event) => {
  if (!event.target.closest("#rate")) return;
  countAnswers();
  keepDraftSoon();
});
document.addEventListener("input", (event) => {
  if (event.target.closest("#rate textarea")) keepDraftSoon(800);
});

/* ---------- a new comparison: focus on its heading, say its name, start the clock ---------- */

function begin(isSwap) {
  time.start();
  draft.waiting = false;
  draft.wait = submit.wait = 1000;
  clearTimeout(submit.timer);
  showKeys();
  if (form()) {
    noteLease(Number(form().dataset.lease));
  }
  const problem = document.querySelector(".criterion[data-problem]");
  const heading = document.querySelector("[data-focus]");
  if (problem) focusOn(problem);
  else if (isSwap && heading) {
    heading.focus({ preventScroll: true });
    byId("announce").textContent = heading.textContent;
    document.title = heading.textContent + " · Duologue";
  }
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "work") begin(true);
});
begin(false);
