// Les détails : l'agent, le leader, la dernière lecture, et de quoi la valeur est faite.

import { find, setText, setTextOrHide } from './dom.js';
import { UNKNOWN, fromSeconds, parseUtc } from './format.js';
import { setChip } from './section.js';
import { isDead } from './situation.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./section.js').Tone} Tone */
/** @typedef {import('./situation.js').Parts} Parts */
/** @typedef {import('./words.js').Key} Key */

/** @param {HTMLElement} root */
export function createDetails(root) {
  /** @param {string} name */
  const at = (name) => find(root, `[data-fact="${name}"]`);
  const trading = find(root, 'div:has(> dd > [data-fact="trading"])');

  /** @param {Parts} parts @param {Context} context */
  function tellAgent(parts, { words, format, now }) {
    const status = parts.status.data;
    setChip(at('agent'), ...chipOf(agentState(parts), words));
    const open = parts.exchange.data?.trading_open ?? null;
    // Un mort n'échange plus rien de lui-même ; ce qui fermerait la vente de ce qui reste se dit encore.
    trading.hidden = open === null || (open && isDead(parts));
    setChip(at('trading'), words.say(open ? 'trading.open' : 'trading.closed'), open ? 'good' : 'bad');
    setChip(at('leader'), ...chipOf(leaderState(status), words));
    // Ce qu'il en dit, sinon quand on l'a reçu.
    const said = parseUtc(status?.leader.said_at);
    const signal = said ?? parseUtc(status?.leader.last_signal_at);
    const when = { time: format.at(signal, now), ago: format.ago(signal, now) };
    const signalText = words.say(signal === null ? 'leader.no_signal' : said === null ? 'leader.received' : 'leader.said', when);
    setText(at('last-signal'), status ? signalText : UNKNOWN);
    const poll = status?.last_poll?.status;
    const key = /** @type {Key} */ (`poll.${poll}`);
    const told = words.say(key);
    const age = format.ago(fromSeconds(status?.last_poll_time), now);
    // Sans mots à nous, celui du programme.
    setText(at('poll'), told === key ? (poll ?? UNKNOWN) : `${told} (${age})`);
  }

  /** @param {Parts} parts @param {Context} context */
  function tellMoney({ budget: { data: budget } }, { words, format }) {
    setText(at('cash'), format.usdc(budget?.cash_usdt));
    setText(at('portfolio'), format.usdc(budget?.portfolio_usdt));
    setText(at('deposited'), format.eur(budget?.total_deposited_eur));
    setText(at('withdrawn'), format.eur(budget?.withdrawn_eur));
    // Seule la version Python en notait là : ce que ce programme a vu partir est parmi les mouvements.
    at('withdrawn').parentElement?.toggleAttribute('hidden', budget?.withdrawn_eur === 0);
    setText(at('rate'), format.rate(budget?.eurusdc_rate));
    const initial = budget?.initial_total_eur && budget.initial_total_eur !== budget.total_deposited_eur
      ? words.say('value.initial', { amount: format.eur(budget.initial_total_eur) })
      : null;
    setTextOrHide(at('initial'), initial);
  }

  return {
    /** @param {Parts} parts @param {Context} context */
    update(parts, context) {
      const stale = [parts.status, parts.budget].some((part) => part.at !== null && part.stale);
      root.classList.toggle('stale', stale);
      tellAgent(parts, context);
      tellMoney(parts, context);
    },
  };
}

/** @param {[Key, Tone]} state @param {Context['words']} words @returns {[string, Tone]} */
const chipOf = ([key, tone], words) => [words.say(key), tone];

/** @param {Parts} parts @returns {[Key, Tone]} */
function agentState(parts) {
  const { budget, status } = parts;
  if (!budget.data && !status.data) return ['mode.unknown', 'quiet'];
  if (isDead(parts)) return ['agent.dead', 'bad'];
  if (status.data?.paused ?? budget.data?.paused) return ['agent.paused', 'warn'];
  return status.data && !status.data.running ? ['agent.stopped', 'bad'] : ['agent.active', 'good'];
}

/** @param {import('./api.js').Status | null} status @returns {[Key, Tone]} */
function leaderState(status) {
  if (!status) return ['mode.unknown', 'quiet'];
  // Un signal illisible est une réponse.
  if (status.leader.connected || status.last_poll?.status === 'invalid_signal') return ['leader.connected', 'good'];
  return status.last_poll ? ['leader.disconnected', 'bad'] : ['leader.not_asked', 'quiet'];
}
