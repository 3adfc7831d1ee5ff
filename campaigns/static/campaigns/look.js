// Shows the typed colours and their contrast at once. The server checks them again.

const look = document.querySelector(".look");
const least = Number(look.dataset.least);
const number = new Intl.NumberFormat(document.documentElement.lang, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function mix(first, percent, second) {
  const others = channels(second);
  const mixed = channels(first).map((value, at) =>
    Math.round((value * percent + others[at] * (100 - percent)) / 100),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

// Source: WCAG 2.2, "relative luminance" and "contrast ratio".
function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first, second) {
  const [darker, lighter] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function readPalette(scheme) {
  const palette = {};
  for (const field of document.querySelectorAll(`[data-scheme="${scheme}"]`)) {
    const typed = field.value.trim();
    const isColour = /^#[0-9a-f]{6}$/i.test(typed);
    palette[field.dataset.colour] = isColour ? typed : field.placeholder;
  }
  palette.quiet = mix(palette.ink, 72, palette.paper);
  return palette;
}

function show() {
  for (const sample of look.querySelectorAll("[data-sample]")) {
    const palette = readPalette(sample.dataset.sample);
    for (const [name, colour] of Object.entries(palette)) {
      sample.style.setProperty(`--campaign-${name}`, colour);
    }
    for (const row of sample.querySelectorAll("[data-first]")) {
      const ratio = contrast(palette[row.dataset.first], palette[row.dataset.second]);
      row.querySelector("output").value = number.format(Math.floor(ratio * 100) / 100);
      row.querySelector(".look-fault").hidden = ratio >= least;
    }
  }
}

if (document.querySelector("[data-scheme]")) {
  look.hidden = false;
  document.addEventListener("input", show);
  show();
}
