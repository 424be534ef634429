/** A chart over the whole window: it moves into a dialog as it is, so that its cursor and its data stay with it. */
import { byId, isTyping, make } from "./dom.js";

/** @type {Set<HTMLElement>} */
const figures = new Set();
/** @type {HTMLElement | null} */
let pointed = null;

/** @param {{element: HTMLElement}} chart */
export function attachFullScreen({ element }) {
  if (!figures.size) document.addEventListener("keydown", pressed);
  figures.add(element);
  element.addEventListener("pointerenter", () => (pointed = element));
  element.addEventListener("pointerleave", () => (pointed = null));
  element.querySelector("[data-full]")?.addEventListener("click", () => toggle(element));
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.key !== "f" || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = byId("full", HTMLDialogElement);
  if (dialog.open) return dialog.close();
  if (isTyping()) return;
  const focused = [...figures].find((one) => one.contains(document.activeElement));
  const chosen = focused ?? pointed ?? [...figures].find(inSight);
  if (!chosen) return;
  event.preventDefault();
  toggle(chosen);
}

/** @param {HTMLElement} figure */
function inSight(figure) {
  const { top, bottom, height } = figure.getBoundingClientRect();
  return height > 0 && top >= 0 && bottom <= window.innerHeight + height / 2;
}

/** @param {HTMLElement} figure */
function toggle(figure) {
  const dialog = byId("full", HTMLDialogElement);
  if (dialog.open) return dialog.close();
  const place = make("div", "", "chart-place");
  place.style.height = `${figure.offsetHeight}px`;
  const before = document.activeElement;
  figure.replaceWith(place);
  dialog.append(figure);
  label(figure, true);
  dialog.setAttribute("aria-label", figure.querySelector(".chart-title")?.textContent ?? "");
  dialog.showModal();
  dialog.focus();
  fit(figure);
  dialog.addEventListener(
    "close",
    () => {
      place.replaceWith(figure);
      label(figure, false);
      fit(figure);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    },
    { once: true },
  );
}

/**
 * plotly follows the window's size, not its own place's.
 * @param {HTMLElement} figure
 */
function fit(figure) {
  const plot = figure.querySelector(".plot");
  if (plot instanceof HTMLElement && plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot);
}

/**
 * @param {HTMLElement} figure
 * @param {boolean} full
 */
function label(figure, full) {
  const button = figure.querySelector("[data-full]");
  if (!(button instanceof HTMLElement)) return;
  button.title = full ? "Close (f or Esc)" : "Full screen (f)";
  button.textContent = full ? "×" : "⤢";
  const words = (button.getAttribute("aria-label") ?? "").replace(/^[^:]*/, full ? "Close" : "Full screen");
  button.setAttribute("aria-label", words);
}
