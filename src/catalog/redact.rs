//! A snapshot without the values of its columns.
//!
//! A text, a long number or a UUID gets the same other one wherever it stands, so that columns which shared
//! values still do, and joins are estimated as before. Order, frequency, length and distinctness stay: a text
//! becomes letters of its length, or a few more where it is too short to stay distinct; a number another of
//! as many digits. Kept are what names no person and what the queries' own constants have to meet: numbers
//! of up to three digits, dates and times, booleans, enums. Of other types the values are dropped, and it
//! is said so: the planner then knows of them how many there are, and not how often each comes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    array::{array, elements},
    snapshot::{ColumnFigures, NotSeen, Relation, Snapshot},
};

/// What becomes of the values of a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Text,
    Number,
    Uuid,
    Kept,
    Dropped,
}

/// Numbers of so many digits stay.
const SHORT: usize = 3;

/// Takes the values out. `type_of` a column of a table, as PostgreSQL prints it, or of an array's elements with
/// `[]` behind; `enums` are the names of those types.
pub fn redact(
    snapshot: &mut Snapshot,
    type_of: &dyn Fn(&Relation, &str) -> Option<String>,
    enums: &BTreeSet<String>,
) {
    let class = |relation: &Relation, column: &ColumnFigures| -> (Class, String) {
        match type_of(relation, &column.name) {
            Some(name) => (class_of(&name, enums), name),
            None => (Class::Dropped, "an expression".to_owned()),
        }
    };
    let mut known: BTreeMap<Class, BTreeSet<String>> = BTreeMap::new();
    for relation in &snapshot.relations {
        for column in &relation.columns {
            let (class, _) = class(relation, column);
            known.entry(class).or_default().extend(values(column));
        }
    }
    let mut names: BTreeMap<Class, BTreeMap<String, String>> = BTreeMap::new();
    for (class, values) in known {
        let others = match class {
            Class::Text => texts(values),
            Class::Number => numbers(values),
            Class::Uuid => uuids(values),
            Class::Kept | Class::Dropped => continue,
        };
        names.insert(class, others);
    }
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    for relation in &mut snapshot.relations {
        let classes: Vec<_> = relation.columns.iter().map(|column| class(relation, column)).collect();
        for (column, (class, type_name)) in relation.columns.iter_mut().zip(classes) {
            match names.get(&class) {
                Some(others) => replace(column, others, class),
                None if class == Class::Kept => {}
                None if values(column).is_empty() && column.most_common_elems.is_none() => {}
                None => {
                    drop_values(column);
                    *dropped.entry(type_name).or_default() += 1;
                }
            }
        }
    }
    for (type_name, count) in dropped {
        let what = format!("values of columns of {type_name}");
        let why = "dropped: values of this type have no others that keep their order and size".to_owned();
        snapshot.not_seen.push(NotSeen { what, why, count });
    }
    let lists = snapshot.extended.iter_mut().filter_map(|one| one.mcv.take()).count();
    if lists > 0 {
        let what = "lists of common values of extended statistics".to_owned();
        snapshot.not_seen.push(NotSeen { what, why: "dropped: --redact".to_owned(), count: lists as u64 });
    }
}

fn class_of(type_name: &str, enums: &BTreeSet<String>) -> Class {
    let bare = type_name.split('(').next().unwrap_or(type_name).trim();
    let unqualified = bare.rsplit('.').next().unwrap_or(bare);
    match bare {
        "text" | "character varying" | "varchar" | "character" | "char" | "bpchar" | "citext" | "name" => {
            Class::Text
        }
        "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8" | "numeric" | "decimal" => {
            Class::Number
        }
        "uuid" => Class::Uuid,
        "boolean" | "bool" | "date" => Class::Kept,
        _ if bare.starts_with("time") || bare.starts_with("interval") => Class::Kept,
        _ if enums.contains(bare) || enums.contains(unqualified) => Class::Kept,
        _ => Class::Dropped,
    }
}

