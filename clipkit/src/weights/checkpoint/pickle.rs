//! The part of Python's pickle format (protocol 2) in which PyTorch stores a dictionary of tensors.
//!
//! A pickle is a program for a stack machine that may call any function of Python. Here it calls
//! nothing: four names are known, and what they would make is made here. Any other name, operation
//! or combination is an error, and the depth of nested values is bounded.

use std::collections::HashMap;
use std::rc::Rc;

use super::unreadable;
use crate::error::Result;

/// Values nested deeper are refused. A checkpoint of tensors has 4 levels.
const DEEPEST: usize = 16;

/// A tensor as the pickle describes it: a view of a storage.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) storage: Rc<Storage>,
    /// The place of the first element in the storage, in elements.
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    /// The distance from one element to the next along each dimension, in elements.
    pub(super) strides: Vec<u64>,
}

/// A file of consecutive elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) element: Element,
    /// The name of its file in the folder `data` of the archive.
    pub(super) file: Rc<str>,
    /// How many elements it has.
    pub(super) count: u64,
}

/// The type of a storage's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F32,
    I64,
}

/// What a pickle may refer to by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Dictionary,
    Tensor,
    Storage(Element),
}

impl Name {
    fn of(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Name::Dictionary,
            ("torch._utils", "_rebuild_tensor_v2") => Name::Tensor,
            ("torch", "FloatStorage") => Name::Storage(Element::F32),
            ("torch", "LongStorage") => Name::Storage(Element::I64),
            _ => return None,
        })
    }
}

#[derive(Clone, Debug)]
enum Value {
    None,
    Bool,
    Int(i64),
    Text(Rc<str>),
    Name(Name),
    /// The depth of the deepest value in it, and the values.
    Tuple(usize, Rc<[Value]>),
    Dictionary(usize, Vec<(Rc<str>, Value)>),
    Storage(Rc<Storage>),
    Tensor(Rc<View>),
}

impl Value {
    fn depth(&self) -> usize {
        match self {
            Value::Tuple(depth, _) | Value::Dictionary(depth, _) => *depth,
            _ => 0,
        }
    }
}

/// The tensors of a pickled dictionary by their keys.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(Rc<str>, Rc<View>)>> {
    let mut machine = Machine { input: Input { rest: bytes }, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    while machine.step()? {}
    let Value::Dictionary(_, items) = machine.pop()? else { return Err(unreadable("it is not a dictionary of tensors")) };
    let tensor = |(key, value)| match value {
        Value::Tensor(view) => Some((key, view)),
        _ => None,
    };
    Ok(items.into_iter().filter_map(tensor).collect())
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| unreadable("its list of tensors ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn text(&mut self, count: usize) -> Result<&'a str> {
        std::str::from_utf8(self.take(count)?).map_err(|_| unreadable("a name in it is not UTF-8"))
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| unreadable("its list of tensors ends early"))?;
        let line = self.text(end)?;
        self.take(1)?;
        Ok(line)
    }

    /// An integer of up to 8 bytes, in two's complement.
    fn long(&mut self) -> Result<i64> {
        let bytes = usize::from(self.byte()?);
        let bytes = self.take(bytes)?;
        let Some(last) = bytes.last() else { return Ok(0) };
        if bytes.len() > 8 {
            return Err(unreadable("a number in it is too large"));
        }
        let mut whole = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        Ok(i64::from_le_bytes(whole))
    }
}

struct Machine<'a> {
    input: Input<'a>,
    stack: Vec<Value>,
    /// The heights of the stack at which groups of values begin.
    marks: Vec<usize>,
    /// Values that are referred to later. `None` is a dictionary, which may have changed since.
    memo: HashMap<u32, Option<Value>>,
}

