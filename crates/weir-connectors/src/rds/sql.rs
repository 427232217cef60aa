//! The statements of a look-up. Names are always quoted and values always parameters.

use super::address::Dialect;
use super::key::KeyForm;

/// A table as it is called in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableSql {
    pub dialect: Dialect,
    /// The parts of its name.
    pub name: Vec<String>,
    /// Its columns.
    pub columns: Vec<String>,
}

impl TableSql {
    /// Returns a statement whose columns are all columns of the table; it is prepared, not run.
    pub fn describe(&self) -> String {
        format!("SELECT * FROM {}", self.quoted_name())
    }

    /// Returns the look-up for PostgreSQL: one array of texts for each key column, whatever the number of keys.
    pub fn select_by_arrays(&self, keys: &[(usize, KeyForm)]) -> String {
        let arrays: Vec<String> = keys
            .iter()
            .zip(1..)
            .map(|((_, form), number)| match form.postgres_type() {
                "text" => format!("${number}::text[]"),
                other => format!("${number}::text[]::{other}[]"),
            })
            .collect();
        let condition = match (keys, arrays.as_slice()) {
            ([(column, form)], [array]) => format!("{} = ANY({array})", self.compared(*column, form)),
            _ => {
                let columns = self.compared_list(keys);
                format!("({columns}) IN (SELECT * FROM UNNEST({}))", arrays.join(", "))
            }
        };
        format!("{} WHERE {condition}", self.select())
    }

    /// Returns the look-up for MySQL of a number of keys.
    pub fn select_by_values(&self, keys: &[(usize, KeyForm)], count: usize) -> String {
        let places: Vec<String> = keys.iter().map(|(_, form)| form.mysql_place()).collect();
        let (columns, row) = match (keys, places.as_slice()) {
            ([(column, form)], [place]) => (self.compared(*column, form), place.clone()),
            _ => (format!("({})", self.compared_list(keys)), format!("({})", places.join(", "))),
        };
        format!("{} WHERE {columns} IN ({})", self.select(), vec![row; count].join(", "))
    }

    fn select(&self) -> String {
        let columns: Vec<String> = (0..self.columns.len()).map(|column| self.text_of(column)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.quoted_name())
    }

    fn compared_list(&self, keys: &[(usize, KeyForm)]) -> String {
        keys.iter().map(|(column, form)| self.compared(*column, form)).collect::<Vec<_>>().join(", ")
    }

    fn compared(&self, column: usize, form: &KeyForm) -> String {
        match form.by_text() {
            true => self.text_of(column),
            false => self.quoted(&self.columns[column]),
        }
    }

    fn text_of(&self, column: usize) -> String {
        let name = self.quoted(&self.columns[column]);
        match self.dialect {
            Dialect::PostgreSql => format!("{name}::text"),
            Dialect::MySql => format!("CAST({name} AS CHAR)"),
        }
    }

    fn quoted_name(&self) -> String {
        self.name.iter().map(|part| self.quoted(part)).collect::<Vec<_>>().join(".")
    }

    fn quoted(&self, name: &str) -> String {
        match self.dialect {
            Dialect::PostgreSql => format!("\"{}\"", name.replace('"', "\"\"")),
            Dialect::MySql => format!("`{}`", name.replace('`', "``")),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::super::key::Kind;
    use super::*;

    fn table(dialect: Dialect) -> TableSql {
        let text = str::to_string;
        TableSql { dialect, name: vec![text("s"), text("t\"`")], columns: vec![text("a"), text("B")] }
    }

    fn key(dialect: Dialect, column: usize, declared: DataType, kind: Kind) -> (usize, KeyForm) {
        (column, KeyForm::new(dialect, &declared, kind).unwrap())
    }

    #[test]
    fn postgresql() {
        let (dialect, table) = (Dialect::PostgreSql, table(Dialect::PostgreSql));
        let (text, number) =
            (key(dialect, 0, DataType::Utf8, Kind::Text), key(dialect, 1, DataType::Int64, Kind::Number));
        assert_eq!(table.describe(), r#"SELECT * FROM "s"."t""`""#);
        assert_eq!(
            table.select_by_arrays(std::slice::from_ref(&number)),
            r#"SELECT "a"::text, "B"::text FROM "s"."t""`" WHERE "B" = ANY($1::text[]::int8[])"#
        );
        assert_eq!(
            table.select_by_arrays(&[text, number]),
            r#"SELECT "a"::text, "B"::text FROM "s"."t""`" WHERE ("a", "B") IN (SELECT * FROM UNNEST($1::text[], $2::text[]::int8[]))"#
        );
        assert_eq!(
            table.select_by_arrays(&[key(dialect, 0, DataType::Utf8, Kind::Other)]),
            r#"SELECT "a"::text, "B"::text FROM "s"."t""`" WHERE "a"::text = ANY($1::text[])"#
        );
    }

    #[test]
    fn mysql() {
        let (dialect, table) = (Dialect::MySql, table(Dialect::MySql));
        let (text, date) =
            (key(dialect, 0, DataType::Utf8, Kind::Text), key(dialect, 1, DataType::Date32, Kind::Date));
        assert_eq!(
            table.select_by_values(std::slice::from_ref(&text), 2),
            "SELECT CAST(`a` AS CHAR), CAST(`B` AS CHAR) FROM `s`.`t\"``` WHERE `a` IN (?, ?)"
        );
        assert_eq!(
            table.select_by_values(&[text, date], 2),
            "SELECT CAST(`a` AS CHAR), CAST(`B` AS CHAR) FROM `s`.`t\"``` WHERE (`a`, `B`) IN ((?, CAST(? AS DATE)), (?, CAST(? AS DATE)))"
        );
    }
}