/// All values of a column, but those inside of others.
fn values(column: &ColumnFigures) -> Vec<String> {
    let lists = [&column.most_common_vals, &column.histogram_bounds];
    let mut values: Vec<String> = lists.into_iter().flatten().flat_map(|list| elements(list)).collect();
    values.extend(column.lowest.clone());
    values.extend(column.highest.clone());
    values
}

fn replace(column: &mut ColumnFigures, others: &BTreeMap<String, String>, class: Class) {
    let other = |value: &String| others.get(value).cloned().unwrap_or_default();
    let list = |list: &Option<String>| -> Option<Vec<String>> {
        Some(elements(list.as_deref()?).iter().map(other).collect())
    };
    let common = list(&column.most_common_vals);
    let mut bounds = list(&column.histogram_bounds);
    if let Some(bounds) = bounds.as_mut().filter(|_| class == Class::Text) {
        // How the database sorts texts is known to it alone: the bounds are in order, whatever we took for it.
        bounds.sort();
    }
    column.most_common_vals = common.map(|values| array(&values));
    column.histogram_bounds = bounds.map(|values| array(&values));
    column.lowest = column.lowest.as_ref().map(other);
    column.highest = column.highest.as_ref().map(other);
    drop_elements(column);
}

fn drop_values(column: &mut ColumnFigures) {
    (column.most_common_vals, column.most_common_freqs, column.histogram_bounds) = (None, None, None);
    (column.lowest, column.highest) = (None, None);
    drop_elements(column);
}

fn drop_elements(column: &mut ColumnFigures) {
    (column.most_common_elems, column.most_common_elem_freqs, column.elem_count_histogram) =
        (None, None, None);
}

/// Letters in the order of the texts, as long as these.
fn texts(values: BTreeSet<String>) -> BTreeMap<String, String> {
    let mut sorted: Vec<String> = values.into_iter().collect();
    // As most collations do: letters before case and before signs.
    let key = |text: &String| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    };
    sorted.sort_by_cached_key(|text| (key(text), text.clone()));
    let (mut width, mut room) = (1, 26);
    while room < sorted.len() {
        (width, room) = (width + 1, room * 26);
    }
    let step = room / sorted.len().max(1);
    let letters = |mut number: usize| -> String {
        let mut letters = vec![b'a'; width];
        for letter in letters.iter_mut().rev() {
            *letter += u8::try_from(number % 26).unwrap_or(0);
            number /= 26;
        }
        String::from_utf8(letters).unwrap_or_default()
    };
    let named = (0..).zip(sorted).map(|(rank, text)| {
        let mut other = letters(rank * step);
        let missing = text.chars().count().saturating_sub(width);
        other.extend(std::iter::repeat_n('m', missing));
        // Nothing stays nothing.
        if text.is_empty() { (text, String::new()) } else { (text, other) }
    });
    named.collect()
}

/// Numbers of the same sign and form, in the order of these; what is no plain number stays.
fn numbers(values: BTreeSet<String>) -> BTreeMap<String, String> {
    // By sign, digits and digits behind the point.
    let mut alike: BTreeMap<(bool, usize, usize), Vec<(u128, String)>> = BTreeMap::new();
    let mut others = BTreeMap::new();
    for value in values {
        let positive = value.trim_start_matches('-');
        let scale = positive.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits: String = positive.chars().filter(|c| *c != '.').collect();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number =
            digits.parse::<u128>().ok().filter(|_| plain && digits.len() > SHORT && digits.len() < 38);
        match number {
            Some(number) => {
                let form = (value.starts_with('-'), number.to_string().len(), scale);
                alike.entry(form).or_default().push((number, value));
            }
            None => _ = others.insert(value.clone(), value),
        }
    }
    for ((negative, digits, scale), mut values) in alike {
        values.sort();
        let low = 10_u128.pow(u32::try_from(digits).unwrap_or(38) - 1);
        let room = low * 9;
        let count = values.len() as u128;
        for (rank, (_, value)) in (0_u128..).zip(values) {
            let number = low + room / count * rank + room / count / 2;
            let mut text = number.to_string();
            if scale > 0 {
                text = format!("{text:0>width$}", width = scale + 1);
                text.insert(text.len() - scale, '.');
            }
            others.insert(value, if negative { format!("-{text}") } else { text });
        }
    }
    others
}

