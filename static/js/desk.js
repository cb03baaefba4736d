"use strict";
// Keeps the progress of what runs in the background current. Without it a page says so on reload.

function watch(element) {
  const bar = element.querySelector("progress");
  const done = element.querySelector("[data-done]");
  const look = async () => {
    const answer = await fetch(element.dataset.progress).catch(() => null);
    if (answer && answer.ok) {
      const figures = await answer.json();
      bar.max = Math.max(figures.of, 1);
      bar.value = figures.done;
      done.textContent = figures.done;
      if (figures.over) {
        if (element.dataset.then === "reload") location.reload();
        return;
      }
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
}

for (const element of document.querySelectorAll("[data-progress]")) {
  if (!element.closest("[hidden]")) watch(element);
}

for (const form of document.querySelectorAll("form[data-shows]")) {
  form.addEventListener("submit", () => {
    const section = document.getElementById(form.dataset.shows);
    if (!section.hidden) return;
    section.hidden = false;
    section.querySelectorAll("[data-progress]").forEach(watch);
  });
}

// On a phone a list is read as cards: each cell then needs its column's name. The roles keep for
// screen readers what a table is, whatever the style makes of it.
for (const table of document.querySelectorAll("#result_list")) {
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
  table.setAttribute("role", "table");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) {
      const role = row.parentElement === table.tHead ? "columnheader" : cell.matches("th") ? "rowheader" : "cell";
      cell.setAttribute("role", role);
      if (role !== "columnheader" && names[cell.cellIndex]) cell.dataset.label = names[cell.cellIndex];
    }
  }
  table.classList.add("desk-cards");
}
