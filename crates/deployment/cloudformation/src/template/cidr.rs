//! `Fn::Cidr`: address blocks cut out of a larger one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that one call gives at most.
const MAX_BLOCKS: u32 = 256;

/// `count` blocks of `host_bits` bits each (8 without), from the beginning of `block`.
///
/// # Errors
/// What is not a block, or does not fit into it.
pub(crate) fn blocks(block: &str, count: u32, host_bits: Option<u32>) -> Result<Vec<String>, String> {
    let invalid = || format!("Fn::Cidr: {block} is not a CIDR block");
    let (address, prefix) = block.split_once('/').ok_or_else(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let prefix: u32 = prefix.parse().map_err(|_| invalid())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let host_bits = host_bits.unwrap_or(8);
    if prefix > width {
        return Err(invalid());
    }
    if count == 0 || count > MAX_BLOCKS {
        return Err(format!("Fn::Cidr: the count must be between 1 and {MAX_BLOCKS}"));
    }
    let room = (width - prefix).checked_sub(host_bits);
    let fits = room.is_some_and(|room| room >= 32 || u64::from(count) <= 1 << room);
    if !fits || host_bits == 0 || host_bits >= width {
        return Err(format!("Fn::Cidr: {count} blocks of {host_bits} host bits do not fit into {block}"));
    }
    let base = match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let size = width - prefix;
    let base = if size >= 128 { 0 } else { base >> size << size };
    let text = |start: u128| match address {
        IpAddr::V4(_) => Ipv4Addr::from(start as u32).to_string(),
        IpAddr::V6(_) => Ipv6Addr::from(start).to_string(),
    };
    let cut = |index: u32| format!("{}/{}", text(base + (u128::from(index) << host_bits)), width - host_bits);
    Ok((0..count).map(cut).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_cut() {
        assert_eq!(
            blocks("192.168.0.0/24", 3, Some(5)).unwrap(),
            ["192.168.0.0/27", "192.168.0.32/27", "192.168.0.64/27"]
        );
        assert_eq!(blocks("10.0.0.0/16", 1, None).unwrap(), ["10.0.0.0/24"]);
        assert_eq!(blocks("2001:db8::/56", 2, Some(64)).unwrap(), ["2001:db8::/64", "2001:db8:0:1::/64"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (block, count, bits) in
            [("10.0.0.0/24", 9, 5), ("10.0.0.0", 1, 5), ("10.0.0.0/40", 1, 5), ("10.0.0.0/24", 0, 5)]
        {
            assert!(blocks(block, count, Some(bits)).is_err(), "{block} {count} {bits}");
        }
    }

    proptest! {
        #[test]
        fn no_block_panics(prefix in 0u32..140, count in 0u32..300, bits in 0u32..140, v6 in any::<bool>()) {
            let address = if v6 { "2001:db8::" } else { "10.1.2.3" };
            let _ = blocks(&format!("{address}/{prefix}"), count, Some(bits));
        }
    }
}
