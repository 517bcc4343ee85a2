#include "base/file.h"

#include <errno.h>
#include <unistd.h>

bool file_write_whole(int fd, slice bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);

        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0)
            bytes = slice_from(bytes, (size_t)put);
    }
    return true;
}
