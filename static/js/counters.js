// <output data-counts="field-id" data-most="160"> follows the length of a field.
function count(output) {
  const field = document.getElementById(output.dataset.counts);
  if (!field) return;
  const most = Number(output.dataset.most);
  const length = [...field.value].length;
  output.textContent = most ? `${length} of ${most}` : `${length}`;
  output.toggleAttribute("data-over", most > 0 && length > most);
}

document.addEventListener("input", ({ target }) => {
  if (target.id) document.querySelectorAll(`[data-counts="${CSS.escape(target.id)}"]`).forEach(count);
});

document.addEventListener("htmx:load", ({ target }) => target.querySelectorAll("[data-counts]").forEach(count));
