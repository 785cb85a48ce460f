//! Bars in text: eighths of a block where the terminal can, ASCII where it cannot.

use unicode_width::UnicodeWidthStr as _;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 5] = ['.', ':', '-', '=', '#'];

/// A bar for each value, the highest full, nothing for 0.
pub(super) fn bars(values: &[f64], unicode: bool) -> String {
    let highest = values.iter().copied().fold(0.0, f64::max);
    let steps: &[char] = if unicode { &BLOCKS } else { &ASCII };
    let bar = |value: &f64| {
        if *value <= 0.0 || highest <= 0.0 {
            return ' ';
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1 of a few")]
        let step = (value / highest * steps.len() as f64).ceil() as usize;
        steps[step.clamp(1, steps.len()) - 1]
    };
    values.iter().map(bar).collect()
}

/// The values in at most `room` columns: neighbours are added up until they fit. How many went into one.
pub(super) fn squeeze(values: &[f64], room: usize) -> (Vec<f64>, usize) {
    let each = values.len().div_ceil(room.max(1)).max(1);
    (values.chunks(each).map(|chunk| chunk.iter().sum()).collect(), each)
}

/// `left`, and `right` at the other end of `width` columns.
pub(super) fn ends(left: &str, right: &str, width: usize) -> String {
    let gap = width.saturating_sub(left.width() + right.width()).max(1);
    format!("{left}{:gap$}{right}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_is_full() {
        assert_eq!(bars(&[0.0, 1.0, 4.0, 8.0], true), " ▁▄█");
        assert_eq!(bars(&[0.0, 0.1, 5.0], false), " .#");
        assert_eq!(bars(&[0.0], true), " ");
    }

    #[test]
    fn neighbours_are_added_up() {
        assert_eq!(squeeze(&[1.0, 2.0, 3.0], 2), (vec![3.0, 3.0], 2));
        assert_eq!(squeeze(&[1.0, 2.0], 5), (vec![1.0, 2.0], 1));
    }
}
