/** The criterion of dimensionality and its threshold. */
import { byId } from "./dom.js";

export class CriterionControl {
  /** @param {(criterion: string, threshold: string) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.select = byId("criterion", HTMLSelectElement);
    this.input = byId("threshold", HTMLInputElement);
    this.select.addEventListener("change", () => {
      this.#offer(this.#option().dataset.threshold ?? "");
      this.#changed();
    });
    this.input.addEventListener("change", () => this.#changed());
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

  #option() {
    return this.select.options[this.select.selectedIndex];
  }

  /** @param {string} threshold */
  #offer(threshold) {
    const own = this.#option().dataset.threshold ?? "";
    this.input.disabled = own === "";
    this.input.value = own === "" ? "" : threshold;
    this.input.placeholder = own || "none";
    this.select.title = this.#option().dataset.about ?? "";
  }

  #changed() {
    const value = Number(this.input.value);
    const most = this.#option().dataset.fraction ? 1 : Infinity;
    const bad = !this.input.disabled && this.input.value.trim() !== "" && !(value > 0 && value <= most);
    this.input.setCustomValidity(bad ? `A positive number${most === 1 ? " up to 1" : ""}, such as ${this.input.placeholder}` : "");
    if (this.input.reportValidity()) this.onChange(this.criterion, this.threshold);
  }
}
