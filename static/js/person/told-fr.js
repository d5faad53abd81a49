// Ce que le programme dit en anglais, en français : ses refus, ce qu'il fait relire, ce qu'il sait d'un ordre.
// Pur ; lu à la première phrase à dire. Une phrase que l'on ne reconnaît pas est rendue telle quelle.
// Un {trou} s'écrit selon son nom, sans son numéro.

import { coinName, createFormat } from '../format.js';
import { write } from '../words.js';

const format = createFormat('fr');
const MINUTES = { minute: 1, hour: 60, day: 1440 };

/** Les essais qui ferment l'échange (domain/check.rs). @type {Record<string, string>} */
const TESTS = { disk: 'Disque', clock: 'Heure', exchange: 'Binance', key: 'Clé', 'key rights': 'Droits de la clé', account: 'Compte Binance' };

/** @type {Record<string, string>} */
const NETWORK = { 6: 'son adresse ne se trouve pas', 7: 'la connexion ne se fait pas' };

/** @type {Record<string, (text: string) => string>} */
const WRITTEN = {
  eur: (text) => format.eur(Number(text)),
  usdc: (text) => format.usdc(Number(text)),
  price: (text) => format.price(Number(text)),
  quantity: (text) => format.quantity(Number(text)),
  coin: coinName,
  who: (text) => (text === 'leader' ? 'Le leader' : 'Binance'),
  way: (text) => (text === 'behind' ? 'retarde' : 'avance'),
  test: (text) => TESTS[text] ?? text,
  // Ce que dit curl, quand c'est ce qui arrive d'habitude.
  network: (text) => NETWORK[/^\[(\d+)\]/.exec(text)?.[1] ?? ''] ?? text,
  side: (text) => (text === 'SELL' ? 'vente' : 'achat'),
  age(text) {
    const [count, unit] = text.replace(/s$/, '').split(' ');
    return format.duration(Number(count) * MINUTES[/** @type {keyof typeof MINUTES} */ (unit)] * 60);
  },
  reason: (text) => tell(text),
};

