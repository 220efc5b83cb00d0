//go:build !nocv

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
  longjmp(t->back, 1);
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

int rn_jpeg_decode(uint8_t *pix, uint32_t w, uint32_t h, const uint8_t *file, size_t n, int denom, char message[RN_JPEG_MESSAGE]) {
  struct jpeg_decompress_struct c;
  struct trap t;
  c.err = set(&t, message);
  jpeg_create_decompress(&c);
  if (setjmp(t.back)) {
    jpeg_destroy_decompress(&c);
    return RN_JPEG_FAILED;
  }
  jpeg_mem_src(&c, file, n);
  jpeg_read_header(&c, TRUE);
  int state = RN_JPEG_OK;
  if (c.jpeg_color_space != JCS_GRAYSCALE && c.jpeg_color_space != JCS_YCbCr && c.jpeg_color_space != JCS_RGB) {
    state = RN_JPEG_COLOURS;
  } else {
    c.out_color_space = JCS_RGB;
    c.scale_num = 1;
    c.scale_denom = denom;
    jpeg_start_decompress(&c);
    if (c.output_width != w || c.output_height != h || c.output_components != 3) {
      snprintf(message, RN_JPEG_MESSAGE, "it decodes to %ux%u pixels, its header says %ux%u", c.output_width, c.output_height, w, h);
      state = RN_JPEG_FAILED;
    }
    while (state == RN_JPEG_OK && c.output_scanline < h) {
      JSAMPROW rows[ROWS];
      uint32_t k = 0;
      for (; k < ROWS && c.output_scanline + k < h; k++) rows[k] = pix + (size_t)3 * w * (c.output_scanline + k);
      jpeg_read_scanlines(&c, rows, k);
    }
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
    if (c.dest) c.dest->term_destination(&c);  // tells where the memory is
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
