//! Addresses inside the network of the service: whoever may subscribe a webhook must not reach through the service what
//! only the service can reach, such as the addresses where a cloud hands out credentials.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use weir_base::network::{is_of_machine, meant_address};

/// Whether an address cannot be one of the public network.
fn is_internal(address: IpAddr) -> bool {
    let address = meant_address(address);
    let is_private = match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            address.is_private()
                // Carrier-grade NAT (RFC 6598), protocol assignments, benchmarks (RFC 2544), and what is reserved.
                || (first == 100 && (64..128).contains(&second))
                || [first, second, third] == [192, 0, 0]
                || (first == 198 && (18..20).contains(&second))
                || first >= 240
        }
        IpAddr::V6(address) => address.is_unique_local(),
    };
    is_private || is_of_machine(address)
}

/// Whether the host of an address is internal by its form alone. Names are looked up when something is sent.
pub(super) fn is_internal_host(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return true };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => is_internal(address),
        Err(_) => bare == "localhost" || bare.ends_with(".localhost"),
    }
}

/// Looks names up and leaves out what is internal.
pub(super) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_internal(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("`{}` is inside the network of the service", name.as_str()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_internal_is_known_by_its_address() {
        let internal = |text: &str| is_internal_host(&Url::parse(text).unwrap());
        for url in [
            "http://127.0.0.1:1/",
            "http://2130706433/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://[::1]/",
            "http://[::ffff:192.168.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[::192.168.0.1]/",
            "http://192.0.0.8/",
            "http://198.19.0.1/",
            "http://240.0.0.1/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://localhost/",
            "http://0/",
        ] {
            assert!(internal(url), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://8.8.8.8/",
            "http://[64:ff9b::8.8.8.8]/",
            "http://[2001:4860::8888]/",
            "http://100.128.0.1/",
        ] {
            assert!(!internal(url), "{url}");
        }
    }
}
