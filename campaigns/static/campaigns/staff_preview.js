// Shows the banners of the form while it is typed. Without it, the button opens the same page.
//
// Each preview is the form itself, sent to a new frame that replaces the old one once it is loaded.
// A frame may run nothing and knows nothing of this page.

const WAIT = 250; // milliseconds after the last key
const WIDTHS = { phone: 375, desk: 1280 };
const CHOICES = ["placement", "state", "language"];

const dock = document.querySelector("[data-preview]");
const form = dock.closest("form");
const stage = dock.querySelector(".preview-stage");
let closedByHand = false;
let number = 0;
let timer;

function choice(name) {
  return form.elements[`preview-${name}`];
}

function fit() {
  for (const frame of stage.querySelectorAll("iframe")) {
    const width = Number(frame.dataset.width);
    const scale = Math.min(1, stage.clientWidth / width);
    frame.style.width = `${width}px`;
    frame.style.height = `${stage.clientHeight / scale}px`;
    frame.style.transform = `scale(${scale}) translateX(-50%)`;
  }
}

function send(frame) {
  const before = [form.getAttribute("action"), form.getAttribute("target")];
  form.setAttribute("action", dock.dataset.preview);
  form.setAttribute("target", frame.name);
  HTMLFormElement.prototype.submit.call(form);
  ["action", "target"].forEach((name, at) => {
    if (before[at] === null) form.removeAttribute(name);
    else form.setAttribute(name, before[at]);
  });
}

function refresh() {
  if (!dock.open) return;
  stage.querySelectorAll("iframe.is-waiting").forEach((frame) => frame.remove());
  const frame = document.createElement("iframe");
  frame.name = `preview-${++number}`;
  frame.title = stage.dataset.title;
  frame.className = "is-waiting";
  frame.dataset.width = WIDTHS[choice("width").value] ?? WIDTHS.phone;
  frame.setAttribute("sandbox", "");
  stage.append(frame);
  fit();
  frame.addEventListener("load", () => {
    for (const old of stage.querySelectorAll("iframe")) if (old !== frame) old.remove();
    frame.classList.remove("is-waiting");
  });
  send(frame);
}

function refreshSoon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, WAIT);
}

// Shows the banner whose text has the focus, unless staff have closed the preview.
function follow(event) {
  const found = event.target.name?.match(/^(banners-\d+)-/);
  if (!found || !event.target.matches("input, textarea, select")) return;
  let changed = !dock.open && !closedByHand;
  if (changed) dock.open = true;
  for (const name of CHOICES) {
    const value = form.elements[`${found[1]}-${name}`]?.value;
    if (value && choice(name).value !== value) {
      choice(name).value = value;
      changed = true;
    }
  }
  if (changed) refreshSoon();
}

form.addEventListener("input", refreshSoon);
form.addEventListener("change", follow);
form.addEventListener("focusin", follow);
dock.addEventListener("toggle", refreshSoon);
dock.querySelector("summary").addEventListener("click", () => (closedByHand = dock.open));
new ResizeObserver(fit).observe(stage);
refresh();
