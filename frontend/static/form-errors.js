/** Errors of the server, each at its field. */

/** @typedef {{field: string, message: string}} FieldError */

/**
 * Show each error at its field; return those that no field takes.
 * @param {HTMLFormElement} form
 * @param {FieldError[]} errors
 */
export function showErrors(form, errors) {
  /** @type {Map<HTMLElement, string[]>} */
  const byPlace = new Map();
  const left = [];
  for (const { field, message } of errors) {
    const place = placeOf(form, field);
    if (place) byPlace.set(place, [...(byPlace.get(place) ?? []), sentence(message)]);
    else left.push(sentence(field && !message.startsWith(field) ? `${field}: ${message}` : message));
  }
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-path]"))) {
    show(field, byPlace.get(field)?.join(" ") ?? "");
  }
  return left;
}

/**
 * Move the focus to the first field with an error, if there is one.
 * @param {HTMLFormElement} form
 */
export function focusFirstError(form) {
  const control = /** @type {HTMLElement | null} */ (form.querySelector("[aria-invalid]"));
  control?.scrollIntoView({ block: "center" });
  control?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} field
 * @param {string} message
 */
function show(field, message) {
  const line = /** @type {HTMLElement | null} */ (field.querySelector(".field-error"));
  if (!line) return;
  field.classList.toggle("invalid", Boolean(message));
  // An alert that says what it said before is not said again.
  if (line.textContent !== message) line.textContent = message;
  line.hidden = !message;
  for (const control of field.querySelectorAll("input, select")) {
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

/**
 * The field of an error, or the one that an element inside it (milestones.1) belongs to.
 * @param {HTMLFormElement} form
 * @param {string} path
 */
function placeOf(form, path) {
  for (let name = path; name; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const found = /** @type {HTMLElement | null} */ (form.querySelector(`[data-path="${CSS.escape(name)}"]`));
    if (found && !found.closest("[hidden]") && found.querySelector(".field-error")) return found;
  }
  return null;
}

/** @param {string} message */
function sentence(message) {
  const text = message.slice(0, 1).toUpperCase() + message.slice(1);
  // A name in lower case stays as it is written.
  const begun = /^[a-z_]+[.:]/.test(message) ? message : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

const NAMED = /\b(dataset_id|init\.\w+|(?:model|training|probe|resources)\.\w+)\b/;

/** Which of several runs is meant; the form has one field for all. */
const OF_SEVERAL = /^runs\.\d+\.?/;

/**
 * Errors of a response by field; a sentence that names a field belongs to that field.
 * @param {import("./api.js").ApiError} error
 * @returns {FieldError[]}
 */
export function fieldErrors(error) {
  const listed = error.fields.length ? error.fields : [{ field: "", message: error.message }];
  return listed.map(({ field, message }) => ({ field: field.replace(OF_SEVERAL, "") || (NAMED.exec(message)?.[0] ?? ""), message }));
}
