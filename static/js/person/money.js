// Ajouter un dépôt, corriger le total déposé. Ne touche jamais à ce que l'on est en train de taper.

import { run, tell } from '../command.js';
import { find } from '../dom.js';
import { isKnown } from '../format.js';
import { readEuros } from './euros.js';
import { tellDone } from './outcomes.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Budget} Budget */

const LARGEST_DEPOSIT = 100_000;
const LARGEST_TOTAL = 1_000_000;

/** @param {HTMLElement} root @param {import('../command.js').Desk} desk */
export function createMoney(root, desk) {
  /** @type {Context} */
  let context;
  /** @type {Budget | null} */
  let budget = null;
  const buttons = [...root.querySelectorAll('button')];
  const deposit = find(root, '#deposit');

  /**
   * @param {string} form
   * @param {(amount: number) => import('../command.js').Command | {refusal: string}} prepare
   */
  function listen(form, prepare) {
    const output = find(root, `${form} .outcome`);
    const input = find(root, `${form} input`);
    if (!(input instanceof HTMLInputElement)) throw new Error('not an input');

    /** @param {string} text */
    function refuse(text) {
      input.setAttribute('aria-invalid', 'true');
      tell(output, text, 'bad');
      input.focus();
    }

    input.addEventListener('input', () => {
      input.removeAttribute('aria-invalid');
      tell(output, null, 'quiet');
    });
    find(root, form).addEventListener('submit', async (event) => {
      event.preventDefault();
      const typed = input.value;
      const amount = readEuros(typed, form === '#correction');
      if (!amount.ok) return refuse(context.words.say(amount.why));
      const command = prepare(amount.value);
      if ('refusal' in command) return refuse(command.refusal);
      const done = await run(desk, command, { buttons, output }, () => context);
      if (!done) return;
      if (input.value === typed) input.value = '';
      const total = context.format.eur(done.total_deposited_eur);
      tellDone(output, context.words.say('money.done', { total }), context);
    });
  }

  /** Ce que tout mouvement d'argent a à dire. @param {Context['words']} words @param {boolean} brought il en apporte */
  const warnings = (words, brought) => [
    ...(budget?.mode === 'dry_run' ? [words.say('money.simulated')] : brought ? [words.say('money.no_transfer')] : []),
    ...(budget && !isKnown(budget.eurusdc_rate) ? [words.say('money.rate_unknown')] : []),
  ];

  /** @param {number} eur */
  const inUsdc = (eur) => context.format.usdc(isKnown(budget?.eurusdc_rate) ? eur / budget.eurusdc_rate : null);

  listen('#deposit', (amount) => {
    const { words, format } = context;
    if (amount <= 0 || amount > LARGEST_DEPOSIT) {
      return { refusal: words.say('amount.deposit_range', { most: format.eur(LARGEST_DEPOSIT) }) };
    }
    const before = budget?.total_deposited_eur;
    const totals = { before: format.eur(before), after: format.eur(isKnown(before) ? before + amount : null) };
    return {
      question: {
        title: words.say('deposit.ask', { amount: format.eur(amount) }),
        lines: [
          words.say('deposit.totals', totals),
          words.say('deposit.cash', { usdc: inUsdc(amount) }),
          ...warnings(words, true),
        ],
        yes: words.say('deposit.yes'),
        no: words.say('confirm.no'),
      },
      method: 'POST',
      path: 'api/budget/deposit',
      body: { amount_eur: amount },
    };
  });

  listen('#correction', (total) => {
    const { words, format } = context;
    if (Math.abs(total) > LARGEST_TOTAL) return { refusal: words.say('amount.total_range', { most: format.eur(LARGEST_TOTAL) }) };
    const before = budget?.total_deposited_eur;
    if (isKnown(before) && format.eur(before) === format.eur(total)) return { refusal: words.say('amount.same_total', { total: format.eur(total) }) };
    const change = isKnown(before) ? total - before : null;
    const moved = { change: format.eurSigned(change), usdc: inUsdc(Math.abs(change ?? NaN)) };
    return {
      question: {
        title: words.say('correction.ask', { total: format.eur(total) }),
        lines: [
          words.say('deposit.totals', { before: format.eur(before), after: format.eur(total) }),
          words.say('correction.cash', moved),
          ...warnings(words, !(Number(change) < 0)),
        ],
        yes: words.say('correction.yes'),
        no: words.say('confirm.no'),
      },
      method: 'PUT',
      path: 'api/budget/deposit',
      body: { total_eur: total },
    };
  });

  return {
    /** @param {Budget | null} next @param {Context} nextContext */
    update(next, nextContext) {
      budget = next;
      context = nextContext;
      // Ce qu'on apporterait à un mort y dormirait : le programme le refuse.
      deposit.hidden = budget?.status === 'DEAD';
    },
  };
}
