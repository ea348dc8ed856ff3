// Inner loops on the pixels of pictures, in tables like those of CKernels.h. All tables give the
// same bits: sums are of integers, or in Float64 in one order.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// For each new position on an axis, which old positions count and how much, of 2^22.
typedef struct {
  const int32_t *starts;
  const int32_t *counts;
  /// `stride` places for each new position.
  const int32_t *weights;
  ptrdiff_t stride;
} ck_axis_weights;

/// Where in a picture the pixels of a new row come from: `start + column * step` for y and x.
typedef struct {
  const uint8_t *source;
  ptrdiff_t width;
  ptrdiff_t height;
  double y_start, y_step;
  double x_start, x_step;
} ck_affine_row;

/// The picture loops of one instruction set.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  const char *name;
  /// One row of RGB pixels resampled to `new_width`; nothing behind `width` pixels is read.
  void (*u8_resample_row)(
    const uint8_t *source, ptrdiff_t width, const ck_axis_weights *, ptrdiff_t new_width,
    uint8_t *target);
  /// One sample of `size` each from `count` rows that follow each other, weighted.
  void (*u8_resample_column)(
    const uint8_t *rows, ptrdiff_t size, const int32_t *weights, ptrdiff_t count, uint8_t *target);
  /// Blends each new pixel of a row from four; those that do not lie well within the picture are
  /// left out and their columns listed. One float behind the row may be written.
  ///
  /// Returns how many are listed.
  ptrdiff_t (*u8_affine_row)(
    const ck_affine_row *, ptrdiff_t count, float *target, int32_t *left_out);
} ck_picture_table;

/// The table that goes with the ck_table of that name; NULL where there is none.
const ck_picture_table *ck_picture_table_named(const char *name);