fn uuids(values: BTreeSet<String>) -> BTreeMap<String, String> {
    let step = u128::MAX / (values.len() as u128 + 1);
    let named = (1_u128..).zip(values).map(|(rank, value)| {
        let hex = format!("{:032x}", step * rank);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        (value, parts.join("-"))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn texts_keep_order_length_and_distinctness() {
        let values: Vec<String> = (0..2000).map(|n| format!("user{n:05}@example.com")).collect();
        let others = texts(values.iter().cloned().collect());
        let told: Vec<&String> = values.iter().map(|value| &others[value]).collect();
        assert!(told.is_sorted_by(|a, b| a < b));
        assert!(told.iter().all(|other| other.len() == 21 && !other.contains("user")));
        let few = texts(set(&["", "paid", "Ann", "ann"]));
        assert_eq!(few[""], "");
        assert!(few["Ann"] < few["ann"] && few["ann"] < few["paid"] && few["paid"].len() == 4);
    }

    #[test]
    fn numbers_keep_order_digits_and_sign() {
        let others = numbers(set(&[
            "7", "999", "1000", "1001", "9999", "-5000", "-4000", "12.50", "1234.56", "1e+30",
        ]));
        assert_eq!((&*others["7"], &*others["999"], &*others["1e+30"]), ("7", "999", "1e+30"));
        assert!(others["1000"] < others["1001"] && others["1001"] < others["9999"]);
        assert!(others["1000"] != "1000" && others["1000"].len() == 4);
        assert!(others["-5000"] > others["-4000"], "as texts, the other way round: as numbers in order");
        assert_eq!(others["1234.56"].len(), 7);
        assert_eq!(others["12.50"].len(), 5);
    }

    #[test]
    fn what_columns_share_they_still_share() {
        let column = |name: &str, common: &str, bounds: Option<&str>| ColumnFigures {
            name: name.to_owned(),
            most_common_vals: Some(common.to_owned()),
            most_common_freqs: Some("{0.3,0.2}".to_owned()),
            histogram_bounds: bounds.map(str::to_owned),
            ..ColumnFigures::default()
        };
        let mut snapshot = Snapshot {
            relations: vec![Relation {
                columns: vec![
                    column("email", "{zoe@x.de,ann@x.de}", Some("{bob@x.de,cid@x.de}")),
                    column("owner", "{ann@x.de,zoe@x.de}", None),
                    column("document", r#"{"{\"a\": 1}","{}"}"#, None),
                    column("state", "{open,done}", None),
                ],
                ..Relation::default()
            }],
            ..Snapshot::default()
        };
        let type_of = |_: &Relation, column: &str| {
            let known = [
                ("email", "text"),
                ("owner", "character varying(20)"),
                ("document", "jsonb"),
                ("state", "state"),
            ];
            known.iter().find(|(name, _)| *name == column).map(|(_, name)| (*name).to_owned())
        };
        redact(&mut snapshot, &type_of, &set(&["state"]));
        let [email, owner, document, state] = &snapshot.relations[0].columns[..] else {
            panic!("four columns")
        };
        let common =
            |column: &ColumnFigures| elements(column.most_common_vals.as_deref().unwrap_or_default());
        let (mut of_owner, of_email) = (common(owner), common(email));
        of_owner.reverse();
        assert_eq!(of_email, of_owner);
        assert!(!snapshot.render().contains("x.de"));
        assert_eq!(email.most_common_freqs.as_deref(), Some("{0.3,0.2}"));
        assert_eq!((document.most_common_vals.as_ref(), document.most_common_freqs.as_ref()), (None, None));
        assert_eq!(state.most_common_vals.as_deref(), Some("{open,done}"));
        assert_eq!(snapshot.not_seen.len(), 1, "{:?}", snapshot.not_seen);
    }
}
