// A form[data-dropzone] takes a file dropped anywhere on the page, says its name and size, and sends it with progress.
const NAMES = ["bytes", "KB", "MB", "GB"];

function size(bytes) {
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), NAMES.length - 1);
  return `${(bytes / 1024 ** step).toFixed(step > 1 ? 1 : 0).replace(".0", "")} ${NAMES[step]}`;
}

const form = () => document.querySelector("form[data-dropzone]");
const zone = () => form()?.querySelector(".dropzone");
const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
let depth = 0;

function lit(on) {
  depth = on ? depth + 1 : Math.max(depth - 1, 0);
  zone()?.toggleAttribute("data-over", depth > 0);
}

document.addEventListener("dragenter", (event) => carriesFile(event) && form() && lit(true));
document.addEventListener("dragleave", (event) => carriesFile(event) && form() && lit(false));
document.addEventListener("dragover", (event) => carriesFile(event) && form() && event.preventDefault());

document.addEventListener("drop", (event) => {
  const input = form()?.querySelector("input[type=file]");
  if (!input || !carriesFile(event)) return;
  event.preventDefault();
  depth = 1;
  lit(false);
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("form[data-dropzone] input[type=file]")) take(target);
});

// On a slow line a file may be chosen before this script has come. One that the browser kept when going back is not sent.
const [visit] = performance.getEntriesByType("navigation");
const chosen = form()?.querySelector("input[type=file]");
if (chosen && visit?.type === "navigate") take(chosen);

function take(target) {
  if (!target.files.length) return;
  const [file] = target.files;
  const most = Number(target.form.dataset.maxBytes || Infinity);
  if (file.size > most) {
    say(target.form, `${file.name} is ${size(file.size)}; the most is ${size(most)}. Split it and try again.`);
    target.value = "";
    return;
  }
  say(target.form, `${file.name} · ${size(file.size)}`);
  target.form.requestSubmit();
}

function say(target, words) {
  const status = target.querySelector("[data-file-status]");
  if (status) status.textContent = words;
}

document.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
  const bar = target.closest?.("form[data-dropzone]")?.querySelector("progress");
  if (!bar || !detail.lengthComputable) return;
  bar.hidden = false;
  bar.max = detail.total;
  bar.value = detail.loaded;
});
