// A form[data-autosave] that htmx sends by itself says what became of the words: Saving… / Saved 12:03 / Not saved: why.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const unsaved = new Set();

const autosaving = (event) => event.target.closest?.("form[data-autosave]");

function say(form, state, words) {
  const status = form.querySelector("[data-saving]") ?? document.getElementById(form.dataset.autosave);
  if (!status) return;
  status.dataset.state = state;
  status.textContent = words;
}

document.addEventListener("input", (event) => {
  const form = autosaving(event);
  if (!form) return;
  unsaved.add(form);
  say(form, "editing", "Not saved yet");
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = autosaving(event);
  if (!form) return;
  unsaved.delete(form);
  say(form, "saving", "Saving…");
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = autosaving(event);
  if (!form) return;
  const { xhr } = event.detail;
  if (xhr.status >= 200 && xhr.status < 300) {
    if (!unsaved.has(form)) say(form, "saved", `Saved ${clock.format(new Date())}`);
    return;
  }
  unsaved.add(form);
  say(form, "failed", `Not saved: ${reason(xhr)}`);
});

function reason(xhr) {
  if (!xhr.status) return "no connection. Your words are still here; they are sent with your next change.";
  const refusal = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".banner > div");
  return refusal?.textContent.trim() ?? "something broke on our side. Your words are still here; try again.";
}

addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
});
