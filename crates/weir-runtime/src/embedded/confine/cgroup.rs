//! Control groups of version 2: finds those of the service and makes one for each worker.
//!
//! Below the group in which the service was started:
//!
//! ```text
//! <own>/weir-service          the service itself: a group with processes cannot give controllers to groups below it
//! <own>/weir-<data>/job-7     a worker
//! ```
//!
//! `<data>` tells the services of a machine apart: the file system and the number of the data directory. Only the
//! controllers that the host has in this hierarchy are used: with memory in one of version 1 there is only `cpu`.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use weir_base::id::JobId;

use super::Share;

/// Group of the service itself. With `DelegateSubgroup=weir-service` systemd makes it.
const SERVICE: &str = "weir-service";

/// Microseconds in which a group may use its cores for that time each: the default of the system.
const PERIOD: usize = 100_000;

/// The group below which those of the workers of a service are.
#[derive(Debug)]
pub(super) struct Groups {
    directory: PathBuf,
    /// Whether cores are given out here.
    pub(super) cpu: bool,
    /// Whether memory is given out here.
    pub(super) memory: bool,
    /// Why not all is.
    pub(super) lacking: Option<String>,
}

impl Groups {
    /// Makes the group of the service that keeps its data in `data`.
    pub(super) fn of_this_process(data: &Path) -> Result<Self, String> {
        let mounts = read(Path::new("/proc/self/mounts"))?;
        let memberships = read(Path::new("/proc/self/cgroup"))?;
        Self::below(&own_group(&mounts, &memberships)?, data)
    }

    /// Makes the group below `own`, the one of this process.
    fn below(own: &Path, data: &Path) -> Result<Self, String> {
        let data = data.metadata().map_err(|e| format!("{} cannot be read: {e}", data.display()))?;
        // It was moved there when it was started, or moved itself.
        let own = match own.file_name() {
            Some(name) if name == SERVICE => own.parent().unwrap_or(own),
            _ => own,
        };
        let offered = read(&own.join("cgroup.controllers"))?;
        let offered: Vec<&str> =
            offered.split_whitespace().filter(|name| ["cpu", "memory"].contains(name)).collect();
        if offered.is_empty() {
            return Err(format!("{} has neither of the controllers cpu and memory", own.display()));
        }
        // The root, which has no type, may have processes and groups.
        if own.join("cgroup.type").exists() {
            let service = own.join(SERVICE);
            make(&service)?;
            enter(&service).map_err(|e| format!("{} cannot be entered: {e}", service.display()))?;
        }
        let directory = own.join(format!("weir-{}-{}", data.dev(), data.ino()));
        give_below(own, &offered)?;
        make(&directory)?;
        give_below(&directory, &offered)?;
        if offered.contains(&"cpu") {
            // All jobs are one group beside the other processes of the host, and weigh more than one of them.
            let machine = std::thread::available_parallelism().map_or(1, usize::from);
            let file = directory.join("cpu.weight");
            std::fs::write(&file, weight(machine).to_string())
                .map_err(|e| format!("{} cannot be written: {e}", file.display()))?;
        }
        Ok(Self {
            directory,
            cpu: offered.contains(&"cpu"),
            memory: offered.contains(&"memory"),
            lacking: ["cpu", "memory"]
                .into_iter()
                .find(|name| !offered.contains(name))
                .map(|name| format!("{} has no controller {name}", own.display())),
        })
    }

    /// Makes the group of the worker of a job. Returns its directory.
    pub(super) fn make(&self, job: JobId, share: Share) -> io::Result<PathBuf> {
        let group = self.directory.join(format!("job-{job}"));
        // That of an earlier run has counted what happened then.
        remove(&group)?;
        std::fs::create_dir(&group)?;
        if self.cpu {
            std::fs::write(group.join("cpu.max"), format!("{} {PERIOD}", share.spus.saturating_mul(PERIOD)))?;
            std::fs::write(group.join("cpu.weight"), weight(share.spus).to_string())?;
        }
        if self.memory {
            std::fs::write(group.join("memory.max"), share.memory.to_string())?;
            // Not on every system. Without the first the share is memory and swap space beside it.
            for (file, value) in [("memory.swap.max", "0"), ("memory.oom.group", "1")] {
                if group.join(file).exists() {
                    std::fs::write(group.join(file), value)?;
                }
            }
        }
        Ok(group)
    }

