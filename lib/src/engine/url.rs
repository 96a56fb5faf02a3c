//! The parts of a URL: what every server's address is written with. An error is the reason alone, to be said with the
//! engine's own hint.

use std::fmt::Write;

/// `NAME:PORT`, `[ADDRESS]:PORT`, or only the first; the port is empty where there is none.
pub(super) fn split_host(host: &str) -> Result<(&str, &str), &'static str> {
    if let Some(rest) = host.strip_prefix('[') {
        let (name, port) = rest.split_once(']').ok_or("a [ has no ]")?;
        return match port.strip_prefix(':') {
            Some(port) => Ok((name, port)),
            None if port.is_empty() => Ok((name, "")),
            None => Err("after ] comes :port"),
        };
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

/// Reads each `%XX`.
pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => out.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err("after % come two hexadecimal digits"),
        }
    }
    String::from_utf8(out).map_err(|_| "a part is not UTF-8")
}

/// Writes everything as `%XX` that could mean something in any part of a URL.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
