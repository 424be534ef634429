/** What a field means: unfolded by its button, and beside the form while the field has the focus. */
import { byId } from "./dom.js";

/**
 * Let the buttons inside an element unfold what they control.
 * @param {HTMLElement} place
 */
export function unfoldHelp(place) {
  place.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest(".about-field");
    if (!button) return;
    const text = document.getElementById(button.getAttribute("aria-controls") ?? "");
    if (!text) return;
    text.hidden = !text.hidden;
    button.setAttribute("aria-expanded", String(!text.hidden));
  });
}

/** @param {HTMLFormElement} form */
export function attachHelp(form) {
  unfoldHelp(form);
  const beside = byId("about-focus", HTMLElement);
  form.addEventListener("focusin", (event) => {
    const field = event.target instanceof Element && event.target.closest(".form-field");
    const text = field && /** @type {HTMLElement | null} */ (field.querySelector(".help"));
    const label = field && field.querySelector("label, .label");
    if (!text || !label) return beside.replaceChildren();
    const name = document.createElement("b");
    name.textContent = label.textContent;
    const about = document.createElement("span");
    about.append(...[...text.childNodes].map((node) => node.cloneNode(true)));
    beside.replaceChildren(name, about);
  });
}
