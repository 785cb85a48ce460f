//! The servers that a target names: host, address and port lists → one [`Endpoint`] each.

use std::path::Path;

use super::usage;
use crate::error::Error;

/// One server to try.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// A name, an address, or a socket's folder; what a certificate is checked against.
    pub(super) host: String,
    /// The address to connect to when it is given apart.
    pub(super) address: Option<std::net::IpAddr>,
    pub(super) port: u16,
    pub(super) password: Option<String>,
}

/// The servers of a comma-separated host list, each with its port.
pub(super) fn endpoints(
    host: Option<&str>,
    address: Option<&str>,
    port: Option<&str>,
) -> Result<Vec<Endpoint>, Error> {
    let ports: Vec<u16> = port
        .map_or_else(Vec::new, |ports| ports.split(',').collect())
        .into_iter()
        .map(|port| match port.trim() {
            "" => Ok(5432),
            port => port.parse().ok().filter(|&port| port != 0).ok_or_else(|| {
                // What is no number may be a part of a password.
                let what = if port.bytes().all(|b| b.is_ascii_digit()) {
                    format!("`{port}` is not a port number")
                } else {
                    "the port is not a number".to_owned()
                };
                usage(what, "a port is a number from 1 to 65535")
            }),
        })
        .collect::<Result<_, _>>()?;
    let addresses: Vec<Option<std::net::IpAddr>> = address
        .map_or_else(Vec::new, |addresses| addresses.split(',').collect())
        .into_iter()
        .map(|address| match address.trim() {
            "" => Ok(None),
            address => address.parse().map(Some).map_err(|_| {
                usage(format!("hostaddr `{address}` is not an IP address"), "use host for a name")
            }),
        })
        .collect::<Result<_, _>>()?;
    let mut hosts: Vec<String> =
        host.map_or_else(Vec::new, |hosts| hosts.split(',').map(|host| host.trim().to_owned()).collect());
    if hosts.is_empty() {
        hosts = addresses.iter().map(|address| address.map_or_else(String::new, |a| a.to_string())).collect();
    }
    if hosts.is_empty() {
        hosts.push(String::new());
    }
    if !(ports.len() <= 1 || ports.len() == hosts.len())
        || (!addresses.is_empty() && addresses.len() != hosts.len())
    {
        return Err(usage(
            "the lists of hosts, addresses and ports have different lengths".to_owned(),
            "give one port for all hosts, or one for each",
        ));
    }
    Ok(hosts
        .into_iter()
        .enumerate()
        .map(|(n, host)| {
            let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
            let host = if host.is_empty() { default_host(port) } else { host };
            Endpoint { host, address: addresses.get(n).copied().flatten(), port, password: None }
        })
        .collect())
}

/// The folder where a local server of this port listens: Debian's, or PostgreSQL's own default;
/// `localhost` when neither has one.
fn default_host(port: u16) -> String {
    ["/var/run/postgresql", "/tmp"]
        .into_iter()
        .find(|folder| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists())
        .unwrap_or("localhost")
        .to_owned()
}
