//go:build opencv

#include "opencv.h"

#include <climits>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

int rn_opencv_decode(uint8_t *bgr, int w, int h, const uint8_t *file, size_t n, int how, char message[RN_OPENCV_MESSAGE]) {
  try {
    if (n > INT_MAX) throw std::length_error("the file has more than 2 GiB");
    const cv::Mat from(1, static_cast<int>(n), CV_8UC1, const_cast<uint8_t *>(file));
    cv::Mat to(h, w, CV_8UC3, bgr);
    // OpenCV writes into this memory where the image has its size, and takes other memory where it has not.
    if (cv::imdecode(from, how, &to).empty()) {
      std::snprintf(message, RN_OPENCV_MESSAGE, "OpenCV cannot decode it");
      return 1;
    }
    if (to.data == bgr) return 0;
    std::snprintf(message, RN_OPENCV_MESSAGE, "it decodes to %dx%d pixels, its header says %dx%d", to.cols, to.rows, w, h);
  } catch (const std::exception &e) {  // cv::Exception is one
    std::snprintf(message, RN_OPENCV_MESSAGE, "OpenCV: %s", e.what());
  } catch (...) {
    std::snprintf(message, RN_OPENCV_MESSAGE, "OpenCV throws what is no exception");
  }
  return 1;
}
