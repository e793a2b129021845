//! The pages of a column, opened when one of their rows is wanted.

use std::ops::{Deref, Range};

use bytes::Bytes;

use crate::bits::Bits;
use crate::codec::Codec;
use crate::error::{Error, corrupt};
use crate::header::{Content, Encoding, Header};
use crate::levels::Levels;
use crate::runs::{Numbers, Runs, Scratch};
use crate::values::Values;

/// A chunk's bytes and a place in them.
#[derive(Debug)]
pub(crate) struct Pages {
    bytes: Bytes,
    at: usize,
    codec: Codec,
    /// The most that a page may hold.
    most: usize,
    /// Whether rows may have no value.
    is_optional: bool,
    /// Whether values are single bits.
    is_boolean: bool,
    /// The buffer of the page before, to be used again.
    spare: Vec<u8>,
    dictionary: Place,
}

/// Where the dictionary is.
#[derive(Debug)]
enum Place {
    None,
    /// It has not been needed yet.
    Ahead(Dictionary),
    Read,
}

/// A dictionary that has not been read yet.
#[derive(Debug)]
struct Dictionary {
    values: usize,
    body: Range<usize>,
    uncompressed: usize,
}

impl Pages {
    pub(crate) fn new(bytes: Bytes, codec: Codec, most: usize, is_optional: bool, is_boolean: bool) -> Self {
        Self { bytes, at: 0, codec, most, is_optional, is_boolean, spare: Vec::new(), dictionary: Place::None }
    }

    /// The next page of data. A dictionary before it is kept until it is needed.
    pub(crate) fn next(&mut self) -> Result<Option<Page>, Error> {
        while self.at < self.bytes.len() {
            let (header, length) = Header::parse(&self.bytes[self.at..])?;
            let body = self.at + length..self.at + length + header.compressed;
            if body.end > self.bytes.len() {
                return Err(corrupt("A page is cut off"));
            }
            if header.uncompressed > self.most {
                return Err(corrupt("A page is larger than its column"));
            }
            self.at = body.end;
            match header.content {
                Content::Other => {}
                Content::Dictionary { values } => {
                    if !matches!(self.dictionary, Place::None) {
                        return Err(corrupt("A column has two dictionaries"));
                    }
                    self.dictionary = Place::Ahead(Dictionary { values, body, uncompressed: header.uncompressed });
                }
                Content::Data { values, .. } | Content::DataV2 { values, .. } => {
                    return Ok(Some(Page { left: values, pending: 0, header, body, open: None }));
                }
            }
        }
        Ok(None)
    }

    /// Gives the values their dictionary, if there is one and they have not got it.
    pub(crate) fn read_dictionary(&mut self, values: &mut dyn Values) -> Result<(), Error> {
        let Place::Ahead(dictionary) = &self.dictionary else { return Ok(()) };
        let (body, count, uncompressed) = (dictionary.body.clone(), dictionary.values, dictionary.uncompressed);
        let data = self.data(body, true, uncompressed)?;
        values.dictionary(&data, count)?;
        self.dictionary = Place::Read;
        self.recycle(data);
        Ok(())
    }

    fn data(&mut self, body: Range<usize>, is_compressed: bool, uncompressed: usize) -> Result<Data, Error> {
        if matches!(self.codec, Codec::None) || !is_compressed {
            return match body.len() == uncompressed {
                true => Ok(Data::Shared(self.bytes.slice(body))),
                false => Err(corrupt("A page is not as long as its header says")),
            };
        }
        let mut out = std::mem::take(&mut self.spare);
        // Nothing may be compressed to nothing.
        if body.is_empty() && uncompressed == 0 {
            out.clear();
            return Ok(Data::Own(out));
        }
        self.codec.decompress(&self.bytes[body], uncompressed, &mut out)?;
        Ok(Data::Own(out))
    }

    fn recycle(&mut self, data: Data) {
        if let Data::Own(buffer) = data {
            self.spare = buffer;
        }
    }

    /// Keeps what can be used again of a page that is done.
    pub(crate) fn close(&mut self, page: Page) {
        if let Some(open) = page.open {
            self.recycle(open.data);
        }
    }

    /// Decompresses a page, and the dictionary if the page needs it.
    pub(crate) fn open(&mut self, page: &mut Page, values: &mut dyn Values) -> Result<(), Error> {
        if page.open.is_some() {
            return Ok(());
        }
        if page.needs_dictionary() {
            self.read_dictionary(values)?;
        }
        let opened = match page.header.content {
            Content::Data { values, encoding, levels } => {
                let data = self.data(page.body.clone(), true, page.header.uncompressed)?;
                let (levels, begin) = match self.is_optional {
                    true => Levels::split(&data, values, levels).map(|(levels, length)| (Some(levels), length))?,
                    false => (None, 0),
                };
                self.opened(data, levels, encoding, begin)?
            }
            Content::DataV2 { encoding, definition, repetition, is_compressed, .. } => {
                let (body, before) = (page.body.clone(), definition.saturating_add(repetition));
                let uncompressed = page.header.uncompressed.checked_sub(before);
                let (true, Some(uncompressed)) = (before <= body.len(), uncompressed) else {
                    return Err(corrupt("A page's levels are cut off"));
                };
                let data = self.data(body.start + before..body.end, is_compressed, uncompressed)?;
                let definition = body.start + repetition..body.start + before;
                // Without levels all rows have a value.
                let has_levels = self.is_optional && !definition.is_empty();
                let levels = has_levels.then(|| Levels::runs(&self.bytes[definition]));
                self.opened(data, levels, encoding, 0)?
            }
            Content::Dictionary { .. } | Content::Other => return Err(corrupt("A page has no data")),
        };
        page.open = Some(opened);
        Ok(())
    }

