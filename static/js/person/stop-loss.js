// La perte que l'on se fixe : ce qu'elle fait, de quoi elle ne protège pas, lus là où elle se met ; puis où l'on en est.

import { run, tell } from '../command.js';
import { el, setText, setTextOrHide } from '../dom.js';
import { isKnown } from '../format.js';
import { readEuros } from './euros.js';
import { tellDone } from './outcomes.js';

/** @typedef {import('../section.js').Context} Context */
/** @typedef {import('../api.js').Status} Status */
/** @typedef {import('../api.js').StopLoss} StopLoss */
/** @typedef {import('../words.js').Key} Key */

// Ce que le programme accepte (domain/stop_loss.rs).
const [LEAST, MOST] = [1, 90];

/** Les lectures de suite qui décident (domain/survival.rs). */
const READINGS = 5;

/** @type {Key[]} */
const DOES = ['stop_loss.sells', 'stop_loss.highest', 'stop_loss.resumes'];
/** @type {Key[]} */
const DOES_NOT = ['stop_loss.gaps', 'stop_loss.away', 'stop_loss.halted', 'stop_loss.dust'];

/**
 * La limite tapée, en pour cent.
 * @param {string} text @returns {{ok: true, pct: number} | {ok: false, why: Key}}
 */
export function readLimit(text) {
  const read = readEuros(text.replace('%', ''));
  if (!read.ok) return { ok: false, why: 'stop_loss.unreadable' };
  return read.value >= LEAST && read.value <= MOST ? { ok: true, pct: read.value } : { ok: false, why: 'stop_loss.range' };
}

/** Où l'on en est, en phrases. @param {StopLoss} stop @param {Context} context @returns {string[]} */
export function tellStopLoss({ pct, set_by: by, env_pct: configured, below_highest_pct: below }, { words, format }) {
  const share = (/** @type {number} */ percent) => format.share(percent / 100);
  const told = [];
  if (!isKnown(pct)) told.push(words.say('stop_loss.none'));
  else told.push(words.say(by === 'env' ? 'stop_loss.on_env' : 'stop_loss.on', { limit: share(pct) }));
  if (isKnown(pct)) told.push(isKnown(below) ? words.say('stop_loss.now', { fall: share(below) }) : words.say('stop_loss.no_highest'));
  if (by === 'page' && isKnown(configured) && configured !== pct) told.push(words.say('stop_loss.env', { limit: share(configured) }));
  return told;
}

/** @param {HTMLElement} root @param {import('../command.js').Desk} desk */
export function createStopLoss(root, desk) {
  /** @type {Context} */
  let context;
  /** @type {Status | null} */
  let status = null;
  let shown = false;
  let arriving = false;

  const title = el('h3', { tabindex: '-1' });
  const state = el('p');
  const lists = [el('ul', { class: 'steps' }), el('ul', { class: 'steps' })];
  const doesNot = el('h3');
  const output = el('p', { id: 'stop-loss-outcome', class: 'outcome', role: 'alert', hidden: '' });
  const label = el('label', { for: 'stop-loss-pct' });
  const input = el('input', { id: 'stop-loss-pct', inputmode: 'decimal', autocomplete: 'off', maxlength: '8', 'aria-describedby': output.id });
  const set = el('button');
  const off = el('button', { type: 'button' });
  const form = el('form', { novalidate: '' }, label, el('div', { class: 'line' }, input, set, off));
  const panel = el('div', { class: 'act' }, title, state, lists[0], doesNot, lists[1], form, output);
  root.append(panel);

  /** Les phrases de ces clés, avec le temps que prennent les lectures. @param {Key[]} keys */
  function say(...keys) {
    const { words, format } = context;
    const pace = status?.poll_interval_seconds;
    const duration = format.duration(isKnown(pace) ? READINGS * pace : null);
    return keys.map((key) => words.say(key, { duration }));
  }

  const isOn = () => isKnown(status?.stop_loss?.pct);

  /** @param {number} pct 0 : aucune */
  async function ask(pct) {
    const { words, format } = context;
    const question = {
      title: pct ? words.say('stop_loss.ask', { limit: format.share(pct / 100) }) : words.say('stop_loss.ask_off'),
      lines: pct ? say('stop_loss.sells', 'stop_loss.gaps') : [words.say('stop_loss.off_what')],
      yes: words.say(pct ? 'stop_loss.set' : 'stop_loss.off'),
      no: words.say('confirm.no'),
      danger: pct > 0 && status?.mode === 'live',
    };
    const command = { question, method: /** @type {const} */ ('PUT'), path: 'api/agent/stop-loss', body: { pct } };
    const typed = input.value;
    const done = await run(desk, command, { buttons: [set, off], output }, () => context);
    if (!done) return;
    if (input.value === typed) input.value = '';
    tellDone(output, tellStopLoss(done.stop_loss, context)[0], context);
  }

  input.addEventListener('input', () => {
    input.removeAttribute('aria-invalid');
    tell(output, null, 'quiet');
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const limit = readLimit(input.value);
    if (limit.ok) return void ask(limit.pct);
    input.setAttribute('aria-invalid', 'true');
    tell(output, context.words.say(limit.why), 'bad');
    input.focus();
  });
  off.addEventListener('click', () => void ask(0));

  return {
    shows: () => shown || isOn(),
    show() {
      shown = true;
      arriving = true;
    },
    /** @param {Status | null} next @param {Context} nextContext */
    update(next, nextContext) {
      status = next;
      context = nextContext;
      const { words } = context;
      const stop = status?.stop_loss;
      panel.hidden = !stop || status?.state === 'DEAD' || !(shown || isOn());
      if (!stop) return;
      setText(title, words.say('stop_loss.title'));
      setText(state, tellStopLoss(stop, context).join(' '));
      setText(doesNot, words.say('stop_loss.does_not'));
      [DOES, DOES_NOT].forEach((keys, i) => fill(lists[i], say(...keys)));
      setText(label, words.say('stop_loss.label'));
      setText(set, words.say('stop_loss.set'));
      setTextOrHide(off, isOn() ? words.say('stop_loss.off') : null);
      if (arriving) title.focus();
      arriving = false;
    },
  };
}

/** @param {Element} list @param {string[]} texts toujours autant */
function fill(list, texts) {
  while (list.children.length < texts.length) list.append(el('li'));
  texts.forEach((text, i) => setText(list.children[i], text));
}
