//! Bytes to Arrow and back, dirty records counted, one file per encoding.