    fn opened(&self, data: Data, levels: Option<Levels>, encoding: Encoding, begin: usize) -> Result<Open, Error> {
        let coded = match encoding {
            Encoding::Plain if self.is_boolean => Coded::Numbers(Runs::packed_bits(&data, begin)),
            Encoding::Plain => Coded::Plain(begin),
            Encoding::Rle if self.is_boolean => Coded::Numbers(Runs::new(begin + 4, 1)),
            Encoding::Dictionary if !self.is_boolean => match data.get(begin) {
                // Without a single value there may be no width either.
                None => Coded::Numbers(Runs::new(begin, 0)),
                Some(width @ 0..=32) => Coded::Numbers(Runs::new(begin + 1, u32::from(*width))),
                Some(width) => return Err(corrupt(format!("A page has numbers of {width} bits"))),
            },
            other => return Err(Error::Unsupported(format!("Values written as {other:?} are not read"))),
        };
        Ok(Open { data, levels, coded })
    }
}

/// A page and a place in it.
#[derive(Debug)]
pub(crate) struct Page {
    /// How many rows have not been read or passed.
    pub(crate) left: usize,
    /// How many rows were passed since something was read.
    pending: usize,
    header: Header,
    body: Range<usize>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    data: Data,
    levels: Option<Levels>,
    coded: Coded,
}

#[derive(Debug)]
enum Data {
    Shared(Bytes),
    Own(Vec<u8>),
}

impl Deref for Data {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}

/// How the values of a page are written, and the place of the next.
#[derive(Debug)]
enum Coded {
    Plain(usize),
    /// Places in a dictionary, or bits.
    Numbers(Runs),
}

/// What decoding needs room for.
#[derive(Debug, Default)]
pub(crate) struct Room {
    numbers: Scratch,
    levels: Bits,
    chosen: Bits,
    ranks: Vec<u32>,
    places: Vec<u32>,
}

/// Which of the rows that were asked for have a value.
pub(crate) enum Rows<'a> {
    All(usize),
    Some(&'a Bits),
}

impl Page {
    /// Passes over rows, which costs nothing yet.
    pub(crate) fn pass(&mut self, rows: usize) {
        self.left -= rows;
        self.pending += rows;
    }

    /// Whether the page's values are places in the dictionary.
    fn needs_dictionary(&self) -> bool {
        match &self.header.content {
            Content::Data { encoding, .. } | Content::DataV2 { encoding, .. } => *encoding == Encoding::Dictionary,
            Content::Dictionary { .. } | Content::Other => false,
        }
    }

    /// Appends the next rows, or those of them that are wanted, to `values`. The page is open.
    pub(crate) fn read<'a>(
        &mut self,
        rows: usize,
        wanted: Option<&[u32]>,
        values: &mut dyn Values,
        room: &'a mut Room,
    ) -> Result<Rows<'a>, Error> {
        let open = self.open.as_mut().ok_or_else(|| corrupt("A page is not open"))?;
        open.skip(std::mem::take(&mut self.pending), values, room)?;
        self.left -= rows;
        let count = wanted.map_or(rows, <[u32]>::len);
        let Some(levels) = &mut open.levels else {
            open.values(rows, wanted, values, &mut room.numbers)?;
            return Ok(Rows::All(count));
        };
        let valid = match levels.pass_valid(rows)? {
            true => rows,
            false => levels.take(rows, &mut room.levels)?,
        };
        if valid == rows {
            open.values(rows, wanted, values, &mut room.numbers)?;
            return Ok(Rows::All(count));
        }
        let Some(wanted) = wanted else {
            open.values(valid, None, values, &mut room.numbers)?;
            values.spread(&room.levels, valid);
            return Ok(Rows::Some(&room.levels));
        };
        room.choose(wanted);
        open.values(valid, Some(&room.places), values, &mut room.numbers)?;
        values.spread(&room.chosen, room.places.len());
        Ok(Rows::Some(&room.chosen))
    }
}

impl Room {
    /// Of the wanted rows, which have a value, and which of the values these are.
    fn choose(&mut self, wanted: &[u32]) {
        self.levels.ranks(&mut self.ranks);
        self.chosen.clear();
        self.places.clear();
        for row in wanted {
            let row = *row as usize;
            let valid = self.levels.get(row);
            self.chosen.push(u64::from(valid), 1);
            if valid {
                self.places.push(self.levels.rank(&self.ranks, row));
            }
        }
    }
}

impl Open {
    fn skip(&mut self, rows: usize, values: &mut dyn Values, room: &mut Room) -> Result<(), Error> {
        if rows == 0 {
            return Ok(());
        }
        let valid = match &mut self.levels {
            None => rows,
            Some(levels) => match levels.pass_valid(rows)? {
                true => rows,
                false => levels.take(rows, &mut room.levels)?,
            },
        };
        self.values(valid, Some(&[]), values, &mut room.numbers)
    }

    fn values(
        &mut self,
        count: usize,
        wanted: Option<&[u32]>,
        values: &mut dyn Values,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        match &mut self.coded {
            _ if count == 0 => Ok(()),
            Coded::Plain(at) => values.plain(&self.data, at, count, wanted),
            Coded::Numbers(runs) => runs.numbers(&self.data, count, wanted, scratch, |numbers| match numbers {
                Numbers::Same(place, times) => values.repeat(place, times),
                Numbers::Each(places) => values.gather(places),
            }),
        }
    }
}
