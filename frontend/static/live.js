/** What changes while one looks: one event stream per visible tab, polling where it fails, regions redrawn in place. */
import { byId } from "./dom.js";
import { morph } from "./morph.js";

const POLL_MS = 5000;
const SETTLE_MS = 400;

/**
 * @typedef {object} Change ids of runs
 * @property {number[]} changed
 * @property {number[]} measured those of the changed that have further spectra, another result or another status
 * @property {number[]} deleted
 */

/**
 * Call `listener` when runs change; with null when something may have changed unseen.
 * @param {(change: Change | null) => void} listener
 */
export function watchRuns(listener) {
  /** @type {EventSource | null} */
  let stream = null;
  /** @type {number | undefined} */
  let poll;

  const stop = () => {
    stream?.close();
    stream = null;
    clearInterval(poll);
    poll = undefined;
  };
  const start = () => {
    stop();
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("hello", () => {
      clearInterval(poll);
      poll = undefined;
      say("");
    });
    stream.addEventListener("runs", (event) => listener(JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      poll ??= window.setInterval(() => listener(null), POLL_MS);
      if (stream?.readyState === EventSource.CLOSED) say("updates every 5 s");
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return stop();
    start();
    listener(null);
  });
  window.addEventListener("pagehide", stop);
  if (!document.hidden) start();
}

/**
 * Note in the head of the page what is amiss with the connection; an empty text takes the note away.
 * @param {string} text
 */
export function say(text) {
  const note = byId("live", HTMLElement);
  note.hidden = !text;
  note.textContent = text;
}

/**
 * Fetch this page again and bring every `data-live` region to its new state.
 * @returns {Promise<Document | null>} the new page, or null where it could not be had
 */
export async function refreshRegions() {
  let fresh;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return null;
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    say("the server does not answer");
    return null;
  }
  say("");
  for (const wanted of fresh.querySelectorAll("[data-live][id]")) {
    const current = document.getElementById(wanted.id);
    if (current) morph(current, wanted);
  }
  document.dispatchEvent(new CustomEvent("refreshed"));
  return fresh;
}

/**
 * Return a function that runs `work` soon, once for many calls, and never twice at a time. Who calls it may say within
 * how many milliseconds: of several calls the most impatient counts.
 * @param {() => Promise<unknown>} work
 * @param {number} [pause] milliseconds where a call says none
 * @returns {(within?: number) => void}
 */
export function settled(work, pause = SETTLE_MS) {
  let patience = Infinity;
  let due = Infinity;
  let running = false;
  /** @type {number | undefined} */
  let timer;
  const go = async () => {
    patience = due = Infinity;
    running = true;
    await work();
    running = false;
    if (patience < Infinity) wait(patience);
  };
  const wait = (/** @type {number} */ milliseconds) => {
    due = performance.now() + milliseconds;
    clearTimeout(timer);
    timer = window.setTimeout(go, milliseconds);
  };
  return (within = pause) => {
    patience = Math.min(patience, within);
    if (!running && performance.now() + within < due) wait(within);
  };
}
