//! SQL functions as vectorised Arrow kernels, one file per family.
