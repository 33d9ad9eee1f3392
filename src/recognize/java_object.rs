//! Passes over one serialised Java object: the only way to find what stands behind it in a stream.
//!
//! Only what the secret keys of a JCEKS store are made of is known: plain objects, strings, arrays of bytes. Never
//! here: a value. Serves the Java Object Serialization Specification, chapter 6.

/// How deep classes and objects may nest, and how many of them there may be.
const MOST_DEPTH: usize = 16;
const MOST_HANDLES: usize = 256;

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const END_OF_BLOCK: u8 = 0x78;

/// Returns how many bytes the object takes that `bytes` begin with; none where it is not understood.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\xac\xed\0\x05")?;
    let mut stream = Stream { rest, handles: Vec::new() };
    stream.content(0)?;
    Some(bytes.len() - stream.rest.len())
}

struct Stream<'a> {
    rest: &'a [u8],
    /// Classes, and nothing for everything else that can be referred to.
    handles: Vec<Option<Class>>,
}

/// Types of a class's fields, those of its parents first.
#[derive(Clone, Debug, Default)]
struct Class {
    fields: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn short(&mut self) -> Option<usize> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes).map(usize::from)
    }

    fn word(&mut self) -> Option<usize> {
        usize::try_from(self.take(4)?.try_into().ok().map(u32::from_be_bytes)?).ok()
    }

    fn remember(&mut self, class: Option<Class>) -> Option<usize> {
        (self.handles.len() < MOST_HANDLES).then(|| self.handles.push(class))?;
        Some(self.handles.len() - 1)
    }

    fn reference(&mut self) -> Option<usize> {
        self.word()?.checked_sub(0x007e_0000)
    }

    fn content(&mut self, depth: usize) -> Option<()> {
        if depth > MOST_DEPTH {
            return None;
        }
        match self.byte()? {
            NULL => {}
            REFERENCE => {
                let at = self.reference()?;
                self.handles.get(at)?;
            }
            STRING => {
                self.remember(None)?;
                let length = self.short()?;
                self.take(length)?;
            }
            ARRAY => {
                let class = self.class(depth + 1)?;
                self.remember(None)?;
                let length = self.word()?;
                // Only arrays of bytes announce their one element type so.
                (class.fields == *b"B").then(|| self.take(length))??;
            }
            OBJECT => {
                let class = self.class(depth + 1)?;
                self.remember(None)?;
                for field in class.fields {
                    match field {
                        b'B' | b'Z' => drop(self.take(1)?),
                        b'C' | b'S' => drop(self.take(2)?),
                        b'F' | b'I' => drop(self.take(4)?),
                        b'D' | b'J' => drop(self.take(8)?),
                        _ => self.content(depth + 1)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn class(&mut self, depth: usize) -> Option<Class> {
        if depth > MOST_DEPTH {
            return None;
        }
        match self.byte()? {
            NULL => Some(Class::default()),
            REFERENCE => {
                let at = self.reference()?;
                self.handles.get(at)?.clone()
            }
            CLASS => {
                let length = self.short()?;
                let name = self.take(length)?;
                self.take(8)?;
                let at = self.remember(None)?;
                // Serialisable, without anything that the class writes by itself.
                (self.byte()? == 2).then_some(())?;
                let mut own = Vec::new();
                for _ in 0..self.short()? {
                    let kind = self.byte()?;
                    let length = self.short()?;
                    self.take(length)?;
                    if matches!(kind, b'L' | b'[') {
                        self.content(depth + 1)?;
                    }
                    own.push(kind);
                }
                (self.byte()? == END_OF_BLOCK).then_some(())?;
                let mut class = self.class(depth + 1)?;
                match name {
                    b"[B" => class.fields = b"B".to_vec(),
                    // Values stand in the order of their classes, parents first.
                    _ => class.fields.extend(own),
                }
                *self.handles.get_mut(at)? = Some(class.clone());
                Some(class)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object of a class with a parent, an array of bytes in each, and a string that is told twice.
    fn object() -> Vec<u8> {
        let mut bytes = b"\xac\xed\0\x05\x73\x72\0\x01A\0\0\0\0\0\0\0\0\x02\0\x01[\0\x01a\x74\0\x02[B\x78".to_vec();
        bytes.extend(b"\x72\0\x01P\0\0\0\0\0\0\0\0\x02\0\x02[\0\x01p\x71\0\x7e\0\x01L\0\x01s\x74\0\x12Ljava/lang/String;\x78\x70");
        bytes.extend(b"\x75\x72\0\x02[B\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\0\0\0\x03abc");
        bytes.extend(b"\x74\0\x01x");
        bytes.extend(b"\x75\x71\0\x7e\0\x05\0\0\0\x02de");
        bytes
    }

    #[test]
    fn what_stands_behind_an_object_is_found() {
        let bytes = object();
        assert_eq!(length(&[&bytes[..], b"behind"].concat()), Some(bytes.len()));
    }

    #[test]
    fn an_object_that_is_cut_short_or_of_another_kind_is_not_understood() {
        let bytes = object();
        for end in 0..bytes.len() {
            assert_eq!(length(&bytes[..end]), None, "{end}");
        }
        assert_eq!(length(b"\xac\xed\0\x05\x76"), None);
        assert_eq!(
            length(&[&b"\xac\xed\0\x05\x73"[..], &b"\x72\0\0\0\0\0\0\0\0\0\0\x02\0\0\x78".repeat(9999)].concat()),
            None
        );
        assert_eq!(
            length(
                &[&b"\xac\xed\0\x05"[..], &b"\x75\x72\0\x02[B\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\xff\xff\xff\xff"[..]]
                    .concat()
            ),
            None
        );
    }
}
