// Tout vendre et s'arrêter : ce que cela fait et ne fait pas, lu avant ; puis où l'on en est, et ce qui reste.

import { run, tell } from '../command.js';
import { tellDecision } from '../decision.js';
import { el, setText, syncList } from '../dom.js';
import { coinName, parseUtc } from '../format.js';
import { tellDone } from './outcomes.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Status} Status */
/** @typedef {import('../words.js').Key} Key */

/** @type {Key[]} */
const DOES = ['sell_all.sells', 'sell_all.pauses'];
/** @type {Key[]} */
const DOES_NOT = ['sell_all.money', 'sell_all.dust', 'sell_all.tax'];

/** Ce qui reste d'une monnaie, et pourquoi. @param {import('../api.js').SellingAll['left'][number]} left @param {Context} context @returns {string} */
export function tellLeft({ coin, quantity, value_usdt: value, code, reason }, context) {
  const { words, format } = context;
  const line = words.say('sell_all.line', { quantity: format.quantity(quantity), coin: coinName(coin), value: format.usdc(value) });
  if (code === null) return line;
  // D'une vente de tout, « au pas près » est ce que la bourse ne vend pas.
  if (code === 'dust' || code === 'within_step') return words.say('sell_all.because', { line, why: words.say('why.dust') });
  const { why, detail } = tellDecision({ coin, decision: 'left', code, reason }, context);
  return words.say('sell_all.because', { line, why: why || detail });
}

/** @param {HTMLElement} root @param {import('../command.js').Desk} desk */
export function createSellAll(root, desk) {
  /** @type {Context} */
  let context;
  let shown = false;
  let arriving = false;
  /** @type {Status | null} */
  let status = null;
  /** Où en est la vente ; ce qui en a été répondu ne vaut que tant qu'elle en est là. @type {'selling' | 'done' | null} */
  let stage = null;

  const does = el('h3', { tabindex: '-1' });
  const doesList = el('ul', { class: 'steps' });
  const doesNot = el('h3');
  const doesNotList = el('ul', { class: 'steps' });
  const button = el('button', { type: 'button', class: 'danger' });
  const before = el('div', { class: 'act' }, does, doesList, doesNot, doesNotList, el('div', { class: 'line' }, button));
  const since = el('p');
  const stopping = el('p', { class: 'sub' });
  const left = el('h3');
  const leftList = el('ul', { class: 'steps' });
  const during = el('div', { class: 'act' }, since, stopping, left, leftList);
  const output = el('p', { class: 'outcome', role: 'status', hidden: '' });
  root.append(before, during, output);

  button.addEventListener('click', async () => {
    const { words } = context;
    const question = {
      title: words.say('sell_all.ask'),
      lines: [...DOES.slice(0, status?.state === 'DEAD' ? 1 : 2), ...DOES_NOT.slice(0, 1)].map((key) => words.say(key)).concat(words.say('sell_all.undo')),
      yes: words.say('sell_all.yes'),
      no: words.say('confirm.no'),
      danger: true,
    };
    const command = { question, method: /** @type {const} */ ('POST'), path: 'api/agent/sell-all', body: { understood: true } };
    const done = await run(desk, command, { buttons: [button], output }, () => context);
    if (done && stage !== 'done') tellDone(output, context.words.say('sell_all.begun'), context);
  });

  return {
    shows: () => shown || Boolean(status?.selling_all),
    show() {
      shown = true;
      arriving = true;
    },
    /** @param {Status | null} next @param {Context} nextContext */
    update(next, nextContext) {
      status = next;
      context = nextContext;
      const { words, format, now } = context;
      const selling = status?.selling_all ?? null;
      const reached = selling && (selling.done ? 'done' : 'selling');
      if (stage !== reached && reached !== 'selling') tell(output, null, 'quiet');
      stage = reached;
      before.hidden = !shown || selling !== null;
      during.hidden = selling === null;
      setText(does, words.say('sell_all.does'));
      setText(doesNot, words.say('sell_all.does_not'));
      setText(button, words.say('sell_all.button'));
      // Un mort ne se met pas en pause.
      tellAll(doesList, DOES.slice(0, status?.state === 'DEAD' ? 1 : 2).map((key) => words.say(key)));
      tellAll(doesNotList, DOES_NOT.map((key) => words.say(key)));
      if (arriving) does.focus();
      arriving = false;
      if (!selling) return;
      setText(since, `${words.say(selling.done ? 'selling.done' : 'selling.text')} ${words.say('sell_all.since', { time: format.at(parseUtc(selling.since), now) })}`);
      stopping.hidden = selling.done || status?.state === 'DEAD';
      setText(stopping, words.say('sell_all.stopping'));
      setText(left, words.say(selling.left.length ? 'sell_all.left' : 'sell_all.nothing_left'));
      tellAll(leftList, selling.left.map((line) => tellLeft(line, context)));
    },
  };
}

/** @param {Element} list @param {string[]} texts */
function tellAll(list, texts) {
  syncList(list, texts.map((text, i) => ({ key: String(i), text })), ({ key }) => key, () => {
    const node = el('li');
    return { node, update: ({ text }) => setText(node, text) };
  });
}
