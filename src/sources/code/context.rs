//! Where a string stands: the call that takes it, and what becomes of it.

use regex::Regex;
use tree_sitter::Node;

use super::{Language, strings::File};

/// What the place says of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// It is run as SQL.
    Sql,
    /// It is a query of an object mapper, in its own language.
    Foreign,
    /// It is shown, logged, compared or thrown.
    Never,
    /// More is added to it elsewhere.
    Grows,
    #[default]
    Nothing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) told: Told,
    pub(super) one_row: bool,
    /// `{…}` in it are filled in.
    pub(super) braces: bool,
    /// `%s` and the like in it are filled in.
    pub(super) verbs: bool,
}

/// How far up a string's user is looked for.
const HIGHEST: usize = 24;

pub(super) fn of(file: &File<'_>, string: Node<'_>) -> Context {
    let mut context = Context { verbs: file.language == Language::Python, ..Context::default() };
    let mut node = string;
    for _ in 0..HIGHEST {
        let Some(parent) = node.parent() else { break };
        match parent.kind() {
            "call_expression"
            | "call"
            | "method_invocation"
            | "macro_invocation"
            | "annotation"
            | "object_creation_expression"
            | "new_expression" => {
                let name = callee(file, parent).to_ascii_lowercase();
                let on_it = parent.start_byte() == string.start_byte();
                if node.kind() == "template_string" && !on_it {
                    tagged(file, parent, &mut context);
                    return context;
                }
                if PASSED.contains(&name.as_str()) {
                    context.braces |= name.starts_with("format") && file.language != Language::Java;
                    context.verbs |= name.contains("printf") || name.starts_with("format");
                } else if on_it {
                    // A method of the string that we do not know: it is cut, or asked something.
                    break;
                } else {
                    context.told = takes(file, parent, &name);
                    context.braces |= callee(file, parent) == "SQL" && file.language == Language::Python;
                    context.verbs |= file.language == Language::Go && name.ends_with('f');
                    context.one_row = one_row(file, parent, &name);
                    return context;
                }
            }
            "arguments"
            | "argument_list"
            | "parenthesized_expression"
            | "keyword_argument"
            | "token_tree"
            | "unary_expression"
            | "reference_expression"
            | "await_expression"
            | "expression_list"
            | "annotation_argument_list"
            | "element_value_pair"
            | "element_value_array_initializer"
            | "binary_expression"
            | "binary"
            | "conditional_expression"
            | "ternary_expression"
            | "conditional"
            | "as_expression"
            | "chained_string"
            | "concatenated_string"
            | "object" => {}
            "binary_operator" => context.verbs = true,
            "attribute" | "member_expression" | "field_expression" | "selector_expression" => {
                if parent.start_byte() != string.start_byte() {
                    break;
                }
            }
            "pair" => {
                let key = parent.child_by_field_name("key").map(|key| file.text_of(key)).unwrap_or_default();
                if !["text", "sql", "query", "statement"].contains(&key.trim_end_matches(':')) {
                    break;
                }
            }
            "raise_statement" | "throw_statement" | "assert_statement" | "comparison_operator" => {
                context.told = Told::Never;
                break;
            }
            // A docstring, or a string that stands for nothing.
            "expression_statement" => {
                if node.id() == string.id() {
                    context.told = Told::Never;
                }
                break;
            }
            "augmented_assignment"
            | "augmented_assignment_expression"
            | "compound_assignment_expr"
            | "operator_assignment" => {
                context.told = Told::Grows;
                break;
            }
            "assignment"
            | "assignment_expression"
            | "variable_declarator"
            | "let_declaration"
            | "short_var_declaration"
            | "assignment_statement"
            | "var_spec" => {
                if grows(file, parent) {
                    context.told = Told::Grows;
                }
                break;
            }
            _ => break,
        }
        node = parent;
    }
    context
}

/// The call's name, without what it is called on.
fn callee<'a>(file: &File<'a>, call: Node<'_>) -> &'a str {
    let fields = ["function", "macro", "method", "name", "constructor", "type"];
    let Some(mut node) = fields.iter().find_map(|field| call.child_by_field_name(field)) else { return "" };
    for _ in 0..4 {
        let inner = ["field", "property", "attribute", "name", "function"]
            .iter()
            .find_map(|field| node.child_by_field_name(field));
        match inner {
            Some(inner) if node.kind() != "call_expression" && node.kind() != "call" => node = inner,
            _ => break,
        }
    }
    let text = file.text_of(node);
    text.rsplit(['.', ':']).next().unwrap_or(text).trim_end_matches('!')
}

/// A template that a function takes: sql`…`.
fn tagged(file: &File<'_>, call: Node<'_>, context: &mut Context) {
    let tag = call.child_by_field_name("function").map(|tag| file.text_of(tag)).unwrap_or_default();
    let tag = tag[..tag.floor_char_boundary(200)].to_ascii_lowercase();
    context.told = if ["sql", "query", "pg"].iter().any(|word| tag.contains(word)) && !tag.contains("graphql")
    {
        Told::Sql
    } else {
        Told::Never
    };
    context.one_row = one_row(file, call, "");
}

/// Calls that give the string back, perhaps filled in or trimmed.
const PASSED: &[&str] = &[
    "format",
    "format_args",
    "formatted",
    "sprintf",
    "fmt",
    "trim",
    "strip",
    "strip_heredoc",
    "stripindent",
    "stripmargin",
    "trimindent",
    "dedent",
    "cleandoc",
    "indoc",
    "squish",
    "freeze",
    "to_string",
    "to_owned",
    "into",
    "from",
    "string",
    "text",
    "tostring",
    "concat",
    "as_str",
    "replace",
    "gsub",
];

