// Ce qu'une personne peut faire de ce qui l'attend, chacun avec la question posée avant et ce qui s'ensuit.
// Pur : d'un avis de la page vers des gestes. Invariant : rien n'est offert que le programme n'offre pas maintenant.

import { coinName, isKnown, parseUtc } from '../format.js';
import { wantedText } from '../order.js';
import { oldDeeds } from './target.js';

/** @typedef {import('../api.js').Order} Order */
/** @typedef {import('../api.js').NotAlone} NotAlone */
/** @typedef {import('../api.js').Withdrawal} Withdrawal */
/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Notice} Notice */
/** @typedef {import('../command.js').Command} Command */
/** @typedef {import('../words.js').Key} Key */
/** @typedef {import('./reach.js').Rest | undefined} Rest */
/**
 * Un geste. `told` : ce qu'on dit une fois fait ; `book` : l'ordre dont les chiffres sont d'abord à remplir ; `most` : le
 * montant dont une part se dit.
 * @typedef {{id: string, label: string, command: Command, told: (answer: any) => string, book?: Order, most?: number}} Deed
 */

/** Comment un ordre libéré a fini. @type {Record<string, Key>} */
const OUTCOMES = { filled: 'release.filled', refused: 'release.refused', abandoned: 'release.refused', absent: 'release.absent' };

/** Ce que devient un ordre libéré qui n'a rien échangé, tel que le programme le dit (domain/recourse.rs). @type {[RegExp, Key][]} */
const AFTERWARDS = [
  [/its signal is closed/, 'after.closed'],
  [/it is given up/, 'after.old'],
  [/this was the last attempt/, 'after.last'],
  [/it is sent again at the price of now/, 'after.again'],
  [/planned anew/, 'after.anew'],
];

// Les ordres d'une autre copie que la question nomme.
const NAMED = 3;

/** @param {Notice} notice @param {Context} context @returns {Deed[]} */
export function deedsOf({ order, copies, withdrawal, takeover, old, rest }, context) {
  if (order) return orderDeeds(order, context);
  if (copies) return copiesDeeds(copies, context);
  if (takeover) return [takeOver(takeover, context)];
  if (old) return oldDeeds(old, context);
  if (!withdrawal) return [];
  return withdrawal.status === 'set_aside' ? [takenOut(withdrawal, rest, context), cancel(withdrawal, rest, context)] : [cancel(withdrawal, rest, context)];
}

/** @param {Order} order @param {Context} context */
function orderDeeds(order, context) {
  const ways = order.ways ?? [{ way: order.late ? 'acknowledge' : 'release', consequence: '' }];
  /** @type {Record<string, (order: Order, consequence: string, context: Context) => Deed>} */
  const known = { release, book, settle, acknowledge };
  return ways.filter(({ way }) => known[way]).map(({ way, consequence }) => known[way](order, consequence, context));
}

/** De quel ordre il s'agit, et son âge. @param {Order} order @param {Context} context */
function about(order, context) {
  const { words, format } = context;
  const wanted = `${wantedText(order, context)} (${words.say('order.number', { id: order.id })}).`;
  return [isKnown(order.age_seconds) ? `${wanted} ${words.say('deed.age', { age: format.duration(order.age_seconds) })}` : wanted];
}

/** @param {Order} order @param {string} consequence @param {Context} context @returns {Deed} */
function release(order, consequence, context) {
  const { words } = context;
  const after = AFTERWARDS.find(([shape]) => shape.test(consequence));
  const lines = [...about(order, context), words.say('release.found'), words.say('release.not_found')];
  if (after) lines.push(words.say(after[1]));
  lines.push(words.say('release.no_doubt'));
  return {
    id: 'release',
    label: words.say('release.button'),
    command: {
      question: { title: words.say('release.ask'), lines, yes: words.say('release.yes'), no: words.say('confirm.no'), danger: true, detail: after ? null : consequence },
      method: 'POST',
      path: `api/orders/${order.id}/release`,
      body: { looked: true },
    },
    told: ({ state, outcome }) => (OUTCOMES[state] ? words.say(OUTCOMES[state]) : outcome),
  };
}

/** @param {Order} order @param {string} _ @param {Context} context @returns {Deed} */
function book(order, _, context) {
  const { words } = context;
  return {
    id: 'book',
    label: words.say('book.button'),
    book: order,
    command: {
      question: {
        title: words.say('book.title'),
        lines: [...about(order, context), words.say('book.copy')],
        yes: words.say('book.next'),
        no: words.say('confirm.no'),
      },
      method: 'POST',
      path: `api/orders/${order.id}/book`,
      body: {},
    },
    told: () => words.say('book.done'),
  };
}

/** @param {Order} order @param {string} _ @param {Context} context @returns {Deed} */
function settle(order, _, context) {
  const { words } = context;
  const lines = [...about(order, context), words.say('settle.what'), words.say('settle.else')];
  return {
    id: 'settle',
    label: words.say('settle.button'),
    command: {
      question: { title: words.say('settle.ask'), lines, yes: words.say('settle.yes'), no: words.say('confirm.no'), danger: true },
      method: 'POST',
      path: `api/orders/${order.id}/settle`,
      body: { looked: true },
    },
    told: () => words.say('settle.done'),
  };
}

