//go:build opencv

#include "account.h"

#include <libavformat/avformat.h>

// seconds is a time in a stream's units, from begin on.
static double seconds(int64_t t, int64_t begin, AVRational unit) {
  return (double)(t - (begin == AV_NOPTS_VALUE ? 0 : begin)) * av_q2d(unit);
}

// opened opens a file and finds its first video stream, the one that OpenCV reads. It returns NULL where there is none.
static AVFormatContext *opened(const char *path, int *video) {
  AVFormatContext *f = NULL;
  if (avformat_open_input(&f, path, NULL, NULL) < 0) return NULL;
  if (avformat_find_stream_info(f, NULL) >= 0) {
    for (unsigned i = 0; i < f->nb_streams; i++) {
      if (f->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO) continue;
      *video = (int)i;
      return f;
    }
  }
  avformat_close_input(&f);
  return NULL;
}

enum { EARLY = 2 }; // seconds

int rn_video_stamps(const char *path, double after, double *stamps, int most) {
  int video = 0, n = 0;
  AVPacket *p = av_packet_alloc();
  AVFormatContext *f = p ? opened(path, &video) : NULL;
  if (f) {
    const AVStream *v = f->streams[video];
    const int64_t begin = v->start_time == AV_NOPTS_VALUE ? 0 : v->start_time;
    // Where a file cannot be sought in it is read from its begin; in others a seek ends a little before or behind.
    const double from = after > EARLY ? after - EARLY : 0;
    av_seek_frame(f, video, begin + (int64_t)(from / av_q2d(v->time_base)), AVSEEK_FLAG_BACKWARD);
    while (n < most && av_read_frame(f, p) >= 0) {
      if (p->stream_index == video && p->size > 0 && p->pts != AV_NOPTS_VALUE && !(p->flags & AV_PKT_FLAG_DISCARD)) {
        const double at = seconds(p->pts, begin, v->time_base);
        if (at > after) stamps[n++] = at;
      }
      av_packet_unref(p);
    }
    avformat_close_input(&f);
  }
  av_packet_free(&p);
  return n;
}

int rn_video_account(const char *path, rn_account *a) {
  *a = (rn_account){0};
  int video = 0, code = 0;
  AVPacket *p = av_packet_alloc();
  AVFormatContext *f = p ? opened(path, &video) : NULL;
  if (!f) {
    av_packet_free(&p);
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
