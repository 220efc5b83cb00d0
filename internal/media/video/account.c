//go:build opencv

#include "account.h"

#include <libavformat/avformat.h>

// seconds is a time in a stream's units, from begin on.
static double seconds(int64_t t, int64_t begin, AVRational unit) {
  return (double)(t - (begin == AV_NOPTS_VALUE ? 0 : begin)) * av_q2d(unit);
}

int rn_video_account(const char *path, rn_account *a) {
  *a = (rn_account){0};
  AVFormatContext *f = NULL;
  AVPacket *p = av_packet_alloc();
  int code = p ? avformat_open_input(&f, path, NULL, NULL) : AVERROR(ENOMEM);
  if (code >= 0) code = avformat_find_stream_info(f, NULL);
  int video = -1;
  for (unsigned i = 0; code >= 0 && i < f->nb_streams && video < 0; i++) {
    if (f->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) video = (int)i;
  }
  if (code < 0 || video < 0) {
    av_packet_free(&p);
    avformat_close_input(&f);
    return -1;
  }
  const AVStream *v = f->streams[video];
  // The length of the video alone where the file has it; else that of all streams, of which the sound may be the longest.
  const int own = v->duration != AV_NOPTS_VALUE && v->duration > 0;
  if (own) {
    a->length = (double)v->duration * av_q2d(v->time_base);
  } else if (f->duration != AV_NOPTS_VALUE && f->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE) {
    a->length = (double)f->duration / AV_TIME_BASE;
  }
  int64_t key = AV_NOPTS_VALUE; // stamp of the first key frame: what is shown before it refers to what is not there
  int begun = 0;
  while ((code = av_read_frame(f, p)) >= 0) {
    const AVStream *s = f->streams[p->stream_index];
    const int64_t at = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
    const double from = f->start_time == AV_NOPTS_VALUE ? 0 : (double)f->start_time / AV_TIME_BASE;
    if (at != AV_NOPTS_VALUE && (p->stream_index == video || !own)) {
      const double end = own ? seconds(at + p->duration, v->start_time, s->time_base) : seconds(at + p->duration, 0, s->time_base) - from;
      if (end > a->end) a->end = end;
    }
    if (p->stream_index == video && p->size > 0) {
      if (!begun && p->flags & AV_PKT_FLAG_KEY) {
        begun = 1;
        key = at;
      }
      const int leads = at != AV_NOPTS_VALUE && key != AV_NOPTS_VALUE && at < key;
      if (begun && !leads && !(p->flags & AV_PKT_FLAG_DISCARD)) a->frames++;
    }
    av_packet_unref(p);
  }
  a->failed = code != AVERROR_EOF;
  av_packet_free(&p);
  avformat_close_input(&f);
  return 0;
}
