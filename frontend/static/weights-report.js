/** What a run's network will take of the weights that it starts from, near the choice of them. */
import { make } from "./dom.js";
import { integer } from "./numbers.js";

/**
 * @typedef {{file: string, naming: string, used: number, missing: string[], missing_count: number,
 *   left_over: string[], left_over_count: number, notes: string[]}} Report
 */

/**
 * Show a report in `place`, or nothing where all weights are drawn at random. Lists that were unfolded stay unfolded.
 * @param {HTMLElement} place
 * @param {Report | null} report
 */
export function showReport(place, report) {
  const open = [...place.querySelectorAll("details")].map((one) => one.open);
  place.hidden = !report;
  if (!report) return place.replaceChildren();
  const line = make("p");
  line.append(make("b", integer(report.used)), " tensors will be taken from ", make("b", report.file), " ");
  line.append(make("span", `(${report.naming}’s names)`, "muted"));
  place.replaceChildren(
    line,
    names(report.missing_count, report.missing, "drawn at random", open[0]),
    names(report.left_over_count, report.left_over, "left over", open[1]),
  );
  const remarks = make("ul", "", "remarks");
  remarks.append(...report.notes.map((text) => make("li", text)));
  if (report.notes.length) place.append(remarks);
}

/**
 * @param {number} count
 * @param {string[]} listed
 * @param {string} what
 * @param {boolean} open
 */
function names(count, listed, what, open = false) {
  const folded = document.createElement("details");
  folded.className = "names";
  folded.hidden = !count;
  folded.open = open;
  const list = make("ul");
  list.append(...listed.map((name) => make("li", name)));
  if (count > listed.length) list.append(make("li", `and ${integer(count - listed.length)} more`));
  folded.append(make("summary", `${integer(count)} ${what}`), list);
  return folded;
}