    /// Removes the group of the service, unless a worker goes on in it; `lives` as for [`sweep`](Self::sweep).
    pub(super) fn close(&self, lives: impl Fn(JobId) -> bool) {
        self.sweep(lives);
        let _ = std::fs::remove_dir(&self.directory);
    }

    /// Removes the groups of workers that are gone. `lives` tells whether a job has a worker: one that is just starting has not
    /// entered its group yet, which is empty as those that are left are.
    pub(super) fn sweep(&self, lives: impl Fn(JobId) -> bool) {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            let job = entry.file_name().to_str().and_then(|name| name.strip_prefix("job-")?.parse().ok());
            if job.is_some_and(|job| !lives(JobId(job))) {
                let _ = std::fs::remove_dir(entry.path());
            }
        }
    }
}

/// Moves this process into a group.
pub(super) fn enter(group: &Path) -> io::Result<()> {
    std::fs::write(group.join("cgroup.procs"), "0")
}

/// Removes a group. One that is not there is no error.
pub(super) fn remove(group: &Path) -> io::Result<()> {
    match std::fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether the system has killed a process of a group because the group ran out of memory.
pub(super) fn ran_out_of_memory(group: &Path) -> bool {
    let Ok(events) = std::fs::read_to_string(group.join("memory.events")) else { return false };
    let kills = events.lines().filter_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok());
    kills.sum::<u64>() > 0
}

/// Returns the directory of the group of this process.
fn own_group(mounts: &str, memberships: &str) -> Result<PathBuf, String> {
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?;
        (fields.next()? == "cgroup2").then_some(place)
    });
    let mount = mount.ok_or("no hierarchy of cgroup v2 is mounted")?;
    let own = memberships.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = Path::new(own.ok_or("this process is in no group of cgroup v2")?);
    let directory = Path::new(mount).join(own);
    // A hierarchy that is mounted for another container does not show the groups of this one.
    if own.components().any(|part| part == Component::ParentDir) || !directory.exists() {
        return Err(format!("the group of this process, /{}, is not below {mount}", own.display()));
    }
    Ok(directory)
}

/// Returns how much a group counts while cores are short; a group that says nothing, and a process, is a hundred.
fn weight(cores: usize) -> usize {
    cores.saturating_mul(100).clamp(1, 10_000)
}

/// Gives controllers to the groups below `group`.
fn give_below(group: &Path, controllers: &[&str]) -> Result<(), String> {
    let file = group.join("cgroup.subtree_control");
    let text: Vec<String> = controllers.iter().map(|name| format!("+{name}")).collect();
    std::fs::write(&file, text.join(" ")).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => format!(
            "{} has processes beside the service; start it in a group of its own (systemd: Delegate=yes)",
            group.display()
        ),
        _ => format!("{} cannot be written: {error}", file.display()),
    })
}

