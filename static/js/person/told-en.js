// Ce que le programme dit, en une phrase d'anglais. Pur ; lu à la première phrase à dire.

/** @param {string} text @param {boolean} [part] dans une autre phrase @returns {string} */
export function tell(text, part = false) {
  // Sans le numéro que curl donne à une panne ; un pour-cent s'écrit d'une seule façon.
  const said = text.replace(/\[\d+\] /g, '').replace(/(\d) %/g, '$1%');
  if (part) return said;
  // Le nom d'un fichier ou d'un réglage reste le sien.
  return said.replace(/^[a-z]+(?=[\s,:;'’]|$)/, (word) => word[0].toUpperCase() + word.slice(1)).replace(/[^.!?…]$/, '$&.');
}
