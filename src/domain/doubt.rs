//! Quand peut-on dire qu'un ordre envoyé n'a jamais existé ?
//!
//! « Order does not exist » ne prouve rien tant que l'ordre peut encore arriver au moteur, ni tant que les
//! lectures peuvent être en retard sur lui. Les règles sont celles de la fiche Binance, section 6 : passé
//! l'heure où il ne peut plus entrer, trois réponses « inconnu » sur une minute au moins, sans qu'une lecture
//! ait manqué entre deux. L'appelant y ajoute ce que disent les ordres, les trades et les soldes du compte.

use std::time::Duration;

use super::moment::Moment;

/// Le temps qu'un ordre a pour entrer au moteur, compté de son heure (`recvWindow`).
pub const WINDOW: Duration = Duration::from_secs(5);

/// La bourse peut garder un ordre 10 s avant son moteur ; le reste est une marge.
const SLACK: Duration = Duration::from_secs(15);

/// Réponses « inconnu » qu'il faut, et sur combien de temps.
const ABSENCES: u32 = 3;
const SPREAD: Duration = Duration::from_secs(60);

/// Au-delà, plus rien ne se prouvera sans une personne.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Tentatives d'un même ordre pour un même signal.
pub const ATTEMPTS: u32 = 2;

/// L'attente avant chaque question ; la dernière vaut pour toutes les suivantes.
const QUESTIONS: [u64; 6] = [1, 2, 5, 10, 17, 30];

/// Ce qu'on sait d'un ordre dont l'issue est inconnue. Les instants sont à l'heure de la bourse.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    stamped_at: Moment,
    window: Duration,
    /// Depuis quand on demande.
    asked_from: Moment,
    questions: usize,
    absences: u32,
    absent_since: Option<Moment>,
    absent_at: Option<Moment>,
}

impl Doubt {
    /// Sur un ordre daté de `stamped_at`, valable `window`, à propos duquel on demande depuis `asked_from`.
    pub fn new(stamped_at: Moment, window: Duration, asked_from: Moment) -> Doubt {
        Doubt {
            stamped_at,
            window,
            asked_from,
            questions: 0,
            absences: 0,
            absent_since: None,
            absent_at: None,
        }
    }

    /// L'attente avant la prochaine question ; chaque appel en compte une.
    pub fn next_question(&mut self) -> Duration {
        let wait = QUESTIONS[self.questions.min(QUESTIONS.len() - 1)];
        self.questions += 1;
        Duration::from_secs(wait)
    }

    /// La bourse dit, à `at`, ne pas connaître l'ordre. `margin` est l'erreur possible sur cette heure.
    pub fn absent(&mut self, at: Moment, margin: Duration) {
        if at.since(self.stamped_at) <= self.window + SLACK + margin {
            return;
        }
        self.absences += 1;
        self.absent_since.get_or_insert(at);
        self.absent_at = Some(at);
    }

    /// Une lecture a manqué, ou contredit l'absence : le compte repart de rien.
    pub fn interrupted(&mut self) {
        self.absences = 0;
        self.absent_since = None;
        self.absent_at = None;
    }

    /// Vrai quand assez de réponses, assez étalées, disent l'ordre inconnu.
    pub fn shows_absence(&self) -> bool {
        let spread = self.absent_at.zip(self.absent_since).map(|(last, first)| last.since(first));
        self.absences >= ABSENCES && spread >= Some(SPREAD)
    }

    /// Vrai quand on demande depuis trop longtemps.
    pub fn is_hopeless(&self, now: Moment) -> bool {
        now.since(self.asked_from) > PATIENCE
    }

    /// Où en est la preuve, pour les écrans.
    pub fn told(&self) -> String {
        match self.absences {
            0 => "the exchange does not show it yet, and it may still arrive".to_owned(),
            count => format!(
                "the exchange does not know it, and it can no longer arrive (answer {count}; {ABSENCES} over a minute \
                 prove it)"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Moment = Moment(1_790_000_000_000);

    fn after(seconds: u64) -> Moment {
        Moment(T.0 + seconds as i64 * 1000)
    }

    fn doubt() -> Doubt {
        Doubt::new(T, WINDOW, T)
    }

    #[test]
    fn an_answer_before_the_order_has_expired_counts_for_nothing() {
        let mut doubt = doubt();
        for second in 0..=20 {
            doubt.absent(after(second), Duration::ZERO);
        }
        doubt.absent(after(80), Duration::ZERO);
        doubt.absent(after(140), Duration::ZERO);
        assert!(!doubt.shows_absence());
        doubt.absent(after(141), Duration::ZERO);
        assert!(doubt.shows_absence());
    }

    #[test]
    fn three_answers_over_a_minute_are_wanted() {
        let mut quick = doubt();
        for second in [21, 22, 23, 79] {
            quick.absent(after(second), Duration::ZERO);
        }
        assert!(!quick.shows_absence(), "58 s are not a minute");
        quick.absent(after(81), Duration::ZERO);
        assert!(quick.shows_absence());
        let mut few = doubt();
        for second in [21, 600] {
            few.absent(after(second), Duration::ZERO);
        }
        assert!(!few.shows_absence(), "two are not three");
    }

    #[test]
    fn a_read_that_fails_starts_the_count_again() {
        let mut doubt = doubt();
        for second in [21, 60] {
            doubt.absent(after(second), Duration::ZERO);
        }
        doubt.interrupted();
        for second in [90, 140] {
            doubt.absent(after(second), Duration::ZERO);
        }
        assert!(!doubt.shows_absence());
        doubt.absent(after(150), Duration::ZERO);
        assert!(doubt.shows_absence());
    }

    #[test]
    fn the_error_of_the_clock_is_on_the_side_of_waiting() {
        let mut doubt = doubt();
        doubt.absent(after(21), Duration::from_secs(2));
        assert_eq!(doubt, self::doubt());
    }

    #[test]
    fn questions_come_fast_and_then_slower() {
        let mut doubt = doubt();
        let waits: Vec<u64> = (0..8).map(|_| doubt.next_question().as_secs()).collect();
        assert_eq!(waits, [1, 2, 5, 10, 17, 30, 30, 30]);
    }

    #[test]
    fn after_half_an_hour_a_person_must_look() {
        assert!(!doubt().is_hopeless(after(1800)));
        assert!(doubt().is_hopeless(after(1801)));
    }
}
