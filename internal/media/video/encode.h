// Encodes frames as an mp4 file by FFmpeg's libraries.
#pragma once
#include <stdint.h>

typedef struct rn_video rn_video;

// rn_video_new begins a file of frames of w x h pixels, both even. On an error it returns NULL and what is wrong in
// message, which the caller frees.
rn_video *rn_video_new(const char *path, int w, int h, double rate, char **message);

// rn_video_codec is the name of the encoder.
const char *rn_video_codec(const rn_video *v);

// rn_video_write adds a frame of R, G, B and rows of stride bytes at a time in seconds. One that is not later than the last, as below 0,
// follows the last at the rate. It returns NULL or what is wrong, which the caller frees.
char *rn_video_write(rn_video *v, const uint8_t *rgb, int stride, double at);

// rn_video_close ends the file where all went well, and frees v.
char *rn_video_close(rn_video *v);
