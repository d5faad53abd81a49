// Sortir de l'argent : combien, ce que cela vendra, et le retrait ouvert, que l'on peut annuler.
// Un seul est ouvert à la fois : tant qu'il l'est, rien d'autre ne se demande ici.

import { write } from '../api.js';
import { run, tell, tellFailure } from '../command.js';
import { el, setText, setTextOrHide } from '../dom.js';
import { coinName, isKnown } from '../format.js';
import { openWithdrawal } from '../person.js';
import { LEAST, isDead } from '../situation.js';
import { deedsOf } from './deeds.js';
import { readEuros } from './euros.js';
import { tellDone } from './outcomes.js';
import { restOf } from './reach.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Parts} Parts */
/** @typedef {import('./deeds.js').Deed} Deed */
/** @typedef {import('./reach.js').Rest} Rest */
/** @typedef {import('../words.js').Key} Key */
/**
 * Ce que le programme répond à une demande, ou dit qu'il en ferait.
 * @typedef {{amount_usdc: number, sales: {coin: string, quantity: number}[] | null, left_eur: number | null}} Opened
 */

const PATH = 'api/budget/withdrawals';

/** En simulation tout se fait aussitôt : ce qui s'est vendu se lit tout de même. */
const READING_MS = 20_000;

/** De moins, en euros, s'écrirait zéro. */
const CENT = 0.005;

/** Ce que le reste devient, s'il y en a. @type {Record<Rest, Key | null>} */
const THEN = { followed: 'withdraw.then', paused: 'withdraw.then_paused', kept: null };

/** Ce qui va se passer, dit par le programme. @param {Opened} opened @param {Rest} rest @param {Context} context @param {boolean} [all] tout est demandé @returns {string} */
export const tellOpened = (opened, rest, context, all = false) =>
  [context.words.say('withdraw.told', { usdc: context.format.usdc(opened.amount_usdc) }), ...tellTerms(opened, rest, context, all)].join(' ');

/** Ce qui est à vendre, et ce qui restera. @param {Opened} opened @param {Rest} rest @param {Context} context @param {boolean} [all] tout est demandé @returns {string[]} */
export function tellTerms({ sales, left_eur: left }, rest, { words, format }, all = false) {
  /** @type {string[]} */
  const told = [];
  const sold = sales?.map(({ coin, quantity }) => `${format.quantity(quantity)} ${coinName(coin)}`).join(', ');
  if (sales) told.push(sold ? words.say('withdraw.sales', { sales: sold }) : words.say('withdraw.no_sale'));
  const then = THEN[rest];
  if (sales && !sold && then && !all && !(isKnown(left) && left < LEAST)) told.push(words.say(then));
  // Tout en cash, il n'en reste rien à dire.
  if (isKnown(left) && !(all && left < CENT)) told.push(words.say(all ? 'withdraw.left_all' : 'withdraw.left', { left: format.eur(left) }));
  return told;
}

/** @param {HTMLElement} root @param {import('../command.js').Desk} desk @param {(deed: Deed, button: HTMLButtonElement, output: HTMLElement) => void} perform */
export function createWithdraw(root, desk, perform) {
  /** @type {Context} */
  let context;
  /** @type {Parts} */
  let parts;
  let shown = false;
  let arriving = false;
  let looking = false;
  const contextNow = () => context;

  const output = el('p', { id: 'withdraw-outcome', class: 'outcome', role: 'alert', hidden: '' });
  const label = el('label', { for: 'withdraw-amount' });
  const input = el('input', { id: 'withdraw-amount', inputmode: 'decimal', autocomplete: 'off', maxlength: '20', 'aria-describedby': output.id });
  const take = el('button');
  const everything = el('button', { type: 'button' });
  const form = el('form', { novalidate: '' }, label, el('div', { class: 'line' }, input, take, everything));
  const only = el('p');
  const cancel = el('button', { type: 'button' });
  const open = el('div', { class: 'line' }, only, cancel);
  root.append(form, open, output);

  /** @param {string} text */
  function refuse(text) {
    input.setAttribute('aria-invalid', 'true');
    tell(output, text, 'bad');
    input.focus();
  }

  /** Ce que cela ferait ; null : le programme le refuse, et c'est dit. @param {object} body @returns {Promise<Opened | null>} */
  async function look(body) {
    tell(output, context.words.say('withdraw.looking'), 'quiet');
    const answer = await write('POST', PATH, { ...body, preview: true });
    if (answer.ok) return answer.data;
    await tellFailure(output, answer.failure, contextNow, 'withdraw.unknown');
    return null;
  }

  /** @param {number | null} amount null : tout */
  async function ask(amount) {
    if (looking) return;
    looking = true;
    const body = amount === null ? { all: true } : { amount_eur: amount };
    const terms = await look(body);
    looking = false;
    if (!terms) return;
    const { words, format } = context;
    const mode = parts.budget.data?.mode;
    const usdc = format.usdc(terms.amount_usdc);
    const question = {
      title: amount === null ? words.say('withdraw.ask_all') : words.say('withdraw.ask', { amount: format.eur(amount) }),
      lines: [
        words.say('withdraw.about', { usdc }),
        ...tellTerms(terms, restOf(parts), context, amount === null),
        // Un mort ne suit déjà plus.
        ...(amount === null && !isDead(parts) ? [words.say('withdraw.nothing_left')] : []),
        words.say(mode === 'dry_run' ? 'withdraw.simulated' : 'withdraw.aside'),
      ],
      yes: words.say('withdraw.yes'),
      no: words.say('confirm.no'),
      danger: mode === 'live',
    };
    const typed = input.value;
    const command = { question, method: /** @type {const} */ ('POST'), path: PATH, body };
    const done = await run(desk, command, { buttons: [take, everything], output }, contextNow);
    if (!done) return;
    if (input.value === typed) input.value = '';
    tellDone(output, tellOpened(done, restOf(parts), context, amount === null), context, READING_MS);
  }

  input.addEventListener('input', () => {
    input.removeAttribute('aria-invalid');
    tell(output, null, 'quiet');
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const amount = readEuros(input.value);
    if (!amount.ok) return refuse(context.words.say(amount.why));
    if (amount.value <= 0) return refuse(context.words.say('amount.withdraw_range'));
    void ask(amount.value);
  });
  everything.addEventListener('click', () => void ask(null));
  cancel.addEventListener('click', () => {
    const withdrawal = openWithdrawal(parts.withdrawals?.data);
    const deed = deedsOf({ id: '', tone: 'info', text: '', withdrawal, rest: restOf(parts) }, context).find(({ id }) => id === 'cancel');
    if (deed) perform(deed, cancel, output);
  });

  return {
    shows: () => shown || openWithdrawal(parts?.withdrawals?.data) !== undefined,
    show() {
      shown = true;
      arriving = true;
    },
    /** @param {Parts} next @param {Context} nextContext */
    update(next, nextContext) {
      parts = next;
      context = nextContext;
      const { words } = context;
      const withdrawal = openWithdrawal(parts.withdrawals?.data);
      form.hidden = !shown || withdrawal !== undefined;
      open.hidden = withdrawal === undefined;
      setText(label, words.say('withdraw.label'));
      setText(take, words.say('withdraw.button'));
      setText(everything, words.say('withdraw.all'));
      setText(only, words.say('withdraw.only'));
      setTextOrHide(cancel, words.say('cancel.button'));
      if (arriving) input.focus();
      arriving = false;
    },
  };
}
