//! Work spread over threads and taken back in the order it was given, with a bound on what is under way.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use crate::error::{Error, Result};

/// Jobs that no worker has taken yet. A channel's end would have to be taken in turns, and each worker that has its job would wake
/// the next, who finds none.
struct Jobs<Job> {
    waiting: Mutex<Waiting<Job>>,
    more: Condvar,
}

struct Waiting<Job> {
    queue: VecDeque<(u64, Job)>,
    no_more: bool,
}

impl<Job> Jobs<Job> {
    fn new() -> Self {
        Jobs { waiting: Mutex::new(Waiting { queue: VecDeque::new(), no_more: false }), more: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<Job>> {
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn give(&self, number: u64, job: Job) {
        self.lock().queue.push_back((number, job));
        self.more.notify_one();
    }

    /// There will be no more, and what nobody has taken is not wanted any more.
    fn end(&self) {
        *self.lock() = Waiting { queue: VecDeque::new(), no_more: true };
        self.more.notify_all();
    }

    /// The next job; none where there will be no more. Waits for it.
    fn take(&self) -> Option<(u64, Job)> {
        let is_to_wait = |waiting: &mut Waiting<Job>| waiting.queue.is_empty() && !waiting.no_more;
        self.more.wait_while(self.lock(), is_to_wait).unwrap_or_else(|poisoned| poisoned.into_inner()).queue.pop_front()
    }
}

pub(crate) struct Ordered<Job, Done> {
    jobs: Arc<Jobs<Job>>,
    done: Receiver<(u64, Result<Done>)>,
    early: BTreeMap<u64, Result<Done>>,
    given: u64,
    taken: u64,
    in_flight_max: u64,
    threads: Vec<JoinHandle<()>>,
}

impl<Job: Send + 'static, Done: Send + 'static> Ordered<Job, Done> {
    /// Starts `workers` threads, each with a function of its own from `make_work`.
    pub(crate) fn start<Work>(workers: usize, mut make_work: impl FnMut() -> Result<Work>) -> Result<Self>
    where
        Work: FnMut(Job) -> Result<Done> + Send + 'static,
    {
        // Enough to keep every worker busy while one slow frame holds up the order, little enough to bound the memory.
        let in_flight_max = workers * 3 + 2;
        let jobs = Arc::new(Jobs::<Job>::new());
        let (results, done) = sync_channel(in_flight_max);
        let all = (0..workers).map(|_| make_work()).collect::<Result<Vec<Work>>>()?;
        let mut ordered = Ordered {
            jobs: Arc::clone(&jobs),
            done,
            early: BTreeMap::new(),
            given: 0,
            taken: 0,
            in_flight_max: in_flight_max as u64,
            threads: Vec::with_capacity(workers),
        };
        for mut work in all {
            let jobs = Arc::clone(&jobs);
            let results = results.clone();
            ordered.threads.push(std::thread::spawn(move || {
                while let Some((number, job)) = jobs.take() {
                    // The others would go on waiting for jobs, and the caller for a result that never comes.
                    let done = catch_unwind(AssertUnwindSafe(|| work(job))).unwrap_or_else(|_| Err(a_worker_died()));
                    if results.send((number, done)).is_err() {
                        break;
                    }
                }
            }));
        }
        Ok(ordered)
    }

    /// Whether [`Ordered::give`] would stay within the bound.
    pub(crate) fn has_room(&self) -> bool {
        self.given - self.taken < self.in_flight_max
    }

    /// Gives the next job. The caller has seen to [`Ordered::has_room`].
    pub(crate) fn give(&mut self, job: Job) {
        self.jobs.give(self.given, job);
        self.given += 1;
    }

    /// The next result in the order of the jobs; none where nothing is under way. Waits for it.
    pub(crate) fn take(&mut self) -> Option<Result<Done>> {
        if self.taken == self.given {
            return None;
        }
        let number = self.taken;
        self.taken += 1;
        loop {
            if let Some(done) = self.early.remove(&number) {
                return Some(done);
            }
            match self.done.recv() {
                Ok((other, done)) => {
                    self.early.insert(other, done);
                }
                Err(_) => return Some(Err(a_worker_died())),
            }
        }
    }
}

impl<Job, Done> Drop for Ordered<Job, Done> {
    fn drop(&mut self) {
        self.jobs.end();
        // Workers that still have results for us must be able to hand them over before they can end.
        while self.done.try_recv().is_ok() {}
        let (_, nobody) = sync_channel(0);
        self.done = nobody;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn a_worker_died() -> Error {
    Error::failed("a worker thread died").hint("this is a bug: please report it with what was backed up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_dies_is_an_error_and_no_endless_wait() {
        let mut work =
            Ordered::start(3, || Ok(|number: u32| if number == 1 { panic!("on purpose") } else { Ok(number) })).expect("started");
        for number in 0..3 {
            work.give(number);
        }
        assert_eq!(work.take().expect("under way").expect("done"), 0);
        assert!(work.take().expect("under way").expect_err("dead").to_string().contains("worker thread died"));
        assert_eq!(work.take().expect("under way").expect("done"), 2);
        assert!(work.take().is_none());
    }
}
