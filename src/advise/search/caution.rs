//! Steps that make the set plainer or safer than the planner's figures alone would: its costs praise index-only scans of a
//! few rows, and loops into an index.

use super::{Search, Set, moves::columns};

impl Search<'_, '_, '_> {
    /// Takes away the carried columns that save no query a good part of what it took before any advice: an
    /// index-only scan of a few rows is no reason for a wider index.
    pub(super) fn carry_less(&mut self) {
        /// That part.
        const CARRIED: f64 = 0.2;
        for id in self.selected.chosen.clone() {
            let mut plain = self.costs.candidate(id).clone();
            if plain.spec.include.is_empty() {
                continue;
            }
            plain.spec.include.clear();
            let less = Set::from([id]);
            let Some(one) = self.instead(&less, vec![plain], id).pop() else { continue };
            let pays = self.users(&less).into_iter().any(|query| {
                let (now, base) = (self.now[&query].effort, self.base[&query]);
                self.under(query, &less, one.plus).is_none_or(|known| known.effort - now >= base * CARRIED)
            });
            if !pays {
                self.apply(&less, one.plus, "its carried columns save little");
            }
        }
    }

    /// Changes an index into which a query may loop for longer than it takes now: the planner may come to that plan
    /// whatever it says of the whole set, and a longer index that holds what the query reads makes such loops quick.
    pub(super) fn guard(&mut self) {
        /// What a safer index must take off the efforts at risk, in parts of what the queries take now.
        const SAFER: f64 = 0.05;
        /// Rent that safety is worth.
        const WORTH: f64 = 0.005;
        for id in self.selected.chosen.clone() {
            let mut at_risk: Vec<(usize, f64)> = Vec::new();
            for query in self.concerned(id) {
                let alone = self.alone(query, id);
                if let Some(effort) = alone.filter(|effort| *effort > self.base[&query]) {
                    at_risk.push((query, effort));
                }
            }
            if at_risk.is_empty() || self.is_spent() {
                continue;
            }
            let now: f64 = at_risk.iter().map(|(query, effort)| effort / self.base[query]).sum();
            let mut best: Option<(f64, usize)> = None;
            for one in self.longer(id) {
                let Some(plus) = one.plus else { continue };
                if self.paid(plus).1 - self.paid(id).1 > WORTH {
                    continue;
                }
                let mut after = Some(0.0);
                for (query, _) in &at_risk {
                    let effort = self.alone(*query, plus);
                    after = after.zip(effort).map(|(sum, effort)| sum + effort / self.base[query]);
                }
                if let Some(after) = after.filter(|after| *after <= now - SAFER)
                    && best.is_none_or(|(least, _)| after < least)
                {
                    best = Some((after, plus));
                }
            }
            if let Some((_, plus)) = best {
                let why = format!(
                    "queries that loop into it are safer with {}",
                    columns(self.costs.candidate(plus))
                );
                self.apply(&Set::from([id]), Some(plus), &why);
            }
        }
    }

    /// The effort of a query with one index alone.
    fn alone(&mut self, query: usize, id: usize) -> Option<f64> {
        if !self.work[query].relevant.contains(&id) {
            return Some(self.base[&query]);
        }
        self.costs.ask(query, self.work[query].probe?, &Set::from([id])).ok().map(|known| known.effort)
    }
}
