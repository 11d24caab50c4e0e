// The rating page made quick: drafts, focus, keys, time. Everything works without this file, only slower.
"use strict";

const byId = (id) => document.getElementById(id);
const form = () => byId("rate");
const words = () => byId("words").dataset;
const isCorrection = () => "change" in form().dataset;

const LONGEST_WAIT_MS = 10000;
const GIVE_UP_MS = 15000;

/** Storage of the browser, or nothing where it is switched off. */
const store = {
  read(place, key) {
    try {
      return JSON.parse(window[place].getItem(key));
    } catch {
      return null;
    }
  },
  write(place, key, value) {
    try {
      window[place].setItem(key, JSON.stringify(value));
    } catch {
      // Without storage a reload forgets a little more; nothing else depends on it.
    }
  },
};

/** A wait that doubles, with some chance in it so that not all annotators come back in the same second. */
const longer = (wait) => Math.min(wait * 2, LONGEST_WAIT_MS);
const spread = (wait) => wait + Math.random() * 500;

function say(text) {
  const saved = byId("saved");
  if (saved) saved.textContent = text;
}

const announce = (text) => (byId("announce").textContent = text);

async function send(page, part, options = {}) {
  const answer = await fetch(page.dataset.home + part + "/", {
    method: "POST",
    body: new FormData(page),
    redirect: "manual",
    signal: AbortSignal.timeout(GIVE_UP_MS),
    ...options,
  });
  if (answer.status >= 500) throw new Error(String(answer.status));
  return answer;
}

/* ---------- drafts: kept on the server as answers are made, one request at a time, until they have arrived ---------- */

const newDraft = () => ({ timer: 0, wait: 1000, isDirty: false, isSending: false, isFailing: false });
let draft = newDraft();
let isSubmitting = false;

function keepDraftSoon(delay = 300) {
  if (!form() || isCorrection()) return;
  draft.isDirty = true;
  keepHere();
  clearTimeout(draft.timer);
  draft.timer = setTimeout(keepDraft, delay);
}

async function keepDraft() {
  const page = form();
  const mine = draft;
  if (!page || mine.isSending || !mine.isDirty || isSubmitting) return;
  mine.isSending = true;
  mine.isDirty = false;
  if (!mine.isFailing) say(words().saving);
  try {
    const answer = await send(page, "draft");
    if (mine === draft && !isSubmitting) await draftAnswered(answer);
  } catch {
    if (mine === draft && !isSubmitting) draftFailed();
  }
  mine.isSending = false;
  if (mine === draft && mine.isDirty && !mine.isFailing) keepDraftSoon(0);
}

async function draftAnswered(answer) {
  if (!answer.ok) return leaseGone();
  noteLease((await answer.json()).seconds);
  if (draft.isFailing) announce(words().saved);
  draft.isFailing = false;
  draft.wait = 1000;
  if (!draft.isDirty) forgetHere();
  say(words().saved);
}

function draftFailed() {
  draft.isDirty = true;
  if (!draft.isFailing) announce(words().kept);
  draft.isFailing = true;
  say(words().offline);
  clearTimeout(draft.timer);
  draft.timer = setTimeout(keepDraft, spread(draft.wait));
  draft.wait = longer(draft.wait);
}

/* ---------- a copy in this tab until the server has it: a reload without a connection loses nothing, either ---------- */

const HERE = "duologue-unsaved";

function keepHere() {
  const values = [...new FormData(form())].filter(([name]) => name !== "csrfmiddlewaretoken");
  store.write("sessionStorage", HERE, { code: form().dataset.code, values });
}

const forgetHere = () => store.write("sessionStorage", HERE, null);

function bringBack() {
  const kept = store.read("sessionStorage", HERE);
  if (kept === null || kept.code !== form().dataset.code || isCorrection()) return;
  for (const [name, value] of kept.values) {
    for (const field of form().querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type !== "radio") field.value = value;
      else if (field.value === value) field.checked = true;
    }
  }
  countAnswers();
  keepDraftSoon(0);
}

/* ---------- submitting: htmx swaps in the next comparison; a lost connection is tried again ---------- */

