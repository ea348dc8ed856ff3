#pragma once
#include <gif_lib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// giflib hands its own structures around; walking to the first frame is shortest in C.

enum { CGIF_OK = 0, CGIF_DAMAGED = 1, CGIF_TRUNCATED = 2 };

struct cgif_source {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  int ran_out;
};

struct cgif_frame {
  GifFileType *file;
  struct cgif_source source;
  // The whole picture, and where the first frame lies in it.
  int width, height;
  int left, top, frame_width, frame_height;
  int interlaced;
  // The transparent color's index, or -1.
  int transparent;
  // 256 colors; those that the file lacks are black, without any palette all are grey.
  uint8_t palette[768];
  const char *reason;
};

static inline int cgif_read(GifFileType *file, GifByteType *target, int wanted) {
  struct cgif_source *source = (struct cgif_source *)file->UserData;
  size_t left = source->count - source->position;
  if ((size_t)wanted > left) {
    source->ran_out = 1;
    wanted = (int)left;
  }
  memcpy(target, source->bytes + source->position, (size_t)wanted);
  source->position += (size_t)wanted;
  return wanted;
}

static inline int cgif_fail(struct cgif_frame *frame, int code) {
  const char *reason = GifErrorString(code);
  frame->reason = reason ? reason : "no frame in it";
  return frame->source.ran_out ? CGIF_TRUNCATED : CGIF_DAMAGED;
}

static inline void cgif_close(struct cgif_frame *frame) {
  if (frame->file) DGifCloseFile(frame->file, NULL);
  frame->file = NULL;
}

static inline void cgif_take_palette(struct cgif_frame *frame) {
  ColorMapObject *map =
      frame->file->Image.ColorMap ? frame->file->Image.ColorMap : frame->file->SColorMap;
  memset(frame->palette, 0, sizeof frame->palette);
  for (int index = 0; index < 256; index++) {
    uint8_t *color = frame->palette + index * 3;
    if (!map) {
      memset(color, index, 3);
    } else if (index < map->ColorCount) {
      color[0] = map->Colors[index].Red;
      color[1] = map->Colors[index].Green;
      color[2] = map->Colors[index].Blue;
    }
  }
}

// Reads up to the first frame's pixels. `frame` must not move until `cgif_close`.
static inline int cgif_open(const uint8_t *bytes, size_t count, struct cgif_frame *frame) {
  memset(frame, 0, sizeof *frame);
  frame->source.bytes = bytes;
  frame->source.count = count;
  frame->transparent = -1;
  int code = 0;
  frame->file = DGifOpen(&frame->source, cgif_read, &code);
  if (!frame->file) return cgif_fail(frame, code);
  GifRecordType record;
  do {
    if (DGifGetRecordType(frame->file, &record) == GIF_ERROR)
      return cgif_fail(frame, frame->file->Error);
    if (record == EXTENSION_RECORD_TYPE) {
      GifByteType *block;
      int kind;
      if (DGifGetExtension(frame->file, &kind, &block) == GIF_ERROR)
        return cgif_fail(frame, frame->file->Error);
      if (kind == GRAPHICS_EXT_FUNC_CODE && block && block[0] >= 4 && (block[1] & 1))
        frame->transparent = block[4];
      while (block)
        if (DGifGetExtensionNext(frame->file, &block) == GIF_ERROR)
          return cgif_fail(frame, frame->file->Error);
    }
    if (record == TERMINATE_RECORD_TYPE) return cgif_fail(frame, 0);
  } while (record != IMAGE_DESC_RECORD_TYPE);
  if (DGifGetImageDesc(frame->file) == GIF_ERROR) return cgif_fail(frame, frame->file->Error);
  const GifImageDesc *image = &frame->file->Image;
  frame->left = image->Left;
  frame->top = image->Top;
  frame->frame_width = image->Width;
  frame->frame_height = image->Height;
  frame->interlaced = image->Interlace;
  // As Pillow does, a frame that reaches beyond the picture makes it larger.
  int right = image->Left + image->Width, bottom = image->Top + image->Height;
  frame->width = right > frame->file->SWidth ? right : frame->file->SWidth;
  frame->height = bottom > frame->file->SHeight ? bottom : frame->file->SHeight;
  cgif_take_palette(frame);
  return CGIF_OK;
}

// Reads the first frame's color indices into `width * height` bytes.
static inline int cgif_read_pixels(struct cgif_frame *frame, uint8_t *indices) {
  static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  int fill = frame->transparent < 0 ? 0 : frame->transparent;
  memset(indices, fill, (size_t)frame->width * (size_t)frame->height);
  for (int pass = 0; pass < (frame->interlaced ? 4 : 1); pass++) {
    int step = frame->interlaced ? steps[pass] : 1;
    for (int y = frame->interlaced ? starts[pass] : 0; y < frame->frame_height; y += step) {
      size_t row = (size_t)(frame->top + y) * (size_t)frame->width + (size_t)frame->left;
      if (DGifGetLine(frame->file, indices + row, frame->frame_width) == GIF_ERROR)
        return cgif_fail(frame, frame->file->Error);
    }
  }
  return CGIF_OK;
}
