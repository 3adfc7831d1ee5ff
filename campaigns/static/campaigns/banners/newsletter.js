// <campaign-newsletters campaign="birthday" placement="signup" lang="uk">: newsletters to tick, in a frame.
// What is inside the element is shown without this script. In an element that has its form already, the
// answer comes in its place instead of on our page.
const HOME = new URL(".", import.meta.url).href;

// Send a form as a frame does. If that fails, the reader goes to our page, as without this script.
async function send(event) {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form));
  const url = new URL(form.action);
  url.pathname = url.pathname.replace(/(frame\/)?$/, "frame/");
  event.submitter.disabled = true;
  let answer;
  try {
    const sent = await fetch(url, { method: "POST", body, credentials: "omit", signal: AbortSignal.timeout(8000) });
    // Without the styles and the script of a frame, which this page may not allow.
    const [html] = (await sent.text()).split("<body>")[1].split("<script>");
    answer = new DOMParser().parseFromString(html, "text/html").querySelector(".campaign-banner");
  } catch {} // no answer, or a policy against it
  if (!answer) return form.submit();
  form.closest(".campaign-banner").replaceWith(answer);
  const wrong = answer.querySelector("[aria-invalid]");
  const news = wrong || answer.querySelector("[role=alert], [role=status]");
  if (!wrong) news.tabIndex = -1;
  news.focus();
}

class CampaignNewsletters extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) this.shadowRoot.addEventListener("submit", send);
    else this.showFrame();
  }

  showFrame() {
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
