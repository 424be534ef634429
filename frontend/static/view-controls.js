/** How spectra and charts over training are drawn: what stands on their axes, what runs have in common. */

/** @typedef {import("./charts.js").View} View */

const CONTROLS = /** @type {const} */ (["y", "xs", "ys", "x", "align", "band"]);

export class ViewControls {
  /**
   * @param {View} view which is kept at what is chosen
   * @param {(changed: (keyof View)[]) => void} onChange
   */
  constructor(view, onChange) {
    this.view = view;
    /** @type {Map<string, HTMLSelectElement>} */
    this.selects = new Map();
    for (const key of CONTROLS) {
      const select = document.getElementById(`view-${key}`);
      if (!(select instanceof HTMLSelectElement)) {
        view[key] = "";
        continue;
      }
      this.selects.set(key, select);
      select.value = view[key] || (select.options[0]?.value ?? "");
      // A link may name what this page does not offer.
      if (select.selectedIndex < 0) select.selectedIndex = 0;
      view[key] = select.selectedIndex ? select.value : "";
      select.addEventListener("change", () => {
        view[key] = select.selectedIndex ? select.value : "";
        this.#usual();
        onChange([key]);
      });
    }
    this.#usual();
    this.#disclose();
  }

  /** @returns {"iteration" | "progress"} */
  get align() {
    return this.view.align === "progress" ? "progress" : "iteration";
  }

  /** The usual vertical axis of a share is linear, of eigenvalues logarithmic: the first choice says which it is. */
  #usual() {
    const usual = this.selects.get("ys")?.options[0];
    if (usual) usual.text = this.view.y === "cumulative" ? "auto (linear)" : "auto (log)";
  }

  #disclose() {
    const button = document.getElementById("view-button");
    const options = document.getElementById("view-options");
    button?.addEventListener("click", () => {
      const open = options?.classList.toggle("open") ?? false;
      button.setAttribute("aria-expanded", String(open));
    });
  }
}
