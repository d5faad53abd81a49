// Des mises à jour forcées, aussi vite que la page les fait : ce qu'une journée ouverte ferait en vingt-quatre heures.
// Chacune passe par ce qu'un vrai navigateur dit à la page : elle redevient visible, ou l'événement du programme arrive.

/** @typedef {{begun: number, pending: number, source: EventSource | null, last: string | null}} Counts */

/** À poser avant le premier chargement : compte les questions, et tient la source d'événements s'il y en a une. */
export function watch() {
  /** @type {Counts} */
  const counts = { begun: 0, pending: 0, source: null, last: null };
  Object.assign(window, { counts });
  const ask = window.fetch;
  window.fetch = async (...question) => {
    counts.begun += 1;
    counts.pending += 1;
    try {
      return await ask(...question);
    } finally {
      counts.pending -= 1;
    }
  };
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    /** @param {string | URL} address @param {EventSourceInit} [options] */
    constructor(address, options) {
      super(address, options);
      counts.source = this;
      this.addEventListener('changed', (event) => (counts.last = event.data));
    }
  };
}

/**
 * Force tant de mises à jour, l'une après l'autre ; chacune a posé des questions et attendu leurs réponses.
 * @param {{times: number, patience: number}} wanted `patience` : les ms au-delà desquelles une réponse ne viendra plus
 */
export async function update({ times, patience }) {
  const { counts } = /** @type {{counts: Counts}} */ (/** @type {unknown} */ (window));
  const breath = () => new Promise((resolve) => setTimeout(resolve, 4));
  for (let done = 0; done < times; done += 1) {
    const { begun } = counts;
    const deadline = Date.now() + patience;
    document.dispatchEvent(new Event('visibilitychange'));
    if (counts.last !== null) counts.source?.dispatchEvent(new MessageEvent('changed', { data: counts.last }));
    while (counts.begun === begun || counts.pending > 0) {
      if (Date.now() > deadline) throw new Error(`update ${done} asked ${counts.begun - begun} questions, ${counts.pending} have no answer`);
      await breath();
    }
    // La page se redessine un peu après la dernière réponse.
    await new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 35));
  }
}
