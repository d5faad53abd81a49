// Sortir de l'argent : combien, ce que cela vendra, et le retrait ouvert, que l'on peut annuler.
// Un seul est ouvert à la fois : tant qu'il l'est, rien d'autre ne se demande ici.

import { run, tell } from '../command.js';
import { el, setText, setTextOrHide } from '../dom.js';
import { coinName, isKnown, readEuros } from '../format.js';
import { openWithdrawal } from '../person.js';
import { deedsOf } from './deeds.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../situation.js').Parts} Parts */
/** @typedef {import('./deeds.js').Deed} Deed */
/**
 * Ce que le programme répond à une demande.
 * @typedef {{amount_usdc: number, sales: {coin: string, quantity: number}[] | null, left_eur: number | null}} Opened
 */

/** Ce qui va se passer, dit par le programme. @param {Opened} opened @param {Context} context @returns {string} */
export function tellOpened({ amount_usdc: usdc, sales, left_eur: left }, { words, format }) {
  const told = [words.say('withdraw.told', { usdc: format.usdc(usdc) })];
  const sold = sales?.map(({ coin, quantity }) => `${format.quantity(quantity)} ${coinName(coin)}`).join(', ');
  if (sales) told.push(sold ? words.say('withdraw.sales', { sales: sold }) : words.say('withdraw.no_sale'));
  if (isKnown(left)) told.push(words.say('withdraw.left', { left: format.eur(left) }));
  return told.join(' ');
}

/** @param {HTMLElement} root @param {import('../command.js').Desk} desk @param {(deed: Deed, button: HTMLButtonElement, output: HTMLElement) => void} perform */
export function createWithdraw(root, desk, perform) {
  /** @type {Context} */
  let context;
  /** @type {Parts} */
  let parts;
  let shown = false;
  let arriving = false;
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

  /** @param {number | null} amount null : tout */
  async function ask(amount) {
    const { words, format } = context;
    const { mode, eurusdc_rate: rate } = parts.budget.data ?? {};
    const usdc = format.usdc(isKnown(amount) && isKnown(rate) ? amount / rate : null);
    const question = {
      title: amount === null ? words.say('withdraw.ask_all') : words.say('withdraw.ask', { amount: format.eur(amount) }),
      lines: [
        amount === null ? words.say('withdraw.sells_all') : words.say('withdraw.sells', { usdc }),
        words.say(mode === 'dry_run' ? 'withdraw.simulated' : 'withdraw.aside'),
      ],
      yes: words.say('withdraw.yes'),
      no: words.say('confirm.no'),
      danger: mode === 'live',
    };
    const body = amount === null ? { all: true } : { amount_eur: amount };
    const typed = input.value;
    const command = { question, method: /** @type {const} */ ('POST'), path: 'api/budget/withdrawals', body };
    const done = await run(desk, command, { buttons: [take, everything], output }, contextNow);
    if (!done) return;
    if (input.value === typed) input.value = '';
    tell(output, tellOpened(done, context), 'good');
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
    const deed = deedsOf({ id: '', tone: 'info', text: '', withdrawal }, context).find(({ id }) => id === 'cancel');
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
