// <campaign-newsletters campaign="birthday" placement="signup" lang="uk">: newsletters to tick, in a frame.
// What is inside the element is shown without this script. In an element that has its form already, the
// answer comes in its place instead of on our page.

// Send a form as a frame does. If that fails, the reader goes to our page, as without this script.
async function send(event) {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form));
  const url = form.action.replace("newsletters/?", "newsletters/frame/?");
  event.submitter.disabled = true;
  let answer;
  // Fails without an answer, or if a policy is against it.
  try {
    const sent = await fetch(url, { method: "POST", body, credentials: "omit", signal: AbortSignal.timeout(8000) });
    // Without the styles and the script of a frame, which this page may not allow.
    const text = (await sent.text()).split(/<body>|<script>/)[1];
    answer = new DOMParser().parseFromString(text, "text/html").querySelector(".campaign-banner");
  } catch {}
  if (!answer) return form.submit();
  form.closest(".campaign-banner").replaceWith(answer);
  const wrong = answer.querySelector("[aria-invalid]");
  const news = wrong || answer.querySelector("[role=alert],[role=status]");
  if (!wrong) news.tabIndex = -1;
  news.focus();
}

// Shows the frame, which tells its height. Its policy and the page's allow styles that a script sets.
function showFrame(host) {
  const tag = (host.lang || document.documentElement.lang) + "-";
  const lang = LANGUAGES.find((each) => tag.startsWith(each + "-")) || LANGUAGES[0];
  const placement = host.getAttribute("placement") || "signup";
  const query = new URLSearchParams({ page: location.origin + location.pathname, title: document.title.slice(0, 200) });
  for (const [name, value] of new URLSearchParams(location.search))
    if (name.startsWith("utm_")) query.set(name, value);
  const frame = document.createElement("iframe");
  frame.src = new URL(`./${host.getAttribute("campaign")}/${lang}/${placement}-frame.html?${query}`, import.meta.url);
  frame.title = host.textContent.trim();
  frame.loading = "lazy";
  frame.height = 400;
  frame.style = "display:block;width:100%;border:0";
  host.attachShadow({ mode: "open" }).append(frame);
  addEventListener("message", ({ data, source }) => {
    if (data?.message == "height" && source == frame.contentWindow) frame.height = data.value;
  });
}

if (!customElements.get("campaign-newsletters"))
  customElements.define("campaign-newsletters", class extends HTMLElement {
    connectedCallback() {
      this.shadowRoot ? this.shadowRoot.addEventListener("submit", send) : showFrame(this);
    }
  });
