//! Group windows: `TUMBLE`, `HOP`, `SESSION` in GROUP BY, and the functions that read the window.

use datafusion_expr::Expr;
use weir_functions::window::{Bound as WindowBound, WindowKind};

use super::bound::{Bound, TimeAttribute};
use super::call::Written;
use super::expr::{Binder, Stage};
use super::grouping::Grouping;
use super::literal::{constant_millis, is_year_month};
use super::refuse::{Checked, Place, hinted};
use super::types::TIMESTAMP;

/// The most windows of one HOP that a row may be in: each of them is a row of the result.
const MAX_WINDOWS_OF_A_ROW: i64 = 100_000;

/// The form of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Tumble,
    Hop,
    Session,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Shape::Tumble => "TUMBLE",
            Shape::Hop => "HOP",
            Shape::Session => "SESSION",
        }
    }

    fn synopsis(self) -> &'static str {
        match self {
            Shape::Tumble => "TUMBLE(time, INTERVAL '10' SECOND)",
            Shape::Hop => "HOP(time, INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
            Shape::Session => "SESSION(time, INTERVAL '5' SECOND)",
        }
    }

    fn intervals(self) -> usize {
        if self == Shape::Hop { 2 } else { 1 }
    }
}

/// What a name such as `TUMBLE_START` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WindowFunction {
    /// The window itself.
    Group,
    /// One of its bounds.
    Read(WindowBound),
}

/// The window of a GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupWindow {
    pub(super) marker: Expr,
    pub(super) attribute: TimeAttribute,
    pub(super) shape: Shape,
}

/// Reads the name of a window or of one of its functions, in upper case.
pub(super) fn parse_name(name: &str) -> Option<(Shape, WindowFunction)> {
    let (shape, rest) = [Shape::Tumble, Shape::Hop, Shape::Session]
        .into_iter()
        .find_map(|shape| Some((shape, name.strip_prefix(shape.name())?)))?;
    let function = match rest {
        "" => WindowFunction::Group,
        "_START" => WindowFunction::Read(WindowBound::Start),
        "_END" => WindowFunction::Read(WindowBound::End),
        "_ROWTIME" => WindowFunction::Read(WindowBound::Rowtime),
        "_PROCTIME" => WindowFunction::Read(WindowBound::Proctime),
        _ => return None,
    };
    Some((shape, function))
}

impl Binder<'_> {
    /// Checks the arguments of a window.
    pub(super) fn group_window(
        &self,
        shape: Shape,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<GroupWindow> {
        let name = shape.name();
        let [time, intervals @ ..] = written.arguments.as_slice() else {
            return Err(hinted(place.refuse(format!("`{name}` needs a time attribute")), Some(usage(shape))));
        };
        if intervals.len() != shape.intervals() || written.star || written.distinct {
            let error = place.refuse(format!("`{name}` takes {} arguments", shape.intervals() + 1));
            return Err(hinted(error, Some(usage(shape))));
        }
        let input = Binder { stage: Stage::Row("in a window"), ..*self };
        let time_place = self.at(*time);
        let time = input.bind(time)?;
        let Some(attribute) = time.time else {
            let error = time_place.refuse(format!("the first argument of `{name}` must be a time attribute"));
            let hint = "time attributes are declared by `TIMESTAMP BY column.rowtime` or `TIMESTAMP BY proctime.proctime`";
            return Err(hinted(error, Some(hint.to_string())));
        };
        let mut lengths = Vec::with_capacity(2);
        for interval in intervals {
            let place = self.at(*interval);
            let length = input.bind(interval)?;
            if is_year_month(&length.data_type) {
                let error = place.refuse("a window cannot be measured in months or years");
                return Err(hinted(error, Some("they differ in length; use days".to_string())));
            }
            match constant_millis(&length) {
                Some(millis) if millis > 0 => lengths.push(millis),
                Some(_) => return Err(place.refuse("the length of a window must be positive")),
                None => {
                    let error = place.refuse("the length of a window must be a constant interval");
                    return Err(hinted(error, Some(usage(shape))));
                }
            }
        }
        let kind = match (shape, lengths.as_slice()) {
            (Shape::Tumble, [size_ms]) => WindowKind::Tumble { size_ms: *size_ms },
            (Shape::Hop, [slide_ms, size_ms]) if size_ms / slide_ms > MAX_WINDOWS_OF_A_ROW => {
                let error = place.refuse(format!(
                    "every row would be in {} windows, more than the limit of {MAX_WINDOWS_OF_A_ROW}",
                    size_ms / slide_ms
                ));
                return Err(hinted(error, Some("choose a longer slide or a shorter size".to_string())));
            }
            (Shape::Hop, [slide_ms, size_ms]) => WindowKind::Hop { slide_ms: *slide_ms, size_ms: *size_ms },
            (Shape::Session, [gap_ms]) => WindowKind::Session { gap_ms: *gap_ms },
            _ => return Err(place.refuse(format!("`{name}` has the wrong number of intervals"))),
        };
        Ok(GroupWindow { marker: kind.marker(time.expr), attribute, shape })
    }

    /// Checks a function that reads the window of the GROUP BY.
    pub(super) fn window_function(
        &self,
        shape: Shape,
        function: WindowFunction,
        name: &str,
        written: &Written<'_>,
        place: Place,
    ) -> Checked<Bound> {
        let WindowFunction::Read(bound) = function else {
            let error = place.refuse(format!("`{name}` is allowed in `GROUP BY` only"));
            return Err(hinted(error, Some(format!("`{name}_START` and `{name}_END` read the window"))));
        };
        let Stage::Group(Grouping { window: Some(window), .. }, _) = self.stage else {
            let error = place
                .refuse(format!("`{name}` needs `{}` in the `GROUP BY` of the same SELECT", shape.name()));
            return Err(hinted(error, Some(format!("add `{}` with the same arguments", shape.name()))));
        };
        let repeated = self.group_window(shape, written, place)?;
        if repeated != *window {
            let error =
                place.refuse(format!("`{name}` must repeat the arguments of the window in `GROUP BY`"));
            let hint = match window.shape == shape {
                true => format!("copy what stands between the brackets of `{}`", shape.name()),
                false => format!("the window is a `{}`", window.shape.name()),
            };
            return Err(hinted(error, Some(hint)));
        }
        let time = match bound {
            WindowBound::Start | WindowBound::End => None,
            WindowBound::Rowtime => Some(TimeAttribute::Rowtime),
            WindowBound::Proctime => Some(TimeAttribute::Proctime),
        };
        if time.is_some_and(|time| time != window.attribute) {
            let other = if bound == WindowBound::Rowtime { "event" } else { "processing" };
            return Err(place.refuse(format!("`{name}` needs a window on {other} time")));
        }
        Ok(Bound { time, ..Bound::new(bound.of(window.marker.clone()), TIMESTAMP) })
    }
}

fn usage(shape: Shape) -> String {
    let order = if shape == Shape::Hop { ": the slide, then the size" } else { "" };
    format!("write `{}`{order}", shape.synopsis())
}
