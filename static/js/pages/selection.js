// A form[data-selection] counts what is ticked; one box ticks all of them.
const boxes = (form) => [...form.querySelectorAll("tbody input[type=checkbox]")];

function show(form) {
  const all = form.querySelector("[data-selects-all]");
  const ticked = boxes(form).filter((box) => box.checked).length;
  form.querySelector("[data-selected]").textContent = ticked;
  form.querySelector("[data-writes]").lastChild.textContent = `Write ${ticked} description${ticked === 1 ? "" : "s"}`;
  all.checked = ticked > 0 && ticked === boxes(form).length;
  all.indeterminate = ticked > 0 && !all.checked;
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-selection]");
  if (!form) return;
  if (target.matches("[data-selects-all]")) for (const box of boxes(form)) box.checked = target.checked;
  show(form);
});

document.addEventListener("reset", ({ target }) => {
  if (target.matches("form[data-selection]")) setTimeout(() => show(target));
});
