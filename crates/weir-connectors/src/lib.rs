//! Sources, sinks and lookup tables, one folder each, behind one contract.
