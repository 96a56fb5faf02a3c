//! Words as a shell takes them: for commands that a person is shown to paste. Nothing here is ever run.

/// A word as a POSIX shell reads it back: quoted where it must be.
pub fn word(text: &str) -> String {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/@+=:,".contains(&byte));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back_from_a_shell_as_it_was() {
        let path = "/a/Mobile Documents/it's $HOME `x`\n*.db";
        let words = [path, "", "plain/word.db", "-rf", "#", "~"];
        let line = words.map(word).join(" ");
        let said = std::process::Command::new("sh").args(["-c", &format!("printf '%s|' {line}")]).output().expect("a shell");
        assert_eq!(String::from_utf8(said.stdout).expect("text"), words.map(|word| format!("{word}|")).concat());
    }
}
