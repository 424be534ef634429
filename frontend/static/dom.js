/** Finding elements, and saying something to the person. */

/**
 * Return the element with this id, which the page's template promises.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{new (): T}} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/**
 * Make an element with text, which is never read as HTML.
 * @param {string} tag
 * @param {string} [text]
 * @param {string} [className]
 */
export function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

/**
 * Show a sentence for some seconds.
 * @param {string} text
 * @param {"note" | "error"} [kind]
 * @param {() => void} [undo] takes back what was done; then it can be taken back for some seconds
 */
export function toast(text, kind = "note", undo = undefined) {
  const line = make("div", text, `toast ${kind}`);
  if (undo) {
    const button = make("button", "Undo");
    button.addEventListener("click", () => {
      line.remove();
      undo();
    });
    line.append(" ", button);
  }
  byId("toasts", HTMLElement).append(line);
  setTimeout(() => line.remove(), kind === "error" || undo ? 9000 : 3500);
}

/**
 * Ask before something that cannot be undone.
 * @param {string} title
 * @param {string} text
 * @param {string} verb what the confirming button says
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, verb) {
  const dialog = byId("confirm", HTMLDialogElement);
  byId("confirm-title", HTMLElement).textContent = title;
  byId("confirm-text", HTMLElement).textContent = text;
  byId("confirm-yes", HTMLButtonElement).textContent = verb;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * Put text into the clipboard, also where the page is served without TLS and browsers offer no clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is there
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    // Of a modal dialog, nothing outside can be selected.
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

/** Whether keys now belong to something the person types into, or to an open dialog; a chart in full screen is none. */
export function isTyping() {
  const active = document.activeElement;
  if (document.querySelector("dialog[open]:not(#full)")) return true;
  if (active instanceof HTMLInputElement) return !["range", "checkbox", "radio", "button"].includes(active.type);
  return active instanceof HTMLTextAreaElement || active instanceof HTMLSelectElement;
}
