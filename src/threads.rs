//! Work of a run that is spread over the cores: its results come back in the order of the items.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Processors that this process may use; 1 where the system does not say.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Gives runs of at most `at_once` items to `work`, on as many cores as there are runs. A panic goes on here.
pub fn in_parts<T: Sync, R: Send>(items: &[T], at_once: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let parts: Vec<&[T]> = items.chunks(at_once.max(1)).collect();
    let threads = cores().min(parts.len());
    if threads < 2 {
        return parts.into_iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    // Each takes the next part when it is done with one: parts differ in what they cost.
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(number) else { return done };
            done.push((number, work(part)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            match other.join() {
                Ok(theirs) => done.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_order_and_none_is_lost() {
        let items: Vec<usize> = (0..1000).collect();
        for at_once in [0, 1, 7, 64, 999, 1000, 5000] {
            let parts = in_parts(&items, at_once, <[usize]>::to_vec);
            assert_eq!(parts.concat(), items, "{at_once} at once");
        }
        assert!(in_parts(&[] as &[u8], 8, <[u8]>::len).is_empty());
    }
}
