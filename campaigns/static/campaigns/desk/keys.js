// Keys of the admin: "/" goes to the search, Escape and a click elsewhere close a list's filters.
const search = document.getElementById("desk-search");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    closeFilters();
  } else if (event.key === "/" && search && !isTyping(event.target)) {
    event.preventDefault();
    search.focus();
  }
});

document.addEventListener("click", (event) => {
  if (!event.target.closest(".desk-filter")) closeFilters();
});

function closeFilters() {
  for (const filter of document.querySelectorAll(".desk-filter[open]")) {
    const hadFocus = filter.contains(document.activeElement);
    filter.open = false;
    if (hadFocus) filter.querySelector("summary").focus();
  }
}

function isTyping(element) {
  return element.isContentEditable || element.matches("input, select, textarea");
}
