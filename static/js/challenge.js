// Solves what the form asks while its owner types (ALTCHA), in a worker, so that nothing stutters.
// A press on the button before the end waits for it. Without an answer the form is sent as it is.

const MOST_WAIT = 30_000; // Milliseconds that a press waits; then a volunteer looks at it.
const RENEW = 50 * 60_000; // A challenge lives for an hour.

const place = document.querySelector("[data-challenge]");
const form = place?.closest("form");
const field = place?.querySelector("input");
const working = place?.querySelector("[data-working]");
let solving = null;
let solvedAt = field?.value ? Date.now() : 0;

function solved(challenge) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(place.dataset.worker);
    const end = (act, value) => {
      worker.terminate();
      act(value);
    };
    worker.onmessage = ({ data }) => (data?.derivedKey ? end(resolve, data) : end(reject, data));
    worker.onerror = (error) => end(reject, error);
    worker.postMessage({ type: "work", challenge, counterStart: 0, counterStep: 1 });
  });
}

async function solve() {
  const answer = await fetch(place.dataset.challenge);
  if (!answer.ok) throw new Error(answer.status);
  const challenge = await answer.json();
  const solution = await solved(challenge);
  field.value = btoa(JSON.stringify({ challenge, solution }));
  solvedAt = Date.now();
}

function start() {
  const isReady = field.value && Date.now() - solvedAt < RENEW;
  if (!isReady && !solving) {
    field.value = "";
    solving = solve()
      .catch(() => {})
      .finally(() => (solving = null));
  }
  return solving;
}

form?.addEventListener("focusin", start);
if (form && !form.querySelector(".field__input")) start(); // Nothing to type: only a button.

// As if the same button were pressed again; older browsers lack the way to say so.
function send(button) {
  if (form.requestSubmit) return form.requestSubmit(button);
  if (button?.name) {
    const kept = document.createElement("input");
    Object.assign(kept, { type: "hidden", name: button.name, value: button.value });
    form.append(kept);
  }
  return form.submit();
}

let hasWaited = false;
form?.addEventListener("submit", async (event) => {
  const waiting = hasWaited ? null : start();
  if (!waiting) return;
  event.preventDefault();
  working.hidden = false;
  await Promise.race([waiting, new Promise((end) => setTimeout(end, MOST_WAIT))]);
  hasWaited = true;
  send(event.submitter);
});

// Who comes back finds a page as it was left: what it has calculated is spent.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted || !field) return;
  field.value = "";
  hasWaited = false;
  working.hidden = true;
});
