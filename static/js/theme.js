// Loaded before anything is drawn, as a plain script, so that a chosen theme never flashes in the other one.
(() => {
  const root = document.documentElement;
  const chosen = () => localStorage.getItem("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const showing = () => chosen() ?? (dark.matches ? "dark" : "light");

  if (chosen()) root.dataset.theme = chosen();

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-toggles-theme]")) return;
    const next = showing() === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    root.dataset.theme = next;
  });
})();
