// L'examen d'accessibilité d'une page par axe-core : toutes ses règles, rien d'excusé d'avance.

import axe from 'axe-core';

/** La taille des cibles est dans les WCAG 2.2, mais axe ne la regarde que si on le demande. */
const OPTIONS = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };

/** Une faute par ligne : la règle, l'élément, ce qui ne va pas. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export async function faults(page) {
  // Évalué par l'outil, et non par une balise : la politique de la page interdit les scripts d'ailleurs.
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    (options) => /** @type {any} */ (globalThis).axe.run(document, options),
    OPTIONS,
  );
  return found.violations.flatMap((/** @type {import('axe-core').Result} */ { id, help, nodes }) =>
    nodes.map(({ target, html, failureSummary }) => `${id} (${help}) at ${target.join(' ')}: ${html.slice(0, 160)} ${failureSummary ?? ''}`));
}
