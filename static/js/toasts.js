// Messages at the edge of the page: good news goes by itself, bad news stays until it is dismissed.
const SECONDS = 6;
const place = document.getElementById("messages");

export function toast(words, tone = "info") {
  if ([...(place?.children ?? [])].some((shown) => shown.textContent.includes(words))) return;
  const banner = document.createElement("div");
  banner.className = `banner ${tone}`;
  banner.setAttribute("role", tone === "bad" ? "alert" : "status");
  const text = document.createElement("div");
  text.textContent = words;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button quiet small";
  dismiss.dataset.dismisses = "";
  dismiss.textContent = "Dismiss";
  banner.append(text, dismiss);
  place?.append(banner);
}

function retire(banner) {
  if (banner.matches(".bad, .warning") || banner.dataset.retiring) return;
  banner.dataset.retiring = "true";
  const leave = () => (banner.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : banner.remove());
  setTimeout(leave, SECONDS * 1000);
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismisses]")?.closest(".banner")?.remove();
});

if (place) {
  const retireAll = () => place.querySelectorAll(".banner").forEach(retire);
  new MutationObserver(retireAll).observe(place, { childList: true });
  retireAll();
}
