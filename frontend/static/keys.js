/** The explorer's keys. */
import { isTyping } from "./dom.js";

/** @param {import("./explorer.js").Explorer} explorer */
export function attachKeys(explorer) {
  const { scrubber } = explorer;
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => scrubber.go(scrubber.position - 1),
    ArrowRight: () => scrubber.go(scrubber.position + 1),
    ArrowUp: () => explorer.stepLayer(-1),
    ArrowDown: () => explorer.stepLayer(1),
    Home: () => scrubber.go(0),
    End: () => scrubber.go(scrubber.iterations.length - 1),
    " ": () => scrubber.toggle(),
    "/": () => explorer.picker.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (isTyping() || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    // Arrows and space belong to a focused log, menu or button; the slider and the page itself give them to us.
    const active = document.activeElement;
    if (event.key !== "/" && active !== document.body && active !== scrubber.range) return;
    event.preventDefault();
    keys[event.key]();
  });
}
