//! Tokens with their brackets paired.

use super::source::Source;

/// A token, or a pair of brackets with what stands between them.
#[derive(Debug)]
pub(super) enum Node {
    /// A token by its index.
    Leaf(usize),
    /// Brackets, or `CASE` and `END`.
    Pair(Pair),
}

/// A pair of brackets.
#[derive(Debug)]
pub(super) struct Pair {
    /// The opening one.
    pub open: usize,
    /// What stands between them.
    pub inner: Vec<Node>,
    /// The closing one; `None` only in a text without it, which does not parse.
    pub close: Option<usize>,
}

impl Node {
    /// Returns the index of the first token.
    pub fn first(&self) -> usize {
        match self {
            Node::Leaf(index) => *index,
            Node::Pair(pair) => pair.open,
        }
    }
}

/// Pairs the brackets of a range of tokens.
pub(super) fn pair_brackets(source: &Source<'_>, range: std::ops::Range<usize>) -> Vec<Node> {
    let mut open: Vec<(usize, Vec<Node>)> = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    for index in range {
        let piece = &source.0[index];
        let opens = match piece.text.as_ref() {
            "(" | "[" | "{" => piece.symbol,
            "<" => piece.angle,
            "CASE" => piece.keyword,
            _ => false,
        };
        let closes = match piece.text.as_ref() {
            ")" | "]" | "}" => piece.symbol,
            ">" => piece.angle,
            "END" => piece.keyword,
            _ => false,
        };
        if opens {
            open.push((index, std::mem::take(&mut nodes)));
            continue;
        }
        match open.pop_if(|_| closes) {
            Some((start, outer)) => {
                let inner = std::mem::replace(&mut nodes, outer);
                nodes.push(Node::Pair(Pair { open: start, inner, close: Some(index) }));
            }
            None => nodes.push(Node::Leaf(index)),
        }
    }
    while let Some((start, outer)) = open.pop() {
        let inner = std::mem::replace(&mut nodes, outer);
        nodes.push(Node::Pair(Pair { open: start, inner, close: None }));
    }
    nodes
}
