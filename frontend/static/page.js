/** What every page has: theme, help, menus that close, tables that scroll. */
import { byId, isTyping } from "./dom.js";

/** @returns {"light" | "dark"} */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function themeChanged() {
  document.dispatchEvent(new CustomEvent("themechange"));
}

const theme = byId("theme", HTMLSelectElement);

/** Show which of the three is chosen, and paint by it. */
function applyTheme() {
  const stored = localStorage.getItem("theme");
  theme.value = stored === "light" || stored === "dark" ? stored : "system";
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

theme.addEventListener("change", () => {
  if (theme.value === "system") localStorage.removeItem("theme");
  else localStorage.setItem("theme", theme.value);
  applyTheme();
  themeChanged();
});
window.addEventListener("storage", (event) => {
  if (event.key !== "theme") return;
  applyTheme();
  themeChanged();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
applyTheme();

const help = byId("help", HTMLDialogElement);
byId("help-button", HTMLButtonElement).addEventListener("click", () => help.showModal());
document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !isTyping()) help.showModal();
});

/** @param {(menu: Element) => boolean} chosen */
function closeMenus(chosen) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (chosen(menu)) menu.removeAttribute("open");
}

document.addEventListener("click", ({ target }) => closeMenus((menu) => target instanceof Node && !menu.contains(target)));
document.addEventListener("focusin", ({ target }) => closeMenus((menu) => target instanceof Node && !menu.contains(target)));
document.addEventListener("keydown", (event) => {
  const menu = document.activeElement?.closest("details.menu[open]");
  if (event.key !== "Escape" || !menu) return;
  // In a chart over the whole window the first Escape closes its menu, not the chart.
  event.preventDefault();
  menu.removeAttribute("open");
  menu.querySelector("summary")?.focus();
});

const wideParts = new ResizeObserver((entries) => entries.forEach(({ target }) => letScroll(target)));

/**
 * What is wider than its place can be scrolled by keyboard, and says what it is.
 * @param {Element} part
 */
function letScroll(part) {
  const overflows = part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1;
  if (!overflows) {
    for (const name of ["tabindex", "role", "aria-label"]) part.removeAttribute(name);
    return;
  }
  const title = part.closest("section")?.querySelector("h2")?.textContent ?? "Table";
  part.setAttribute("tabindex", "0");
  part.setAttribute("role", "region");
  part.setAttribute("aria-label", `${title}, scrolls`);
}

function watchScrolls() {
  for (const part of document.querySelectorAll(".scroll")) wideParts.observe(part);
}

document.addEventListener("refreshed", watchScrolls);
watchScrolls();
