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
    // More is taken than browsers know of: an address with a name around it, in other digits.
    const malformed = field.dataset.malformed && !/[@＠]/.test(field.value);
    const { missing, malformed: wrong } = field.dataset;
    const said = field.validity.valueMissing ? missing : malformed ? wrong : "";
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

// The phone's own share sheet, where there is one.
const share = document.querySelector("[data-share]");
if (share && navigator.share) {
  const url = document.querySelector("[data-address]").href;
  share.parentElement.hidden = false;
  share.addEventListener("click", () => {
    navigator.share({ title: share.dataset.title, url }).catch(() => {});
  });
}

// Each of these buttons copies what the element says that it names. The last one that was pressed
// says so, to screen readers too.
const copies = navigator.clipboard ? document.querySelectorAll("[data-copy]") : [];
for (const button of copies) {
  const source = document.getElementById(button.dataset.copy);
  const words = button.firstChild;
  const before = words.data;
  const status = document.createElement("span");
  status.className = "hidden";
  status.role = "status";
  button.after(status);
  button.parentElement.hidden = false;
  document.addEventListener("copied", ({ detail }) => {
    words.data = detail === button ? `${button.dataset.done} ` : before;
    status.textContent = detail === button ? button.dataset.done : "";
  });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
    } catch {
      getSelection().selectAllChildren(source);
      return;
    }
    document.dispatchEvent(new CustomEvent("copied", { detail: button }));
  });
}
