//go:build opencv

#include "encode.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rn_video {
  AVFormatContext *file;
  AVCodecContext *enc;
  AVStream *stream;
  struct SwsContext *colours;
  AVFrame *frame;
  AVPacket *packet;
  uint8_t *end; // the last rows of an image, with room behind them
  int64_t last; // time of the last frame, in units of the encoder; -1 before the first
  int64_t frame_time; // from one frame to the next, in those units
};

// Encoders in the order in which they are tried: H.264, which browsers play, first.
static const char *const encoders[] = {"libx264", "libopenh264", "mpeg4"};

enum { FINEST = 1200 }; // units of time in a frame

enum { THREADS = 8 }; // at most: more cost memory, and rows of blocks to wait for

// libswscale reads a vector at a time, and beyond the end of an image's last row: a page may end there. LAST rows, which share a row of
// colour, are read from a copy with BEHIND bytes to spare.
enum { LAST = 2, BEHIND = 128 };

static char *wrong(const char *what, int code) {
  char why[AV_ERROR_MAX_STRING_SIZE], text[256];
  av_strerror(code, why, sizeof why);
  snprintf(text, sizeof text, "%s: %s", what, why);
  return strdup(text);
}

// encoder opens the first encoder that works at this size.
static int encoder(rn_video *v, int w, int h, AVRational rate) {
  int code = AVERROR_ENCODER_NOT_FOUND;
  for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++) {
    const AVCodec *codec = avcodec_find_encoder_by_name(encoders[i]);
    if (!codec) continue;
    AVCodecContext *c = v->enc = avcodec_alloc_context3(codec);
    if (!c) return AVERROR(ENOMEM);
    c->width = w;
    c->height = h;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->framerate = rate;
    // Frames of variable rate need units that are shorter than a frame, which MPEG-4 bounds to a 65535th of a second.
    const int most = codec->id == AV_CODEC_ID_MPEG4 ? 65535 : 10000000;
    v->frame_time = rate.num < most ? most / rate.num : 1;
    if (v->frame_time > FINEST) v->frame_time = FINEST;
    c->time_base = (AVRational){rate.den, (int)(rate.num * v->frame_time)};
    int cores = av_cpu_count();
    c->thread_count = cores < THREADS ? cores : THREADS;
    if (v->file->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (codec->id == AV_CODEC_ID_MPEG4) {
      c->flags |= AV_CODEC_FLAG_QSCALE;
      c->global_quality = 4 * FF_QP2LAMBDA;
      c->max_b_frames = 0;
    } else if (!strcmp(encoders[i], "libopenh264")) {
      c->bit_rate = (int64_t)(w * (double)h * av_q2d(rate) / 8);
    } else {
      // Two fifths of the time of the encoder's own choice, for files of the same size and nearly the same quality.
      av_opt_set(c->priv_data, "preset", "veryfast", 0);
      av_opt_set(c->priv_data, "crf", "23", 0);
    }
    if ((code = avcodec_open2(c, codec, NULL)) >= 0) return 0;
    avcodec_free_context(&v->enc);
  }
  return code;
}

static void drop(rn_video *v) {
  if (v->file && v->file->pb) avio_closep(&v->file->pb);
  avformat_free_context(v->file);
  avcodec_free_context(&v->enc);
  sws_freeContext(v->colours);
  av_frame_free(&v->frame);
  av_packet_free(&v->packet);
  free(v->end);
  free(v);
}

rn_video *rn_video_new(const char *path, int w, int h, double rate, char **message) {
  if (av_log_get_level() == AV_LOG_INFO) av_log_set_level(AV_LOG_ERROR); // encoders tell what they are
  rn_video *v = calloc(1, sizeof *v);
  if (v) v->last = -1;
  int code = v ? avformat_alloc_output_context2(&v->file, NULL, "mp4", path) : AVERROR(ENOMEM);
  const char *what = "FFmpeg's mp4";
  if (code >= 0) {
    what = "FFmpeg encodes neither H.264 nor MPEG-4 at this size and rate";
    code = encoder(v, w, h, av_d2q(rate, 1001000));
  }
  if (code >= 0) {
    what = "FFmpeg's mp4";
    AVFrame *f = v->frame = av_frame_alloc();
    v->packet = av_packet_alloc();
    v->stream = avformat_new_stream(v->file, NULL);
    // The matrix is that by which OpenCV reads: what is not drawn on keeps its colours.
    v->colours = sws_getContext(w, h, AV_PIX_FMT_RGB24, w, h, AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    v->end = calloc(LAST, 3 * (size_t)w + BEHIND / LAST);
    if (!f || !v->packet || !v->stream || !v->colours || !v->end) {
      code = AVERROR(ENOMEM);
    } else {
      f->format = v->enc->pix_fmt;
      f->width = w;
      f->height = h;
      v->stream->time_base = v->enc->time_base;
      v->stream->avg_frame_rate = v->enc->framerate;
      if ((code = av_frame_get_buffer(f, 0)) >= 0) code = avcodec_parameters_from_context(v->stream->codecpar, v->enc);
    }
  }
  if (code >= 0) {
    what = "cannot write";
    code = avio_open(&v->file->pb, path, AVIO_FLAG_WRITE);
  }
  if (code >= 0) {
    // The table of frames comes first, so that a browser plays before it has all.
    AVDictionary *o = NULL;
    av_dict_set(&o, "movflags", "+faststart", 0);
    code = avformat_write_header(v->file, &o);
    av_dict_free(&o);
  }
  if (code >= 0) return v;
  *message = wrong(what, code);
  if (v) drop(v);
  return NULL;
}

const char *rn_video_codec(const rn_video *v) { return v->enc->codec->name; }

// encode hands a frame to the encoder, NULL for the end, and writes what it has ready.
static int encode(rn_video *v, AVFrame *f) {
  int code = avcodec_send_frame(v->enc, f);
  while (code >= 0) {
    code = avcodec_receive_packet(v->enc, v->packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return 0;
    if (code < 0) return code;
    if (v->packet->duration == 0) v->packet->duration = v->frame_time;
    av_packet_rescale_ts(v->packet, v->enc->time_base, v->stream->time_base);
    v->packet->stream_index = v->stream->index;
    code = av_interleaved_write_frame(v->file, v->packet);
  }
  return code;
}

char *rn_video_write(rn_video *v, const uint8_t *rgb, int stride, double at) {
  int code = av_frame_make_writable(v->frame);
  if (code >= 0) {
    int above = v->frame->height - LAST;
    const uint8_t *end = v->end;
    memcpy(v->end, rgb + (int64_t)above * stride, (size_t)LAST * stride);
    if (above > 0) sws_scale(v->colours, &rgb, &stride, 0, above, v->frame->data, v->frame->linesize);
    sws_scale(v->colours, &end, &stride, above, LAST, v->frame->data, v->frame->linesize);
    const int64_t units = at < 0 ? -1 : llround(at / av_q2d(v->enc->time_base));
    v->frame->pts = units > v->last ? units : v->last < 0 ? 0 : v->last + v->frame_time;
    v->last = v->frame->pts;
    code = encode(v, v->frame);
  }
  return code < 0 ? wrong("a frame cannot be written", code) : NULL;
}

char *rn_video_close(rn_video *v) {
  int code = encode(v, NULL);
  if (code >= 0) code = av_write_trailer(v->file);
  // What the system could not write shows at the end.
  int closed = avio_closep(&v->file->pb);
  if (code >= 0) code = closed;
  drop(v);
  return code < 0 ? wrong("the file cannot be ended", code) : NULL;
}
