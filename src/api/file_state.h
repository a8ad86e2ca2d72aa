/*
 * What a file was when it was judged: compared again, through the descriptor, at the moment of writing.
 */
#ifndef DR_API_FILE_STATE_H
#define DR_API_FILE_STATE_H

#include <stdint.h>

struct dr_file_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
    uint32_t mode; /* type and permission bits, as st_mode */
    uint32_t uid;
    uint32_t gid;
    uint32_t links;
};

#endif
