/** The criterion of dimensionality and its threshold, which takes effect while it is typed or dragged. */
import { byId } from "./dom.js";

const STEPS_A_DECADE = 10;
const SETTLED_MS = 350;

export class CriterionControl {
  /**
   * @param {(criterion: string, threshold: string) => void} onChange
   * @param {(threshold: number) => void} onDrag a threshold on its way
   */
  constructor(onChange, onDrag) {
    this.onChange = onChange;
    this.onDrag = onDrag;
    this.select = byId("criterion", HTMLSelectElement);
    this.input = byId("threshold", HTMLInputElement);
    /** @type {number | undefined} */
    this.settling = undefined;
    this.select.addEventListener("change", () => {
      this.#offer(this.#option().dataset.threshold ?? "");
      this.#changed();
    });
    this.input.addEventListener("change", () => this.#changed());
    this.input.addEventListener("input", () => this.#moving());
    this.input.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {string} criterion an unknown one takes the first
   * @param {string} threshold empty takes the criterion's own
   */
  set(criterion, threshold) {
    this.select.value = criterion;
    if (this.select.selectedIndex < 0) this.select.selectedIndex = 0;
    this.#offer(threshold || (this.#option().dataset.threshold ?? ""));
  }

  get criterion() {
    return this.select.value;
  }

  get threshold() {
    return this.input.disabled ? "" : this.input.value.trim();
  }

  /**
   * Take a threshold from a hand that drags it.
   * @param {number} value
   */
  drag(value) {
    if (this.input.disabled || !(value > 0)) return;
    const most = this.#most();
    this.input.value = String(Number(Math.min(most, value).toPrecision(most === 1 && value > 0.9 ? 4 : 3)));
    this.#moving();
  }

  #option() {
    return this.select.options[this.select.selectedIndex];
  }

  #most() {
    return this.#option().dataset.fraction ? 1 : Infinity;
  }

  /** @param {string} threshold */
  #offer(threshold) {
    const own = this.#option().dataset.threshold ?? "";
    this.input.disabled = own === "";
    this.input.value = own === "" ? "" : threshold;
    this.input.placeholder = own || "none";
    this.select.title = this.#option().dataset.about ?? "";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const by = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? STEPS_A_DECADE : 1);
    const now = Number(this.input.value || this.input.placeholder);
    // A share near to all moves by what it leaves out.
    const left = this.#most() === 1 && now > 0.5;
    const moved = (left ? 1 - now : now) * 10 ** ((left ? -by : by) / STEPS_A_DECADE);
    this.drag(left ? 1 - Math.min(0.5, moved) : moved);
  }

  #moving() {
    if (!this.#valid()) return;
    this.onDrag(Number(this.input.value || this.input.placeholder));
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.#changed(), SETTLED_MS);
  }

  #valid() {
    const value = Number(this.input.value);
    const most = this.#most();
    const bad = !this.input.disabled && this.input.value.trim() !== "" && !(value > 0 && value <= most);
    this.input.setCustomValidity(bad ? `A positive number${most === 1 ? " up to 1" : ""}, such as ${this.input.placeholder}` : "");
    return !bad;
  }

  #changed() {
    clearTimeout(this.settling);
    this.#valid();
    if (this.input.reportValidity()) this.onChange(this.criterion, this.threshold);
  }
}
