// Adds up what the packets of a video file say, by FFmpeg's libraries, without decoding them.
#pragma once
#include <stdint.h>

typedef struct {
  int64_t frames;  // that can be decoded: packets from the first key frame on that are to be shown
  double end;      // of the last frame, in seconds
  double length;   // that the file says, in seconds; 0 where it does not
  int failed;      // reading ended before the file
} rn_account;

// rn_video_account reads a file to its end. It returns 0, or -1 for a file that cannot be opened.
int rn_video_account(const char *path, rn_account *a);

// rn_video_stamps writes the time stamps, in seconds from the video's begin, of at most so many frames behind a time, in no order, and returns
// their number.
int rn_video_stamps(const char *path, double after, double *stamps, int most);
