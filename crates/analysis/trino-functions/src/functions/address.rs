//! IP addresses and networks.

use std::net::IpAddr;

use super::Table;
use super::support::{Computed, bytes, text, truths};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(crate) fn register(table: &mut Table) {
    let contains = "Whether an address belongs to a network, such as 10.0.0.0/8.";
    table.kernel("contains(varchar, ipaddress) -> boolean", contains, contains_address);
}

fn contains_address(call: &Call<'_>) -> Computed {
    let (networks, addresses) = (text(call, 0)?, bytes(call, 1)?);
    truths(call, |row| {
        let (base, prefix) = network(networks.value(row))?;
        let address = <[u8; 16]>::try_from(addresses.value(row));
        let address = address.map_err(|_| TrinoError::internal("an address has 16 bytes"))?;
        Ok(Some(match (base, IpAddr::from(address).to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                same(base.to_bits().into(), address.to_bits().into(), 32 - prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => same(base.to_bits(), address.to_bits(), 128 - prefix),
            _ => false,
        }))
    })
}

/// Whether two addresses differ in nothing but their last bits.
fn same(one: u128, other: u128, free: u32) -> bool {
    (one ^ other).checked_shr(free).unwrap_or(0) == 0
}

fn network(text: &str) -> Result<(IpAddr, u32), TrinoError> {
    let (base, prefix) = text.split_once('/').ok_or_else(|| TrinoError::invalid("Invalid CIDR"))?;
    let base: IpAddr = base.parse().map_err(|_| TrinoError::invalid("Invalid network IP address"))?;
    let base = base.to_canonical();
    let longest = if base.is_ipv4() { 32 } else { 128 };
    match prefix.parse::<u32>() {
        Ok(prefix) if prefix <= longest => Ok((base, prefix)),
        _ => Err(TrinoError::invalid("Invalid CIDR")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{call, error, shown, text, value};

    #[test]
    fn networks_contain_addresses() {
        let contains =
            |network: &str, address: &str| shown("contains", vec![text(network), value(address, "ipaddress")]);
        assert_eq!(contains("10.0.0.0/8", "10.255.255.255"), "true");
        assert_eq!(contains("10.0.0.0/8", "11.255.255.255"), "false");
        assert_eq!(contains("2001:0db8:0:0:0:ff00:0042:8329/128", "2001:0db8:0:0:0:ff00:0042:8329"), "true");
        assert_eq!(contains("2001:db8::/48", "2001:db9::1"), "false");
        assert_eq!(contains("0.0.0.0/0", "8.8.8.8"), "true");
        assert_eq!(contains("10.0.0.0/8", "::1"), "false");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for (network, message) in
            [("10.0.0.0", "Invalid CIDR"), ("x/8", "Invalid network IP address"), ("10.0.0.0/33", "Invalid CIDR")]
        {
            let failed = call("contains", vec![text(network), value("10.0.0.1", "ipaddress")]).unwrap();
            assert_eq!(error(failed), format!("INVALID_FUNCTION_ARGUMENT: {message}"));
        }
    }
}
