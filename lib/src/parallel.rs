//! The same small work on many things, on all cores.

use std::thread;

/// Fewer things are not worth a thread.
const WORTH_A_THREAD: usize = 256;
/// Reading many small files is bounded by the kernel long before this.
const THREADS_MAX: usize = 8;

/// What `work` makes of each, in order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(items.len() / WORTH_A_THREAD);
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(items.len().div_ceil(threads))
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>()))
            .collect();
        // A panic of a part is one of the whole.
        let joined = parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let mut all = Vec::with_capacity(items.len());
        joined.for_each(|mut part| all.append(&mut part));
        all
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_is_kept_whatever_the_number() {
        for count in [0, 1, 255, 256, 513, 10_001] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(super::map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
