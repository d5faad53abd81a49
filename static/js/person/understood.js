// Ce que le programme n'a pas fait sans qu'une personne l'ait lu : lu, il le ferait.

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Answer<any>} Answer */

/**
 * Ce que le programme n'a pas fait sans que la personne l'ait lu, et ferait ensuite.
 * @param {Answer} answer @returns {string | null}
 */
export function warningOf(answer) {
  const message = answer.ok || answer.failure.status !== 409 ? null : answer.failure.message;
  const [warning, asked] = message?.split(/[;:] (?:send|say) \{?"understood": true/) ?? [];
  return asked === undefined ? null : `${warning}.`;
}

/**
 * Le fait lire : vrai s'il est à faire quand même, null s'il n'y avait rien à lire, sinon ce qu'on en dit.
 * @param {import('../command.js').Desk} desk @param {Answer} answer @param {() => Context} contextNow @returns {Promise<true | null | string>}
 */
export async function askUnderstood(desk, answer, contextNow) {
  const warning = warningOf(answer);
  if (!warning) return null;
  await contextNow().words.learn();
  const { words } = contextNow();
  const said = words.told(warning) ?? warning;
  const [title, line, yes, no] = [words.say('understood.ask'), words.say('understood.line'), words.say('understood.yes'), words.say('confirm.no')];
  // Ce que la page ne sait pas dire est lu tel quel.
  const read = words.phrase(warning) === warning.slice(0, -1) ? { lines: [line], detail: said } : { lines: [line, said] };
  return (await desk.confirm({ title, ...read, yes, no, danger: true })) || words.say('understood.no');
}
