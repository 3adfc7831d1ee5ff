// Runs in the page of a frame with newsletters: tells its height, and the form from which article the
// reader came.
{
  const tellHeight = () =>
    parent.postMessage({ message: "height", value: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
  const form = document.querySelector("form");
  if (form) {
    const action = new URL(form.action);
    const query = new URLSearchParams(location.search);
    if (!query.has("page") && !action.searchParams.has("page") && document.referrer) query.set("page", document.referrer);
    for (const [name, value] of query)
      if (/^(page|title|utm_[a-z]+)$/.test(name)) action.searchParams.set(name, value);
    form.action = action.href;
  }
  new ResizeObserver(tellHeight).observe(document.body);
  tellHeight();
}
