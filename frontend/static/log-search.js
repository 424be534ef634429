/** A search through a whole log, which the server does: the hits' count, and the way from one to the next. */
import { setKey } from "./address.js";
import { getJson } from "./api.js";
import { byId, toast } from "./dom.js";
import { integer } from "./numbers.js";

/** @typedef {import("./run-log.js").LogView} LogView */

const PAUSE_MS = 250;

export class LogSearch {
  /** @param {LogView} log */
  constructor(log) {
    this.log = log;
    this.input = byId("log-find", HTMLInputElement);
    this.output = byId("log-hits", HTMLOutputElement);
    this.buttons = [byId("log-previous", HTMLButtonElement), byId("log-next", HTMLButtonElement)];
    /** @type {number[]} of the lines that are listed, the newest ones */
    this.numbers = [];
    this.count = 0;
    this.at = -1;
    this.version = 0;
    this.input.value = new URLSearchParams(location.search).get("find") ?? "";
    /** @type {number | undefined} */
    let later;
    this.input.addEventListener("input", () => {
      clearTimeout(later);
      later = window.setTimeout(() => this.#begin(), PAUSE_MS);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#step(event.shiftKey ? -1 : 1);
    });
    this.buttons.forEach((button, k) => button.addEventListener("click", () => this.#step(k ? 1 : -1)));
  }

  get text() {
    return this.input.value;
  }

  /** Search anew in a log that was loaded anew, without moving in it unless the address asked for a search. */
  restart() {
    if (this.text) this.#begin();
  }

  async #begin() {
    setKey("find", this.text);
    this.log.remark();
    this.numbers = [];
    this.count = 0;
    this.at = -1;
    const found = await this.#ask(0);
    if (!found) return;
    this.numbers = found.numbers;
    this.count = found.count;
    this.#say();
    // Of a log the end is what people look for first.
    if (this.numbers.length) await this.#go(this.numbers.length - 1);
  }

  /**
   * Take over hits after line `after`; what is looked at stays.
   * @param {number} after
   */
  async extend(after) {
    if (!this.text) return;
    const found = await this.#ask(after);
    if (!found?.count) return;
    this.numbers.push(...found.numbers.filter((number) => number > (this.numbers[this.numbers.length - 1] ?? 0)));
    this.count += found.count;
    this.#say();
  }

  /**
   * @param {number} after
   * @returns {Promise<{count: number, numbers: number[]} | null>} null where it is overtaken, empty or refused
   */
  async #ask(after) {
    const version = ++this.version;
    if (!this.text) {
      this.#say();
      return null;
    }
    const query = new URLSearchParams({ text: this.text, after: String(after), level: this.log.level.value });
    try {
      const found = await getJson(`/runs/${this.log.run}/logs/search?${query}`);
      return version === this.version ? found : null;
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "error");
      return null;
    }
  }

  /** @param {number} by */
  async #step(by) {
    const { length } = this.numbers;
    if (length) await this.#go((this.at + by + length) % length);
  }

  /** @param {number} at */
  async #go(at) {
    this.at = at;
    this.#say();
    await this.log.show(this.numbers[at]);
  }

  #say() {
    for (const button of this.buttons) button.disabled = !this.numbers.length;
    const hidden = this.count - this.numbers.length;
    const place = this.at < 0 ? integer(this.count) : `${integer(hidden + this.at + 1)} of ${integer(this.count)}`;
    this.output.textContent = !this.text ? "" : this.count ? place : "no line has it";
    this.output.title = hidden > 0 ? `The newest ${integer(this.numbers.length)} can be gone through` : "";
  }
}
