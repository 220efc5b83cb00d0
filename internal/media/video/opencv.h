// OpenCV's reading of videos and its windows, behind functions that no C++ exception leaves.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RN_VIDEO_MESSAGE = 512 };

typedef struct rn_capture rn_capture;

typedef struct {
  double w, h, rate, frames;  // as OpenCV reports them: not always numbers
} rn_format;

// rn_capture_reads reports whether this OpenCV has a reader.
int rn_capture_reads(int reader);

// rn_capture_open opens a file or an address with one of OpenCV's readers, or a camera where uri is NULL. It returns NULL and a
// message, which is empty where OpenCV only says no.
rn_capture *rn_capture_open(const char *uri, int camera, int reader, rn_format *format, char message[RN_VIDEO_MESSAGE]);

// rn_capture_read returns 1 for a frame, 0 for the end and -1 with a message. mat is a cv::Mat, which gets the frame's pixels in B, G,
// R, in rows without gaps; ms is the frame's time stamp. Frames of more pixels than most are an error.
int rn_capture_read(rn_capture *c, int64_t most, void *mat, double *ms, char message[RN_VIDEO_MESSAGE]);

// rn_capture_close frees c.
void rn_capture_close(rn_capture *c);

// rn_window_open opens a window. Like all of a window's functions it returns 0, or -1 with a message.
int rn_window_open(const char *title, char message[RN_VIDEO_MESSAGE]);

// rn_window_show shows an image and returns the key that was pressed, or -1, and whether the window is there.
int rn_window_show(const char *title, uint8_t *bgr, int w, int h, int resize, int *key, int *visible, char message[RN_VIDEO_MESSAGE]);

// rn_window_close closes it.
int rn_window_close(const char *title, char message[RN_VIDEO_MESSAGE]);

#ifdef __cplusplus
}
#endif
