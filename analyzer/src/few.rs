//! A list that is nearly always short.

use std::ops::Deref;

/// A list whose first `N` items need no memory of their own; what is longer moves to the heap as a whole. There is no limit to it.
///
/// Every event that is read has several of them. `smallvec` would do, but ties a list to exactly the lifetime of the texts
/// in it, and with it everything that holds an event.
#[derive(Debug, Clone)]
pub struct Few<T, const N: usize> {
    items: [T; N],
    length: usize,
    /// All of them, once there are more than `N`.
    many: Vec<T>,
}

impl<T: Default, const N: usize> Few<T, N> {
    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        if let Some(place) = self.items.get_mut(self.length).filter(|_| self.many.is_empty()) {
            *place = item;
            self.length += 1;
            return;
        }
        if self.many.is_empty() {
            self.many.extend(self.items.iter_mut().map(std::mem::take));
        }
        self.many.push(item);
    }

    /// Takes the last item away.
    pub fn pop(&mut self) -> Option<T> {
        if let Some(item) = self.many.pop() {
            if self.many.is_empty() {
                self.length = 0;
            }
            return Some(item);
        }
        self.length = self.length.checked_sub(1)?;
        self.items.get_mut(self.length).map(std::mem::take)
    }
}

impl<T: Default, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self { items: std::array::from_fn(|_| T::default()), length: 0, many: Vec::new() }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.many.is_empty() { self.items.get(..self.length).unwrap_or_default() } else { &self.many }
    }
}

impl<T: Default, const N: usize> Extend<T> for Few<T, N> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T: Default, const N: usize> FromIterator<T> for Few<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut few = Self::default();
        few.extend(items);
        few
    }
}

impl<'f, T, const N: usize> IntoIterator for &'f Few<T, N> {
    type Item = &'f T;
    type IntoIter = std::slice::Iter<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Few<T, N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for Few<T, N> {}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn it_is_a_list_however_long() {
        for length in 0..7 {
            let mut list: Vec<String> = (0..length).map(|number| number.to_string()).collect();
            let mut few: Few<String, 3> = list.iter().cloned().collect();
            for more in ["x", "y", "z"] {
                assert_eq!(*few, *list);
                few.push(more.to_owned());
                list.push(more.to_owned());
            }
            for _ in 0..length + 4 {
                assert_eq!((few.pop(), few.len()), (list.pop(), list.len()));
                assert_eq!(few, list.iter().cloned().collect());
            }
            few.push("again".to_owned());
            assert_eq!(*few, ["again"]);
        }
    }
}