fn takes(file: &File<'_>, call: Node<'_>, name: &str) -> Told {
    if file.language == Language::Java {
        let jpql = match name {
            "query" if call.kind() == "annotation" => {
                let written = file.text_of(call).split_whitespace().collect::<String>();
                !written.contains("nativeQuery=true") && file.text.contains(".data.jpa.")
            }
            "namedquery" | "createquery" => true,
            _ => false,
        };
        if jpql {
            return Told::Foreign;
        }
    }
    if SHOWN.contains(&name)
        || ["assert", "expect", "tobe", "toequal", "tomatch", "tocontain", "tohave", "debug_assert"]
            .iter()
            .any(|word| name.starts_with(word))
        || ["error", "exception", "warning"].iter().any(|word| name.ends_with(word))
    {
        return Told::Never;
    }
    if ADDED.contains(&name) {
        return Told::Grows;
    }
    let runs = (name.contains("query") && !name.contains("selector") && !name.contains("param"))
        || name.contains("sql")
        || name.contains("execute")
        || name.starts_with("exec")
        || name.starts_with("prepare")
        || matches!(name, "fetchrow" | "fetchval" | "fetch_all" | "fetch_one" | "mogrify" | "copy_expert");
    if runs { Told::Sql } else { Told::Nothing }
}

/// Whether the call, or one of those that follow it in a chain, gives one row.
fn one_row(file: &File<'_>, call: Node<'_>, name: &str) -> bool {
    const ONE: &[&str] = &[
        "fetch_one",
        "fetch_optional",
        "fetchone",
        "fetchrow",
        "fetchval",
        "fetch_val",
        "query_row",
        "queryrow",
        "queryrowcontext",
        "queryrowx",
        "queryrowxcontext",
        "query_one",
        "query_opt",
        "one",
        "oneornone",
        "queryforobject",
        "scalar_one",
        "scalar_one_or_none",
        "one_or_none",
        "select_one",
        "select_value",
        "getsingleresult",
        "maybeone",
        "onefirst",
    ];
    if ONE.contains(&name) {
        return true;
    }
    let mut node = call;
    for _ in 0..HIGHEST {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "field_expression"
            | "member_expression"
            | "attribute"
            | "selector_expression"
            | "await_expression"
            | "try_expression"
            | "parenthesized_expression"
            | "await" => {}
            "call_expression" | "call" | "method_invocation" if parent.start_byte() == call.start_byte() => {
                if ONE.contains(&callee(file, parent).to_ascii_lowercase().as_str()) {
                    return true;
                }
            }
            _ => return false,
        }
        node = parent;
    }
    false
}

/// Bytes of a function that are searched.
const LONGEST: usize = 256 << 10;

/// Whether more is added to the variable, in the same function or, outside of one, in the file.
fn grows(file: &File<'_>, assignment: Node<'_>) -> bool {
    let target = ["left", "name", "pattern"].iter().find_map(|field| assignment.child_by_field_name(field));
    let Some(target) = target else { return false };
    let name = file.text_of(target).trim_start_matches("mut ").rsplit(['.', ' ']).next().unwrap_or_default();
    let plain =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte == b'@');
    if name.is_empty() || !plain {
        return false;
    }
    let mut scope = assignment;
    while let Some(parent) = scope.parent() {
        scope = parent;
        let kind = scope.kind();
        if kind.contains("function") || kind.contains("method") || kind == "lambda" || kind == "program" {
            break;
        }
    }
    let text = file.text_of(scope);
    if text.len() > LONGEST {
        return false;
    }
    let name = regex::escape(name);
    let added = format!(
        r"\b{name}\s*(?:\+=|<<|\+\s)|[+]\s*{name}\b|\b{name}\.(?:push|push_str|concat|append|write_str|insert_str|join)\b|\{{\s*{name}\s*\}}\s*(?i:where|and|order|limit|offset|group|union|join|left|inner|returning|for)\b|(?i:join|sprintf|format)\(\s*&?{name}\b"
    );
    Regex::new(&added).is_ok_and(|added| added.is_match(text))
}

/// Functions that show or test a text.
const SHOWN: &[&str] = &[
    "debug",
    "describe",
    "eprint",
    "eprintln",
    "err",
    "error",
    "exit",
    "fail",
    "fatal",
    "info",
    "it",
    "log",
    "panic",
    "print",
    "printf",
    "println",
    "puts",
    "raise",
    "severe",
    "specify",
    "todo",
    "trace",
    "unreachable",
    "verbose",
    "warn",
    "warning",
    "gettext",
    "ngettext",
    "_",
    "addargument",
    "add_argument",
    "help",
    "option",
    "fatalf",
    "errorf",
    "infof",
    "warnf",
    "debugf",
    "logf",
    "skip",
    "matches",
    "contains",
    "startswith",
    "starts_with",
    "start_with",
    "endswith",
    "ends_with",
    "indexof",
    "equals",
    "compile",
    "regexp",
    "match",
    "test",
];

/// Functions that put a text together with others.
const ADDED: &[&str] = &[
    "append",
    "add",
    "push",
    "push_str",
    "write",
    "writestring",
    "write_str",
    "writeln",
    "join",
    "extend",
    "addall",
    "unshift",
    "insert",
    "prepend",
];
