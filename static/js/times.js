// <time datetime="…" data-relative> reads "3 minutes ago" and keeps up; the full date stays in its title.
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

function relative(seconds) {
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? words.format(Math.trunc(seconds / unit[1]), unit[0]) : "just now";
}

function refresh(root = document) {
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.title = full.format(moment);
    time.textContent = relative((moment - Date.now()) / 1000);
  }
}

document.addEventListener("htmx:load", ({ target }) => refresh(target));
refresh();
setInterval(() => refresh(), 30_000);
