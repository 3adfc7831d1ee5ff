// Updates the sum of many gifts while rows are filled in. Without it, the server updates the sum each
// time the form is sent, always before payment.

const language = document.documentElement.lang;
const rows = [...document.querySelectorAll("#order .row")];
const sums = [...document.querySelectorAll("#order [data-each]")];

function isFilled(row) {
  const fields = [...row.querySelectorAll("input, textarea")];
  return fields.some((field) => field.value.trim() !== "");
}

// Format an amount like the amount of one gift, so that the currency sign stays in its place.
function write(minor, { amount, places }) {
  const unit = 10 ** Number(places);
  const decimals = minor % unit ? Number(places) : 0;
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return amount.replace(/\d(?:[\d.,\s]*\d)?/u, number.format(minor / unit));
}

function showSums() {
  const count = rows.filter(isFilled).length;
  for (const sum of sums) {
    const total = write(count * Number(sum.dataset.each), sum.dataset);
    const text = count ? `${count} × ${sum.dataset.amount} = ${total}` : sum.dataset.none;
    if (sum.textContent !== text) sum.textContent = text;
  }
}

for (const row of rows) row.addEventListener("input", showSums);
showSums();
