//! L'envoi d'un ordre : la demande, et ce que sa réponse prouve.
//!
//! Envoie une fois, ne refait rien, ne change pas d'adresse ; qui appelle a déjà écrit l'ordre au grand livre.
//! Source : docs Binance Spot, « New order (TRADE) ». Invariant : n'est accepté qu'un récit entier et lisible
//! de *cet* ordre, n'est refusé que ce qui ne peut pas avoir été exécuté ; entre les deux, l'issue est
//! inconnue, et seule la bourse la dira.

use super::account::Account;
use super::refusal::judged;
use super::request::Request;
use super::trouble::{told, unreadable_body};
use super::{BODY_LIMIT, reports, wire};
use crate::clock;
use crate::domain::execution::Report;
use crate::domain::order::Size;
use crate::exchange::asked::Endpoint;
use crate::exchange::order::{Placed, Reaction, Refusal, Ticket};
use crate::fetch::OneShot;

impl Account {
    /// Envoie l'ordre (`POST /api/v3/order`, poids 1, ou 0 s'il réussit), une fois : rien au-dessous ne le
    /// refait. Pendant un silence, rien ne part.
    pub async fn place(&self, sender: &OneShot, ticket: &Ticket) -> Placed {
        let exchange = self.exchange();
        let later = |reason| Placed::Refused(Refusal { reason, then: Reaction::Later });
        if let Some(silence) = exchange.silence() {
            return later(silence.to_string());
        }
        let (url, key) = self.signed(ticket.request(), ticket.stamped_at, ticket.window);
        let sent = clock::instant();
        let answer = sender.post(&url, &[key], BODY_LIMIT).await;
        if let Ok(answer) = &answer {
            exchange.heed(answer);
        }
        exchange.tell(Endpoint::PlaceOrder, sent, &answer);
        match answer {
            Ok(answer) => {
                let placed = ticket.outcome(answer.status, &answer.body);
                if let Placed::Refused(Refusal { then: Reaction::Resynchronise, .. }) = placed {
                    exchange.timekeeper.doubt();
                }
                placed
            }
            Err(error) if error.was_not_sent() => later(format!("the exchange {error}")),
            Err(error) => Placed::Unknown(format!("the exchange {error}")),
        }
    }
}

impl Ticket {
    fn request(&self) -> Request {
        let request = Request::new("/api/v3/order")
            .with("symbol", self.order.coin().pair())
            .with("side", self.order.side().word());
        let limit = self.order.bound().and_then(|bound| Some((bound.limit?, bound.quantity)));
        let sized = match (limit, self.order.size()) {
            (Some((price, quantity)), _) => request
                .with("type", "LIMIT")
                .with("timeInForce", "IOC")
                .with("quantity", &quantity.to_string())
                .with("price", &price.to_string()),
            (None, Size::Spend(amount)) => {
                request.with("type", "MARKET").with("quoteOrderQty", &amount.to_string())
            }
            (None, Size::Sell(quantity)) => {
                request.with("type", "MARKET").with("quantity", &quantity.to_string())
            }
        };
        sized.with("newClientOrderId", &self.client_id).with("newOrderRespType", "FULL")
    }

    /// Ce que cette réponse prouve.
    fn outcome(&self, status: u16, body: &[u8]) -> Placed {
        if status != 200 {
            return match judged(status, body) {
                Some(refusal) => Placed::Refused(refusal),
                None => Placed::Unknown(told(status, body)),
            };
        }
        let Some((report, executions)) = wire::decoded(body).and_then(reports::receipt) else {
            return Placed::Unknown(unreadable_body(body));
        };
        if !self.is_told_by(&report) {
            return Placed::Unknown("the exchange answered about another order".to_owned());
        }
        Placed::Accepted(report, executions)
    }

