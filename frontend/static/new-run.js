/** The New run page: live cost, errors at their fields, launch of one run or of a pair. */
import { ApiError, send } from "./api.js";
import { byId, make, toast } from "./dom.js";
import { fieldErrors, showErrors, specificationOf } from "./form-values.js";
import { count, integer } from "./numbers.js";
import { showReport } from "./weights-report.js";

const PREVIEW_AFTER_MS = 250;

const form = byId("form", HTMLFormElement);
const launch = byId("launch", HTMLButtonElement);
const paired = form.dataset.pair === "true";

function showInit() {
  const kind = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=init-kind]:checked"))?.value;
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-init]"))) {
    field.hidden = field.dataset.init !== kind;
  }
  offerIterations();
}

/** Offer the checkpoints of the chosen run only. */
function offerIterations() {
  const run = byId("f-init-run", HTMLSelectElement).value;
  const iterations = byId("f-init-iteration", HTMLSelectElement);
  for (const option of iterations.options) option.hidden = option.disabled = Boolean(option.dataset.run) && option.dataset.run !== run;
  if (iterations.selectedOptions[0]?.disabled) iterations.value = "";
}

/** The specifications that Launch sends: one, or I and S. */
function specifications() {
  const one = specificationOf(form);
  if (!paired) return [one];
  const named = (/** @type {string} */ mark) => ({ name: one.name && `${one.name} ${mark}`, tags: [...one.tags, mark] });
  return [
    { ...one, ...named("I") },
    { ...one, ...named("S"), init: { kind: "scratch" } },
  ];
}

/** @param {unknown} error */
function show(error) {
  const line = byId("form-error", HTMLElement);
  const left = error instanceof ApiError ? showErrors(form, fieldErrors(error)) : [String(error)];
  line.textContent = left.join(" ");
  line.hidden = !left.length;
}

/** @type {AbortController | null} */
let asking = null;
/** @type {number | undefined} */
let timer;

async function preview() {
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const costs = await Promise.all(specifications().map((one) => send("POST", "/runs/preview", one, mine.signal)));
    if (mine.signal.aborted) return;
    const [cost] = costs;
    byId("cost-parameters", HTMLElement).textContent = count(cost.parameters);
    byId("cost-backbone", HTMLElement).textContent = count(cost.backbone_parameters);
    byId("cost-macs", HTMLElement).textContent = count(cost.macs);
    byId("cost-iterations", HTMLElement).textContent = integer(cost.iterations);
    byId("cost-snapshots", HTMLElement).textContent = integer(cost.snapshots);
    const warnings = [...new Set(costs.flatMap((one) => one.warnings))];
    byId("cost-warnings", HTMLElement).replaceChildren(...warnings.map((text) => make("li", text)));
    showReport(byId("weights-report", HTMLElement), cost.weights);
    showErrors(form, []);
    byId("form-error", HTMLElement).hidden = true;
  } catch (error) {
    if (mine.signal.aborted) return;
    show(error);
    showReport(byId("weights-report", HTMLElement), null);
  }
}

form.addEventListener("input", () => {
  showInit();
  clearTimeout(timer);
  timer = window.setTimeout(preview, PREVIEW_AFTER_MS);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(timer);
  asking?.abort();
  launch.disabled = true;
  try {
    const wanted = specifications();
    // Both are checked before either is queued: half a pair is of no use.
    await Promise.all(wanted.map((one) => send("POST", "/runs/preview", one)));
    const ids = [];
    for (const one of wanted) ids.push((await send("POST", "/runs", one)).id);
    location.assign(ids.length > 1 ? `/compare?runs=${ids.join(",")}` : `/runs/${ids[0]}`);
  } catch (error) {
    show(error);
    launch.disabled = false;
    form.querySelector(".invalid")?.scrollIntoView({ block: "center" });
  }
});

document.getElementById("make-shapes")?.addEventListener("click", async (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  button.textContent = "Generating…";
  try {
    await send("POST", "/datasets", { kind: "shapes" });
    location.reload();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), "error");
    button.disabled = false;
    button.textContent = "Generate shapes";
  }
});

showInit();
if (form.querySelector("#f-dataset")) preview();