/** @param {Order} order @param {string} _ @param {Context} context @returns {Deed} */
function acknowledge(order, _, context) {
  const { words } = context;
  return {
    id: 'acknowledge',
    label: words.say('release.late_button'),
    command: {
      question: {
        title: words.say('release.late_ask'),
        lines: [...about(order, context), words.say('release.late_what')],
        yes: words.say('release.late_yes'),
        no: words.say('confirm.no'),
      },
      method: 'POST',
      path: `api/orders/${order.id}/release`,
      body: { looked: true },
    },
    told: () => words.say('release.late_done'),
  };
}

/** @param {NotAlone} copies @param {Context} context @returns {Deed[]} */
function copiesDeeds(copies, context) {
  const { words } = context;
  const { ways } = copies;
  const named = orderNames(copies, context);
  /** @type {Record<string, {path: string, body: object, lines: string[]}>} */
  const known = {
    adopt: { path: 'adopt', body: { other_is_off: true }, lines: [...named, words.say('adopt.what'), words.say('adopt.off')] },
    disown: { path: 'disown', body: { other_is_off: true }, lines: [...named, words.say('disown.what'), words.say('adopt.off')] },
    move_here: { path: 'machine', body: { first_is_off: true }, lines: [words.say('move_here.what')] },
  };
  /** @type {Record<string, [Key, Key, Key]>} */
  const said = {
    adopt: ['adopt.button', 'adopt.ask', 'adopt.yes'],
    disown: ['disown.button', 'disown.ask', 'disown.yes'],
    move_here: ['move_here.button', 'move_here.ask', 'move_here.yes'],
  };
  return ways.filter(({ way }) => known[way]).map(({ way }) => {
    const { path, body, lines } = known[way];
    const [label, title, yes] = said[way].map((key) => words.say(key));
    const question = { title, lines, yes, no: words.say('confirm.no'), danger: true };
    const command = { question, method: /** @type {const} */ ('POST'), path: `api/exchange/${path}`, body };
    return { id: way, label, command, told: () => words.say('deed.done') };
  });
}

/** Combien ils sont en tout : l'API n'en liste que vingt, et les compte dans sa raison (account/evidence.rs). @param {NotAlone} copies */
const countOf = ({ orders, reason }) => Math.max(orders.length, Number(/\((\d+) orders?, the first /.exec(reason)?.[1] ?? 0));

/** Les ordres dont il s'agit, les premiers par leur nom. @param {NotAlone} copies @param {Context} context @returns {string[]} */
function orderNames(copies, { words, format, now }) {
  const { orders } = copies;
  const named = orders.slice(0, NAMED).map(({ coin, action, quantity, created_at: at, client_id: name }) => {
    const traded = { quantity: format.quantity(quantity), coin: coinName(coin) };
    const what = words.say(action === 'SELL' ? 'copies.sold' : 'copies.bought', traded);
    return words.say('copies.order', { what, time: format.moment(parseUtc(at), now), name: name ?? '—' });
  });
  const more = countOf(copies) - named.length;
  if (more > 0) named.push(words.many('copies.more', more));
  return named;
}

/** Mettre les comptes à ce que tient le compte, d'un coup. @param {NonNullable<Notice['takeover']>} takeover @param {Context} context @returns {Deed} */
function takeOver(takeover, { words, format }) {
  const list = takeover.map(({ coin, quantity }) => `${format.quantity(quantity)} ${coinName(coin)}`).join(', ');
  return {
    id: 'takeover',
    label: words.say('takeover.button'),
    command: {
      question: {
        title: words.say('takeover.ask'),
        lines: [words.say('takeover.less', { list }), words.say('takeover.what')],
        yes: words.say('takeover.yes'),
        no: words.say('confirm.no'),
      },
      method: 'POST',
      path: 'api/exchange/takeover',
      body: { understood: true },
    },
    told: ({ total_deposited_eur: total }) => words.say('money.done', { total: format.eur(total) }),
  };
}

/** Ce qui redevient du cash, et ce qu'il en est fait. @param {Key} key @param {Rest} rest @param {Context['words']} words */
const freed = (key, rest, words) => words.say(key, { then: words.say(rest === 'followed' ? 'freed.followed' : rest === 'paused' ? 'freed.paused' : 'freed.kept') });

/** Dire sorti ce qui attendait de l'être. @param {Withdrawal} withdrawal @param {Rest} rest @param {Context} context @returns {Deed} */
function takenOut({ id, set_aside_usdc: aside }, rest, { words, format }) {
  const most = aside ?? 0;
  return {
    id: 'taken',
    most,
    label: words.say('taken.button'),
    command: {
      question: { title: words.say('taken.ask'), lines: [words.say('taken.what', { usdc: format.usdc(most) }), freed('taken.part', rest, words), words.say('taken.wait')], yes: words.say('taken.yes'), no: words.say('confirm.no') },
      method: 'POST',
      path: `api/budget/withdrawals/${id}/taken`,
      body: { taken_out: true },
    },
    told: () => words.say('taken.done'),
  };
}

/** Annuler un retrait. @param {Withdrawal} withdrawal @param {Rest} rest @param {Context} context @returns {Deed} */
function cancel({ id, status }, rest, { words }) {
  const lines = [freed('cancel.what', rest, words)];
  if (status === 'set_aside') lines.push(words.say('cancel.taken'));
  return {
    id: 'cancel',
    label: words.say('cancel.button'),
    command: {
      question: { title: words.say('cancel.ask'), lines, yes: words.say('cancel.yes'), no: words.say('cancel.no') },
      method: 'POST',
      path: `api/budget/withdrawals/${id}/cancel`,
      body: {},
    },
    told: () => words.say('cancel.done'),
  };
}
