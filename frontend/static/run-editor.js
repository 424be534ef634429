/** Name, tags and notes of the Run page's run, edited where they stand; shown as saved once the server shows them. */
import { byId, isTyping } from "./dom.js";
import { WordField, save, takenByTags } from "./run-words.js";

/** @typedef {import("./run-words.js").Words} Words */

/** @type {(() => Promise<Document | null>) | null} */
let refresh = null;
let run = "";

/**
 * @param {number} id
 * @param {() => Promise<Document | null>} bring brings the page to what the server shows now
 */
export function attachWords(id, bring) {
  run = String(id);
  refresh = bring;
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-edit]") : null;
    if (button) open(/** @type {HTMLElement} */ (button.closest(".word")));
  });
  byId("head", HTMLElement).addEventListener("dblclick", (event) => {
    const text = event.target instanceof Element ? event.target.closest(".word-text") : null;
    if (text) open(/** @type {HTMLElement} */ (text.closest(".word")));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey || isTyping()) return;
    event.preventDefault();
    open(byId("word-name", HTMLElement));
  });
}

/** @param {HTMLElement} word */
function open(word) {
  if (word.querySelector(".word-editor")) return;
  const key = /** @type {keyof Words} */ (word.dataset.word);
  const words = /** @type {Words} */ ({ [key]: JSON.parse(word.dataset.value ?? "null") });
  const content = document.importNode(byId(`edit-${key}`, HTMLTemplateElement).content, true);
  const form = /** @type {HTMLFormElement} */ (content.querySelector("form"));
  const field = new WordField(/** @type {HTMLElement} */ (form.querySelector("[data-path]")), words);
  // What comes from the server meanwhile leaves it alone.
  word.dataset.editing = "";
  const text = /** @type {HTMLElement} */ (word.querySelector(".word-text"));
  // Whatever is taken out of the name, and however many lines the tags' chips need, nothing else moves.
  if (key === "tags") word.style.height = `${word.getBoundingClientRect().height}px`;
  const { width, height } = text.getBoundingClientRect();
  if (key === "name") Object.assign(form.style, { minWidth: `${width}px`, minHeight: `${height}px` });
  text.after(form);
  attach(word, form, field, words);
  field.control.focus();
  if (key === "name") field.control.select();
  else field.control.setSelectionRange(field.control.value.length, field.control.value.length);
}

/**
 * @param {HTMLElement} word
 * @param {HTMLFormElement} form
 * @param {WordField} field
 * @param {Words} before
 */
function attach(word, form, field, before) {
  let done = false;
  let saving = false;

  /** @param {boolean} back whether the focus goes back to where the editor was opened from */
  const close = (back) => {
    done = true;
    delete word.dataset.editing;
    form.remove();
    word.style.height = "";
    if (back) /** @type {HTMLElement} */ (word.querySelector("[data-edit]")).focus({ preventScroll: true });
  };
  const submit = async () => {
    if (done || saving) return;
    saving = true;
    form.setAttribute("aria-busy", "true");
    const saved = await save(run, before, [field]);
    if (saved) {
      // The editor stays before the old text until the new one is here: nothing flickers.
      delete word.dataset.editing;
      const focused = form.contains(document.activeElement);
      const page = await refresh?.();
      if (page) document.title = page.title;
      close(focused);
    }
    saving = false;
    form.removeAttribute("aria-busy");
  };

  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const enter = event.key === "Enter" && (field.key === "name" || event.ctrlKey || event.metaKey);
    if (event.key === "Escape") giveUp();
    else if (takenByTags(field, event)) event.preventDefault();
    else if (enter && event.target === field.control) {
      event.preventDefault();
      submit();
    }
  });
  const giveUp = () => {
    if (saving) return;
    close(true);
    refresh?.();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("focusout", (event) => {
    // Of another window nothing is meant.
    if (!document.hasFocus() || (event.relatedTarget instanceof Node && form.contains(event.relatedTarget))) return;
    if (!field.problem) submit();
  });
}
