// Ce que le programme dit en anglais, en français : chaque forme est une phrase qu'il écrit, et ses chiffres y restent.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { bare } from '../../static/js/command.js';
import { warningOf } from '../../static/js/person/understood.js';
import { SHAPES, tell } from '../../static/js/person/told-fr.js';

const src = new URL('../../src/', import.meta.url);
/** Les phrases des sources, chacune sur une ligne. */
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.rs'))
  .map((name) => readFileSync(new URL(name, src), 'utf8'))
  .join('\n')
  .replace(/\\\n\s*/g, '')
  .replace(/\\"/g, '"');
const plain = (/** @type {string} */ text) => text.replace(/[\u00a0\u202f]/g, ' ');

const COPIED = 'what is written now is in no file any more; a copy of it is data/backups/c.db: stop calvalot (not by a kill), which brings that copy up to date, then `calvalot restore data/backups/c.db`';
const ELSE = 'book it as the page of the exchange shows it, or settle it';
const DOUBT = ' (an order in doubt may have spent 12.50 USDC of it)';
const WAY = 'send "understood": true if that is what you want; nothing was changed';

/** @type {[string, string[], string][]} la phrase telle que le programme l'écrit, ce qu'il met dans ses trous, en français */
const SAID = [
  ['{requested:.2} EUR is more than the value of {:.2} EUR{doubt}: nothing was changed', ['5000.00', '1004.00', ''], '5 000,00 €, c’est plus que la valeur, 1 004,00 €.'],
  ['{requested:.2} EUR is more than the value of {:.2} EUR{doubt}: nothing was changed', ['5000.00', '1004.00', DOUBT], '5 000,00 €, c’est plus que la valeur, 1 004,00 € (un ordre en doute en a peut-être dépensé 12,50 USDC).'],
  ['of the value of {:.2} EUR at most {:.2} can be taken out now: selling costs, dust and halted pairs stay{doubt}; ask for that, or for all', ['100.00', '98.50', ''], 'Sur la valeur de 100,00 €, 98,50 € au plus peuvent sortir maintenant : vendre coûte, la poussière et les paires arrêtées restent. Demandez cela, ou tout.'],
  ['there is nothing to take out{doubt}', [''], 'Il n’y a rien à sortir.'],
  ['withdrawal {id} is still open: take it out, or call it off first', ['3'], 'Le retrait n° 3 est encore ouvert : sortez-le, ou annulez-le d’abord.'],
  ['withdrawal {id} is not open: nothing to call off', ['3'], 'Le retrait n° 3 n’est plus ouvert : il n’y a rien à annuler.'],
  ['withdrawal {id} does not wait to be taken out', ['3'], 'Le retrait n° 3 n’attend pas d’être sorti.'],
  ['only {:.2} USDC of withdrawal {id} are still to be taken out: nothing was changed', ['99.77', '3'], 'Du retrait n° 3, il ne reste que 99,77 USDC à sortir.'],
  ['amount_eur must be above 0, at most 1000000, in cents', [], 'Un montant est de plus de 0 €, et de 1 000 000,00 € au plus, au centime près.'],
  ['the value is not known now ({reason}): nothing was changed, try again in a few minutes', ['unknown price BTCUSDC: no answer'], 'La valeur n’est pas connue en ce moment. Réessayez dans quelques minutes.'],
  ['the value is not known now ({reason}): nothing was changed; withdrawals wait for {assets}: what never has a price again is moved or converted on the exchange, then written off (in a simulation it can be written off after a day)', ['unknown price XRPUSDC: no answer', 'XRP'], 'Un retrait attend le prix de XRP. S’il ne revient jamais, déplacez ou convertissez cela chez Binance, puis retirez-le des livres (en simulation : après un jour).'],
  ['the opening is not booked yet: nothing was changed', [], 'Le capital de départ n’est pas encore inscrit.'],
  ['the EUR rate or the hour is not known now, so nothing was booked: try again in a few minutes', [], 'Le taux EUR/USDC, ou l’heure, n’est pas connu en ce moment. Réessayez dans quelques minutes.'],
  ['the account holds {beyond:.2} USDC more than the books, so {:.2} EUR at most can be counted: bring the money to Binance first, nothing was changed', ['125.00', '100.00'], 'Le compte Binance tient 125,00 USDC de plus que les livres : 100,00 € au plus peuvent être comptés. Apportez d’abord l’argent sur Binance.'],
  ['{gone} {name} is missing now, not {quantity}: look again, nothing was changed', ['0.5', 'BTC', '0.4'], 'Il manque maintenant 0,5 BTC, et non 0,4 : regardez de nouveau.'],
  ['the account has {beyond} {name} free beyond the books, not {quantity}: look again, nothing was changed', ['0.5', 'BTC', '0.4'], 'Le compte Binance a 0,5 BTC libres de plus que les livres, et non 0,4 : regardez de nouveau.'],
  ['the books hold {held} {name}, not {quantity}: look again, nothing was changed', ['0.5', 'BTC', '0.4'], 'Les livres tiennent 0,5 BTC, et non 0,4 : regardez de nouveau.'],
  ['the price or the rules of {coin} have been unknown for less than a day and may come back: nothing was changed', ['XRPUSDC'], 'Le prix ou les règles de XRP manquent depuis moins d’un jour, et peuvent revenir.'],
  ['the price of {coin} is not known now, so nothing was booked: try again in a few minutes', ['BTCUSDC'], 'Le prix de BTC n’est pas connu en ce moment. Réessayez dans quelques minutes.'],
  ['the price of BNB is not known now: try again in a minute', [], 'Le prix de BNB n’est pas connu en ce moment. Réessayez dans quelques minutes.'],
  ["the account has orders of calvalot's that the books do not have: adopt them or leave them outside first, nothing was changed", [], 'Le compte Binance a des ordres de ce programme que les livres n’ont pas : reprenez-les ou laissez-les dehors d’abord.'],
  ['there is nothing to confirm: nothing was changed', [], 'Il n’y a rien à confirmer.'],
  ['a simulation has no account to compare the books with: nothing was changed', [], 'Une simulation n’a pas de compte auquel se comparer.'],
  ['an order that waits for a person may have changed what there is of {name}: release, book or settle it first, nothing was changed', ['BTC'], 'Un ordre qui vous attend a peut-être changé ce qu’il y a de BTC : libérez-le, inscrivez-le ou réglez-le d’abord.'],
  ['an order in doubt may have changed what there is of {name}: wait until it is known, nothing was changed', ['BTC'], 'Un ordre en doute a peut-être changé ce qu’il y a de BTC : attendez qu’il soit connu.'],
  ['the account was not compared with the books just now: try again after the next poll', [], 'BTC : le compte Binance n’a pas été comparé aux livres à l’instant. Réessayez après la prochaine lecture.'],
  ['the books hold less {} than that: nothing was changed', ['BTCUSDC'], 'Les livres tiennent moins de BTC que cela.'],
  ['{:.2} USDC are kept for a withdrawal: the {free:.2} left do not cover this {word} of {taken:.2}; take them out once they are set aside, or call it off first, nothing was changed', ['60.00', '4.00', 'correction', '10.00'], '60,00 USDC sont réservés à un retrait : les 4,00 USDC qui restent ne couvrent pas 10,00 USDC. Sortez-les une fois mis de côté, ou annulez le retrait d’abord.'],
  ['an order in doubt may have spent {:.2} of the {:.2} USDC of cash: the {free:.2} left do not cover this {word} of {taken:.2}; wait until that order is known, nothing was changed', ['20.00', '30.00', '10.00', 'correction', '15.00'], 'Un ordre en doute a peut-être dépensé 20,00 USDC des 30,00 USDC de cash : les 10,00 USDC qui restent ne couvrent pas 15,00 USDC. Attendez qu’il soit connu.'],
  ['the cash of {free:.2} USDC does not cover this {word} of {taken:.2}: nothing was changed', ['4.00', 'correction', '10.00'], 'Le cash, 4,00 USDC, ne couvre pas 10,00 USDC.'],
  ['{}, and trades no more: what is brought to it would only lie there; begin a new ledger with another DB_PATH, nothing was changed', ['the agent is DEAD: its value fell below 5 EUR'], 'L’agent est mort, sa valeur est passée sous 5 € : ce qu’on lui apporte y dormirait. Commencez un nouveau grand livre, avec un autre DB_PATH.'],
  ['the agent is DEAD: its value fell below 5 EUR', [], 'L’agent est mort : sa valeur est passée sous 5 €.'],
  ['quantity and usdc must be above 0, and fee not below', [], 'La quantité et le total sont de plus de zéro, les frais de zéro ou plus.'],
  ['this order was to sell {most} {asset}, and {} is more: check quantity', ['0.065', 'BNB', '9999'], 'Cet ordre devait vendre 0,065 BNB, et 9 999, c’est plus : vérifiez la quantité.'],
  ['this order was to spend {most} USDC, and {} is more: check usdc', ['24.5', '245'], 'Cet ordre devait dépenser 24,50 USDC, et 245,00 USDC, c’est plus : vérifiez le total.'],
  ['that is {} USDC for one {}, and one costs {now} now: check quantity and usdc', ['68.2', 'BTC', '68000'], 'Cela fait 68,20 USDC pour un BTC, qui en coûte 68 000,00 maintenant : vérifiez la quantité et le total.'],
  ["fee_asset is the asset's name in capitals, like USDC or BNB", [], 'La monnaie des frais se dit en capitales : USDC, BNB…'],
  ['a fee of {} {} is more than was traded: check fee', ['69', 'USDC'], 'Des frais de 69,00 USDC, c’est plus que l’échange : vérifiez les frais.'],
  ['there is no such order', [], 'Cet ordre n’existe pas.'],
  ['there is no order {id}', ['7'], 'Cet ordre n’existe pas.'],
  ['this order does not wait for a person in that way', [], 'Cet ordre n’attend plus cela de personne.'],
  ['this order was never sent', [], 'Cet ordre n’est jamais parti.'],
  ['nothing was changed, what the exchange tells cannot be counted: {reason}; {else_}', ['order 7 bears its name and is another order', ELSE], 'Ce que dit la bourse ne se compte pas. L’ordre n° 7 porte son nom, et en est un autre. Inscrivez-le à la main, ou tenez-le pour réglé.'],
  ['nothing was changed: {reason}; try again, or look at it on the exchange and {else_}', ['the exchange cannot be reached: timed out', ELSE], 'Binance est injoignable (timed out). Réessayez ; ou regardez-le chez Binance, puis inscrivez-le à la main ou tenez-le pour réglé.'],
  ['nothing was changed: the exchange says that it does not know this order, and {trace}; try again, or look at it on the exchange and {else_}', ['the list of orders has it as 7', ELSE], 'Binance dit ne pas connaître cet ordre. La liste des ordres de Binance l’a, sous le n° 7. Réessayez ; ou regardez-le chez Binance, puis inscrivez-le à la main ou tenez-le pour réglé.'],
  ["no order under this ledger's name is unknown to it", [], 'Il n’y a plus d’ordre que ce grand livre ne connaisse pas.'],
  ["no order under a name of calvalot's is unknown to this ledger", [], 'Il n’y a plus d’ordre que ce grand livre ne connaisse pas.'],
  ['order {id} could not be adopted, {done} were: {reason}; try again, or leave what is left of them outside', ['7', '2', 'the exchange executed 3, and shows trades for 1 so far'], 'L’ordre 7 n’a pas pu être repris ; 2 l’ont été. Binance dit en avoir exécuté 3, et n’en montre encore que 1. Réessayez, ou laissez dehors ce qui en reste.'],
  ["the account has orders under this ledger's name that it does not know ({orders}): this ledger is older than the account, or a second copy of it trades; stop the other copy, then adopt them", ['2 orders, the first BUY BTCUSDC cal-1f-12-1 of 2026-01-02 03:04:05 UTC'], 'Votre décision sur les ordres à son nom qu’il ne connaît pas (2, le premier : achat de BTC, cal-1f-12-1, le 2026-01-02 03:04:05 UTC).'],
  ['another ledger of calvalot trades, or traded, on this account ({orders}), and an account has one: put that ledger back with calvalot restore, or stop it for good and leave its orders outside', ['1 order, the first SELL BTCUSDC cal-1f-12-1 of 2026-01-02 03:04:05 UTC'], 'Votre décision sur les ordres de cet autre grand livre (1, le premier : vente de BTC, cal-1f-12-1, le 2026-01-02 03:04:05 UTC).'],
  ['this ledger traded from another machine: say that the first one is off for good, or two copies of', [], 'Votre réponse : la première machine est-elle éteinte pour de bon ?'],
  ['this ledger, or a second copy of it, already trades on this machine: stop the other program', [], 'Une copie de ce grand livre échange déjà sur cette machine : arrêtez l’autre programme.'],
  ['the Python version called it DEAD: it can be resumed once its value is known', [], 'La version Python le disait mort : il pourra reprendre une fois sa valeur connue.'],
  ['the Python version called it DEAD, and it is worth {total:.2} EUR: have a look, then resume it', ['12.00'], 'La version Python le disait mort, et il vaut 12,00 €.'],
  ['this ledger was put back: what you decided since', [], 'Ce grand livre a été remis. Ce que vous aviez décidé depuis (pause, « tout vendre », perte maximale, dépôts, retraits, écarts) n’y est pas : regardez le cash et les positions.'],
  ['orders under names that had served already were adopted: look at the cash and the positions, then resume', [], 'Des ordres sous des noms qui avaient déjà servi ont été repris : regardez le cash et les positions.'],
  ['orders of a past that this ledger had lost were adopted: what you decided in it', [], 'Des ordres d’un passé que ce grand livre avait perdu ont été repris. Ce que vous y aviez décidé (pause, « tout vendre », perte maximale, dépôts, retraits, écarts) n’est pas dans les livres : regardez le cash et les positions.'],
  ['something went wrong here; see the log', [], 'Quelque chose n’a pas marché ici : voyez le journal.'],
  ['the program is stopping', [], 'Le programme s’arrête.'],
  ['the answer took too long; look at the state before trying again', [], 'La réponse a pris trop longtemps : regardez l’état affiché avant de recommencer.'],
  ['an order of this coin is in doubt: {reason}', ['its answer is not known yet'], 'Sa réponse n’est pas encore connue.'],
  ['a person must look: {reason}', ['the balances of the account changed meanwhile'], 'Ce que tient le compte Binance a changé entre-temps.'],
  ['tried again later: {reason}', ['the rest is sold at the next poll'], 'Le reste se vend à la prochaine lecture.'],
  ['refused: {reason}', ['the exchange answered 400: -1013 Filter failure: NOTIONAL'], 'Binance a répondu 400 : -1013 Filter failure: NOTIONAL'],
  ['look at this order on the exchange, then release, book or settle it: {reason}', ['the exchange had it as order 7 and no longer shows it'], 'Binance l’avait, sous le n° 7, et ne le montre plus.'],
  ["the leader's allocation contradicts his actions on {}: these are left as his actions say", ['ETH, SOL'], 'La répartition du leader contredit ses propres actions (ETH, SOL) : c’est laissé comme elles le disent.'],
  ['the exchange does not trade this pair now ({status})', ['BREAK'], 'BREAK.'],
  ['its largest order is below its smallest', [], 'Le plus grand ordre que Binance y prend est sous le plus petit.'],
  ['may have been done in a past that this ledger did not know: it is not done again', [], 'Il l’a peut-être été dans un passé que ce grand livre ne connaît pas.'],
  ['a person settled its order: it is left until the next signal', [], 'Son ordre a été réglé au dehors : elle attend le prochain signal.'],
  ['given up: its signal is {} old', ['16 minutes'], 'Abandonné : son signal a 16 minutes.'],
  ['its signal expired {} ago', ['3 days'], 'Son signal a expiré il y a 3 jours.'],
  ['what the leader shows, {name}, expired on {since} UTC: it is not followed', ['sig-1', '2026-01-02 03:04:05'], 'Ce que montre le leader, sig-1, a expiré le 2026-01-02 03:04:05 UTC : ce n’est pas suivi.'],
  ['what drift alone may trade in a day (a third of MAX_TURNOVER_PCT_PER_DAY) leaves {spare:.2} USDC: the rest waits', ['12.00'], 'ce que les écarts seuls peuvent échanger en un jour, le tiers de MAX_TURNOVER_PCT_PER_DAY, laisse 12,00 USDC'],
  ['what may be traded in a day (MAX_TURNOVER_PCT_PER_DAY) leaves {spare:.2} USDC: the rest waits', ['12.00'], 'ce qui peut s’échanger en un jour, MAX_TURNOVER_PCT_PER_DAY, laisse 12,00 USDC'],
  ["this allocation is {age} old: take it over, or wait for the leader's next one", ['21 days'], 'votre décision sur une répartition de 21 jours'],
  ['the leader does not show this allocation now: it is followed again when he does', [], 'que le leader la montre de nouveau'],
  ['the leader has replaced this allocation: what he says next is followed', [], 'ce que le leader dira ensuite : il a remplacé cette répartition'],
  ['everything is being taken out: nothing is bought meanwhile', [], 'que tout soit sorti'],
  ['the book is too wide now: coming nearer would cost more than it is worth', [], 'un carnet moins large : s’approcher coûterait plus que cela ne vaut'],
  ["a person waits for the leader's next allocation", [], 'Quelqu’un attend la prochaine répartition du leader.'],
  ['no old allocation waits to be taken over or left', [], 'Plus aucune vieille répartition n’attend votre décision.'],
  ['waits for the cash of a sale or of an order in doubt', [], 'Celui d’une vente, ou d’un ordre en doute.'],
  ['the account has {missing} {asset} less free than the books', [], 'Le compte Binance a 0,5 ETH libres de moins que les livres : les achats concernés attendent.'],
  [', {locked} of it locked in an order of yours', [], 'Le compte Binance a 0,5 ETH libres de moins que les livres, dont 0,1 retenus par un ordre à vous : les achats concernés attendent.'],
  ['the account is read once more, with no order in doubt, before it may be taken out', [], 'Le compte Binance est relu une fois encore, sans ordre en doute, avant que cela puisse sortir.'],
  ['it has just started: nothing is read yet', [], 'le programme vient de démarrer, rien n’est encore lu'],
  ['paused: it is carried out when the agent is resumed', [], 'la reprise'],
  ['paused: nothing is followed until the agent is resumed', [], 'la reprise'],
  ['called off by a person', [], 'Annulé par quelqu’un.'],
  ['everything is being sold to be taken out, and what is brought now would go with it: wait until it is set aside, or call that withdrawal off first; nothing was changed', [], 'Tout se vend pour être sorti, et ce qui s’apporte maintenant partirait avec : attendez que ce soit mis de côté, ou annulez d’abord ce retrait.'],
  ['called off: an order learned late has spent what was set aside; ask again if it is still wanted', [], 'Annulé : un ordre appris tard a dépensé ce qui était mis de côté. Redemandez-le s’il le faut.'],
  ['called off: the ledger was put back, or orders that it lacked were; ask again if it is still wanted', [], 'Annulé : ce grand livre a été remis. Redemandez-le s’il le faut.'],
  ['orders were put back into the books, or left outside: the leader is heard again first', [], 'ce que le leader dira de nouveau'],
  ['a withdrawal to take out explains {} {name} of what is missing: say that you took it out, or call it off', ['54.11', 'USDC'], 'Un retrait explique 54,11 USDC de ce qui manque : dites que vous l’avez sorti, ou annulez-le d’abord.'],
  ['called off: a person resumed following', [], 'Arrêté : quelqu’un a fait reprendre.'],
  ['what the account had is in the books', [], 'Ce que le compte Binance avait est dans les livres.'],
  ['adopted: the account had it, {}', ['FILLED'], 'Repris : le compte Binance l’avait (FILLED).'],
  ['orders of this ledger that only the account still knew', [], 'Des ordres de ce grand livre, que seul le compte Binance connaissait encore.'],
  ['a person takes everything out', [], 'Quelqu’un a demandé à tout sortir.'],
  ['a person takes {amount:.2} EUR out', ['50.00'], 'Quelqu’un a demandé à sortir 50,00 €.'],
  ['a person sells all and stops', [], 'Quelqu’un a demandé de tout vendre et d’arrêter.'],
  ['a person asked to sell all and stop', [], 'Quelqu’un a demandé de tout vendre et d’arrêter.'],
  ['the stop loss sells all and stops', [], 'La perte maximale a été atteinte : tout se vend, et le suivi s’arrête.'],
  ['the stop loss was reached: the value was {} % below its highest, and the limit is {limit}', ['20.4', '20 %'], 'La perte maximale a été atteinte : la valeur était à 20,4 % sous son plus haut, et la limite est de 20,0 %.'],
  ['its allocation is left to the initial sync', [], 'Sa répartition est laissée à la copie de départ.'],
  ['the exchange does not show it yet, and it may still arrive', [], 'Binance ne le montre pas encore, et il peut encore arriver.'],
  ['the exchange does not know it, and it can no longer arrive (answer {count}; {ABSENCES} over a minute prove it)', ['1', '3'], 'Binance ne le connaît pas, et il ne peut plus arriver (réponse 1 ; 3 en une minute le prouvent).'],
  ["the exchange's clock is not known", [], 'L’heure de Binance n’est pas connue.'],
  ['sent {ATTEMPTS} times, and it never reached the exchange', ['2'], 'Envoyé 2 fois, il n’est jamais arrivé chez Binance.'],
  ['proved: it never reached the exchange', [], 'C’est prouvé : il n’est jamais arrivé chez Binance.'],
  ['tried {} times: {told}', ['5', 'it ended EXPIRED and exchanged nothing'], 'Tenté 5 fois. Il a fini sans rien échanger (EXPIRED).'],
  ['the list of orders has it as {}', ['7'], 'La liste des ordres de Binance l’a, sous le n° 7.'],
  ['trade {} belongs to an order that is not listed', ['7'], 'L’échange n° 7 est d’un ordre que Binance ne liste pas.'],
  ['the exchange archived it: it ended and exchanged nothing', [], 'Binance l’a archivé : il a fini sans rien échanger.'],
  ['it could not be written into the books: {error}', ['disk full'], 'Il n’a pas pu être écrit dans les livres (disk full).'],
  ['its outcome could not be written into the books: {error}', ['disk full'], 'Ce qu’il est devenu n’a pas pu être écrit dans les livres (disk full).'],
  ['its fees were taken in BNB and the price of BNB is not known now', [], 'Ses frais sont en BNB, dont le prix n’est pas connu en ce moment.'],
  ['the exchange has it, {}', ['NEW'], 'Binance l’a (NEW).'],
  ['the outcome of an order in doubt, which may have paid for it, comes first', [], 'L’issue d’un ordre en doute, qui l’a peut-être payé, passe d’abord.'],
  ['the exchange executed {} for {told}, and its trades add up to {quantity} for {amount}', ['3', '300 USDC', '4', '400'], 'Binance dit en avoir exécuté 3, et ses échanges font 4.'],
  ['it ended {status} and exchanged nothing', ['EXPIRED'], 'Il a fini sans rien échanger (EXPIRED).'],
  ['the exchange executed it, and a person had settled what it changed: it is not booked again', [], 'Exécuté, et quelqu’un avait réglé ce qu’il a changé : il n’est pas inscrit de nouveau.'],
  ['a person settled it: nothing was booked', [], 'Réglé au dehors par quelqu’un : rien n’a été inscrit.'],
  ['a person looked: it was never executed', [], 'Quelqu’un a regardé : il n’a jamais été exécuté.'],
  ['interrupted before its answer was written down', [], 'Interrompu avant que sa réponse ne soit notée.'],
  ['the account is not read yet', [], 'Le compte Binance n’est pas encore lu.'],
  ['the account could not be read: {trouble}', ['the exchange answered 429 and is not called again before 2026-01-01 00:01:30 UTC'], 'Le compte Binance n’a pas pu être lu. Binance a répondu 429 : elle n’est plus appelée avant le 2026-01-01 00:01:30 UTC.'],
  ['the orders of the account are not read yet', [], 'Les ordres du compte Binance ne sont pas encore lus.'],
  ['the checks are not made yet', [], 'Les essais ne sont pas encore faits.'],
  ['the exchange asked for silence until {until} UTC ({})', ['2026-01-01 00:01:30', '429'], 'Binance demande le silence jusqu’au 2026-01-01 00:01:30 UTC.'],
  ['the exchange answered about another order', [], 'Binance a répondu d’un autre ordre.'],
  ['did not answer within {} s', ['10'], 'Binance n’a pas répondu en 10 s.'],
  ['did not send a whole answer: {reason}', ['eof'], 'Binance n’a pas envoyé toute sa réponse (eof).'],
  ['the leader {reason}', ['cannot be reached: [7] Could not connect to server'], 'Le leader est injoignable (la connexion ne se fait pas).'],
  ['the leader {reason}', ['did not answer within 10 s'], 'Le leader n’a pas répondu en 10 s.'],
  ['the leader {reason}', ['answered 503 with an empty page'], 'Le leader a répondu 503, et rien d’autre.'],
  ['the leader {reason}', ['answered 301, a redirection, which is not followed: set LEADER_URL to the final address'], 'Le leader a répondu 301, une redirection, qui n’est pas suivie : mettez l’adresse finale dans LEADER_URL.'],
  ['answered {status}, a redirection, which is not followed: set LEADER_URL to the final address', [], 'Le leader a répondu 301, une redirection, qui n’est pas suivie : mettez l’adresse finale dans LEADER_URL.'],
  ['cannot be reached: {reason}', [], 'Binance est injoignable (son adresse ne se trouve pas).'],
  [' with an empty page', [], 'Binance a répondu 503, et rien d’autre.'],
  [', starting with {}', [], 'Binance a répondu 502, par une page qui commence par "<html>".'],
  ['the leader refused our signature: check SIGNAL_SECRET, and that the clock of this machine is right', [], 'Le leader refuse notre signature : vérifiez SIGNAL_SECRET, et l’heure de cette machine.'],
  ['{QUEUE} requests wait for the agent already, who is busy with the exchange: nothing was changed, look at the state and try again in a moment', ['16'], 'L’agent est occupé avec la bourse, et 16 demandes l’attendent déjà. Regardez où il en est et réessayez dans un moment.'],
  ['too many changes were asked for in a minute: nothing was changed, try again in {seconds} s', ['7'], 'Trop de changements ont été demandés en une minute. Réessayez dans 7 s.'],
  ["a web page answered {} in the leader's place: a firewall or a sign-in page stands before it, and must let /api/signal/latest through without one", ['403'], 'Une page web a répondu 403 à la place du leader : un pare-feu ou une page de connexion est devant lui, et doit laisser passer /api/signal/latest.'],
  ['the leader has switched its signal off, or LEADER_URL is not the address of a leader', [], 'Le leader a coupé son signal, ou LEADER_URL n’est pas l’adresse d’un leader.'],
  ['the leader sent no valid signal: {reason}', ['signal_id: missing; the answer starts with "{\"foo\":1}"'], 'Ce que le leader envoie n’est pas un signal : « signal_id » manque. Sa réponse commence par "{"foo":1}".'],
  ['{reason}; the answer starts with {opening}', ['not JSON', '"<html>"'], 'ce n’est pas du JSON. Sa réponse commence par "<html>".'],
  ['{path}.{field}: missing', ['portfolio_state.positions[0]', 'coin'], '« portfolio_state.positions[0].coin » manque.'],
  ['expected an object, got {}', ['an array'], 'ce n’est pas un objet JSON.'],
  ['unknown {}: {reason}', ['price BTCUSDC, EUR rate', 'the exchange cannot be reached: [7] Could not connect to server'], 'Des prix, des règles ou le taux manquent. Binance est injoignable (la connexion ne se fait pas).'],
  ['{}: {}', ['key', 'the exchange answered 400: -1022 Signature; account: needs a key the exchange accepts'], 'Clé : Binance a répondu 400 : -1022 Signature · Compte Binance : il faut d’abord une clé que Binance accepte.'],
  ['{}: {}', ['account', 'it may not trade'], 'Compte Binance : pas le droit de négocier'],
  ['{}: {}', ['key rights', 'it may not read; it may not trade; it may withdraw: whoever steals this file or this machine takes the money'], 'Droits de la clé : pas le droit de lire, pas le droit de négocier, le droit de retirer, et qui vole cette machine prend l’argent'],
  ['it may not read', [], 'pas le droit de lire'],
  ['it may not trade', [], 'pas le droit de négocier'],
  ['it may withdraw: whoever steals this file or this machine takes the money', [], 'le droit de retirer, et qui vole cette machine prend l’argent'],
  ['{test}: not tested', ['clock'], 'Heure : pas essayé.'],
  ['nothing to compare it with: {trouble}', ['the exchange cannot be reached: [28] Timeout'], 'rien à quoi la comparer. Binance est injoignable (Timeout).'],
  ['{}.{:03} s {way} the exchange, give or take {margin} ms', ['125', '500', 'behind', '12'], 'elle retarde de 125,5 s sur celle de Binance, à 12 ms près.'],
  ["the clock of this machine is {} s {way} the exchange's: {SET_THE_CLOCK}", ['200', 'ahead of', 'a Raspberry Pi has no clock of its own'], 'L’heure de cette machine avance de 200 s sur celle de Binance.'],
  ['no key is set, and live needs one', [], 'aucune n’est réglée, et il en faut une.'],
  ['needs a key the exchange accepts', [], 'il faut d’abord une clé que Binance accepte.'],
  ['the exchange does not answer', [], 'pas essayé : Binance ne répond pas.'],
  ['{}: {}', ['key', 'the exchange answered 502 with an empty page; account: the exchange does not answer'], 'Clé : Binance a répondu 502, et rien d’autre. · Compte Binance : pas essayé : Binance ne répond pas.'],
  ['the key could not be tried', [], 'pas essayé : la clé n’a pas pu l’être.'],
  ['the account may not trade', [], 'Le compte Binance n’a pas le droit de négocier.'],
  ['the key opens another account than the one this ledger began with', [], 'La clé ouvre un autre compte Binance que celui de ce grand livre.'],
  ['{self}; {remedy}, then ask again', ['the ledger could not be read or written: database or disk is full', 'make room on this disk'], 'Le disque ne prend plus rien (database or disk is full) : faites-y de la place, puis redemandez-le.'],
  ['the ledger could not be read or written: {reason}', ['disk full'], 'Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['{shown} was removed or renamed while calvalot uses it', [], 'data/c.db a été ôté ou renommé. Ce qui s’écrit maintenant n’est plus dans aucun fichier, mais en copie dans data/backups/c.db : arrêté normalement, le programme la met à jour ; ensuite, calvalot restore la remet.'],
  ['another file was put in place of {shown} while calvalot uses it', [], 'Un autre fichier a été mis à la place de data/c.db. Ce qui s’écrit maintenant n’est plus dans aucun fichier, mais en copie dans data/backups/c.db : arrêté normalement, le programme la met à jour ; ensuite, calvalot restore la remet.'],
  ['what is written now is in no file any more; a copy of it is {0}: stop calvalot (not by a kill), which brings that copy up to date, then `calvalot restore {0}`', ['data/backups/c.db', 'data/backups/c.db'], 'Ce qui s’écrit maintenant n’est plus dans aucun fichier, mais en copie dans data/backups/c.db : arrêté normalement, le programme la met à jour ; ensuite, calvalot restore la remet.'],
  ['what is written now is in no file any more, and no copy of it could be made ({why}): before you stop calvalot, make room in {}, or let it write there; it tries again each minute', ['database or disk is full', 'data'], 'Ce qui s’écrit maintenant n’est plus dans aucun fichier, et n’a pas pu être copié (database or disk is full). Avant d’arrêter le programme, faites de la place dans data, ou laissez-le y écrire : il réessaie chaque minute.'],
  ['{reason}: what it held is whole nowhere any more, so it cannot be copied, and nothing more is written; stop calvalot, then {remedy}', ['data/c.db was written over by another program while calvalot uses it', 'put back the newest good copy, of 2026-11-22 10:00:00 UTC: `calvalot restore data/backups/c.db`'], 'Un autre programme a écrit par-dessus data/c.db : ce qu’il contenait n’est plus entier nulle part, et plus rien ne s’y écrit. Arrêtez le programme, puis remettez la plus récente des bonnes copies, du 2026-11-22 10:00:00 UTC : calvalot restore data/backups/c.db'],
  ['put a good copy back with `calvalot restore FILE` (there is none in {}); {ANEW}', ['data/backups', 'of real money, `calvalot restore` without a file makes it again of what the account remembers'], 'Arrêtez le programme, puis remettez-en une bonne copie (il n’y en a pas dans data/backups) : calvalot restore FICHIER. S’il est d’argent réel, calvalot restore sans fichier le refait d’après le compte Binance.'],
  ['put a good copy back with `calvalot restore FILE` (none of those in {} is good); {ANEW}', ['data/backups', 'of real money, `calvalot restore` without a file makes it again of what the account remembers'], 'Arrêtez le programme, puis remettez-en une bonne copie (il n’y en a pas dans data/backups) : calvalot restore FICHIER. S’il est d’argent réel, calvalot restore sans fichier le refait d’après le compte Binance.'],
  ['{reason}; it is asked again by itself, within {} minutes', ['the orders of SOLUSDC could not be read: the exchange answered 503: -1000 x', '2'], 'Les ordres de SOL n’ont pas pu être lus. Binance a répondu 503 : -1000 x. Le programme redemande de lui-même, au plus 2 minutes après.'],
  ['the orders of {coin} {told}; it is asked again by itself, at the next poll', ['SOLUSDC', 'are many, they are being read'], 'Les ordres de SOL sont nombreux : ils se lisent. Le programme redemande de lui-même, au prochain tour.'],
  ['{shown}-wal was removed or replaced while calvalot uses it; restart calvalot (not by a kill): as it stops, it brings what was there into {shown}', ['c.db', 'c.db'], 'c.db-wal a été ôté ou remplacé. Arrêté normalement, le programme ramène dans c.db ce qui y était ; ensuite, redémarrez-le.'],
  ['the lock of {shown} was removed or replaced while calvalot uses it, and another calvalot may have taken it; stop every calvalot, then start one', ['c.db'], 'Le verrou de c.db a été ôté ou remplacé, et un autre Calv-a-lot l’a peut-être pris. Arrêtez-les tous, puis n’en démarrez qu’un.'],
  ['the budget is booked in USDC once the EUR rate, and in live the account, are known', [], 'Le capital s’inscrit en USDC une fois connus le taux EUR/USDC et, en réel, le compte Binance.'],
  ['the account holds {:.2} USDC free: bring at least {:.2} USDC ({least} EUR) to its Spot wallet to begin, or {:.2} USDC for the whole budget', ['0.00', '12.45', '10', '124.43'], 'Le compte Binance a 0,00 USDC libres : apportez-en au moins 12,45 USDC (10,00 €) dans son portefeuille Spot pour commencer, ou 124,43 USDC pour tout le capital.'],
  ['the budget is not booked yet', [], 'La valeur n’est pas connue en ce moment. Réessayez dans quelques minutes.'],
  ['orders of a past that this ledger had lost were left outside: what they bought is not in the books, nor what you decided in it; look at the cash and the positions, then resume', [], 'Des ordres d’un passé que ce grand livre avait perdu sont restés dehors. Ni ce qu’ils ont acheté, ni ce que vous y aviez décidé n’est dans les livres : regardez le cash et les positions.'],
  ['the exchange does not show it now', [], 'Binance ne le montre pas en ce moment.'],
  ['the EUR rate is not known now: nothing was adopted, try again', [], 'Le taux EUR/USDC n’est pas connu en ce moment : rien n’a été repris, réessayez.'],
  ['the Python version counted coins without the fees taken in them, and the account holds less: {}; confirm it on the page, once', ['0.0005 BTC'], 'La version Python comptait les monnaies sans leurs frais, et le compte Binance tient moins (0.0005 BTC) : confirmez-le, une fois.'],
  ['an order of {} was executed after it had seemed absent', ['BTCUSDC'], 'Un ordre de BTC semblait n’être jamais arrivé, et Binance l’a exécuté.'],
  ['it has just started: nothing is checked yet', [], 'le programme vient de démarrer, rien n’est encore lu'],
  ['the orders could not be read: {trouble}', ['the exchange cannot be reached: [7] no'], 'Les ordres n’ont pas pu être lus. Binance est injoignable (la connexion ne se fait pas).'],
  ['the orders of the account could not be followed: {error}', ['the ledger could not be read or written: disk full'], 'Les ordres du compte Binance n’ont pas pu être suivis. Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['the orders in doubt are not followed: {error}', ['the ledger could not be read or written: disk full'], 'Les ordres en doute ne sont plus suivis. Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['the checks could not be written down: {error}', ['the ledger could not be read or written: disk full'], 'Les essais n’ont pas pu être notés. Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['the orders of {coin}', [], 'Les ordres de BTC n’ont pas pu être lus. Binance est injoignable (la connexion ne se fait pas).'],
  ['are many, they are being read', [], 'Les ordres de BTC sont nombreux : ils se lisent.'],
  ['{first} (and {more} more)', ['the orders of ETHUSDC could not be counted: the ledger could not be read or written: disk full', '2'], 'Les ordres de ETH n’ont pas pu être comptés. Le grand livre n’a pas pu être lu, ou écrit (disk full). (Et 2 de plus.)'],
  ['an order of {}', [], 'Un ordre de BTC est à revoir. Exécuté tard, il n’est pas encore inscrit. Ses frais sont en BNB, dont le prix n’est pas connu en ce moment.'],
  ['an order of {coin}{more}: {reason}', ['BTCUSDC', '', 'could not be counted: the balances of the account changed meanwhile'], 'Un ordre de BTC n’est pas encore dans les livres, et rien ne s’échange d’ici là. Il n’a pas pu être compté. Ce que tient le compte Binance a changé entre-temps.'],
  ['{told}; nothing is traded until it is booked', ['an order of BTCUSDC (and 1 more): it could not be written into the books: disk full'], 'Un ordre de BTC n’est pas encore dans les livres, et rien ne s’échange d’ici là. Il n’a pas pu être écrit dans les livres (disk full).'],
  ['could not be read: {trouble}', ['the exchange cannot be reached: [7] no'], 'Il n’a pas pu être lu. Binance est injoignable (la connexion ne se fait pas).'],
  ['could not be counted: {error}', ['the ledger could not be read or written: disk full'], 'Il n’a pas pu être compté. Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['executed late, not booked: {reason}', ['its answer is not known yet'], 'Exécuté tard, il n’est pas encore inscrit. Sa réponse n’est pas encore connue.'],
  ['is not valid yet: the clock of this machine says that it is {}, which is most likely wrong: set it right', [], 'Heure : Binance montre un certificat pas encore valable : l’heure de cette machine (1970-01-01) est sans doute fausse.'],
  ['has expired: the clock of this machine says that it is {}; if that is wrong, set it right; if not, whoever runs that address has to renew its certificate', [], 'Heure : Binance montre un certificat expiré : l’heure de cette machine (2036-01-01) est-elle juste ?'],
  ['this account may not trade {}', ['XRPUSDC, SOLUSDC'], 'Ce compte Binance n’a pas le droit de négocier XRP, SOL.'],
  ['Binance does not open these pairs to this account (often because of its country): ask its support; orders of these are refused, the other pairs are followed', [], 'Binance ne les ouvre pas à ce compte, souvent à cause du pays : demandez-le à son assistance.'],
  ['the exchange does not say who may trade {}', ['XRPUSDC'], 'Binance ne dit pas qui a le droit de négocier XRP.'],
  ['try again later; update the program if it stays', [], 'Attendez ; si cela dure, mettez le programme à jour.'],
  ['no folder leads to {}', ['data/c.db'], 'aucun dossier ne mène à data/c.db.'],
  ['cannot write in {}: {error}', ['data', 'Read-only file system'], 'rien ne s’écrit dans data (Read-only file system).'],
  ['cannot write {}: {error}', ['data/c.db', 'Permission denied'], 'data/c.db ne s’écrit pas (Permission denied).'],
  ['{} is writable, {} MB free', ['data', '12'], 'il ne reste que 12 Mo dans data.'],
  ['{:.2} USDC free in the Spot wallet', [], '4,00 USDC libres dans le portefeuille Spot, il faut 20,00 USDC.'],
  ['{found}, {:.2} needed', ['4.00 USDC free in the Spot wallet', '20.00'], '4,00 USDC libres dans le portefeuille Spot, il faut 20,00 USDC.'],
  ['{found}: {:.2} are locked in an order of yours', ['4.00 USDC free in the Spot wallet, 20.00 needed', '16.00'], '4,00 USDC libres dans le portefeuille Spot, il faut 20,00 USDC : un ordre à vous en bloque 16,00 USDC.'],
  ['they are used again once that order is done, or cancelled on the exchange', [], 'Ils resserviront une fois cet ordre exécuté, ou annulé chez Binance.'],
  ['{found}, {:.2} needed to begin', ['0.00 USDC free in the Spot wallet', '124.95'], '0,00 USDC libres dans le portefeuille Spot, il faut 124,95 USDC.'],
  ['bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn); if you took or sold them, write them off on the page', [], 'Apportez-y des USDC (achetés, ou transférés de Funding ou Earn) ; si vous les avez sortis ou vendus, dites-le plus bas, dans « Écarts ».'],
  ['{bring}: at least {least} EUR worth of them', ['bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn)', '10'], 'Apportez-y au moins 10,00 € d’USDC (achetés, ou transférés de Funding ou Earn).'],
  ['INITIAL_BUDGET_EUR={there} is what these are worth, and what the first start would begin with', [], 'Apportez-y des USDC (achetés, ou transférés de Funding ou Earn) ; ceux qui y sont valent 80,00 €, avec quoi l’agent commencerait.'],
  ['{bring}; {less}', ['bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn)', 'INITIAL_BUDGET_EUR=80 is what these are worth, and what the first start would begin with'], 'Apportez-y des USDC (achetés, ou transférés de Funding ou Earn) ; ceux qui y sont valent 80,00 €, avec quoi l’agent commencerait.'],
  ['{coin} is not traded now ({status})', ['XRPUSDC', 'BREAK'], 'XRP ne se négocie pas en ce moment (BREAK).'],
  ['{coin} is not traded now ({status})', ['XRPUSDC', 'BREAK); SOLUSDC is not traded now (HALT'], 'XRP ne se négocie pas en ce moment (BREAK). SOL ne se négocie pas en ce moment (HALT).'],
  ['wait: the exchange has stopped these pairs, they are left alone meanwhile; if it lasts for days, look for the news on Binance', [], 'Attendez : ce que Binance a arrêté est laissé tel quel d’ici là. Si cela dure des jours, regardez ses annonces.'],
  ['{coin}: {:.2} % is {amount:.2} USDC, the least is {minimum:.2}', ['BTCUSDC', '30.00', '3.30', '5.05'], 'BTC en aurait 3,30 USDC (30,0 %), et il en faut 5,05 USDC'],
  ['of {capital:.2} USDC, {}', ['11.00', 'BTCUSDC: 30.00 % is 3.30 USDC, the least is 5.05; ETHUSDC: 20.00 % is 2.20 USDC, the least is 5.05'], 'Sur 11,00 USDC, BTC en aurait 3,30 USDC (30,0 %), et il en faut 5,05 USDC ; ETH en aurait 2,20 USDC (20,0 %), et il en faut 5,05 USDC.'],
  ['; a capital of {enough} EUR would hold each of them', [], 'Rien ne peut être acheté ; un capital de 21,00 € suffirait à toutes.'],
  ['nothing could be bought, everything stays in cash{enough}', ['; a capital of 21 EUR would hold each of them'], 'Rien ne peut être acheté ; un capital de 21,00 € suffirait à toutes.'],
  ['check the network of this machine, then try again in some minutes; if BINANCE_URL is set, check it', [], 'Vérifiez le réseau de cette machine, et BINANCE_URL si vous l’avez réglé.'],
  ['wait until then; other programs behind the same Internet address count too, stop those that ask a lot', [], 'Attendez jusque-là : d’autres programmes derrière la même adresse Internet comptent aussi.'],
  ['set the clock of this machine right (see the line clock), then try again', [], 'Réglez l’heure de cette machine.'],
  ['Binance does not serve the place this machine is in: it cannot trade from here, do not try to get round it', [], 'Binance ne sert pas l’endroit où est cette machine : rien ne peut s’échanger d’ici.'],
  ['update the program; if it stays, report this line to its authors', [], 'Mettez le programme à jour ; si cela reste, signalez cette ligne à ses auteurs.'],
  ['{path} belongs to {kept} and TRADING_MODE is {mode}', ['data/c.db', 'dry_run', 'live'], 'data/c.db est un grand livre de dry_run, et TRADING_MODE est live.'],
  ['set another DB_PATH for {mode}, or set TRADING_MODE={kept}', ['live', 'dry_run'], 'Mettez un autre DB_PATH pour live, ou TRADING_MODE=dry_run.'],
  ['put a good copy back with `calvalot restore FILE`, or set another DB_PATH', [], 'Remettez-en une bonne copie (calvalot restore FICHIER), ou mettez un autre DB_PATH.'],
  ['{}: {error}', ['data/c.db', 'the ledger could not be read or written: disk full'], 'data/c.db : Le grand livre n’a pas pu être lu, ou écrit (disk full).'],
  ['the exchange had it as order {order_id} and no longer shows it', ['7'], 'Binance l’avait, sous le n° 7, et ne le montre plus.'],
  ['the balances of the account changed meanwhile', [], 'Ce que tient le compte Binance a changé entre-temps.'],
  ['order {order_id} bears its name and is another order', ['7'], 'L’ordre n° 7 porte son nom, et en est un autre.'],
  ['bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn)', [], 'Apportez-y au moins 10,00 € d’USDC (achetés, ou transférés de Funding ou Earn).'],
  ['{}: {}', ['BTCUSDC', 'tried again later: the rest is sold at the next poll; ETHUSDC: its answer is not known yet'], 'BTC : Le reste se vend à la prochaine lecture. ETH : Sa réponse n’est pas encore connue.'],
  ['{}: {}', ['ETHUSDC', 'refused: the balances of the account changed meanwhile'], 'ETH : Ce que tient le compte Binance a changé entre-temps.'],
  ['{}: {}', ['BTCUSDC, SOLUSDC', 'an order of this coin is in doubt: its answer is not known yet; ETHUSDC: the exchange does not trade this pair now (BREAK)'], 'BTC, SOL : Sa réponse n’est pas encore connue. ETH : BREAK.'],
  ['{}: {}', ['BTCUSDC', 'what may be traded in a day (MAX_TURNOVER_PCT_PER_DAY) leaves 12.00 USDC: the rest waits; ETHUSDC: its price or its rules are not known now'], 'BTC : ce qui peut s’échanger en un jour, MAX_TURNOVER_PCT_PER_DAY, laisse 12,00 USDC. ETH : Son prix ou ses règles ne sont pas connus en ce moment.'],
  ['its price or its rules are not known now', [], 'Son prix ou ses règles ne sont pas connus en ce moment.'],
  ['superseded by {by}, which names no allocation', ['sig-0002'], 'Remplacé par sig-0002, qui ne dit pas de répartition.'],
  ['superseded by the newer target of {by}', ['sig-0002'], 'Remplacé par la répartition plus récente de sig-0002.'],
  ['initial sync from {}', ['sig-0002'], 'Copie de départ, d’après sig-0002.'],
  ['the signal behind the initial sync has no allocation', [], 'Le signal de la copie de départ n’a pas de répartition.'],
  ['the agent is stopping: nothing was changed', [], 'Le programme s’arrête.'],
  ['not JSON', [], 'ce n’est pas du JSON.'],
  ['the opening is not booked yet', [], 'Le capital de départ n’est pas encore inscrit.'],
  ['its answer is not known yet', [], 'Sa réponse n’est pas encore connue.'],
  ['sent {absent} times, and it never reached the exchange', ['2'], 'Envoyé 2 fois, il n’est jamais arrivé chez Binance.'],
  ['tried {} times: {}', ['5', 'it ended EXPIRED and exchanged nothing'], 'Tenté 5 fois. Il a fini sans rien échanger (EXPIRED).'],
  ['the rest is sold at the next poll', [], 'Le reste se vend à la prochaine lecture.'],
  ['the exchange answered {} and is not called again before {until} UTC', ['429', '2026-01-01 00:01:30'], 'Binance a répondu 429 : elle n’est plus appelée avant le 2026-01-01 00:01:30 UTC.'],
  ['not read yet', [], 'Pas encore lu.'],
  ['not read in the last poll', [], 'Pas lu la dernière fois.'],
  ['the last reading is older than 3 minutes', [], 'La dernière lecture a plus de 3 minutes.'],
  ['bid {bid} and ask {ask} are no price', ['68000', '67000'], 'À l’achat 68 000,00 et à la vente 67 000,00, ce n’est pas un prix.'],
  ['bid {bid} and ask {ask} are too far apart to be a price', ['1', '2'], 'À l’achat 1,00 et à la vente 2,00, ce n’est pas un prix.'],
  ['booked by hand', [], 'Inscrit à la main.'],
  ['the prices were not read in the last poll: an exchange that is gone fills no order, and it goes on by itself once they are read', [], 'Les prix n’ont pas été lus la dernière fois : rien ne s’échange d’ici là, et cela reprend de soi-même.'],
  ['the account has {beyond} {name} free beyond the books, not {quantity}: look again, nothing was changed', ['276.32069862', 'USDC', '276'], 'Le compte Binance a 276,32 USDC libres de plus que les livres, et non 276,00 : regardez de nouveau.'],
  ['its book could not be read: {trouble}', ['the exchange cannot be reached: [7] no'], 'Son carnet n’a pas pu être lu. Binance est injoignable (la connexion ne se fait pas).'],
  ['{pair}{shows} cannot be compared with its average price: not believed yet ({reason})', ['BTCUSDC', '', 'not read yet'], 'Le prix de BTC ne peut pas être comparé à son prix moyen : il n’est pas encore cru. Pas encore lu.'],
  [' shows {} {what} and', [], 'BTC se montre à 10 fois son dernier prix, et ne peut pas être comparé à son prix moyen : pas encore cru. Pas encore lu.'],
  ['its last price', [], 'BTC se montre à 10 fois son dernier prix, et ne peut pas être comparé à son prix moyen : pas encore cru. Pas encore lu.'],
  ['the last price that was confirmed', [], 'BTC se montre à 4,0 % au-dessus de son dernier prix confirmé, et ne peut pas être comparé à son prix moyen : pas encore cru. Pas encore lu.'],
  ['{shows}: not believed yet, a second reading must say the same', ['BTCUSDC shows 10 times its average price'], 'BTC se montre à 10 fois son prix moyen : pas encore cru, une seconde lecture doit le redire.'],
  ['{shows}: not believed yet, a second reading must say the same', ['EURUSDC shows 7 % above its average price'], 'EUR se montre à 7,0 % au-dessus de son prix moyen : pas encore cru, une seconde lecture doit le redire.'],
  ['{pair} shows {} its average price', [], 'SOL se montre encore à 40,0 % sous son prix moyen, et ses derniers échanges le démentent : pas cru.'],
  ['{shows} again, and its last trades are not known: not believed yet ({reason})', ['BTCUSDC shows 0.01 times its average price', 'not read yet'], 'BTC se montre encore à 0,01 fois son prix moyen, et ses derniers échanges ne sont pas connus : pas encore cru. Pas encore lu.'],
  ['{shows} again, and its last trades deny it: not believed', ['BTCUSDC shows 10 times its average price'], 'BTC se montre encore à 10 fois son prix moyen, et ses derniers échanges le démentent : pas cru.'],
  ['{path}.coin: unknown coin {}', ['portfolio_state.positions[0]', '"DOGEUSDC"'], '« portfolio_state.positions[0].coin » : la monnaie « DOGE » n’est pas connue.'],
  ['{path}.{field}: expected a number between 0 and 1, got {}', ['portfolio_state.positions[0]', 'pct_of_portfolio', '1.5'], '« portfolio_state.positions[0].pct_of_portfolio » : il faut un nombre entre 0 et 1, et c’est 1.5.'],
  ['{path}.action: expected BUY, SELL or HOLD, got {}', ['actions[0]', '"EAT"'], '« actions[0].action » : il faut BUY, SELL ou HOLD, et c’est "EAT".'],
  ['{path}.{field}: expected a text, got {}', ['actions[0]', 'coin', 'null'], '« actions[0].coin » : il faut un texte, et c’est null.'],
  ['{path}: expected an object, got {}', ['actions[0]', 'an array'], '« actions[0] » : il faut un objet, et c’est une liste.'],
  ['{field}: expected a date or Unix seconds, got {}', ['expires_at', '"soon"'], '« expires_at » : il faut une date, ou des secondes Unix, et c’est "soon".'],
  ['version: expected a whole number from 1, got {}', ['0'], '« version » : il faut un entier à partir de 1, et c’est 0.'],
  ['confidence: expected a number, got {}', ['"high"'], '« confidence » : il faut un nombre, et c’est "high".'],
  ['reasoning: expected a text, got {}', ['3'], '« reasoning » : il faut un texte, et c’est 3.'],
  ['actions: expected an array, got {}', ['an object'], '« actions » : il faut une liste, et c’est un objet.'],
  ['portfolio_state: expected an object, got {}', ['true'], '« portfolio_state » : il faut un objet, et c’est true.'],
  ['portfolio_state.positions: expected an array, got {}', ['an object'], '« portfolio_state.positions » : il faut une liste, et c’est un objet.'],
  ['portfolio_state.positions: missing', [], '« portfolio_state.positions » manque.'],
  ['portfolio_state: missing, version 2 needs it', [], '« portfolio_state » manque.'],
  ['signal_id: expected a text, got {}', ['null'], '« signal_id » : il faut un texte, et c’est null.'],
  ['signal_id: missing', [], '« signal_id » manque.'],
  ['signal_id: empty', [], '« signal_id » est vide.'],
  ['signal_id: longer than {LONGEST_ID} characters, or with control characters', ['200'], '« signal_id » a plus de 200 caractères, ou ne s’écrit pas.'],
  ['signal_id: {id:?} is reserved to the follower', ['"adopted"'], '« signal_id » : adopted est réservé à ce programme.'],
  ['version: {version} is newer than this follower understands, update it', ['3'], 'La version 3 est plus récente que ce programme : mettez-le à jour.'],
  ['nested deeper than {DEEPEST} levels', ['32'], 'Il a plus de 32 niveaux.'],
  ['{path}.coin: {coin} is there twice', ['portfolio_state.positions[1]', 'BTCUSDC'], '« portfolio_state.positions[1].coin » : BTC y est deux fois.'],
  ['adds up to more than the whole capital for', [], '« actions[1] » : pour BTC, cela fait plus que tout le capital.'],
  ['contradicts an earlier action for', [], '« actions[1] » en contredit une autre, pour BTC.'],
  ['portfolio_state: the positions and {field} add up to {} %, not to 100 %', ['cash_pct', '0'], 'Ses positions et son cash font 0,0 %, et non 100 %.'],
  ['portfolio_state: {fault}', ['the allocation adds up to 120 %, more than 100 %'], 'Ses positions font 120,0 %, plus que 100 %.'],
  ['the allocation adds up to {} %, more than 100 %', [], 'Ses positions font 120,0 %, plus que 100 %.'],
  ['pct_of_portfolio of {coin} is {weight}, not between 0 and 1', [], 'La part de BTC est de 1.5, et non entre 0 et 1.'],
];

/** Ce que le programme ajoute à une phrase qui n'est pas d'une pièce dans ses sources. @type {Record<string, string>} */
const WHOLE = {
  'its largest order is below its smallest': 'the exchange does not trade this pair now (its largest order is below its smallest)',
  ' shows {} {what} and': 'BTCUSDC shows 10 times its last price and cannot be compared with its average price: not believed yet (not read yet)',
  'its last price': 'BTCUSDC shows 10 times its last price and cannot be compared with its average price: not believed yet (not read yet)',
  'the last price that was confirmed': 'BTCUSDC shows 4 % above the last price that was confirmed and cannot be compared with its average price: not believed yet (not read yet)',
  '{pair} shows {} its average price': 'SOLUSDC shows 40 % below its average price again, and its last trades deny it: not believed',
  'adds up to more than the whole capital for': 'actions[1]: adds up to more than the whole capital for BTCUSDC',
  'contradicts an earlier action for': 'actions[1]: contradicts an earlier action for BTCUSDC',
  'the allocation adds up to {} %, more than 100 %': 'portfolio_state: the allocation adds up to 120 %, more than 100 %',
  'pct_of_portfolio of {coin} is {weight}, not between 0 and 1': 'portfolio_state: pct_of_portfolio of BTCUSDC is 1.5, not between 0 and 1',
  '{shown} was removed or renamed while calvalot uses it': `data/c.db was removed or renamed while calvalot uses it; ${COPIED}`,
  'another file was put in place of {shown} while calvalot uses it': `another file was put in place of data/c.db while calvalot uses it; ${COPIED}`,
  'the account was not compared with the books just now: try again after the next poll': 'BTC: the account was not compared with the books just now: try again after the next poll, nothing was changed',
  'this ledger was put back: what you decided since': 'this ledger was put back: what you decided since (pause) is not in it',
  'orders of a past that this ledger had lost were adopted: what you decided in it': 'orders of a past that this ledger had lost were adopted: what you decided in it (pause) is not in the books',
  'the account has {missing} {asset} less free than the books': 'the account has 0.5 ETH less free than the books: the purchases concerned wait',
  ', {locked} of it locked in an order of yours': 'the account has 0.5 ETH less free than the books, 0.1 of it locked in an order of yours: the purchases concerned wait',
  'answered {status}, a redirection, which is not followed: set LEADER_URL to the final address': 'the leader answered 301, a redirection, which is not followed: set LEADER_URL to the final address',
  'cannot be reached: {reason}': 'the exchange cannot be reached: [6] Could not resolve host',
  ' with an empty page': 'the exchange answered 503 with an empty page',
  ', starting with {}': 'the exchange answered 502, starting with "<html>"',
  'did not answer within {} s': 'the exchange did not answer within 10 s',
  'did not send a whole answer: {reason}': 'the exchange did not send a whole answer: eof',
  'the budget is not booked yet': 'the value is not known now (the budget is not booked yet): nothing was changed, try again in a few minutes',
  'the orders of {coin}': 'the orders of BTCUSDC could not be read: the exchange cannot be reached: [7] no',
  'are many, they are being read': 'the orders of BTCUSDC are many, they are being read',
  'an order of {}': 'an order of BTCUSDC executed late, not booked: its fees were taken in BNB and the price of BNB is not known now',
  'an order of {coin}{more}: {reason}': 'an order of BTCUSDC: could not be counted: the balances of the account changed meanwhile; nothing is traded until it is booked',
  'is not valid yet: the clock of this machine says that it is {}, which is most likely wrong: set it right': 'clock: the exchange showed a certificate that is not valid yet: the clock of this machine says that it is 1970-01-01, which is most likely wrong: set it right',
  'has expired: the clock of this machine says that it is {}; if that is wrong, set it right; if not, whoever runs that address has to renew its certificate': 'clock: the exchange showed a certificate that has expired: the clock of this machine says that it is 2036-01-01; if that is wrong, set it right; if not, whoever runs that address has to renew its certificate',
  '{:.2} USDC free in the Spot wallet': '4.00 USDC free in the Spot wallet, 20.00 needed',
  'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn)': 'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn): at least 10 EUR worth of them',
  'INITIAL_BUDGET_EUR={there} is what these are worth, and what the first start would begin with': 'bring USDC into the Spot wallet (buy them, or transfer them from Funding or Earn); INITIAL_BUDGET_EUR=80 is what these are worth, and what the first start would begin with',
  '; a capital of {enough} EUR would hold each of them': 'nothing could be bought, everything stays in cash; a capital of 21 EUR would hold each of them',
};

/** @param {string} written @param {string[]} values */
function filled(written, values) {
  const rest = [...values];
  return WHOLE[written] ?? written.replace(/\{[^}]*\}/g, () => rest.shift() ?? '');
}
const cases = SAID.map(([written, values, french]) => /** @type {const} */ ([written, bare(filled(written, values)), french]));

test('the shapes read here are those the program writes', () => {
  assert.deepEqual(SAID.map(([written]) => written).filter((written) => written !== '{}: {}' && !sources.includes(written)), []);
});

/** Ce que les essais et le compte écrivent, et que la page ne montre jamais. */
const UNTOLD = [
  // Des noms d'essais, et de quoi bâtir d'autres phrases.
  'key rights', 'key IPs', 'account pairs', 'ahead of', '{count} order{s}, the first', ' (and {more} more)', 'book it as the page',
  // Ce qui va, ce qui mérite seulement d'être dit, et ce qui n'a pas été essayé sans rien fermer.
  'not needed for dry_run', 'the exchange accepts it and its signature', 'others on this machine can read', 'the test network does not tell',
  'the rights of the key are not known', 'it may read, trade and withdraw', 'it may read and trade', 'ALLOW_WITHDRAWAL_KEY=true accepts it', 'it only works from',
  'it works from everywhere', 'it may trade', 'if your Internet address stays', 'this account may trade each', '{found}, not used by', '{found}, the EUR rate to compare',
  'the ledger is not known', 'what the first start takes over', 'free space of', 'no copy can be made', '{path} is not there', '{path} is a ledger of',
  "the exchange's rules are not all known", 'prices, rules of', ' (weight {weight}', 'another program behind', 'the exchange trades all', 'the prices are not all known', 'not known now: ',
  "the leader's allocation", '{capital:.2} USDC is enough', 'the rest is known, and traded', ', whatever the capital', 'at these prices the nearest',
  // Quoi faire d'un essai qui ferme l'échange : la page a ses mots (`closed.…`).
  "make a key in Binance's API", 'tick Enable', 'untick Enable', "in Binance's API Management", 'set the key of that account again', 'Binance has blocked trading',
  'set another DB_PATH', 'let the user that runs calvalot', 'make room on this disk', 'check the network of this machine, then try again in some minutes; if BINANCE_URL is set, check it; nothing',
  // Ce que la page dit elle-même, des ordres et du leader.
  'the account is compared with the books', 'none is in doubt', 'executed late', 'in doubt', 'calvalot asks the exchange about them', 'look at these orders on Binance', 'accepts the secret', 'tell the person who runs',
  'check LEADER_URL and', 'copy LEADER_URL and', "check that LEADER_URL is",
  // Ce qu'a donné un geste : la page le dit d'après ce qu'on a demandé.
  'acknowledged: purchases', 'settled: nothing was booked', 'the order ended and exchanged', 'the exchange has this order', 'the exchange does not know this order', 'booked by hand',
  // Ce que seule la commande dit, ou qui empêche de démarrer.
  'start it and decide on the page', 'DEAD: its value fell below 5 EUR, and it follows', 'take out what is left', '{path} is of a version', '{budget} EUR are too little', 'set INITIAL_BUDGET_EUR to', '{path} does not exist yet', '{} is no Ed25519', 'make one with `calvalot',
];

/** Ce que le leader, les prix et le moteur écrivent, et que la page ne montre jamais telle quelle. */
const UNTOLD_OF_FOLLOWING = [
  // De quoi bâtir d'autres phrases.
  'an array', 'an object', '{} times', 'answered {status}{}', 'EUR rate', 'the EUR rate', 'price {coin}', 'rules {coin}', 'leader: {reason}', '{} for {:.2} USDC at {}',
  // Des lignes du journal.
  'agent_dead', 'value_not_judged',
  // Pourquoi on ne sait pas ce que le capital suivrait : la page n'en dit alors rien.
  'there is no capital to follow with', 'the leader has not said an allocation yet',
  // Ce que la page dit elle-même (`notice.…`).
  'the leader shows {id} again', 'the leader changed what', 'the leader has sent {} signals',
];

/** Les phrases d'un fichier : ni les lignes du journal, ni les essais, ni ce que dit une impossibilité. @param {string} name */
const sentencesOf = (name) =>
  [...readFileSync(new URL(name, src), 'utf8').split('#[cfg(test)]')[0].replace(/^\s*\/\/.*$/gm, '').replace(/\\\n\s*/g, '').matchAll(/(expect\()?"((?:[^"\\]|\\.)*)"/g)]
    .filter(([, expected, text]) => !expected && text.includes(' ') && /[a-z]{3}/.test(text.replace(/\{[^}]*\}/g, '')) && !/\w+=\{/.test(text.replace('INITIAL_BUDGET_EUR=', '').replace('TRADING_MODE=', '')))
    .map(([, , text]) => text);

test('every sentence of the account and of the checks has its shape, or is never on the page', () => {
  const sentences = ['account', 'check'].flatMap(filesOf).flatMap(sentencesOf);
  assert.ok(sentences.length > 100);
  assertShaped(sentences, UNTOLD);
});

test('every sentence about the leader, the prices and what is followed has its shape, or is never on the page', () => {
  const files = [...['leader', 'engine'].flatMap(filesOf), 'domain/belief.rs', 'domain/market.rs', 'domain/signal.rs', 'exchange/silence.rs'];
  const sentences = files.flatMap(sentencesOf);
  assert.ok(sentences.length > 60);
  assertShaped(sentences, UNTOLD_OF_FOLLOWING);
});

/** Ce que le grand livre refuse à qui se tromperait en écrivant, et ce que la page dit elle-même ou ne voit jamais. */
const UNTOLD_OF_LEDGER = [
  '{} was already tried', 'intent {intent} cannot', 'a fill came before', 'this ledger has a past of its own', 'a signal of the leader already bears',
  'this database belongs to', 'no withdrawal waits', 'INITIAL_BUDGET_EUR is', '{DEAD}: it follows no more', '{name}: {reason}',
];

test('every sentence that the ledger or a simulated account gives an order, a wish or a booking has its shape', () => {
  const files = ['ledger/account.rs', 'ledger/adoption.rs', 'ledger/bookings.rs', 'ledger/intents.rs', 'ledger/wishes.rs', 'ledger/withdrawals.rs', 'paper/mod.rs'];
  const sentences = files.flatMap(sentencesOf).filter((sentence) => !/\b(SELECT|INSERT|UPDATE|DELETE)\b/.test(sentence));
  assert.ok(sentences.length > 30);
  assertShaped(sentences, UNTOLD_OF_LEDGER);
});

/** @param {string} folder */
const filesOf = (folder) => readdirSync(new URL(folder, src)).map((name) => `${folder}/${name}`);

/** @param {string[]} sentences @param {string[]} untold */
function assertShaped(sentences, untold) {
  const shaped = SAID.map(([written]) => written).filter((written) => written !== '{}: {}');
  const isUntold = (/** @type {string} */ sentence) => untold.some((beginning) => sentence.startsWith(beginning));
  assert.deepEqual(sentences.filter((sentence) => !isUntold(sentence) && !shaped.some((written) => sentence.startsWith(written))), []);
  assert.deepEqual(untold.filter((beginning) => !sentences.some((sentence) => sentence.startsWith(beginning))), []);
}

test('what the program says is told in French, with its figures', () => {
  for (const [, said, french] of cases) assert.equal(plain(tell(said)), french, said);
});

const WARNINGS = [
  ['everything will be sold, and the agent then has nothing to follow with: {way}', `everything will be sold, and the agent then has nothing to follow with: ${WAY}`, 'Tout sera vendu, et l’agent n’aura plus de quoi suivre le leader.'],
  ['the value is {} % below its highest now: with {limit} everything is sold after five readings; send {{"understood": true}} if that is what you want, nothing was changed', 'the value is 17.3 % below its highest now: with 15 % everything is sold after five readings; send {"understood": true} if that is what you want, nothing was changed', 'La valeur est à 17,3 % sous son plus haut en ce moment : avec 15,0 %, tout se vend après cinq lectures.'],
  ['about {:.2} EUR would be left, less than the {:.0} EUR that following takes: {way}', `about 2.00 EUR would be left, less than the 5 EUR that following takes: ${WAY}`, 'Il resterait 2,00 € environ, moins que les 5,00 € qu’il faut pour suivre le leader.'],
  ['{about}: under {minimum} EUR no signal can be followed, and whether it survives is not judged until a deposit leaves {least} EUR or more; say "understood": true to do it, nothing was changed', 'this leaves 2.00 EUR: under 5 EUR no signal can be followed, and whether it survives is not judged until a deposit leaves 10 EUR or more; say "understood": true to do it, nothing was changed', 'Il restera 2,00 €. Sous 5,00 €, aucun signal ne peut être suivi, et la survie n’est plus jugée avant qu’un dépôt ne laisse 10,00 € ou plus.'],
  ['this may leave less than 5 EUR (a price is not known now)', 'this may leave less than 5 EUR (a price is not known now): under 5 EUR no signal can be followed, and whether it survives is not judged until a deposit leaves 10 EUR or more; say "understood": true to do it, nothing was changed', 'Il restera peut-être moins de 5,00 € : un prix n’est pas connu en ce moment. Sous 5,00 €, aucun signal ne peut être suivi, et la survie n’est plus jugée avant qu’un dépôt ne laisse 10,00 € ou plus.'],
];

test('what the program wants to have been read is told in French', () => {
  for (const [written, message, french] of WARNINGS) {
    assert.ok(sources.includes(written), written);
    const warning = warningOf({ ok: false, failure: { kind: 'refused', status: 409, message } });
    assert.equal(plain(tell(String(warning))), french);
  }
});

test('no check that closes trading is named in English', () => {
  const [, decisive] = /const DECISIVE: \[&str; \d+\] = \[([^\]]+)\]/.exec(sources) ?? [];
  const names = [...String(decisive).matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 3);
  assert.deepEqual(names.filter((name) => tell(`${name}: not tested`).startsWith(name)), []);
});

test('no shape is useless', () => {
  const said = [...cases.map(([, text]) => text), ...WARNINGS.map(([, message]) => String(warningOf({ ok: false, failure: { kind: 'refused', status: 409, message } })))];
  const met = new Set();
  /** @param {string} text */
  function meet(text) {
    const shape = SHAPES.find(([one]) => one.test(text))?.[0];
    if (!shape) return;
    met.add(shape);
    const { reason } = shape.exec(text)?.groups ?? {};
    if (reason) meet(reason);
  }
  said.forEach(meet);
  assert.deepEqual(SHAPES.map(([shape]) => shape).filter((shape) => !met.has(shape)).map(String), []);
});

test('what is not recognised is told as it is, and a refusal does not say twice that nothing changed', () => {
  assert.equal(tell('the moon is full'), 'the moon is full');
  assert.equal(bare('5.00 EUR is more than that: nothing was changed'), '5.00 EUR is more than that');
  assert.equal(bare('look again, nothing was changed'), 'look again');
  assert.equal(bare('the price is not known now, so nothing was booked: try again'), 'the price is not known now: try again');
  assert.equal(bare('nothing was changed: the exchange is silent'), 'the exchange is silent');
});
