/** Kept in the address: that a part is folded or a box unticked, which the page begins open and ticked. */

/**
 * @param {string} key
 * @param {string} value
 * @param {boolean} initial whether it is as the page begins
 */
function keep(key, value, initial) {
  const query = new URLSearchParams(location.search);
  if ((query.get(key) ?? "") === (initial ? "" : value)) return;
  if (initial) query.delete(key);
  else query.set(key, value);
  // A comma and a slash may stand in a query as they are, and are easier to read.
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
  history.replaceState(null, "", `${location.pathname}?${text}${location.hash}`);
}

for (const element of document.querySelectorAll("[data-address-key]")) {
  if (!(element instanceof HTMLElement)) continue;
  const { addressKey = "", addressValue = "0" } = element.dataset;
  if (element instanceof HTMLDetailsElement) {
    element.addEventListener("toggle", () => keep(addressKey, addressValue, element.open));
  } else if (element instanceof HTMLInputElement) {
    element.addEventListener("change", () => keep(addressKey, addressValue, element.checked));
  }
}
