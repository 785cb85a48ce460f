//! What a file's name and comments say of its place among migrations.

/// A name that migration tools give: in a folder of migrations, or numbered.
pub(super) fn is_migration(file: &str) -> bool {
    let mut parts = file.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    let numbered = |name: &str| {
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 1 && name[digits..].starts_with(['_', '-', '.'])
    };
    let flyway = name.strip_prefix(['V', 'R', 'U']).is_some_and(|rest| {
        rest.starts_with("__") || rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__")
    });
    let folder = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.contains("migrat") || part == "versions" || numbered(&part)
    };
    numbered(name) || flyway || name.to_ascii_lowercase().contains("migrat") || parts.take(2).any(folder)
}

/// A file that takes back what another did.
pub(in crate::sources) fn is_down(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".sql").unwrap_or(&name);
    name == "down" || [".down", "_down", "-down", ".rollback", ".undo"].iter().any(|end| name.ends_with(end))
}

/// The line where a file begins to take back what it did, as migration tools mark it.
pub(in crate::sources) fn undone(text: &str) -> Option<u64> {
    const MARKS: &[&str] = &[
        "+goose down",
        "+migrate down",
        "migrate:down",
        "down migration",
        "rambler down",
        "!downs",
        "//@undo",
    ];
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let comment = line.trim_start().strip_prefix("--").or_else(|| line.trim_start().strip_prefix('#'));
        let comment = comment.or_else(|| line.starts_with("//@").then_some(line))?;
        let words = comment.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        MARKS.iter().any(|mark| words.starts_with(mark)).then_some(number)
    })
}

/// A path by which `V2` sorts before `V10`.
pub(super) fn natural(path: &str) -> Vec<(u128, String)> {
    let mut parts: Vec<(u128, String)> = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, behind) = rest.split_at(words);
        let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        parts.push((0, text.to_owned()));
        parts.push((behind[..digits].parse().unwrap_or(0), String::new()));
        rest = &behind[digits..];
    }
    parts
}
