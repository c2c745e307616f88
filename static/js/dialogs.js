// data-opens="id" shows a <dialog>; data-closes, the backdrop and Escape close it.
// A <dialog data-show> that htmx swaps in opens at once, and leaves the page when it is closed.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  if (event.target.matches("dialog") && isOutside(event)) event.target.close();
});

function isOutside({ target, clientX, clientY }) {
  const box = target.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

document.addEventListener("htmx:load", ({ target }) => {
  const dialogs = target.matches("dialog[data-show]") ? [target] : target.querySelectorAll("dialog[data-show]");
  for (const dialog of dialogs) {
    if (dialog.open) continue;
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
  }
});
