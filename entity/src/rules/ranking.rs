//! The ranks of a scoreboard.

use rust_decimal::Decimal;

/// The rank of each value, the greatest first. Equal values share a rank and leave the next ones empty (1, 2, 2, 4).
///
/// A row without a value has no rank. Call it with the figures as they are shown, so that rows with equal figures share a rank.
pub fn rank(values: &[Option<Decimal>]) -> Vec<Option<u32>> {
    let mut sorted: Vec<Decimal> = values.iter().copied().flatten().collect();
    sorted.sort_unstable();
    let greater = |value: Decimal| sorted.len() - sorted.partition_point(|other| *other <= value);
    values.iter().map(|value| value.map(|value| greater(value) as u32 + 1)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn ranked(values: &[Option<&str>]) -> Vec<Option<u32>> {
        rank(&values.iter().map(|value| value.map(|text| text.parse().unwrap())).collect::<Vec<_>>())
    }

    #[test]
    fn equal_values_share_a_place() {
        let places = ranked(&[Some("85.71"), None, Some("100.00"), Some("85.710"), Some("150"), Some("0")]);
        assert_eq!(places, [Some(3), None, Some(2), Some(3), Some(1), Some(5)]);
    }

    #[test]
    fn without_values_there_are_no_places() {
        assert_eq!(ranked(&[]), []);
        assert_eq!(ranked(&[None, None]), [None, None]);
    }

    proptest! {
        #[test]
        fn a_place_is_one_more_than_the_number_of_better_rows(
            numbers in prop::collection::vec(prop::option::of(-20_i64..20), 0..30),
        ) {
            let values: Vec<Option<Decimal>> = numbers.iter().map(|number| number.map(Decimal::from)).collect();
            let expected: Vec<Option<u32>> = numbers
                .iter()
                .map(|own| own.map(|own| 1 + numbers.iter().flatten().filter(|other| **other > own).count() as u32))
                .collect();
            prop_assert_eq!(rank(&values), expected);
        }
    }
}