fn make(group: &Path) -> Result<(), String> {
    match std::fs::create_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(format!("{} cannot be made: {error}", group.display()))
        }
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// A directory that has the files of a group, as far as they are looked at.
    fn group(controllers: &str) -> tempfile::TempDir {
        let group = tempfile::tempdir().unwrap();
        std::fs::write(group.path().join("cgroup.controllers"), controllers).unwrap();
        group
    }

    fn read(group: &Path, file: &str) -> String {
        std::fs::read_to_string(group.join(file)).unwrap()
    }

    #[test]
    fn the_group_of_a_process_is_found_wherever_the_hierarchy_is_mounted() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(place.path().join("system.slice/weir.service")).unwrap();
        let mounts = format!(
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n\
             cgroup2 {} cgroup2 rw,relatime 0 0\n",
            place.path().display()
        );
        let of = |memberships: &str| own_group(&mounts, memberships);
        let found = of("4:memory:/a\n0::/system.slice/weir.service\n").unwrap();
        assert_eq!(found, place.path().join("system.slice/weir.service"));
        assert_eq!(of("0::/\n").unwrap().components().count(), place.path().components().count());
        assert!(of("4:memory:/a\n").unwrap_err().contains("in no group"));
        assert!(of("0::/elsewhere\n").unwrap_err().contains("/elsewhere, is not below"));
        assert!(of("0::/../other\n").unwrap_err().contains("is not below"));
        let none = own_group("cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n", "0::/\n").unwrap_err();
        assert!(none.starts_with("no hierarchy"), "{none}");
    }

    #[test]
    fn a_worker_gets_a_group_with_its_share() {
        let (own, data) = (group("cpuset cpu io memory pids"), tempfile::tempdir().unwrap());
        let groups = Groups::below(own.path(), data.path()).unwrap();
        assert_eq!((groups.cpu, groups.memory, &groups.lacking), (true, true, &None));
        assert_eq!(read(own.path(), "cgroup.subtree_control"), "+cpu +memory");
        assert_eq!(read(&groups.directory, "cgroup.subtree_control"), "+cpu +memory");
        let made = groups.make(JobId(7), Share { spus: 3, memory: 12 * GIB }).unwrap();
        assert_eq!(made, groups.directory.join("job-7"));
        assert_eq!(read(&made, "cpu.max"), "300000 100000");
        assert_eq!((read(&made, "cpu.weight"), weight(400)), ("300".to_string(), 10_000));
        assert_eq!(read(&made, "memory.max"), "12884901888");
        assert!(!own.path().join(SERVICE).exists(), "the root needs none");
    }

    #[test]
    fn only_the_controllers_of_the_host_are_used() {
        let (own, data) = (group("cpu hugetlb pids"), tempfile::tempdir().unwrap());
        let groups = Groups::below(own.path(), data.path()).unwrap();
        assert_eq!((groups.cpu, groups.memory), (true, false));
        assert!(groups.lacking.as_ref().unwrap().ends_with("has no controller memory"));
        assert_eq!(read(own.path(), "cgroup.subtree_control"), "+cpu");
        let made = groups.make(JobId(7), Share { spus: 1, memory: GIB }).unwrap();
        assert!(!made.join("memory.max").exists());
        let none = group("pids");
        let error = Groups::below(none.path(), data.path()).unwrap_err();
        assert!(error.ends_with("has neither of the controllers cpu and memory"), "{error}");
    }

    #[test]
    fn a_service_below_the_root_moves_into_a_group_of_its_own() {
        let (own, data) = (group("cpu memory"), tempfile::tempdir().unwrap());
        std::fs::write(own.path().join("cgroup.type"), "domain").unwrap();
        let service = own.path().join(SERVICE);
        std::fs::create_dir(&service).unwrap();
        let groups = Groups::below(own.path(), data.path()).unwrap();
        assert_eq!(read(&service, "cgroup.procs"), "0");
        let again = Groups::below(&service, data.path()).unwrap();
        assert_eq!(again.directory, groups.directory, "it is in it already when it is started again");
        let other = tempfile::tempdir().unwrap();
        let other = Groups::below(own.path(), other.path()).unwrap();
        assert_ne!(other.directory, groups.directory, "each data directory has its groups");
    }

    #[test]
    fn what_workers_left_is_removed_unless_they_live() {
        let (own, data) = (group("cpu memory"), tempfile::tempdir().unwrap());
        let groups = Groups::below(own.path(), data.path()).unwrap();
        let [gone, lives, starts] = ["job-7", "job-8", "job-9"].map(|name| groups.directory.join(name));
        for group in [&gone, &lives, &starts] {
            std::fs::create_dir(group).unwrap();
        }
        // The system does not remove a group that has a process; a directory that has a file is not removed either.
        std::fs::write(lives.join("cgroup.procs"), "4711").unwrap();
        // A worker that has not come to entering its group needs it all the same.
        groups.sweep(|job| job == JobId(9));
        assert!(!gone.exists() && lives.exists() && starts.exists());
        assert!(groups.make(JobId(8), Share { spus: 1, memory: GIB }).is_err());
    }

    #[test]
    fn only_a_kill_for_want_of_memory_counts() {
        let group = tempfile::tempdir().unwrap();
        assert!(!ran_out_of_memory(group.path()));
        let events =
            |kills: u32| format!("low 0\nhigh 0\nmax 17\noom 3\noom_kill {kills}\noom_group_kill 0\n");
        std::fs::write(group.path().join("memory.events"), events(0)).unwrap();
        assert!(!ran_out_of_memory(group.path()));
        std::fs::write(group.path().join("memory.events"), events(1)).unwrap();
        assert!(ran_out_of_memory(group.path()));
    }
}
