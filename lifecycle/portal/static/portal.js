"use strict";
// Sugar only: every page works without it.

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  // The page may be shown again from the browser's memory.
  window.addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
});

// The list of faults is what a reader must see first.
const faults = document.querySelector("[data-faults]");
if (faults) { faults.focus(); }

// `data-save="address"` on a form: what was entered is saved a moment after each change.
for (const form of document.querySelectorAll("form[data-save]")) {
  const status = form.querySelector("[data-save-status]");
  let timer;
  const save = async () => {
    try {
      const answer = await fetch(form.dataset.save, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" });
      if (status) { status.textContent = answer.ok ? status.dataset.saved : status.dataset.failed; }
    } catch {
      if (status) { status.textContent = status.dataset.failed; }
    }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(save, 800); });
  // What is sent is not saved once more beside it.
  form.addEventListener("submit", () => clearTimeout(timer));
}