impl Machine<'_> {
    /// Carries one operation out. `false` is the last one.
    fn step(&mut self) -> Result<bool> {
        let value = match self.input.byte()? {
            b'.' => return Ok(false),
            // The protocol's version.
            0x80 => match self.input.byte()? {
                0..=2 => return Ok(true),
                version => return Err(unreadable(format!("it has version {version} of the pickle format; 2 is expected"))),
            },
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(true);
            }
            b'q' => {
                let place = self.input.byte()?.into();
                return self.keep(place);
            }
            b'r' => {
                let place = self.input.u32()?;
                return self.keep(place);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.insert(vec![key, value]);
            }
            b'u' => {
                let items = self.group()?;
                return self.insert(items);
            }
            // The state of an object: PyTorch's versions of the parts of a network, which say
            // nothing about its tensors.
            b'b' => {
                self.pop()?;
                return match self.stack.last() {
                    Some(Value::Dictionary(..)) => Ok(true),
                    _ => Err(unreadable("it has an object with a state that is not known")),
                };
            }
            b'h' => {
                let place = self.input.byte()?.into();
                self.kept(place)?
            }
            b'j' => {
                let place = self.input.u32()?;
                self.kept(place)?
            }
            b'N' => Value::None,
            0x88 | 0x89 => Value::Bool,
            b'K' => Value::Int(self.input.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.input.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.input.array()?).into()),
            0x8a => Value::Int(self.input.long()?),
            b'X' => {
                let count = self.input.u32()? as usize;
                Value::Text(self.input.text(count)?.into())
            }
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                let named = Name::of(module, name);
                Value::Name(named.ok_or_else(|| {
                    let shown: String = format!("{module}.{name}").chars().take(100).collect();
                    unreadable(format!("it refers to {shown:?}, which a checkpoint of weights has no need of"))
                })?)
            }
            b'}' => Value::Dictionary(0, Vec::new()),
            b')' => Value::Tuple(0, Rc::new([])),
            count @ 0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(count - 0x84)).filter(|from| *from >= self.floor());
                tuple(self.stack.split_off(from.ok_or_else(stack_is_empty)?))?
            }
            b't' => tuple(self.group()?)?,
            b'Q' => {
                let id = self.pop()?;
                storage(id)?
            }
            b'R' => {
                let (arguments, name) = (self.pop()?, self.pop()?);
                call(&name, &arguments)?
            }
            operation => return Err(unreadable(format!("its list of tensors has the operation {operation:#04x}, which is not known"))),
        };
        self.stack.push(value);
        Ok(true)
    }

    /// The height of the stack below which the current group has no values.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    fn pop(&mut self) -> Result<Value> {
        if self.stack.len() <= self.floor() {
            return Err(stack_is_empty());
        }
        self.stack.pop().ok_or_else(stack_is_empty)
    }

    /// The values after the last mark.
    fn group(&mut self) -> Result<Vec<Value>> {
        let from = self.marks.pop().filter(|from| *from <= self.stack.len()).ok_or_else(stack_is_empty)?;
        Ok(self.stack.split_off(from))
    }

    /// Puts keys and values into the dictionary on top of the stack.
    fn insert(&mut self, items: Vec<Value>) -> Result<bool> {
        let Some(Value::Dictionary(depth, into)) = self.stack.last_mut() else {
            return Err(unreadable("it puts a value into what is not a dictionary"));
        };
        if !items.len().is_multiple_of(2) {
            return Err(unreadable("it has a key without a value"));
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Value::Text(key) = key else { return Err(unreadable("it has a key that is not a text")) };
            *depth = deeper((*depth).max(value.depth() + 1))?;
            into.push((key, value));
        }
        Ok(true)
    }

    fn keep(&mut self, place: u32) -> Result<bool> {
        let value = self.stack.last().ok_or_else(stack_is_empty)?;
        let kept = if matches!(value, Value::Dictionary(..)) { None } else { Some(value.clone()) };
        self.memo.insert(place, kept);
        Ok(true)
    }

    fn kept(&self, place: u32) -> Result<Value> {
        match self.memo.get(&place) {
            Some(Some(value)) => Ok(value.clone()),
            Some(None) => Err(unreadable("it refers to one dictionary twice")),
            None => Err(unreadable("it refers to a value that it does not have")),
        }
    }
}

fn stack_is_empty() -> crate::error::Error {
    unreadable("its list of tensors takes a value that is not there")
}

fn deeper(depth: usize) -> Result<usize> {
    if depth > DEEPEST { Err(unreadable("its values are nested too deeply")) } else { Ok(depth) }
}

fn tuple(values: Vec<Value>) -> Result<Value> {
    let depth = values.iter().map(Value::depth).max().map_or(0, |deepest| deepest + 1);
    Ok(Value::Tuple(deeper(depth)?, values.into()))
}

/// What the name makes of its arguments.
fn call(name: &Value, arguments: &Value) -> Result<Value> {
    let unknown = || unreadable("it makes a value in a way that is not known");
    let Value::Tuple(_, arguments) = arguments else { return Err(unknown()) };
    match (name, &arguments[..]) {
        (Value::Name(Name::Dictionary), []) => Ok(Value::Dictionary(0, Vec::new())),
        // The others say whether it is trained, and which functions are then called.
        (Value::Name(Name::Tensor), [Value::Storage(storage), Value::Int(offset), shape, strides, Value::Bool, ..]) => {
            let offset = u64::try_from(*offset).map_err(|_| unknown())?;
            let (shape, strides) = (sizes(shape)?, sizes(strides)?);
            if shape.len() != strides.len() {
                return Err(unknown());
            }
            Ok(Value::Tensor(Rc::new(View { storage: storage.clone(), offset, shape, strides })))
        }
        _ => Err(unknown()),
    }
}

fn sizes(value: &Value) -> Result<Vec<u64>> {
    let unknown = || unreadable("it has a tensor whose shape is not a list of sizes");
    let Value::Tuple(_, sizes) = value else { return Err(unknown()) };
    let size = |value: &Value| match value {
        Value::Int(size) => u64::try_from(*size).map_err(|_| unknown()),
        _ => Err(unknown()),
    };
    sizes.iter().map(size).collect()
}

/// The storage of an identifier: the word `storage`, the type, the file, the device and the count.
fn storage(id: Value) -> Result<Value> {
    let unknown = || unreadable("it refers to data in a way that is not known");
    let Value::Tuple(_, id) = id else { return Err(unknown()) };
    match &id[..] {
        [Value::Text(word), Value::Name(Name::Storage(element)), Value::Text(file), Value::Text(_), Value::Int(count)]
            if word.as_ref() == "storage" =>
        {
            let count = u64::try_from(*count).map_err(|_| unknown())?;
            Ok(Value::Storage(Rc::new(Storage { element: *element, file: file.clone(), count })))
        }
        _ => Err(unknown()),
    }
}