    fn is_told_by(&self, report: &Report) -> bool {
        report.client_id == self.client_id
            && report.coin == self.order.coin()
            && report.side == self.order.side()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rust_decimal::{Decimal, dec};

    use super::*;
    use crate::domain::market::{Coin, Market, Pair, Pairs, Quote, Rules};
    use crate::domain::moment::Moment;
    use crate::domain::money::{Price, Quantity, Rate, Usdc};
    use crate::domain::order::{Bound, Order, Side};

    fn market() -> Market {
        let quote = Quote::new(Price::new(dec!(68000)), Price::new(dec!(68000))).unwrap();
        let rules = Rules {
            halted: None,
            step: Quantity::new(dec!(0.00001)),
            min_quantity: Quantity::new(dec!(0.00001)),
            max_quantity: Quantity::new(dec!(100)),
            min_notional: Usdc::new(dec!(5)),
            max_notional: None,
            tick: Some(Price::new(dec!(0.01))),
            market: true,
        };
        Market {
            pairs: Pairs::all(|_| Pair { quote, rules: rules.clone() }),
            rate: Rate::new(dec!(1.1)),
            read_at: Moment(0),
        }
    }

    fn ticket(order: Order) -> Ticket {
        let (stamped_at, window) = (Moment(1_700_000_000_000), Duration::from_secs(3));
        Ticket { client_id: "bot-1".to_owned(), order, stamped_at, window }
    }

    fn buy(amount: Decimal) -> Ticket {
        ticket(Order::buy(Coin::Btc, Usdc::new(amount), &market().pairs).unwrap())
    }

    fn sell(quantity: Decimal) -> Ticket {
        let quantity = Quantity::new(quantity);
        ticket(Order::sell(Coin::Btc, quantity, quantity, &market().pairs).unwrap())
    }

    /// Les documents de la bourse, son exemple d'un achat de 25 USDC, à deux exécutions.
    const RECEIPT: &str = r#"{"symbol":"BTCUSDC","orderId":9007199254740993,"orderListId":-1,
        "clientOrderId":"bot-1","transactTime":1790000000500,"price":"0.00000000","origQty":"0.00036000",
        "executedQty":"0.00036000","origQuoteOrderQty":"25.00000000","cummulativeQuoteQty":"24.48444250",
        "status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"BUY","workingTime":1790000000500,
        "fills":[{"price":"68012.34000000","qty":"0.00035000","commission":"0.00000035",
        "commissionAsset":"BTC","tradeId":9223372036854775807},{"price":"68012.35000000",
        "qty":"0.00001000","commission":"0.00000001","commissionAsset":"BNB","tradeId":28458}],
        "selfTradePreventionMode":"EXPIRE_MAKER"}"#;

    #[test]
    fn an_amount_is_spent_and_a_quantity_is_sold() {
        let common = "type=MARKET";
        let cases = [
            (buy(dec!(25)), "side=BUY", "quoteOrderQty=25"),
            (buy(dec!(25.50)), "side=BUY", "quoteOrderQty=25.5"),
            (buy(dec!(1000000)), "side=BUY", "quoteOrderQty=1000000"),
            (sell(dec!(0.00031)), "side=SELL", "quantity=0.00031"),
            (sell(dec!(100)), "side=SELL", "quantity=100"),
        ];
        for (ticket, side, size) in cases {
            let expected = format!(
                "/api/v3/order?symbol=BTCUSDC&{side}&{common}&{size}&newClientOrderId=bot-1&newOrderRespType=FULL"
            );
            assert_eq!(ticket.request().target(), expected);
        }
    }

