//! Matches the columns of a query to those of the stream that it fills.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_expr::{LogicalPlan, Projection};
use weir_functions::conversion::type_name;

use super::bound::TimeAttribute;
use super::convert::assign;
use super::query::{Output, Planner};
use super::refuse::{Checked, Place, did_you_mean, hinted};
use crate::syntax::ast::Name;
use crate::{Target, TempStream};

impl Planner<'_> {
    /// Finds the stream that an INSERT fills.
    pub(super) fn target(&self, name: &Name) -> Checked<Target> {
        let place = Place { position: name.position, length: name.length };
        let is = |own: &str| own.eq_ignore_ascii_case(&name.value);
        if let Some(index) = self.streams.sinks.iter().position(|sink| is(&sink.name)) {
            return Ok(Target::Sink(index));
        }
        if let Some(index) = self.streams.temps.iter().position(|temp| is(&temp.name)) {
            return Ok(Target::Temp(index));
        }
        if self.streams.sources.iter().any(|source| is(&source.name)) {
            let error = place.refuse(format!("`{}` is a source stream; it cannot be written", name.value));
            return Err(hinted(error, Some("rows go into a sink stream or a temp stream".to_string())));
        }
        if self.streams.tables.iter().any(|table| is(&table.name)) {
            let error = place.refuse(format!("`{}` is a dimension table; it cannot be written", name.value));
            return Err(hinted(error, Some("rows go into a sink stream or a temp stream".to_string())));
        }
        let known = self.streams.sinks.iter().map(|sink| sink.name.as_str());
        let known = known.chain(self.streams.temps.iter().map(|temp| temp.name.as_str()));
        let error = place.refuse(format!("stream `{}` is not declared before this statement", name.value));
        Err(hinted(error, did_you_mean(&name.value, known)))
    }

    /// Converts the columns of a query to those of the target, by position.
    pub(super) fn fill(&self, target: Target, name: &Name, mut output: Output) -> Checked<LogicalPlan> {
        let (declared, temp): (&SchemaRef, Option<&TempStream>) = match target {
            Target::Sink(index) => (&self.streams.sinks[index].schema, None),
            Target::Temp(index) => (&self.streams.temps[index].declared, Some(&self.streams.temps[index])),
        };
        let (given, wanted) = (output.columns.len(), declared.fields().len());
        let extra = temp.is_some_and(|temp| temp.time.proctime) && given == wanted + 1;
        if extra {
            output.columns.truncate(wanted);
        } else if given != wanted {
            let place = output.columns.get(wanted).map_or(self.place, |column| column.place);
            let columns =
                |count: usize| if count == 1 { "1 column".to_string() } else { format!("{count} columns") };
            let text = format!("stream `{}` has {}, the query has {given}", name.value, columns(wanted));
            const SHOWN: usize = 20;
            let fields = declared.fields().iter().take(SHOWN);
            let fields: Vec<_> =
                fields.map(|field| format!("`{}` {}", field.name(), type_name(field.data_type()))).collect();
            let rest = if wanted > SHOWN { ", ..." } else { "" };
            let hint = format!("columns are matched by position: {}{rest}", fields.join(", "));
            return Err(hinted(place.refuse(text), Some(hint)));
        }
        if let Some(temp) = temp {
            check_event_time(temp, &output)?;
        }
        let mut columns = Vec::with_capacity(wanted);
        for (column, field) in output.columns.iter().zip(declared.fields()) {
            let Some(value) = assign(column.bound(), field.data_type()) else {
                let (from, to) = (type_name(&column.data_type), type_name(field.data_type()));
                let text =
                    format!("column `{}` of `{}` is {to}, the query gives {from}", field.name(), name.value);
                return Err(hinted(
                    column.place.refuse(text),
                    Some(format!("convert it with `CAST(... AS {to})`")),
                ));
            };
            columns.push(value.expr.alias(field.name()));
        }
        let projection = Projection::try_new(columns, Arc::new(output.plan));
        Ok(LogicalPlan::Projection(projection.map_err(|error| self.unplanned(error))?))
    }
}

/// A temp stream without a watermark of its own keeps that of the query, so its event time must be one.
fn check_event_time(temp: &TempStream, output: &Output) -> Checked<()> {
    let (Some(index), None) = (temp.time.rowtime, temp.time.watermark) else { return Ok(()) };
    let Some(column) = output.columns.get(index) else { return Ok(()) };
    if column.time == Some(TimeAttribute::Rowtime) {
        return Ok(());
    }
    let field = temp.declared.field(index).name();
    let text = format!("column `{field}` of `{}` must be filled by an event-time attribute", temp.name);
    let hint = "add `SET WATERMARK` to the temp stream to make it an event time of its own";
    Err(hinted(column.place.refuse(text), Some(hint.to_string())))
}
