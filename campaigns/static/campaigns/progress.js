// Updates the number of an open page. The page works without it; an older number, or a failed
// request, changes nothing.

const EVERY = 30_000; // milliseconds
const language = document.documentElement.lang;
const number = new Intl.NumberFormat(language);

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
  const time = goal.querySelector("[data-as-of]");
  const moment = new Date(progress.as_of);
  if (!time || moment <= new Date(time.dateTime)) return;
  goal.querySelector("[data-counted]").textContent = number.format(progress.counted);
  goal.querySelector("progress").value = Math.min(Math.max(progress.percent, 0), 100);
  goal.classList.toggle("is-reached", progress.counted >= progress.target);
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
