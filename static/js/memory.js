// Les choix de lecture gardés sur cet appareil (langue, période). Un navigateur peut refuser : on s'en passe.

/** @param {string} name @returns {string | null} */
export function recall(name) {
  try {
    return localStorage.getItem(`calvalot.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(`calvalot.${name}`, value);
  } catch {
    // Navigation privée : le choix vaut pour cette visite.
  }
}
