// A sentence carries data-labels="color|material", a fact row data-label="color". Pointing at either, with the mouse or
// the keyboard, lights both. They find each other within the nearest [data-evidence].
let current = null;

const labelsOf = (element) => (element.dataset.labels ?? element.dataset.label ?? "").split("|").filter(Boolean);

function counterparts(element) {
  const scope = element.closest("[data-evidence]");
  const labels = new Set(labelsOf(element));
  if (!scope || !labels.size) return [];
  const others = scope.querySelectorAll(element.dataset.labels === undefined ? "[data-labels]" : ".facts [data-label]");
  return [...others].filter((other) => labelsOf(other).some((label) => labels.has(label)));
}

function light(element) {
  if (element === current) return;
  document.querySelectorAll("[data-lit]").forEach((lit) => lit.removeAttribute("data-lit"));
  current = element;
  if (!element) return;
  const found = counterparts(element);
  if (found.length) [element, ...found].forEach((each) => each.setAttribute("data-lit", ""));
}

const pointedAt = (target) => target?.closest?.("[data-evidence] [data-labels], [data-evidence] .facts [data-label]") ?? null;

document.addEventListener("pointerover", (event) => light(pointedAt(event.target)));
document.addEventListener("focusin", (event) => light(pointedAt(event.target)));
document.addEventListener("focusout", () => light(null));

// On a slow line a pointer may rest on a sentence before this is loaded: no event tells of it any more.
light(pointedAt([...document.querySelectorAll(":hover")].at(-1)) ?? pointedAt(document.activeElement));
