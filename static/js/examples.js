// data-fills="id" puts its data-words into that field.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-fills]");
  const field = chip && document.getElementById(chip.dataset.fills);
  if (!field) return;
  field.value = chip.dataset.words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
