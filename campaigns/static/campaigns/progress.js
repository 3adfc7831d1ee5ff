// Updates the number of an open page, and of a screen on a wall, from the published JSON. The page
// works without it; an older number, or a failed request, changes nothing.

const EVERY = 15_000; // milliseconds
const language = document.documentElement.lang;

function inWords(moment, zone) {
  const parts = new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).formatToParts(moment);
  const get = (type) => parts.find((part) => part.type === type).value;
  return `${get("day")} ${get("month")} ${get("year")}, ${get("hour")}:${get("minute")}`;
}

function show(goal, progress) {
  // A screen on a wall has nobody to reload it when another state begins.
  if (goal.dataset.state && progress.state !== goal.dataset.state) location.reload();
  const time = goal.querySelector("[data-as-of]");
  const moment = new Date(progress.as_of);
  const written = progress.labels?.[language]?.counted;
  if (!time || !written || moment <= new Date(time.dateTime)) return;
  const number = goal.querySelector("[data-counted], .campaign-number");
  if (number.textContent !== written) number.textContent = written;
  goal.querySelector("progress").value = Math.min(Math.max(progress.percent, 0), 100);
  goal.classList.toggle("is-reached", progress.shown >= progress.shown_target);
  time.dateTime = progress.as_of;
  time.textContent = inWords(moment, goal.dataset.zone);
}

async function keepCurrent(goal) {
  if (!document.hidden) {
    try {
      const answer = await fetch(goal.dataset.progress);
      const all = answer.ok ? await answer.json() : [];
      const progress = all.find((each) => each.kind === goal.dataset.kind);
      if (progress) show(goal, progress);
    } catch {
      // Keep the last number; the page says when it was counted.
    }
  }
  setTimeout(keepCurrent, EVERY, goal);
}

for (const goal of document.querySelectorAll("[data-progress]")) {
  setTimeout(keepCurrent, EVERY, goal);
}
