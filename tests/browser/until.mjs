// L'attente d'une condition. Jamais une durée : la limite ne sert qu'à dire ce qui n'est pas venu.

/** Au-delà, la condition ne viendra plus : la machine la plus lente a eu plusieurs fois le temps. */
export const PATIENCE_MS = 120_000;

const PAUSE_MS = 50;

/**
 * Rend la première réponse de `condition` qui n'est ni fausse ni absente.
 * @template T
 * @param {string} what ce que l'on attend, pour le dire s'il ne vient pas
 * @param {() => Promise<T> | T} condition @returns {Promise<Exclude<Awaited<T>, null | undefined | false | '' | 0>>}
 */
export async function until(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) return /** @type {any} */ (found);
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
