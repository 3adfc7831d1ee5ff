// <campaign-banner campaign="birthday" placement="inline" lang="uk">: shows a published banner.
// What is inside the element stays until the banner is there, and if it can't be shown.
const VERSION = 1;
const HOME = new URL(".", import.meta.url).href;

// [tag, {attributes}, child, ...] becomes an element: no HTML is parsed, as trusted types demand.
function build([tag, attributes, ...children], space = "1999/xhtml") {
  if (tag == "svg") space = "2000/svg";
  const element = document.createElementNS("http://www.w3.org/" + space, tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  for (const child of children) element.append(child.map ? build(child, space) : child);
  return element;
}

// Links to the campaign tell from which article the reader came. A page can change to another one
// while the banner stays, so they are written again when the reader uses them.
function nameArticle(link) {
  const href = link.href;
  (link.onpointerdown = link.onclick = () => {
    const url = new URL(href);
    const query = url.searchParams;
    if (!query.has("from")) return;
    query.set("page", location.origin + location.pathname);
    query.set("title", document.title.slice(0, 200));
    for (const [name, value] of new URLSearchParams(location.search))
      if (name.startsWith("utm_")) query.set(name, value);
    link.href = url;
  })();
}

class CampaignBanner extends HTMLElement {
  static observedAttributes = ["campaign", "placement", "lang", "member"];

  attributeChangedCallback() {
    this.connectedCallback();
  }

  async connectedCallback() {
    // An element with a shadow root of its own is final HTML already.
    if (this.shadowRoot && !this.task) return;
    const task = (this.task = {});
    // All attributes have changed after this.
    await null;
    if (task != this.task || !this.isConnected) return;
    const wanted = (this.lang || document.documentElement.lang) + "-";
    const lang = LANGUAGES.find((each) => wanted.startsWith(each + "-")) || LANGUAGES[0];
    const url = `${HOME}${this.getAttribute("campaign")}/${lang}/${this.getAttribute("placement")}.json`;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw Error(answer.status);
      const data = await answer.json();
      if (data.version != VERSION) throw Error("version");
      if (task != this.task) return;
      const isOld = Date.now() - Date.parse(data.published_at) > data.max_age * 1000;
      const tree = this.hasAttribute("member") ? data.for_member : isOld ? data.without_number : data.banner;
      const content = tree ? build(tree) : "";
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(data.style);
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.replaceChildren(content);
      this.hidden = !tree;
      root.querySelectorAll("a").forEach(nameArticle);
      letReaderHide(this, root);
    } catch (error) {
      console.warn("No campaign banner:", url, error);
    }
  }
}

if (!customElements.get("campaign-banner")) {
  customElements.define("campaign-banner", CampaignBanner);
  // Frames with banners tell their height.
  addEventListener("message", ({ data, source }) => {
    for (const frame of document.querySelectorAll("iframe"))
      if (data?.message == "height" && frame.contentWindow == source && frame.src.startsWith(HOME))
        frame.height = data.value;
  });
}
