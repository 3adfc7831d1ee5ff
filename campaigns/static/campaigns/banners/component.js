// <campaign-banner campaign="birthday" placement="inline" lang="uk">: shows a published banner.
// What is inside the element stays until the banner is there, and if it can't be shown.
const VERSION = 1;
const HOME = new URL(".", import.meta.url).href;

// [tag, {attributes}, child, ...] becomes an element: no HTML is parsed, as trusted types demand.
function build([tag, attributes, ...children], isDrawing) {
  isDrawing ||= tag == "svg";
  const element = document.createElementNS(`http://www.w3.org/${isDrawing ? "2000/svg" : "1999/xhtml"}`, tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children.map((child) => (child.map ? build(child, isDrawing) : child)));
  return element;
}

// Links to the campaign tell from which article the reader came.
function nameArticle(link) {
  const url = new URL(link);
  const query = url.searchParams;
  if (!query.has("from")) return;
  query.set("page", location.origin + location.pathname);
  query.set("title", document.title.slice(0, 200));
  for (const [name, value] of new URLSearchParams(location.search))
    if (name.startsWith("utm_")) query.set(name, value);
  link.href = url;
}

class CampaignBanner extends HTMLElement {
  static observedAttributes = ["campaign", "placement", "lang", "member"];

  // An element with a shadow root of its own is final HTML already.
  connectedCallback() {
    if (this.root || !this.shadowRoot) this.show();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  async show() {
    const task = (this.task = {});
    // All attributes have changed after this.
    await null;
    if (task != this.task) return;
    const wanted = this.lang || document.documentElement.lang;
    const lang = LANGUAGES.find((each) => (wanted + "-").startsWith(each + "-"));
    const url = `${HOME}${this.getAttribute("campaign")}/${lang || LANGUAGES[0]}/${this.getAttribute("placement")}.json`;
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
      this.root ||= this.attachShadow({ mode: "open" });
      this.root.adoptedStyleSheets = [sheet];
      this.root.replaceChildren(content);
      this.hidden = !tree;
      this.root.querySelectorAll("a").forEach(nameArticle);
      letReaderHide(this, this.root);
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
