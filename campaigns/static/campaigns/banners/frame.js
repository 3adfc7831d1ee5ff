// Runs in the page of an iframe: tells its height, and lets its links work in WordPress's sandbox.
{
  // WordPress may add it to the address of a page that is open already.
  const findSecret = () => (/\bsecret=([a-zA-Z0-9]+)/.exec(location.hash) || [])[1];
  const tell = (message, value) => parent.postMessage({ message, value, secret: findSecret() }, "*");
  const tellHeight = () => tell("height", Math.ceil(document.body.getBoundingClientRect().height));
  const host = document.querySelector("campaign-banner");
  const root = host && host.shadowRoot;
  if (root) {
    const old = document.getElementById("without-number");
    const age = Date.now() - Date.parse(host.dataset.published);
    if (old && age > old.dataset.maxAge * 1000) {
      root.querySelector(".campaign-banner").replaceWith(old.content);
      letReaderHide(host, root);
    }
    host.dataset.scheme = new URLSearchParams(location.search).get("scheme") || "light";
    for (const link of root.querySelectorAll("a")) {
      if (document.referrer) link.href += "&page=" + encodeURIComponent(document.referrer);
      link.onclick = (event) => {
        if (!findSecret() || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        tell("link", link.href);
      };
    }
  } else if (document.title) console.warn(document.title);
  addEventListener("message", ({ data }) => data && data.message === "ready" && tellHeight());
  addEventListener("load", tellHeight);
  addEventListener("hashchange", tellHeight);
  new ResizeObserver(tellHeight).observe(document.body);
}