    /// Ce qui n'est pas là au prix limite s'éteint.
    #[test]
    fn a_bounded_order_takes_what_is_there_at_once() {
        let bound = |quantity: Decimal, limit: Decimal| Bound {
            quantity: Quantity::new(quantity),
            limit: Some(Price::new(limit)),
            average: Price::new(dec!(68000)),
        };
        let cases = [
            (
                buy(dec!(25)),
                bound(dec!(0.00036), dec!(68068.2)),
                "side=BUY",
                "quantity=0.00036&price=68068.2",
            ),
            (sell(dec!(0.5)), bound(dec!(0.0031), dec!(67660)), "side=SELL", "quantity=0.0031&price=67660"),
        ];
        for (asked, bound, side, size) in cases {
            let order = asked
                .order
                .bounded(bound, &market().pairs.get(Coin::Btc).expect("BTC").rules)
                .expect("an order");
            let target = Ticket { order, ..asked }.request().target();
            assert!(
                target.contains(&format!("&{side}&type=LIMIT&timeInForce=IOC&{size}&newClientOrderId=")),
                "{target}"
            );
            assert!(!target.contains("quoteOrderQty"), "{target}");
        }
    }

    #[test]
    fn a_receipt_is_told_to_the_last_digit() {
        let Placed::Accepted(report, executions) = buy(dec!(25)).outcome(200, RECEIPT.as_bytes()) else {
            panic!("it was not accepted");
        };
        assert_eq!((report.order_id, report.ended), (9_007_199_254_740_993, true));
        assert_eq!((report.coin, report.side, report.at), (Coin::Btc, Side::Buy, Moment(1_790_000_000_500)));
        assert_eq!(
            (report.executed, report.amount),
            (Quantity::new(dec!(0.00036)), Some(Usdc::new(dec!(24.4844425))))
        );
        let told: Vec<_> =
            executions.iter().map(|execution| (execution.trade_id, execution.amount)).collect();
        assert_eq!(told, [(i64::MAX, Usdc::new(dec!(23.804319))), (28_458, Usdc::new(dec!(0.6801235)))]);
        let commission =
            |index: usize| (executions[index].commission, executions[index].commission_asset.as_str());
        assert_eq!(commission(0), (Quantity::new(dec!(0.00000035)), "BTC"));
        assert_eq!(commission(1), (Quantity::new(dec!(0.00000001)), "BNB"));
        assert!(executions.iter().all(|execution| execution.order_id == report.order_id
            && execution.at == report.at
            && execution.side == Side::Buy));
    }

