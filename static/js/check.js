// Checks the log's signature and its last total in the reader's own browser: nothing here trusts
// what the page says. Ed25519 in WebCrypto is young; without it the page says so.

const box = document.querySelector("[data-check]");
const said = box?.querySelector("[data-said]");
const button = box?.querySelector("button");

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
const utf8 = (text) => new TextEncoder().encode(text);
const same = (a, b) => a.length === b.length && a.every((each, at) => each === b[at]);
const get = async (path) => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(path);
  return answer;
};

async function isSigned(note, vkey) {
  const [name, , ...rest] = vkey.trim().split("+");
  const key = bytes(rest.join("+"));
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const id = (await sha256(new Uint8Array([...utf8(`${name}\n`), ...key]))).slice(0, 4);
  const publicKey = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  for (const line of note.slice(end + 2).split("\n")) {
    const [dash, by, encoded] = line.split(" ");
    if (dash !== "—" || by !== name) continue;
    const raw = bytes(encoded);
    const right = await crypto.subtle.verify("Ed25519", publicKey, raw.slice(4), utf8(text));
    if (right && same(raw.slice(0, 4), id)) return true;
  }
  return false;
}

function path(number, width) {
  let groups = String(number % 1000).padStart(3, "0");
  for (let n = Math.floor(number / 1000); n; n = Math.floor(n / 1000)) {
    groups = `x${String(n % 1000).padStart(3, "0")}/${groups}`;
  }
  return groups + (width < 256 ? `.p/${width}` : "");
}

// The entries of the last bundles, the newest first, until one holds a total.
async function lastTotal(size) {
  let sum = 0;
  const live = (await (await get("/api/v1/counter.json")).json()).total;
  for (let number = Math.floor((size - 1) / 256); number >= 0; number -= 1) {
    const width = Math.min(256, size - number * 256);
    const bundle = new Uint8Array(await (await get(`/log/tile/entries/${path(number, width)}`)).arrayBuffer());
    const tile = new Uint8Array(await (await get(`/log/tile/0/${path(number, width)}`)).arrayBuffer());
    const entries = [];
    for (let at = 0; at < bundle.length; ) {
      const length = bundle[at] * 256 + bundle[at + 1];
      entries.push(bundle.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
    for (const [place, entry] of entries.entries()) {
      const leaf = await sha256(new Uint8Array([0, ...entry]));
      if (!same(leaf, tile.slice(place * 32, place * 32 + 32))) return { fits: false };
    }
    for (const entry of entries.reverse()) {
      const [, kind, ...rest] = new TextDecoder().decode(entry).split(" ");
      if (kind === "total") return { fits: true, total: +rest[0] + +rest[1], since: sum, live, at: rest[2] };
      if (kind === "counted") sum += 1;
      if (kind === "restored" || kind === "sheet") sum += +rest[0];
      if (kind === "left") sum -= +rest[1];
    }
  }
  return { fits: true, total: 0, since: sum, live, at: "" };
}

async function check() {
  const words = box.dataset;
  said.textContent = words.working;
  try {
    const note = await (await get("/log/checkpoint")).text();
    const vkey = await (await get("/log/vkey")).text();
    let signed;
    try {
      signed = await isSigned(note, vkey);
    } catch (error) {
      if (error.message.startsWith("/")) throw error;
      said.textContent = words.old;
      return;
    }
    const size = Number(note.split("\n")[1]);
    const last = signed && size ? await lastTotal(size) : { fits: false };
    if (!signed) said.textContent = words.unsigned;
    else if (!last.fits) said.textContent = words.wrong;
    else {
      const format = new Intl.NumberFormat(document.documentElement.lang === "fr" ? "fr" : "en");
      said.textContent = words.right
        .replace("{size}", format.format(size))
        .replace("{total}", format.format(last.total + last.since))
        .replace("{live}", format.format(last.live));
    }
  } catch {
    said.textContent = words.unreachable;
  }
}

if (box) {
  if (globalThis.crypto?.subtle) {
    button.hidden = false;
    button.addEventListener("click", check);
  } else said.textContent = box.dataset.old;
}
