//! What befalls a job in one run under stress. Everything follows from the seed.

use std::fmt;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The most subtasks of a life.
const MOST_SUBTASKS: usize = 4;
/// The most lives that are killed in one run.
const MOST_KILLS: usize = 3;
/// The most turns of other tasks between a decision and a kill: enough that a checkpoint is complete by then.
const MOST_TURNS: u32 = 60;

/// One run: lives of a job, of which all but the last are killed.
#[derive(Debug, Clone)]
pub struct Course {
    pub lives: Vec<Life>,
    /// Whether output waits for checkpoints.
    pub has_checkpoints: bool,
}

/// From a start of the job to its end, or to a kill.
#[derive(Debug, Clone)]
pub struct Life {
    pub parallelism: usize,
    /// Seed of the sizes of batches and of who reads when.
    pub seed: u64,
    /// Turns of the tasks after which the job is killed, whatever has been read by then.
    pub killed_after: Option<u32>,
    /// In order of their places.
    pub pauses: Vec<Pause>,
}

/// A moment at which one reader waits.
#[derive(Debug, Clone, Copy)]
pub struct Pause {
    /// Its place: the share of the records still to be read by this life that have been read.
    pub at: f64,
    /// Whether a checkpoint is taken.
    pub checkpoint: Option<Patience>,
    pub then: Then,
}

/// How long a checkpoint is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    UntilComplete,
    Turns(u32),
}

/// What follows a pause.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    GoOn,
    /// The job is killed after some turns of its tasks; when it is `released` its reader goes on meanwhile.
    Kill {
        released: bool,
        turns: u32,
    },
}

impl Course {
    /// Makes a run that is never killed, or one that is.
    pub fn random(random: &mut StdRng, killed: bool, most_subtasks: usize) -> Self {
        let has_checkpoints = killed || random.random_bool(0.5);
        let rescaled = random.random_bool(0.6);
        let kills = if killed { random.random_range(1..=MOST_KILLS) } else { 0 };
        let lives = (0..=kills)
            .map(|life| {
                let parallelism = match rescaled {
                    true => random.random_range(1..=MOST_SUBTASKS.min(most_subtasks)),
                    false => 1,
                };
                Life::random(random, parallelism, life < kills, has_checkpoints)
            })
            .collect();
        Self { lives, has_checkpoints }
    }

    /// Returns the source of chance for one run of one test, so that it can be repeated alone.
    pub fn seeded(seed: u64, test: &str, run: u64) -> StdRng {
        // FNV-1a: any function of the name does, as long as it stays the same.
        let mixed = test.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        StdRng::seed_from_u64(mixed.wrapping_add(run))
    }

    /// Returns whether rows come out in the order of the input: several subtasks write in no particular order.
    pub fn keeps_order(&self) -> bool {
        self.lives.iter().all(|life| life.parallelism == 1)
    }

    pub fn is_killed(&self) -> bool {
        self.lives.len() > 1
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parallelism: Vec<String> = self.lives.iter().map(|life| life.parallelism.to_string()).collect();
        write!(f, "parallelism {}", parallelism.join(", then "))?;
        match self.lives.len() - 1 {
            0 => write!(f, ", not killed"),
            1 => write!(f, ", killed once"),
            kills => write!(f, ", killed {kills} times"),
        }
    }
}

impl Life {
    fn random(random: &mut StdRng, parallelism: usize, killed: bool, has_checkpoints: bool) -> Self {
        let count = random.random_range(usize::from(killed)..=3);
        let mut places: Vec<f64> = (0..count).map(|_| place(random)).collect();
        places.sort_by(f64::total_cmp);
        let pauses = places
            .into_iter()
            .enumerate()
            .map(|(index, at)| {
                let last = killed && index + 1 == count;
                let checkpoint = (has_checkpoints && random.random_bool(0.75)).then(|| patience(random));
                let then = match last {
                    true => Then::Kill {
                        released: random.random_bool(0.5),
                        turns: random.random_range(0..MOST_TURNS),
                    },
                    false => Then::GoOn,
                };
                Pause { at, checkpoint, then }
            })
            .collect();
        let killed_after = (killed && random.random_bool(0.1)).then(|| random.random_range(0..MOST_TURNS));
        Self { parallelism, seed: random.random(), killed_after, pauses }
    }
}

/// Now and then just before the end, where subtasks finish one after the other.
fn place(random: &mut StdRng) -> f64 {
    match random.random_bool(0.15) {
        true => 1.0,
        false => random.random(),
    }
}

fn patience(random: &mut StdRng) -> Patience {
    match random.random_bool(0.7) {
        true => Patience::UntilComplete,
        false => Patience::Turns(random.random_range(0..MOST_TURNS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything() {
        let course = |seed, test| {
            let mut random = Course::seeded(seed, test, 1);
            format!("{:?}", Course::random(&mut random, true, 4))
        };
        assert_eq!(course(7, "a"), course(7, "a"));
        assert_ne!(course(7, "a"), course(8, "a"));
        assert_ne!(course(7, "a"), course(7, "b"));
    }

    #[test]
    fn every_life_but_the_last_ends_with_a_kill() {
        for seed in 0..200 {
            let course = Course::random(&mut Course::seeded(seed, "t", 0), true, 4);
            let (last, killed) = course.lives.split_last().unwrap();
            assert!(!killed.is_empty() && course.has_checkpoints);
            for life in killed {
                assert!(matches!(life.pauses.last().unwrap().then, Then::Kill { .. }));
            }
            assert!(last.pauses.iter().all(|pause| matches!(pause.then, Then::GoOn)));
        }
    }

    #[test]
    fn what_must_be_read_by_one_subtask_is() {
        for seed in 0..50 {
            let course = Course::random(&mut Course::seeded(seed, "t", 0), true, 1);
            assert!(course.keeps_order());
        }
    }
}
