// OpenCV's decoder behind a function that no C++ exception leaves.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RN_OPENCV_MESSAGE = 512 };

// rn_opencv_decode writes an image file of n bytes as B, G, R of 8 bits [h,w,3] and returns 0. how is OpenCV's flags of imread.
// Anything else leaves a message: a file that is damaged, of another size, and whatever OpenCV throws.
int rn_opencv_decode(uint8_t *bgr, int w, int h, const uint8_t *file, size_t n, int how, char message[RN_OPENCV_MESSAGE]);

#ifdef __cplusplus
}
#endif
