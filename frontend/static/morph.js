/** Brings an element to a newly rendered state, touching only what differs: no flicker, selections stay. */

/** What page.js says of a table that is wider than its place. */
const SCROLLED = ["tabindex", "role", "aria-label"];

/**
 * @param {Element} current in the page
 * @param {Element} wanted as the server renders it now
 */
export function morph(current, wanted) {
  // What a person edits stays until the editor is done with it.
  if (current instanceof HTMLElement && "editing" in current.dataset) return;
  morphAttributes(current, wanted);
  const old = [...current.childNodes];
  const byId = new Map(old.flatMap((node) => (node instanceof Element && node.id ? [[node.id, node]] : [])));
  let place = current.firstChild;
  for (const node of [...wanted.childNodes]) {
    const match = matching(node, place, byId);
    if (!match) {
      current.insertBefore(document.importNode(node, true), place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else current.insertBefore(match, place);
    if (match instanceof Element && node instanceof Element) morph(match, node);
    else if (match.nodeValue !== node.nodeValue) match.nodeValue = node.nodeValue;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/**
 * Return the node of the page that stands for `node`: the one of the same id, else the next one of the same kind.
 * @param {Node} node
 * @param {ChildNode | null} place
 * @param {Map<string, Element>} byId
 * @returns {ChildNode | null}
 */
function matching(node, place, byId) {
  if (node instanceof Element && node.id) {
    const same = byId.get(node.id);
    return same?.nodeName === node.nodeName ? same : null;
  }
  if (!place || place.nodeType !== node.nodeType || place.nodeName !== node.nodeName) return null;
  return place instanceof Element && place.id ? null : place;
}

/**
 * @param {Element} current
 * @param {Element} wanted
 */
function morphAttributes(current, wanted) {
  for (const { name } of [...current.attributes]) {
    // What a person has unfolded stays unfolded.
    if (name === "open" && current instanceof HTMLDetailsElement) continue;
    if (SCROLLED.includes(name) && current.classList.contains("scroll")) continue;
    if (!wanted.hasAttribute(name)) current.removeAttribute(name);
  }
  for (const { name, value } of [...wanted.attributes]) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
}