const submit = { timer: 0, wait: 1000 };

function submitAgain() {
  const page = form();
  say(words().offline);
  if (submit.wait === 1000) announce(words().kept);
  clearTimeout(submit.timer);
  submit.timer = setTimeout(() => page === form() && page.requestSubmit(), spread(submit.wait));
  submit.wait = longer(submit.wait);
}

const isRating = (event) => form() !== null && event.detail.elt === form();

document.addEventListener("htmx:configRequest", (event) => {
  if (!isRating(event)) return;
  time.keep();
  event.detail.parameters.set("active_ms", String(time.activeMs()));
  event.detail.parameters.set("blurs", String(time.blurs));
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isRating(event)) return;
  isSubmitting = true;
  clearTimeout(draft.timer);
  if (!isCorrection()) keepHere();
  say(words().sending);
});
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    if (!isRating(event)) return;
    isSubmitting = false;
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (status === 0 || status === 429 || status >= 500) submitAgain();
    else window.location.reload();
  });
}
window.addEventListener("online", () => {
  if (submit.wait > 1000 && form()) form().requestSubmit();
  else if (draft.isFailing) keepDraft();
});

/* ---------- time: how long the page was in view, how often it was left; a reload does not start it again ---------- */

const TIME = "duologue-time";
const time = {
  since: 0,
  total: 0,
  blurs: 0,
  start() {
    const before = store.read("sessionStorage", TIME);
    const isSame = before !== null && form() !== null && before.code === form().dataset.code;
    this.total = isSame ? before.total : 0;
    this.blurs = isSame ? before.blurs : 0;
    this.since = document.hasFocus() ? performance.now() : 0;
  },
  pause() {
    if (!this.since) return;
    this.total = this.activeMs();
    this.since = 0;
    this.blurs += 1;
  },
  resume() {
    if (!this.since) this.since = performance.now();
  },
  activeMs() {
    return Math.round(this.total + (this.since ? performance.now() - this.since : 0));
  },
  keep() {
    store.write("sessionStorage", TIME, { code: form().dataset.code, total: this.activeMs(), blurs: this.blurs });
  },
};
window.addEventListener("blur", () => time.pause());
window.addEventListener("focus", () => time.resume());
window.addEventListener("pagehide", () => {
  if (!form()) return;
  time.keep();
  if (draft.isDirty && !isSubmitting) send(form(), "draft", { keepalive: true }).catch(() => {});
});

/* ---------- the lease: renewed while somebody is at the page, with a warning before it ends ---------- */

const lease = { ends: 0, warnMs: 0, renewMs: 0, renewed: 0, lastAction: 0, isGone: false };

/** The server keeps the comparison for so many seconds from now. */
function noteLease(seconds) {
  lease.ends = Date.now() + seconds * 1000;
  lease.warnMs = Math.min(120, seconds / 3) * 1000;
  lease.renewMs = Math.min(60, seconds / 4) * 1000;
  lease.renewed = Date.now();
  lease.isGone = false;
  byId("lease").hidden = true;
}

function warn(text, canStay) {
  const box = byId("lease");
  const said = box.querySelector("span");
  if (said.textContent !== text) said.textContent = text;
  byId("stay").hidden = !canStay;
  box.hidden = false;
}

function leaseGone() {
  lease.isGone = true;
  say("");
  warn(words().gone, false);
}

async function renewLease() {
  const page = form();
  if (!page) return;
  lease.renewed = Date.now();
  try {
    const answer = await send(page, "active");
    if (page !== form() || isSubmitting) return;
    if (answer.ok) noteLease((await answer.json()).seconds);
    else leaseGone();
  } catch {
    lease.renewed = 0;
  }
}

function watchLease() {
  if (!form() || isCorrection() || isSubmitting || lease.isGone) return;
  const now = Date.now();
  const isActive = lease.lastAction > lease.renewed && document.visibilityState === "visible";
  if (isActive && now - lease.renewed > lease.renewMs) renewLease();
  else if (now > lease.ends) warn(words().ended, true);
  else if (lease.ends - now < lease.warnMs) warn(words().ending, true);
}
setInterval(watchLease, 2000);
for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  document.addEventListener(name, () => (lease.lastAction = Date.now()), { passive: true });
}
byId("stay").addEventListener("click", renewLease);

