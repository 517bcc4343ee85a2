/* What the operating system's calls for files leave to do. */
#ifndef MUSTER_BASE_FILE_H
#define MUSTER_BASE_FILE_H

#include "base/slice.h"

/* Writes all bytes, however many calls it takes. False: errno says why, and some may be written. */
CHECKED bool file_write_whole(int fd, slice bytes);

#endif
