// What htmx does with a reply that is not a success, and with one that comes while a button is pressed.
import { toast } from "./toasts.js";

// Refusals that come as a fragment meant for the page.
const EXPLAINED = new Set([402, 409, 413, 422, 429]);

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { xhr } = detail;
  if (xhr.status < 400) return;
  if (xhr.getResponseHeader("HX-Retarget") || EXPLAINED.has(xhr.status)) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});

// The click would be lost with the button. Where it is let go elsewhere, the next reply is taken in again.
let pressed = null;
document.addEventListener("pointerdown", ({ target }) => {
  pressed = target.closest("[type=submit]");
});
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    pressed = null;
  });
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.contains(pressed)) detail.shouldSwap = false;
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { status } = detail.xhr;
  const reference = detail.xhr.getResponseHeader("X-Request-Id");
  const said =
    status === 403
      ? "You are signed out, or not allowed to do that. Reload the page and try again."
      : status === 404
        ? "That is no longer there. Reload the page."
        : `Something broke on our side (${status}). Nothing was lost; try again.`;
  toast(reference ? `${said} Reference ${reference}.` : said, "bad");
});

document.addEventListener("htmx:sendError", () => {
  toast("No connection. Nothing was lost; try again when you are back online.", "bad");
});
