/** Layers as a tree of stages, blocks and maps, of which any number can be ticked. */
import { make } from "./dom.js";

/** @typedef {import("./layer-picker.js").Layer} Layer */
/** @typedef {{key: string, name: string, layers: Layer[], layer: Layer | null, children: Node[]}} Node layer: of a leaf */
/**
 * @typedef {object} Shown
 * @property {Layer[]} layers those that fit
 * @property {Set<string>} ticked
 * @property {string} current under the cursor
 * @property {(text: string) => [number, number][]} marks
 * @property {boolean} searched
 * @property {number} runs how many there are
 */

/** A tree of more layers opens only where the cursor is. */
const ALL_OPEN = 48;

export class LayerTree {
  /**
   * @param {HTMLElement} root
   * @param {{pick: (name: string) => void, tick: (names: string[], on: boolean) => void, leave: (key: string) => void}} on
   */
  constructor(root, on) {
    this.root = root;
    this.on = on;
    /** @type {Map<string, boolean>} folded or unfolded by hand */
    this.unfolded = new Map();
    /** @type {Map<string, Node>} */
    this.nodes = new Map();
    /** @type {Shown | null} */
    this.shown = null;
    this.active = "";
    root.addEventListener("pointerdown", (event) => event.preventDefault());
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Shown} shown */
  show(shown) {
    this.shown = shown;
    this.nodes.clear();
    const stages = grown(shown.layers);
    this.root.replaceChildren(...stages.map((node) => this.#item(node, 1)));
    if (!this.#find(this.active)) this.active = this.#find(`map ${shown.current}`) ? `map ${shown.current}` : (this.#items()[0]?.dataset.key ?? "");
    this.#mark();
  }

  focus() {
    this.#find(this.active)?.focus();
  }

  /** The first layer shown. */
  get first() {
    return this.shown?.layers[0]?.name;
  }

  scrollToCurrent() {
    const item = this.#find(`map ${this.shown?.current}`);
    // Only the tree scrolls: the page stays where it is.
    if (item) this.root.scrollTop = item.offsetTop - this.root.offsetTop - this.root.clientHeight / 2;
  }

  /**
   * @param {Node} node
   * @param {number} level
   * @returns {HTMLElement}
   */
  #item(node, level) {
    this.nodes.set(node.key, node);
    const item = make("li");
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-level", String(level));
    item.dataset.key = node.key;
    item.tabIndex = -1;
    const row = make("div", "", "row");
    row.append(make("i", "", "twig"), make("i", "", "tick"), this.#name(node), make("small", this.#aside(node)));
    item.append(row);
    this.#ticked(item, node);
    if (node.layer) {
      item.setAttribute("aria-selected", String(node.layer.name === this.shown?.current));
      return item;
    }
    const open = this.#isOpen(node);
    item.setAttribute("aria-expanded", String(open));
    const group = make("ul");
    group.setAttribute("role", "group");
    group.append(...node.children.map((child) => this.#item(child, level + 1)));
    item.append(group);
    return item;
  }

  /** @param {Node} node */
  #name(node) {
    const name = make("span", "", "name");
    let at = 0;
    for (const [from, to] of this.shown?.searched ? (this.shown.marks(node.name) ?? []) : []) {
      name.append(node.name.slice(at, from), make("mark", node.name.slice(from, to)));
      at = to;
    }
    name.append(node.name.slice(at));
    return name;
  }

  /** @param {Node} node */
  #aside(node) {
    const { layer } = node;
    if (!layer) return String(node.layers.length);
    const runs = this.shown?.runs ?? 1;
    const held = layer.runs.length < runs ? `, ${layer.runs.length} of ${runs} runs` : "";
    return `${layer.kind} ${layer.width}${layer.note ? ", of proposals" : ""}${held}`;
  }

  /**
   * @param {HTMLElement} item
   * @param {Node} node
   */
  #ticked(item, node) {
    const on = node.layers.filter((layer) => this.shown?.ticked.has(layer.name)).length;
    item.setAttribute("aria-checked", on === 0 ? "false" : on === node.layers.length ? "true" : "mixed");
  }

  /** @param {Node} node */
  #isOpen(node) {
    const byHand = this.unfolded.get(node.key);
    if (byHand !== undefined) return byHand;
    if (this.shown?.searched || (this.shown?.layers.length ?? 0) <= ALL_OPEN) return true;
    return node.layers.some((layer) => layer.name === this.shown?.current);
  }

  #items() {
    const items = /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll("[role=treeitem]")]);
    return items.filter((item) => !item.parentElement?.closest('[aria-expanded="false"]'));
  }

  /** @param {string} key */
  #find(key) {
    return this.#items().find((item) => item.dataset.key === key);
  }

  #mark() {
    for (const item of this.root.querySelectorAll("[role=treeitem]")) {
      if (item instanceof HTMLElement) item.tabIndex = item.dataset.key === this.active ? 0 : -1;
    }
  }

  /** @param {HTMLElement | undefined} item */
  #go(item) {
    if (!item) return;
    this.active = item.dataset.key ?? "";
    this.#mark();
    item.focus();
    item.querySelector(".row")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = event.target instanceof Element ? event.target : null;
    const item = target?.closest("[role=treeitem]");
    const node = item instanceof HTMLElement ? this.nodes.get(item.dataset.key ?? "") : undefined;
    if (!node || !target) return;
    if (target.closest(".tick")) this.#tick(node);
    else if (node.layer) this.on.pick(node.layer.name);
    else this.#fold(node, !this.#isOpen(node));
  }

  /** @param {Node} node */
  #tick(node) {
    const names = node.layers.map((layer) => layer.name);
    this.on.tick(names, !names.every((name) => this.shown?.ticked.has(name)));
  }

  /**
   * @param {Node} node
   * @param {boolean} open
   */
  #fold(node, open) {
    this.unfolded.set(node.key, open);
    this.root.querySelector(`[data-key="${CSS.escape(node.key)}"]`)?.setAttribute("aria-expanded", String(open));
  }

  /** Bring the ticks to what is chosen now. */
  retick() {
    for (const item of this.root.querySelectorAll("[role=treeitem]")) {
      const node = item instanceof HTMLElement ? this.nodes.get(item.dataset.key ?? "") : undefined;
      if (node && item instanceof HTMLElement) this.#ticked(item, node);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const items = this.#items();
    const at = items.findIndex((item) => item.dataset.key === this.active);
    const item = items[at];
    const node = this.nodes.get(this.active);
    if (!node || !item) return;
    const parent = item.parentElement?.closest("[role=treeitem]");
    const open = item.getAttribute("aria-expanded");
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#go(items[at + 1]),
      ArrowUp: () => (at ? this.#go(items[at - 1]) : this.on.leave("")),
      Home: () => this.#go(items[0]),
      End: () => this.#go(items[items.length - 1]),
      ArrowRight: () => (open === "false" ? this.#fold(node, true) : open && this.#go(items[at + 1])),
      ArrowLeft: () => (open === "true" ? this.#fold(node, false) : parent instanceof HTMLElement && this.#go(parent)),
      Enter: () => (node.layer ? this.on.pick(node.layer.name) : this.#fold(node, open === "false")),
      " ": () => this.#tick(node),
    };
    event.stopPropagation();
    if (event.key in keys) {
      event.preventDefault();
      keys[event.key]();
      // What is typed goes on with the search.
    } else if (event.key === "Escape" || (event.key.length === 1 && !event.ctrlKey && !event.metaKey)) this.on.leave(event.key);
  }
}

/**
 * @param {Layer[]} layers
 * @returns {Node[]}
 */
function grown(layers) {
  /** @type {Node[]} */
  const stages = [];
  for (const layer of layers) {
    const stage = last(stages, `stage ${layer.stage}`, layer.stage);
    stage.layers.push(layer);
    let parent = stage;
    if (layer.block) {
      parent = last(stage.children, `block ${layer.block}`, layer.block);
      parent.layers.push(layer);
    }
    parent.children.push({ key: `map ${layer.name}`, name: layer.name, layers: [layer], layer, children: [] });
  }
  return stages;
}

/**
 * The last of these where it has this key, else a new one behind it.
 * @param {Node[]} nodes
 * @param {string} key
 * @param {string} name
 */
function last(nodes, key, name) {
  const found = nodes[nodes.length - 1];
  if (found?.key === key) return found;
  /** @type {Node} */
  const fresh = { key: nodes.some((node) => node.key === key) ? `${key} ${nodes.length}` : key, name, layers: [], layer: null, children: [] };
  nodes.push(fresh);
  return fresh;
}
