//! How what is remembered of a backup is packed: numbers and texts one after the other, little-endian, nothing named. A listing of
//! very many backups spends its time on this, and JSON took three times as long.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::facts::{Facts, Made};
use super::{Checked, LastRestore, Listed, Verdict};
use crate::labels::Pin;
use crate::manifest::{Kind, Level, Type};

/// Writes values one after the other.
#[derive(Debug, Default)]
pub(super) struct Pack(pub(super) Vec<u8>);

impl Pack {
    pub(super) fn number(&mut self, number: u64) {
        // Seven bits a byte, the lowest first: most numbers are small.
        let mut left = number;
        while left >= 0x80 {
            self.0.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn time(&mut self, time: DateTime<Utc>) {
        self.signed(time.timestamp_millis());
    }

    pub(super) fn some<T>(&mut self, value: Option<T>, pack: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            pack(self, value);
        }
    }

    fn each<T>(&mut self, values: impl ExactSizeIterator<Item = T>, mut pack: impl FnMut(&mut Self, T)) {
        self.number(values.len() as u64);
        values.for_each(|value| pack(self, value));
    }

    pub(super) fn listed(&mut self, listed: &Listed) {
        self.some(listed.environment.as_deref(), Pack::text);
        self.some(listed.created_at, Pack::time);
        self.some(listed.kind, Pack::kind);
        self.some(listed.backup_type, |pack, one| pack.0.push(position(&TYPES, &one)));
        self.some(listed.parent.as_deref(), Pack::text);
        self.some(listed.database.as_deref(), Pack::text);
        for number in [listed.stored_bytes, listed.plain_bytes, listed.rows, listed.made_ms] {
            self.some(number, Pack::number);
        }
        self.some(listed.verified, Pack::level);
        self.some(listed.checked.as_ref(), |pack, checked| {
            pack.time(checked.at);
            pack.level(checked.level);
            pack.flag(checked.passed);
        });
        self.some(listed.restored.as_ref(), |pack, restored| {
            pack.time(restored.at);
            pack.number(restored.restore_ms);
        });
        self.flag(listed.is_damaged);
        self.each(listed.tags.iter(), |pack, tag| pack.text(tag));
        self.some(listed.pin.as_ref(), |pack, pin| {
            pack.time(pin.at);
            pack.text(&pin.user);
            pack.some(pin.reason.as_deref(), Pack::text);
        });
        self.some(listed.reason.as_deref(), Pack::text);
        self.some(listed.problem.as_deref(), Pack::text);
        self.0.push(position(&Verdict::ALL, &listed.verdict));
    }

    pub(super) fn facts(&mut self, facts: &Facts) {
        self.text(&facts.environment);
        self.kind(facts.kind);
        self.text(&facts.content);
        self.time(facts.created_at);
        self.number(facts.stored_bytes);
        self.number(facts.plain_bytes);
        self.each(facts.amounts.iter(), |pack, (what, amount)| {
            pack.text(what);
            pack.number(*amount);
        });
        self.0.push(position(&MADES, &facts.made));
        for flag in [facts.is_protected, facts.is_damaged, facts.has_placeholder, facts.is_pinned, facts.is_ours] {
            self.flag(flag);
        }
        self.each(facts.files.iter(), |pack, (name, bytes)| {
            pack.text(name);
            pack.number(*bytes);
        });
        self.each(facts.needs.iter(), |pack, id| pack.text(id));
    }

    fn kind(&mut self, kind: Kind) {
        self.0.push(position(&KINDS, &kind));
    }

    fn level(&mut self, level: Level) {
        self.0.push(position(&Level::ALL, &level));
    }
}

const KINDS: [Kind; 4] = [Kind::Db, Kind::Full, Kind::Migration, Kind::Safety];
const TYPES: [Type; 3] = [Type::Full, Type::Incremental, Type::Differential];
const MADES: [Made; 4] = [Made::Corrupt, Made::Incomplete, Made::Unproven, Made::Proven];

fn position<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

/// Reads values off the front; none where they are not there.
pub(super) struct Packed<'a>(pub(super) &'a [u8]);

impl<'a> Packed<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn count(&mut self) -> Option<usize> {
        // Each takes at least a byte: what a count says makes nobody reserve more than there is.
        self.number().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= self.0.len())
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_le_bytes)
    }

    pub(super) fn str(&mut self) -> Option<&'a str> {
        let count = self.count()?;
        std::str::from_utf8(self.take(count)?).ok()
    }

    fn text(&mut self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.signed()?)
    }

    pub(super) fn some<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(self.byte()?)).copied()
    }

    /// What a listing shows; its id and its place stand elsewhere.
    pub(super) fn listed(&mut self, id: &str, place: &str) -> Option<Listed> {
        Some(Listed {
            id: id.to_owned(),
            place: place.to_owned(),
            environment: self.some(Packed::text)?,
            created_at: self.some(Packed::time)?,
            kind: self.some(|packed| packed.one_of(&KINDS))?,
            backup_type: self.some(|packed| packed.one_of(&TYPES))?,
            parent: self.some(Packed::text)?,
            database: self.some(Packed::text)?,
            stored_bytes: self.some(Packed::number)?,
            plain_bytes: self.some(Packed::number)?,
            rows: self.some(Packed::number)?,
            made_ms: self.some(Packed::number)?,
            verified: self.some(|packed| packed.one_of(&Level::ALL))?,
            checked: self
                .some(|packed| Some(Checked { at: packed.time()?, level: packed.one_of(&Level::ALL)?, passed: packed.flag()? }))?,
            restored: self.some(|packed| Some(LastRestore { at: packed.time()?, restore_ms: packed.number()? }))?,
            is_damaged: self.flag()?,
            tags: (0..self.count()?).map(|_| self.text()).collect::<Option<_>>()?,
            pin: self.some(|packed| Some(Pin { at: packed.time()?, user: packed.text()?, reason: packed.some(Packed::text)? }))?,
            reason: self.some(Packed::text)?,
            problem: self.some(Packed::text)?,
            verdict: self.one_of(&Verdict::ALL)?,
        })
    }

    pub(super) fn facts(&mut self, id: &str) -> Option<Facts> {
        Some(Facts {
            id: id.to_owned(),
            environment: self.text()?,
            kind: self.one_of(&KINDS)?,
            content: self.text()?,
            created_at: self.time()?,
            stored_bytes: self.number()?,
            plain_bytes: self.number()?,
            amounts: (0..self.count()?).map(|_| Some((self.text()?, self.number()?))).collect::<Option<_>>()?,
            made: self.one_of(&MADES)?,
            is_protected: self.flag()?,
            is_damaged: self.flag()?,
            has_placeholder: self.flag()?,
            is_pinned: self.flag()?,
            unknown: None,
            is_ours: self.flag()?,
            files: (0..self.count()?).map(|_| Some((self.text()?, self.number()?))).collect::<Option<_>>()?,
            needs: (0..self.count()?).map(|_| self.text()).collect::<Option<BTreeSet<_>>>()?,
            has_its_sizes: false,
        })
    }
}
