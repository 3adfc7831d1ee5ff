// Checks whether the payment is confirmed, less and less often, and only while the page is visible.
// Without scripts, the page refreshes itself instead.

const LONGEST_PAUSE = 60_000; // milliseconds
let pause = 5_000;

async function checkPayment() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("[data-stage]");
      if (now && now.dataset.stage !== "waiting") {
        location.reload();
        return;
      }
    } catch {
      // The server is unavailable; try again later.
    }
    pause = Math.min(pause * 1.3, LONGEST_PAUSE);
  }
  setTimeout(checkPayment, pause);
}

setTimeout(checkPayment, pause);
