/** The form as a run specification, and errors back at their fields. */

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/**
 * Read one control. What is no number stays text: the server's sentence then names the field.
 * @param {HTMLElement} field
 * @returns {unknown} undefined means: leave the server's default
 */
function valueOf(field) {
  const { kind, item = "text" } = field.dataset;
  if (kind === "boolean") return field.querySelector("input")?.checked;
  if (kind === "choices") return [...field.querySelectorAll("input")].filter((one) => one.checked).map((one) => one.value);
  const input = /** @type {HTMLInputElement | HTMLSelectElement} */ (field.querySelector("input, select"));
  const text = input.value.trim();
  if (kind === "text") return text;
  if (kind === "list") return parts(text).map((part) => scalar(part, item));
  if (text === "") return "nullable" in field.dataset ? null : undefined;
  if (kind === "map") return Object.fromEntries(parts(text).map((part) => pair(part, item)));
  return scalar(text, kind === "choice" ? item : (kind ?? "text"));
}

/** @param {string} text */
function parts(text) {
  return text.split(",").map((part) => part.trim()).filter(Boolean);
}

/**
 * @param {string} text
 * @param {string} item
 * @returns {[string, unknown]}
 */
function pair(text, item) {
  const [key, ...rest] = text.split("=");
  return [key.trim(), scalar(rest.join("=").trim(), item)];
}

/**
 * @param {string} text
 * @param {string} kind
 */
function scalar(text, kind) {
  return kind !== "text" && NUMBER.test(text) ? Number(text) : text;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Record<string, any>}
 */
export function specificationOf(form) {
  /** @type {Record<string, any>} */
  const specification = {};
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-path][data-kind]"))) {
    const value = valueOf(field);
    if (value === undefined) continue;
    const [last, ...parents] = (field.dataset.path ?? "").split(".").reverse();
    let part = specification;
    for (const name of parents.reverse()) part = part[name] ??= {};
    part[last] = value;
  }
  const dataset = /** @type {HTMLSelectElement | null} */ (form.querySelector("#f-dataset"));
  if (dataset) specification.dataset_id = Number(dataset.value);
  specification.init = initOf(form);
  return specification;
}

/** @param {HTMLFormElement} form */
function initOf(form) {
  const kind = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=init-kind]:checked"))?.value ?? "imagenet";
  const value = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (form.querySelector(id)).value.trim();
  if (kind === "run") {
    const iteration = value("#f-init-iteration");
    return { kind, run_id: Number(value("#f-init-run")) || null, iteration: iteration === "" ? null : Number(iteration) };
  }
  if (kind === "file") return { kind, file: value("#f-init-file"), input: value("#f-init-input") || null };
  return { kind };
}

/**
 * Show each error at its field; return those that no field takes.
 * @param {HTMLFormElement} form
 * @param {{field: string, message: string}[]} errors
 */
export function showErrors(form, errors) {
  const left = [];
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-path]"))) {
    field.classList.remove("invalid");
    const line = /** @type {HTMLElement | null} */ (field.querySelector(".field-error"));
    if (line) line.hidden = true;
  }
  for (const { field, message } of errors) {
    const place = placeOf(form, field);
    const line = /** @type {HTMLElement | null | undefined} */ (place?.querySelector(".field-error"));
    if (!place || !line) {
      left.push(message);
      continue;
    }
    place.classList.add("invalid");
    line.textContent = message;
    line.hidden = false;
  }
  return left;
}

/**
 * The field of an error, or the one that an element inside it (milestones.1) belongs to.
 * @param {HTMLFormElement} form
 * @param {string} path
 */
function placeOf(form, path) {
  for (let name = path; name; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const found = form.querySelector(`[data-path="${CSS.escape(name)}"]`);
    if (found && !found.closest("[hidden]")) return found;
  }
  return null;
}

const NAMED = /\b(dataset_id|init\.\w+|(?:model|training|probe|resources)\.\w+)\b/;

/**
 * Errors of a response by field; a sentence that starts by naming a field belongs to that field.
 * @param {import("./api.js").ApiError} error
 */
export function fieldErrors(error) {
  const listed = error.fields.length ? error.fields : [{ field: "", message: error.message }];
  return listed.map(({ field, message }) => (field ? { field, message } : { field: NAMED.exec(message)?.[0] ?? "", message }));
}
