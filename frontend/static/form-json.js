/** The specification as JSON beside the form: whichever was changed last is what will be launched. */
import { byId, toast } from "./dom.js";

/**
 * @param {() => Record<string, any>} read the form's specification
 * @param {(specification: Record<string, any>) => void} wanted called with what was typed
 */
export function keepJson(read, wanted) {
  const area = byId("json", HTMLTextAreaElement);
  const panel = byId("raw", HTMLDetailsElement);
  /** @type {Record<string, any> | null} */
  let typed = null;
  let broken = "";

  const write = () => {
    if (panel.open) area.value = JSON.stringify(read(), null, 2);
  };
  panel.addEventListener("toggle", () => typed || broken || write());
  area.addEventListener("input", (event) => {
    // The form's own listener would take this for a change of the form.
    event.stopPropagation();
    try {
      const found = JSON.parse(area.value);
      if (!found || typeof found !== "object" || Array.isArray(found)) throw new Error("it must be an object, { … }");
      [typed, broken] = [found, ""];
    } catch (error) {
      [typed, broken] = [null, `This is no JSON: ${error instanceof Error ? error.message : error}.`];
    }
    say(broken ? [broken] : []);
    if (typed) wanted(typed);
  });
  byId("copy-json", HTMLButtonElement).addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(area.value);
      toast("Copied");
    } catch {
      area.select();
      toast("Press Ctrl+C to copy what is selected", "error");
    }
  });

  return {
    /** What was typed last, where that was JSON; null where the form was changed since. */
    typed: () => typed,
    /** Why what was typed last cannot be launched; empty where it can. */
    broken: () => broken,
    /** Take the form's part: it was changed. */
    follow: () => {
      [typed, broken] = [null, ""];
      say([]);
      write();
    },
    say,
  };
}

/** @param {string[]} sentences */
function say(sentences) {
  const line = byId("json-error", HTMLElement);
  line.textContent = sentences.join(" ");
  line.hidden = !sentences.length;
  const area = byId("json", HTMLTextAreaElement);
  if (sentences.length) area.setAttribute("aria-invalid", "true");
  else area.removeAttribute("aria-invalid");
}
