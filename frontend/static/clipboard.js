/** Copying, which a browser may refuse. */
import { toast } from "./dom.js";

/**
 * @param {string} text
 * @param {string} done what to say then
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast("The browser did not allow copying.", "error");
  }
}
