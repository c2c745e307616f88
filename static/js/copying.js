// data-copies="id" copies that element's text (or value); data-copies alone copies the <pre> beside it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies) ?? button.parentElement.querySelector("pre");
  const label = button.querySelector("span") ?? button;
  const before = (label.dataset.label ??= label.textContent);
  label.textContent = (await copied(source)) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (label.textContent = before), 2000);
});

// Without a secure connection there is no clipboard to write to, so the text is selected instead.
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return false;
  }
}