    /// Ce qui change sans rien fausser : (texte, son remplaçant, état, fini).
    #[test]
    fn an_order_is_accepted_whatever_its_state() {
        let fills = &RECEIPT[RECEIPT.find(r#""fills""#).unwrap()..=RECEIPT.find(']').unwrap()];
        let reason =
            r#""expiryReason":"INSUFFICIENT_LIQUIDITY","preventedMatches":[{"a":[null,1.5e3]}],"side""#;
        for (from, to, ended) in [
            (r#""FILLED""#, r#""EXPIRED""#, true),
            (r#""FILLED""#, r#""EXPIRED_IN_MATCH""#, true),
            (r#""FILLED""#, r#""CANCELED""#, true),
            (r#""FILLED""#, r#""REJECTED""#, true),
            (r#""FILLED""#, r#""NEW""#, false),
            (r#""FILLED""#, r#""PARTIALLY_FILLED""#, false),
            (r#""FILLED""#, r#""PENDING_NEW""#, false),
            (r#""FILLED""#, r#""A_WORD_OF_TOMORROW""#, false),
            (r#""FILLED""#, r#""filled""#, false),
            (r#""24.48444250""#, r#""-1.00000000""#, true),
            (r#""side""#, reason, true),
            (fills, r#""fills":[]"#, true),
        ] {
            let Placed::Accepted(report, _) =
                buy(dec!(25)).outcome(200, RECEIPT.replace(from, to).as_bytes())
            else {
                panic!("{from} as {to} was not accepted");
            };
            assert_eq!(report.ended, ended, "{to}");
            assert_eq!(report.amount.is_none(), to.contains("-1.0"), "{to}");
        }
    }

    fn check_unknown(body: &[u8]) {
        let placed = buy(dec!(25)).outcome(200, body);
        assert!(matches!(placed, Placed::Unknown(_)), "{placed:?}");
    }

    #[test]
    fn an_answer_with_one_field_that_makes_no_sense_is_unknown() {
        let strange = [
            // D'un autre ordre.
            (r#""bot-1""#, r#""bot-2""#),
            (r#""BTCUSDC""#, r#""ETHUSDC""#),
            (r#""BTCUSDC""#, r#""DOGEUSDC""#),
            (r#""BUY""#, r#""SELL""#),
            (r#""BUY""#, r#""buy""#),
            // D'un autre type.
            ("9007199254740993", r#""9007199254740993""#),
            ("9007199254740993", "9007199254740993.0"),
            ("9007199254740993", "1e3"),
            ("9007199254740993", "9223372036854775808"),
            ("9007199254740993", "0"),
            ("9007199254740993", "-1"),
            ("9007199254740993", "null"),
            (r#""0.00036000""#, "0.00036"),
            (r#""0.00036000""#, r#""3.6e-4""#),
            (r#""0.00036000""#, r#""""#),
            (r#""0.00036000""#, r#""-0.00036000""#),
            (r#""24.48444250""#, "24"),
            (r#""24.48444250""#, r#""x""#),
            (r#""FILLED""#, "null"),
            ("1790000000500", r#""now""#),
            // Une exécution qui ne se compte pas.
            (r#""68012.34000000""#, r#""0.00000000""#),
            (r#""68012.34000000""#, r#""-1""#),
            (r#""0.00001000""#, r#""0.00000000""#),
            (r#""0.00000001""#, r#""-0.00000001""#),
            (r#""0.00000001""#, "1"),
            (r#""0.00000001""#, r#""NaN""#),
            ("28458", "-1"),
            (r#""fills":["#, r#""fills":[null,"#),
            (r#""fills":["#, r#""fills":[{},"#),
            (r#""fills":["#, r#""fills":[[],"#),
        ];
        for (from, to) in strange {
            let body = RECEIPT.replace(from, to);
            assert_ne!(body, RECEIPT, "{from}");
            check_unknown(body.as_bytes());
        }
    }

    #[test]
    fn an_answer_that_is_not_the_whole_story_is_unknown() {
        for field in [
            "symbol",
            "orderId",
            "clientOrderId",
            "executedQty",
            "cummulativeQuoteQty",
            "status",
            "side",
            "transactTime",
            "fills",
            "qty",
        ] {
            check_unknown(RECEIPT.replace(&format!("\"{field}\""), "\"renamed\"").as_bytes());
        }
        for length in 0..RECEIPT.len() {
            check_unknown(&RECEIPT.as_bytes()[..length]);
        }
        for body in
            ["{}", "[]", "null", "<html>", r#"{"code":-2010,"msg":"Account has insufficient balance."}"#]
        {
            check_unknown(body.as_bytes());
        }
    }

    #[test]
    fn only_a_200_tells_the_story_of_an_order() {
        for status in [100, 201, 202, 204, 301, 400, 404, 409, 500, 503] {
            let placed = buy(dec!(25)).outcome(status, RECEIPT.as_bytes());
            assert!(matches!(placed, Placed::Unknown(_)), "{status}: {placed:?}");
        }
        let body = br#"{"code":-2010,"msg":"Account has insufficient balance for requested action."}"#;
        let reason =
            "the exchange answered 400: -2010 Account has insufficient balance for requested action.";
        let expected = Refusal { reason: reason.to_owned(), then: Reaction::Shrink };
        assert_eq!(buy(dec!(25)).outcome(400, body), Placed::Refused(expected));
        let duplicate = br#"{"code":-2010,"msg":"Duplicate order sent."}"#;
        let expected = "the exchange answered 400: -2010 Duplicate order sent.";
        assert_eq!(buy(dec!(25)).outcome(400, duplicate), Placed::Unknown(expected.to_owned()));
    }
}
