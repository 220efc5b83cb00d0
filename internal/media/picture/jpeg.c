//go:build opencv || libjpeg

#include "jpeg.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

// trap takes the place of libjpeg's exit(): it keeps the message and jumps back.
struct trap {
  struct jpeg_error_mgr base;  // first, so that libjpeg's pointer is this one's
  jmp_buf back;
  char *message;
};

static void fail(j_common_ptr c) {
  struct trap *t = (struct trap *)c->err;
  char text[JMSG_LENGTH_MAX];
  t->base.format_message(c, text);
  snprintf(t->message, RN_JPEG_MESSAGE, "%s", text);
  longjmp(t->back, RN_JPEG_FAILED);
}

// watch is what libjpeg calls after each row of blocks.
struct watch {
  struct jpeg_progress_mgr base;  // first, as above
  const int32_t *stop;
  int64_t most_work;
};

static void look(j_common_ptr c) {
  const struct watch *v = (const struct watch *)c->progress;
  struct trap *t = (struct trap *)c->err;
  const j_decompress_ptr d = (j_decompress_ptr)c;
  if (__atomic_load_n(v->stop, __ATOMIC_RELAXED)) longjmp(t->back, RN_JPEG_STOPPED);
  if ((int64_t)d->input_scan_number * d->image_width * d->image_height > v->most_work) {
    snprintf(t->message, RN_JPEG_MESSAGE, "%d scans of %ux%u pixels are too many", d->input_scan_number, d->image_width, d->image_height);
    longjmp(t->back, RN_JPEG_FAILED);
  }
}

static void ignore(j_common_ptr c, int level) {
  if (level < 0) c->err->num_warnings++;
}

static struct jpeg_error_mgr *set(struct trap *t, char *message) {
  jpeg_std_error(&t->base);
  t->base.error_exit = fail;
  t->base.emit_message = ignore;
  t->message = message;
  return &t->base;
}

// ROWS is at least as many as libjpeg makes at once.
enum { ROWS = 16 };

// put writes a row of RGB or, of four components, of CMYK as OpenCV converts it, with a step of pixels in between.
static void put(uint8_t *to, int64_t step, const uint8_t *row, uint32_t w, int components) {
  for (uint32_t x = 0; x < w; x++, to += 3 * step, row += components) {
    for (int i = 0; i < 3; i++) to[i] = components == 3 ? row[i] : row[3] - ((255 - row[i]) * row[3] >> 8);
  }
}

// way says where the first stored pixel lies in the upright image, and the steps from there to the next stored column and row.
struct way {
  int64_t at, across, down;
};

static struct way upright(int turn, int64_t w, int64_t h) {
  const int64_t last = w * h - 1;
  switch (turn) {
    case 2: return (struct way){w - 1, -1, w};
    case 3: return (struct way){last, -1, -w};
    case 4: return (struct way){last - (w - 1), 1, -w};
    case 5: return (struct way){0, h, 1};
    case 6: return (struct way){h - 1, h, -1};
    case 7: return (struct way){last, -h, -1};
    case 8: return (struct way){last - (h - 1), -h, 1};
  }
  return (struct way){0, 1, w};
}

int rn_jpeg_decode(uint8_t *pix, uint32_t w, uint32_t h, const uint8_t *file, size_t n, const rn_jpeg_options *o, const int32_t *stop,
                   char message[RN_JPEG_MESSAGE]) {
  struct jpeg_decompress_struct c;
  struct trap t;
  struct watch v = {.stop = stop, .most_work = o->most_work};
  v.base.progress_monitor = look;
  c.err = set(&t, message);
  jpeg_create_decompress(&c);
  const int ended = setjmp(t.back);
  if (ended) {
    jpeg_destroy_decompress(&c);
    return ended;
  }
  c.progress = &v.base;
  c.mem->max_memory_to_use = (long)o->most_memory;
  jpeg_mem_src(&c, file, n);
  jpeg_read_header(&c, TRUE);
  const int components = c.num_components == 4 ? 4 : 3;
  c.out_color_space = components == 4 ? JCS_CMYK : JCS_RGB;
  c.scale_num = 1;
  c.scale_denom = o->denom;
  jpeg_start_decompress(&c);
  int state = RN_JPEG_OK;
  if (c.output_width != w || c.output_height != h || c.output_components != components) {
    snprintf(message, RN_JPEG_MESSAGE, "it decodes to %ux%u pixels, its header says %ux%u", c.output_width, c.output_height, w, h);
    state = RN_JPEG_FAILED;
  }
  const int straight = components == 3 && o->turn <= 1;
  const struct way to = upright(o->turn, w, h);
  JSAMPARRAY band = straight || state ? NULL : c.mem->alloc_sarray((j_common_ptr)&c, JPOOL_IMAGE, w * components, ROWS);
  while (state == RN_JPEG_OK && c.output_scanline < h) {
    const uint32_t y = c.output_scanline;
    JSAMPROW rows[ROWS];
    uint32_t k = 0;
    for (; k < ROWS && y + k < h; k++) rows[k] = straight ? pix + (size_t)3 * w * (y + k) : band[k];
    const uint32_t got = jpeg_read_scanlines(&c, rows, k);
    for (uint32_t i = 0; i < got && !straight; i++) put(pix + 3 * (to.at + to.down * (int64_t)(y + i)), to.across, rows[i], w, components);
  }
  jpeg_destroy_decompress(&c);
  return state;
}

int rn_jpeg_encode(uint8_t **file, unsigned long *n, const uint8_t *pix, uint32_t w, uint32_t h, int quality, char message[RN_JPEG_MESSAGE]) {
  struct jpeg_compress_struct c;
  struct trap t;
  c.err = set(&t, message);
  jpeg_create_compress(&c);
  if (setjmp(t.back)) {
    if (c.dest) c.dest->term_destination(&c);  // sets the address of the memory
    jpeg_destroy_compress(&c);
    return RN_JPEG_FAILED;
  }
  jpeg_mem_dest(&c, file, n);
  c.image_width = w;
  c.image_height = h;
  c.input_components = 3;
  c.in_color_space = JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < h) {
    JSAMPROW row = (JSAMPROW)(pix + (size_t)3 * w * c.next_scanline);
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  return RN_JPEG_OK;
}
