//go:build opencv

#include "opencv.h"

#include <cstdio>
#include <exception>
#include <memory>

#include <opencv2/core.hpp>
#include <opencv2/highgui.hpp>
#include <opencv2/videoio.hpp>
#include <opencv2/videoio/registry.hpp>

struct rn_capture {
  cv::VideoCapture from;
};

namespace {

// guarded returns what f does, or -1 and what it throws.
template <typename F>
int guarded(char *message, F f) {
  try {
    return f();
  } catch (const std::exception &e) {  // cv::Exception is one
    std::snprintf(message, RN_VIDEO_MESSAGE, "OpenCV: %s", e.what());
  } catch (...) {
    std::snprintf(message, RN_VIDEO_MESSAGE, "OpenCV throws what is no exception");
  }
  return -1;
}

}  // namespace

int rn_capture_reads(int reader) {
  char message[RN_VIDEO_MESSAGE];
  return guarded(message, [&] {
           for (const auto known : cv::videoio_registry::getStreamBackends()) {
             if (known == reader) return 1;
           }
           return 0;
         }) == 1;
}

rn_capture *rn_capture_open(const char *uri, int camera, int reader, rn_format *format, char message[RN_VIDEO_MESSAGE]) {
  message[0] = 0;
  rn_capture *opened = nullptr;
  guarded(message, [&] {
    std::unique_ptr<rn_capture> c(new rn_capture);
    const bool ok = uri ? c->from.open(uri, reader) : c->from.open(camera);
    if (!ok) return -1;
    *format = {c->from.get(cv::CAP_PROP_FRAME_WIDTH), c->from.get(cv::CAP_PROP_FRAME_HEIGHT), c->from.get(cv::CAP_PROP_FPS),
               c->from.get(cv::CAP_PROP_FRAME_COUNT)};
    opened = c.release();
    return 0;
  });
  return opened;
}

int rn_capture_read(rn_capture *c, int64_t most, void *mat, double *ms, char message[RN_VIDEO_MESSAGE]) {
  return guarded(message, [&] {
    cv::Mat &m = *static_cast<cv::Mat *>(mat);
    if (!c->from.read(m) || m.empty()) return 0;
    if (m.type() != CV_8UC3 || m.dims != 2) {
      std::snprintf(message, RN_VIDEO_MESSAGE, "frames of %d channels; three of 8 bits are read", m.channels());
      return -1;
    }
    if (static_cast<int64_t>(m.rows) * m.cols > most) {
      std::snprintf(message, RN_VIDEO_MESSAGE, "a frame of %dx%d pixels; %lld are read", m.cols, m.rows, static_cast<long long>(most));
      return -1;
    }
    if (!m.isContinuous()) m = m.clone();
    *ms = c->from.get(cv::CAP_PROP_POS_MSEC);
    return 1;
  });
}

void rn_capture_close(rn_capture *c) {
  char message[RN_VIDEO_MESSAGE];
  guarded(message, [&] {
    c->from.release();
    return 0;
  });
  delete c;
}

int rn_window_open(const char *title, char message[RN_VIDEO_MESSAGE]) {
  return guarded(message, [&] {
    cv::namedWindow(title, cv::WINDOW_NORMAL);
    return 0;
  });
}

int rn_window_show(const char *title, uint8_t *bgr, int w, int h, int resize, int *key, int *visible, char message[RN_VIDEO_MESSAGE]) {
  return guarded(message, [&] {
    if (resize) cv::resizeWindow(title, w, h);
    cv::imshow(title, cv::Mat(h, w, CV_8UC3, bgr));
    *key = cv::waitKey(1);
    *visible = cv::getWindowProperty(title, cv::WND_PROP_VISIBLE) > 0;
    return 0;
  });
}

int rn_window_close(const char *title, char message[RN_VIDEO_MESSAGE]) {
  return guarded(message, [&] {
    cv::destroyWindow(title);
    return 0;
  });
}
