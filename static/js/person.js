// La porte de ce qu'une personne décide, et qui est rare : ses gestes et ses mots ne sont lus que lorsqu'il en faut un.
// Une lecture manquée est dite à qui l'a demandée, et refaite plus tard pour ce que la page a remarqué d'elle-même.

import { tell } from './command.js';
import { find } from './dom.js';
import { failureText } from './section.js';
import { isDead, ledgerTrouble, unfollowed } from './situation.js';

/** @typedef {import('./section.js').Context} Context */
/** @typedef {import('./situation.js').Parts} Parts */
/** @typedef {ReturnType<typeof import('./person/all.js').createAll>} All */

/** Le montant sous lequel Binance ne vend rien, en USDC. */
const LEAST_SALE = 5;

const DOORS = /** @type {const} */ (['withdraw', 'sell-all', 'stop-loss']);

/**
 * @param {Document} page @param {import('./command.js').Desk} desk
 * @param {{widen: (again: string) => Promise<void>}} language @param {() => void} render aussitôt : ce qui vient d'être posé n'a pas encore de mots
 */
export function createPerson(page, desk, language, render) {
  /** @type {Context} */
  let context;
  /** @type {All | null} */
  let all = null;
  /** @type {Promise<void> | null} */
  let opening = null;
  let failures = 0;

  /** @returns {Promise<void>} */
  function open() {
    // Une adresse neuve à chaque essai : un navigateur garde aussi l'échec d'une lecture.
    const again = failures ? `?${failures}` : '';
    const path = `./person/all.js${again}`;
    opening ??= Promise.all([import(path), language.widen(again)]).then(
      ([{ createAll }]) => {
        all = createAll(page, desk);
        render();
      },
      () => {
        opening = null;
        failures += 1;
      },
    );
    return opening;
  }

  /** Vrai une fois lu ; sinon c'est dit là. @param {HTMLElement} output */
  async function opened(output) {
    await open();
    if (!all) tell(output, failureText({ kind: 'network', status: null, message: null }, context), 'bad');
    return all !== null;
  }

  const doors = DOORS.map((name) => {
    const door = find(page, `#${name}`);
    const button = find(door, 'button');
    button.addEventListener('click', async () => {
      if (await opened(find(door, '.outcome'))) all?.show(name);
      render();
    });
    return { name, door, button };
  });

  const money = find(page, '#money');
  money.addEventListener('focusin', () => void open());
  money.addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    // Une fois lu, le formulaire est à lui (person/money.js).
    if (all || !(form instanceof HTMLFormElement)) return;
    if (await opened(find(form, '.outcome'))) form.requestSubmit();
  });

  return {
    all: () => all,
    /**
     * @param {Parts} parts @param {Context} next
     * @returns {import('./situation.js').Notice[] | null} ce dont une personne décide ; null : pas encore de quoi le dire
     */
    update(parts, next) {
      context = next;
      const needed = isNeeded(parts);
      if (needed || isScant(parts)) void open();
      all?.update(parts, context);
      for (const { name, door, button } of doors) {
        door.hidden = !isOffered(name, parts) || !isUseful(name, parts);
        button.hidden = all?.shows(name) ?? false;
      }
      if (all) return all.decisionsOf(parts, context);
      return needed ? null : [];
    },
  };
}

/** Le retrait ouvert, s'il y en a un. @param {import('./api.js').Withdrawals | null | undefined} data */
export const openWithdrawal = (data) => data?.withdrawals.find(({ can_cancel: open }) => open);

/** Les monnaies de l'allocation visée qu'une personne a réglées au dehors. @param {Parts} parts */
export const leftByHand = ({ orders, status }) =>
  (orders.data ?? []).filter(({ by_hand: hand, signal_id: id }) => hand === 'settled' && id === status.data?.target?.signal_id).map(({ coin }) => coin);

/** Pourquoi l'allocation visée n'est pas encore atteinte. @param {import('./api.js').Status | null} status */
export const unreached = (status) => status?.target?.waiting_for ?? null;

/** Si peu de capital que les minima de la bourse peuvent décider de ce qui est suivi : 1 % de 500 € est le moindre ordre. @param {Parts} parts */
export const isScant = ({ budget: { data } }) => Number(data?.drift_pct) > 1 && Number(data?.total_value_eur ?? NaN) < 500;

/** Le compte a de cet actif plus que les livres. @param {import('./api.js').Balance} line */
export const isSurplus = ({ beyond }) => (beyond ?? 0) > 0;

/** Un programme plus ancien ne sait pas le faire. @param {typeof DOORS[number]} name @param {Parts} parts */
const isOffered = (name, { budget, status }) =>
  (name === 'withdraw' ? budget.data?.set_aside_usdc : status.data?.[name === 'sell-all' ? 'selling_all' : 'stop_loss']) !== undefined;

/** D'un mort, rien ne tombe plus ; ce qui est sous le minimum ne se vend pas. @param {typeof DOORS[number]} name @param {Parts} parts */
export const isUseful = (name, parts) => !isDead(parts) || name === 'withdraw' || (name === 'sell-all' && (isSellable(parts) || Boolean(parts.status.data?.selling_all)));

/** Une position est assez grande pour que la bourse la vende, ou l'est peut-être. @param {Parts} parts */
export const isSellable = ({ positions }) => positions?.data?.some(({ value_usdt: value }) => value === null || value >= LEAST_SALE) ?? true;

/** Quelque chose attend une personne. @param {Parts} parts */
function isNeeded(parts) {
  const { exchange, orders, status, withdrawals } = parts;
  const { not_alone: copies, reconciliation, takeover, trading_open: trading, closed_reason: closed, silence, clock, checks } = exchange.data ?? {};
  return Boolean(
    ledgerTrouble(parts) ||
      isDead(parts) ||
      copies ||
      takeover?.length ||
      trading === false ||
      closed ||
      silence ||
      clock?.warning ||
      checks?.some(({ verdict }) => verdict === 'fault') ||
      orders.data?.some((order) => order.needs_person) ||
      reconciliation?.some((line) => line.missing || isSurplus(line)) ||
      status.data?.selling_all ||
      status.data?.paused_reason ||
      status.data?.stop_loss?.pct ||
      status.data?.old_target ||
      unreached(status.data) ||
      leftByHand(parts).length ||
      unfollowed(parts) ||
      // Ce que le leader montre et qui n'est pas suivi : ancien, expiré, changé, trop nombreux.
      /[dy]_signals?$/.test(status.data?.last_poll?.status ?? '') ||
      openWithdrawal(withdrawals?.data),
  );
}
