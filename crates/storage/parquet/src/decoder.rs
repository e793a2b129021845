//! The rows of one column of a row group, in order.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::ColumnDescriptor;

use crate::bits::Validity;
use crate::codec::Codec;
use crate::error::{Error, corrupt};
use crate::kinds::{self, reads};
use crate::page::{Page, Pages, Room, Rows};
use crate::values::Values;

/// What a page may hold whatever the footer says of the whole column: some writers miscount.
const ALWAYS: usize = 16 << 20;

/// Decodes the rows of one column of a row group, from the first to the last.
#[derive(Debug)]
pub struct ColumnDecoder {
    pages: Pages,
    values: Box<dyn Values>,
    /// Whether arrays have the dictionary even if they have no value of it.
    shows_dictionary: bool,
    page: Option<Page>,
    /// How many rows have not been read or passed.
    left: usize,
    room: Room,
    /// Wanted rows of one page, counted from where reading goes on in it.
    wanted: Vec<u32>,
}

impl ColumnDecoder {
    /// A decoder before the first row. `bytes` is the whole chunk: [`ColumnChunkMetaData::byte_range`].
    ///
    /// # Errors
    /// The column is not one that [`reads`] accepts.
    pub fn new(
        bytes: Bytes,
        column: &ColumnDescriptor,
        chunk: &ColumnChunkMetaData,
        data_type: &DataType,
    ) -> Result<Self, Error> {
        let values = kinds::values(column, data_type).filter(|_| reads(column, chunk, data_type));
        let Some(values) = values else {
            return Err(Error::Unsupported(format!("Column {} is not read as {data_type} here", column.path())));
        };
        let codec = Codec::of(chunk.compression())?;
        let count = |number: i64| usize::try_from(number).map_err(|_| corrupt("A column has a negative size"));
        let most = count(chunk.uncompressed_size())?.max(ALWAYS);
        let (is_optional, is_boolean) = (column.max_def_level() == 1, column.physical_type() == Type::BOOLEAN);
        Ok(Self {
            pages: Pages::new(bytes, codec, most, is_optional, is_boolean),
            values,
            shows_dictionary: matches!(data_type, DataType::Dictionary(..)),
            page: None,
            left: count(chunk.num_values())?,
            room: Room::default(),
            wanted: Vec::new(),
        })
    }

    /// Of the next `rows` rows those that `wanted` names (ascending positions below `rows`), or all. Moves behind all `rows`.
    ///
    /// # Errors
    /// The bytes make no sense, there are fewer rows, or `wanted` is not as it must be. After an error nothing can be read.
    pub fn read(&mut self, rows: usize, wanted: Option<&[u32]>) -> Result<ArrayRef, Error> {
        if wanted.is_some_and(|wanted| !is_inside(wanted, rows)) {
            return Err(Error::Unsupported("Wanted rows are not in order, or outside of what is read".to_owned()));
        }
        self.take(rows)?;
        self.values.begin(wanted.map_or(rows, <[u32]>::len));
        if self.shows_dictionary {
            self.page(rows)?;
            self.pages.read_dictionary(self.values.as_mut())?;
        }
        let (mut done, mut wanted, mut validity) = (0, wanted, Validity::default());
        while done < rows {
            let now = self.page(rows - done)?;
            let here = match &mut wanted {
                None => None,
                Some(wanted) => {
                    let (here, rest) = wanted.split_at(wanted.partition_point(|row| (*row as usize) < done + now));
                    *wanted = rest;
                    Some(here)
                }
            };
            match here {
                Some([]) => self.pass(now),
                here => self.read_page(now, here, done, &mut validity)?,
            }
            done += now;
        }
        self.values.finish(validity.finish())
    }

    /// Passes over rows. Pages of which nothing is wanted are not decompressed.
    ///
    /// # Errors
    /// The bytes make no sense, or there are fewer rows. After an error nothing can be read.
    pub fn skip(&mut self, rows: usize) -> Result<(), Error> {
        self.take(rows)?;
        let mut left = rows;
        while left > 0 {
            let now = self.page(left)?;
            self.pass(now);
            left -= now;
        }
        Ok(())
    }

    fn take(&mut self, rows: usize) -> Result<(), Error> {
        let missing = || corrupt("A column has fewer rows than are asked for");
        self.left = self.left.checked_sub(rows).ok_or_else(missing)?;
        Ok(())
    }

    /// Goes to the page of the next row; says how many of the next `most` rows are in it.
    fn page(&mut self, most: usize) -> Result<usize, Error> {
        loop {
            match &self.page {
                Some(page) if page.left > 0 => return Ok(most.min(page.left)),
                _ if most == 0 => return Ok(0),
                _ => {}
            }
            if let Some(done) = self.page.take() {
                self.pages.close(done);
            }
            let next = self.pages.next()?;
            self.page = Some(next.ok_or_else(|| corrupt("A column has fewer rows than its footer says"))?);
        }
    }

    fn pass(&mut self, rows: usize) {
        if let Some(page) = &mut self.page {
            page.pass(rows);
        }
    }

    /// Reads rows of the page; `wanted` counts from `done` rows before.
    fn read_page(
        &mut self,
        rows: usize,
        wanted: Option<&[u32]>,
        done: usize,
        validity: &mut Validity,
    ) -> Result<(), Error> {
        let Self { page: Some(page), pages, values, room, .. } = self else {
            return Err(corrupt("A column has fewer rows than its footer says"));
        };
        pages.open(page, values.as_mut())?;
        let wanted = match wanted {
            Some(wanted) if done > 0 => {
                self.wanted.clear();
                self.wanted.extend(wanted.iter().map(|row| row - done as u32));
                Some(&self.wanted[..])
            }
            wanted => wanted,
        };
        match page.read(rows, wanted, values.as_mut(), room)? {
            Rows::All(count) => validity.push_valid(count),
            Rows::Some(bits) => validity.extend(bits),
        }
        Ok(())
    }
}

/// Whether places are in order, each once, and below `rows`.
fn is_inside(wanted: &[u32], rows: usize) -> bool {
    let pairs = wanted.iter().zip(wanted.get(1..).unwrap_or_default());
    // Counted to the end, as several pairs are looked at together then.
    pairs.filter(|(place, next)| place >= next).count() == 0
        && wanted.last().is_none_or(|place| (*place as usize) < rows)
}
