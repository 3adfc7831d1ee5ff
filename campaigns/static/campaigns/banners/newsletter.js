// <campaign-newsletters campaign="birthday" placement="signup" lang="uk">: newsletters to tick, in a frame.
// What is inside the element is shown without this script.
const HOME = new URL(".", import.meta.url).href;

class CampaignNewsletters extends HTMLElement {
  // An element with a shadow root of its own is final HTML already.
  connectedCallback() {
    if (this.shadowRoot) return;
    const wanted = this.lang || document.documentElement.lang;
    const lang = LANGUAGES.find((each) => (wanted + "-").startsWith(each + "-")) || LANGUAGES[0];
    const query = new URLSearchParams({
      page: location.origin + location.pathname,
      title: document.title.slice(0, 200),
    });
    for (const [name, value] of new URLSearchParams(location.search))
      if (name.startsWith("utm_")) query.set(name, value);
    const placement = this.getAttribute("placement") || "signup";
    const frame = document.createElement("iframe");
    frame.src = `${HOME}${this.getAttribute("campaign")}/${lang}/${placement}-frame.html?${query}`;
    frame.title = this.textContent.trim();
    frame.loading = "lazy";
    frame.height = 400;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":host{display:block!important}:host([hidden]){display:none!important}iframe{display:block;width:100%;border:0}");
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(frame);
    addEventListener("message", ({ data, source }) => {
      if (data?.message == "height" && source == frame.contentWindow) frame.height = data.value;
    });
  }
}

if (!customElements.get("campaign-newsletters")) customElements.define("campaign-newsletters", CampaignNewsletters);
