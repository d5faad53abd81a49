// Les nombres, les montants et les dates tels qu'on les lit, en français et en anglais.
// Pur : ni page, ni horloge, ni réseau ; l'heure est toujours un argument, en millisecondes.
// Invariant : ce qui n'est pas connu (null, absent, NaN) s'écrit « — », jamais 0.

export const UNKNOWN = '—';

/** @typedef {'fr' | 'en'} Lang */
/** @typedef {number | null | undefined} Maybe */
/** @typedef {ReturnType<typeof createFormat>} Format */

const LOCALES = { fr: 'fr-FR', en: 'en-GB' };
/** Aujourd'hui, un autre jour. */
const AT = { fr: ['à', 'le'], en: ['at', 'on'] };
const NBSP = '\u00a0';

// Un âge est ce qui est passé, jamais arrondi vers le haut, et aux mêmes unités que le programme (domain/recourse.rs).
const UNITS = /** @type {const} */ (['day', 'hour', 'minute', 'second']);
const SECONDS = [86400, 3600, 60, 1];
const LEAST = [172800, 7200, 120, 0];

/** @param {unknown} value @returns {value is number} */
export const isKnown = (value) => typeof value === 'number' && Number.isFinite(value);

/**
 * Les heures de l'API sont en UTC sans le dire : `YYYY-MM-DD HH:MM:SS`.
 * @param {unknown} text
 * @returns {number | null} millisecondes, ou null si ce n'est pas une telle heure
 */
export function parseUtc(text) {
  if (typeof text !== 'string') return null;
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?Z?$/.exec(text);
  if (!parts) return null;
  const time = Date.parse(`${parts[1]}T${parts[2]}Z`);
  return Number.isNaN(time) ? null : time;
}

/** @param {Maybe} seconds secondes Unix @returns {number | null} */
export const fromSeconds = (seconds) => (isKnown(seconds) ? seconds * 1000 : null);

/** @param {string} pair `BTCUSDC` @returns {string} `BTC` */
export const coinName = (pair) => (/^.+USDC$/.test(pair) ? pair.slice(0, -4) : pair);

/** @param {Lang} lang */
export function createFormat(lang) {
  const locale = LOCALES[lang];
  /** @param {Intl.NumberFormatOptions} options */
  const numbers = (options) => new Intl.NumberFormat(locale, options);
  /** @param {Intl.DateTimeFormatOptions} options */
  const dates = (options) => new Intl.DateTimeFormat(locale, options);

  const euros = { style: /** @type {const} */ ('currency'), currency: 'EUR' };
  const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const signed = { signDisplay: /** @type {const} */ ('exceptZero') };
  const tenth = { style: /** @type {const} */ ('percent'), minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const eurNumber = numbers(euros);
  const eurSignedNumber = numbers({ ...euros, ...signed });
  const eurRound = numbers({ ...euros, maximumFractionDigits: 0 });
  const plain = numbers(cents);
  const plainSigned = numbers({ ...cents, ...signed });
  const fine = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 4 });
  const significant = numbers({ maximumSignificantDigits: 6 });
  const eight = numbers({ maximumFractionDigits: 8 });
  const rateNumber = numbers({ ...euros, minimumFractionDigits: 4, maximumFractionDigits: 4 });
  const percentNumber = numbers({ ...tenth, ...signed });
  const shareNumber = numbers(tenth);
  const integer = numbers({ maximumFractionDigits: 0 });
  const time = dates({ hour: '2-digit', minute: '2-digit' });
  const dayTime = dates({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const fullTime = dates({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
  const day = dates({ day: 'numeric', month: 'short' });
  const month = dates({ month: 'short', year: '2-digit' });
  const units = UNITS.map((unit) => numbers({ style: 'unit', unit, unitDisplay: 'long' }));
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short' });

  /** Ni « −0,00 », ni un zéro à la place d'un très petit montant. @param {number} value @param {Intl.NumberFormat} as */
  function money(value, as) {
    if (value > 0 && value < 0.005) return `<${NBSP}${as.format(0.01)}`;
    return as.format(Math.abs(value) < 0.005 ? 0 : value);
  }

  /** L'unité qui reste lisible, et combien en sont passées. @param {number} seconds */
  function passed(seconds) {
    const rank = LEAST.findIndex((least) => seconds >= least);
    return { rank, count: Math.floor(seconds / SECONDS[rank]) };
  }

  /** @param {number} value @returns {string} */
  function priceText(value) {
    if (Math.abs(value) >= 1000) return plain.format(value);
    return Math.abs(value) >= 1 ? fine.format(value) : significant.format(value);
  }

  /** @param {(value: number) => string} write @returns {(value: Maybe) => string} */
  const known = (write) => (value) => (isKnown(value) ? write(value) : UNKNOWN);

  /**
   * L'heure du lecteur : sans le jour si c'est aujourd'hui, avec l'année si c'est une autre année.
   * @param {Maybe} ms @param {number} now
   */
  function moment(ms, now) {
    if (!isKnown(ms)) return UNKNOWN;
    const [then, today] = [new Date(ms), new Date(now)];
    if (then.toDateString() === today.toDateString()) return time.format(ms);
    return (then.getFullYear() === today.getFullYear() ? dayTime : fullTime).format(ms);
  }

  return {
    eur: known((value) => money(value, eurNumber)),
    eurSigned: known((value) => eurSignedNumber.format(value)),
    usdc: known((value) => `${money(value, plain)}${NBSP}USDC`),
    usdcSigned: known((value) => `${plainSigned.format(value)}${NBSP}USDC`),
    /** Des pour-cent tels que l'API les donne : 8.4 s'écrit « +8,4 % ». */
    percentSigned: known((value) => percentNumber.format(value / 100)),
    /** Une part entre 0 et 1 : 0.4 s'écrit « 40,0 % ». */
    share: known((value) => shareNumber.format(value)),
    price: known(priceText),
    quantity: known((value) => eight.format(value)),
    rate: known((value) => rateNumber.format(value)),
    count: known((value) => integer.format(value)),

    /** Une graduation en euros ; `step` décide des centimes. @param {number} value @param {number} step */
    eurTick: (value, step) => (step < 1 ? eurNumber : eurRound).format(value),

    /** Une graduation de temps. @param {number} ms @param {'minute' | 'hour' | 'day' | 'month'} unit */
    timeTick: (ms, unit) => (unit === 'month' ? month : unit === 'day' ? day : time).format(ms),

    moment,
    /** « à 04:51 », « le 9 nov., 04:51 ». @param {Maybe} ms @param {number} now */
    at(ms, now) {
      const said = moment(ms, now);
      // Une heure sans son jour a cinq signes ; ce qui n'est pas connu, un seul.
      return said === UNKNOWN ? said : `${AT[lang][Number(said.length > 5)]} ${said}`;
    },

    /** « 2 minutes » ; l'unité qui reste lisible. @param {Maybe} seconds */
    duration: known((seconds) => {
      const { rank, count } = passed(seconds);
      return units[rank].format(count);
    }),

    /** « il y a 40 s ». @param {Maybe} ms @param {number} now */
    ago(ms, now) {
      if (!isKnown(ms)) return UNKNOWN;
      const { rank, count } = passed(Math.max(0, (now - ms) / 1000));
      return relative.format(-count, UNITS[rank]);
    },
  };
}