/* ---------- the question that the next key answers ---------- */

const criteria = () => [...document.querySelectorAll(".criterion")];
const isAnswered = (criterion) => criterion.querySelector("input:checked") !== null;

function currentCriterion() {
  const focused = document.activeElement ? document.activeElement.closest(".criterion") : null;
  return focused || criteria().find((criterion) => !isAnswered(criterion)) || criteria()[0];
}

function markCurrent() {
  const current = currentCriterion();
  for (const criterion of criteria()) criterion.toggleAttribute("data-current", criterion === current);
}

function countAnswers() {
  const answered = byId("answered");
  if (answered && form()) answered.textContent = String(criteria().filter(isAnswered).length);
}

function focusOn(criterion) {
  const wanted = ["[aria-invalid]", "input:checked", "input"].map((which) => criterion.querySelector(which));
  wanted.find((field) => field !== null).focus();
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

/* ---------- keys ---------- */

const KEYS_OFF = "duologue-single-keys-off";
const usesSingleKeys = () => store.read("localStorage", KEYS_OFF) === null;

function openDialog(id) {
  const dialog = byId(id);
  if (dialog && !dialog.open) dialog.showModal();
}

function singleKey(key) {
  if (/^\d$/.test(key)) return choose(key);
  if (key === "?") openDialog("keys");
  else if (key === "g") openDialog("guidelines");
  else if (key === "d") document.querySelector(".pane").focus();
  else if (key === "r") document.querySelector("a[aria-keyshortcuts=r]").click();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenu();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented || !form()) return;
  if (document.querySelector("dialog[open]") || event.target.closest("textarea, input:not([type=radio])")) return;
  if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
    event.preventDefault();
    form().requestSubmit();
  } else if (usesSingleKeys() && singleKey(event.key.toLowerCase())) {
    event.preventDefault();
  }
});

function showKeys() {
  byId("single-keys").checked = usesSingleKeys();
  document.body.classList.toggle("single-keys", usesSingleKeys());
  for (const entry of document.querySelectorAll(".keys")) entry.hidden = false;
}
byId("single-keys").addEventListener("change", (event) => {
  store.write("localStorage", KEYS_OFF, event.target.checked ? null : true);
  showKeys();
});

/* ---------- dialogs and the menu ---------- */

function closeMenu(except = null) {
  const menu = document.querySelector(".menu[open]");
  if (menu && !menu.contains(except)) menu.open = false;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  closeMenu(opener ? null : event.target);
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(opener.dataset.dialog);
});

/* ---------- answers as they are made ---------- */

document.addEventListener("focusin", markCurrent);
document.addEventListener("change", (event) => {
  if (!event.target.closest("#rate")) return;
  countAnswers();
  markCurrent();
  keepDraftSoon();
});
document.addEventListener("input", (event) => {
  if (event.target.closest("#rate textarea")) keepDraftSoon(800);
});

/* ---------- a new comparison: focus on its heading, say its name, start the clock ---------- */

function begin(isSwap) {
  clearTimeout(submit.timer);
  clearTimeout(draft.timer);
  submit.wait = 1000;
  draft = newDraft();
  isSubmitting = false;
  time.start();
  showKeys();
  if (form()) beginRating(isSwap);
  else byId("lease").hidden = true;
  const problem = document.querySelector(".criterion[data-problem]");
  if (problem) focusOn(problem);
  else if (isSwap) goToHeading();
  markCurrent();
}

function beginRating(isSwap) {
  noteLease(Number(form().dataset.lease));
  lease.lastAction = Date.now();
  if (isSwap) forgetHere();
  else {
    lease.renewed = 0;
    bringBack();
  }
}

function goToHeading() {
  const heading = document.querySelector("[data-focus]");
  if (!heading) return;
  heading.focus({ preventScroll: true });
  announce(heading.textContent);
  document.title = heading.textContent + " · Duologue";
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "work") begin(true);
});
begin(false);
