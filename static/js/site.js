// Small helps, each optional: without them every page works as well.

// Leave at once, and let "back" not come back here.
document.querySelector("[data-exit]")?.addEventListener("click", (event) => {
  event.preventDefault();
  location.replace(event.currentTarget.href);
});

// A field that is left says what is wrong with it; nothing is ever blocked. While a button is being
// pressed nothing is said: the page would move, and the press would miss.
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => (pressed = false), true);
}
const afterPress = (act) => {
  if (!pressed) act();
  else addEventListener("pointerup", () => setTimeout(act, 50), { once: true, capture: true });
};

for (const field of document.querySelectorAll(".field__input")) {
  field.addEventListener("change", () => afterPress(() => {
    const place = field.closest(".field");
    const id = `${field.id}-error`;
    document.getElementById(id)?.remove();
    place.classList.remove("field--wrong");
    field.removeAttribute("aria-invalid");
    field.value = field.tagName === "INPUT" ? field.value.trim() : field.value;
    const { valueMissing, typeMismatch } = field.validity;
    const said = valueMissing ? field.dataset.missing : typeMismatch ? field.dataset.malformed : "";
    if (!said) return;
    const error = document.createElement("p");
    error.className = "field__error";
    error.id = id;
    error.textContent = said;
    field.before(error);
    field.setAttribute("aria-invalid", "true");
    const described = new Set((field.getAttribute("aria-describedby") || "").split(" "));
    field.setAttribute("aria-describedby", [...described.add(id)].join(" ").trim());
    place.classList.add("field--wrong");
  }));
}

// The phone's own share sheet, and the clipboard, where there are such things.
const address = document.querySelector("[data-address]")?.href;
const share = document.querySelector("[data-share]");
if (share && navigator.share) {
  share.parentElement.hidden = false;
  share.addEventListener("click", () => {
    navigator.share({ title: share.dataset.title, url: address }).catch(() => {});
  });
}
const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  copy.parentElement.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(address);
    copy.textContent = copy.dataset.done;
  });
}
