/** For a token that only reads: what changes something can be reached, does nothing, and says why. */
import { toast } from "./dom.js";

const CHANGES = "[data-action], [data-batch], #launch, #store, #run-demo, #make-shapes, #delete, .row-editor .primary";
const REASON = "Your token only reads. Sign out, and sign in with one that may change things.";

/** @param {Event} event */
function refuse(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  toast(REASON, "error");
}

/** Also what a live page brings anew. */
function mark() {
  for (const one of document.querySelectorAll(CHANGES)) {
    if (one.getAttribute("aria-disabled") === "true" && one.hasAttribute("data-refused")) continue;
    one.setAttribute("aria-disabled", "true");
    one.setAttribute("data-refused", "");
    one.setAttribute("title", REASON);
  }
}

// On the way down, before any listener of the page itself.
addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest(CHANGES)) refuse(event);
}, true);
addEventListener("submit", (event) => {
  if (event.target instanceof Element && event.target.querySelector(`:is(${CHANGES})`)) refuse(event);
}, true);
new MutationObserver(mark).observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-disabled"] });
mark();
