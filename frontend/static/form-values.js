/** The form as a run specification, and a specification back into the form. */

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/**
 * Every field that the specification's schema made, in the form's order.
 * @param {HTMLFormElement} form
 */
export function fieldsOf(form) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-path][data-kind]"))];
}

/**
 * Read one control. What is no number stays text: the server's sentence then names the field.
 * @param {HTMLElement} field
 * @returns {unknown} undefined means: leave the server's default
 */
export function valueOf(field) {
  const { kind, item = "text" } = field.dataset;
  if (kind === "boolean") return field.querySelector("input")?.checked;
  if (kind === "choices") return boxes(field).filter((one) => one.checked).map((one) => one.value);
  const text = control(field).value.trim();
  if (kind === "text") return text;
  if (kind === "list") return parts(text).map((part) => scalar(part, item));
  if (text === "") return "nullable" in field.dataset ? null : undefined;
  if (kind === "map") return Object.fromEntries(parts(text).map((part) => pair(part, item)));
  return scalar(text, kind === "choice" ? item : (kind ?? "text"));
}

/**
 * Bring one control to a value, as the server would have rendered it.
 * @param {HTMLElement} field
 * @param {unknown} value
 */
export function setValue(field, value) {
  const { kind } = field.dataset;
  if (kind === "boolean") /** @type {HTMLInputElement} */ (field.querySelector("input")).checked = Boolean(value);
  else if (kind === "choices") for (const box of boxes(field)) box.checked = Array.isArray(value) && value.includes(box.value);
  else control(field).value = textOf(value);
}

/**
 * A value as a person would type it: lists by commas, maps as `key=value`.
 * @param {unknown} value
 * @returns {string}
 */
export function textOf(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([key, inner]) => `${key}=${textOf(inner)}`).join(", ");
  return String(value);
}

/**
 * What stands at a path such as `training.lr`.
 * @param {Record<string, any>} specification
 * @param {string} path
 */
export function at(specification, path) {
  return path.split(".").reduce((/** @type {any} */ part, name) => part?.[name], specification);
}

/** @param {HTMLElement} field */
function boxes(field) {
  return [...field.querySelectorAll("input")];
}

/** @param {HTMLElement} field */
function control(field) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (field.querySelector("input, select"));
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
  for (const field of fieldsOf(form)) {
    const value = valueOf(field);
    if (value === undefined) continue;
    const [last, ...parents] = (field.dataset.path ?? "").split(".").reverse();
    let part = specification;
    for (const name of parents.reverse()) part = part[name] ??= {};
    part[last] = value;
  }
  const dataset = datasetOf(form);
  if (dataset) specification.dataset_id = Number(dataset.value);
  specification.init = initOf(form);
  return specification;
}

/** @param {HTMLFormElement} form */
export function datasetOf(form) {
  return /** @type {HTMLSelectElement | null} */ (form.querySelector("#f-dataset"));
}

/**
 * Fill the form; what a specification does not name gets its default.
 * @param {HTMLFormElement} form
 * @param {Record<string, any>} specification
 * @param {Record<string, any>} defaults
 */
export function fill(form, specification, defaults) {
  for (const field of fieldsOf(form)) {
    const path = field.dataset.path ?? "";
    const given = at(specification, path);
    setValue(field, given === undefined ? leftOpen(field) ? undefined : at(defaults, path) : given);
  }
  const dataset = datasetOf(form);
  if (dataset && [...dataset.options].some((one) => one.value === String(specification.dataset_id))) {
    dataset.value = String(specification.dataset_id);
  }
  setInit(form, specification.init ?? defaults.init);
}

/**
 * Whether the server chooses the value of a field that is empty.
 * @param {HTMLElement} field
 */
function leftOpen(field) {
  const input = field.querySelector("input");
  return input?.type === "text" && input.defaultValue === "";
}

/** @param {HTMLFormElement} form */
export function initOf(form) {
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
 * @param {HTMLFormElement} form
 * @param {Record<string, any>} init
 */
export function setInit(form, init) {
  const radio = /** @type {HTMLInputElement | null} */ (form.querySelector(`[name=init-kind][value="${CSS.escape(String(init?.kind))}"]`));
  if (!radio) return;
  radio.checked = true;
  const set = (/** @type {string} */ id, /** @type {unknown} */ value) => {
    /** @type {HTMLInputElement} */ (form.querySelector(id)).value = textOf(value);
  };
  if (init.kind === "run") {
    set("#f-init-run", init.run_id);
    offerIterations(form);
    set("#f-init-iteration", init.iteration);
  }
  if (init.kind === "file") {
    set("#f-init-file", init.file);
    set("#f-init-input", init.input);
  }
  showInit(form);
}

/**
 * Show the fields of the chosen kind of first weights.
 * @param {HTMLFormElement} form
 */
export function showInit(form) {
  const { kind } = initOf(form);
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-init]"))) {
    field.hidden = field.dataset.init !== kind;
  }
  offerIterations(form);
}

/**
 * Offer the checkpoints of the chosen run only.
 * @param {HTMLFormElement} form
 */
function offerIterations(form) {
  const run = /** @type {HTMLSelectElement} */ (form.querySelector("#f-init-run")).value;
  const options = [.../** @type {NodeListOf<HTMLOptionElement>} */ (form.querySelectorAll("#f-init-iteration option"))];
  for (const option of options) option.hidden = option.disabled = Boolean(option.dataset.run) && option.dataset.run !== run;
  const chosen = options.find((one) => one.selected);
  if (!chosen?.disabled) return;
  // Another run may keep a checkpoint of the same iteration.
  const same = options.find((one) => !one.disabled && one.value === chosen.value);
  (same ?? options[0]).selected = true;
}
