//! The calendar: days, weeks and months of a moment.

const DAY: i64 = 86_400_000;

/// Days from 1970-01-01 to the day of a month; months count from 0 and may lie outside the year.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year + month.div_euclid(12);
    let month = month.rem_euclid(12) + 1;
    // Years that begin in March end with the leap day.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468 + (day - 1)
}

/// A moment in UTC, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    millis: i64,
    pub(super) year: i64,
    /// From 0.
    pub(super) month: i64,
    pub(super) day: i64,
}

/// A month of a year, from 0; months may lie outside the year.
fn month_start(year: i64, month: i64) -> i64 {
    days_of(year, month, 1) * DAY
}

/// Where the week starts that most of the first days of a month or year belong to.
fn first_week(year: i64, month: i64) -> i64 {
    let first = month_start(year, month);
    let weekday = weekday(first.div_euclid(DAY));
    if weekday > 4 { first + (8 - weekday) * DAY } else { first - (weekday - 1) * DAY }
}

/// 1 is Monday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

impl Moment {
    pub(super) fn of(millis: i64) -> Self {
        let days = millis.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 2 } else { shifted - 10 };
        let year = era * 400 + year + i64::from(month < 2);
        Self { millis, year, month, day }
    }

    fn today(&self) -> i64 {
        self.millis.div_euclid(DAY) * DAY
    }

    /// The number that a component of a picture has.
    pub(super) fn component(&self, component: char) -> Option<i64> {
        let time = self.millis.rem_euclid(DAY);
        Some(match component {
            'Y' => self.year,
            'M' => self.month + 1,
            'D' => self.day,
            'd' => (self.today() - month_start(self.year, 0)) / DAY + 1,
            'F' => weekday(self.millis.div_euclid(DAY)),
            'W' => self.week((self.year, 0), (self.year + 1, 0), (self.year - 1, 0), 52),
            'w' => {
                let (year, month) = (self.year, self.month);
                self.week((year, month), (year, month + 1), (year, month - 1), 4)
            }
            'X' => self.year + self.shift((self.year, 0), (self.year + 1, 0)),
            'x' => {
                let shift = self.shift((self.year, self.month), (self.year, self.month + 1));
                (self.month + shift).rem_euclid(12) + 1
            }
            'H' => time / 3_600_000,
            'h' => match time / 3_600_000 % 12 {
                0 => 12,
                hour => hour,
            },
            'm' => time / 60_000 % 60,
            's' => time / 1000 % 60,
            'f' => time % 1000,
            _ => return None,
        })
    }

    pub(super) fn is_afternoon(&self) -> bool {
        self.millis.rem_euclid(DAY) >= DAY / 2
    }

    /// The week of a year or a month, of which there are `most` at least.
    fn week(&self, this: (i64, i64), following: (i64, i64), previous: (i64, i64), most: i64) -> i64 {
        let today = self.today();
        let since = |(year, month): (i64, i64)| (today - first_week(year, month)).div_euclid(7 * DAY) + 1;
        let week = since(this);
        if week > most && today >= first_week(following.0, following.1) {
            1
        } else if week < 1 {
            since(previous)
        } else {
            week
        }
    }

    /// Whether the moment's week belongs to the year or month before (-1) or after (1).
    fn shift(&self, this: (i64, i64), following: (i64, i64)) -> i64 {
        if self.millis < first_week(this.0, this.1) {
            -1
        } else {
            i64::from(self.millis >= first_week(following.0, following.1))
        }
    }
}
