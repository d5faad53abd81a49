// La poussière : une position trop petite pour que Binance en laisse rien vendre d'utile. Pur.

import { isKnown } from './format.js';

const DUST_USDC = 1;

/** @param {import('./api.js').Position} position une valeur inconnue n'en fait pas une poussière */
export const isDust = ({ value_usdt: value }) => isKnown(value) && value < DUST_USDC;
