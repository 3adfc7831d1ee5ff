// Keeps the home page current: asks for it every minute while it is in sight.

const MINUTE = 60_000;

async function refresh() {
  const shown = document.querySelector(".desk-home");
  // Nothing moves under the focus or a selection.
  if (document.hidden || !shown || shown.contains(document.activeElement) || String(getSelection())) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // signed out, or no network: try again later
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(".desk-home");
  if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceWith(fresh);
}

setInterval(refresh, MINUTE);
