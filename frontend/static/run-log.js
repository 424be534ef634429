/** The log: its newest lines live, older ones as one scrolls to them, and a search through all of it. */
import { getJson } from "./api.js";
import { setKey } from "./address.js";
import { byId, toast } from "./dom.js";
import { lineElement, remark } from "./log-lines.js";
import { LogSearch } from "./log-search.js";
import { integer } from "./numbers.js";

/** @typedef {import("./log-lines.js").Line} Line */

const PAGE = 500;
/** Lines that are in the page at a time; those furthest from sight go first. */
const MOST = 4000;
const NEAR = 240;

export class LogView {
  /** @param {number} run */
  constructor(run) {
    this.run = run;
    this.box = byId("log", HTMLElement);
    this.level = byId("log-level", HTMLSelectElement);
    this.end = byId("log-end", HTMLButtonElement);
    /** Numbers of the first and last line in the page; 0 where there is none. */
    this.first = this.last = 0;
    /** Whether the newest line is among those in the page, and the oldest. */
    this.attached = this.whole = false;
    /** Whether the newest line is to stay in sight. */
    this.following = true;
    this.total = 0;
    this.unseen = 0;
    this.busy = false;
    this.search = new LogSearch(this);
    const asked = new URLSearchParams(location.search).get("level") ?? "";
    if ([...this.level.options].some((one) => one.value === asked)) this.level.value = asked;
    this.level.addEventListener("change", () => this.#levelChosen());
    this.end.addEventListener("click", () => this.toEnd());
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** Show the newest lines. */
  async toEnd() {
    this.following = true;
    if (!this.attached) await this.load();
    this.#pin();
  }

  async load() {
    const { lines, total } = await this.#ask(`last=${PAGE}`);
    this.total = total;
    this.#replace(lines);
    this.attached = true;
    this.whole = lines.length < PAGE;
    this.#pin();
    this.search.restart();
  }

  /** Take over what was logged since. */
  async refresh() {
    if (this.busy) return;
    const after = this.total;
    const { lines, total } = await this.#ask(`after=${after}&limit=${PAGE}`);
    // A run that is tried again begins a new log.
    if (total < after) return this.load();
    if (total === after) return;
    if (total > after + PAGE && this.attached && this.following) return this.load();
    this.total = total;
    if (this.attached && total <= after + PAGE) this.#append(lines);
    else this.attached = false;
    this.unseen += total - after;
    if (this.following) this.#pin();
    this.#say();
    this.search.extend(after);
  }

  /**
   * Bring a line into the middle of the box, fetching what is around it where it is not in the page.
   * @param {number} number
   */
  async show(number) {
    this.following = false;
    if (!this.#element(number)) await this.#around(number);
    const line = this.#element(number);
    this.box.querySelector(".current")?.classList.remove("current");
    if (!line) return;
    line.classList.add("current");
    this.box.scrollTop = line.offsetTop - (this.box.clientHeight - line.offsetHeight) / 2;
  }

  /** Mark what is searched for in all lines of the page. */
  remark() {
    for (const line of this.box.children) remark(/** @type {HTMLElement} */ (line), this.search.text);
  }

  /** @param {number} number */
  #element(number) {
    return /** @type {HTMLElement | null} */ (this.box.querySelector(`[data-number="${number}"]`));
  }

  /** @param {number} number */
  async #around(number) {
    const [before, after] = await Promise.all([
      this.#ask(`before=${number + 1}&limit=${PAGE / 2}`),
      this.#ask(`after=${number}&limit=${PAGE / 2}`),
    ]);
    this.#replace([...before.lines, ...after.lines]);
    this.whole = before.lines.length < PAGE / 2;
    this.attached = after.lines.length < PAGE / 2;
  }

  /**
   * @param {string} query
   * @returns {Promise<{lines: Line[], total: number}>}
   */
  #ask(query) {
    return getJson(`/runs/${this.run}/logs?${query}&level=${this.level.value}`);
  }

  /** @param {Line[]} lines */
  #replace(lines) {
    this.box.replaceChildren(...lines.map((line) => lineElement(line, this.search.text)));
    this.#bounds();
  }

  /** @param {Line[]} lines */
  #append(lines) {
    this.box.append(...lines.map((line) => lineElement(line, this.search.text)));
    if (this.following) {
      while (this.box.childElementCount > MOST) this.box.firstElementChild?.remove();
      if (this.box.childElementCount === MOST) this.whole = false;
    }
    this.#bounds();
  }

  #bounds() {
    const number = (/** @type {Element | null} */ line) => Number(/** @type {HTMLElement | null} */ (line)?.dataset.number ?? 0);
    this.first = number(this.box.firstElementChild);
    this.last = number(this.box.lastElementChild);
    this.#say();
  }

  #say() {
    this.box.dataset.empty = this.total && this.level.value !== "all" ? "No line of this kind." : "Nothing logged yet.";
    byId("log-count", HTMLElement).textContent = this.total ? `${integer(this.total)} ${this.total === 1 ? "line" : "lines"}` : "";
    this.end.hidden = this.following || (this.attached && this.#atBottom());
    this.end.textContent = this.unseen ? `${integer(this.unseen)} new ${this.unseen === 1 ? "line" : "lines"} ↓` : "Newest lines ↓";
  }

  #pin() {
    this.box.scrollTop = this.box.scrollHeight;
    this.unseen = 0;
    this.#say();
  }

  #atBottom() {
    return this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - 8;
  }

  #scrolled() {
    this.following = this.attached && this.#atBottom();
    if (this.following) this.unseen = 0;
    this.#say();
    if (this.box.scrollTop < NEAR && !this.whole) this.#grow("older");
    const below = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight;
    if (below < NEAR && !this.attached) this.#grow("newer");
  }

  /** @param {"older" | "newer"} way */
  async #grow(way) {
    if (this.busy || !this.first) return;
    this.busy = true;
    try {
      await (way === "older" ? this.#older() : this.#newer());
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
    } finally {
      this.busy = false;
    }
  }

  async #older() {
    const { lines } = await this.#ask(`before=${this.first}&limit=${PAGE}`);
    const below = this.box.scrollHeight - this.box.scrollTop;
    this.box.prepend(...lines.map((line) => lineElement(line, this.search.text)));
    this.whole = lines.length < PAGE;
    // What is being read stays where it is.
    this.box.scrollTop = this.box.scrollHeight - below;
    while (this.box.childElementCount > MOST) {
      this.box.lastElementChild?.remove();
      this.attached = false;
    }
    this.#bounds();
  }

  async #newer() {
    const { lines, total } = await this.#ask(`after=${this.last}&limit=${PAGE}`);
    this.box.append(...lines.map((line) => lineElement(line, this.search.text)));
    this.attached = lines.length < PAGE;
    if (this.attached) this.total = total;
    const above = this.box.scrollHeight - this.box.scrollTop;
    while (this.box.childElementCount > MOST) {
      this.box.firstElementChild?.remove();
      this.whole = false;
    }
    if (this.box.scrollHeight - this.box.scrollTop !== above) this.box.scrollTop = this.box.scrollHeight - above;
    this.#bounds();
  }

  async #levelChosen() {
    setKey("level", this.level.value === "all" ? "" : this.level.value);
    this.following = true;
    await this.load().catch((error) => toast(error.message, "error"));
  }
}
