// <… data-stream="address"> shows a text in its [data-told] while it is written. When it has ended, the element gets an
// "ended" event, by which htmx brings what became of it. The browser connects again by itself, from where it was.
const listening = new WeakSet();

function listen(element) {
  if (listening.has(element)) return;
  listening.add(element);
  const told = element.querySelector("[data-told]");
  const source = new EventSource(element.dataset.stream);

  function end() {
    source.close();
    element.dispatchEvent(new CustomEvent("ended", { bubbles: true }));
  }

  source.addEventListener("text", ({ data }) => {
    if (!element.isConnected) return source.close();
    told.append(JSON.parse(data).text);
  });
  source.addEventListener("restart", () => {
    told.replaceChildren();
    element.querySelector("[data-again]").hidden = false;
  });
  source.addEventListener("done", end);
  source.addEventListener("error", () => {
    if (!element.isConnected) source.close();
    else if (source.readyState === EventSource.CLOSED) end();
  });
}

function listenIn(root) {
  if (root.matches?.("[data-stream]")) listen(root);
  root.querySelectorAll("[data-stream]").forEach(listen);
}

document.addEventListener("htmx:load", ({ target }) => listenIn(target));
listenIn(document);
