//! The accounts of a process tree without cgroups: its processes, and the memory that is their own.

use std::fs;

/// A process and everything below it, as far as it still lives. Orphans stay below the tree's first process.
fn tree(first: i32) -> Vec<i32> {
    let mut found = vec![first];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
    }
    found
}

/// Bytes of memory that the tree's processes have for themselves: neither files nor shared memory.
pub(crate) fn own_memory(first: i32) -> u64 {
    tree(first).into_iter().filter_map(|pid| status(pid, "RssAnon:")).sum()
}

/// The most that the command has ever had in memory, files included; none once it has ended.
pub(crate) fn peak(first: i32) -> Option<u64> {
    tree(first).into_iter().skip(1).filter_map(|pid| status(pid, "VmHWM:")).max()
}

/// A line of a process's status, in bytes.
fn status(pid: i32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_of_its_own_and_one_that_is_gone_has_none() {
        assert!(own_memory(i32::try_from(std::process::id()).unwrap()) > 10_000);
        assert_eq!(own_memory(i32::MAX), 0);
        assert_eq!(peak(i32::MAX), None);
    }
}
