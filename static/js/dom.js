// Les quelques gestes sur la page. Tout texte passe par textContent : ce qui vient du leader n'est jamais du HTML.
// Invariant : on n'écrit que ce qui a changé ; focus, sélection et volets ouverts survivent à une mise à jour.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {string} tag @param {Record<string, string | number>} [attributes] @returns {SVGElement} */
export function svg(tag, attributes = {}) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
export function find(root, selector) {
  const node = root.querySelector(selector);
  if (!(node instanceof HTMLElement)) throw new Error(`missing element: ${selector}`);
  return node;
}

/** @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Texte, ou élément caché s'il n'y en a pas. @param {HTMLElement} node @param {string | null | undefined} text */
export function setTextOrHide(node, text) {
  setText(node, text ?? '');
  node.hidden = !text;
}

/** @param {Element} node @param {string} name @param {string | null} value null retire l'attribut */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** @template T @typedef {{node: Element, update: (item: T) => void}} Row un squelette, et de quoi le remplir */

/** @type {WeakMap<Element, (item: any) => void>} */
const updates = new WeakMap();

/**
 * Accorde les enfants de `parent` à `items`, par clé : un élément qui reste est mis à jour sur place et ne bouge que si
 * son rang a changé.
 * @template T
 * @param {Element} parent @param {T[]} items @param {(item: T) => string} keyOf @param {(item: T) => Row<T>} create
 */
export function syncList(parent, items, keyOf, create) {
  const known = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  const wanted = new Set(items.map(keyOf));
  for (const [key, child] of known) if (key === null || !wanted.has(key)) child.remove();
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    if (!child) {
      const row = create(item);
      child = row.node;
      child.setAttribute('data-key', key);
      updates.set(child, row.update);
      known.set(key, child);
    }
    updates.get(child)?.(item);
    if (child === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(child, cursor);
  }
}
