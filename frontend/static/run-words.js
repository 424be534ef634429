/** A run's name, tags and notes as a person writes them: what is wrong with them as one types, and how they are sent. */
import { ApiError, send } from "./api.js";
import { make } from "./dom.js";

/** @typedef {{name: string, tags: string[], notes: string}} Words */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} Control */

/** One field of them; its element has `data-path`, a control and a line for what is wrong. */
export class WordField {
  /** Tags that stand as chips. @type {string[]} */
  #tags = [];

  /**
   * @param {HTMLElement} part
   * @param {Words} words what was there
   */
  constructor(part, words) {
    this.part = part;
    this.key = /** @type {keyof Words} */ (part.dataset.path);
    this.control = /** @type {Control} */ (part.querySelector("input, textarea"));
    this.#tags = this.key === "tags" ? [...words.tags] : [];
    if (this.key !== "tags") this.control.value = words[this.key];
    this.control.addEventListener("input", () => this.#changed());
    this.#showTags();
    this.#changed();
  }

  /** What is to be saved; a tag that is typed counts without Enter. @returns {string | string[]} */
  get value() {
    const text = this.control.value;
    if (this.key === "notes") return text;
    if (this.key === "name") return text.trim();
    const typed = text.trim();
    return typed && !this.#tags.includes(typed) ? [...this.#tags, typed] : this.#tags;
  }

  /** A sentence that says what is wrong, empty where nothing is. */
  get problem() {
    const most = Number(this.part.dataset.most);
    const text = this.control.value;
    if (this.key === "notes") return tooLong(text, most);
    if (this.key === "name") return text.trim() ? lineProblem(text, most) : "Write at least one letter.";
    if (this.value.length > most) return `A run has ${most} tags at most; take one away.`;
    return lineProblem(text, Number(this.control.dataset.longest));
  }

  /** Make a chip of the tag that is typed; whether there was one. */
  addTag() {
    if (!this.control.value.trim() || this.problem) return false;
    this.#tags = /** @type {string[]} */ (this.value);
    this.#typeNothing();
    return true;
  }

  /** Take back the last chip. */
  removeLastTag() {
    this.#tags = this.#tags.slice(0, -1);
    this.#typeNothing();
  }

  /** @param {string} message */
  show(message) {
    const line = /** @type {HTMLElement} */ (this.part.querySelector(".field-error"));
    // An alert that says what it said before is not said again.
    if (line.textContent !== message) line.textContent = message;
    line.hidden = !message;
    this.part.classList.toggle("invalid", Boolean(message));
    if (message) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }

  #changed() {
    const grown = this.control.closest(".grown");
    if (this.key === "name" && /[\r\n]/.test(this.control.value)) this.control.value = this.control.value.replace(/[\r\n]+/g, " ");
    if (grown instanceof HTMLElement) grown.dataset.text = this.control.value;
    this.show(this.problem);
  }

  #typeNothing() {
    this.control.value = "";
    this.#showTags();
    this.#changed();
  }

  #showTags() {
    const chips = this.#tags.map((one) => {
      const chip = make("button", `${one} ×`, "filter-chip");
      chip.setAttribute("type", "button");
      chip.setAttribute("aria-label", `Remove the tag ${one}`);
      // A press leaves the focus in the field, which a chip that goes away would take with it.
      chip.addEventListener("pointerdown", (event) => event.preventDefault());
      chip.addEventListener("click", () => {
        this.control.focus();
        this.#tags = this.#tags.filter((other) => other !== one);
        this.#showTags();
        this.#changed();
      });
      return chip;
    });
    this.part.querySelector(".edited-tags")?.replaceChildren(...chips);
  }
}

/**
 * Whether a key belongs to a tags field: Enter makes a chip of what is typed, Backspace takes the last one back.
 * @param {WordField} field
 * @param {KeyboardEvent} event
 */
export function takenByTags(field, event) {
  if (field.key !== "tags" || event.target !== field.control) return false;
  if (event.key === "Enter") return field.addTag();
  if (event.key === "Backspace" && !field.control.value) field.removeLastTag();
  return false;
}

/**
 * @param {string} text
 * @param {number} most
 */
function lineProblem(text, most) {
  // As Python's str.isprintable, which the server asks.
  if (/[\p{C}\p{Z}]/u.test(text.trim().replaceAll(" ", ""))) return "It holds a character that cannot be seen; remove it.";
  return tooLong(text.trim(), most);
}

/**
 * @param {string} text
 * @param {number} most
 */
function tooLong(text, most) {
  const { length } = [...text];
  return length > most ? `It has ${length.toLocaleString("en")} letters, ${most.toLocaleString("en")} are allowed; shorten it.` : "";
}

/**
 * Send what differs from what was there; show what is wrong at its field, and else say whether it is saved.
 * @param {string} id
 * @param {Words} before
 * @param {WordField[]} fields
 * @returns {Promise<boolean>}
 */
export async function save(id, before, fields) {
  const wrong = fields.find((field) => field.problem);
  if (wrong) {
    wrong.show(wrong.problem);
    wrong.control.focus();
    return false;
  }
  const changed = fields.filter((field) => JSON.stringify(field.value) !== JSON.stringify(before[field.key]));
  try {
    const body = Object.fromEntries(changed.map((field) => [field.key, field.value]));
    if (changed.length) await send("PATCH", `/runs/${id}`, body);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const told = error.fields.length ? error.fields : [{ field: changed[0].key, message: error.message }];
    for (const field of fields) field.show(told.find((one) => one.field.split(".")[0] === field.key)?.message ?? "");
    return false;
  }
}
