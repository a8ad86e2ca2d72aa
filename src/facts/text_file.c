#include "facts/text_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "facts/install_package.h"

#include <string.h>

int dr_text_file_read(struct dr_context *context, const char *path, struct dr_text_file *ret_file)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(DR_TEXT_FILE_MOST);
    struct dr_text_file file = { .path = path };
    char hex[DR_SHA256_HEX];
    int r = dr_read_file(context->request->root_fd, path, &buffer, &file.identity);

    if (r == -ELOOP) {
        file.by_link = true;
        file.path = dr_path_resolve(context, path);
        if (!file.path)
            return -ENOENT; /* a link that leads nowhere is no file */
        r = dr_read_file(context->request->root_fd, file.path, &buffer, &file.identity);
    }
    if (r < 0)
        return r;
    r = dr_sha256_hex(dr_buffer_text(&buffer), buffer.length, hex);
    if (r < 0)
        return r;
    char *bytes = dr_alloc(context, buffer.length + 1);

    if (buffer.length)
        memcpy(bytes, buffer.data, buffer.length);
    file.bytes = bytes;
    file.length = buffer.length;
    file.sha256 = dr_strdup(context, hex);
    *ret_file = file;
    return 0;
}
