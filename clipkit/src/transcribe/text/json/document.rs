//! A JSON value that was read with attention to names that an object has twice.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::shapes::is_name_of_text;
use crate::transcribe::words::count_words;

/// A value. Of several values of one name, the last counts, as everywhere.
pub(super) struct Document {
    pub(super) value: Value,
    /// How many words of texts were replaced by a later value of the same name.
    pub(super) replaced: usize,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let replaced = Cell::new(0);
        let value = Seed(&replaced).deserialize(deserializer)?;
        Ok(Document { value, replaced: replaced.get() })
    }
}

#[derive(Clone, Copy)]
struct Seed<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(self)?;
            if let Some(before) = object.get(&name) {
                self.0.set(self.0.get() + words(&name, before));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// How many words the texts of a field have.
fn words(name: &str, value: &Value) -> usize {
    match value {
        Value::String(text) if is_name_of_text(name) => count_words(text),
        Value::Array(items) => items.iter().map(|item| words(name, item)).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| words(name, value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_replaced_is_counted() {
        let text = r#"{"a": [{"text": "one two", "id": "x y", "text": "three", "start": 1.5, "end": -2}, null, true], "b": 3}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        assert_eq!(document.value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(document.replaced, 2);
        let lists = r#"{"words": [{"word": "a"}, {"word": "b"}], "words": []}"#;
        assert_eq!(serde_json::from_str::<Document>(lists).unwrap().replaced, 2);
    }
}
