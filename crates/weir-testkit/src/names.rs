//! A name server (DNS) that knows one name, for tests of who is asked.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// The port at which the system asks.
const PORT: u16 = 53;
/// Length of the head of a message.
const HEAD: usize = 12;
/// The type of a question for an IPv4 address, and the class of the Internet.
const ADDRESS: [u8; 4] = [0, 1, 0, 1];

/// A name server in a thread of its own. Dropping it ends it.
#[derive(Debug)]
pub struct NameServer {
    address: Ipv4Addr,
    asked: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts a server at an address of this machine, which needs the rights of root. It gives `name` one address and knows no other.
    pub fn start(address: Ipv4Addr, name: &str, named: Ipv4Addr) -> io::Result<Self> {
        let socket = UdpSocket::bind((address, PORT))?;
        let (asked, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, end, wanted) = (asked.clone(), ends.clone(), labels(name));
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, sender)) = socket.recv_from(&mut buffer) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Some(answer) = answer(&buffer[..length], &wanted, named) else { continue };
                counter.fetch_add(1, Ordering::SeqCst);
                // Who does not hear it asks again.
                let _ = socket.send_to(&answer, sender);
            }
        });
        Ok(Self { address, asked, ends, thread: Some(thread) })
    }

    /// Returns the line by which `resolv.conf` names it.
    pub fn resolver(&self) -> String {
        format!("nameserver {}\n", self.address)
    }

    /// Returns how many questions it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let wake = SocketAddr::from((self.address, PORT));
        let woken = UdpSocket::bind((self.address, 0)).and_then(|socket| socket.send_to(&[0], wake));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

/// Returns a name as it stands in a message.
fn labels(name: &str) -> Vec<u8> {
    let mut labels = Vec::new();
    for label in name.split('.') {
        labels.push(label.len() as u8);
        labels.extend(label.to_lowercase().into_bytes());
    }
    labels.push(0);
    labels
}

/// Returns the answer to a question, `None` when it cannot be read.
fn answer(question: &[u8], wanted: &[u8], named: Ipv4Addr) -> Option<Vec<u8>> {
    let name = question.get(HEAD..)?.iter().position(|byte| *byte == 0)? + 1;
    let asked = question.get(HEAD..HEAD + name + ADDRESS.len())?;
    let (name, kind) = asked.split_at(name);
    let is_known = name.to_ascii_lowercase() == wanted;
    let has_address = is_known && kind == ADDRESS;
    let mut answer = question.get(..2)?.to_vec();
    // An answer, to which recursion is available; 3 says that there is no such name.
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(asked);
    if has_address {
        // The name of the question; the address is not to be remembered, and has four bytes.
        answer.extend([0xc0, HEAD as u8]);
        answer.extend(ADDRESS);
        answer.extend([0, 0, 0, 0, 0, 4]);
        answer.extend(named.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_known() {
        let question = |name: &str, kind: u8| {
            let mut question = vec![7, 8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            question.extend(labels(name));
            question.extend([0, kind, 0, 1]);
            question
        };
        let address = Ipv4Addr::new(198, 18, 0, 2);
        let answer = |name: &str, kind| answer(&question(name, kind), &labels("a.test"), address).unwrap();
        let found = answer("A.test", 1);
        assert_eq!((&found[..2], found[3], found[7]), (&[7, 8][..], 0x80, 1));
        assert_eq!(found[found.len() - 4..], address.octets());
        assert_eq!((answer("a.test", 28)[3], answer("a.test", 28)[7]), (0x80, 0), "no IPv6 address");
        assert_eq!((answer("b.test", 1)[3], answer("b.test", 1)[7]), (0x83, 0), "no such name");
    }
}
