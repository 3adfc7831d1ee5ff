"""Measurements of a host page in the browser: its banners, and its own elements."""

from typing import Any

from playwright.sync_api import Page

# Every computed property of every element in a banner, and its box relative to the banner's.
BANNERS = """() => [...document.querySelectorAll("campaign-banner")].map((host) => {
  const banner = host.shadowRoot.querySelector(".campaign-banner");
  const own = banner.getBoundingClientRect();
  return [banner, ...banner.querySelectorAll("*")].map((element) => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const round = (number) => Math.round(number * 2) / 2;
    return {
      element: `${banner.className} ${element.localName}.${element.getAttribute("class")}`,
      // What is not shown has no place.
      box: box.width && [box.x - own.x, box.y - own.y, box.width, box.height].map(round).join(" "),
      ...Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)])),
    };
  });
}).flat()"""
# Every computed property of the page's own elements, without the sizes that its content changes.
PAGE = """() => [...document.querySelectorAll("html, body, main, h1, section, p, a, input")]
  .filter((element) => !element.closest("campaign-banner")).map((element) => {
    const style = getComputedStyle(element);
    const names = [...style].filter((name) => !/height|block-size|origin|template-rows/.test(name));
    return {
      element: element.localName,
      ...Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name)])),
    };
  })"""
Measured = list[dict[str, str]]


def measure_banners(page: Page) -> Measured:
    measured: Measured = page.evaluate(BANNERS)
    return measured


def measure_page(page: Page) -> Measured:
    measured: Measured = page.evaluate(PAGE)
    return measured


def list_differences(first: Measured, second: Measured) -> list[tuple[Any, ...]]:
    """Return each differing property with its element and both values."""
    if [each["element"] for each in first] != [each["element"] for each in second]:
        return [(len(first), len(second), "different elements")]
    return [
        (a["element"], name, a[name], b.get(name))
        for a, b in zip(first, second, strict=True)
        for name in a
        if a[name] != b.get(name)
    ]


def measure_shift(page: Page) -> float:
    """Return the layout shift of the page so far."""
    return float(
        page.evaluate(
            """() => new Promise((answer) => {
              let sum = 0;
              const observer = new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) sum += entry.value;
              });
              observer.observe({ type: "layout-shift", buffered: true });
              setTimeout(() => answer(sum), 100);
            })"""
        )
    )
