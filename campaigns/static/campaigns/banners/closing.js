// Hides a banner on the reader's request, and brings it back. Nothing is stored before the click.
function letReaderHide(host, root) {
  const [body, hide, show] = ["body", "hide", "show"].map((name) => root?.querySelector(".campaign-" + name));
  if (!hide) return;
  const key = "campaign-banner-hidden:" + hide.dataset.campaign;
  const set = (isHidden, isFocused) => {
    body.hidden = isHidden;
    show.hidden = !isHidden;
    if (isFocused) (isHidden ? show : hide).focus();
  };
  hide.hidden = false;
  hide.onclick = show.onclick = ({ target }) => {
    const isHidden = target == hide;
    try {
      isHidden ? (localStorage[key] = Date.now() + hide.dataset.days * 864e5) : delete localStorage[key];
    } catch {}
    set(isHidden, true);
  };
  // Escape hides it until the next page, unless the reader is busy elsewhere on this one.
  addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (event.key == "Escape" && !event.defaultPrevented && !body.hidden && (at == host || at == document.body))
      set(true, at == host);
  });
  try {
    set(localStorage[key] > Date.now());
  } catch {}
}