/** La forme d'une phrase, et ce qu'elle veut dire. @type {[RegExp, string][]} */
export const SHAPES = [
  // Sortir de l'argent.
  [/^(?<eur>[\d.]+) EUR is more than the value of (?<eur2>[\d.]+) EUR(?<reason>| \(.+\))$/, '{eur}, c’est plus que la valeur, {eur2}{reason}.'],
  [/^of the value of (?<eur>[\d.]+) EUR at most (?<eur2>[\d.]+) can be taken out now: selling costs, dust and halted pairs stay(?<reason>| \(.+\)); ask for that, or for all$/, 'Sur la valeur de {eur}, {eur2} au plus peuvent sortir maintenant : vendre coûte, la poussière et les paires arrêtées restent{reason}. Demandez cela, ou tout.'],
  [/^there is nothing to take out(?<reason>| \(.+\))$/, 'Il n’y a rien à sortir{reason}.'],
  [/^ \(an order in doubt may have spent (?<usdc>[\d.]+) USDC of it\)$/, ' (un ordre en doute en a peut-être dépensé {usdc})'],
  [/^withdrawal (?<number>\d+) is still open: take it out, or call it off first$/, 'Le retrait n° {number} est encore ouvert : sortez-le, ou annulez-le d’abord.'],
  [/^withdrawal (?<number>\d+) is not open: nothing to call off$/, 'Le retrait n° {number} n’est plus ouvert : il n’y a rien à annuler.'],
  [/^withdrawal (?<number>\d+) does not wait to be taken out$/, 'Le retrait n° {number} n’attend pas d’être sorti.'],
  [/^only (?<usdc>[\d.]+) USDC of withdrawal (?<number>\d+) are still to be taken out$/, 'Du retrait n° {number}, il ne reste que {usdc} à sortir.'],
  [/^amount_eur must be above 0, at most (?<eur>\d+), in cents$/, 'Un montant est de plus de 0 €, et de {eur} au plus, au centime près.'],
  [/^everything will be sold, and the agent then has nothing to follow with\.$/, 'Tout sera vendu, et l’agent n’aura plus de quoi suivre le leader.'],
  [/^about (?<eur>[\d.]+) EUR would be left, less than the (?<eur2>[\d.]+) EUR that following takes\.$/, 'Il resterait {eur} environ, moins que les {eur2} qu’il faut pour suivre le leader.'],
  [/^the value is not known now \(.+\), try again in a few minutes$/s, 'La valeur n’est pas connue en ce moment. Réessayez dans quelques minutes.'],
  // Dépôts, corrections, écarts.
  [/^the opening is not booked yet$/, 'Le capital de départ n’est pas encore inscrit.'],
  [/^the EUR rate or the hour is not known now: try again in a few minutes$/, 'Le taux EUR/USDC, ou l’heure, n’est pas connu en ce moment. Réessayez dans quelques minutes.'],
  [/^the account holds (?<usdc>[\d.]+) USDC more than the books, so (?<eur>[\d.]+) EUR at most can be counted: bring the money to Binance first$/, 'Le compte Binance tient {usdc} de plus que les livres : {eur} au plus peuvent être comptés. Apportez d’abord l’argent sur Binance.'],
  [/^(?<quantity>[\d.]+) (?<asset>\w+) is missing now, not (?<quantity2>[\d.]+): look again$/, 'Il manque maintenant {quantity} {asset}, et non {quantity2} : regardez de nouveau.'],
  [/^the account has (?<quantity>[\d.]+) (?<asset>\w+) free beyond the books, not (?<quantity2>[\d.]+): look again$/, 'Le compte Binance a {quantity} {asset} libres de plus que les livres, et non {quantity2} : regardez de nouveau.'],
  [/^the price of (?<coin>\w+) is not known now: try again in a (?:few minutes|minute)$/, 'Le prix de {coin} n’est pas connu en ce moment. Réessayez dans quelques minutes.'],
  [/^the account has orders of calvalot's that the books do not have: adopt them or leave them outside first$/, 'Le compte Binance a des ordres de ce programme que les livres n’ont pas : reprenez-les ou laissez-les dehors d’abord.'],
  [/^there is nothing to confirm$/, 'Il n’y a rien à confirmer.'],
  [/^a simulation has no account to compare the books with$/, 'Une simulation n’a pas de compte auquel se comparer.'],
  [/^an order that waits for a person may have changed what there is of (?<asset>\w+): release, book or settle it first$/, 'Un ordre qui vous attend a peut-être changé ce qu’il y a de {asset} : libérez-le, inscrivez-le ou réglez-le d’abord.'],
  [/^an order in doubt may have changed what there is of (?<asset>\w+): wait until it is known$/, 'Un ordre en doute a peut-être changé ce qu’il y a de {asset} : attendez qu’il soit connu.'],
  [/^(?<asset>\w+): the account was not compared with the books just now: try again after the next poll$/, '{asset} : le compte Binance n’a pas été comparé aux livres à l’instant. Réessayez après la prochaine lecture.'],
  [/^the books hold less (?<coin>\w+) than that$/, 'Les livres tiennent moins de {coin} que cela.'],
  [/^(?<usdc>[\d.]+) USDC are set aside for a withdrawal: the (?<usdc2>[-\d.]+) left do not cover this \w+ of (?<usdc3>[\d.]+); take them out or call it off first$/, '{usdc} sont mis de côté pour un retrait : les {usdc2} qui restent ne couvrent pas {usdc3}. Sortez-les, ou annulez le retrait d’abord.'],
  [/^an order in doubt may have spent (?<usdc>[\d.]+) of the (?<usdc2>[\d.]+) USDC of cash: the (?<usdc3>[-\d.]+) left do not cover this \w+ of (?<usdc4>[\d.]+); wait until that order is known$/, 'Un ordre en doute a peut-être dépensé {usdc} des {usdc2} de cash : les {usdc3} qui restent ne couvrent pas {usdc4}. Attendez qu’il soit connu.'],
  [/^the cash of (?<usdc>[-\d.]+) USDC does not cover this \w+ of (?<usdc2>[\d.]+)$/, 'Le cash, {usdc}, ne couvre pas {usdc2}.'],
  [/^this leaves (?<eur>[-\d.]+) EUR: under (?<eur2>[\d.]+) EUR no signal can be followed, and whether it survives is not judged until a deposit leaves (?<eur3>[\d.]+) EUR or more\.$/, 'Il restera {eur}. Sous {eur2}, aucun signal ne peut être suivi, et la survie n’est plus jugée avant qu’un dépôt ne laisse {eur3} ou plus.'],
  [/^this may leave less than 5 EUR \(a price is not known now\): under (?<eur>[\d.]+) EUR no signal can be followed, and whether it survives is not judged until a deposit leaves (?<eur2>[\d.]+) EUR or more\.$/, 'Il restera peut-être moins de {eur} : un prix n’est pas connu en ce moment. Sous {eur}, aucun signal ne peut être suivi, et la survie n’est plus jugée avant qu’un dépôt ne laisse {eur2} ou plus.'],
  [/^the agent is DEAD: its value fell below 5 EUR, and trades no more: what is brought to it would only lie there; begin a new ledger with another DB_PATH$/, 'L’agent est mort, sa valeur est passée sous 5 € : ce qu’on lui apporte y dormirait. Commencez un nouveau grand livre, avec un autre DB_PATH.'],
  [/^the agent is DEAD: its value fell below 5 EUR$/, 'L’agent est mort : sa valeur est passée sous 5 €.'],
  // Un ordre fini à la main.
  [/^quantity and usdc must be above 0, and fee not below$/, 'La quantité et le total sont de plus de zéro, les frais de zéro ou plus.'],
  [/^this order was to sell (?<quantity>[\d.]+) (?<asset>\w+), and (?<quantity2>[\d.]+) is more: check quantity$/, 'Cet ordre devait vendre {quantity} {asset}, et {quantity2}, c’est plus : vérifiez la quantité.'],
  [/^this order was to spend (?<usdc>[\d.]+) USDC, and (?<usdc2>[\d.]+) is more: check usdc$/, 'Cet ordre devait dépenser {usdc}, et {usdc2}, c’est plus : vérifiez le total.'],
  [/^that is (?<price>[\d.]+) USDC for one (?<asset>\w+), and one costs (?<price2>[\d.]+) now: check quantity and usdc$/, 'Cela fait {price} USDC pour un {asset}, qui en coûte {price2} maintenant : vérifiez la quantité et le total.'],
  [/^fee_asset is the asset's name in capitals, like USDC or BNB$/, 'La monnaie des frais se dit en capitales : USDC, BNB…'],
  [/^a fee of (?<quantity>[\d.]+) (?<asset>\w+) is more than was traded: check fee$/, 'Des frais de {quantity} {asset}, c’est plus que l’échange : vérifiez les frais.'],
  [/^there is no(?: such order| order \d+)$/, 'Cet ordre n’existe pas.'],
  [/^this order does not wait for a person in that way$/, 'Cet ordre n’attend plus cela de personne.'],
  [/^this order was never sent$/, 'Cet ordre n’est jamais parti.'],
  [/^what the exchange tells cannot be counted: (?<reason>.+); book it as the page of the exchange shows it, or settle it$/s, 'Ce que dit la bourse ne se compte pas. {reason} Inscrivez-le à la main, ou tenez-le pour réglé.'],
  [/^(?<reason>.+); try again, or look at it on the exchange and book it as the page of the exchange shows it, or settle it$/s, '{reason} Réessayez ; ou regardez-le chez Binance, puis inscrivez-le à la main ou tenez-le pour réglé.'],
  // Seul sur son compte, pause.
  [/^no order under (?:this ledger's name|a name of calvalot's) is unknown to (?:it|this ledger)$/, 'Il n’y a plus d’ordre que ce grand livre ne connaisse pas.'],
  [/^order (?<number>\d+) could not be adopted, (?<number2>\d+) were: (?<reason>.+); try again, or leave what is left of them outside$/s, 'L’ordre {number} n’a pas pu être repris ; {number2} l’ont été. {reason} Réessayez, ou laissez dehors ce qui en reste.'],
  [/^the account has orders under this ledger's name that it does not know \((?<number>\d+) orders?, the first (?<side>\w+) (?<coin>\w+) (?<text>\S+) of (?<time>.+) UTC\): .+$/, 'Votre décision sur les ordres à son nom qu’il ne connaît pas ({number}, le premier : {side} de {coin}, {text}, le {time} UTC).'],
  [/^another ledger of calvalot trades, or traded, on this account \((?<number>\d+) orders?, the first (?<side>\w+) (?<coin>\w+) (?<text>\S+) of (?<time>.+) UTC\), .+$/, 'Votre décision sur les ordres de cet autre grand livre ({number}, le premier : {side} de {coin}, {text}, le {time} UTC).'],
  [/^this ledger traded from another machine: .+$/, 'Votre réponse : la première machine est-elle éteinte pour de bon ?'],
  [/^the Python version called it DEAD: it can be resumed once its value is known$/, 'La version Python le disait mort : il pourra reprendre une fois sa valeur connue.'],
  [/^the Python version called it DEAD, and it is worth (?<eur>[\d.]+) EUR: have a look, then resume it$/, 'La version Python le disait mort, et il vaut {eur}.'],
  [/^this ledger was put back: .+$/s, 'Ce grand livre a été remis. Ce que vous aviez décidé depuis (pause, dépôts, retraits, écarts) n’y est pas : regardez le cash et les positions.'],
  [/^orders of a past that this ledger had lost were adopted: .+$/s, 'Des ordres d’un passé que ce grand livre avait perdu ont été repris. Ce que vous y aviez décidé (pause, dépôts, retraits, écarts) n’est pas dans les livres : regardez le cash et les positions.'],
  [/^something went wrong here; see the log$/, 'Quelque chose n’a pas marché ici : voyez le journal.'],
  [/^the program is stopping$/, 'Le programme s’arrête.'],
  [/^the answer took too long; look at the state before trying again$/, 'La réponse a pris trop longtemps : regardez l’état affiché avant de recommencer.'],
  // Ce qu'attend un signal, ou pourquoi il a fini ainsi ; l'ordre d'une monnaie a déjà son mot devant.
  [/^(?:an order of this coin is in doubt|a person must look|tried again later|refused|look at this order on the exchange, then release, book or settle it): (?<reason>.+)$/s, '{reason}'],
  [/^the exchange does not trade this pair now \((?<text>.+)\)$/, '{text}.'],
  [/^may have been done in a past that this ledger did not know: it is not done again$/, 'Il l’a peut-être été dans un passé que ce grand livre ne connaît pas.'],
  [/^a person settled its order: it is left until the next signal$/, 'Son ordre a été réglé au dehors : elle attend le prochain signal.'],
  [/^given up: its signal is (?<age>\d+ \w+) old$/, 'Abandonné : son signal a {age}.'],
  [/^its signal expired (?<age>\d+ \w+) ago$/, 'Son signal a expiré il y a {age}.'],
  [/^waits for the cash of a sale or of an order in doubt$/, 'Celui d’une vente, ou d’un ordre en doute.'],
  [/^the account has (?<quantity>[\d.]+) (?<asset>\w+) less free than the books: nothing is bought meanwhile$/, 'Le compte Binance a {quantity} {asset} libres de moins que les livres : rien n’est acheté d’ici là.'],
  [/^the account has (?<quantity>[\d.]+) (?<asset>\w+) less free than the books, (?<quantity2>[\d.]+) of it locked in an order of yours: nothing is bought meanwhile$/, 'Le compte Binance a {quantity} {asset} libres de moins que les livres, dont {quantity2} retenus par un ordre à vous : rien n’est acheté d’ici là.'],
  [/^the rest is sold at the next poll$/, 'Le reste se vend à la prochaine lecture.'],
  [/^the account is read once more, with no order in doubt, before it may be taken out$/, 'Le compte Binance est relu une fois encore, sans ordre en doute, avant que cela puisse sortir.'],
  [/^it has just started: nothing is read yet$/, 'le programme vient de démarrer, rien n’est encore lu'],
  [/^paused: it is carried out when the agent is resumed$/, 'la reprise'],
  [/^called off by a person$/, 'Annulé par quelqu’un.'],
  [/^everything is being sold to be taken out, .+$/, 'Tout se vend pour être sorti, et ce qui s’apporte maintenant partirait avec : attendez que ce soit mis de côté, ou annulez d’abord ce retrait.'],
  [/^called off: an order learned late has spent what was set aside; .+$/, 'Annulé : un ordre appris tard a dépensé ce qui était mis de côté. Redemandez-le s’il le faut.'],
  [/^called off: the ledger was put back, .+$/, 'Annulé : ce grand livre a été remis. Redemandez-le s’il le faut.'],
  [/^orders were put back into the books, .+$/, 'ce que le leader dira de nouveau'],
  [/^a withdrawal to take out explains (?<quantity>[\d.]+) (?<asset>\w+) of what is missing: .+$/, 'Un retrait explique {quantity} {asset} de ce qui manque : dites que vous l’avez sorti, ou annulez-le d’abord.'],
  [/^called off: a person resumed following$/, 'Arrêté : quelqu’un a fait reprendre.'],
  [/^what the account had is in the books$/, 'Ce que le compte Binance avait est dans les livres.'],
  [/^adopted: the account had it, (?<text>\w+)$/, 'Repris : le compte Binance l’avait ({text}).'],
  [/^orders of this ledger that only the account still knew$/, 'Des ordres de ce grand livre, que seul le compte Binance connaissait encore.'],
  [/^a person takes everything out$/, 'Quelqu’un a demandé à tout sortir.'],
  [/^a person takes (?<eur>[\d.]+) EUR out$/, 'Quelqu’un a demandé à sortir {eur}.'],
  [/^a person sells all and stops$/, 'Quelqu’un a demandé de tout vendre et d’arrêter.'],
  [/^a person asked to sell all and stop \(.+\)$/, 'Quelqu’un a demandé de tout vendre et d’arrêter.'],
  [/^the initial sync takes over its allocation$/, 'La copie de départ reprend sa répartition.'],
  // Ce que l'on sait d'un ordre.
  [/^the exchange does not show it yet, and it may still arrive$/, 'Binance ne le montre pas encore, et il peut encore arriver.'],
  [/^the exchange does not know it, and it can no longer arrive \(answer (?<number>\d+); (?<number2>\d+) over a minute prove it\)$/, 'Binance ne le connaît pas, et il ne peut plus arriver (réponse {number} ; {number2} en une minute le prouvent).'],
  [/^the balances of the account changed meanwhile$/, 'Ce que tient le compte Binance a changé entre-temps.'],
  [/^the exchange had it as order (?<number>\d+) and no longer shows it$/, 'Binance l’avait, sous le n° {number}, et ne le montre plus.'],
  [/^the exchange's clock is not known(?: yet)?$/, 'L’heure de Binance n’est pas connue.'],
  [/^sent (?<number>\d+) times, and it never reached the exchange$/, 'Envoyé {number} fois, il n’est jamais arrivé chez Binance.'],
  [/^proved: it never reached the exchange$/, 'C’est prouvé : il n’est jamais arrivé chez Binance.'],
  [/^tried (?<number>\d+) times: (?<reason>.+)$/s, 'Tenté {number} fois. {reason}'],
  [/^the list of orders has it as (?<number>\d+)$/, 'La liste des ordres de Binance l’a, sous le n° {number}.'],
  [/^trade (?<number>\d+) belongs to an order that is not listed$/, 'L’échange n° {number} est d’un ordre que Binance ne liste pas.'],
  [/^the exchange archived it: it ended and exchanged nothing$/, 'Binance l’a archivé : il a fini sans rien échanger.'],
  [/^order (?<number>\d+) bears its name and is another order$/, 'L’ordre n° {number} porte son nom, et en est un autre.'],
  [/^it could not be written into the books: (?<text>.+)$/s, 'Il n’a pas pu être écrit dans les livres ({text}).'],
  [/^its outcome could not be written into the books: (?<text>.+)$/s, 'Ce qu’il est devenu n’a pas pu être écrit dans les livres ({text}).'],
  [/^its fees were taken in BNB and the price of BNB is not known now$/, 'Ses frais sont en BNB, dont le prix n’est pas connu en ce moment.'],
  [/^the exchange has it, (?<text>\w+)$/, 'Binance l’a ({text}).'],
  [/^the exchange executed (?<quantity>[\d.]+) for .+, and its trades add up to (?<quantity2>[\d.]+) for .+$/, 'Binance dit en avoir exécuté {quantity}, et ses échanges font {quantity2}.'],
  [/^the exchange executed (?<quantity>[\d.]+), and shows trades for (?<quantity2>[\d.]+) so far$/, 'Binance dit en avoir exécuté {quantity}, et n’en montre encore que {quantity2}.'],
  [/^the outcome of an order in doubt, which may have paid for it, comes first$/, 'L’issue d’un ordre en doute, qui l’a peut-être payé, passe d’abord.'],
  [/^it ended (?<text>\w+) and exchanged nothing$/, 'Il a fini sans rien échanger ({text}).'],
  [/^the exchange executed it, and a person had settled what it changed: it is not booked again$/, 'Exécuté, et quelqu’un avait réglé ce qu’il a changé : il n’est pas inscrit de nouveau.'],
  [/^a person settled it: nothing was booked$/, 'Réglé au dehors par quelqu’un : rien n’a été inscrit.'],
  [/^a person looked: it was never executed$/, 'Quelqu’un a regardé : il n’a jamais été exécuté.'],
  [/^interrupted before its answer was written down$/, 'Interrompu avant que sa réponse ne soit notée.'],
  [/^its answer is not known yet$/, 'Sa réponse n’est pas encore connue.'],
  [/^the account is not read yet$/, 'Le compte Binance n’est pas encore lu.'],
  [/^the account could not be read: (?<reason>.+)$/s, 'Le compte Binance n’a pas pu être lu. {reason}'],
  [/^the orders of the account are not read yet$/, 'Les ordres du compte Binance ne sont pas encore lus.'],
  [/^the checks are not made yet$/, 'Les essais ne sont pas encore faits.'],
  // Ce que Binance a répondu.
  [/^the exchange asked for silence until (?<text>.+) UTC \(\d+\)$/, 'Binance demande le silence jusqu’à {text} UTC.'],
  [/^the exchange answered (?<number>\d+) and is not called again before (?<text>.+) UTC$/, 'Binance a répondu {number} : elle n’est plus appelée avant {text} UTC.'],
  [/^the exchange answered about another order$/, 'Binance a répondu d’un autre ordre.'],
  [/^the (?<who>exchange|leader) answered (?<number>\d+) with an empty page$/, '{who} a répondu {number}, et rien d’autre.'],
  [/^the (?<who>exchange|leader) answered (?<number>\d+), starting with (?<text>.+)$/s, '{who} a répondu {number}, par une page qui commence par {text}.'],
  [/^the exchange answered (?<number>\d+)(?:,|:) (?<text>.+)$/s, 'Binance a répondu {number} : {text}'],
  [/^the (?<who>exchange|leader) cannot be reached: (?<network>.+)$/s, '{who} est injoignable ({network}).'],
  [/^the (?<who>exchange|leader) did not answer within (?<number>[\d.]+) s$/, '{who} n’a pas répondu en {number} s.'],
  [/^the (?<who>exchange|leader) did not send a whole answer: (?<text>.+)$/s, '{who} n’a pas envoyé toute sa réponse ({text}).'],
  [/^unknown [^:]+: (?<reason>.+?)(?:; unknown .+)?$/s, 'Des prix, des règles ou le taux manquent. {reason}'],
  // Ce que le leader a répondu.
  [/^the leader refused our signature: check SIGNAL_SECRET, and that the clock of this machine is right$/, 'Le leader refuse notre signature : vérifiez SIGNAL_SECRET, et l’heure de cette machine.'],
  [/^the leader has switched its signal off, or LEADER_URL is not the address of a leader$/, 'Le leader a coupé son signal, ou LEADER_URL n’est pas l’adresse d’un leader.'],
  [/^the leader answered (?<number>\d+), a redirection, which is not followed: set LEADER_URL to the final address$/, 'Le leader a répondu {number}, une redirection, qui n’est pas suivie : mettez l’adresse finale dans LEADER_URL.'],
  [/^the leader sent no valid signal: (?<reason>.+)$/s, 'Ce que le leader envoie n’est pas un signal : {reason}'],
  [/^(?<reason>.+); the answer starts with (?<text>.+)$/s, '{reason} Sa réponse commence par {text}.'],
  [/^not JSON$/, 'ce n’est pas du JSON.'],
  [/^expected an object, got .+$/s, 'ce n’est pas un objet JSON.'],
  [/^(?<text>[\w.[\]]+): missing$/, '« {text} » manque.'],
  // Pourquoi l'échange est fermé : ce que chaque essai a trouvé.
  [/^(?<reason>(?:disk|clock|exchange|key rights|key|account): .+?); (?<reason2>(?:disk|clock|exchange|key rights|key|account): .+)$/s, '{reason} · {reason2}'],
  [/^(?<test>disk|clock|exchange|key rights|key|account): (?<reason>.+)$/s, '{test} : {reason}'],
  [/^not tested$/, 'pas essayé.'],
  [/^nothing to compare it with: (?<reason>.+)$/s, 'rien à quoi la comparer. {reason}'],
  [/^(?<quantity>[\d.]+) s (?<way>behind|ahead of) the exchange, give or take (?<number>\d+) ms$/, 'elle {way} de {quantity} s sur celle de Binance, à {number} ms près.'],
  [/^the clock of this machine is (?<number>\d+) s (?<way>behind|ahead of) the exchange's: .+$/s, 'L’heure de cette machine {way} de {number} s sur celle de Binance.'],
  [/^no key is set, and live needs one$/, 'aucune n’est réglée, et il en faut une.'],
  [/^needs a key the exchange accepts$/, 'il faut d’abord une clé que Binance accepte.'],
  [/^(?<reason>it may .+?); (?<reason2>it may .+)$/, '{reason}, {reason2}'],
  [/^it may not read$/, 'pas le droit de lire'],
  [/^it may not trade$/, 'pas le droit de négocier'],
  [/^it may withdraw: whoever steals this file or this machine takes the money$/, 'le droit de retirer, et qui vole cette machine prend l’argent'],
  [/^the account may not trade$/, 'Le compte Binance n’a pas le droit de négocier.'],
  [/^the key opens another account than the one this ledger began with$/, 'La clé ouvre un autre compte Binance que celui de ce grand livre.'],
  // Le fichier du grand livre.
  [/^the ledger could not be read or written: (?<text>.+); make room on this disk, then ask again$/, 'Le disque ne prend plus rien ({text}) : faites-y de la place, puis redemandez-le.'],
  [/^the ledger could not be read or written: (?<text>.+)$/s, 'Le grand livre n’a pas pu être lu, ou écrit ({text}).'],
  [/^(?<text>.+) was removed or renamed while calvalot uses it; (?<reason>.+)$/s, '{text} a été ôté ou renommé. {reason}'],
  [/^another file was put in place of (?<text>.+) while calvalot uses it; (?<reason>.+)$/s, 'Un autre fichier a été mis à la place de {text}. {reason}'],
  [/^what is written now is in no file any more; a copy of it is (?<text>.+): stop calvalot .+$/s, 'Ce qui s’écrit maintenant n’est plus dans aucun fichier, mais en copie dans {text} : arrêté normalement, le programme la met à jour ; ensuite, calvalot restore la remet.'],
  [/^what is written now is in no file any more, and no copy of it could be made \((?<text>.+)\): before you stop calvalot, make room in (?<text2>.+), or let it write there; .+$/s, 'Ce qui s’écrit maintenant n’est plus dans aucun fichier, et n’a pas pu être copié ({text}). Avant d’arrêter le programme, faites de la place dans {text2}, ou laissez-le y écrire : il réessaie chaque minute.'],
  [/^(?<text>.+) was written over by another program while calvalot uses it; stop calvalot, then put a good copy back with `calvalot restore FILE`$/s, 'Un autre programme a écrit par-dessus {text}. Une fois ce programme arrêté, remettez-en une bonne copie : calvalot restore FICHIER.'],
  [/^(?<text>.+) was removed or replaced while calvalot uses it; restart calvalot \(not by a kill\): as it stops, it brings what was there into (?<text2>.+)$/s, '{text} a été ôté ou remplacé. Arrêté normalement, le programme ramène dans {text2} ce qui y était ; ensuite, redémarrez-le.'],
  [/^the lock of (?<text>.+) was removed or replaced while calvalot uses it, and another calvalot may have taken it; stop every calvalot, then start one$/s, 'Le verrou de {text} a été ôté ou remplacé, et un autre Calv-a-lot l’a peut-être pris. Arrêtez-les tous, puis n’en démarrez qu’un.'],
  // Une phrase de plusieurs monnaies.
  [/^(?<coin>[A-Z0-9]+USDC): (?<reason>.+)$/s, '{coin} : {reason}'],
];

/** @param {string} text @returns {string} */
export function tell(text) {
  for (const [shape, sentence] of SHAPES) {
    const found = shape.exec(text);
    if (found) return write(sentence, told(found.groups ?? {}));
  }
  return text;
}

/** @param {Record<string, string>} groups */
const told = (groups) =>
  Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, WRITTEN[name.replace(/\d$/, '')]?.(text) ?? text]));
