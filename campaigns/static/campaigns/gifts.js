// Keeps the sum of many gifts current while rows are filled in. The page is complete without it:
// the sum is right whenever the form was sent, and right again before anything is paid.

const language = document.documentElement.lang;
const rows = [...document.querySelectorAll("#order .row")];
const sums = [...document.querySelectorAll("#order [data-each]")];

function isFilled(row) {
  const fields = [...row.querySelectorAll("input, textarea")];
  return fields.some((field) => field.value.trim() !== "");
}

// As the amount of one is written, with another number in it: the sign stays where it stands.
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
    const text = `${count} × ${sum.dataset.amount} = ${total}`;
    if (sum.textContent !== text) sum.textContent = text;
  }
}

for (const row of rows) row.addEventListener("input", showSums);
showSums();
