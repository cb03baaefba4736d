// Keeps the count current while somebody looks, and puts it on the whole screen. Without it a page
// is complete as of its loading.

const PATIENCE = 10_000;
const SLOWEST = 300_000;
const A_MINUTE = 60_000;

const language = document.documentElement.lang;
const digits = { ar: "ar-u-nu-latn", en: "en-GB" }[language] ?? language;
const numbers = new Intl.NumberFormat(digits);
const shares = new Intl.NumberFormat(digits, { style: "percent", maximumFractionDigits: 1 });

const counter = document.querySelector(".counter");
const total = counter.querySelector(".counter__total > bdi");
const bar = counter.querySelector(".counter__bar");
const live = counter.closest("[data-live]");
const every = counter.dataset.every * 1000;

// From its text: a bar's value ends at the goal.
const figureOf = (element) => Number(element.textContent.replace(/\D/g, ""));

let shown = figureOf(total);
let said = { total: shown, at: Date.now() };
let etag = "";
let wait = every;
let timer;
let isAsking = false;
let isStale = false; // The charts and tables are of before the figure.
let refreshedAt = Date.now();

// --- Asking -------------------------------------------------------------------------------------

const isSlow = () => {
  const line = navigator.connection;
  return Boolean(line?.saveData || /2g/.test(line?.effectiveType ?? ""));
};

function askIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, milliseconds);
}

// With an ETag of our own and past the browser's cache: an unchanged figure comes as a 304 that this
// script sees, and never as a stored answer that the cache may still call fresh.
async function ask() {
  clearTimeout(timer);
  if (document.hidden || isAsking) return;
  isAsking = true;
  try {
    const answer = await fetch("/api/v1/counter.json", {
      cache: "no-store",
      headers: etag ? { "If-None-Match": etag } : {},
      signal: AbortSignal.timeout?.(PATIENCE), // Older browsers wait as long as they wish.
    });
    if (answer.status !== 304 && !answer.ok) throw new Error(`status ${answer.status}`);
    if (answer.ok) show(await answer.json());
    // Also after a 304: what was too early to be said or fetched a moment ago may be due now.
    say();
    refresh();
    etag = answer.headers.get("ETag") ?? etag;
    date(answer.headers.get("Date"));
    complain("");
    wait = isSlow() ? Math.min(wait * 2, SLOWEST) : every;
  } catch {
    complain(live?.dataset.noAnswer ?? "");
    wait = Math.min(wait * 2, SLOWEST);
  }
  isAsking = false;
  if (!document.hidden) askIn(wait);
}

function askAtOnce() {
  wait = every;
  ask();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else askAtOnce();
});
addEventListener("online", askAtOnce);
addEventListener("offline", () => complain(live?.dataset.noAnswer ?? ""));
askIn(wait);

// --- Showing ------------------------------------------------------------------------------------

function show(figures) {
  bar.max = figures.goal;
  bar.value = figures.total;
  const share = counter.querySelector(".counter__goal bdi"); // In every language it comes first.
  // Rounded down, as the page has it: 99.99 % is not yet the goal.
  share.textContent = shares.format(Math.floor((figures.total * 1000) / figures.goal) / 1000);
  if (figures.total !== shown) {
    count(shown, figures.total);
    isStale = true;
  }
  shown = figures.total;
}

function count(from, to) {
  if (!matchMedia("(prefers-reduced-motion: no-preference)").matches) {
    total.textContent = numbers.format(to);
    return;
  }
  const begun = performance.now();
  const step = (now) => {
    if (shown !== to) return; // The next figure is there already.
    const part = Math.min(Math.max((now - begun) / 900, 0), 1);
    total.textContent = numbers.format(Math.round(from + (to - from) * (1 - (1 - part) ** 3)));
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

// Screen readers hear of it at most once a minute.
function say() {
  const place = live?.querySelector("[data-said]");
  if (!place || shown === said.total || Date.now() - said.at < A_MINUTE) return;
  place.textContent = live.dataset.says.replace("{total}", numbers.format(shown));
  said = { total: shown, at: Date.now() };
}

function complain(words) {
  const place = live?.querySelector("[data-wrong]");
  if (!place || place.textContent === words) return;
  place.textContent = words;
  place.hidden = !words;
  if (!words || Date.now() - said.at < A_MINUTE) return;
  live.querySelector("[data-said]").textContent = words;
  said = { total: said.total, at: Date.now() };
}

// --- When it was so -----------------------------------------------------------------------------

function clock(moment, timeZone) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
  return new Intl.DateTimeFormat("en-GB", options).format(moment);
}

function date(header) {
  const moment = header ? new Date(header) : new Date();
  for (const place of document.querySelectorAll("[data-as-of] time")) {
    place.dateTime = moment.toISOString();
    if (place.dataset.offset) {
      const there = Number(moment) + place.dataset.offset * A_MINUTE; // As the site has it.
      place.textContent = clock(new Date(there), "UTC");
    } else {
      const options = { dateStyle: "long", timeZone: "UTC" };
      place.textContent = new Intl.DateTimeFormat(digits, options).format(moment);
    }
  }
  sayHere();
}

// The reader's own clock, beside UTC and Rabat's.
function sayHere() {
  const place = live?.querySelector("[data-here]");
  if (!place) return;
  const moment = live.querySelector("time[data-offset]").dateTime;
  place.textContent = place.dataset.here.replace("{time}", clock(new Date(moment)));
}
sayHere();

// --- Charts and tables --------------------------------------------------------------------------

// They come from the page itself, at most once a minute, and not where somebody is busy with one.
async function refresh() {
  if (!live || !isStale || document.fullscreenElement) return;
  if (Date.now() - refreshedAt < A_MINUTE) return;
  refreshedAt = Date.now();
  const answer = await fetch(location.href, { cache: "no-cache" }).catch(() => null);
  if (!answer?.ok) return; // A later answer asks again; the figure itself says what is wrong.
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  // A cache, or the site's own memory, may still have the page of a moment ago.
  isStale = figureOf(page.querySelector(".counter__total > bdi")) !== shown;
  for (const old of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || old.contains(document.activeElement)) continue;
    for (const opened of old.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${opened.id}`);
      if (same) same.open = true;
    }
    old.replaceWith(document.adoptNode(fresh));
  }
}

// --- The whole screen ---------------------------------------------------------------------------

const button = live?.querySelector("[data-full-screen]");
if (button && document.fullscreenEnabled) {
  const words = [button.textContent, button.dataset.fullScreen];
  let lock;
  button.parentElement.hidden = false;
  button.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else live.requestFullscreen().catch(() => (button.parentElement.hidden = true));
  });
  document.addEventListener("fullscreenchange", async () => {
    button.textContent = words[document.fullscreenElement ? 1 : 0];
    await lock?.release();
    // A screen in a square must not fall asleep; where it cannot be asked, it does what it did.
    lock = document.fullscreenElement && (await navigator.wakeLock?.request("screen").catch(() => null));
  });
}
