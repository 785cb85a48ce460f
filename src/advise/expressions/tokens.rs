//! An expression as words, constants and the few symbols that index expressions are made of.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, in its quotes where it has some.
    Word(String),
    /// A number or a string.
    Constant(String),
    Symbol(String),
}

/// `None` for anything that is not a word, a constant or one of the few symbols known here.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' | '\'' => {
                let end = closing(rest, first)?;
                let word = rest[..end].to_owned();
                tokens.push(if first == '"' { Token::Word(word) } else { Token::Constant(word) });
                end
            }
            c if c.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                tokens.push(Token::Constant(rest[..end].to_owned()));
                end
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
            _ => {
                let symbol = ["->>", "->", "::", "||", "(", ")", ",", "."]
                    .into_iter()
                    .find(|symbol| rest.starts_with(symbol))?;
                tokens.push(Token::Symbol(symbol.to_owned()));
                symbol.len()
            }
        };
        rest = rest[taken..].trim_start();
    }
    Some(tokens)
}

/// Where a quoted text ends, its closing quote included; a doubled quote does not close it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}
