/** The explorer's keys. */
import { isTyping } from "./dom.js";

const TEN = 10;
/** Keys that a focused button keeps for itself. */
const OF_BUTTONS = [" ", "Enter"];

/** @param {import("./explorer.js").Explorer} explorer */
export function attachKeys(explorer) {
  const { scrubber } = explorer;
  /** @type {Record<string, (steps: number) => void>} */
  const keys = {
    ArrowLeft: (steps) => scrubber.go(scrubber.position - steps),
    ArrowRight: (steps) => scrubber.go(scrubber.position + steps),
    ArrowUp: (steps) => explorer.stepLayer(-steps),
    ArrowDown: (steps) => explorer.stepLayer(steps),
    Home: () => scrubber.go(0),
    End: () => scrubber.go(scrubber.count - 1),
    " ": () => scrubber.toggle(),
    "/": () => explorer.picker.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (isTyping() || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    // Arrows and space belong to a focused log, menu or tree; the slider and the page itself give them to us, and
    // a button of the cursor's bar gives those that it has no use for.
    const active = document.activeElement;
    const ours = active === document.body || active === scrubber.range || active?.id === "full";
    const inBar = active instanceof HTMLButtonElement && active === scrubber.button && !OF_BUTTONS.includes(event.key);
    if (event.key !== "/" && !ours && !inBar) return;
    event.preventDefault();
    keys[event.key](event.shiftKey ? TEN : 1);
  });
}
