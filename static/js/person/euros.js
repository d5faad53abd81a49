// Un montant en euros, tapé par une personne. Pur.

/**
 * Lit un montant tapé : virgule ou point, espaces entre les milliers, « € » permis. Rien n'est deviné : « 1.234 » peut
 * vouloir dire deux choses, donc il est refusé.
 * @param {string} text
 * @returns {{ok: true, value: number} | {ok: false, why: 'amount.empty' | 'amount.unreadable' | 'amount.too_precise'}}
 */
export function readEuros(text, signed = false) {
  const bare = text.replace(/€/g, '').replace(/\s/g, ' ').trim();
  const sign = signed && /^[-−]/.test(bare) ? '-' : '';
  const typed = sign ? bare.slice(1).trim() : bare;
  if (typed === '') return { ok: false, why: 'amount.empty' };
  const parts = /^(\d+|\d{1,3}(?: \d{3})+)(?:[.,](\d+))?$/.exec(typed);
  if (!parts) return { ok: false, why: 'amount.unreadable' };
  const decimals = parts[2] ?? '';
  if (decimals.length > 2) return { ok: false, why: 'amount.too_precise' };
  return { ok: true, value: Number(`${sign}${parts[1].replace(/ /g, '')}.${decimals || '0'}`) };
}
